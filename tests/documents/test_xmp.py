# SPDX-License-Identifier: Apache-2.0
"""Own properties in the XMP of our files: declared, readable by others, the same bytes, still PDF/A."""

import datetime as dt
import io
from pathlib import Path

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from verapdf import VeraPdf

from documents.errors import TypesettingError
from documents.typesetting import Attachment, Typesetter
from documents.xmp import XmpSchema, read_properties, with_properties

SCHEMA = XmpSchema(
    "演示元数据 & more",
    "urn:example:schema:1#",
    "demo",
    {"ZZBS": "证照标识", "ZZMC": "证照名称 <一>", "ZZBH": "编号"},
)
VALUES = {"ZZBS": "1.2.156.3005.2.1", "ZZMC": 'a < b & "c" 证照'}
AT = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    template = tmp_path_factory.mktemp("template") / "a.typ"
    template.write_text(
        '#let data = json(bytes(sys.inputs.data))\n#set text(font: "Noto Sans CJK SC")\n#data.words\n',
        "utf-8",
    )
    files = [Attachment("metadata.json", b"{}\n", "application/json", "data", "元数据")]
    return Typesetter().typeset(template, {"words": "证照"}, files, AT)


def test_properties_are_read_back_and_the_rest_of_the_file_stays(plain: bytes) -> None:
    made = with_properties(plain, SCHEMA, VALUES)
    assert read_properties(made, SCHEMA) == VALUES
    assert read_properties(plain, SCHEMA) == {}
    assert made.endswith(b"%%EOF\n")
    with pikepdf.open(io.BytesIO(plain)) as before, pikepdf.open(io.BytesIO(made)) as after:
        assert dict(after.docinfo) == dict(before.docinfo)
        assert after.attachments["metadata.json"].get_file().read_bytes() == b"{}\n"
        contents = [page.Contents.read_bytes() for pdf in (before, after) for page in pdf.pages]
    assert contents[0] == contents[1]


def test_the_same_values_give_the_same_bytes(plain: bytes) -> None:
    assert with_properties(plain, SCHEMA, VALUES) == with_properties(plain, SCHEMA, VALUES)
    assert with_properties(plain, SCHEMA, VALUES) != with_properties(plain, SCHEMA, VALUES | {"ZZBH": "1"})


def test_a_property_that_is_not_declared_is_refused(plain: bytes) -> None:
    with pytest.raises(KeyError):
        with_properties(plain, SCHEMA, {"OTHER": "1"})


def test_a_file_of_another_program_is_refused() -> None:
    out = io.BytesIO()
    with pikepdf.new() as document:
        document.Root.Metadata = pikepdf.Stream(document, b"<x:xmpmeta/>")
        document.save(out)
    with pytest.raises(TypesettingError):
        with_properties(out.getvalue(), SCHEMA, VALUES)


_SEEN = st.characters(min_codepoint=0x20, max_codepoint=0xFFFD, exclude_categories=["Cs", "Cc"])


@given(value=st.text(_SEEN, min_size=1))
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text_comes_back_as_it_was(plain: bytes, value: str) -> None:
    assert read_properties(with_properties(plain, SCHEMA, {"ZZMC": value}), SCHEMA) == {"ZZMC": value}


@pytest.mark.conformance
def test_verapdf_accepts_declared_properties_and_refuses_others(plain: bytes, tmp_path: Path) -> None:
    judge = VeraPdf()
    declared, bare = tmp_path / "declared.pdf", tmp_path / "bare.pdf"
    made = with_properties(plain, SCHEMA, VALUES)
    declared.write_bytes(made)
    bare.write_bytes(made.replace(b"urn:example:schema:1#</pdfaSchema", b"urn:example:schema:2#</pdfaSchema"))
    judged = judge.judge([declared, bare])
    assert judged[declared].passed, judged[declared].rules
    assert not judged[bare].passed
