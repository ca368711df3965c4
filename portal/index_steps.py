# SPDX-License-Identifier: Apache-2.0
"""The steps that keep the search index: one for each change, one for a block of stock, one for each night."""

from indexer.ports import Index
from licenses.holdings import Holdings
from portal.index_keeping import IndexKeeper
from portal.indexing import IndexStep
from portal.nightly import ReconcileStep
from portal.stock.indexing import StockIndexStep
from storage.database import Database
from storage.steps import Step


def index_steps(database: Database, index: Index, holdings: Holdings) -> tuple[Step, ...]:
    """Give the steps of the queue ``index``."""
    return (
        IndexStep(index, holdings),
        StockIndexStep(database, index, holdings),
        ReconcileStep(IndexKeeper(database, index, holdings), index.engine),
    )
