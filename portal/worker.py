# SPDX-License-Identifier: Apache-2.0
"""Drives steps: claims a job by lease, runs its three parts, adopts or abandons what a crash left.

Guarantees: ``record`` of a step commits at most once; a try that was killed before its result was staged
is recorded as abandoned before the next one is planned; a refusal that a step raises is recorded in its
own transaction; a step whose plan says :class:`Later` waits without being counted as tried; a step that
keeps failing, or keeps ending the process that runs it, becomes ``stuck`` with a stable code and is never
lost. A claim holds as long as its process lives and the step lasts: its lease is short and renewed. What a
try staged on one machine's disk is adopted there only; elsewhere that try is abandoned.
"""

import datetime as dt
import json
import logging
import threading
import traceback
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import replace
from functools import partial
from pathlib import Path

from sqlalchemy import func, select

from indexer.errors import IndexUnavailableError
from portal.needs import LOOK_SECONDS, Needs
from portal.refusals import RecordedRefusal
from storage.clock import Clock, IdSource
from storage.database import Database, LedgerClosedError, UnitOfWork
from storage.engines import RecordsUnavailableError, WriteConflictError
from storage.errors import CunzhengError, StepKeepsDyingError
from storage.failpoints import failpoint
from storage.ledger.canonical import Json
from storage.objects.ports import ObjectStoreUnusableError
from storage.secrets import SYSTEM_SUBJECT
from storage.step_recovery import release
from storage.steps import (
    MOST_DEATHS,
    UNFINISHED,
    Claimer,
    Job,
    Later,
    LeaseLostError,
    Staging,
    Step,
    StepRow,
    claim,
    claim_one,
    complete,
    keep_plan,
    postpone,
    renew,
    restart,
    set_aside,
)

NOBODYS_FAULT = (
    IndexUnavailableError,
    LedgerClosedError,
    ObjectStoreUnusableError,
    RecordsUnavailableError,
    WriteConflictError,
)
"""What says nothing about the work itself: the attempt is not counted."""
LEASE = dt.timedelta(minutes=2)
RENEW_SECONDS = 10.0
IDLE_SECONDS = 0.2
UNHEARD_SECONDS = 1.0
"""How often a worker looks for steps while the broker takes no rings."""
_AT_ONCE = dt.timedelta(0)
DOWN_SECONDS = 2.0

log = logging.getLogger("cunzheng.worker")


class Worker:
    """Runs steps; several threads may drive one worker, which works at ``threads`` steps at most.

    Args:
        database: Where the table of steps lives.
        steps: Every registered step by kind; a kind that is missing here is left to other workers.
        staging_root: Folder of the jobs' staged output.
        clock: Where time comes from.
        ids: Where job ids come from.
        owner: Name under which leases are taken; no other living worker bears it.
        threads: Steps that it works at at the same time.
        needs: Which of its steps can go on.
        dead: Gives the owners that are known to be dead.
        beat: Called every :data:`RENEW_SECONDS` as long as the worker goes on.
    """

    def __init__(
        self,
        database: Database,
        steps: Mapping[str, Step],
        staging_root: Path,
        clock: Clock,
        ids: IdSource,
        owner: str = "embedded",
        threads: int = 1,
        dead: Callable[[], Iterable[str]] = tuple,
        beat: Callable[[], None] = lambda: None,
        needs: Needs | None = None,
    ) -> None:
        self._database = database
        self._steps = steps
        self._staging_root = staging_root
        self._clock = clock
        self._ids = ids
        self._by = Claimer(owner, LEASE, tuple(steps))
        self._dead = dead
        self._beat = beat
        self._threads = threads
        self._places = threading.BoundedSemaphore(threads)
        self._at_work: set[Job] = set()
        self._needs = needs or Needs((), database, clock)
        self._stop = threading.Event()

    def recover(self, owner: str | None = None) -> int:
        """End the leases of a dead owner, by default this one's earlier life; the caller holds its lock."""
        with self._database.claiming() as session:
            return release(session, owner or self._by.owner, self._clock.now())

    def take_over(self) -> None:
        """End the leases of every owner that is known to be dead."""
        for owner in self._dead():
            log.warning("steps of %s are taken over: %s", owner, self.recover(owner))

    def sweep(self) -> None:
        """Remove what was staged for tries that nobody will take up: they ended, elsewhere or long ago."""
        found = [folder.name for folder in self._staging_root.glob("*")]
        with self._database.reading() as uow:
            kept = set(uow.session.scalars(select(StepRow.job).where(UNFINISHED)))
        for job in set(found) - kept:
            Staging(self._staging_root, job).discard()

    def run(
        self, stop: threading.Event, idle: float = IDLE_SECONDS, patience: dt.timedelta = dt.timedelta(0)
    ) -> None:
        """Run steps in ``threads`` threads until ``stop`` is set; each ends with the step it is at.

        What ends one thread ends the process.

        Args:
            stop: When to end.
            idle: Seconds that a thread waits which finds nothing to do, as long as rings are heard.
            patience: How long a ready step is left to its ring, as long as rings are heard.
        """
        ended, self._stop = threading.Event(), stop
        self._beat()
        with ThreadPoolExecutor(self._threads + 2, "worker") as pool:
            keepers = (
                pool.submit(self._keep, RENEW_SECONDS, self._keep_leases, ended, stop),
                pool.submit(self._keep, LOOK_SECONDS, self._needs.look, ended, stop),
            )
            loops = [pool.submit(self._loop, stop, idle, patience) for _ in range(self._threads)]
            try:
                for loop in as_completed(loops):
                    stop.set()
                    loop.result()
            finally:
                ended.set()
            for keeper in keepers:
                keeper.result()

    def _loop(self, stop: threading.Event, idle: float, patience: dt.timedelta) -> None:
        while not stop.is_set():
            try:
                if self._database.rings_are_lost:
                    rest, grace = min(idle, UNHEARD_SECONDS), _AT_ONCE
                else:
                    rest, grace = idle, patience
                pause = 0.0 if self.run_one(grace) else self._pause(rest, grace)
            except (RecordsUnavailableError, WriteConflictError) as error:
                log.warning("no step taken: %s", error.code)
                stop.wait(DOWN_SECONDS)
            else:
                stop.wait(pause)

    def _pause(self, idle: float, patience: dt.timedelta) -> float:
        """Give how long nothing needs looking: until the next step that waits is due, ``idle`` at most."""
        if not patience:
            return idle
        now = self._clock.now()
        waits = (StepRow.state == "ready", StepRow.run_after > now, StepRow.kind.in_(self._by.kinds))
        with self._database.reading() as uow:
            due = uow.session.scalar(select(func.min(StepRow.run_after)).where(*waits))
        return idle if due is None else min(idle, (due - now).total_seconds())

    def _keep(
        self, seconds: float, work: Callable[[], None], ended: threading.Event, stop: threading.Event
    ) -> None:
        try:
            while not ended.wait(seconds):
                try:
                    work()
                except CunzhengError as error:
                    log.warning("nothing looked after: %s", error.code)
        finally:
            # Without it steps would be taken from under this worker's hands, or wait for ever.
            stop.set()

    def _keep_leases(self) -> None:
        self._beat()
        self.renew_leases()
        self.take_over()

    def renew_leases(self) -> None:
        """Lengthen the lease of every step that this worker is at."""
        for job in tuple(self._at_work):
            with self._database.claiming() as session:
                renew(session, job, self._clock.now() + LEASE)

    def run_one(self, patience: dt.timedelta = dt.timedelta(0)) -> bool:
        """Claim and drive one step that is ready since ``patience``; tell whether there was one."""
        with self._places:
            with self._database.claiming() as session:
                job = claim(session, self._clock.now(), self._able(), patience)
            return self._work(job)

    def run_step(self, step_id: str) -> bool:
        """Claim and drive exactly that step; tell whether it could be taken."""
        with self._places:
            with self._database.claiming() as session:
                job = claim_one(session, self._clock.now(), self._able(), step_id)
            return self._work(job)

    def _able(self) -> Claimer:
        return replace(self._by, kinds=self._needs.met(self._by.kinds))

    def _work(self, job: Job | None) -> bool:
        if job is None:
            return False
        self._at_work.add(job)
        try:
            self._attempt(job)
        finally:
            self._at_work.discard(job)
        return True

    def _attempt(self, job: Job) -> None:
        step = self._steps[job.kind]
        try:
            self._drive(step, job)
        except LeaseLostError:
            log.warning("step %s was taken over", job.kind)
        except CunzhengError as error:
            log.warning("step %s failed: %s", job.kind, error)
            self._give_back(step, job, error)
        except Exception as error:  # noqa: BLE001 - a step of any kind must not end the worker
            where = traceback.extract_tb(error.__traceback__)[-1]
            log.error(  # noqa: TRY400 - a traceback would show values; type and place do not
                "step %s broke: %s at %s:%s", job.kind, type(error).__name__, where.filename, where.lineno
            )
            self._give_back(step, job, CunzhengError())

    def _drive(self, step: Step, job: Job) -> None:
        if job.deaths >= MOST_DEATHS:
            raise StepKeepsDyingError
        plan: Json = None
        if job.planned is not None:
            plan = self._opened(job.planned)
            staged, result = Staging(self._staging_root, job.job).result()
            if staged:
                log.info("step %s: adopted what an earlier try staged", job.kind)
                self._record(step, job, plan, result)
                return
            job = self._abandon(step, job, plan)
        plan = self._database.write(partial(self._plan, step, job))
        if plan is None:
            return
        failpoint("step.after-plan")
        staging = Staging(self._staging_root, job.job)
        result = step.perform(plan, staging)
        staging.finish(result)
        failpoint("step.after-perform")
        self._record(step, job, plan, result)

    def _plan(self, step: Step, job: Job, uow: UnitOfWork) -> Json:
        plan = step.plan(uow, job)
        if isinstance(plan, Later):
            set_aside(uow.session, job, self._clock.now(), plan)
            return None
        if plan is None:
            self._complete(uow, job)
            return None
        keep_plan(uow.session, job, uow.secrets.encrypt(SYSTEM_SUBJECT, json.dumps(plan).encode()))
        return plan

    def _record(self, step: Step, job: Job, plan: Json, result: Json) -> None:
        def write(uow: UnitOfWork) -> None:
            step.record(uow, job, plan, result)
            self._complete(uow, job)

        self._database.write(write)
        failpoint("step.after-record")
        Staging(self._staging_root, job.job).discard()

    def _complete(self, uow: UnitOfWork, job: Job) -> None:
        complete(uow.session, job, self._clock.now())
        uow.announce_followers(job.id)

    def _abandon(self, step: Step, job: Job, plan: Json) -> Job:
        def close(uow: UnitOfWork) -> Job:
            step.abandon(uow, job, plan)
            return restart(uow.session, job, self._ids)

        fresh = self._database.write(close)
        Staging(self._staging_root, job.job).discard()
        return fresh

    def _give_back(self, step: Step, job: Job, error: CunzhengError) -> None:
        self._needs.note(error)

        def put_back(uow: UnitOfWork) -> bytes | None:
            if isinstance(error, RecordedRefusal):
                error.record(uow)
            plan = postpone(
                uow.session,
                job,
                self._clock.now(),
                error.code,
                final=isinstance(error, RecordedRefusal | StepKeepsDyingError),
                counted=not isinstance(error, NOBODYS_FAULT),
            )
            if plan is not None:
                step.abandon(uow, job, self._opened(plan))
            return plan

        try:
            plan = self._as_soon_as_possible(put_back)
        except LeaseLostError:
            return
        if plan is not None:
            # Nobody will adopt it, and it may hold personal data.
            Staging(self._staging_root, job.job).discard()

    def _as_soon_as_possible(self, work: Callable[[UnitOfWork], bytes | None]) -> bytes | None:
        """Write when the database is back; else the lease would have to end first."""
        while True:
            try:
                return self._database.write(work)
            except RecordsUnavailableError:
                if self._stop.wait(DOWN_SECONDS):
                    raise

    def _opened(self, plan: bytes) -> Json:
        opened: Json = json.loads(self._database.secrets.decrypt(plan))
        return opened
