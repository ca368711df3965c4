# SPDX-License-Identifier: Apache-2.0
"""A sample of every type can be made, says on every page that it is none, and is the same everywhere."""

import io
import re
from pathlib import Path

import pikepdf
import pypdfium2
import pytest
from verapdf import VeraPdf

from documents.typesetting import Typesetter
from licenses.catalogue import TypeCatalogue, read_type
from licenses.definition import FaceField, LicenseType
from licenses.identifiers import Shape, classify
from licenses.preview import preview, sample_data

ROOT_OID = "1.2.156.3005.2"
TYPES = TypeCatalogue.load().all()
ESTATE, DRUGS = "11100000MB03271699001", "11339999DEM002079U001"


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter()


def pages(pdf: bytes) -> list[str]:
    with pypdfium2.PdfDocument(pdf) as document:
        return [page.get_textpage().get_text_bounded() for page in document]


def long(kind: LicenseType, rows: int) -> LicenseType:
    """Give a type with so many fields that its sample needs several pages."""
    more = [
        FaceField(name=f"more_{n}", zh=f"又一项{n}", en="More", pinyin=f"YYX{n}", example="样例内容" * 20)
        for n in range(rows)
    ]
    return kind.model_copy(update={"fields": (*kind.fields, *more)})


@pytest.mark.parametrize("kind", TYPES, ids=[one.code for one in TYPES])
def test_every_shipped_type_has_a_sample_that_says_so(kind: LicenseType, typesetter: Typesetter) -> None:
    for page in pages(preview(kind, typesetter)):
        assert "样例 · 非证照 · 无任何效力" in page
        assert page.count("样例") > 20, "the mark is tiled over the page"
        assert kind.zh in page


def test_every_page_of_a_long_sample_says_so(typesetter: Typesetter) -> None:
    found = pages(preview(long(TypeCatalogue.load().get(ESTATE), 40), typesetter))
    assert len(found) > 2
    assert all("SAMPLE, NOT A LICENCE" in page and page.count("样例") > 20 for page in found)


def test_a_sample_holds_nothing_by_which_a_licence_is_known(typesetter: Typesetter) -> None:
    for kind in TYPES:
        made = preview(kind, typesetter)
        text = "".join(pages(made))
        assert ROOT_OID not in text
        assert "/v/" not in text
        assert not any(classify(word) is Shape.CONFORMING for word in re.findall(r"[0-9A-Z.]{10,}", text))
        with pikepdf.open(io.BytesIO(made)) as pdf:
            assert not list(pdf.attachments)
            assert "/AcroForm" not in pdf.Root
            assert "样例" in str(pdf.docinfo["/Title"])
        assert "qr" not in sample_data(kind)


def test_the_same_type_gives_the_same_bytes_on_every_machine(typesetter: Typesetter) -> None:
    for code in (ESTATE, DRUGS):
        kind = TypeCatalogue.load().get(code)
        again = read_type(kind.model_dump_json().encode(), "again")
        assert preview(kind, typesetter) == preview(again, Typesetter())


def test_a_division_has_its_own_sample(typesetter: Typesetter) -> None:
    kind = TypeCatalogue.load().get(DRUGS)
    assert kind.division_templates == {"339999": "certificate.typ"}
    assert preview(kind, typesetter, "339999") != preview(kind, typesetter)
    assert preview(kind, typesetter, "110000") == preview(kind, typesetter)


def test_a_sample_shows_the_examples_in_their_places(typesetter: Typesetter) -> None:
    text = "".join(pages(preview(TypeCatalogue.load().get(ESTATE), typesetter)))
    for words in ("演示市样例路", "权利人", "共有比例", "100%", "长期有效"):
        assert words in text


@pytest.mark.conformance
def test_verapdf_passes_every_sample(tmp_path: Path, typesetter: Typesetter) -> None:
    judge, files = VeraPdf(), []
    for kind in TYPES:
        files.append(tmp_path / f"{kind.code}.pdf")
        files[-1].write_bytes(preview(kind, typesetter))
    judge.assert_conform(files)
