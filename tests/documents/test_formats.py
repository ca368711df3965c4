# SPDX-License-Identifier: Apache-2.0
"""Formats are judged by bytes; what has a problem says which."""

import zipfile
from collections.abc import Callable
from pathlib import Path

import made_materials as make
import pikepdf
import pytest
from pikepdf import Dictionary, Name
from PIL import Image

from documents.formats import MEDIA_TYPES, identify
from documents.reasons import REASONS
from documents.sandbox import Limits, Sandbox

Place = Callable[..., Path]


def _signed(pdf: pikepdf.Pdf) -> None:
    signature = pdf.make_indirect(
        Dictionary(Type=Name.Sig, Filter=Name("/Adobe.PPKLite"), Contents=b"\0" * 8, ByteRange=[0, 1, 2, 3])
    )
    field = pdf.make_indirect(Dictionary(FT=Name.Sig, T="s", V=signature))
    pdf.Root.AcroForm = Dictionary(Fields=[field], SigFlags=3)


def _claims(pdf: pikepdf.Pdf) -> None:
    with pdf.open_metadata() as metadata:
        metadata["pdfaid:part"], metadata["pdfaid:conformance"] = "2", "U"


def test_an_ordinary_pdf(place: Place, each_sandbox: Sandbox) -> None:
    found = identify(place(make.pdf(b"", b"")), each_sandbox)
    assert (found.media_type, found.kind, found.pages) == ("application/pdf", "pdf", 2)
    assert (found.encrypted, found.signed, found.pdfa, found.problem) == (False, False, None, None)


def test_a_signature_and_a_claim_are_seen(place: Place, sandbox: Sandbox) -> None:
    assert identify(place(make.pdf(change=_signed)), sandbox).signed
    found = identify(place(make.pdf(change=_claims)), sandbox)
    assert (found.signed, found.pdfa) == (False, "2u")


@pytest.mark.parametrize("user", ["secret", ""])
def test_a_password_or_restrictions_are_seen(place: Place, sandbox: Sandbox, user: str) -> None:
    data = make.pdf(encryption=pikepdf.Encryption(user=user, owner="owner"))
    found = identify(place(data), sandbox)
    assert (found.encrypted, found.problem) == (True, "encrypted")


@pytest.mark.parametrize(
    ("data", "kind", "problem"),
    [
        (make.pdf()[:-200], "pdf", "damaged"),
        (make.pdf()[:600], "pdf", "damaged"),
        (b"%PDF-1.7\n", "pdf", "damaged"),
        (make.as_file(make.picture(), "JPEG")[:3000], "jpeg", "damaged"),
        (make.as_file(make.picture(), "PNG")[:-40], "png", "damaged"),
        (make.as_file(make.picture("CMYK"), "JPEG"), "jpeg", "colour-cmyk"),
        (make.as_file(Image.new("1", (12_000, 9_000)), "PNG"), "png", "too-large"),
        (make.tiff(make.picture())[:-3000], "tiff", "damaged"),
        (b"II*\0" + b"\xff" * 40, "tiff", "damaged"),
        (make.tiff(make.picture("CMYK")), "tiff", "colour-cmyk"),
        (make.tiff(make.picture("F")), "tiff", "colour"),
        (make.tiff(make.picture(), tiffinfo={50706: b"\1\4\0\0"}), "tiff", "unsupported-format"),
        (make.tiff(Image.new("1", (12_000, 9_000)), compression="group4"), "tiff", "too-large"),
        (make.tiff(*[Image.new("1", (9_900, 9_900))] * 11, compression="group4"), "tiff", "too-large"),
        (make.tiff(*[Image.new("1", (8, 8))] * 501), "tiff", "too-many-pages"),
        (make.docx()[:-30], "docx", "damaged"),
        (make.docx(body=""), "docx", "empty"),
        (make.docx(prologue='<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>'), "docx", "doctype"),
        (make.docx(parts={"word/x.xml": b"<!DOCTYPE x><x/>"}), "docx", "doctype"),
        (make.docx(parts={"word/x.xml": b"<x>" + b" " * (9 << 20) + b"</x>"}), "docx", "bomb"),
        (make.docx(relations=make.relation("image", "http://127.0.0.1/x.png")), "docx", "external-content"),
        (make.docx(relations=make.relation("image", "file:///etc/passwd")), "docx", "external-content"),
        (make.docx(relations=make.relation("oleObject", "file:///x")), "docx", "external-content"),
        (
            make.docx("<w:p><w:r><w:instrText>INCLUDE</w:instrText></w:r><w:r><w:instrText>PICTURE x"
                      '</w:instrText></w:r><w:r><w:fldChar w:fldCharType="separate"/></w:r></w:p>'),
            "docx",
            "external-content",
        ),
        (make.docx(parts={"word/vbaProject.bin": b"x"}), "docx", "macros"),
        (make.docx(content_type="application/vnd.ms-word.document.macroEnabled.main+xml"), "docx", "macros"),
        (make.docx(content_type="application/xml"), "unknown", "unsupported-format"),
        (b"", "unknown", "unsupported-format"),
        (b"\xd0\xcf\x11\xe0" * 20, "unknown", "unsupported-format"),
        (b"GIF89a" + b"\0" * 40, "unknown", "unsupported-format"),
    ],
)  # fmt: skip
def test_every_problem_has_its_code(
    place: Place, sandbox: Sandbox, data: bytes, kind: str, problem: str
) -> None:
    found = identify(place(data), sandbox)
    assert (found.kind, found.problem) == (kind, problem)
    assert found.media_type == MEDIA_TYPES[kind]
    assert problem in REASONS


def test_what_shows_no_foreign_content_passes(place: Place, sandbox: Sandbox) -> None:
    relations = make.relation("hyperlink", "http://127.0.0.1/") + make.relation(
        "attachedTemplate", "file:///Normal.dotm", name="x2"
    )
    assert identify(place(make.docx(relations=relations)), sandbox).problem is None


@pytest.mark.parametrize("options", [{}, {"big_tiff": True}, {"compression": "group4"}])
def test_a_tiff_says_how_many_pages_it_has(
    place: Place, each_sandbox: Sandbox, options: dict[str, object]
) -> None:
    found = identify(place(make.tiff(*[make.picture("1")] * 3, **options)), each_sandbox)
    assert (found.media_type, found.kind, found.pages, found.problem) == ("image/tiff", "tiff", 3, None)


def test_a_tiff_whose_pages_run_in_a_circle_ends(place: Place, sandbox: Sandbox) -> None:
    data = bytearray(make.tiff(make.picture("1", (8, 8))))
    first = int.from_bytes(data[4:8], "little")
    after = first + 2 + 12 * int.from_bytes(data[first : first + 2], "little")
    assert data[after : after + 4] == b"\0\0\0\0", "no second page"
    data[after : after + 4] = data[4:8]
    found = identify(place(bytes(data)), sandbox)
    assert (found.kind, found.pages, found.problem) == ("tiff", 1, None)


def test_the_name_says_nothing(place: Place, sandbox: Sandbox) -> None:
    assert identify(place(make.as_file(make.picture(), "PNG"), "application.pdf"), sandbox).kind == "png"


def test_an_archive_that_lies_about_its_sizes_is_damaged(place: Place, sandbox: Sandbox) -> None:
    path = place(make.docx(parts={"word/x.xml": b"<x>" + b"y" * 1000 + b"</x>"}))
    with zipfile.ZipFile(path) as archive:
        offset = archive.getinfo("word/x.xml").header_offset
    data = bytearray(path.read_bytes())
    at = data.rindex(b"word/x.xml") - 46 + 24
    assert data[at : at + 4] == (1007).to_bytes(4, "little"), offset
    data[at : at + 4] = (5).to_bytes(4, "little")
    assert identify(place(bytes(data)), sandbox).problem == "damaged"


def test_a_material_that_asks_for_too_much_says_so(place: Place) -> None:
    tight = Sandbox(Limits(address_space=100 << 20))
    small, blown_up = (make.as_file(Image.new("L", size), "PNG") for size in ((90, 90), (9000, 9000)))
    assert identify(place(small), tight).problem is None
    assert identify(place(blown_up), tight).problem == "over-limits"
