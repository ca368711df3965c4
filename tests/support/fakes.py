# SPDX-License-Identifier: Apache-2.0
"""A database in a temporary folder, with a clock that the test moves."""

import datetime as dt
from pathlib import Path

from parts import database_url

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
    database = Database(
        database_url(folder),
        clock or HandClock(),
        RandomIds(),
        Secrets(folder / "keys"),
        ORIGIN,
        gate,
        doorbell,
    )
    database.create_tables()
    _OPENED.append(database)
    return database


def close_databases() -> None:
    """Close what a test opened and left open; called after each test."""
    while _OPENED:
        _OPENED.pop().close()
