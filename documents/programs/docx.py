# SPDX-License-Identifier: Apache-2.0
"""Reads the text of a screened DOCX for the comparison afterwards, and refuses fields that include files."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.parsers import expat

_INCLUDING = re.compile(r"\b(INCLUDEPICTURE|INCLUDETEXT|INCLUDE|DDE|DDEAUTO|LINK|IMPORT|RD|DATABASE)\b")
_W = "http://schemas.openxmlformats.org/wordprocessingml/2006/main "
_MC = "http://schemas.openxmlformats.org/markup-compatibility/2006 "
_BLIP = "http://schemas.openxmlformats.org/drawingml/2006/main blip"
_EMBED = "http://schemas.openxmlformats.org/officeDocument/2006/relationships embed"
_FACES = (_W + "ascii", _W + "hAnsi", _W + "eastAsia")
_RASTER = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff")


class RefusedPart(Exception):  # noqa: N818 - a finding, not an error
    """Carries the problem's code."""


class Parts:
    """What reading the parts gathers."""

    def __init__(self) -> None:
        self.text: list[str] = []
        self.fonts: set[str] = set()
        self.default_fonts: set[str] = set()
        self.uses_default = False
        self.embedded: set[str] = set()
        self.targets: dict[str, str] = {}
        self.instructions: list[str] = []
        self.losses: set[str] = set()


def _parser(
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    data: Callable[[str], None] | None = None,
) -> expat.XMLParserType:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = data
    parser.buffer_text = True
    return parser


def _relations(data: bytes, parts: Parts) -> None:
    def start(_: str, attributes: dict[str, str]) -> None:
        parts.targets[attributes.get("Id", "")] = attributes.get("Target", "")

    _parser(start).Parse(data, True)


class Body:
    """Gathers the visible text of one part that belongs to the body."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.hidden = 0
        self.depth: list[bool] = []
        self.reading: str | None = None
        self.asks_fonts = True
        self.own_font = False
        self.instruction = ""
        # Runs nest: a drawing in a run holds a text box with runs of its own.
        self.runs: list[tuple[list[str], list[str]]] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        skips = name in {_MC + "Fallback", _W + "del", _W + "moveFrom"}
        self.depth.append(skips)
        self.hidden += skips
        if name == _W + "r":
            self.runs.append(([], []))
            self.own_font = False
        elif name in {_W + "vanish", _W + "webHidden"} and attributes.get(_W + "val") not in {"0", "false"}:
            if self.runs:
                self.runs[-1][1].append(name)
        elif name == _W + "style":
            # Of the styles only the default ones are certain to be used.
            self.asks_fonts = attributes.get(_W + "default") in {"1", "true"}
        elif name == _W + "rFonts" and self.asks_fonts:
            asked = {attributes[key] for key in _FACES if key in attributes}
            (self.parts.fonts if self.runs else self.parts.default_fonts).update(asked)
            if self.runs:
                self.own_font = True
        elif name in {_W + "t", _W + "instrText"}:
            self.reading = name
        elif name == _BLIP and not self.hidden:
            self.parts.embedded.add(attributes.get(_EMBED, ""))
        else:
            self._field(name, attributes)

    def _field(self, name: str, attributes: dict[str, str]) -> None:
        if name == _W + "fldSimple":
            self.parts.instructions.append(attributes.get(_W + "instr", ""))
        elif name == _W + "fldChar":
            self.parts.instructions.append(self.instruction)
            self.instruction = ""

    def end(self, name: str) -> None:
        """Take the end of an element."""
        self.hidden -= self.depth.pop()
        if name == self.reading:
            self.reading = None
        if name == _W + "r":
            text, hidden = self.runs.pop()
            if not hidden:
                self.parts.text.extend(text)
                self.parts.uses_default |= bool(text) and not self.own_font
            elif text:
                self.parts.losses.add("hidden-text")

    def data(self, text: str) -> None:
        """Take characters."""
        if self.reading == _W + "instrText":
            # Word cuts one instruction into several runs.
            self.instruction += text
        elif self.reading == _W + "t" and not self.hidden and self.runs:
            self.runs[-1][0].append(text)


def _body(data: bytes, parts: Parts) -> None:
    body = Body(parts)
    _parser(body.start, body.end, body.data).Parse(data, True)
    if any(_INCLUDING.search(text.upper()) for text in parts.instructions):
        raise RefusedPart("external-content")


def _read(archive: zipfile.ZipFile, content: str) -> Parts:
    parts = Parts()
    folder, _, file = content.rpartition("/")
    body = {content, f"{folder}/footnotes.xml", f"{folder}/endnotes.xml", f"{folder}/styles.xml"}
    for name in archive.namelist():
        if name == f"{folder}/_rels/{file}.rels":
            _relations(archive.read(name), parts)
        elif name in body:
            _body(archive.read(name), parts)
        elif name.endswith(".xml") and ("/header" in name or "/footer" in name):
            _body(archive.read(name), Parts())
    return parts


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Write the text of ``file``, whose body is ``main``, to ``text``; give what else it shows.

    Returns:
        ``problem``, ``fonts`` asked for, number of ``images``, ``losses``.
    """
    try:
        with zipfile.ZipFile(request["file"]) as archive:
            parts = _read(archive, request["main"])
    except RefusedPart as refused:
        return {"problem": str(refused)}
    text = "".join(parts.text)
    images = {parts.targets.get(name, "") for name in parts.embedded}
    Path(request["text"]).write_text(text, "utf-8")
    return {
        "problem": None if text.strip() or images else "empty",
        "fonts": sorted(parts.fonts | (parts.default_fonts if parts.uses_default else set())),
        "images": sum(target.lower().endswith(_RASTER) for target in images),
        "losses": sorted(parts.losses),
    }
