# SPDX-License-Identifier: Apache-2.0
"""What must not be sealed: anything that could show another content after sealing.

Sealing a shadow document cannot be noticed afterwards, so it is refused beforehand: form fields,
optional content, scripts, hidden annotations, files that declare no PDF/A. Earlier revisions are refused
where the file is opened for signing (:mod:`seals.signer`).
"""

import io
import re
from collections.abc import Iterator

import pikepdf

_HIDDEN = 0x01 | 0x02 | 0x20 | 0x100  # invisible, hidden, no view, toggle no view
_ACTIVE = ("/AA", "/OCProperties", "/Perms", "/Collection")
_PDFA = re.compile(rb"pdfaid:part[=>\s\"']*([1-4])")


class UnsealableError(Exception):
    """A document must not be sealed, or the seal cannot be drawn on it; ``reason`` is a stable code.

    It stays in this room: :mod:`seals.sealing` makes a refusal of it that is recorded.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def demand_sealable(pdf: bytes) -> None:
    """Raise :class:`UnsealableError` when anything forbids sealing."""
    found = findings(pdf)
    if found:
        raise UnsealableError(found[0])


def findings(pdf: bytes) -> list[str]:
    """Give the codes of what forbids sealing; an empty list when the document may be sealed."""
    if not pdf.startswith(b"%PDF-"):
        return ["not-pdf"]
    found: list[str] = []
    try:
        with pikepdf.open(io.BytesIO(pdf)) as document:
            found += _document(document)
    except pikepdf.PasswordError:
        found.append("encrypted")
    except (pikepdf.PdfError, ValueError, TypeError, AttributeError, KeyError):
        found.append("unreadable")
    return list(dict.fromkeys(found))


def _document(document: pikepdf.Pdf) -> Iterator[str]:
    root = document.Root
    if document.is_encrypted:
        yield "encrypted"
    form = root.get("/AcroForm")
    if form is not None and (len(form.get("/Fields", [])) or "/XFA" in form):
        yield "form-fields"
    if isinstance(root.get("/OpenAction"), pikepdf.Dictionary):
        yield "open-action"
    yield from (f"catalog-{key[1:].lower()}" for key in _ACTIVE if key in root)
    if "/JavaScript" in root.get("/Names", {}):
        yield "javascript"
    metadata = root.get("/Metadata")
    if metadata is None or not _PDFA.search(metadata.read_bytes()):
        yield "not-pdfa"
    for page in document.pages:
        yield from _page(page.obj)


def _page(page: pikepdf.Object) -> Iterator[str]:
    if "/AA" in page:
        yield "page-action"
    for annotation in page.get("/Annots", []):
        if int(annotation.get("/F", 0)) & _HIDDEN or annotation.get("/Subtype") == "/Widget":
            yield "hidden-annotation"
        if "/OC" in annotation:
            yield "optional-content"
