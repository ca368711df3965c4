# SPDX-License-Identifier: Apache-2.0
"""Reads records out of the first sheet of a screened workbook, row by row.

A cell that holds a formula is no record of anybody's: its row is named as malformed, and so is one with a
number of more digits than a workbook keeps. Dates are written as days.
"""

import datetime as dt
import re
import zipfile
from collections.abc import Iterator
from typing import Any
from xml.parsers import expat

MOST_COLUMNS = 512
MOST_CELL = 1 << 16
MOST_DIGITS = 15
_STEP = 1 << 16
_MAIN = (
    "http://schemas.openxmlformats.org/spreadsheetml/2006/main",
    "http://purl.oclc.org/ooxml/spreadsheetml/main",
)
_PLACE = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_QUOTED = re.compile(r'"[^"]*"|\\.|\[[^\]]*\]')
_DATES = {*range(14, 18), 22, *range(27, 37), *range(50, 59)}
_TRUE = {"1", "true", "on"}

Record = list[Any]


class Refused(Exception):  # noqa: N818 - a finding, not an error
    """The workbook as a whole cannot be read; carries the code."""


def _plain(name: str) -> str:
    space, _, local = name.rpartition(" ")
    return local if space in _MAIN else name


class Parts:
    """What all rows need: shared strings, formats of dates, the beginning of the calendar."""

    def __init__(self, archive: zipfile.ZipFile, main: str) -> None:
        self._archive = archive
        self.strings: list[str] = []
        self.dates: list[bool] = []
        self._codes: dict[int, str] = {}
        self._text: list[str] = []
        self._open: list[str] = []
        self._relation = ""
        self._early = False
        folder = main.rpartition("/")[0]
        self._parse(main, self._workbook)
        names = archive.namelist()
        for name, start in (("sharedStrings.xml", self._shared), ("styles.xml", self._styles)):
            if f"{folder}/{name}" in names:
                self._parse(f"{folder}/{name}", start)
        self.sheet = self._target(folder, main.rpartition("/")[2])

    def _parse(self, name: str, start: Any) -> None:  # noqa: ANN401 - one of the handlers below
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True

        def begin(element: str, attributes: dict[str, str]) -> None:
            self._open.append(_plain(element))
            start(_plain(element), attributes)

        def end(element: str) -> None:
            self._open.pop()
            if _plain(element) == "si":
                self.strings.append(unescaped("".join(self._text)))
                self._text = []

        def data(text: str) -> None:
            if self._open and self._open[-1] == "t" and "rPh" not in self._open:
                self._text.append(text)

        parser.StartElementHandler, parser.EndElementHandler = begin, end
        parser.CharacterDataHandler = data
        self._open = []
        with self._archive.open(name) as file:
            parser.ParseFile(file)

    def _workbook(self, name: str, attributes: dict[str, str]) -> None:
        if name == "workbookPr":
            self._early = attributes.get("date1904") in _TRUE
        elif name == "sheet" and not self._relation and attributes.get("state", "visible") == "visible":
            self._relation = next((value for key, value in attributes.items() if key.endswith(" id")), "")

    def _shared(self, name: str, _: dict[str, str]) -> None:
        if name == "si":
            self._text = []

    def _styles(self, name: str, attributes: dict[str, str]) -> None:
        if name == "numFmt":
            self._codes[int(attributes["numFmtId"])] = attributes["formatCode"]
        elif name == "xf" and "cellXfs" in self._open:
            number = int(attributes.get("numFmtId", 0))
            code = _QUOTED.sub("", self._codes.get(number, "")).lower()
            self.dates.append(number in _DATES or ("y" in code and "d" in code))

    def _target(self, folder: str, main: str) -> str:
        found: dict[str, str] = {}

        def relation(_: str, attributes: dict[str, str]) -> None:
            found[attributes.get("Id", "")] = attributes.get("Target", "")

        self._parse(f"{folder}/_rels/{main}.rels", relation)
        target = found.get(self._relation, "")
        name = target.removeprefix("/") if target.startswith("/") else f"{folder}/{target}"
        if not self._relation or name not in self._archive.namelist():
            raise Refused("file-sheet")
        return name

    def day(self, serial: str) -> str:
        """Give the day of a serial number, with the time when there is one."""
        origin = dt.datetime(1904, 1, 1) if self._early else dt.datetime(1899, 12, 30)  # noqa: DTZ001 - no instant
        moment = origin + dt.timedelta(days=float(serial))
        whole = moment.time() == dt.time()
        return moment.date().isoformat() if whole else moment.isoformat(" ", "seconds")


def unescaped(text: str) -> str:
    """Give the text with its ``_x000D_`` made characters."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


class Rows:
    """The rows of the sheet, each as soon as it is complete."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._done: list[tuple[int, dict[int, str], str, int]] = []
        self._cells: dict[int, str] = {}
        self._row = self._column = 0
        self._kind, self._look = "n", 0
        self._value: list[str] = []
        self._reading = ""
        self._problem, self._at = "", 0

    def read(self, archive: zipfile.ZipFile) -> Iterator[tuple[int, dict[int, str], str, int]]:
        """Give row number, cells by column, code and column of what is wrong."""
        parser = expat.ParserCreate(namespace_separator=" ")
        parser.buffer_text = True
        parser.StartElementHandler = lambda name, attributes: self._start(_plain(name), attributes)
        parser.EndElementHandler = lambda name: self._end(_plain(name))
        parser.CharacterDataHandler = self._data
        with archive.open(self._parts.sheet) as file:
            while data := file.read(_STEP):
                parser.Parse(data)
                yield from self._done
                self._done = []
            parser.Parse(b"", True)
        yield from self._done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "row":
            self._row = int(attributes.get("r", self._row + 1))
            self._cells, self._column, self._problem, self._at = {}, 0, "", 0
        elif name == "c":
            found = _PLACE.fullmatch(attributes.get("r", ""))
            self._column = _number(found[1]) if found else self._column + 1
            self._kind, self._look = attributes.get("t", "n"), int(attributes.get("s", 0))
            self._value = []
            if self._column > MOST_COLUMNS:
                self._fault("row-cells")
        elif name in {"v", "t"}:
            self._reading = name
        elif name == "f":
            self._fault("row-formula")

    def _fault(self, code: str) -> None:
        if not self._problem:
            self._problem, self._at = code, self._column

    def _data(self, text: str) -> None:
        if self._reading and sum(map(len, self._value)) <= MOST_CELL:
            self._value.append(text)

    def _end(self, name: str) -> None:
        if name in {"v", "t"}:
            self._reading = ""
        elif name == "c":
            self._close()
        elif name == "row":
            self._done.append((self._row, self._cells, self._problem, self._at))

    def _close(self) -> None:
        value = "".join(self._value)
        if not value or self._problem:
            return
        if self._kind == "s":
            value = self._parts.strings[int(value)]
        elif self._kind in {"str", "inlineStr"}:
            value = unescaped(value)
        elif self._kind == "e":
            self._fault("row-formula")
        elif self._kind == "n":
            value = self._figure(value)
        if len(value) > MOST_CELL:
            self._fault("row-size")
        elif "\0" in value:
            self._fault("row-control")
        else:
            self._cells[self._column] = value

    def _figure(self, value: str) -> str:
        if self._look < len(self._parts.dates) and self._parts.dates[self._look]:
            return self._parts.day(value)
        if abs(float(value)) >= 10**MOST_DIGITS:
            self._fault("row-number")
        return value.removesuffix(".0")


def _number(letters: str) -> int:
    column = 0
    for letter in letters:
        column = column * 26 + ord(letter) - 64
    return column


def _records(archive: zipfile.ZipFile, main: str) -> Iterator[Record]:
    """Give the columns first, then every record."""
    rows = Rows(Parts(archive, main)).read(archive)
    head = next((row for row in rows if row[1] or row[2]), None)
    if head is None or head[2]:
        raise Refused("file-head")
    names = {column: name.strip() for column, name in head[1].items()}
    if len(set(names.values())) != len(names) or any(not 1 <= len(name) <= 200 for name in names.values()):
        raise Refused("file-head")
    yield list(names.values())
    number = 0
    for line, cells, code, column in rows:
        if not cells and not code:
            continue
        number += 1
        beyond = cells.keys() - names.keys()
        if code:
            yield [number, line, column, code]
        elif beyond:
            yield [number, line, min(beyond), "row-cells"]
        else:
            yield [number, line, {names[place]: text for place, text in cells.items()}]


_open: dict[str, Any] = {}


def main(request: dict[str, Any]) -> dict[str, Any]:
    """As the program ``feed``; ``open`` also names the workbook's ``main`` part."""
    if request["do"] == "open":
        try:
            records = _records(zipfile.ZipFile(request["file"]), request["main"])
            columns = next(records)
        except Refused as refused:
            return {"problem": str(refused)}
        except (zipfile.BadZipFile, expat.ExpatError, KeyError, ValueError, IndexError):
            return {"problem": "file-damaged"}
        _open["records"] = records
        return {"problem": None, "columns": columns, "delimiter": ""}
    count, records = request["count"], _open["records"]
    for _ in range(request.get("skip", 0)):
        next(records, None)
    block = [record for _, record in zip(range(count), records, strict=False)]
    return {"records": block, "end": len(block) < count}
