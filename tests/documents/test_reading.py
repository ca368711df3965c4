# SPDX-License-Identifier: Apache-2.0
"""Text and page images of a PDF, the gate before sealing, and the tools the doctor asks about."""

import io
from collections.abc import Callable
from pathlib import Path

import made_materials as make
import pikepdf
import pytest
from pikepdf import Dictionary, Name
from PIL import Image

from documents import tools
from documents.attachments import MOST_BYTES, read_attachment
from documents.errors import UnreadableError
from documents.pages import render_page
from documents.reasons import REASONS
from documents.sandbox import Sandbox
from documents.text import extract_text
from documents.tools import PROBES, ToolProbe, probe
from documents.validation import broken_rules, pre_seal_findings

Place = Callable[..., Path]
PAGE = b"BT /F 40 Tf 60 700 Td (%s) Tj ET"


def test_text_page_by_page(place: Place, sandbox: Sandbox) -> None:
    path = place(make.pdf(PAGE % b"ABC", PAGE % b"DEF"))
    assert extract_text(path, sandbox) == "ABC\fDEF"


def test_a_page_as_picture(place: Place, sandbox: Sandbox) -> None:
    path = place(make.pdf(b"0 0 1 rg 0 0 595 842 re f"))
    with Image.open(io.BytesIO(render_page(path, 0, 72, sandbox))) as image:
        assert image.format == "PNG"
        assert image.size == (595, 842)
        assert image.convert("RGB").getpixel((300, 400)) == (0, 0, 255)


def test_what_cannot_be_read_is_an_error_with_a_reason(place: Place, sandbox: Sandbox) -> None:
    for data, page, reason in [
        (b"%PDF-", 0, "failed"),
        (make.pdf(), 1, "no-page"),
        (make.pdf(), -1, "no-page"),
    ]:
        with pytest.raises(UnreadableError) as caught:
            render_page(place(data), page, 72, sandbox)
        assert caught.value.facts["reason"] == reason
    with pytest.raises(UnreadableError):
        extract_text(place(b"%PDF-"), sandbox)


def test_an_embedded_file_is_given_by_its_name(place: Place, sandbox: Sandbox) -> None:
    def attach(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["licence.json"] = b"{}"
        pdf.attachments["large.bin"] = b"x" * (MOST_BYTES + 1)

    path = place(make.pdf(change=attach))
    assert read_attachment(path, "licence.json", sandbox) == b"{}"
    assert read_attachment(path, "large.bin", sandbox) is None
    assert read_attachment(path, "other.json", sandbox) is None
    with pytest.raises(UnreadableError):
        read_attachment(place(b"%PDF-"), "licence.json", sandbox)


def _with(**entries: object) -> Callable[[pikepdf.Pdf], None]:
    def change(pdf: pikepdf.Pdf) -> None:
        for name, value in entries.items():
            pdf.Root[f"/{name}"] = value

    return change


@pytest.mark.parametrize(
    ("change", "findings"),
    [
        (None, []),
        (_with(AcroForm=Dictionary(Fields=[])), ["form"]),
        (_with(OCProperties=Dictionary(OCGs=[], D=Dictionary())), ["layers"]),
        (_with(OpenAction=Dictionary(S=Name.JavaScript, JS="1")), ["javascript", "open-action"]),
        (_with(Perms=Dictionary()), ["signed"]),
        (_with(AA=Dictionary()), ["actions"]),
    ],
)
def test_the_gate_before_sealing(
    place: Place, sandbox: Sandbox, change: Callable[[pikepdf.Pdf], None] | None, findings: list[str]
) -> None:
    assert pre_seal_findings(place(make.pdf(change=change)), sandbox) == findings


def test_a_second_revision_is_found_and_linearising_is_none(place: Place, sandbox: Sandbox) -> None:
    data = make.pdf()
    start = data.rindex(b"startxref") + len(b"startxref\n")
    previous = int(data[start : data.index(b"\n", start)])
    update = b"xref\n0 0\ntrailer\n<< /Size 20 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n" % (
        previous,
        len(data),
    )
    assert pre_seal_findings(place(data + update), sandbox) == ["incremental-revisions"]
    assert pre_seal_findings(place(make.pdf(linearize=True)), sandbox) == []
    assert pre_seal_findings(place(b"%PDF-1.7 x"), sandbox) == ["damaged"]


def test_broken_rules_of_an_ordinary_pdf(place: Place, sandbox: Sandbox) -> None:
    assert broken_rules(place(make.pdf()), "3b", sandbox)
    assert broken_rules(place(make.pdf()), "4", sandbox) == ["pikepdf:flavour-not-checked"]


def test_reasons_have_sentences_in_both_languages() -> None:
    assert all(reason.zh and reason.en and reason.code == code for code, reason in REASONS.items())


def test_a_probe_tells_absence_from_presence() -> None:
    missing = ToolProbe("x", ("no-such-program", "--version"), "无", "none", "nothing")
    assert not probe(missing).present
    assert probe(PROBES[0]).version
    assert tools.probe(ToolProbe("f", ("true",), "无", "none", "nothing", font=True)).version is None
    assert all(one.zh and one.en and one.package for one in PROBES)
