# SPDX-License-Identifier: Apache-2.0
"""Dumps of the records: by SQLite itself, or by PostgreSQL's own programs in their custom format.

A dump is one consistent snapshot, taken while work goes on. Passwords reach the programs by their
environment only: a command line is visible to everybody on the machine.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from sqlalchemy import URL, Connection, create_engine, inspect, make_url, text

from portal.backup.errors import BackupProgramError, DatabaseNotEmptyError
from portal.settings import Settings
from portal.tables import all_tables
from storage.files import sync_folder

_Seen = TypeVar("_Seen")
_SQLITE_FILES = ("-wal", "-shm", "")


class Dumper(Protocol):
    """Dumps and loads one kind of database."""

    engine: str
    file: str

    def dump(self, target: Path, look: Callable[[Connection], _Seen]) -> _Seen:
        """Write the dump to a new file; give what ``look`` saw in the very snapshot that was dumped."""
        ...

    def require_empty(self) -> None:
        """Raise :class:`DatabaseNotEmptyError` when something stands where a restore would go."""
        ...

    def clear(self) -> None:
        """Make room."""
        ...

    def load(self, source: Path) -> str:
        """Load a dump; give the address of what was loaded, which nobody else works with yet."""
        ...

    def finish(self, aside: str) -> None:
        """Put what was loaded in its place; a file that stood there is kept under a name ending in this."""
        ...

    def abort(self) -> None:
        """Remove what was loaded."""
        ...


def programs(url: str, program: str, *arguments: str) -> tuple[list[str], Mapping[str, str]]:
    """Give the command line and the environment of a program of PostgreSQL's for a database."""
    address = make_url(url).set(drivername="postgresql")
    found = shutil.which(program)
    if found is None:
        raise BackupProgramError(program=program)
    environment = {"PATH": os.environ.get("PATH", ""), "LANG": "C.UTF-8"}
    for name in ("PGPASSFILE", "PGSSLROOTCERT", "PGSSLCERT", "PGSSLKEY", "HOME"):
        if name in os.environ:
            environment[name] = os.environ[name]
    if address.password is not None:
        environment["PGPASSWORD"] = str(address.password)
    # ``set`` takes a missing password for one that is to stay.
    name = URL.create(
        address.drivername,
        username=address.username,
        host=address.host,
        port=address.port,
        database=address.database,
        query=address.query,
    ).render_as_string(hide_password=False)
    return [found, *arguments, f"--dbname={name}"], environment


def _run(url: str, program: str, *arguments: str) -> None:
    command, environment = programs(url, program, *arguments)
    done = subprocess.run(  # noqa: S603 - a program of the system's with our own arguments
        command, env=dict(environment), stdin=subprocess.DEVNULL, capture_output=True, check=False
    )
    if done.returncode:
        # What it says may quote data; its exit code does not.
        raise BackupProgramError(program=program, exit=done.returncode)


class PostgresqlDumper:
    """Dumps with ``pg_dump``, loads with ``pg_restore``.

    Args:
        url: The database in the role that owns its tables.
    """

    engine = "postgresql"
    file = "records.pgdump"

    def __init__(self, url: str) -> None:
        self._url = url

    def dump(self, target: Path, look: Callable[[Connection], _Seen]) -> _Seen:
        """Dump a snapshot that stays open until the program has ended."""
        database = create_engine(self._url, isolation_level="REPEATABLE READ")
        try:
            with database.connect() as connection, connection.begin():
                snapshot = connection.scalar(text("SELECT pg_export_snapshot()"))
                seen = look(connection)
                self._dump(target, str(snapshot))
        finally:
            database.dispose()
        return seen

    def _dump(self, target: Path, snapshot: str) -> None:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        options = ("--format=custom", "--no-owner", "--no-privileges", "--no-password")
        _run(self._url, "pg_dump", *options, f"--snapshot={snapshot}", f"--file={target}")

    def load(self, source: Path) -> str:
        """Load all or nothing."""
        options = (
            "--no-owner",
            "--no-privileges",
            "--no-password",
            "--exit-on-error",
            "--single-transaction",
        )
        _run(self._url, "pg_restore", *options, str(source))
        return self._url

    def finish(self, aside: str) -> None:
        """Nothing is left to do: what stood there was removed before."""

    def abort(self) -> None:
        """Leave the database empty."""
        self.clear()

    def require_empty(self) -> None:
        """Raise :class:`DatabaseNotEmptyError` when there is a table."""
        with _owned(self._url) as connection:
            if inspect(connection).get_table_names():
                raise DatabaseNotEmptyError

    def clear(self) -> None:
        """Remove our tables; there is no room for two sets of them."""
        with _owned(self._url) as connection:
            names = [*all_tables().tables, "alembic_version"]
            quoted = ", ".join(connection.dialect.identifier_preparer.quote(name) for name in names)
            connection.execute(text(f"DROP TABLE IF EXISTS {quoted} CASCADE"))
            connection.execute(text("DROP FUNCTION IF EXISTS refuse_change()"))


class SqliteDumper:
    """Dumps with SQLite's own ``VACUUM INTO``; loads beside the database's place, and moves at the end.

    Args:
        path: The database's file.
    """

    engine = "sqlite"
    file = "records.sqlite"

    def __init__(self, path: Path) -> None:
        self._path = path
        self._loaded = path.with_name(f"{path.name}.restoring")

    def dump(self, target: Path, look: Callable[[Connection], _Seen]) -> _Seen:
        """Dump one snapshot, writers going on, and look at the copy."""
        with closing(sqlite3.connect(f"file:{self._path}?mode=ro", uri=True)) as source:
            source.execute("VACUUM INTO ?", (str(target),))
        target.chmod(0o600)
        database = create_engine(f"sqlite:///{target}")
        try:
            with database.connect() as connection:
                return look(connection)
        finally:
            database.dispose()

    def require_empty(self) -> None:
        """Raise :class:`DatabaseNotEmptyError` when the file stands there."""
        if self._path.exists():
            raise DatabaseNotEmptyError

    def clear(self) -> None:
        """Do nothing yet: the file is moved aside when its successor is ready."""

    def load(self, source: Path) -> str:
        """Copy the dump beside the database's place."""
        self.abort()
        shutil.copyfile(source, self._loaded)
        self._loaded.chmod(0o600)
        return f"sqlite:///{self._loaded}"

    def finish(self, aside: str) -> None:
        """Move what stood there aside, and what was loaded into its place."""
        with closing(sqlite3.connect(self._loaded)) as loaded:
            loaded.execute("PRAGMA journal_mode=DELETE")
        for ending in _SQLITE_FILES:
            old = self._path.with_name(self._path.name + ending)
            if old.exists():
                old.rename(self._path.with_name(f"{self._path.name}.{aside}{ending}"))
        self._loaded.rename(self._path)
        sync_folder(self._path.parent)

    def abort(self) -> None:
        """Remove the copy."""
        for ending in _SQLITE_FILES:
            self._loaded.with_name(self._loaded.name + ending).unlink(missing_ok=True)


def dumper_of(settings: Settings) -> Dumper:
    """Give what dumps and loads the records of an installation."""
    if settings.database is None:
        return SqliteDumper(settings.data / "cunzheng.db")
    return PostgresqlDumper(settings.owner_database_url)


@contextmanager
def _owned(url: str) -> Iterator[Connection]:
    database = create_engine(url)
    try:
        with database.begin() as connection:
            yield connection
    finally:
        database.dispose()
