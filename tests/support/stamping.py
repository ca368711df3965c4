# SPDX-License-Identifier: Apache-2.0
"""Small steps that leave their mark in the ledger, and a worker that drives them."""

import os
from pathlib import Path

from fakes import HandClock
from sqlalchemy import select

from portal.worker import Worker
from storage.clock import RandomIds
from storage.database import Database, UnitOfWork
from storage.identity import system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.steps import Job, Later, Staging, StepRow


def act(kind: ActKind, job: str, outcome: Outcome = Outcome.DONE) -> Act:
    return Act(kind=kind, actor=system_identity("worker"), object_type="job", object_id=job, outcome=outcome)


class StampStep:
    """Stamps a file with a random number; intent before, outcome after."""

    kind = "test.stamp"

    def __init__(self, fail: int = 0) -> None:
        self.fail = fail

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        uow.record(act(ActKind.SEALING_INTENDED, job.job, Outcome.INTENDED))
        return {"job": job.job}

    def perform(self, plan: Json, staging: Staging) -> Json:
        if self.fail:
            self.fail -= 1
            raise OSError("disk full")
        staging.write("stamp", os.urandom(8))
        return {"stamp": staging.read("stamp").hex()}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        uow.record(act(ActKind.SEALING_SEALED, job.job))

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        uow.record(act(ActKind.SEALING_ABANDONED, job.job, Outcome.ABANDONED))


def kinds(database: Database) -> list[str]:
    with database.reading() as uow:
        return [
            row.kind.split(".")[1]
            for row in uow.session.scalars(select(LedgerAct).order_by(LedgerAct.recorded_at))
        ]


def states(database: Database) -> list[tuple[str, str | None]]:
    with database.reading() as uow:
        return [
            (row.state, row.problem)
            for row in uow.session.scalars(select(StepRow).order_by(StepRow.created_at))
        ]


def make_worker(database: Database, folder: Path, clock: HandClock, *steps: StampStep) -> Worker:
    return Worker(database, {step.kind: step for step in steps}, folder / "staging", clock, RandomIds())


class KilledError(BaseException):
    """What SIGKILL would do: nothing after it runs."""


class DeadlyStep(StampStep):
    """A step whose work ends the process, until ``mended`` is set."""

    mended = False

    def perform(self, plan: Json, staging: Staging) -> Json:
        if not self.mended:
            staging.write("half", b"")
            raise KilledError
        return super().perform(plan, staging)
