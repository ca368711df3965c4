# SPDX-License-Identifier: Apache-2.0
"""Every night the index is compared with the records and repaired, by itself, once; a lost one at once.

Each worker process looks whether the hour has passed and adds the night's step; its identifier is made of the
night, so however many look, one step stands and one worker does it. What came of it is an act: the index is
a copy, but whether it was checked is something that a supervisor asks for.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from indexer.ports import Index
from portal.housekeeping import last_act, repeatedly
from portal.index_keeping import WAYS, IndexKeeper, recorded_count
from portal.indexing import KIND as PUT
from storage.clock import SHANGHAI, Clock, encode_id
from storage.database import Database, UnitOfWork
from storage.identity import system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerEntry
from storage.steps import STANDING, UNFINISHED, Job, Staging, StepRow

KIND = "index.reconcile"
_LOOK_SECONDS = 60.0
_COUNTED_EVERY = dt.timedelta(hours=1)
_ACTOR = system_identity("housekeeping")


class ReconcileStep:
    """Reconciles the index; the subject is the night's date.

    Args:
        keeper: Compares and repairs, in units of its own.
        engine: Name of the index's engine.
    """

    kind = KIND

    def __init__(self, keeper: IndexKeeper, engine: str) -> None:
        self._keeper = keeper
        self._engine = engine

    def plan(self, uow: UnitOfWork, job: Job) -> Json:  # noqa: ARG002 - the whole index is the subject
        """Give the night."""
        return job.subject

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - repairing again repairs nothing
        """Compare and repair; give how many differed, by kind, and how many the engine could not hold."""
        repair = self._keeper.reconcile(_ACTOR)
        return {**repair.counts, "refused": len(repair.refused)}

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - the result says it
        """Record what came of it."""
        counts = dict(result) if isinstance(result, Mapping) else {}
        uow.record(
            Act(
                kind=ActKind.INDEX_RECONCILED,
                actor=_ACTOR,
                object_type="index",
                object_id=self._engine,
                outcome=Outcome.FAILED if counts.get("refused") else Outcome.DONE,
                notes={"night": job.subject, **counts},
            )
        )

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended that could be done twice."""


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What the last reconciling by itself did.

    Attributes:
        at: When.
        repaired: How many documents differed, by kind of difference.
        refused: How many the engine could not hold.
    """

    at: dt.datetime
    repaired: Mapping[str, int]
    refused: int


def last_reconciled(uow: UnitOfWork) -> Reconciled | None:
    """Give what the last reconciling by itself did; ``None`` when there was none yet."""
    act = last_act(uow.session, ActKind.INDEX_RECONCILED)
    if act is None:
        return None
    notes = json.loads(uow.secrets.decrypt(act.detail))["notes"]
    return Reconciled(act.recorded_at, {way: notes[way] for way in WAYS}, notes["refused"])


class Nightly:
    """Adds the step of each night, and one when the index lacks most of what is recorded.

    Args:
        database: Where the steps are.
        index: What is compared.
        clock: Tells when the hour has passed.
        at: The hour, in Asia/Shanghai.
    """

    def __init__(self, database: Database, index: Index, clock: Clock, at: dt.time) -> None:
        self._database = database
        self._index = index
        self._clock = clock
        self._at = at
        self._next_count: dt.datetime | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look every minute, in a thread of its own, while the block runs."""
        with repeatedly("nightly", _LOOK_SECONDS, self.look):
            yield

    def look(self) -> bool:
        """Add the step of the last night whose hour has passed, unless it stands; tell whether it did.

        Where there is none to add and most documents are missing from the index, as an upgrade of its layout
        leaves it, or a disk that was lost, a step is added at once, one in an hour. Documents that the engine
        cannot hold are few.
        """
        due = self._due()
        if self._stands_since(due) and self._ask_for(str(due.date()), str(due.date())):
            return True
        now = self._clock.now().astimezone(SHANGHAI)
        if self._next_count is not None and now < self._next_count:
            return False
        lost = self._lost()
        if lost is not None:
            self._next_count = now + _COUNTED_EVERY
        return bool(lost) and self._ask_for(f"{now:%Y-%m-%dT%H}", str(now.date()))

    def _stands_since(self, due: dt.datetime) -> bool:
        """Tell whether the installation is older than an instant; a newer one has nothing to make up for."""
        with self._database.reading() as uow:
            first = uow.session.get(LedgerEntry, 0)
        return first is not None and first.at <= due

    def _lost(self) -> bool | None:
        """Tell whether the index lacks most of what is recorded; ``None`` while something waits for it."""
        waits = select(StepRow.id).where(StepRow.kind == PUT, UNFINISHED, STANDING != "stuck").limit(1)
        with self._database.reading() as uow:
            if uow.session.scalar(waits) is not None:
                return None
            recorded = recorded_count(uow)
        # Asked last: what was put meanwhile is counted.
        return 2 * self._index.count() < recorded

    def _ask_for(self, name: str, night: str) -> bool:
        step_id = encode_id(hashlib.sha256(f"{KIND} {name}".encode()).digest()[:16])
        with self._database.reading() as uow:
            if uow.session.get(StepRow, step_id) is not None:
                return False
        try:
            return self._database.write(partial(self._add, step_id, night))
        except IntegrityError:
            # Another worker was quicker.
            return False

    @staticmethod
    def _add(step_id: str, night: str, uow: UnitOfWork) -> bool:
        # Looked for again: where units run side by side, the other's step is met here and not at the commit.
        if uow.session.get(StepRow, step_id) is not None:
            return False
        uow.add_step(KIND, night, step_id=step_id)
        return True

    def _due(self) -> dt.datetime:
        now = self._clock.now().astimezone(SHANGHAI)
        due = dt.datetime.combine(now.date(), self._at, SHANGHAI)
        return due if due <= now else due - dt.timedelta(days=1)
