# SPDX-License-Identifier: Apache-2.0
"""Runs of the import of stock: begun, gone on with, ended; every block is one unit of work.

A block advances the run's cursor in the transaction in which it writes: whoever is killed loses the block at
hand and nothing else, and of two that work on the same run one finds the cursor moved and stops.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select, update

from cases.organisations import covers
from licenses.catalogue import TypeCatalogue
from licenses.errors import StockRunBusyError, StockRunOverError, StockRunUnknownError
from licenses.events import INDEX_STEP
from licenses.sharing.feed import record_change
from licenses.stock.adoption import Adoption, Batch
from licenses.stock.blocks import Blocks
from licenses.stock.models import StockRejection, StockRun
from licenses.stock.profiles import Profile
from licenses.stock.records import Prepared
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

STOCK_INDEX_STEP: Final = "index.stock"
STOCK_IMPORT_STEP: Final = "stock.import"
STOCK_FORGET_STEP: Final = "stock.forget"
UPLOAD_ARRIVES: Final = "stock-upload-arrives"
"""What the step of a run waits for whose file is not stored yet."""
ARRIVING: Final = "arriving"
OPEN: Final = "open"
DONE: Final = "done"
FAILED: Final = "failed"
LOST: Final = "upload-lost"
"""Problem of a run whose file did not come."""
_SHOWN: Final = 100
_LISTED: Final = 100_000


@dataclass(frozen=True, slots=True)
class SourceFile:
    """The bytes that a run reads: digest and size."""

    sha256: str
    size: int


class StockRuns:
    """What can be done with runs.

    Args:
        types: The type catalogue.
    """

    def __init__(self, types: TypeCatalogue) -> None:
        self._types = types

    def start(
        self,
        uow: UnitOfWork,
        identity: Identity,
        profile: Profile,
        file: SourceFile,
        *,
        trial: bool = False,
        uploaded: bool = False,
    ) -> StockRun:
        """Begin a run; of the same file one run is open at most.

        Args:
            uow: The unit of work.
            identity: A licence manager; the licences become the organisation's.
            profile: The source's spelling.
            file: The file.
            trial: Only count.
            uploaded: Whether a worker does the work, with a file that is put where it waits for one after
                this: :meth:`name_object`, :meth:`arrived`.

        Raises:
            NotPermittedError: The identity manages no licences.
            StockRunBusyError: This file is being imported already: go on with that run.
        """
        identity.demand(Role.LICENSE_MANAGER)
        if not trial and self.open_run(uow, identity, file) is not None:
            raise StockRunBusyError
        now = uow.clock.now()
        run = StockRun(
            id=uow.ids.new_id(),
            profile=profile.label,
            profile_sha256=profile.digest,
            file_sha256=file.sha256,
            file_size=file.size,
            trial=trial,
            organisation=identity.organisation,
            actor_id=identity.id,
            trust=profile.trust,
            state=ARRIVING if uploaded else OPEN,
            read=0,
            accepted=0,
            quarantined=0,
            rejected=0,
            report={"reasons": {}, "types": {}},
            started_at=now,
            updated_at=now,
        )
        uow.session.add(run)
        uow.session.flush()
        self._record(uow, identity, ActKind.STOCK_STARTED, run, [])
        if uploaded:
            uow.add_step(STOCK_IMPORT_STEP, run.id)
        return run

    def open_run(self, uow: UnitOfWork, identity: Identity, file: SourceFile) -> StockRun | None:
        """Give the run of this file that is not over, if there is one in the identity's organisation."""
        identity.demand(Role.LICENSE_MANAGER)
        return uow.session.scalars(
            select(StockRun).where(
                StockRun.file_sha256 == file.sha256,
                StockRun.organisation == identity.organisation,
                StockRun.state.in_((ARRIVING, OPEN)),
                StockRun.trial.is_(False),
            )
        ).first()

    def name_object(self, uow: UnitOfWork, identity: Identity, run_id: str, sha256: str) -> None:
        """Say where the file of an arriving run will wait, before anything lies there.

        Raises:
            StockRunOverError: The run was given up meanwhile.
        """
        self._arriving(uow, identity, run_id).object_sha256 = sha256

    def arrived(self, uow: UnitOfWork, identity: Identity, run_id: str) -> None:
        """Let the worker begin: the file of an arriving run waits for it.

        Raises:
            As :meth:`name_object`.
        """
        self._arriving(uow, identity, run_id).state = OPEN
        uow.wake(UPLOAD_ARRIVES)

    def _arriving(self, uow: UnitOfWork, identity: Identity, run_id: str) -> StockRun:
        run = self.get(uow, identity, run_id)
        if run.state != ARRIVING:
            raise StockRunOverError
        return run

    def get(self, uow: UnitOfWork, identity: Identity, run_id: str) -> StockRun:
        """Give a run.

        Raises:
            StockRunUnknownError: There is none that this identity may see.
        """
        run = uow.session.get(StockRun, run_id)
        if run is None or not (identity.has(Role.LICENSE_MANAGER) and covers(identity, run.organisation)):
            raise StockRunUnknownError
        return run

    def recent(self, uow: UnitOfWork, identity: Identity) -> Sequence[StockRun]:
        """Give the runs of the identity's organisation, the newest first."""
        identity.demand(Role.LICENSE_MANAGER)
        return uow.session.scalars(
            select(StockRun)
            .where(StockRun.organisation == identity.organisation)
            .order_by(StockRun.started_at.desc(), StockRun.id)
            .limit(_SHOWN)
        ).all()

    def rejections(self, uow: UnitOfWork, run: StockRun) -> Sequence[StockRejection]:
        """Give where the rejected records of a run stood, the first hundred thousand."""
        query = select(StockRejection).where(StockRejection.run_id == run.id)
        return uow.session.scalars(query.order_by(StockRejection.row).limit(_LISTED)).all()

    def adopt(
        self,
        uow: UnitOfWork,
        identity: Identity,
        run_id: str,
        block: Sequence[Prepared],
        blocks: Blocks,
    ) -> StockRun:
        """Take over the next block of a run.

        Raises:
            StockRunOverError: The run is over.
            StockRunBusyError: Somebody else took this block over: the run has moved on.
        """
        run = self._moved(uow, identity, run_id, block)
        batches = Adoption(uow, identity, run, self._types, blocks, block).batches()
        for batch in batches:
            _count(run, batch)
        run.updated_at = uow.clock.now()
        uow.session.flush()
        for batch in batches:
            self._record(uow, identity, ActKind.STOCK_IMPORTED, run, [batch])
        again = {one for batch in batches for one in batch.again}
        for license_id in sorted(again):
            uow.add_step(INDEX_STEP, f"licence:{license_id}")
        if any(batch.verdicts["accepted"] for batch in batches):
            uow.add_step(STOCK_INDEX_STEP, f"{run.id}:{block[0].row}:{block[-1].row}")
        return run

    def count(self, uow: UnitOfWork, identity: Identity, run_id: str, block: Sequence[Prepared]) -> StockRun:
        """Count a block of a trial; nothing is taken over.

        Raises:
            As :meth:`adopt`.
        """
        run = self._moved(uow, identity, run_id, block)
        batch = Batch()
        for one in block:
            batch.verdicts[str(one.verdict)] += 1
            batch.reasons.update(one.reasons)
            batch.types.update([f"{one.type_code} {one.verdict}"] if one.type_code else [])
        _count(run, batch)
        run.updated_at = uow.clock.now()
        return run

    def end(self, uow: UnitOfWork, identity: Identity, run_id: str, problem: str | None = None) -> StockRun:
        """End a run: all of its file is read, or what keeps it from being read is lasting."""
        run = self.get(uow, identity, run_id)
        if run.state not in {ARRIVING, OPEN}:
            raise StockRunOverError
        run.state = DONE if problem is None else FAILED
        run.problem = problem
        run.finished_at = run.updated_at = uow.clock.now()
        uow.session.flush()
        self._record(uow, identity, ActKind.STOCK_ENDED, run, [])
        return run

    def _moved(self, uow: UnitOfWork, identity: Identity, run_id: str, block: Sequence[Prepared]) -> StockRun:
        """Move the cursor over a block, once."""
        run = self.get(uow, identity, run_id)
        if run.state != OPEN:
            raise StockRunOverError
        first, last = block[0].row, block[-1].row
        moved = uow.session.execute(
            update(StockRun)
            .where(StockRun.id == run_id, StockRun.read == first - 1, StockRun.state == OPEN)
            .values(read=last)
            .execution_options(synchronize_session=False)
        )
        if moved.rowcount != 1:  # type: ignore[attr-defined]  # an update has a row count
            raise StockRunBusyError
        uow.session.refresh(run)
        return run

    @staticmethod
    def _record(
        uow: UnitOfWork, identity: Identity, kind: ActKind, run: StockRun, batches: Sequence[Batch]
    ) -> None:
        record_change(
            uow,
            Act(
                kind=kind,
                actor=identity,
                object_type="stock-run",
                object_id=run.id,
                object_sha256=run.file_sha256,
                rows=[run, *(one for batch in batches for one in batch.changed.values())],
                tables=[table for batch in batches for table in batch.tables()],
            ),
        )


def _count(run: StockRun, batch: Batch) -> None:
    run.accepted += batch.verdicts["accepted"]
    run.quarantined += batch.verdicts["quarantined"]
    run.rejected += batch.verdicts["rejected"]
    # A new value, so that the change is seen.
    run.report = {
        "reasons": dict(Counter(run.report["reasons"]) + batch.reasons),
        "types": dict(Counter(run.report["types"]) + batch.types),
    }
