# SPDX-License-Identifier: Apache-2.0
"""The time and the departments that figures are about."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from cases.organisations import reach
from storage.clock import start_of_day
from storage.errors import InvalidInputError
from storage.identity import Identity, Role

LONGEST_DAYS: Final = 366
"""Legal dates that one look at figures may cover."""
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 9000
_DAY: Final = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Legal dates, both inclusive.

    Raises:
        InvalidInputError: The last date lies before the first, the dates are too many, or of no year of ours.
    """

    first: dt.date
    last: dt.date

    def __post_init__(self) -> None:
        """Refuse dates that are no period, or too long a one."""
        known = self.first.year >= FIRST_YEAR and self.last.year < LAST_YEAR
        if not known or not 0 <= (self.last - self.first).days < LONGEST_DAYS:
            raise InvalidInputError(field="until", rule=f"from to until, at most {LONGEST_DAYS} days")

    @property
    def begins(self) -> dt.datetime:
        """The first instant of it."""
        return start_of_day(self.first)

    @property
    def ends(self) -> dt.datetime:
        """The first instant after it."""
        return start_of_day(self.last + _DAY)

    def holds(self, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """Give the condition that an instant lies in it."""
        return (column >= self.begins) & (column < self.ends)


def last_days(today: dt.date, days: int) -> Period:
    """Give the period of so many legal dates that ends today."""
    return Period(today - _DAY * (days - 1), today)


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose figures somebody sees.

    Attributes:
        organisations: The departments; ``None`` means all.
    """

    organisations: frozenset[str] | None = None

    def holds(self, column: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        """Give the condition that a column names one of them."""
        return true() if self.organisations is None else column.in_(sorted(self.organisations))


def scope_of(who: Identity) -> Scope:
    """Give what an identity supervises: its subtree, or everything for the audit administrator."""
    return Scope(None if who.has(Role.AUDIT_ADMIN) else reach(who))


def median(counted: Sequence[tuple[int, int]]) -> float | None:
    """Give the median of values that are given with how often each occurs; ``None`` of none."""
    ordered = sorted(one for one in counted if one[1])
    total = sum(often for _, often in ordered)
    if not total:
        return None
    return (_at(ordered, (total - 1) // 2) + _at(ordered, total // 2)) / 2


def _at(ordered: Sequence[tuple[int, int]], place: int) -> int:
    """Give the value at a place, from 0, of all values in their order."""
    for value, often in ordered:
        if place < often:
            return value
        place -= often
    raise IndexError(place)
