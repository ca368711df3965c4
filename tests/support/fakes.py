# SPDX-License-Identifier: Apache-2.0
"""A database in a temporary folder, with a clock that the test moves."""

import datetime as dt
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from parts import database_url
from sqlalchemy import inspect

from storage.base import Base
from storage.clock import Clock, RandomIds
from storage.database import Database, Doorbell, Gate
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
    url, path = database_url(folder), folder / "cunzheng.db"
    fresh = url.startswith("sqlite") and not path.exists()
    if fresh:
        folder.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_empty(frozenset(Base.metadata.tables)))
    database = Database(
        url,
        clock or HandClock(),
        RandomIds(),
        Secrets(folder / "keys"),
        ORIGIN,
        gate,
        doorbell,
    )
    if not fresh:
        database.create_tables()
    _OPENED.append(database)
    return database


@cache
def _empty(tables: frozenset[str]) -> bytes:
    """Give a database file with every table that is imported; making them one by one is the slow part."""
    with TemporaryDirectory() as name:
        made = Database(
            f"sqlite:///{name}/cunzheng.db", HandClock(), RandomIds(), Secrets(Path(name) / "keys"), ORIGIN
        )
        made.create_tables()
        made.close()
        assert set(inspect(made.engine).get_table_names()) == tables
        made.close()
        return (Path(name) / "cunzheng.db").read_bytes()


def close_databases() -> None:
    """Close what a test opened and left open; called after each test."""
    while _OPENED:
        _OPENED.pop().close()
