# SPDX-License-Identifier: Apache-2.0
"""Screens an office document's container before any office program sees it, and says which kind it is.

Refused: archive bombs, DOCTYPE in any XML part, content linked from outside (images, objects, frames, other
workbooks, connections), macros, controls. Hyperlinks and a template's name stay: neither shows content.
"""

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.parsers import expat

MOST_ENTRIES = 4000
MOST_BYTES = 300 << 20
MOST_RATIO = 200
SMALL = 4 << 20
_OFFICE = "application/vnd.openxmlformats-officedocument."
_MAIN = {
    _OFFICE + "wordprocessingml.document.main+xml": "docx",
    _OFFICE + "spreadsheetml.sheet.main+xml": "xlsx",
}
_ACTIVE = ("macroEnabled", "vbaProject", "activeX", "macrosheet", "dialogsheet", "ms-office.control")
# A workbook's parts that fetch what they show; in a text document they are found as relations.
_FETCHING = ("externalLink+xml", "connections+xml", "queryTable+xml", "volatileDependencies+xml")
_HARMLESS = ("/hyperlink", "/attachedTemplate")
_XML = (".xml", ".rels", ".vml", ".svg")
_UNREADABLE = (zipfile.BadZipFile, KeyError, expat.ExpatError, EOFError, NotImplementedError, RuntimeError)


class RefusedPart(Exception):  # noqa: N818 - a finding, not an error
    """Carries the problem's code."""


class Container:
    """What the screening gathers."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self.main: str | None = None
        self.xml: set[str] = set()
        self.endings: set[str] = set()
        self.losses: set[str] = set()


def _parse(data: bytes, start: Callable[[str, dict[str, str]], None] | None = None) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")

    def refuse(*_: object) -> None:
        raise RefusedPart("doctype")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = start
    parser.Parse(data, True)


def _types(data: bytes, found: Container) -> None:
    def start(_: str, attributes: dict[str, str]) -> None:
        kind, name = attributes.get("ContentType", ""), attributes.get("PartName", "").lstrip("/")
        if any(word in kind for word in _ACTIVE):
            raise RefusedPart("macros")
        if any(word in kind for word in _FETCHING):
            raise RefusedPart("external-content")
        if kind.endswith("xml"):
            # What a part is does not depend on how its name ends.
            found.xml.add(name)
            found.endings.add("." + attributes.get("Extension", "xml").lower())
        if kind in _MAIN:
            found.kind, found.main = _MAIN[kind], name

    _parse(data, start)


def _relations(data: bytes, found: Container) -> None:
    def start(element: str, attributes: dict[str, str]) -> None:
        if not element.endswith(" Relationship"):
            return
        kind = attributes.get("Type", "")
        if attributes.get("TargetMode") == "External" and not kind.endswith(_HARMLESS):
            raise RefusedPart("external-content")
        if kind.endswith(("/control", "/ctrlProp")):
            raise RefusedPart("macros")
        if kind.endswith("/aFChunk"):
            raise RefusedPart("external-content")
        if kind.endswith(("/oleObject", "/package")):
            found.losses.add("embedded-object")

    _parse(data, start)


def _screen(archive: zipfile.ZipFile) -> None:
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES or sum(entry.file_size for entry in entries) > MOST_BYTES:
        raise RefusedPart("bomb")
    if len({entry.filename for entry in entries}) != len(entries):
        raise RefusedPart("damaged")
    for entry in entries:
        if entry.file_size > SMALL and entry.file_size > MOST_RATIO * max(entry.compress_size, 1):
            raise RefusedPart("bomb")
        if entry.flag_bits & 1:
            raise RefusedPart("damaged")


def _read(archive: zipfile.ZipFile, found: Container) -> None:
    _screen(archive)
    _types(archive.read("[Content_Types].xml"), found)
    if found.main is None:
        raise RefusedPart("not-a-document")
    for entry in archive.infolist():
        name = entry.filename
        # Reading to the end checks the declared size and the checksum of every entry, images too.
        data = archive.read(entry)
        if "vbaproject" in name.lower():
            raise RefusedPart("macros")
        if name.endswith(".rels"):
            _relations(data, found)
        elif name in found.xml or name.lower().endswith((*_XML, *found.endings)):
            _parse(data)


def _kind(file: str) -> str:
    """Give the kind of an archive whose list of parts says nothing or cannot be read."""
    return "xlsx" if b"xl/workbook.xml" in Path(file).read_bytes() else "docx"


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Screen ``file``; give ``problem``, ``kind``, the name of the ``main`` part and ``losses``."""
    found, problem = Container(), None
    try:
        with zipfile.ZipFile(request["file"]) as archive:
            _read(archive, found)
    except RefusedPart as refused:
        problem = str(refused)
    except _UNREADABLE:
        problem = "damaged"
    return {
        "problem": problem,
        "kind": found.kind or _kind(request["file"]),
        "main": found.main,
        "losses": sorted(found.losses),
    }
