# SPDX-License-Identifier: Apache-2.0
"""The sequencer: takes what is pending, gives it its place in the log, in one commit per batch.

Guarantees: one sequencer per log (operating-system lock, and a fencing number checked in every commit);
dense ``seq``; ``prev`` = leaf before; ``at`` never decreases; a row is pending or an entry, never both or
neither. Pending rows are consumed one by one, so that acts committed late are not passed over.
"""

import contextlib
import datetime as dt
import fcntl
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import CursorResult, Row, insert, select, update
from sqlalchemy.orm import Session

from storage.clock import Clock, rfc3339
from storage.database import Database, repeated
from storage.failpoints import failpoint
from storage.identity import system_identity
from storage.ledger.acts import Act
from storage.ledger.appending import append, remove
from storage.ledger.edge import STATE_ID, Edge, fresh_state, load_edge, state_values
from storage.ledger.entries import entry_bytes, entry_prefix
from storage.ledger.errors import FencedError, LedgerCorruptError, LedgerFormatError, SequencerRunningError
from storage.ledger.kinds import ActKind
from storage.ledger.models import (
    LedgerAct,
    LedgerEntry,
    LedgerPending,
    LedgerState,
    LedgerTile,
)
from storage.ledger.proofs import leaf_hash

BATCH = 1000
CLOCK_STEP_SECONDS = 5.0


class SequencerLock:
    """The operating system's lock on one file: held until :meth:`release` or the end of the process."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._handle)
            raise SequencerRunningError from error

    def release(self) -> None:
        """Give the lock back; a second call does nothing."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


@dataclass(frozen=True, slots=True)
class LogHead:
    """How far the log is: number of entries, root, time of the last one."""

    size: int
    root: bytes
    last_at: dt.datetime


class Sequencer:
    """The one writer of a log.

    Args:
        database: Opened without anybody else's transaction.
        clock: Where ``at`` comes from.
        lock_path: File of the operating-system lock, on a local disk.
        lease: For how long nobody else takes over when this one is silent; needed where sequencers of
            several machines share a database, which the operating system's lock does not see.

    Raises:
        SequencerRunningError: Another one holds lock or lease.
    """

    def __init__(
        self, database: Database, clock: Clock, lock_path: Path, lease: dt.timedelta | None = None
    ) -> None:
        self._database = database
        self._clock = clock
        self._prefix = entry_prefix(database.origin)
        self._lease = lease
        self._renewed: float | None = None
        self._stale = False
        self._lock = SequencerLock(lock_path)
        self._seen: tuple[dt.datetime, float] | None = None
        try:
            self._fence, self._edge = repeated(self._open)
        except BaseException:
            self._lock.release()
            raise

    def close(self) -> None:
        """Give lock and lease back."""
        try:
            if self._lease is not None:
                with contextlib.suppress(FencedError), self._database.writing() as uow:
                    self._set_state(uow.session, {"lease_until": None})
        finally:
            self._lock.release()

    @property
    def head(self) -> LogHead:
        """Give the head of the log as this sequencer has committed it."""
        return LogHead(self._edge.frontier.size, self._edge.frontier.root(), self._edge.last_at)

    def require_fence(self, session: Session) -> None:
        """Refuse to go on in this transaction when a newer sequencer has taken over."""
        self._set_state(session, {"fence": self._fence})

    def drain(self) -> int:
        """Sequence up to 1,000 pending acts in one commit; give their number.

        Raises:
            FencedError: A newer sequencer has taken over; nothing was written.
            LedgerCorruptError: A recorded act no longer has the digest that was promised.
        """
        self._note_clock_step()
        self._renew()
        if self._stale:
            self._edge, self._stale = self._reload(), False
        with self._database.reading() as uow:
            # Nobody else takes away what is pending: it is read and hashed before anybody has to wait for it.
            pending = _pending(uow.session)
        if not pending:
            return 0
        edge = self._edge.next()
        edge.last_at = max(edge.last_at, self._clock.now())
        self._build(edge, pending)
        # Until the commit is known to have taken effect the edge in memory may not be the table's.
        self._stale = True
        self._append(edge, [row.position for row in pending])
        self._stale = False
        self._edge = Edge(edge.frontier, edge.last_leaf, edge.last_at, edge.rows)
        return len(pending)

    def _reload(self) -> Edge:
        with self._database.reading() as uow:
            state = uow.session.get_one(LedgerState, STATE_ID)
            if state.fence != self._fence:
                raise FencedError
            return load_edge(uow.session, state)

    def _append(self, edge: Edge, positions: Sequence[int]) -> None:
        with self._database.writing() as uow:
            # First: what was read is true only as long as nobody has taken over.
            self._set_state(uow.session, state_values(edge))
            append(uow.session, LedgerEntry, edge.entries)
            failpoint("sequencer.after-append")
            if edge.full:
                uow.session.execute(insert(LedgerTile), edge.full)
            remove(uow.session, LedgerPending.position, positions)
            failpoint("sequencer.before-commit")

    def _build(self, edge: Edge, pending: Sequence[Row[int, str, bytes]]) -> None:
        at = rfc3339(edge.last_at)
        for row in pending:
            seq = edge.frontier.size
            if hashlib.sha256(row.core).hexdigest() != row.act_id:
                raise LedgerCorruptError(seq=seq, rule="core-digest")
            try:
                entry = entry_bytes(at, row.core, self._prefix, edge.last_leaf, seq)
            except LedgerFormatError as error:
                raise LedgerCorruptError(seq=seq, rule="entry-too-long") from error
            leaf = leaf_hash(entry)
            edge.entries.append(
                {"seq": seq, "act_id": row.act_id, "entry": entry, "leaf": leaf, "at": edge.last_at}
            )
            edge.add_leaf(leaf)

    def _open(self) -> tuple[int, Edge]:
        with self._database.writing() as uow:
            state = self._take_over(uow.session)
            if state.size == 0 and state.fence == 1:
                uow.record(self._act(ActKind.LEDGER_OPENED))
            return state.fence, load_edge(uow.session, state)

    def _renew(self) -> None:
        steady = self._clock.monotonic()
        if self._lease is None:
            return
        if self._renewed is not None and steady - self._renewed < self._lease.total_seconds() / 3:
            return
        with self._database.writing() as uow:
            self._set_state(uow.session, {"lease_until": self._clock.now() + self._lease})
        self._renewed = steady

    def _take_over(self, session: Session) -> LedgerState:
        state = session.get(LedgerState, STATE_ID)
        if state is None:
            state = fresh_state(self._database.origin, 0)
            session.add(state)
        if state.origin != self._database.origin:
            raise LedgerCorruptError(seq=0, rule="other-origin")
        now = self._clock.now()
        if self._lease is not None:
            if state.lease_until is not None and state.lease_until > now:
                raise SequencerRunningError
            state.lease_until = now + self._lease
        state.fence += 1
        session.flush()
        return state

    def _set_state(self, session: Session, values: dict[str, Any]) -> None:
        statement = update(LedgerState).where(LedgerState.id == STATE_ID, LedgerState.fence == self._fence)
        result = session.execute(statement.values(values), execution_options={"synchronize_session": False})
        if not isinstance(result, CursorResult) or result.rowcount != 1:
            raise FencedError

    def _note_clock_step(self) -> None:
        """Record a step of the wall clock against the monotonic one, or against the last entry at start."""
        wall, steady = self._clock.now(), self._clock.monotonic()
        if self._seen is None:
            drift = min(0.0, (wall - self._edge.last_at).total_seconds())
        else:
            drift = (wall - self._seen[0]).total_seconds() - (steady - self._seen[1])
        if abs(drift) > CLOCK_STEP_SECONDS:
            act = self._act(ActKind.CLOCK_STEPPED, milliseconds=round(drift * 1000))
            with self._database.writing() as uow:
                uow.record(act)
        self._seen = (wall, steady)

    def _act(self, kind: ActKind, **notes: int) -> Act:
        actor = system_identity("sequencer")
        return Act(kind=kind, actor=actor, object_type="ledger", object_id=self._database.origin, notes=notes)


def _pending(session: Session) -> Sequence[Row[int, str, bytes]]:
    query = (
        select(LedgerPending.position, LedgerPending.act_id, LedgerAct.core)
        .join(LedgerAct, LedgerAct.act_id == LedgerPending.act_id)
        .order_by(LedgerPending.position)
        .limit(BATCH)
    )
    return session.execute(query).all()
