# SPDX-License-Identifier: Apache-2.0
"""Drives steps: claims a job by lease, runs its three parts, adopts or abandons what a crash left.

Guarantees: ``record`` of a step commits at most once; a try that was killed before its result was staged
is recorded as abandoned before the next one is planned; a refusal that a step raises is recorded in its
own transaction; a step whose plan says :class:`Later` waits without being counted as tried; a step that
keeps failing, or keeps ending the process that runs it, becomes ``stuck`` with a stable code and is never
lost.
"""

import datetime as dt
import json
import logging
import threading
import traceback
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import partial
from pathlib import Path

from portal.refusals import RecordedRefusal
from storage.clock import Clock, IdSource
from storage.database import Database, LedgerClosedError, repeated
from storage.engines import RecordsUnavailableError, WriteConflictError
from storage.errors import CunzhengError, StepKeepsDyingError
from storage.failpoints import failpoint
from storage.ledger.canonical import Json
from storage.secrets import SYSTEM_SUBJECT
from storage.steps import (
    MOST_CLAIMS,
    Job,
    Later,
    LeaseLostError,
    Staging,
    Step,
    claim,
    complete,
    keep_plan,
    postpone,
    release,
    restart,
    set_aside,
)

NOBODYS_FAULT = (LedgerClosedError, RecordsUnavailableError, WriteConflictError)
"""What says nothing about the work itself: the attempt is not counted."""
LEASE = dt.timedelta(minutes=10)
IDLE_SECONDS = 0.2
DOWN_SECONDS = 2.0

log = logging.getLogger("cunzheng.worker")


class Worker:
    """Runs steps; several threads may drive one worker.

    Args:
        database: Where the table of steps lives.
        steps: Every registered step by kind; a kind that is missing here is left to other workers.
        staging_root: Folder of the jobs' staged output.
        clock: Where time comes from.
        ids: Where job ids come from.
        owner: Name under which leases are taken.
    """

    def __init__(
        self,
        database: Database,
        steps: Mapping[str, Step],
        staging_root: Path,
        clock: Clock,
        ids: IdSource,
        owner: str = "embedded",
    ) -> None:
        self._database = database
        self._steps = steps
        self._staging_root = staging_root
        self._clock = clock
        self._ids = ids
        self._owner = owner

    def recover(self) -> int:
        """End the leases of this owner's earlier life; the caller holds the owner's lock."""
        with self._database.claiming() as session:
            return release(session, self._owner)

    def run(self, stop: threading.Event, threads: int = 1) -> None:
        """Run steps in some threads until ``stop`` is set; each ends with the step it is at.

        A thread that finds nothing to do waits a moment. What ends one thread ends the process.
        """
        with ThreadPoolExecutor(threads, "worker") as pool:
            loops = [pool.submit(self._loop, stop) for _ in range(threads)]
            for loop in as_completed(loops):
                stop.set()
                loop.result()

    def _loop(self, stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                busy = self.run_one()
            except (RecordsUnavailableError, WriteConflictError) as error:
                log.warning("no step taken: %s", error.code)
                stop.wait(DOWN_SECONDS)
            else:
                busy or stop.wait(IDLE_SECONDS)

    def run_one(self) -> bool:
        """Claim and drive one step; tell whether there was one."""
        with self._database.claiming() as session:
            job = claim(session, self._clock.now(), self._owner, LEASE, tuple(self._steps))
        if job is None:
            return False
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
        return True

    def _drive(self, step: Step, job: Job) -> None:
        if job.attempt > MOST_CLAIMS:
            raise StepKeepsDyingError
        plan: Json = None
        if job.planned is not None:
            plan = self._opened(job.planned)
            staged, result = Staging(self._staging_root, job.job).result()
            if staged:
                self._record(step, job, plan, result)
                return
            job = self._abandon(step, job, plan)
        plan = repeated(partial(self._plan, step, job))
        if plan is None:
            return
        failpoint("step.after-plan")
        staging = Staging(self._staging_root, job.job)
        result = step.perform(plan, staging)
        staging.finish(result)
        failpoint("step.after-perform")
        self._record(step, job, plan, result)

    def _plan(self, step: Step, job: Job) -> Json:
        with self._database.writing() as uow:
            plan = step.plan(uow, job)
            if isinstance(plan, Later):
                set_aside(uow.session, job, self._clock.now(), plan)
                return None
            if plan is None:
                complete(uow.session, job, self._clock.now())
                return None
            keep_plan(uow.session, job, uow.secrets.encrypt(SYSTEM_SUBJECT, json.dumps(plan).encode()))
        return plan

    def _record(self, step: Step, job: Job, plan: Json, result: Json) -> None:
        def write() -> None:
            with self._database.writing() as uow:
                step.record(uow, job, plan, result)
                complete(uow.session, job, self._clock.now())

        repeated(write)
        failpoint("step.after-record")
        Staging(self._staging_root, job.job).discard()

    def _abandon(self, step: Step, job: Job, plan: Json) -> Job:
        def close() -> Job:
            with self._database.writing() as uow:
                step.abandon(uow, job, plan)
                return restart(uow.session, job, self._ids)

        fresh = repeated(close)
        Staging(self._staging_root, job.job).discard()
        return fresh

    def _give_back(self, step: Step, job: Job, error: CunzhengError) -> None:
        def put_back() -> bytes | None:
            with self._database.writing() as uow:
                if isinstance(error, RecordedRefusal):
                    error.record(uow)
                plan = postpone(
                    uow.session,
                    job,
                    self._clock.now(),
                    error.code,
                    final=isinstance(error, RecordedRefusal),
                    counted=not isinstance(error, NOBODYS_FAULT),
                )
                if plan is not None:
                    step.abandon(uow, job, self._opened(plan))
                return plan

        try:
            plan = repeated(put_back)
        except LeaseLostError:
            return
        if plan is not None:
            # Nobody will adopt it, and it may hold personal data.
            Staging(self._staging_root, job.job).discard()

    def _opened(self, plan: bytes) -> Json:
        opened: Json = json.loads(self._database.secrets.decrypt(plan))
        return opened
