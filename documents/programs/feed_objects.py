# SPDX-License-Identifier: Apache-2.0
"""Reads records out of a JSON array or of lines that are JSON objects, block by block.

Nothing is held but the block. What is malformed is named with line and column and does not take its
neighbours with it; where nobody can say what follows, the file is refused from there on.
"""

import codecs
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

MOST_COLUMNS = 512
MOST_LINE = 1 << 20  # bytes of one line, characters of one object
MOST_CELL = 1 << 16
MOST_DEPTH = 16
BROKEN = "\ufffd"
_STEP = 1 << 16
_SIGNS = re.compile(r'["{}\[\]\n]|\\.', re.DOTALL)
_STRAY = re.compile(r"[^{\]\n]+")
_BOUNDARY = re.compile(r"\}\s*,\s*\{")
_BLANK, _BETWEEN = " \t\r\n", " \t\r\n,"
_MOST_INDENT = 200

# A record is [number, line, cells]; what is malformed is [number, line, column, code].
Record = list[Any]


class Refused(Exception):  # noqa: N818 - a finding, not an error
    """Nothing more can be read; carries the code."""


class Objects:
    """Records of a JSON array, or of lines that are JSON objects each."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file, self._encoding = file, encoding

    def records(self) -> Iterator[Record]:
        """Give every record in turn, malformed ones with their code.

        Raises:
            Refused: What follows the last malformed one cannot be told apart.
        """
        for number, (line, column, text, code) in enumerate(self._texts(), 1):
            cells: dict[str, str] = {}
            problem = code or ("row-encoding" if BROKEN in text else "row-control" if "\0" in text else "")
            if not problem:
                problem = _deep(text)
            if not problem:
                cells, problem = _cells(text)
            if problem:
                yield [number, *_place_of_fault(line, column, text), problem]
            else:
                yield [number, line, cells]

    def _texts(self) -> Iterator[tuple[int, int, str, str]]:
        """Give line and column where a record begins, its text, and the code of what is no record."""
        raise NotImplementedError


class Lines(Objects):
    """One object each line."""

    def _texts(self) -> Iterator[tuple[int, int, str, str]]:
        line = 0
        encoding = self._encoding
        while data := self._file.readline(MOST_LINE + 1):
            line += 1
            if len(data) > MOST_LINE:
                while data and not data.endswith(b"\n"):
                    data = self._file.readline(MOST_LINE)
                yield line, 1, "", "row-size"
                continue
            text = data.decode(encoding, "replace").rstrip()
            encoding = encoding.removesuffix("-sig")
            if bare := text.lstrip():
                yield line, len(text) - len(bare) + 1, bare, ""


class Array(Objects):
    """One array of objects.

    An object that does not end takes those after it along, up to where it is given up. They are found again
    where it began a line: the next line that begins in the same way begins the next one. Elsewhere nobody can
    say what follows, and nobody guesses: the file is refused from there on.
    """

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        super().__init__(file, encoding)
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self._text, self._ended = "", False
        self._line, self._column, self._before = 1, 1, ""

    def _texts(self) -> Iterator[tuple[int, int, str, str]]:
        self._pass_over(_BLANK)
        self._move(1)
        while True:
            self._pass_over(_BETWEEN)
            line, column, before = self._line, self._column, self._before
            if self._text.startswith("]"):
                self._move(1)
                self._pass_over(_BLANK)
                if not self._text:
                    return
            elif size := self._size_of_next():
                text = self._text[:size]
                if not (_BOUNDARY.search(text) and _cells(text)[1] == "row-json"):
                    yield line, column, text, ""
                    self._move(size)
                    continue
            yield line, column, self._text, "row-size" if len(self._text) > MOST_LINE else "row-json"
            if before.strip() or not self._find_line("\n" + before + "{"):
                raise Refused("file-broken")

    def _size_of_next(self) -> int:
        """Give how long the next record is, or what stands in the place of one; 0 when it has no end."""
        while True:
            whole = _size_of(self._text)
            if whole > 0:
                return whole
            if whole < 0 or len(self._text) > MOST_LINE or not self._read():
                return 0

    def _find_line(self, beginning: str) -> bool:
        """Go to the next line that begins like this."""
        while (at := self._text.find(beginning)) < 0:
            self._move(max(0, len(self._text) - len(beginning)))
            if not self._read():
                return False
        self._move(at + 1)
        return True

    def _pass_over(self, signs: str) -> None:
        while True:
            self._move(len(self._text) - len(self._text.lstrip(signs)))
            if self._text or not self._read():
                return

    def _read(self) -> bool:
        if self._ended:
            return False
        data = self._file.read(_STEP)
        self._ended = not data
        self._text += self._decoder.decode(data, not data)
        return bool(data)

    def _move(self, count: int) -> None:
        gone, self._text = self._text[:count], self._text[count:]
        self._line += gone.count("\n")
        _, end, last = gone.rpartition("\n")
        self._column = len(last) + (1 if end else self._column)
        # What stands before the next sign in its line; all that matters is whether it is blank.
        self._before = (last if end else self._before + last)[-_MOST_INDENT:]


def _size_of(text: str) -> int:
    """Give how long the record is with which a text begins; 0: not complete; -1: it never will be."""
    if not text.startswith(("{", "[")):
        stray = _STRAY.match(text)
        return stray.end() if stray and stray.end() < len(text) else 0
    depth, quoted = 0, False
    for found in _SIGNS.finditer(text):
        sign = found[0]
        if sign == '"':
            quoted = not quoted
        elif sign == "\n":
            if quoted:
                # No string goes over a line's end: its own end is missing, or that of one before.
                return -1
        elif quoted or sign[0] == "\\":
            continue
        elif sign in "{[":
            depth += 1
        else:
            depth -= 1
            if depth == 0:
                return found.end()
    return 0


def _place_of_fault(line: int, column: int, text: str) -> tuple[int, int]:
    """Give line and column of where a text stops being JSON; of its beginning when it never does."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return line + error.lineno - 1, error.colno + (column - 1 if error.lineno == 1 else 0)
    except (ValueError, RecursionError):
        pass
    return line, column


def _deep(text: str) -> str:
    if text.count("{") + text.count("[") <= MOST_DEPTH:
        return ""
    depth = most = 0
    quoted = False
    for found in _SIGNS.finditer(text):
        sign = found[0]
        if sign == '"':
            quoted = not quoted
        elif not quoted and sign[0] not in "\\\n":
            depth += 1 if sign in "{[" else -1
            most = max(most, depth)
    return "row-depth" if most > MOST_DEPTH else ""


def _cells(text: str) -> tuple[dict[str, str], str]:
    try:
        # Numbers stay the text that they are: a code of eighteen digits is no float.
        value = json.loads(text, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return {}, "row-json"
    if not isinstance(value, dict):
        return {}, "row-json"
    if len(value) > MOST_COLUMNS:
        return {}, "row-cells"
    cells = {name: _text(one) for name, one in value.items() if one is not None}
    if any(len(one) > MOST_CELL for one in cells.values()):
        return {}, "row-size"
    return cells, ""


def _text(value: Any) -> str:  # noqa: ANN401 - whatever JSON holds
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return json.dumps(value, ensure_ascii=False)


_open: dict[str, Any] = {}


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Open ``file`` (``do`` = ``open``; ``form`` is ``array`` or ``lines``), or give its next records.

    Returns:
        ``problem`` and ``columns`` for ``open``; ``records`` and whether that was the ``end`` for ``count``
        records after ``skip``; then ``problem`` is what keeps the rest from being read.
    """
    if request["do"] == "open":
        file = Path(request["file"]).open("rb")  # noqa: SIM115 - it is read from call to call
        form = Array if request["form"] == "array" else Lines
        _open["records"] = form(file, request["encoding"]).records()
        return {"problem": None, "columns": []}
    count, records = request["count"], _open["records"]
    block: list[Record] = []
    try:
        for _ in range(request.get("skip", 0)):
            next(records, None)
        block.extend(record for _, record in zip(range(count), records, strict=False))
    except Refused as refused:
        return {"records": block, "end": True, "problem": str(refused)}
    return {"records": block, "end": len(block) < count, "problem": None}
