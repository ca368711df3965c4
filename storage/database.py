# SPDX-License-Identifier: Apache-2.0
"""The database and the unit of work: permission, rule, change, record and step in one transaction.

On SQLite: one in-process writer lock before ``BEGIN IMMEDIATE`` (SQLite's own busy handler sleeps, hence
its tails), reads in deferred transactions of their own. On PostgreSQL units run side by side: one that
changes what another has changed meanwhile ends with :class:`storage.engines.WriteConflictError` and is run
again by whoever opened it. Only ``portal`` opens units of work; no I/O but the database's belongs inside one.
"""

import datetime as dt
import random
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import TypeVar

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.orm import Session, make_transient

from storage.base import Base
from storage.breaker import Breaker
from storage.clock import Clock, IdSource
from storage.engines import (
    ALONE,
    BEGIN_OPTION,
    WRITING,
    RecordsUnavailableError,
    WriteConflictError,
    open_engine,
    translated,
    write_back,
)
from storage.errors import CunzhengError
from storage.identity import system_identity
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind
from storage.looking import Look
from storage.ports import Doorbell, Gate
from storage.recording import ActWriter, Follow
from storage.secrets import Secrets
from storage.steps import StepRow, followers, wake

_Result = TypeVar("_Result")
_PAUSES = tuple(min(0.002 * 2**number, 0.25) for number in range(60))
"""Longest pauses between tries, in seconds; about seven on the average for all of them."""


class LedgerClosedError(CunzhengError):
    """Sequencing or anchoring lags beyond its limit: acts are refused until it has caught up."""

    code = "ledger-closed"
    status = 503
    title_zh = "审计链滞后，暂停受理"
    title_en = "The ledger lags behind; acts are refused"
    remedy_zh = "请运维检查 sequencer 进程与时间戳服务，恢复后自动受理。"
    remedy_en = "The operator checks the sequencer and the time-stamping service; acts resume by themselves."


class UnitOfWork:
    """One transaction: a session, the clock, ids, secrets, and the two ways out: acts and steps."""

    def __init__(
        self,
        session: Session,
        clock: Clock,
        ids: IdSource,
        secrets: Secrets,
        origin: str,
        gate: Gate | None,
        doorbell: Doorbell | None = None,
    ) -> None:
        self.session = session
        self.clock = clock
        self.ids = ids
        self.secrets = secrets
        self._origin = origin
        self._gate = gate
        self._doorbell = doorbell
        self._announced: list[tuple[str, str]] = []
        self._on_commit: list[Callable[[], None]] = []

    @property
    def connection(self) -> Connection:
        """Give the connection of the unit's session."""
        return self.session.connection()

    def add_anew(self, rows: Iterable[Base]) -> None:
        """Add rows made outside of this unit, also where an earlier one wrote them and rolled back."""
        for row in rows:
            # A session that ended leaves its rows marked as stored, and would not write them a second time.
            make_transient(row)
            self.session.add(row)

    def on_commit(self, action: Callable[[], None]) -> None:
        """Call ``action`` after the commit; it is best effort (a doorbell), never the truth."""
        self._on_commit.append(action)

    def record(self, act: Act) -> Promise:
        """Write the act's core and encrypted detail in this transaction and promise its sequencing.

        Raises:
            LedgerClosedError: The ledger lags; the transaction must not commit.
        """
        return self.record_all([act])[0]

    def record_all(self, acts: Sequence[Act], follow: Follow | None = None) -> list[Promise]:
        """Write acts as :meth:`record` writes each, in their order, with fewer ways to the database.

        Args:
            acts: The acts.
            follow: Gives further ones, once it is known what these promise.

        Returns:
            The promises of all of them.

        Raises:
            LedgerClosedError: The ledger lags; the transaction must not commit.
        """
        if not acts:
            return []
        writer = ActWriter(self.session, self.ids, self.secrets, self._origin)
        now = self.clock.now()
        self._admit(acts)
        if self._gate is not None:
            refused = self._gate.take_refusals(self.session)
            if refused:
                closed = Act(
                    kind=ActKind.LEDGER_CLOSED_REFUSALS,
                    actor=system_identity("gate"),
                    object_type="ledger",
                    object_id=self._origin,
                    notes={"count": refused},
                )
                writer.write([closed], now)
        return writer.write(acts, now, follow and self._admitted(follow))

    def _admitted(self, follow: Follow) -> Follow:
        def admitted(promises: Sequence[Promise]) -> Sequence[Act]:
            acts = follow(promises)
            self._admit(acts)
            return acts

        return admitted

    def _admit(self, acts: Sequence[Act]) -> None:
        if self._gate is not None:
            for kind in dict.fromkeys(act.kind for act in acts):
                self._gate.admit(kind)

    def add_step(
        self,
        kind: str,
        subject: str,
        *,
        after: str | None = None,
        delay_seconds: float = 0.0,
        step_id: str | None = None,
    ) -> str:
        """Add a step for the worker, in this transaction.

        Args:
            kind: Name of a registered :class:`storage.steps.Step`.
            subject: Id of what the step works on.
            after: Id of a step that must be done first.
            delay_seconds: Do not start before this long from now.
            step_id: Its id, for a step of which only one may ever stand; otherwise a new one.

        Returns:
            The step's id.
        """
        now = self.clock.now()
        row = StepRow(
            id=step_id or self.ids.new_id(),
            kind=kind,
            subject=subject,
            state="ready",
            attempts=0,
            claims=0,
            deaths=0,
            job=self.ids.new_id(),
            after_step=after,
            run_after=now + dt.timedelta(seconds=delay_seconds),
            created_at=now,
        )
        self.session.add(row)
        self.session.flush()
        if after is None and not delay_seconds:
            self.announce([(kind, row.id)])
        return row.id

    def announce_followers(self, step_id: str) -> None:
        """Ring for the steps that waited for this one; where nobody hears it, they are not looked for."""
        if self._doorbell is not None:
            self.announce(followers(self.session, step_id))

    def wake(self, problem: str) -> None:
        """Let every step that waits for ``problem`` be planned at once."""
        self.announce(wake(self.session, problem, self.clock.now()))

    def announce(self, steps: Sequence[tuple[str, str]]) -> None:
        """Ring for steps that may run, each by kind and id, once this unit has committed."""
        if self._doorbell is None or not steps:
            return
        if not self._announced:
            self.on_commit(partial(self._doorbell.ring, self._announced))
        self._announced.extend(steps)

    def run_commit_actions(self) -> None:
        """Call what :meth:`on_commit` collected; the database does this after its commit."""
        for action in self._on_commit:
            action()


class Database:
    """Opens units of work on one database.

    Args:
        url: SQLAlchemy URL of a SQLite file or a PostgreSQL database.
        clock: Where time comes from.
        ids: Where ids and nonces come from.
        secrets: The key folder.
        origin: Name of the installation's log (C2SP origin line), part of every promise.
        gate: Decides whether acts are admitted; none in tools that only read.
        doorbell: Announces steps to workers elsewhere; without one they find steps by looking.
    """

    def __init__(
        self,
        url: str,
        clock: Clock,
        ids: IdSource,
        secrets: Secrets,
        origin: str,
        gate: Gate | None = None,
        doorbell: Doorbell | None = None,
    ) -> None:
        self.engine = open_engine(url)
        self.origin = origin
        self.secrets = secrets
        self.gate = gate
        self._doorbell = doorbell
        self._clock = clock
        self._ids = ids
        self._server = Breaker(RecordsUnavailableError)
        self._one_writer = one_writer = self.engine.dialect.name == "sqlite"
        self._writer = threading.Lock() if one_writer else nullcontext()
        self._claims = {} if one_writer else {"isolation_level": "READ COMMITTED"}
        self._alone = {BEGIN_OPTION: ALONE} if one_writer else {"isolation_level": "AUTOCOMMIT"}

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """Open a unit that only reads: a consistent snapshot, rolled back at the end.

        Raises:
            RecordsUnavailableError: The database does not answer.
        """
        with self.connecting() as connection:
            connection.begin()
            with Session(bind=connection, autoflush=False) as session:
                yield self._unit(session)

    @contextmanager
    def looking(self) -> Iterator[Look]:
        """Look something up without a transaction: for one row a quarter less than a unit costs.

        Raises:
            RecordsUnavailableError: The database does not answer.
        """
        with self.connecting() as connection:
            yield Look(connection.execution_options(**self._alone), self._clock)

    @contextmanager
    def writing(self) -> Iterator[UnitOfWork]:
        """Open a unit that commits at the end, or rolls back on any exception.

        Raises:
            LedgerClosedError: The ledger lags; the refusal is counted.
            RecordsUnavailableError: The database does not answer; whether a unit that was being committed
                took effect is then not known.
            WriteConflictError: Another unit changed the same rows; nothing was written, run it again.
        """
        try:
            with self._writing_session() as session:
                unit = self._unit(session)
                yield unit
        except LedgerClosedError:
            self._count_refusal()
            raise
        unit.run_commit_actions()

    def write(self, work: Callable[[UnitOfWork], _Result]) -> _Result:
        """Do ``work`` in a writing unit, again from the start when it meets another one; give its result.

        Raises:
            As :meth:`writing`; :class:`WriteConflictError` only when it met others at every one of the tries.
        """

        def once() -> _Result:
            with self.writing() as uow:
                return work(uow)

        return repeated(once)

    @contextmanager
    def claiming(self) -> Iterator[Session]:
        """Open a short unit that takes rows which others may be taking: it sees each row's newest state."""
        with self._writing_session(**self._claims) as session:
            yield session

    @contextmanager
    def connecting(self) -> Iterator[Connection]:
        """Lend a connection; while the server is away, all but one that asks are told so at once.

        Raises:
            RecordsUnavailableError: The database does not answer.
        """
        with self._server.noticing(), _errors_of_ours(), self._connect() as connection:
            yield connection

    def _connect(self) -> Connection:
        with self._server.asking(), _errors_of_ours():
            return self.engine.connect()

    @contextmanager
    def _writing_session(self, **options: str) -> Iterator[Session]:
        with self._writer, self.connecting() as raw:
            connection = raw.execution_options(**{BEGIN_OPTION: WRITING}, **options)
            with connection.begin(), Session(bind=connection, expire_on_commit=False) as session:
                yield session
                # The session ends without a commit of its own; what it holds must be written before ours.
                session.flush()

    def write_back(self) -> None:
        """Bring what lies in an embedded database's log of writes into its file, as :func:`write_back` does.

        Raises:
            RecordsUnavailableError: The file takes nothing; what was committed stays in the log.
        """
        if self._one_writer:
            with self.connecting() as connection:
                write_back(connection.execution_options(**self._alone))

    @property
    def rings_are_lost(self) -> bool:
        """Tell whether the last ring was not taken; who relies on rings must look oftener then."""
        return self._doorbell is not None and not self._doorbell.heard

    def create_tables(self) -> None:
        """Create every table that is imported; for tests (installations run the migrations)."""
        Base.metadata.create_all(self.engine)

    def close(self) -> None:
        """Close pooled connections."""
        self.engine.dispose()

    def _unit(self, session: Session) -> UnitOfWork:
        return UnitOfWork(
            session, self._clock, self._ids, self.secrets, self.origin, self.gate, self._doorbell
        )

    def _count_refusal(self) -> None:
        if self.gate is None:
            return
        with self._writing_session() as session:
            self.gate.count_refusal(session)


def repeated(work: Callable[[], _Result]) -> _Result:
    """Run ``work``, again when another unit of work changed the same rows at the same time.

    ``work`` opens its own units and can be run again from the start.

    Raises:
        WriteConflictError: It met others at every one of the tries.
    """
    for pause in _PAUSES:
        try:
            return work()
        except WriteConflictError:
            # Whoever was first is done by then; chance keeps those who wait from meeting again.
            time.sleep(random.uniform(0, pause))  # noqa: S311 - spreads load, protects nothing
    return work()


@contextmanager
def _errors_of_ours() -> Iterator[None]:
    try:
        yield
    except PoolTimeoutError as error:
        raise RecordsUnavailableError from error
    except DBAPIError as error:
        ours = translated(error)
        if ours is None:
            raise
        raise ours from error
