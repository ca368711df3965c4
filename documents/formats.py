# SPDX-License-Identifier: Apache-2.0
"""What a material really is, judged by its bytes and never by its name.

Six kinds are known: ``pdf``, ``jpeg``, ``png``, ``tiff``, ``docx``, ``xlsx``; everything else is ``unknown``.
The first bytes are compared here; whatever needs a parser happens in a limited child. ``Format.problem`` is a
stable code of ``reasons.REASONS``; a format with a problem has no rendition, its original is still filed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from documents.errors import ChildFailedError
from documents.sandbox import Sandbox, Workroom

MEDIA_TYPES = {
    "pdf": "application/pdf",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "tiff": "image/tiff",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "unknown": "application/octet-stream",
}
MOST_BYTES = 400 << 20
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True)
class Format:
    """What the bytes are.

    Attributes:
        media_type: The media type of what was found.
        kind: ``pdf``, ``jpeg``, ``png``, ``tiff``, ``docx``, ``xlsx`` or ``unknown``.
        pages: Number of pages; None where the format has none or it could not be read.
        encrypted: A password or restrictions stand in the way.
        signed: The PDF carries a signature, so it is never rewritten.
        pdfa: The PDF/A level that the file claims, such as ``2u``; a claim, not a finding.
        problem: Why it cannot be rendered, or None.
    """

    media_type: str
    kind: str
    pages: int | None = None
    encrypted: bool = False
    signed: bool = False
    pdfa: str | None = None
    problem: str | None = None


_UNSUPPORTED = Format(MEDIA_TYPES["unknown"], "unknown", problem="unsupported-format")


def sniff(path: Path) -> str:
    """Give the kind that the first bytes say; ``docx`` means no more than a ZIP archive here."""
    with path.open("rb") as file:
        head = file.read(1024)
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if head.startswith(_TIFF):
        return "tiff"
    return "docx" if head.startswith(b"PK\x03\x04") else "unknown"


def identify(path: Path, sandbox: Sandbox) -> Format:
    """Find out what a file is. Never raises for what the file holds."""
    with sandbox.workroom() as room:
        return admit(path, room).format


@dataclass(frozen=True)
class Admitted:
    """A material in a workroom, with what its screening found beside the format."""

    format: Format
    details: Mapping[str, object]


def admit(path: Path, room: Workroom) -> Admitted:
    """Copy the file into the room as ``source`` and find out what it is.

    What an office document shows stands in ``source.txt`` afterwards: a DOCX's text, an XLSX's cells.
    """
    kind = sniff(path)
    if kind == "unknown":
        return Admitted(_UNSUPPORTED, {})
    problem: str | None = "too-large"
    if path.stat().st_size <= MOST_BYTES:
        room.put(path, "source")
        try:
            return _EXAMINE[kind](kind, room)
        except ChildFailedError as failure:
            problem = problem_of(failure)
    return Admitted(Format(MEDIA_TYPES[kind], kind, problem=problem), {})


def problem_of(failure: ChildFailedError) -> str:
    """Give the reason code for a child that failed on a material."""
    return "damaged" if failure.reason in {"failed", "no-output", "unreadable"} else "over-limits"


def _pdf(kind: str, room: Workroom) -> Admitted:
    found = room.call("pdf", do="examine", file="source")
    encrypted = bool(found["encrypted"])
    made = Format(
        MEDIA_TYPES[kind],
        kind,
        pages=cast(int | None, found["pages"]),
        encrypted=encrypted,
        signed=bool(found["signed"]),
        pdfa=cast(str | None, found["pdfa"]),
        problem="encrypted" if encrypted else cast(str | None, found["problem"]),
    )
    return Admitted(made, found)


def _image(kind: str, room: Workroom) -> Admitted:
    found = room.call("image", do="examine", file="source", kind=kind)
    pages, problem = cast(int | None, found.get("pages", 1)), cast(str | None, found["problem"])
    return Admitted(Format(MEDIA_TYPES[kind], kind, pages=pages, problem=problem), found)


def _archive(_: str, room: Workroom) -> Admitted:
    screened = room.call("ooxml", file="source")
    kind, problem = cast(str, screened["kind"]), cast(str | None, screened["problem"])
    if problem == "not-a-document":
        return Admitted(_UNSUPPORTED, {})
    found: dict[str, object] = {"problem": problem}
    if problem is None:
        try:
            found = _SHOWN[kind](room, screened["main"])
        except ChildFailedError as failure:
            found = {"problem": problem_of(failure)}
    if found["problem"] is None:
        losses = {*cast(list[str], screened["losses"]), *cast(list[str], found["losses"])}
        found["losses"] = sorted(losses)
    return Admitted(Format(MEDIA_TYPES[kind], kind, problem=cast(str | None, found["problem"])), found)


def _docx(room: Workroom, main: object) -> dict[str, object]:
    return room.call("docx", file="source", main=main, text="source.txt")


def _xlsx(room: Workroom, main: object) -> dict[str, object]:
    found = room.call("xlsx", file="source", main=main, cells="cells.json")
    if found["problem"] is not None:
        return found
    drawn: dict[str, object] = {"problem": None, "images": 0}
    texts = "texts.json" if found["drawings"] else None
    if texts:
        drawn = room.call("drawings", file="source", parts=found["drawings"], texts=texts)
    shown = room.call("display", cells="cells.json", texts=texts, text="source.txt")
    problem = drawn["problem"] or shown["problem"]
    if problem is None and not shown["shows"] and not drawn["images"]:
        problem = "empty"
    return found | {"problem": problem, "images": drawn["images"]}


_EXAMINE = {"pdf": _pdf, "jpeg": _image, "png": _image, "tiff": _image, "docx": _archive}
_SHOWN = {"docx": _docx, "xlsx": _xlsx}
