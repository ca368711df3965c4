# SPDX-License-Identifier: Apache-2.0
"""What the archivist narrows a list and its counts to; the same for both, so that they go on adding up."""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, select

from archive.models import IN_PROGRESS, Filing, FilingState
from cases.models import Case
from storage.cursors import CursorError

ALL, ORIGINAL_ONLY, PROGRESS = "all", "original-only", "in-progress"
LISTS = (ALL, PROGRESS, "returned", "quarantined", ORIGINAL_ONLY, "filed")
"""The archivist's lists; each count of :class:`archive.views.Counts` links to exactly the rows of one."""


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which filings to look at; nothing set means all.

    Attributes:
        since: Received at this instant or later.
        before: Received before this instant.
        item: Code of the item, in any edition.
        number: How the case number begins.
    """

    since: dt.datetime | None = None
    before: dt.datetime | None = None
    item: str | None = None
    number: str | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """Give what a filing has to meet."""
        found: list[ColumnElement[bool]] = []
        if self.since is not None:
            found.append(Filing.received_at >= self.since)
        if self.before is not None:
            found.append(Filing.received_at < self.before)
        if self.item is not None:
            found.append(Filing.item_code == self.item)
        if self.number is not None:
            beginning = Case.number.startswith(self.number, autoescape=True)
            found.append(Filing.case_id.in_(select(Case.id).where(beginning)))
        return found


EVERYTHING = Narrowing()


def list_condition(which: str) -> ColumnElement[bool]:
    """Give what a filing of one of the lists has to meet; raises CursorError when there is no such list."""
    if which not in LISTS:
        raise CursorError(field="list")
    if which == ALL:
        return Filing.state.is_not(None)
    if which == PROGRESS:
        return Filing.state.in_(sorted(IN_PROGRESS))
    if which == ORIGINAL_ONLY:
        return and_(Filing.state == str(FilingState.FILED), Filing.original_only > 0)
    return Filing.state == which
