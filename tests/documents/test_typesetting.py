# SPDX-License-Identifier: Apache-2.0
"""Typesetting: identical bytes, a line end at the end, no empty boxes, data never becomes source."""

import datetime as dt
import io
from pathlib import Path

import pikepdf
import pytest

from documents.errors import GlyphMissingError, TypesettingError
from documents.typesetting import FONT, Attachment, Typesetter

AT = dt.datetime(2026, 3, 1, 2, 3, 4, 567, tzinfo=dt.UTC)
TEMPLATE = f"""#let data = json(bytes(sys.inputs.data))
#set document(title: data.title)
#set text(font: "{FONT}", lang: "zh", region: "cn")
= #data.title
#table(columns: 2, ..data.rows)
"""
DATA = {"title": "卷内目录", "rows": ["1", "建设工程规划许可证", "2", "㑇䶮𠮷龘"]}


@pytest.fixture(scope="module")
def typesetter() -> Typesetter:
    return Typesetter()


@pytest.fixture
def template(tmp_path: Path) -> Path:
    path = tmp_path / "page.typ"
    path.write_text(TEMPLATE)
    return path


def test_same_arguments_give_same_bytes_ending_in_a_line_end(typesetter: Typesetter, template: Path) -> None:
    attachment = Attachment("a.json", b"{}", "application/json")
    first = typesetter.typeset(template, DATA, [attachment], AT)
    again = Typesetter().typeset(template, DATA, [attachment], AT)
    assert first == again
    assert first.endswith(b"%%EOF\n")


def test_attachments_come_out_as_they_went_in(typesetter: Typesetter, template: Path) -> None:
    binary = bytes(range(256)) * 3
    made = typesetter.typeset(
        template,
        DATA,
        [
            Attachment("元数据.json", '{"名": "甲"}'.encode(), "application/json", "data", "元数据"),
            Attachment("raw.bin", binary, "application/octet-stream", "source"),
        ],
        AT,
    )
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert len(pdf.pages) == 1
        found = {spec.filename: spec.get_file().read_bytes() for spec in pdf.attachments.values()}
        relations = {str(spec.obj.AFRelationship) for spec in pdf.attachments.values()}
    assert found == {"元数据.json": '{"名": "甲"}'.encode(), "raw.bin": binary}
    assert relations == {"/Data", "/Source"}


@pytest.mark.parametrize("character", ["\U0002ebe0", "😀", "ب"])
def test_a_character_without_a_glyph_is_refused(
    typesetter: Typesetter, template: Path, character: str
) -> None:
    with pytest.raises(GlyphMissingError) as caught:
        typesetter.typeset(template, DATA | {"title": "名" + character}, [], AT)
    assert character not in str(caught.value)


def test_data_is_never_source(typesetter: Typesetter, template: Path) -> None:
    hostile = '#read("/etc/passwd") $x$ *b* \\ "'
    made = typesetter.typeset(template, DATA | {"title": hostile}, [], AT)
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert str(pdf.docinfo["/Title"]) == hostile


@pytest.mark.parametrize(
    "source", ["#nothing", '#set text(font: "No Such Font")\nx', '#read("/etc/passwd")', "#image(("]
)
def test_a_bad_template_or_a_warning_is_an_error_that_quotes_nothing(
    typesetter: Typesetter, tmp_path: Path, source: str
) -> None:
    path = tmp_path / "bad.typ"
    path.write_text(source)
    with pytest.raises(TypesettingError) as caught:
        typesetter.typeset(path, {}, [], AT)
    assert caught.value.facts["line"] == 1
    assert caught.value.diagnostic
    assert str(caught.value) == "typesetting-failed line=1"
