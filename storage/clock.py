# SPDX-License-Identifier: Apache-2.0
"""Time and identifiers come from here and from nowhere else, so that tests can fix both.

Instants are timezone-aware UTC. Legal dates are dates in Asia/Shanghai; the last day is inclusive.
"""

import datetime as dt
import re
import secrets
import time
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH, _MILLISECOND = dt.datetime(1970, 1, 1, tzinfo=dt.UTC), dt.timedelta(milliseconds=1)
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [first + second for first in _CROCKFORD for second in _CROCKFORD]
_SHIFTS = range(120, -1, -10)


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> dt.datetime:
        """Give the current instant, timezone-aware, in UTC, with microseconds."""
        ...

    def monotonic(self) -> float:
        """Give seconds that never step back; the origin means nothing."""
        ...


class SystemClock:
    """The operating system's clock."""

    def now(self) -> dt.datetime:
        """Give the current instant in UTC."""
        return dt.datetime.now(dt.UTC)

    def monotonic(self) -> float:
        """Give the operating system's monotonic seconds."""
        return time.monotonic()


def legal_date(instant: dt.datetime) -> dt.date:
    """Give the date of an instant in Asia/Shanghai, the legal date of an act."""
    return instant.astimezone(SHANGHAI).date()


def start_of_day(day: dt.date) -> dt.datetime:
    """Give the instant at which a legal date begins."""
    return dt.datetime.combine(day, dt.time(), SHANGHAI).astimezone(dt.UTC)


def legal_time(instant: dt.datetime) -> dt.time:
    """Give the time of day of an instant in Asia/Shanghai."""
    return instant.astimezone(SHANGHAI).time()


def rfc3339(instant: dt.datetime) -> str:
    """Write an instant as RFC 3339 UTC with six decimals and ``Z``."""
    # A decision writes the same instant a dozen times. Of another zone two instants may pass for equal.
    return _in_utc(instant if instant.tzinfo is dt.UTC else instant.astimezone(dt.UTC))


@lru_cache(maxsize=256)
def _in_utc(instant: dt.datetime) -> str:
    # strftime takes eight times as long.
    return instant.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_rfc3339(text: str) -> dt.datetime:
    """Read what :func:`rfc3339` wrote; raises ``ValueError`` for a text without a zone."""
    instant = dt.datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError("instant without a zone")
    return instant.astimezone(dt.UTC)


def read_instant(text: str) -> dt.datetime:
    """Read an instant that somebody sent, into UTC: RFC 3339 with a zone, in a year of living memory.

    Raises:
        ValueError: It is no such instant. At the ends of the calendar one in UTC would have no year.
    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 instant")
    instant = dt.datetime.fromisoformat(text.upper())
    if not _FIRST_YEAR <= instant.year <= _LAST_YEAR:
        raise ValueError("not a year of ours")
    return instant.astimezone(dt.UTC)


class IdSource(Protocol):
    """Where identifiers and nonces come from."""

    def new_id(self) -> str:
        """Give a new opaque identifier: 26 characters, lower-case Crockford base 32, 128 bits."""
        ...

    def id_at(self, instant: dt.datetime) -> str:
        """Give a new identifier that begins with the milliseconds of an instant; 80 bits follow.

        For rows that only ever come one after the other: what is written together lies together in every
        index (ADR 0067). It tells its instant to whoever sees it.
        """
        ...

    def nonce(self) -> bytes:
        """Give 16 bytes that nobody can guess."""
        ...


def encode_id(number: bytes) -> str:
    """Write 16 bytes as 26 lower-case Crockford base-32 characters."""
    value = int.from_bytes(number, "big")
    return "".join([_PAIRS[value >> shift & 1023] for shift in _SHIFTS])


class RandomIds:
    """Identifiers from the operating system's random source."""

    def new_id(self) -> str:
        """Give a random identifier of 128 bits."""
        return encode_id(secrets.token_bytes(16))

    def id_at(self, instant: dt.datetime) -> str:
        """Give an instant, then 80 random bits."""
        since = (instant - _EPOCH) // _MILLISECOND
        return encode_id(since.to_bytes(6, "big") + secrets.token_bytes(10))

    def nonce(self) -> bytes:
        """Give 16 random bytes."""
        return secrets.token_bytes(16)
