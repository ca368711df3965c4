# SPDX-License-Identifier: Apache-2.0
"""Fail closed: no act is admitted while its record could not be sequenced or anchored in time.

Sequencing lag is observed with the process's own monotonic clock, so that a stepped wall clock neither
closes nor opens the gate; anchor lag counts from the oldest entry without an anchor, so that a restart
does not forget it. Withdrawals and the ledger's own notes always pass. Each refusal is counted durably,
and the count is the first record afterwards.
"""

import datetime as dt
import threading
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from storage.clock import Clock
from storage.database import LedgerClosedError
from storage.ledger.kinds import NEVER_REFUSED, ActKind
from storage.ledger.models import LedgerAnchor, LedgerClosedRefusal, LedgerEntry, LedgerPending

_ROW = 1


@dataclass(frozen=True, slots=True)
class GateLimits:
    """Seconds: a pending row older than ``sequencing`` closes; anchor lag warns first, then closes."""

    sequencing: float = 300.0
    anchor_warning: float = 300.0
    anchor: float = 4 * 3600.0
    look_every: float = 1.0


@dataclass(frozen=True, slots=True)
class Lag:
    """What the gate last saw: seconds, number of pending acts, refusals not yet recorded."""

    sequencing: float
    anchor: float
    pending: int
    refusals: int


class LedgerGate:
    """Implements the database's gate.

    Args:
        clock: Both of its times are used.
        limits: When to warn and when to close.
    """

    def __init__(self, clock: Clock, limits: GateLimits | None = None) -> None:
        self._clock = clock
        self._limits = limits or GateLimits()
        self._connecting: Callable[[], AbstractContextManager[Connection]] | None = None
        self._looking = threading.Lock()
        self._looked: tuple[float, Lag] | None = None
        self._positions: deque[tuple[int, float]] = deque()
        self._may_hold_refusals = True

    def watch(self, connecting: Callable[[], AbstractContextManager[Connection]]) -> None:
        """Say how the database is reached that is observed; until then the gate is closed."""
        self._connecting = connecting

    def admit(self, kind: ActKind) -> None:
        """Return, or raise :class:`LedgerClosedError` for an act that the ledger may not promise now."""
        if kind in NEVER_REFUSED:
            return
        lag = self.lag()
        if lag is None:
            raise LedgerClosedError(reason="not-observed")
        if lag.sequencing > self._limits.sequencing:
            raise LedgerClosedError(reason="sequencing-lag", seconds=int(lag.sequencing))
        if lag.anchor > self._limits.anchor:
            raise LedgerClosedError(reason="anchor-lag", seconds=int(lag.anchor))

    def lag(self) -> Lag | None:
        """Give what was seen within the last second, looking again when that is older."""
        if self._connecting is None:
            return None
        with self._looking:
            now = self._clock.monotonic()
            if self._looked is None or now - self._looked[0] >= self._limits.look_every:
                with self._connecting() as connection, Session(bind=connection) as session:
                    self._looked = (now, self._look(session, now))
            return self._looked[1]

    @property
    def warns(self) -> bool:
        """Tell whether anchoring lags beyond the warning limit."""
        lag = self.lag()
        return lag is None or lag.anchor > self._limits.anchor_warning

    def count_refusal(self, session: Session) -> None:
        """Count one refusal durably, in the caller's transaction of its own."""
        row = session.get(LedgerClosedRefusal, _ROW)
        if row is None:
            row = LedgerClosedRefusal(id=_ROW, count=0)
            session.add(row)
        row.count += 1
        self._may_hold_refusals = True

    def take_refusals(self, session: Session) -> int:
        """Give and zero the count in the caller's transaction, so that a rollback keeps it."""
        if not self._may_hold_refusals:
            return 0
        row = session.get(LedgerClosedRefusal, _ROW)
        count = row.count if row else 0
        if row is not None and count:
            row.count = 0
            session.flush()
        else:
            self._may_hold_refusals = False
        return count

    def _look(self, session: Session, now: float) -> Lag:
        oldest, newest, pending = session.execute(
            select(func.min(LedgerPending.position), func.max(LedgerPending.position), func.count())
        ).one()
        refusals = (
            session.scalar(select(LedgerClosedRefusal.count).where(LedgerClosedRefusal.id == _ROW)) or 0
        )
        # Another process may have counted refusals; whoever records first afterwards reports them.
        self._may_hold_refusals = self._may_hold_refusals or refusals > 0
        return Lag(self._pending_age(oldest, newest, now), self._anchor_age(session), pending, refusals)

    def _pending_age(self, oldest: int | None, newest: int | None, now: float) -> float:
        """Give how long the oldest pending row is known to have waited."""
        if oldest is None or newest is None:
            self._positions.clear()
            return 0.0
        while self._positions and self._positions[0][0] < oldest:
            self._positions.popleft()
        if not self._positions or self._positions[-1][0] < newest:
            self._positions.append((newest, now))
        return now - self._positions[0][1]

    def _anchor_age(self, session: Session) -> float:
        anchored = session.scalar(select(func.max(LedgerAnchor.size)).where(LedgerAnchor.kind == "tsr")) or 0
        since: dt.datetime | None = session.scalar(select(LedgerEntry.at).where(LedgerEntry.seq == anchored))
        return (self._clock.now() - since).total_seconds() if since else 0.0
