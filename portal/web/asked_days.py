# SPDX-License-Identifier: Apache-2.0
"""The day as of which somebody looks at a page: a past day means its end, today means now."""

import datetime as dt

from storage.clock import legal_date, start_of_day
from storage.errors import InvalidInputError


def end_of(day: str, now: dt.datetime) -> dt.datetime | None:
    """Give the last instant of a legal date that somebody typed; ``None`` when it is empty or today.

    Args:
        day: ``2026-11-29``, or nothing.
        now: The current instant.

    Raises:
        InvalidInputError: It is no date, or one that has not come yet.
    """
    if not day.strip():
        return None
    try:
        asked = dt.date.fromisoformat(day.strip()[:10])
    except ValueError:
        raise InvalidInputError(field="on", rule="date") from None
    today = legal_date(now)
    if asked > today:
        raise InvalidInputError(field="on", rule="not-after-today")
    if asked == today:
        return None
    return start_of_day(asked + dt.timedelta(days=1)) - dt.timedelta(microseconds=1)
