# SPDX-License-Identifier: Apache-2.0
"""Looks at a PDF: can it be read, is it encrypted, signed, said to be PDF/A, valid.

Operations: ``examine``, ``validate`` (an allow-list validator).
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, Pdf, Stream

MOST_PAGES = 3000
_HEADER = re.compile(rb"%PDF-1\.[0-7][\r\n]{1,2}%[\x80-\xff]{4}")
_FLAVOURS = {f"{part}{level}": f"{part}b" for part in "123" for level in "abu"}


def examine(request: dict[str, Any]) -> dict[str, Any]:
    """Give ``pages``, ``encrypted``, ``signed``, ``pdfa`` (the level claimed) and ``problem``."""
    found: dict[str, Any] = {
        "pages": None,
        "encrypted": False,
        "signed": False,
        "pdfa": None,
        "problem": None,
    }
    try:
        with pikepdf.open(request["file"], attempt_recovery=False, suppress_warnings=True) as pdf:
            found["encrypted"] = pdf.is_encrypted
            found["pages"] = len(pdf.pages)
            found["signed"] = _signed(pdf)
            found["pdfa"] = _claimed(pdf)
            found["problem"] = _problem(pdf)
    except pikepdf.PasswordError:
        found["encrypted"] = True
    except pikepdf.PdfError:
        found["problem"] = "damaged"
    return found


def _problem(pdf: Pdf) -> str | None:
    if not len(pdf.pages):
        return "empty"
    if len(pdf.pages) > MOST_PAGES:
        return "too-many-pages"
    if not pdf.is_encrypted and any(_serious(line) for line in pdf.check_pdf_syntax()):
        return "damaged"
    return None


def _serious(warning: str) -> bool:
    # Linearisation is an index for downloads: a wrong one harms no content, and it is not carried over.
    return "lineari" not in warning.lower()


def _signed(pdf: Pdf) -> bool:
    if Name.Perms in pdf.Root:
        return True
    return any(
        item.get(Name.Type) in {Name.Sig, Name.DocTimeStamp} or Name.ByteRange in item
        for item in _everything(pdf)
    )


def _everything(pdf: Pdf) -> Iterator[Dictionary | Stream]:
    """Give all dictionaries, those that stand inside others too."""
    for item in pdf.objects:
        waiting: list[Any] = [item]
        while waiting:
            one = waiting.pop()
            if isinstance(one, Dictionary | Stream):
                yield one
                inner = [value for _, value in one.items()]
            elif isinstance(one, Array) and len(one) and isinstance(one[0], pikepdf.Object):
                inner = list(one)
            else:
                continue
            waiting += [
                value for value in inner if isinstance(value, Dictionary | Array) and not value.is_indirect
            ]


def _claimed(pdf: Pdf) -> str | None:
    if Name.Metadata not in pdf.Root:
        return None
    try:
        with pdf.open_metadata(set_pikepdf_as_editor=False, update_docinfo=False) as metadata:
            return metadata.pdfa_status.lower() or None
    except Exception:  # noqa: BLE001 - unreadable metadata claim nothing
        return None


def validate(request: dict[str, Any]) -> dict[str, Any]:
    """Check ``file`` against the level it claims, ``pdfa``; give ``level`` or None, and ``rules`` broken."""
    from pikepdf import pdfa  # noqa: PLC0415 - 200 ms that only PDF/A needs

    flavour = _FLAVOURS.get(request["pdfa"])
    if flavour is None:
        return {"level": None, "rules": ["pikepdf:flavour-not-checked"]}
    with pikepdf.open(request["file"], suppress_warnings=True, inherit_page_attributes=False) as pdf:
        file = request["file"]
        if _forget_unjudged(pdf):
            file = "judged"
            pdf.save(
                file,
                preserve_pdfa=True,
                stream_decode_level=pikepdf.StreamDecodeLevel.none,
                compress_streams=False,
                object_stream_mode=pikepdf.ObjectStreamMode.preserve,
            )
    rules = {finding.rule for finding in pdfa.validate_written(file, flavour).findings}
    rules |= _raw_rules(Path(request["file"]).read_bytes(), flavour[0])
    return {"level": None if rules else flavour, "rules": sorted(rules)}


def _forget_unjudged(pdf: Pdf) -> bool:
    """Drop what PDF/A permits and the validator does not know, so that it judges the rest of a copy.

    LibreOffice writes both into every file: a checksum of its own, and the place to open the file at.
    """
    found = "/DocChecksum" in pdf.trailer
    if found:
        del pdf.trailer["/DocChecksum"]
    if _opens_at_a_place(pdf):
        del pdf.Root[Name.OpenAction]
        found = True
    return found


def _opens_at_a_place(pdf: Pdf) -> bool:
    action = pdf.Root.get(Name.OpenAction)
    if isinstance(action, Dictionary):
        return action.get(Name.S) == Name.GoTo and Name.Next not in action
    return isinstance(action, Array)


def _raw_rules(data: bytes, part: str) -> set[str]:
    """Check what the validator cannot see once the file is parsed."""
    found = set()
    if not _HEADER.match(data):
        found.add(f"ISO_19005_{part}:6.1.2-1")
    if not re.search(rb"%%EOF(\r\n|\r|\n)?\Z", data):
        found.add(f"ISO_19005_{part}:6.1.3-3")
    return found


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Run the operation ``do``."""
    operations = {"examine": examine, "validate": validate}
    return operations[request["do"]](request)
