# SPDX-License-Identifier: Apache-2.0
"""Periods as rules state them: years or days (``P3Y``, ``P30D``), or working hours (``PT8H``)."""

import datetime as dt
import re
from functools import lru_cache
from typing import Final

_PERIOD: Final = re.compile(r"P(?:([0-9]{1,3})Y|([0-9]{1,4})D)")
_HOURS: Final = re.compile(r"PT([1-9][0-9]{0,3})H")


def is_period(text: str) -> bool:
    """Tell whether a text is a period of years or days."""
    return _PERIOD.fullmatch(text) is not None


def back_from(day: dt.date, period: str) -> dt.date:
    """Give the day that lies a period before a day; 29 February becomes 28 in a common year.

    Raises:
        ValueError: It is no period of years or days.
    """
    return _moved(day, period, -1)


def on_from(day: dt.date, period: str) -> dt.date:
    """Give the day that lies a period after a day; see :func:`back_from`."""
    return _moved(day, period, 1)


def hours_of(period: str) -> int:
    """Give the working hours of a deadline.

    Raises:
        ValueError: It states none.
    """
    match = _HOURS.fullmatch(period)
    if match is None:
        raise ValueError("working hours")
    return int(match[1])


@lru_cache(maxsize=1024)
def _moved(day: dt.date, period: str, way: int) -> dt.date:
    match = _PERIOD.fullmatch(period)
    if match is None:
        raise ValueError("period")
    if match[2]:
        return day + dt.timedelta(days=way * int(match[2]))
    year = day.year + way * int(match[1])
    try:
        return day.replace(year=year)
    except ValueError:
        return dt.date(year, 2, 28)
