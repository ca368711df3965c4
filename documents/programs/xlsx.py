# SPDX-License-Identifier: Apache-2.0
"""Reads what the visible sheets of a screened XLSX hold, for the comparison afterwards.

What is hidden is not read, and named as a loss: sheets, rows, columns, cells under a merged one, comments.
What has no text that could be compared is a problem: charts, formulas without a saved result, formats that
depend on conditions.
"""

import json
import posixpath
import re
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.parsers import expat

MOST_CELLS = 200_000
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_RELATION = (
    "http://schemas.openxmlformats.org/officeDocument/2006/relationships",
    "http://purl.oclc.org/ooxml/officeDocument/relationships",
)
_TRUE = {"1", "true", "on"}
_FALSE = {"0", "false", "off"}
# Functions that ask somebody else for their result.
_FETCHING = re.compile(r"(?<![A-Z0-9_])(WEBSERVICE|RTD|CALL|REGISTER\.ID|SQL\.REQUEST|DDE|IMAGE)\s*\(")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")

Place = tuple[int, int]
Cell = tuple[str, str, int]
Start = Callable[[str, dict[str, str]], None]


class RefusedPart(Exception):  # noqa: N818 - a finding, not an error
    """Carries the problem's code."""


def _plain(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return local if space in _MAIN else name


def _parse(
    data: bytes,
    start: Start,
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = lambda name, attributes: start(_plain(name), attributes)
    if end is not None:
        parser.EndElementHandler = lambda name: end(_plain(name))
    parser.CharacterDataHandler = text
    parser.Parse(data, True)


def _related(attributes: dict[str, str]) -> str:
    return next((attributes[key] for space in _RELATION if (key := f"{space} id") in attributes), "")


class Package:
    """The parts of the workbook."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive

    def read(self, name: str) -> bytes:
        """Give the bytes of a part."""
        return self._archive.read(name)

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """Give for each relation of a part the last word of its type, and the part it leads to."""
        folder, _, file = part.rpartition("/")
        found: dict[str, tuple[str, str]] = {}

        def start(_: str, attributes: dict[str, str]) -> None:
            target = attributes.get("Target", "")
            path = target[1:] if target.startswith("/") else posixpath.normpath(f"{folder}/{target}")
            if attributes.get("TargetMode") != "External":
                found[attributes.get("Id", "")] = (attributes.get("Type", "").rpartition("/")[2], path)

        name = f"{folder}/_rels/{file}.rels"
        if name in self._archive.namelist():
            _parse(self.read(name), start)
        return found


class Strings:
    """The table of shared strings: for each its text and the typefaces it asks for."""

    def __init__(self) -> None:
        self.table: list[tuple[str, frozenset[str]]] = []
        self._text: list[str] = []
        self._fonts: set[str] = set()
        self._reading = False
        self._aside = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        if name == "rPh":  # how the text is pronounced
            self._aside += 1
        elif name == "t":
            self._reading = not self._aside
        elif name == "rFont":
            self._fonts.add(attributes.get("val", ""))

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "rPh":
            self._aside -= 1
        elif name == "t":
            self._reading = False
        elif name == "si":
            self.table.append((unescaped("".join(self._text)), frozenset(self._fonts)))
            self._text, self._fonts = [], set()

    def data(self, text: str) -> None:
        """Take characters."""
        if self._reading:
            self._text.append(text)


def unescaped(text: str) -> str:
    """Give the text with its ``_x000D_`` made characters."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


class Styles:
    """The formats of cells: an identifier, or the code that the workbook gives."""

    def __init__(self) -> None:
        self.codes: dict[int, str] = {}
        self.fonts: list[str] = []
        self.looks: list[tuple[int, int]] = []
        self.changing: set[int] = set()
        self._differences = -1
        self._open: list[str] = []

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        self._open.append(name)
        if name == "dxf":
            self._differences += 1
        elif name == "numFmt" and "dxf" in self._open:
            self.changing.add(self._differences)
        elif name == "numFmt":
            self.codes[int(attributes["numFmtId"])] = attributes["formatCode"]
        elif name == "font" and "fonts" in self._open:
            self.fonts.append("")
        elif name == "name" and "fonts" in self._open:
            self.fonts[-1] = attributes.get("val", "")
        elif name == "xf" and "cellXfs" in self._open:
            self.looks.append((int(attributes.get("numFmtId", 0)), int(attributes.get("fontId", 0))))

    def end(self, _: str) -> None:
        """Take the end of an element."""
        self._open.pop()

    def format(self, look: int) -> int | str:
        """Give the format of a look."""
        number = self.looks[look][0] if self.looks else 0
        return self.codes.get(number, number)

    def font(self, look: int) -> str:
        """Give the typeface of a look."""
        number = self.looks[look][1] if self.looks else 0
        return self.fonts[number] if self.fonts else ""


class Sheet:
    """Gathers the cells of one sheet, and what decides whether they are seen."""

    def __init__(self, styles: Styles) -> None:
        self.cells: dict[Place, Cell] = {}
        self.drawings: list[str] = []
        self.merged: list[tuple[Place, Place]] = []
        self.problem: str | None = None
        self.zeros = True
        self._styles = styles
        self._rows: set[int] = set()
        self._columns: list[tuple[int, int]] = []
        self._row = self._column = self._look = self._aside = 0
        self._kind, self._reading = "n", ""
        self._value: str | None = None
        self._formula: str | None = None

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Take the start of an element."""
        if name == "c":
            self._begin(attributes)
        elif name in {"v", "t", "f"} and not self._aside:
            self._reading = name
            if name == "f":
                self._formula = ""
            elif self._value is None:
                self._value = ""
        elif name == "rPh":
            self._aside += 1
        elif name == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0
            if attributes.get("hidden") in _TRUE or _zero(attributes.get("ht")):
                self._rows.add(self._row)
        else:
            self._look_at(name, attributes)

    def _begin(self, attributes: dict[str, str]) -> None:
        self._column += 1
        if "r" in attributes:
            self._row, self._column = place(attributes["r"])
        self._kind, self._look = attributes.get("t", "n"), int(attributes.get("s", 0))
        self._value = self._formula = None
        if "vm" in attributes:
            # The value is a picture or another rich thing; what stands in the cell is a stand-in.
            self.problem = self.problem or "cell-display"

    def _look_at(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        if name == "col":
            if attributes.get("hidden") in _TRUE or _zero(attributes.get("width")):
                self._columns.append((int(attributes["min"]), int(attributes["max"])))
        elif name == "mergeCell":
            first, _, last = attributes["ref"].partition(":")
            self.merged.append((place(first), place(last or first)))
        elif name == "drawing":
            self.drawings.append(_related(attributes))
        elif name == "sheetView":
            self.zeros = attributes.get("showZeros") not in _FALSE
            if attributes.get("showFormulas") in _TRUE:
                self.problem = self.problem or "cell-display"
        elif local == "sparklineGroup":
            self.problem = self.problem or "chart"
        elif (
            (local in {"iconSet", "dataBar"} and attributes.get("showValue") in _FALSE)
            or (local == "cfRule" and int(attributes.get("dxfId", -1)) in self._styles.changing)
            or name == "numFmt"
            or (name == "sheetFormatPr" and attributes.get("zeroHeight") in _TRUE)
        ):
            self.problem = self.problem or "cell-display"

    def end(self, name: str) -> None:
        """Take the end of an element."""
        if name == "rPh":
            self._aside -= 1
        elif name == self._reading:
            self._reading = ""
        elif name == "c":
            if self._formula is not None and _FETCHING.search(self._formula.upper()):
                raise RefusedPart("external-content")
            if self._formula is not None and self._value is None:
                self._kind, self._value = "none", ""
            if self._value is not None:
                self.cells[self._row, self._column] = (self._kind, self._value, self._look)
                if len(self.cells) > MOST_CELLS:
                    raise RefusedPart("too-large")

    def data(self, text: str) -> None:
        """Take characters."""
        if self._reading == "f":
            self._formula = (self._formula or "") + text
        elif self._reading:
            self._value = (self._value or "") + text

    def hides(self, at: Place) -> bool:
        """Tell whether a place lies in a hidden row or column."""
        return at[0] in self._rows or any(first <= at[1] <= last for first, last in self._columns)


def _zero(size: str | None) -> bool:
    return size is not None and float(size) == 0


def place(reference: str) -> Place:
    """Give row and column of a reference such as ``B7``."""
    found = _PLACE.fullmatch(reference.replace("$", ""))
    if found is None:
        raise RefusedPart("damaged")
    column = 0
    for letter in found[1]:
        column = column * 26 + ord(letter) - 64
    return int(found[2]), column


class Reader:
    """Reads one workbook."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._styles, self._strings = Styles(), Strings()
        self.early = False
        self.cells: list[tuple[str, str, int | str]] = []
        self.fonts: set[str] = set()
        self.losses: set[str] = set()
        self.drawings: list[str] = []

    def read(self, main: str) -> None:
        """Read the workbook whose main part is named."""
        sheets = self._sheets(main)
        relations = self._package.relations(main)
        for kind, part in relations.values():
            if kind == "styles":
                _parse(self._package.read(part), self._styles.start, self._styles.end)
            elif kind == "sharedStrings":
                strings = self._strings
                _parse(self._package.read(part), strings.start, strings.end, strings.data)
        for relation, visible in sheets:
            kind, part = relations[relation]
            if not visible:
                self.losses.add("hidden-sheets")
            elif kind != "worksheet":
                raise RefusedPart("chart")
            if kind == "worksheet":
                self._sheet(part, visible=visible)

    def _sheets(self, main: str) -> list[tuple[str, bool]]:
        """Give for each sheet its relation, and whether it is visible."""
        found: list[tuple[str, bool]] = []

        def start(name: str, attributes: dict[str, str]) -> None:
            if name == "workbookPr":
                self.early = attributes.get("date1904") in _TRUE
            elif name == "sheet":
                found.append((_related(attributes), attributes.get("state", "visible") == "visible"))
            elif name == "definedName" and attributes.get("xlm") in _TRUE:
                raise RefusedPart("macros")

        _parse(self._package.read(main), start)
        return found

    def _sheet(self, part: str, *, visible: bool) -> None:
        sheet = Sheet(self._styles)
        _parse(self._package.read(part), sheet.start, sheet.end, sheet.data)
        if not visible:
            return
        if sheet.problem:
            raise RefusedPart(sheet.problem)
        self.cells.extend(self._seen(sheet))
        if len(self.cells) > MOST_CELLS:
            raise RefusedPart("too-large")
        for name, (kind, target) in self._package.relations(part).items():
            if kind in {"comments", "threadedComment"}:
                self.losses.add("comments")
            elif kind == "drawing" and name in sheet.drawings:
                self.drawings.append(target)

    def _seen(self, sheet: Sheet) -> Iterator[tuple[str, str, int | str]]:
        covered: set[Place] = set()
        for first, last in sheet.merged:
            covered |= {at for at in sheet.cells if _within(at, first, last)} - {first}
            if first in sheet.cells and sheet.hides(first):
                # Whether the rest of it shows the text is for the program to say.
                raise RefusedPart("cell-display")
        for at, (kind, value, look) in sheet.cells.items():
            if at in covered or sheet.hides(at):
                if value:
                    self.losses.add("covered-cells" if at in covered else "hidden-cells")
                continue
            if kind == "none":
                raise RefusedPart("formula-without-value")
            text, fonts = self._value(kind, value)
            if text and (sheet.zeros or kind != "n" or float(text)):
                self.fonts |= fonts | {self._styles.font(look)}
                yield kind, text, self._styles.format(look)

    def _value(self, kind: str, value: str) -> tuple[str, frozenset[str]]:
        if kind == "s":
            return self._strings.table[int(value)]
        return (unescaped(value) if kind in {"str", "inlineStr"} else value), frozenset()


def _within(at: Place, first: Place, last: Place) -> bool:
    return first[0] <= at[0] <= last[0] and first[1] <= at[1] <= last[1]


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Write the cells of ``file``, whose main part is ``main``, to ``cells``; give what else is shown.

    Returns:
        ``problem``, ``fonts`` asked for, the parts of ``drawings``, ``losses``.
    """
    try:
        with zipfile.ZipFile(request["file"]) as archive:
            reader = Reader(Package(archive))
            reader.read(request["main"])
    except RefusedPart as refused:
        return {"problem": str(refused)}
    Path(request["cells"]).write_text(json.dumps({"early": reader.early, "cells": reader.cells}), "utf-8")
    return {
        "problem": None,
        "fonts": sorted(reader.fonts - {""}),
        "drawings": reader.drawings,
        "losses": sorted(reader.losses),
    }
