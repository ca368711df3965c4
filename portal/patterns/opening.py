# SPDX-License-Identifier: Apache-2.0
"""Makes the watch for unusual queries out of the rooms' services."""

from typing import Protocol

from cases.calendar import WorkingCalendar
from cases.holders import HolderService
from licenses.holdings import Holdings
from licenses.related import RelatedHolders
from licenses.relations import Relations
from portal.books import Books
from portal.patterns.services import PatternWatch
from storage.clock import Clock
from storage.database import Database


class Knowing(Protocol):
    """What relations are found with."""

    @property
    def holdings(self) -> Holdings:
        """What the library holds."""
        ...

    @property
    def holders(self) -> HolderService:
        """Finds holders."""
        ...

    @property
    def books(self) -> Books:
        """What states relations."""
        ...


def pattern_watch(parts: Knowing, database: Database, clock: Clock) -> PatternWatch:
    """Give the watch for unusual queries."""
    relations = Relations(parts.holdings, parts.holders, parts.books.relations)
    related = RelatedHolders(relations, parts.holdings)
    return PatternWatch(database, clock, WorkingCalendar.load(), related)
