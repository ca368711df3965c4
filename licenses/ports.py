# SPDX-License-Identifier: Apache-2.0
"""What the licence room needs from others, stated so that tests and later releases can pass their own."""

import datetime as dt
from typing import Protocol

from storage.database import UnitOfWork


class SealStandings(Protocol):
    """What the seal register knows of a seal that was used."""

    def revoked_at(self, uow: UnitOfWork, seal_id: str) -> dt.datetime | None:
        """Give when the seal was revoked; ``None`` while it is not."""
        ...


class WorkingDays(Protocol):
    """How working days are counted: :class:`cases.calendar.WorkingCalendar`, or a site's own."""

    def add_working_days(self, day: dt.date, count: int) -> dt.date:
        """Give the ``count``-th working day after ``day``; the day itself does not count."""
        ...
