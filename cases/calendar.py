# SPDX-License-Identifier: Apache-2.0
"""The working calendar: weekends, statutory holidays and the weekends worked instead, as data."""

import datetime as dt
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, Self

from cases.items import DATA
from storage.clock import SHANGHAI, legal_date

_SATURDAY = 5
_DAY = dt.timedelta(days=1)
_NONE = dt.timedelta(0)
OFFICE_HOURS: Final = ((dt.time(8, 30), dt.time(12, 0)), (dt.time(14, 0), dt.time(17, 30)))
"""Office hours of a working day, Asia/Shanghai, where the data state no others."""


class WorkingCalendar:
    """Counts working days.

    Args:
        holidays: Dates nobody works.
        working_weekends: Saturdays and Sundays that are worked.
        years: Years for which the holidays are known; in others only weekends count as free.
        hours: Office hours of a working day, in their order.
    """

    def __init__(
        self,
        holidays: Iterable[dt.date],
        working_weekends: Iterable[dt.date],
        years: Iterable[int],
        hours: Sequence[tuple[dt.time, dt.time]] = OFFICE_HOURS,
    ) -> None:
        self._hours = tuple(hours)
        self._holidays = frozenset(holidays)
        self._working_weekends = frozenset(working_weekends)
        self._years = frozenset(years)

    @classmethod
    def load(cls, folder: Path = DATA) -> Self:
        """Read ``calendar.json`` of a folder; the shipped one by default."""
        raw = json.loads((folder / "calendar.json").read_bytes())
        holidays = [day for first, last in raw["holidays"] for day in _span(first, last)]
        hours = [(dt.time.fromisoformat(start), dt.time.fromisoformat(end)) for start, end in raw["hours"]]
        return cls(holidays, map(dt.date.fromisoformat, raw["working_weekends"]), raw["years"], hours)

    def knows(self, day: dt.date) -> bool:
        """Tell whether the holidays of that year are known; if not, a deadline may fall too early."""
        return day.year in self._years

    def is_working(self, day: dt.date) -> bool:
        """Tell whether offices work that day."""
        if day in self._working_weekends:
            return True
        return day.weekday() < _SATURDAY and day not in self._holidays

    def add_working_days(self, day: dt.date, count: int) -> dt.date:
        """Give the ``count``-th working day after ``day``; the day itself does not count."""
        while count > 0:
            day += _DAY
            count -= self.is_working(day)
        return day

    def add_working_hours(self, at: dt.datetime, hours: float) -> dt.datetime:
        """Give the instant that lies so many office hours after ``at``."""
        left, day = dt.timedelta(hours=hours), legal_date(at)
        while True:
            for opens, closes in self._hours if self.is_working(day) else ():
                begin = max(dt.datetime.combine(day, opens, SHANGHAI), at)
                end = dt.datetime.combine(day, closes, SHANGHAI)
                if begin < end and left <= end - begin:
                    return (begin + left).astimezone(dt.UTC)
                left -= max(end - begin, _NONE)
            day += _DAY

    def working_hours(self, start: dt.datetime, end: dt.datetime) -> float:
        """Give the office hours between two instants; none when the second is not the later one."""
        spent, day = _NONE, legal_date(start)
        while day <= legal_date(end):
            for opens, closes in self._hours if self.is_working(day) else ():
                begin = max(dt.datetime.combine(day, opens, SHANGHAI), start)
                spent += max(min(dt.datetime.combine(day, closes, SHANGHAI), end) - begin, _NONE)
            day += _DAY
        return spent / dt.timedelta(hours=1)

    def filing_due(self, closed_at: dt.datetime, filing_days: int) -> dt.date:
        """Give the last legal date (inclusive) on which a case closed then is filed in time."""
        return self.add_working_days(legal_date(closed_at), filing_days)


def _span(first: str, last: str) -> list[dt.date]:
    start, end = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    return [start + _DAY * offset for offset in range((end - start).days + 1)]
