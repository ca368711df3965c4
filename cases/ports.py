# SPDX-License-Identifier: Apache-2.0
"""What the room of cases needs from a unit of work, and what it offers to the rooms above."""

import datetime as dt
from typing import Protocol

from cases.items import Item


class Items(Protocol):
    """Where items come from: :class:`cases.items.ItemCatalogue`, or a site's own register of items."""

    def get(self, code: str, edition: str) -> Item:
        """Give the item in that edition; raises ``ItemUnknownError``."""
        ...


class Deadlines(Protocol):
    """How working days are counted: :class:`cases.calendar.WorkingCalendar`, or a site's own."""

    def filing_due(self, closed_at: dt.datetime, filing_days: int) -> dt.date:
        """Give the last legal date on which the case is filed in time."""
        ...
