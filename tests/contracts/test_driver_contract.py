# SPDX-License-Identifier: Apache-2.0
"""Who drives steps, the embedded worker or Celery on RabbitMQ: each once, none lost, whatever is killed."""

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from broker import Broker, Line, own_queues
from fakes import make_database
from parts import RABBITMQ
from sqlalchemy import select

from portal.doorbell import PATIENCE, POLL_SECONDS, CeleryDoorbell
from storage.clock import SystemClock
from storage.database import Database
from storage.ledger.models import LedgerAct
from storage.steps import StepRow

PROGRAM = Path(__file__).parent.parent / "support" / "stamping_worker.py"
NEEDED = pytest.mark.skipif(RABBITMQ not in os.environ, reason=f"{RABBITMQ} names no broker")
STARTED, PAST_RENEWAL, PAST_LOOKING = 15.0, 40.0, 30.0


def until(holds: Callable[[], object], within: float) -> None:
    """Look again and again until it holds."""
    end, pause = time.monotonic() + within, threading.Event()
    while not holds():
        assert time.monotonic() < end, f"not within {within} s"
        pause.wait(0.05)


class Site:
    """A database with its workers, and the broker between them if there is one."""

    def __init__(self, folder: Path, broker: Broker | None) -> None:
        self.folder = folder
        self.broker = broker
        self.line = Line(broker.url) if broker else None
        self.doorbell = CeleryDoorbell(self.line.url, broker.prefix) if broker and self.line else None
        self.database = make_database(folder, SystemClock(), doorbell=self.doorbell)
        self.workers: list[subprocess.Popen[bytes]] = []
        (folder / "gate").touch()

    def start(self) -> subprocess.Popen[bytes]:
        """Start one worker process."""
        queues = [self.broker.prefix, self.line.url] if self.broker and self.line else ["none"]
        log = (self.folder / "worker.log").open("ab")
        path = os.pathsep.join((str(PROGRAM.parent), str(PROGRAM.parents[2])))
        child = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self.folder), *queues],
            env={**os.environ, "PYTHONPATH": path},
            stdout=log,
            stderr=log,
        )
        log.close()
        self.workers.append(child)
        return child

    def add(self, number: int, kind: str = "test.stamp") -> list[str]:
        """Add steps, each in its own transaction."""
        added = []
        for subject in range(number):
            with self.database.writing() as uow:
                added.append(uow.add_step(kind, str(subject)))
        return added

    def states(self) -> Counter[str]:
        with self.database.reading() as uow:
            return Counter(uow.session.scalars(select(StepRow.state)))

    def until_done(self, within: float) -> None:
        until(lambda: set(self.states()) == {"done"}, within)

    def acts(self) -> Counter[str]:
        with self.database.reading() as uow:
            return Counter(uow.session.scalars(select(LedgerAct.kind)))

    def at_work(self) -> list[int]:
        """Give the processes that are at a held step."""
        return [int(path.name.rpartition("-")[2]) for path in self.folder.glob("at-work-*")]

    @contextmanager
    def gate_held(self) -> Iterator[None]:
        with (self.folder / "gate").open("r+") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        for child in self.workers:
            child.kill()
            child.wait()
        if self.doorbell:
            self.doorbell.close()
        if self.line:
            self.line.close()
        self.database.close()


@pytest.fixture(params=["embedded", pytest.param("celery", marks=(pytest.mark.services, NEEDED))])
def site(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Site]:
    yield from _site(tmp_path, request.param == "celery")


@pytest.fixture
def rung(tmp_path: Path) -> Iterator[Site]:
    yield from _site(tmp_path, True)


def _site(folder: Path, with_broker: bool) -> Iterator[Site]:
    if not with_broker:
        made = Site(folder, None)
        yield made
        made.close()
        return
    with own_queues() as broker:
        made = Site(folder, broker)
        yield made
        made.close()


def complete(database: Database, number: int) -> None:
    with database.reading() as uow:
        acts = Counter(uow.session.scalars(select(LedgerAct.kind)))
    assert acts["sealing.sealed"] == number
    assert acts["sealing.intended"] == number + acts["sealing.abandoned"]


def test_every_step_is_done_once_and_followers_after_what_they_follow(site: Site) -> None:
    for _ in range(2 if site.broker else 1):
        site.start()
    first = site.add(30)
    with site.database.writing() as uow:
        followers = [uow.add_step("test.stamp", step, after=step) for step in first[:10]]
    site.until_done(STARTED + PAST_LOOKING)
    complete(site.database, 40)
    with site.database.reading() as uow:
        rows = {row.id: row for row in uow.session.scalars(select(StepRow))}
    for follower in followers:
        before, after = rows[str(rows[follower].after_step)].finished_at, rows[follower].finished_at
        assert before is not None
        assert after is not None
        assert before <= after


def test_a_killed_worker_loses_nothing_and_its_steps_are_taken_over_before_their_lease_ends(
    site: Site,
) -> None:
    with site.gate_held():
        site.start()
        site.add(4, "test.held")
        until(site.at_work, STARTED)
        killed = site.workers[0]
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        site.start()
        until(lambda: len(site.at_work()) == 2, STARTED + PAST_RENEWAL)
    site.until_done(PAST_RENEWAL)
    complete(site.database, 4)
    assert site.acts()["sealing.abandoned"] >= 1
    assert list((site.folder / "workers").glob(f"*:{killed.pid}:*")) == []


def test_a_worker_that_is_asked_to_end_finishes_what_it_is_at(site: Site) -> None:
    with site.gate_held():
        child = site.start()
        site.add(1, "test.held")
        until(site.at_work, STARTED)
        child.terminate()
    assert child.wait(STARTED) == 0
    site.until_done(0)
    complete(site.database, 1)


@pytest.mark.services
@NEEDED
def test_a_message_carries_the_id_of_a_step_and_nothing_of_the_case(rung: Site) -> None:
    with rung.database.writing() as uow:
        step = uow.add_step("test.stamp", "subject-of-the-step")
    assert rung.doorbell is not None
    assert rung.broker is not None
    rung.doorbell.close()
    (body,) = rung.broker.bodies("pdf")
    assert step.encode() in body
    assert b"subject-of-the-step" not in body


@pytest.mark.services
@NEEDED
def test_what_is_rung_for_is_done_before_anybody_looks(rung: Site) -> None:
    rung.start()
    rung.add(1)
    rung.until_done(STARTED + PAST_LOOKING)
    heard = rung.add(10)
    rung.until_done(PAST_LOOKING)
    with rung.database.reading() as uow:
        rows = [uow.session.get_one(StepRow, step) for step in heard]
        # Looking leaves a ready step to its ring for so long.
        assert min(row.finished_at - row.created_at for row in rows if row.finished_at) < PATIENCE


@pytest.mark.services
@NEEDED
def test_a_step_that_waits_is_done_when_it_is_due_though_nobody_rings(rung: Site) -> None:
    rung.start()
    rung.add(1)
    rung.until_done(STARTED + PAST_LOOKING)
    with rung.database.writing() as uow:
        step = uow.add_step("test.stamp", "waits", delay_seconds=POLL_SECONDS + 2)
    rung.until_done(PAST_LOOKING)
    with rung.database.reading() as uow:
        row = uow.session.get_one(StepRow, step)
        assert row.finished_at is not None
        assert row.finished_at - row.run_after < PATIENCE


@pytest.mark.services
@NEEDED
def test_rings_that_are_lost_are_made_up_for_by_looking(rung: Site) -> None:
    rung.add(5)
    assert rung.doorbell is not None
    assert rung.broker is not None
    rung.doorbell.close()
    assert rung.broker.purge("pdf") == 5
    rung.start()
    rung.until_done(STARTED + PAST_LOOKING)
    complete(rung.database, 5)


@pytest.mark.services
@NEEDED
@pytest.mark.parametrize("way", ["cut", "hold"], ids=["broker down", "broker silent"])
def test_without_the_broker_work_is_slower_and_nothing_is_lost_and_no_request_waits(
    rung: Site, way: str
) -> None:
    assert rung.line is not None
    rung.start()
    rung.add(1)
    rung.until_done(STARTED + PAST_LOOKING)
    getattr(rung.line, way)()
    began = time.monotonic()
    rung.add(20)
    assert time.monotonic() - began < 2
    rung.until_done(PAST_LOOKING)
    rung.line.mend()
    rung.add(5)
    rung.until_done(PAST_LOOKING)
    complete(rung.database, 26)
    assert rung.workers[0].poll() is None
