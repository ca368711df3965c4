# SPDX-License-Identifier: Apache-2.0
"""Engines for the records: SQLite for a desk, PostgreSQL for a city, with the same promises.

SQLite: WAL, ``synchronous=FULL``, writing units begin ``IMMEDIATE``. PostgreSQL: every unit runs
``REPEATABLE READ``, so a row that another unit has changed meanwhile refuses the change instead of losing
one; ``synchronous_commit`` is on; a server that stops answering is given up after a limit.
"""

import sqlite3
import time
from typing import Any, Final, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

from storage.errors import CunzhengError

BEGIN_OPTION: Final = "cunzheng_begin"
ALONE: Final = "ALONE"
"""Value of that option: each statement by itself, in no transaction."""
WRITING: Final = "IMMEDIATE"
"""Value of that option: as the only writer."""
_Answer = TypeVar("_Answer")
_BUSY_MILLISECONDS = 30_000
_CONNECTIONS = 20
"""Kept open; a web process has up to 64 threads, of which few hold one at the same time."""
_ANSWER_SECONDS = 20.0
"""No statement of ours takes that long; a server that is silent for longer is taken to be gone."""
_GREETING_SECONDS = 3
"""How long a server may take to accept a connection, or to answer whether one still lives."""
_POOL_SECONDS = 5
HELD_KIBIBYTES = 32_000
"""KiB of the embedded database's file that a connection holds."""
LOGGED_PAGES: Final = 40_000
"""Pages of 4 KiB in the embedded database's log of writes from which on a commit brings them into the file.

The sequencer does it before (ADR 0068); this is for when it does not run."""
_PATIENCE_MILLISECONDS = 50
_SHORTEST_LOOK, _LONGEST_LOOK = 0.0005, 0.01
"""Seconds between looks whether the writer of another process is done."""
_CONFLICTS = frozenset({"40001", "40P01", "23505", "55P03"})
"""Serialisation failure, deadlock, unique violation, lock not available (PostgreSQL, appendix A)."""


class WriteConflictError(CunzhengError):
    """Another unit of work changed the same rows at the same time; nothing was written."""

    code = "write-conflict"
    status = 503
    title_zh = "同一记录正被他人修改"
    title_en = "Somebody else is changing the same record"
    remedy_zh = "请立即重试；未写入任何内容。"
    remedy_en = "Try again at once; nothing was written."


class RecordsUnavailableError(CunzhengError):
    """The database does not answer: nothing that must be recorded is done."""

    code = "records-unavailable"
    status = 503
    title_zh = "数据库无应答，暂停受理"
    title_en = "The database does not answer"
    remedy_zh = "请运维检查数据库；恢复后自动受理。"
    remedy_en = "The operator checks the database; work resumes by itself."


class _ImpatientConnection(psycopg.Connection[Any]):
    """A connection that does not wait for ever: a stopped server holds the socket open and says nothing."""

    lent = True
    """Whether somebody works with it; one that lies in the pool is only asked whether it lives."""

    def wait(self, gen: PQGen[_Answer], interval: float = 0.1, timeout: float | None = None) -> _Answer:
        """Wait for the server, ``_ANSWER_SECONDS`` at most."""
        if timeout is None:
            timeout = _ANSWER_SECONDS if self.lent else _GREETING_SECONDS
        try:
            return super().wait(gen, interval, timeout)
        except psycopg.Error:
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                # The answer may still come, to whoever has the connection next.
                self.close()
            raise


def open_engine(url: str) -> Engine:
    """Open the engine for an address of SQLAlchemy's form, ``sqlite:///…`` or ``postgresql+psycopg://…``."""
    shared: dict[str, Any] = {
        "pool_size": _CONNECTIONS,
        "max_overflow": _CONNECTIONS,
        # A failed statement must not show what it was given: it may be personal data.
        "hide_parameters": True,
    }
    if make_url(url).get_backend_name() == "postgresql":
        return _postgresql(url, shared)
    engine = create_engine(url, **shared)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def write_back(connection: Connection) -> None:
    """Bring what an embedded database's log of writes holds into its file.

    Nobody waits for it while the log is short. Where commits follow each other so closely that the log never
    ends with what was brought back, it would grow without bound: writers wait then for what is left.

    Args:
        connection: Of a SQLite file, in no transaction.

    Raises:
        RecordsUnavailableError: The file takes nothing, for lack of room above all; what was committed stays
            in the log.
    """
    try:
        _, logged, _ = connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)").one()
        if logged <= LOGGED_PAGES // 2:
            return
        connection.exec_driver_sql(f"PRAGMA busy_timeout={_PATIENCE_MILLISECONDS}")
        try:
            connection.exec_driver_sql("PRAGMA wal_checkpoint(FULL)")
        finally:
            connection.exec_driver_sql(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")
    except OperationalError as error:
        raise RecordsUnavailableError from error


def translated(error: DBAPIError) -> CunzhengError | None:
    """Give the error of ours for one of PostgreSQL's that is nobody's fault here; ``None`` for any other."""
    if not isinstance(error.orig, psycopg.Error):
        return None
    state = error.orig.sqlstate
    if state in _CONFLICTS:
        return WriteConflictError()
    if error.connection_invalidated or (isinstance(error, OperationalError) and _is_gone(state)):
        return RecordsUnavailableError()
    return None


def _is_gone(state: str | None) -> bool:
    # 08: connection; 53: out of disk, memory or connections; 57P: shut down or starting.
    return state is None or state.startswith(("08", "53", "57P"))


def _postgresql(url: str, shared: dict[str, Any]) -> Engine:
    engine = create_engine(
        url,
        **shared,
        pool_pre_ping=True,
        pool_timeout=_POOL_SECONDS,
        isolation_level="REPEATABLE READ",
        creator=lambda: _ImpatientConnection.connect(
            make_url(url).set(drivername="postgresql").render_as_string(hide_password=False),
            connect_timeout=_GREETING_SECONDS,
            options="-c synchronous_commit=on -c lock_timeout=10s -c idle_in_transaction_session_timeout=60s",
        ),
    )
    event.listen(engine, "checkin", _lie)
    event.listen(engine, "checkout", _lend)
    return engine


def _lie(connection: _ImpatientConnection | None, _record: ConnectionPoolEntry) -> None:
    # A connection that ended comes back as none.
    if connection is not None:
        connection.lent = False


def _lend(
    connection: _ImpatientConnection, _record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    connection.lent = True


def _prepare_sqlite(connection: DBAPIConnection, _record: ConnectionPoolEntry) -> None:
    # The driver must not open transactions by itself: _begin_sqlite does, and says which kind.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={_BUSY_MILLISECONDS}",
        f"cache_size=-{HELD_KIBIBYTES}",
        f"wal_autocheckpoint={LOGGED_PAGES}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    mode = connection.get_execution_options().get(BEGIN_OPTION, "DEFERRED")
    if mode == WRITING:
        _begin_writing(connection)
    elif mode != ALONE:
        connection.exec_driver_sql(f"BEGIN {mode}")


def _begin_writing(connection: Connection) -> None:
    """Begin as the only writer, as soon as the writer of another process is done.

    SQLite's own way to wait sleeps ever longer, up to a tenth of a second, where a unit takes milliseconds.

    Raises:
        RecordsUnavailableError: Somebody else is not done for half a minute.
    """
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    start = time.monotonic()
    driver.execute("PRAGMA busy_timeout=0")
    try:
        while not _is_writer(driver):
            waited = time.monotonic() - start
            if waited > _BUSY_MILLISECONDS / 1000:
                raise RecordsUnavailableError
            time.sleep(min(max(_SHORTEST_LOOK, waited / 10), _LONGEST_LOOK))
    finally:
        driver.execute(f"PRAGMA busy_timeout={_BUSY_MILLISECONDS}")


def _is_writer(driver: sqlite3.Connection) -> bool:
    try:
        driver.execute(f"BEGIN {WRITING}")
    except sqlite3.OperationalError as error:
        # The lowest byte of an extended code is the plain one.
        if error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY:
            return False
        raise
    return True
