# SPDX-License-Identifier: Apache-2.0
"""Copies of a sealed PDF that are marked as copies 加注件, made of its very bytes and never set anew.

Each page is drawn with the operators of the original, somewhat smaller, so that a strip below it is free;
over both lies a page that the caller had set, the watermark. Signature fields are taken out, because what
they sealed is the original and not this copy; how they looked stays as part of the picture. The original
itself is embedded untouched, so that its seals can be verified for ever. What comes out is one revision,
PDF/A of the original's level, without form fields and annotations, ready to be sealed.
"""

import datetime as dt
import io
from collections.abc import Mapping, Sequence
from typing import Final

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream, String

from documents.errors import UnreadableError
from documents.typesetting import Attachment

_POINTS_PER_MM: Final = 72 / 25.4
_OF_SIGNATURES: Final = ("/AcroForm", "/Perms", "/DSS", "/Extensions", "/Legal")
WIDTH_MM: Final = 210.0
HEIGHT_MM: Final = 297.0
"""Every page of a copy is a sheet of A4, which is what files are printed on."""


def pages_of(original: bytes) -> int:
    """Give the number of pages of a PDF of ours, which is that of a copy of it.

    Raises:
        UnreadableError: It is no PDF, or an encrypted one.
    """
    with _opened(original) as pdf:
        return len(pdf.pages)


def embedded_in(original: bytes, names: Sequence[str]) -> Mapping[str, bytes]:
    """Give those of the named files that a PDF of ours carries.

    Raises:
        UnreadableError: It is no PDF, or an encrypted one.
    """
    with _opened(original) as pdf:
        carried = pdf.attachments
        return {name: carried[name].get_file().read_bytes() for name in names if name in carried}


def mark_copy(
    original: bytes, marks: bytes, strip_mm: float, files: Sequence[Attachment], title: str, at: dt.datetime
) -> bytes:
    """Make a marked copy.

    Args:
        original: The sealed PDF, trusted: one of ours, its digest checked.
        marks: A PDF with one A4 page for each of the original's: what lies over it.
        strip_mm: Height of the strip at the foot of each page that the original does not reach into.
        files: What is embedded; files of the same name that the original carries are replaced.
        title: Title that readers show.
        at: The instant that the file states as its making.

    Returns:
        A PDF that ends with a line end; the same input gives the same bytes.

    Raises:
        UnreadableError: Either is no PDF, or their numbers of pages differ.
    """
    out = io.BytesIO()
    with _opened(original) as pdf, _opened(marks) as over:
        if len(pdf.pages) != len(over.pages):
            raise UnreadableError(reason="pages-differ")
        pdf.flatten_annotations("all")
        for name in _OF_SIGNATURES:
            if name in pdf.Root:
                del pdf.Root[name]
        for page, mark in zip(pdf.pages, over.pages, strict=True):
            _lay(page, mark, strip_mm)
        _embed(pdf, files, at)
        _state(pdf, title, at)
        pdf.remove_unreferenced_resources()
        pdf.save(out, deterministic_id=True)
    return out.getvalue().rstrip(b"\r\n") + b"\n"


def _opened(data: bytes) -> Pdf:
    try:
        pdf = pikepdf.open(io.BytesIO(data))
    except (pikepdf.PdfError, pikepdf.PasswordError):
        raise UnreadableError(reason="not-pdf") from None
    if pdf.is_encrypted:
        raise UnreadableError(reason="encrypted")
    return pdf


def _upright(page: pikepdf.Page) -> tuple[float, float]:
    """Give width and height of a page as it is looked at, in points."""
    left, low, right, high = (float(one) for one in page.cropbox)
    width, height = right - left, high - low
    return (height, width) if _turn(page) in {90, 270} else (width, height)


def _turn(page: pikepdf.Page) -> int:
    return int(page.obj.get("/Rotate", 0)) % 360


def _lay(page: pikepdf.Page, mark: pikepdf.Page, strip_mm: float) -> None:
    """Draw a page above the strip, and the mark over all."""
    width, height, foot = (side * _POINTS_PER_MM for side in (WIDTH_MM, HEIGHT_MM, strip_mm))
    matrix = _placing(page, width, height, foot)
    page.contents_coalesce()
    page.contents_add(b"q " + b" ".join(f"{part:.5f}".encode() for part in matrix) + b" cm\n", prepend=True)
    page.contents_add(b"\nQ\n")
    for name in ("/Annots", "/CropBox", "/TrimBox", "/BleedBox", "/ArtBox", "/Rotate", "/AA"):
        if name in page.obj:
            del page.obj[name]
    page.obj.MediaBox = Array([0, 0, round(width, 3), round(height, 3)])
    page.add_overlay(mark, pikepdf.Rectangle(0, 0, round(width, 3), round(height, 3)))


def _placing(page: pikepdf.Page, width: float, height: float, foot: float) -> tuple[float, ...]:
    """Give the matrix that turns a page upright and fits it above the strip, in the middle."""
    left, low, right, high = (float(one) for one in page.cropbox)
    wide, tall = _upright(page)
    size = min(1.0, width / wide, (height - foot) / tall)
    turned = {
        0: (1.0, 0.0, 0.0, 1.0, -left, -low),
        90: (0.0, -1.0, 1.0, 0.0, -low, right),
        180: (-1.0, 0.0, 0.0, -1.0, right, high),
        270: (0.0, 1.0, -1.0, 0.0, high, -left),
    }[_turn(page)]
    across, up = (width - wide * size) / 2, foot + (height - foot - tall * size) / 2
    scaled = [part * size for part in turned]
    return (*scaled[:4], scaled[4] + across, scaled[5] + up)


def _embed(pdf: Pdf, files: Sequence[Attachment], at: dt.datetime) -> None:
    """Embed files as associated files of the document (ISO 19005-3, 6.8)."""
    kept: dict[str, pikepdf.Object] = {name: spec.obj for name, spec in pdf.attachments.items()}
    for file in files:
        kept[file.name] = _file_spec(pdf, file, at)
    names = Array()
    for name in sorted(kept):
        names.extend([String(name), kept[name]])
    tree = pdf.Root.get("/Names", Dictionary())
    tree.EmbeddedFiles = pdf.make_indirect(Dictionary(Names=names))
    pdf.Root.Names = tree
    pdf.Root.AF = Array([kept[name] for name in sorted(kept)])


def _file_spec(pdf: Pdf, file: Attachment, at: dt.datetime) -> pikepdf.Object:
    stream = Stream(pdf, file.data)
    stream.Type, stream.Subtype = Name.EmbeddedFile, Name("/" + file.media_type)
    stream.Params = Dictionary(Size=len(file.data), ModDate=_pdf_date(at))
    return pdf.make_indirect(
        Dictionary(
            Type=Name.Filespec,
            F=String(file.name),
            UF=String(file.name),
            Desc=String(file.description),
            AFRelationship=Name("/" + file.relationship.capitalize()),
            EF=Dictionary(F=stream, UF=stream),
        )
    )


def _state(pdf: Pdf, title: str, at: dt.datetime) -> None:
    """State title and instant in metadata and document information, the same in both."""
    moment = at.astimezone(dt.UTC).replace(microsecond=0)
    with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as stated:
        stated["dc:title"] = title
        stated["xmp:CreateDate"] = stated["xmp:ModifyDate"] = stated["xmp:MetadataDate"] = moment.isoformat()
    pdf.docinfo["/Title"] = title
    pdf.docinfo["/CreationDate"] = pdf.docinfo["/ModDate"] = _pdf_date(at)


def _pdf_date(at: dt.datetime) -> str:
    return at.astimezone(dt.UTC).strftime("D:%Y%m%d%H%M%S+00'00'")
