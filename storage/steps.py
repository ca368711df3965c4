# SPDX-License-Identifier: Apache-2.0
"""Steps: work that touches the world outside the database, made safe against crashes.

A step has three parts. ``plan`` runs in a transaction: it commits the intent and reserves what must be
unique. ``perform`` runs with no transaction open and stages its output under the job's id. ``record``
commits the outcome. The table of steps is the truth; whoever drives it (``portal.worker``) claims a
job by lease. After a crash the next claimer finds the staged result and records it, or, when there is
none, abandons the job and plans it anew under a new job id: sealing twice gives different bytes, so
adoption, not repetition, is what makes it safe.

Three ways lead away from the straight line. What fails is tried again after growing delays and is in the
end ``stuck``, until an operator tries it again (:func:`retry`). What cannot be done now although nothing
failed (no seal is enabled) waits: ``plan`` returns :class:`Later`, and whoever changes that wakes it
(:func:`wake`).
"""

import datetime as dt
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sqlalchemy import (
    ColumnElement,
    Index,
    Integer,
    LargeBinary,
    String,
    and_,
    case,
    exists,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from storage.base import Base, Instant
from storage.clock import IdSource
from storage.errors import CunzhengError
from storage.files import sync_folder, write_durably
from storage.ledger.canonical import Json

if TYPE_CHECKING:
    from storage.database import UnitOfWork

_RESULT = "result.json"
_AT_ONCE = dt.timedelta(0)
BACKOFF_SECONDS = (1, 5, 30, 120, 600)
"""Delays after failures; after the last one the step is stuck until somebody retries it."""

MOST_DEATHS = 60
"""Claims of a step that may end with the worker; generous: one death counts against all steps it was at."""


class LeaseLostError(CunzhengError):
    """The lease ended and somebody else took the step: this try must not write anything more."""

    code = "lease-lost"
    title_zh = "处理步骤已由他人接手"
    title_en = "Somebody else took the step over"
    remedy_zh = "无需处理：接手者会完成。若频繁出现，请检查转换与签章是否过慢。"
    remedy_en = "Nothing to do: whoever took it finishes it. If it happens often, look why steps are slow."


class StepRow(Base):
    """A step: ``ready`` → ``running`` → ``done``, or ``stuck`` with a stable problem code.

    Attributes:
        attempts: Tries that failed.
        claims: How often it was claimed; with the owner it names one claim.
        deaths: Claims that ended with the worker's death: they say nothing about the work and do not use up
            the tries for failures.
        problem: Code of what keeps it: of its last failure, or of what a ready step waits for.
        problem_since: When that problem was first met; trying again and meeting it again changes nothing.
    """

    __tablename__ = "step"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(80), index=True)
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(Integer)
    claims: Mapped[int] = mapped_column(Integer, default=0)
    deaths: Mapped[int] = mapped_column(Integer, default=0)
    job: Mapped[str] = mapped_column(String(26))
    plan: Mapped[bytes | None] = mapped_column(LargeBinary)
    after_step: Mapped[str | None] = mapped_column(String(26))
    run_after: Mapped[dt.datetime] = mapped_column(Instant)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[dt.datetime | None] = mapped_column(Instant)
    problem: Mapped[str | None] = mapped_column(String(64))
    problem_since: Mapped[dt.datetime | None] = mapped_column(Instant)
    created_at: Mapped[dt.datetime] = mapped_column(Instant)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Instant)

    __table_args__ = (Index("ix_step_state_run_after", "state", "run_after"),)


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed step: what :class:`Step` methods get.

    Attributes:
        id: The step's id.
        kind: The step's kind.
        subject: What it works on.
        job: Id of this try; staged output stands under it.
        claim: 1 for the first time that somebody took it.
        deaths: Claims that ended with a worker; from :data:`MOST_DEATHS` on it must not run any more.
        planned: The stored plan, encrypted, if a try got that far.
        owner: Who claimed it; whoever lost the lease writes nothing more.
    """

    id: str
    kind: str
    subject: str
    job: str
    claim: int
    deaths: int
    planned: bytes | None
    owner: str


@dataclass(frozen=True, slots=True)
class Later:
    """What ``plan`` returns when the work cannot be done now and nothing failed.

    What ``plan`` recorded commits all the same; the same step is planned anew later, and the attempt does
    not count.

    Attributes:
        problem: Stable code of what it waits for; :func:`wake` knows it by this.
        seconds: When it is tried again if nobody wakes it.
    """

    problem: str
    seconds: float


def mapping_of(value: Json) -> Mapping[str, Json]:
    """Give a plan or result that is an object as one; anything else is a mistake of the program."""
    if not isinstance(value, Mapping):
        raise TypeError(type(value).__name__)
    return value


class Staging:
    """The folder of one job; what is written here survives a crash once ``finish`` has returned."""

    def __init__(self, root: Path, job: str) -> None:
        self.folder = root / job

    def path(self, name: str) -> Path:
        """Give the path of a staged file, folder made."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self.folder / name

    def write(self, name: str, data: bytes) -> None:
        """Stage bytes durably."""
        write_durably(self.path(name), data)

    def read(self, name: str) -> bytes:
        """Give staged bytes."""
        return (self.folder / name).read_bytes()

    def finish(self, result: Json) -> None:
        """Write the result, last: from here on a crash leads to adoption."""
        self.folder.mkdir(parents=True, exist_ok=True)
        write_durably(self.folder / _RESULT, json.dumps(result, ensure_ascii=False).encode())
        sync_folder(self.folder.parent)

    def result(self) -> tuple[bool, Json]:
        """Tell whether a result is staged, and give it."""
        try:
            return True, json.loads((self.folder / _RESULT).read_bytes())
        except FileNotFoundError:
            return False, None

    def discard(self) -> None:
        """Remove the folder."""
        shutil.rmtree(self.folder, ignore_errors=True)


class Step(Protocol):
    """One kind of work, written by its room and driven by ``portal`` alone."""

    @property
    def kind(self) -> str:
        """Name in the table of steps, ``room.verb``."""
        ...

    def plan(self, uow: "UnitOfWork", job: Job) -> Json | Later:
        """Commit intents, reserve numbers; ``None`` means that nothing is to be done."""
        ...

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Do the work; no transaction is open; may be killed at any point."""
        ...

    def record(self, uow: "UnitOfWork", job: Job, plan: Json, result: Json) -> None:
        """Commit the outcome together with its act."""
        ...

    def abandon(self, uow: "UnitOfWork", job: Job, plan: Json) -> None:
        """Close the plan's intents as abandoned; the step is planned anew afterwards."""
        ...


@dataclass(frozen=True, slots=True)
class Claimer:
    """Who takes steps, and how.

    Attributes:
        owner: Name that no other living worker bears.
        lease: How long a claim holds unless :func:`renew` lengthens it.
        kinds: What it can do.
    """

    owner: str
    lease: dt.timedelta
    kinds: tuple[str, ...]


def claim(session: Session, now: dt.datetime, by: Claimer, ripe: dt.timedelta = _AT_ONCE) -> Job | None:
    """Take the oldest step that may run: ready since ``ripe``, or running with a lease that has ended."""
    return _take(session, now, by, may_run(now, ripe))


def claim_one(session: Session, now: dt.datetime, by: Claimer, step_id: str) -> Job | None:
    """Take exactly that step if it may run; ``None`` if it is done, taken, not due, or waits for another."""
    return _take(session, now, by, and_(StepRow.id == step_id, may_run(now)))


def may_run(now: dt.datetime, ripe: dt.timedelta = _AT_ONCE) -> ColumnElement[bool]:
    """Ask for steps that may be taken: ready since ``ripe`` or left by the dead, and waiting for no other."""
    before = aliased(StepRow)
    waits = exists().where(before.id == StepRow.after_step, before.state != "done").correlate(StepRow)
    # Nobody rings for a step that was to wait until now, so it is left to nobody.
    waited, by = StepRow.run_after > StepRow.created_at, now - ripe
    ready = and_(StepRow.state == "ready", StepRow.run_after <= now, or_(waited, StepRow.run_after <= by))
    return and_(or_(ready, and_(StepRow.state == "running", StepRow.lease_until < now)), ~waits)


def _take(session: Session, now: dt.datetime, by: Claimer, which: ColumnElement[bool]) -> Job | None:
    row = session.scalars(
        select(StepRow)
        .where(StepRow.kind.in_(by.kinds), which)
        .order_by(StepRow.run_after, StepRow.created_at)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    if row.state == "running":
        row.deaths += 1
    row.state, row.lease_owner, row.lease_until = "running", by.owner, now + by.lease
    row.claims += 1
    return _job(row, by.owner)


def renew(session: Session, job: Job, until: dt.datetime) -> bool:
    """Lengthen the lease of a claim that lasts; tell whether it still was the claimer's."""
    rows = session.scalars(
        update(StepRow)
        .where(
            StepRow.id == job.id,
            StepRow.state == "running",
            StepRow.claims == job.claim,
            StepRow.lease_owner == job.owner,
        )
        .values(lease_until=until)
        .returning(StepRow.id)
    ).all()
    return bool(rows)


def keep_plan(session: Session, job: Job, plan: bytes) -> None:
    """Store the plan while the step runs, encrypted by the driver: it may hold personal data."""
    _row(session, job).plan = plan


def complete(session: Session, job: Job, now: dt.datetime) -> None:
    """Mark the step done."""
    row = _row(session, job)
    row.state, row.finished_at, row.lease_owner, row.lease_until = "done", now, None, None
    # A plan may hold personal data; it has served.
    row.plan = row.problem = row.problem_since = None


def followers(session: Session, step_id: str) -> list[tuple[str, str]]:
    """Give kind and id of the steps that waited for this one."""
    which = select(StepRow.kind, StepRow.id).where(StepRow.after_step == step_id, StepRow.state == "ready")
    return [(kind, found) for kind, found in session.execute(which)]


def set_aside(session: Session, job: Job, now: dt.datetime, later: Later) -> None:
    """Let a step wait for what its plan lacked; that is no failed attempt."""
    row = _row(session, job)
    _keep_problem(row, later.problem, now)
    row.state, row.lease_owner, row.lease_until = "ready", None, None
    row.run_after = now + dt.timedelta(seconds=later.seconds)


def wake(session: Session, problem: str, now: dt.datetime) -> list[tuple[str, str]]:
    """Let every step that waits for ``problem`` be planned at once; give kind and id of each."""
    woken = session.execute(
        update(StepRow)
        .where(StepRow.state == "ready", StepRow.problem == problem, StepRow.run_after > now)
        .values(run_after=now)
        .returning(StepRow.kind, StepRow.id)
    )
    return [(kind, found) for kind, found in woken]


def retry(row: StepRow, now: dt.datetime, ids: IdSource) -> None:
    """Give a stuck step fresh attempts, from its plan on.

    Its job id is new: what a crash may have left staged under the old one belongs to closed intents.
    """
    row.state, row.attempts, row.deaths, row.run_after = "ready", 0, 0, now
    row.problem = row.problem_since = None
    row.plan, row.job = None, ids.new_id()


def restart(session: Session, job: Job, ids: IdSource) -> Job:
    """Forget the plan of a broken try and give the job a new id, in the same claim."""
    row = _row(session, job)
    row.plan, row.job = None, ids.new_id()
    return _job(row, job.owner)


def postpone(
    session: Session, job: Job, now: dt.datetime, problem: str, *, final: bool = False, counted: bool = True
) -> bytes | None:
    """Give the step back after a failure: later, or stuck when tries are used up or ``final``.

    A failure that is nobody's fault here (the ledger is closed) is not ``counted``.

    Returns:
        The plan of a step that is stuck now and had one, for the caller to abandon; else ``None``.
    """
    row = _row(session, job)
    _keep_problem(row, problem, now)
    row.lease_owner, row.lease_until = None, None
    row.attempts += counted
    if final or row.attempts > len(BACKOFF_SECONDS):
        row.state = "stuck"
        plan, row.plan = row.plan, None
        return plan
    row.state = "ready"
    row.run_after = now + dt.timedelta(seconds=BACKOFF_SECONDS[max(row.attempts - 1, 0)])
    return None


UNFINISHED = StepRow.state.in_(("ready", "running", "stuck"))
"""Condition on unfinished steps, in the words of the index: of the many that are done none is looked at."""
STANDING = case(
    (and_(StepRow.state == "ready", StepRow.problem.is_not(None)), "waiting"), else_=StepRow.state
)
"""A step's state as people are told it: a ready step that met a problem is ``waiting``."""
STANDINGS = ("stuck", "waiting", "running", "ready")
"""Every standing of an unfinished step; what needs somebody comes first."""
BY_NEED = (
    case({standing: place for place, standing in enumerate(STANDINGS)}, value=STANDING),
    StepRow.created_at,
    StepRow.id,
)
"""Order of unfinished steps: the stuck first, then those that wait, the oldest of each first."""


def unfinished(session: Session) -> dict[str, int]:
    """Give the number of steps by standing, ``done`` left out."""
    rows = session.execute(select(STANDING, func.count()).where(UNFINISHED).group_by(STANDING))
    return {state: count for state, count in rows}  # noqa: C416 - a row is no tuple to the type checker


def _keep_problem(row: StepRow, problem: str, now: dt.datetime) -> None:
    if row.problem != problem:
        row.problem, row.problem_since = problem, now


def _row(session: Session, job: Job) -> StepRow:
    row = session.get(StepRow, job.id)
    if row is None:
        raise LookupError(job.id)
    if (row.state, row.claims, row.lease_owner) != ("running", job.claim, job.owner):
        raise LeaseLostError
    return row


def _job(row: StepRow, owner: str) -> Job:
    return Job(row.id, row.kind, row.subject, row.job, row.claims, row.deaths, row.plan, owner)
