# SPDX-License-Identifier: Apache-2.0
"""How an event says that an import told it: which one, and on which day its source had changed the record.

It stands in the reason of the event, so that it survives blocks, kills and the rebuilding from the ledger. A
reason that a person gave names no run.
"""

import datetime as dt
import re
from typing import Final, NamedTuple

from licenses.lifecycle import EventKind

_WORDS: Final = "存量导入"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_MARKED: Final = re.compile(rf"{_WORDS}(?: ([0-9a-z]{{26}}))?(?: ({_DAY}))?")


class Mark(NamedTuple):
    """Which import told of an event, and the day that its source named; either may be missing."""

    run_id: str
    day: dt.date | None


def marked(kind: EventKind, run_id: str, day: dt.date | None) -> str:
    """Give the reason of an event that an import told.

    That of taking over names no run, as the record beside the licence does; nor does that of being replaced,
    of which no record tells.
    """
    if kind is EventKind.SUPERSEDED:
        return _WORDS
    named = [] if kind is EventKind.ADOPTED else [run_id]
    return " ".join([_WORDS, *named, *([] if day is None else [day.isoformat()])])


def mark_of(kind: str, reason: str) -> Mark:
    """Read back what :func:`marked` gave; a mark without run and day where a person gave the reason."""
    found = _MARKED.fullmatch(reason)
    run_id, day = found.groups() if found else (None, None)
    if run_id is None and kind != EventKind.ADOPTED:
        return Mark("", None)
    return Mark(run_id or "", None if day is None else dt.date.fromisoformat(day))
