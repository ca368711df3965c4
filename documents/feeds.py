# SPDX-License-Identifier: Apache-2.0
"""Records of a table, a workbook or a list of objects, read in a limited child, block by block.

The file is not trusted and may be as long as it likes; neither the child nor its caller holds more than a
block. A record that is malformed is told with line and column; those beside it are not lost.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count as counted
from pathlib import Path
from typing import Any, Final, cast

from documents.errors import ChildFailedError, FeedRefusedError
from documents.sandbox import Limits, Sandbox, Workroom

LIMITS: Final = Limits(
    address_space=1 << 30,
    cpu_seconds=4 * 3600,
    wall_seconds=120,
    file_bytes=1 << 20,
    reply_bytes=64 << 20,
)
"""A million records take a minute or two of CPU; a block takes far less than the wall-clock limit."""
MOST_BYTES: Final = 4 << 30
_ZIP: Final = b"PK\x03\x04"


@dataclass(frozen=True, slots=True)
class FeedRecord:
    """A record as it stands in the file.

    Attributes:
        number: 1, 2, 3 … in the file.
        line: Line (of a workbook: row) on which it begins; of a malformed object: on which it is malformed.
        cells: Column → text; ``None`` for a malformed one.
        column: Where it is malformed, from 1: cell of a row, sign of an object's line; 0 otherwise.
        problem: Stable code of what is malformed; empty otherwise.
    """

    number: int
    line: int
    cells: Mapping[str, str] | None
    column: int = 0
    problem: str = ""


class Feed:
    """An opened file; use it through :func:`open_feed`."""

    def __init__(self, room: Workroom, program: str, columns: tuple[str, ...]) -> None:
        self._room = room
        self._program = program
        self.columns = columns

    def blocks(self, size: int, skip: int = 0) -> Iterator[list[FeedRecord]]:
        """Give the records in blocks of a size; the first ``skip`` records are left out.

        Raises:
            FeedRefusedError: Nothing more can be read; ``line`` and ``column`` are those of the last record
                given, which is malformed. Those before it were given.
        """
        at = 0, 0
        for turn in counted():
            try:
                answer = self._room.call(self._program, do="next", count=size, skip=skip if turn == 0 else 0)
            except ChildFailedError as failure:
                raise FeedRefusedError(rule=f"child-{failure.reason}") from None
            block = [self._record(one) for one in cast(list[list[Any]], answer["records"])]
            if block:
                at = block[-1].line, block[-1].column
                yield block
            if answer.get("problem") is not None:
                raise FeedRefusedError(rule=str(answer["problem"]), line=at[0], column=at[1])
            if answer["end"]:
                return

    def _record(self, one: list[Any]) -> FeedRecord:
        if len(one) == 4:
            return FeedRecord(int(one[0]), int(one[1]), None, int(one[2]), str(one[3]))
        number, line, cells = one
        if isinstance(cells, list):
            pairs = zip(self.columns, cells, strict=True)
            return FeedRecord(number, line, {name: text for name, text in pairs if text and name})
        return FeedRecord(number, line, cells)


@contextmanager
def open_feed(file: Path, sandbox: Sandbox) -> Iterator[Feed]:
    """Open a file of records.

    Args:
        file: CSV (UTF-8 or GB 18030), XLSX, a JSON array or JSON lines; which, its content says.
        sandbox: Where it is parsed; see :data:`LIMITS`.

    Raises:
        FeedRefusedError: It cannot be read as any of them; ``rule`` is a stable code.
        SandboxUnavailableError: Nothing can be parsed on this machine.
    """
    if not file.is_file() or not 0 < file.stat().st_size <= MOST_BYTES:
        raise FeedRefusedError(rule="file-size")
    with sandbox.workroom() as room:
        try:
            room.put(file, "source")
            program, answer = _opened(room, file)
        except ChildFailedError as failure:
            raise FeedRefusedError(rule=f"child-{failure.reason}") from None
        if answer["problem"] is not None:
            raise FeedRefusedError(rule=str(answer["problem"]))
        yield Feed(room, program, tuple(map(str, cast(list[Any], answer["columns"]))))


def _opened(room: Workroom, file: Path) -> tuple[str, dict[str, object]]:
    with file.open("rb") as handle:
        archive = handle.read(4) == _ZIP
    if not archive:
        found = room.call("feed", do="open", file="source")
        if found["problem"] is not None or found["form"] is None:
            return "feed", found
        objects = {name: found[name] for name in ("form", "encoding")}
        return "feed_objects", room.call("feed_objects", do="open", file="source", **objects)
    screened = room.call("ooxml", file="source")
    if screened["problem"] is not None or screened["kind"] != "xlsx":
        return "", {"problem": f"workbook-{screened['problem'] or 'other'}"}
    return "feed_workbook", room.call("feed_workbook", do="open", file="source", main=screened["main"])
