# SPDX-License-Identifier: Apache-2.0
"""Sequencers that start at one moment, each in a process of its own with a lock file of its own."""

import datetime as dt
import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Final

from storage.clock import RandomIds, SystemClock
from storage.database import Database, repeated
from storage.engines import WriteConflictError
from storage.ledger.errors import SequencerRunningError
from storage.ledger.sequencer import Sequencer
from storage.secrets import Secrets

_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Finish:
    """How one of them fared.

    Attributes:
        process: Its process id.
        drained: How many acts it numbered; none when it was refused.
    """

    process: int
    drained: int | None


def race(url: str, origin: str, folder: Path, racers: int, lease: dt.timedelta) -> list[Finish]:
    """Start sequencers of one log as on as many machines; give how each fared.

    Nobody ends before everybody has tried.
    """
    # Neither forked from a process with threads and open databases nor each importing for itself.
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["psycopg", "storage.ledger.sequencer", "storage.secrets"])
    line, finishes = context.Barrier(racers), context.SimpleQueue()
    started = [
        context.Process(target=_start, args=(url, origin, folder, number, lease, line, finishes))
        for number in range(racers)
    ]
    for one in started:
        one.start()
    try:
        for one in started:
            one.join(_PATIENCE)
        assert [one.exitcode for one in started] == [0] * racers
        return [finishes.get() for _ in started]
    finally:
        for one in started:
            one.kill()


def _start(
    url: str,
    origin: str,
    folder: Path,
    number: int,
    lease: dt.timedelta,
    line: Barrier,
    finishes: "SimpleQueue[Finish]",
) -> None:
    clock = SystemClock()
    database = Database(url, clock, RandomIds(), Secrets(folder / "keys"), origin)
    line.wait(_PATIENCE)
    try:
        won = Sequencer(database, clock, folder / f"lock-{number}", lease)
    except (SequencerRunningError, WriteConflictError):
        won = None
    drained = None if won is None else repeated(won.drain)
    line.wait(_PATIENCE)
    finishes.put(Finish(os.getpid(), drained))
    if won is not None:
        won.close()
    database.close()
