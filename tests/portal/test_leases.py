# SPDX-License-Identifier: Apache-2.0
"""Claims: leases that live workers renew, exactly the step that was rung for, deaths that count apart."""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from sqlalchemy import select
from stamping import DeadlyStep, KilledError, StampStep, kinds, make_worker, states

from portal.steps import StepDesk
from portal.worker import Worker
from storage.clock import RandomIds
from storage.database import Database, LedgerClosedError
from storage.identity import Identity, Role
from storage.ledger.canonical import Json
from storage.steps import BACKOFF_SECONDS, Staging, StepRow, may_run


def test_deaths_of_workers_do_not_use_up_the_tries_for_failures(tmp_path: Path) -> None:
    clock, step = HandClock(), DeadlyStep()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
    worker = make_worker(database, tmp_path, clock, step)
    for _ in range(len(BACKOFF_SECONDS) + 3):
        with pytest.raises(KilledError):
            worker.run_one()
        worker.recover()
        clock.advance(300)
    step.mended, step.fail = True, len(BACKOFF_SECONDS)
    for _ in BACKOFF_SECONDS:
        assert worker.run_one()
        assert states(database) == [("ready", "internal")]
        clock.advance(700)
    assert worker.run_one()
    assert states(database) == [("done", None)]


def test_a_step_that_keeps_ending_its_worker_rests_longer_each_time_and_leaves_the_worker_to_others(
    tmp_path: Path,
) -> None:
    clock, deadly = HandClock(), DeadlyStep()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
    worker = make_worker(database, tmp_path, clock, deadly)
    rests = []
    for _ in range(13):
        with pytest.raises(KilledError):
            worker.run_one()
        worker.recover()
        begin = clock.now()
        while not some_step_may_run(database, clock):
            clock.advance(1)
        rests.append((clock.now() - begin).total_seconds())
    assert rests == [0, 0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    with pytest.raises(KilledError):
        worker.run_one()
    worker.recover()
    with database.writing() as uow:
        uow.add_step("test.stamp", "y")
    deadly.mended = True
    assert worker.run_one()
    assert states(database) == [("ready", None), ("done", None)]
    assert not worker.run_one()


def some_step_may_run(database: Database, clock: HandClock) -> bool:
    with database.reading() as uow:
        return uow.session.scalars(select(StepRow.id).where(may_run(clock.now()))).first() is not None


class SlowStep(StampStep):
    """A step that lasts longer than a lease; the test says what happens meanwhile."""

    meanwhile: Callable[[], object]

    def perform(self, plan: Json, staging: Staging) -> Json:
        self.meanwhile()
        return super().perform(plan, staging)


@pytest.mark.parametrize("alive", [True, False], ids=["renewed", "not renewed"])
def test_a_step_that_outlasts_its_lease_keeps_it_as_long_as_its_worker_renews_it(
    tmp_path: Path, alive: bool
) -> None:
    clock, step = HandClock(), SlowStep()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
    worker = Worker(database, {step.kind: step}, tmp_path / "staging", clock, RandomIds(), "first")
    other = Worker(database, {step.kind: StampStep()}, tmp_path / "elsewhere", clock, RandomIds(), "second")
    taken_over = []

    def four_minutes() -> None:
        for _ in range(4):
            clock.advance(60)
            if alive:
                worker.renew_leases()
            taken_over.append(other.run_one())

    step.meanwhile = four_minutes
    assert worker.run_one()
    assert any(taken_over) == (not alive)
    recorded = kinds(database)
    assert recorded.count("sealed") == 1
    assert recorded.count("intended") == 1 + recorded.count("abandoned") == (1 if alive else 2)
    assert states(database) == [("done", None)]


def test_exactly_the_step_that_was_named_is_taken_and_only_when_it_may_run(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "older")
        named = uow.add_step("test.stamp", "named")
        follower = uow.add_step("test.stamp", "follower", after=named)
        later = uow.add_step("test.stamp", "later", delay_seconds=60)
    worker = make_worker(database, tmp_path, clock, StampStep())
    assert not worker.run_step(follower)
    assert not worker.run_step(later)
    assert not worker.run_step("no such step")
    assert worker.run_step(named)
    assert not worker.run_step(named)
    assert worker.run_step(follower)
    assert sorted(states(database)) == [("done", None), ("done", None), ("ready", None), ("ready", None)]


def test_who_starts_removes_what_was_staged_for_tries_that_nobody_will_take_up(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        step = uow.add_step("test.stamp", "x")
        job = uow.session.get_one(StepRow, step).job
    Staging(tmp_path / "staging", job).write("half", b"still wanted")
    Staging(tmp_path / "staging", "0" * 26).write("half", b"of a try that was abandoned elsewhere")
    make_worker(database, tmp_path, clock, StampStep()).sweep()
    assert [folder.name for folder in (tmp_path / "staging").iterdir()] == [job]


def rolled_back(database: Database) -> None:
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
        raise LedgerClosedError


class Bell:
    """Remembers what was announced."""

    heard = True

    def __init__(self) -> None:
        self.rung: list[tuple[str, str]] = []

    def ring(self, steps: Sequence[tuple[str, str]]) -> None:
        self.rung.extend(steps)


def test_the_doorbell_rings_for_what_may_run_after_the_commit_and_for_nothing_else(tmp_path: Path) -> None:
    clock, bell = HandClock(), Bell()
    database = make_database(tmp_path, clock, doorbell=bell)
    with database.writing() as uow:
        first = uow.add_step("test.stamp", "x")
        follower = uow.add_step("test.stamp", "x", after=first)
        uow.add_step("test.stamp", "x", delay_seconds=60)
        assert bell.rung == []
    assert bell.rung == [("test.stamp", first)]
    with pytest.raises(LedgerClosedError):
        rolled_back(database)
    assert bell.rung == [("test.stamp", first)]
    assert make_worker(database, tmp_path, clock, StampStep()).run_step(first)
    assert bell.rung == [("test.stamp", first), ("test.stamp", follower)]


def test_the_doorbell_rings_for_steps_that_are_woken_or_tried_again(tmp_path: Path) -> None:
    clock, bell = HandClock(), Bell()
    database = make_database(tmp_path, clock, doorbell=bell)
    with database.writing() as uow:
        waiting, stuck = (uow.add_step("test.stamp", name) for name in "ab")
        row = uow.session.get_one(StepRow, waiting)
        row.problem, row.run_after = "no-seal", clock.now() + dt.timedelta(hours=1)
        uow.session.get_one(StepRow, stuck).state = "stuck"
    bell.rung.clear()
    with database.writing() as uow:
        uow.wake("another-problem")
        uow.wake("no-seal")
    assert bell.rung == [("test.stamp", waiting)]
    administrator = Identity("person", "a", "dsj", frozenset({Role.SYSTEM_ADMIN}))
    with database.writing() as uow:
        StepDesk().retry(uow, administrator, stuck)
    assert bell.rung == [("test.stamp", waiting), ("test.stamp", stuck)]


class Pauses(threading.Event):
    """Stops a worker at its first pause and remembers how long that was to be."""

    length: float

    def wait(self, timeout: float | None = None) -> bool:
        self.length = timeout or 0.0
        self.set()
        return True


def test_what_was_to_wait_is_taken_when_it_is_due_and_what_is_rung_for_is_left_to_the_ring(
    tmp_path: Path,
) -> None:
    clock, patience = HandClock(), dt.timedelta(seconds=3)
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "waits", delay_seconds=10)
        uow.add_step("test.other", "somebody else's", delay_seconds=1)
    worker = make_worker(database, tmp_path, clock, StampStep())
    for passed, pause in ((0, 5), (7, 3)):
        clock.advance(passed)
        pauses = Pauses()
        worker.run(pauses, 5.0, patience)
        assert pauses.length == pause
    clock.advance(3)
    with database.writing() as uow:
        uow.add_step("test.stamp", "rung for")
    assert worker.run_one(patience)
    assert not worker.run_one(patience)
    clock.advance(3)
    assert worker.run_one(patience)
