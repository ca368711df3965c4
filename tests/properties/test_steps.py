# SPDX-License-Identifier: Apache-2.0
"""A step through any order of failures, crashes, refusals, repairs: done once, each intent closed once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from portal.worker import Worker
from storage.clock import RandomIds
from storage.database import UnitOfWork
from storage.errors import CunzhengError
from storage.identity import system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.steps import BACKOFF_SECONDS, Job, Later, Staging, StepRow, retry, wake

WAITS = "no-seal"
LONG = 7200.0


class KilledError(BaseException):
    """What SIGKILL would do: nothing after it runs."""


class ScriptedStep:
    """Meets what the script says, try by try; with an empty script it succeeds."""

    kind = "test.scripted"

    def __init__(self, script: list[str]) -> None:
        self.script = script
        self.now = "well"
        self.met: Counter[str] = Counter()

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        self.now = self.script.pop(0) if self.script else "well"
        self.met[self.now] += 1
        if self.now == "refused":
            _record(uow, job, ActKind.SEALING_REFUSED, Outcome.REFUSED)
            return Later(WAITS, LONG)
        if self.now == "unplannable":
            raise CunzhengError
        return {"intent": _record(uow, job, ActKind.SEALING_INTENDED, Outcome.INTENDED)}

    def perform(self, plan: Json, staging: Staging) -> Json:
        if self.now == "fails":
            raise OSError
        if self.now == "killed":
            raise KilledError
        return "made"

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        now, self.now = self.now, "well"
        if now == "killed late":
            raise KilledError
        if now == "unrecordable":
            raise CunzhengError
        _record(uow, job, ActKind.SEALING_SEALED, Outcome.DONE, plan)

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        _record(uow, job, ActKind.SEALING_ABANDONED, Outcome.ABANDONED, plan)


def _record(uow: UnitOfWork, job: Job, kind: ActKind, outcome: Outcome, plan: Json = None) -> str:
    act = Act(
        kind=kind,
        actor=system_identity("worker"),
        object_type="job",
        object_id=job.subject,
        outcome=outcome,
        intent=str(plan["intent"]) if isinstance(plan, dict) else None,
    )
    return uow.record(act).core_sha256


EVENTS = ["refused", "unplannable", "fails", "killed", "killed late", "unrecordable"]
SCRIPTS = st.lists(st.sampled_from(EVENTS), max_size=10)


class Site:
    """One database for every example: making one takes longer than running a script."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.ids = HandClock(), RandomIds()
        self.staging = folder / "staging"
        self.database = make_database(folder, self.clock)

    def drive(self, step: ScriptedStep, subject: str, wakes: list[bool]) -> None:
        """Run one step to its end, recovering, waking and trying again as an operator would."""
        with self.database.writing() as uow:
            step_id = uow.add_step(step.kind, subject)
        worker = Worker(self.database, {step.kind: step}, self.staging, self.clock, self.ids)
        for _ in range(40):
            try:
                worker.run_one()
            except KilledError:
                worker.recover()
            with self.database.writing() as uow:
                row = uow.session.get_one(StepRow, step_id)
                assert row.attempts <= len(BACKOFF_SECONDS) + 1
                assert row.deaths <= step.met["killed"] + step.met["killed late"]
                assert (row.problem is None) == (row.problem_since is None)
                if row.state == "done":
                    return
                if row.state == "stuck":
                    assert row.plan is None
                    retry(row, self.clock.now(), self.ids)
                if wakes and wakes.pop():
                    wake(uow.session, WAITS, self.clock.now())
            self.clock.advance(LONG)
        raise AssertionError(step.script)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.database.close()


@settings(max_examples=30)
@given(script=SCRIPTS, wakes=st.lists(st.booleans(), max_size=10))
def test_a_step_ends_done_and_every_intent_has_one_outcome(
    site: Site, script: list[str], wakes: list[bool]
) -> None:
    step, subject = ScriptedStep(list(script)), site.ids.new_id()
    site.drive(step, subject, wakes)
    assert list(site.staging.glob("*")) == []
    with site.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct).where(LedgerAct.object_id == subject)).all()
    count = Counter(act.kind for act in acts)
    assert count["sealing.sealed"] == 1
    assert count["sealing.refused"] == step.met["refused"]
    intents = Counter(act.act_id for act in acts if act.outcome == "intended")
    assert Counter(act.intent for act in acts if act.intent) == intents
