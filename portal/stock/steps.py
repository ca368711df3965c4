# SPDX-License-Identifier: Apache-2.0
"""The step that works on an uploaded file: all blocks of a run, each in a unit of work of its own.

Whoever is killed loses the block at hand; the next claimer goes on at the run's cursor. The key of the file
is destroyed before the step is done, and again by whoever takes the step over: a run that is over leaves
nothing that can be read.
"""

import datetime as dt
from contextlib import suppress
from typing import Final

from documents.errors import FeedRefusedError
from licenses.errors import StockProfileChangedError, StockProfileUnfitError
from licenses.stock.models import StockRun
from licenses.stock.runs import (
    ARRIVING,
    LOST,
    OPEN,
    STOCK_IMPORT_STEP,
    UPLOAD_ARRIVES,
)
from portal.stock.driver import ImportDriver
from portal.stock.uploads import bring_back
from storage.database import Database, UnitOfWork
from storage.failpoints import failpoint
from storage.identity import Identity, Role
from storage.ledger.canonical import Json
from storage.objects.ports import ObjectStore
from storage.steps import Job, Later, Staging

PATIENCE: Final = dt.timedelta(minutes=15)
"""How long a file may take to be stored; a run whose file is not there then is given up."""
_FILE: Final = "feed"


class StockImportStep:
    """Imports an uploaded file; the subject is the run.

    Args:
        database: Opens units of work.
        objects: Where the file waits.
        driver: Runs imports.
    """

    kind = STOCK_IMPORT_STEP

    def __init__(self, database: Database, objects: ObjectStore, driver: ImportDriver) -> None:
        self._database, self._objects, self._driver = database, objects, driver

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Give the run; its key is destroyed even if it is over."""
        run = uow.session.get(StockRun, job.subject)
        if run is None:
            return None
        if run.state == ARRIVING:
            if uow.clock.now() - run.started_at < PATIENCE:
                return Later(UPLOAD_ARRIVES, 60)
            self._driver.runs.end(uow, _who(run), run.id, LOST)
        return run.id

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Work until the file is read, then erase it."""
        run_id = str(plan)
        with self._database.reading() as uow:
            run = uow.session.get_one(StockRun, run_id)
        if run.state == OPEN:
            self._work(run, staging)
        failpoint("stock.import.after-end")
        self._database.secrets.destroy(run_id)
        failpoint("stock.import.after-destroy")
        return run_id

    def _work(self, run: StockRun, staging: Staging) -> None:
        file = staging.path(_FILE)
        try:
            bring_back(self._database.secrets, self._objects, str(run.object_sha256), file)
            # What is wrong with the file stands in the run, which is over then.
            with suppress(FeedRefusedError, StockProfileUnfitError, StockProfileChangedError):
                self._driver.work(_who(run), run.id, file, lambda _: None, staging.folder)
        finally:
            file.unlink(missing_ok=True)

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """Every block is committed already, and so is the end of the run."""

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended that could be done twice: the run's cursor says how far it came."""


def _who(run: StockRun) -> Identity:
    # Whoever started the run is who acts in it.
    return Identity("person", run.actor_id, run.organisation, frozenset({Role.LICENSE_MANAGER}))
