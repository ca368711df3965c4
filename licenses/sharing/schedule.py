# SPDX-License-Identifier: Apache-2.0
"""When a delivery that failed is tried again: data without chance, so that it can be told beforehand."""

import datetime as dt
from email.utils import parsedate_to_datetime
from typing import Final

_MINUTE: Final = 60
_HOUR: Final = 3600
RETRY_SECONDS: Final = (
    5,
    5 * _MINUTE,
    30 * _MINUTE,
    2 * _HOUR,
    5 * _HOUR,
    10 * _HOUR,
    14 * _HOUR,
    20 * _HOUR,
    24 * _HOUR,
)
"""Pauses after the first, second … failure (Standard Webhooks); one more, and it is dead."""
TRIES: Final = len(RETRY_SECONDS) + 1
LONGEST_REST_SECONDS: Final = 5 * _MINUTE
"""How long an endpoint that does not answer is left alone at most: new events may find it well again."""
LONGEST_WAIT_SECONDS: Final = 24 * _HOUR
"""The longest ``Retry-After`` that is honoured."""


def pause_after(failures: int, asked: float | None = None) -> dt.timedelta | None:
    """Give the pause after so many failures; ``None`` when there is no further try.

    Args:
        failures: Tries that failed, this one included; from 1 on.
        asked: Seconds that the receiver asked us to wait, if it did.
    """
    if failures >= TRIES:
        return None
    seconds = float(RETRY_SECONDS[failures - 1])
    if asked is not None:
        seconds = max(seconds, min(asked, LONGEST_WAIT_SECONDS))
    return dt.timedelta(seconds=seconds)


def rest_after(streak: int, asked: float | None = None) -> dt.timedelta:
    """Give how long an endpoint is left alone after so many tries in a row that it did not answer.

    Args:
        streak: Tries in a row, from 1 on.
        asked: Seconds that the receiver asked us to wait, if it did.
    """
    seconds = float(min(RETRY_SECONDS[min(streak, len(RETRY_SECONDS)) - 1], LONGEST_REST_SECONDS))
    if asked is not None:
        seconds = max(seconds, min(asked, LONGEST_WAIT_SECONDS))
    return dt.timedelta(seconds=seconds)


def asked_to_wait(value: str | None, now: dt.datetime) -> float | None:
    """Read ``Retry-After``: seconds, or a date; ``None`` when it is neither or has passed."""
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return float(text) or None
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if until.tzinfo is None:
        return None
    seconds = (until - now).total_seconds()
    return seconds if seconds > 0 else None
