# SPDX-License-Identifier: Apache-2.0
"""A database in a temporary folder, with a clock that the test moves."""

import datetime as dt
import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from parts import POSTGRESQL, database_url, template
from sqlalchemy import inspect

from storage.base import Base
from storage.clock import Clock, RandomIds
from storage.database import Database
from storage.ports import Doorbell, Gate
from storage.secrets import Secrets

ORIGIN = "test.cunzheng.invalid/log"


_OPENED: list[Database] = []


class HandClock:
    """A clock that stands still until the test moves it."""

    def __init__(self, at: dt.datetime = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)) -> None:
        self.at = at
        self.ticks = 0.0

    def now(self) -> dt.datetime:
        return self.at

    def monotonic(self) -> float:
        return self.ticks

    def advance(self, seconds: float) -> None:
        self.at += dt.timedelta(seconds=seconds)
        self.ticks += seconds


def make_database(
    folder: Path,
    clock: Clock | None = None,
    gate: Gate | None = None,
    doorbell: Doorbell | None = None,
) -> Database:
    tables = frozenset(Base.metadata.tables)
    if POSTGRESQL in os.environ:
        url = database_url(folder, template(tables, _make_tables))
    else:
        url, path = database_url(folder), folder / "cunzheng.db"
        if not path.exists():
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(_empty(tables))
    database = Database(
        url,
        clock or HandClock(),
        RandomIds(),
        Secrets(folder / "keys"),
        ORIGIN,
        gate,
        doorbell,
    )
    _OPENED.append(database)
    return database


@cache
def _empty(tables: frozenset[str]) -> bytes:
    """Give a database file with every table that is imported; making them one by one is the slow part."""
    with TemporaryDirectory() as name:
        path = Path(name) / "cunzheng.db"
        _make_tables(f"sqlite:///{path}", tables)
        return path.read_bytes()


def _make_tables(url: str, tables: frozenset[str]) -> None:
    with TemporaryDirectory() as name:
        made = Database(url, HandClock(), RandomIds(), Secrets(Path(name) / "keys"), ORIGIN)
        made.create_tables()
        made.close()
        assert set(inspect(made.engine).get_table_names()) == tables
        made.close()


def close_databases() -> None:
    """Close what a test opened and left open; called after each test."""
    while _OPENED:
        _OPENED.pop().close()
