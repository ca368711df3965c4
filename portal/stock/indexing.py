# SPDX-License-Identifier: Apache-2.0
"""The step that puts a block of stock into the index: one step for all of its licences."""

from itertools import islice
from typing import Final

from sqlalchemy import select

from cases.models import Holder
from indexer.document import IndexDocument
from indexer.ports import Index
from licenses.holdings import Holdings
from licenses.issuing import document_of_license
from licenses.models import License
from licenses.stock.models import StockRecord
from licenses.stock.runs import STOCK_INDEX_STEP
from storage.database import Database, UnitOfWork
from storage.ledger.canonical import Json
from storage.steps import Job, Staging

_TOGETHER: Final = 250
"""Licences whose faces are held at once."""


class StockIndexStep:
    """Puts the licences of a block into the index; the subject is ``RUN:FIRST:LAST`` by row.

    A put can be repeated, and one of an older version changes nothing; so nothing is planned but the block.

    Args:
        database: Where the licences are read while the step is performed.
        index: The search index.
        holdings: Faces and events of licences.
    """

    kind = STOCK_INDEX_STEP

    def __init__(self, database: Database, index: Index, holdings: Holdings) -> None:
        self._database, self._index, self._holdings = database, index, holdings

    def plan(self, uow: UnitOfWork, job: Job) -> Json:  # noqa: ARG002 - the block says it all
        """Give the block."""
        run, first, last = job.subject.split(":")
        return [run, int(first), int(last)]

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - nothing is staged
        """Put the block, some licences at a time."""
        if not isinstance(plan, list):
            raise TypeError(type(plan).__name__)
        run, first, last = str(plan[0]), int(str(plan[1])), int(str(plan[2]))
        with self._database.reading() as uow:
            found = uow.session.scalars(
                select(StockRecord.license_id)
                .where(StockRecord.run_id == run, StockRecord.row.between(first, last))
                .order_by(StockRecord.row)
            ).all()
        waiting = iter(found)
        while ids := list(islice(waiting, _TOGETHER)):
            with self._database.reading() as uow:
                documents = stock_documents(uow, self._holdings, ids)
            self._index.put_all(documents)
        return None

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """The puts have served."""

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended that could be done twice."""


def stock_documents(uow: UnitOfWork, holdings: Holdings, ids: list[str]) -> list[IndexDocument]:
    """Give what the index holds of licences of the stock."""
    kinds = select(License, Holder.kind).join(Holder, Holder.id == License.holder_id)
    rows = uow.session.execute(kinds.where(License.id.in_(ids))).all()
    events = holdings.events(uow, ids)
    return [document_of_license(uow, holdings, one, events[one.id], kind) for one, kind in rows]
