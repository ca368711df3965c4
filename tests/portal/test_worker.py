# SPDX-License-Identifier: Apache-2.0
"""The worker: adoption of staged output, abandonment without it, refusals recorded, nothing lost."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from sqlalchemy import select
from stamping import DeadlyStep, KilledError, StampStep, act, kinds, make_worker, states

from storage.clock import RandomIds
from storage.database import UnitOfWork
from storage.errors import RefusedError
from storage.ledger.acts import Outcome, Promise
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.objects.server import ObjectsUnavailableError
from storage.steps import (
    BACKOFF_SECONDS,
    MOST_DEATHS,
    Job,
    Later,
    Staging,
    StepRow,
    retry,
    unfinished,
    wake,
)


class RefusalError(RefusedError):
    """A refusal that states its act."""

    def __init__(self, job: str) -> None:
        super().__init__()
        self.job = job

    def record(self, uow: UnitOfWork) -> Promise:
        return uow.record(act(ActKind.SEALING_REFUSED, self.job, Outcome.REFUSED))


class RefusingStep(StampStep):
    """A step whose plan is refused, with an act to record."""

    kind = "test.refuse"

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        raise RefusalError(job.job)


class WaitingStep(StampStep):
    """A step whose plan records a refusal and says "not now", until ``open`` is set."""

    kind = "test.wait"

    def __init__(self) -> None:
        super().__init__()
        self.open = False

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        if self.open:
            return super().plan(uow, job)
        uow.record(act(ActKind.SEALING_REFUSED, job.job, Outcome.REFUSED))
        return Later("no-seal", 3600)


def test_a_step_runs_once_and_leaves_no_staged_output(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
    worker = make_worker(database, tmp_path, clock, StampStep())
    assert worker.run_one()
    assert not worker.run_one()
    assert sorted(kinds(database)) == ["intended", "sealed"]
    assert states(database) == [("done", None)]
    assert list((tmp_path / "staging").iterdir()) == []


def test_a_step_waits_for_the_one_it_follows(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        first = uow.add_step("test.other", "x")
        uow.add_step("test.stamp", "x", after=first)
    worker = make_worker(database, tmp_path, clock, StampStep())
    assert not worker.run_one()
    with database.writing() as uow:
        uow.session.get_one(StepRow, first).state = "done"
    assert worker.run_one()


def test_failures_are_tried_again_with_intents_closed_and_in_the_end_stuck(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
    worker = make_worker(database, tmp_path, clock, StampStep(fail=100))
    for _ in range(len(BACKOFF_SECONDS) + 1):
        assert worker.run_one()
        assert not worker.run_one()
        clock.advance(700)
    assert states(database) == [("stuck", "internal")]
    recorded = kinds(database)
    assert recorded.count("intended") == recorded.count("abandoned") == len(BACKOFF_SECONDS) + 1


class StorelessStep(StampStep):
    """A step whose object store is away."""

    def perform(self, plan: Json, staging: Staging) -> Json:
        raise ObjectsUnavailableError


def test_without_an_object_store_steps_wait_and_are_never_stuck(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
    for _ in range(2 * len(BACKOFF_SECONDS)):
        assert make_worker(database, tmp_path, clock, StorelessStep()).run_one()
        clock.advance(700)
    assert states(database) == [("ready", "objects-unavailable")]
    assert make_worker(database, tmp_path, clock, StampStep()).run_one()
    assert states(database) == [("done", None)]


def test_a_refusal_is_recorded_in_its_own_transaction_and_not_tried_again(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.refuse", "x")
    worker = make_worker(database, tmp_path, clock, RefusingStep())
    assert worker.run_one()
    assert kinds(database) == ["refused"]
    assert states(database) == [("stuck", "refused")]


def test_what_cannot_be_done_now_waits_as_long_as_it_takes_and_is_never_stuck(tmp_path: Path) -> None:
    clock, step = HandClock(), WaitingStep()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        first = uow.add_step("test.wait", "x")
        uow.add_step("test.stamp", "x", after=first)
    worker = make_worker(database, tmp_path, clock, step, StampStep())
    since, tries = clock.now(), len(BACKOFF_SECONDS) + 3
    for _ in range(tries):
        assert worker.run_one()
        assert not worker.run_one()
        clock.advance(3600)
    assert kinds(database) == ["refused"] * tries
    with database.reading() as uow:
        row = uow.session.get_one(StepRow, first)
        assert (row.state, row.problem, row.problem_since, row.attempts) == ("ready", "no-seal", since, 0)
        assert unfinished(uow.session) == {"ready": 1, "waiting": 1}
    step.open = True
    assert worker.run_one()
    assert worker.run_one()
    assert states(database) == [("done", None)] * 2


def test_waking_reaches_those_that_wait_for_it_and_no_others(tmp_path: Path) -> None:
    clock, step = HandClock(), WaitingStep()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.wait", "x")
        uow.add_step("test.stamp", "x")
    worker = make_worker(database, tmp_path, clock, step, StampStep(fail=1))
    assert worker.run_one()
    assert worker.run_one()
    assert not worker.run_one()
    step.open = True
    with database.writing() as uow:
        assert wake(uow.session, "another-problem", clock.now()) == []
        assert [kind for kind, _ in wake(uow.session, "no-seal", clock.now())] == ["test.wait"]
    assert worker.run_one()
    assert not worker.run_one()
    assert sorted(states(database)) == [("done", None), ("ready", "internal")]


def test_a_stuck_step_that_is_tried_again_never_adopts_what_an_older_try_left(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        step = uow.add_step("test.refuse", "x")
    worker = make_worker(database, tmp_path, clock, RefusingStep())
    assert worker.run_one()
    with database.writing() as uow:
        row = uow.session.get_one(StepRow, step)
        left = Staging(tmp_path / "staging", row.job)
        left.finish({"stamp": "of a try whose intent is closed"})
        retry(row, clock.now(), RandomIds())
        assert (row.state, row.attempts, row.problem) == ("ready", 0, None)
        assert not Staging(tmp_path / "staging", row.job).result()[0]


@pytest.mark.parametrize("recovers", [True, False], ids=["the same worker restarts", "another takes over"])
def test_a_step_that_keeps_ending_its_worker_is_in_the_end_stuck_with_its_intents_closed(
    tmp_path: Path, recovers: bool
) -> None:
    clock, step = HandClock(), DeadlyStep()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
    worker = make_worker(database, tmp_path, clock, step)
    for _ in range(MOST_DEATHS):
        with pytest.raises(KilledError):
            worker.run_one()
        if recovers:
            worker.recover()
            clock.advance(300)
        else:
            clock.advance(121)
    assert worker.run_one()
    assert states(database) == [("stuck", "step-keeps-dying")]
    recorded = kinds(database)
    assert recorded.count("intended") == recorded.count("abandoned") == MOST_DEATHS
    assert list((tmp_path / "staging").iterdir()) == []
    step.mended = True
    with database.writing() as uow:
        retry(uow.session.scalars(select(StepRow)).one(), clock.now(), RandomIds())
    assert worker.run_one()
    assert states(database) == [("done", None)]


CRASHING = """
    import sys
    from pathlib import Path
    sys.path[:0] = [{support!r}]
    from fakes import HandClock, make_database
    from stamping import StampStep, make_worker
    folder = Path({folder!r})
    clock = HandClock()
    make_worker(make_database(folder, clock), folder, clock, StampStep()).run_one()
"""


@pytest.mark.parametrize(
    ("point", "after"),
    [
        ("step.after-plan", ["abandoned", "intended", "intended", "sealed"]),
        ("step.after-perform", ["intended", "sealed"]),
        ("step.after-record", ["intended", "sealed"]),
    ],
)
def test_a_killed_worker_is_followed_by_one_that_adopts_or_abandons(
    tmp_path: Path, point: str, after: list[str]
) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        uow.add_step("test.stamp", "x")
    here = Path(__file__).parent
    program = textwrap.dedent(CRASHING).format(support=str(here.parent / "support"), folder=str(tmp_path))
    killed = subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "CUNZHENG_FAILPOINT": point}, check=False
    )
    assert killed.returncode == -9
    worker = make_worker(database, tmp_path, clock, StampStep())
    worker.recover()
    while worker.run_one():
        pass
    assert sorted(kinds(database)) == after
    assert states(database) == [("done", None)]


def test_a_plan_that_waits_is_stored_encrypted_and_a_stuck_job_leaves_nothing_staged(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    with database.writing() as uow:
        step = uow.add_step("test.stamp", "x")
    worker = make_worker(database, tmp_path, clock, StampStep(fail=100))
    assert worker.run_one()
    with database.reading() as uow:
        row = uow.session.get_one(StepRow, step)
        assert row.plan is not None
        assert row.job.encode() not in row.plan
        assert row.job.encode() in database.secrets.decrypt(row.plan)
    for _ in BACKOFF_SECONDS:
        clock.advance(700)
        assert worker.run_one()
    with database.reading() as uow:
        assert uow.session.get_one(StepRow, step).state == "stuck"
        assert uow.session.get_one(StepRow, step).plan is None
    assert list((tmp_path / "staging").glob("*")) == []
