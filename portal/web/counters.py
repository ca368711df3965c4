# SPDX-License-Identifier: Apache-2.0
"""Numbers for what is counted and not recorded, and the limit on public checks.

Calls that fail authentication, malformed calls and uploads that match nothing are only counted, so that a
stranger cannot fill the ledger. Counts and windows live in the process and start at zero with it.
"""

import threading
from collections import Counter, OrderedDict

from storage.clock import Clock

AUTHENTICATION_FAILED = "authentication-failed"
MALFORMED = "malformed"
UNMATCHED_UPLOAD = "unmatched-upload"
RATE_LIMITED = "rate-limited"


class Counters:
    """Thread-safe counts since the process started."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str) -> None:
        """Count one."""
        with self._lock:
            self._counts[name] += 1

    def read(self) -> dict[str, int]:
        """Give all counts."""
        with self._lock:
            return dict(self._counts)


class RateLimit:
    """At most ``per_minute`` calls of one caller in any minute, refilled evenly (a token bucket).

    Args:
        clock: Its monotonic time is used.
        per_minute: Calls per minute and the size of the largest burst.
        callers: Callers remembered at most; the longest unseen is forgotten first.
    """

    def __init__(self, clock: Clock, per_minute: int, callers: int = 10_000) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._callers = callers
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def admit(self, caller: str) -> bool:
        """Take one call from the caller's allowance; tell whether there was one."""
        with self._lock:
            left = self._left(caller)
            admitted = left >= 1
            self._keep(caller, left - 1 if admitted else left)
        return admitted

    def has_left(self, caller: str) -> bool:
        """Tell whether the caller's allowance holds a call; none is taken."""
        with self._lock:
            left = self._left(caller)
            self._keep(caller, left)
        return left >= 1

    def charge(self, caller: str) -> None:
        """Take one call from the caller's allowance, be there one or not: what is owed is waited for."""
        with self._lock:
            self._keep(caller, self._left(caller) - 1)

    def _left(self, caller: str) -> float:
        now, most = self._clock.monotonic(), float(self._per_minute)
        left, seen = self._buckets.pop(caller, (most, now))
        return min(most, left + (now - seen) * self._per_minute / 60)

    def _keep(self, caller: str, left: float) -> None:
        self._buckets[caller] = (left, self._clock.monotonic())
        while len(self._buckets) > self._callers:
            self._buckets.popitem(last=False)
