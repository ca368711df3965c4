# SPDX-License-Identifier: Apache-2.0
"""Tells what a file of records is, and reads them out of a table, block by block.

Nothing is held but the block: a file may be as long as it likes. What is malformed is named with line and
column and does not take its neighbours with it. Objects and workbooks have programs of their own.
"""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

MOST_COLUMNS = 512
MOST_LINE = 1 << 20  # bytes
MOST_CELL = 1 << 16
MOST_LINES = 40  # of one record with line ends inside quotes
SAMPLE = 1 << 20
DELIMITERS = ",\t;|"
BROKEN = "\ufffd"

# A record is [number, line, cells]; what is malformed is [number, line, column, code].
Record = list[Any]


class Refused(Exception):  # noqa: N818 - a finding, not an error
    """The file as a whole cannot be read; carries the code."""


def encoding_of(sample: bytes) -> str:
    """Give the encoding of a file's beginning: UTF-8 unless only GB 18030 explains what stands there."""
    if sample.startswith(b"\xef\xbb\xbf"):
        return "utf-8-sig"
    if sample.startswith((b"\xff\xfe", b"\xfe\xff")) or sample[:4096].count(0) > len(sample[:4096]) // 8:
        raise Refused("file-encoding")
    lines = [line for line in sample.split(b"\n")[:-1] or [sample] if not line.isascii()]
    broken = Counter(name for line in lines for name in ("utf-8", "gb18030") if not _decodes(line, name))
    # A few damaged lines do not make another encoding.
    if broken["utf-8"] * 20 <= len(lines):
        return "utf-8"
    if broken["gb18030"] * 20 <= len(lines):
        return "gb18030"
    raise Refused("file-encoding")


def _decodes(line: bytes, name: str) -> bool:
    try:
        line.decode(name)
    except UnicodeDecodeError:
        return False
    return True


class Table:
    """Records of a CSV file."""

    def __init__(self, file: BinaryIO, encoding: str) -> None:
        self._file, self._encoding = file, encoding
        self._line = 0
        self._back: list[str] = []
        self._taken: list[str] = []
        self._problem = ""
        head = self._head()
        self.delimiter = max(DELIMITERS, key=head.count)
        self.columns = _named(next(csv.reader([head], delimiter=self.delimiter), []))

    def _head(self) -> str:
        try:
            while not (line := self.next_line()).strip() and not self._problem:
                pass
        except StopIteration:
            raise Refused("file-head") from None
        if self._problem:
            raise Refused("file-head")
        return line

    def next_line(self) -> str:
        """Give the next line; what those of the record that is being read were, stands in ``_taken``.

        Raises:
            StopIteration: There is none; there may be again when lines are given back.
        """
        if self._back:
            line = self._back.pop(0)
        else:
            data = self._file.readline(MOST_LINE + 1)
            if not data:
                raise StopIteration
            line = self._decoded(data)
        self._line += 1
        self._taken.append(line)
        return line

    def _decoded(self, data: bytes) -> str:
        encoding = self._encoding if not self._line else self._encoding.removesuffix("-sig")
        if len(data) > MOST_LINE:
            while data and not data.endswith(b"\n"):
                data = self._file.readline(MOST_LINE)
            self._problem = "row-size"
            return ""
        line = data.decode(encoding, "replace")
        if "\0" in line or BROKEN in line:
            self._problem = "row-control" if "\0" in line else "row-encoding"
        return line.rstrip("\r\n") + "\n"

    def records(self) -> Iterator[Record]:
        """Give every record in turn, malformed ones with their code."""
        reader = csv.reader(_Limited(self, self._taken), delimiter=self.delimiter, strict=True)
        number = 0
        while True:
            self._problem = ""
            self._taken.clear()
            first = self._line + 1
            try:
                cells = next(reader)
                code, column = self._fault(cells)
            except StopIteration:
                return
            except csv.Error as error:
                cells, code = [], "row-size" if "field limit" in str(error) else "row-quotes"
                column = _quoted_cell(self._taken[0] if self._taken else "", self.delimiter)
            if not cells and not code:
                continue
            number += 1
            if not code:
                yield [number, first, cells]
                continue
            if len(self._taken) > 1:
                # The lines that a stray quote took with it are records of their own.
                self._back[:0] = self._taken[1:]
                self._line -= len(self._taken) - 1
            yield [number, first, column, self._problem or code]

    def _fault(self, cells: list[str]) -> tuple[str, int]:
        if self._problem:
            broken = (place for place, cell in enumerate(cells, 1) if BROKEN in cell or "\0" in cell)
            return self._problem, next(broken, 1)
        if cells and len(cells) != len(self.columns):
            return "row-cells", min(len(cells), len(self.columns)) + 1
        return "", 0


class _Limited:
    """Lines for one record at a time; unlike a generator it goes on after it has refused or ended one."""

    def __init__(self, table: Table, taken: list[str]) -> None:
        self._table, self._taken = table, taken

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self._taken) > MOST_LINES:
            raise csv.Error("too many lines")
        return self._table.next_line()


def _named(cells: list[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if len(names) > MOST_COLUMNS:
        raise Refused("file-columns")
    given = [name for name in names if name]
    if not given or len(set(given)) != len(given) or any(len(name) > 200 for name in given):
        raise Refused("file-head")
    return names


def _quoted_cell(line: str, delimiter: str) -> int:
    return line[: line.rfind('"') + 1].count(delimiter) + 1


_open: dict[str, Any] = {}


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Open ``file`` (``do`` = ``open``), or give the next ``count`` records of it.

    Returns:
        ``problem``, ``columns``, ``encoding`` for ``open``, and the ``form`` of a file that is no table:
        ``array`` or ``lines`` of objects; ``records`` and whether that was the ``end``.
    """
    if request["do"] == "open":
        try:
            return _opened(Path(request["file"]))
        except Refused as refused:
            return {"problem": str(refused)}
    count, records = request["count"], _open["records"]
    for _ in range(request.get("skip", 0)):
        next(records, None)
    block = [record for _, record in zip(range(count), records, strict=False)]
    return {"records": block, "end": len(block) < count}


def _opened(path: Path) -> dict[str, Any]:
    file = path.open("rb")
    sample = file.read(SAMPLE)
    file.seek(0)
    encoding = encoding_of(sample)
    start = sample.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    if not start:
        raise Refused("file-empty")
    form = {b"[": "array", b"{": "lines"}.get(start)
    if form is not None:
        return {"problem": None, "form": form, "encoding": encoding}
    csv.field_size_limit(MOST_CELL)
    table = Table(file, encoding)
    _open["records"] = table.records()
    return {"problem": None, "form": None, "columns": table.columns, "encoding": encoding}
