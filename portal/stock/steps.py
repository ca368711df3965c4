# SPDX-License-Identifier: Apache-2.0
"""The step that works on an uploaded file: all blocks of a run, each in a unit of work of its own.

Whoever is killed loses the block at hand; the next claimer goes on at the run's cursor. The step's own record
only ends the matter, so nothing can be done twice.
"""

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

from documents.errors import FeedRefusedError
from licenses.errors import StockProfileUnfitError
from licenses.stock.models import StockRun
from licenses.stock.runs import OPEN, STOCK_IMPORT_STEP
from portal.stock.driver import ImportDriver
from portal.stock.uploads import bring_back
from storage.database import Database, UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.canonical import Json
from storage.objects.ports import ObjectStore
from storage.steps import Job, Staging

_FILE: Final = "feed"


class StockImportStep:
    """Imports an uploaded file; the subject is the run.

    Args:
        database: Opens units of work.
        objects: Where the file waits.
        driver: Runs imports.
        scratch: Where the file lies in clear while it is read.
    """

    kind = STOCK_IMPORT_STEP

    def __init__(self, database: Database, objects: ObjectStore, driver: ImportDriver, scratch: Path) -> None:
        self._database, self._objects, self._driver, self._scratch = database, objects, driver, scratch

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        """Give the run and where its file waits; ``None`` when it is over."""
        run = uow.session.get(StockRun, job.subject)
        if run is None or run.state != OPEN:
            return None
        return [run.id, run.object_sha256, run.actor_id, run.organisation]

    def perform(self, plan: Json, staging: Staging) -> Json:  # noqa: ARG002 - every block commits by itself
        """Work until the file is read."""
        if not isinstance(plan, list):
            raise TypeError(type(plan).__name__)
        run_id, sha256, actor, organisation = map(str, plan)
        # Whoever started the run is who acts in it.
        who = Identity("person", actor, organisation, frozenset({Role.LICENSE_MANAGER}))
        with tempfile.TemporaryDirectory(prefix="stock-", dir=self._scratch) as folder:
            file = Path(folder) / _FILE
            bring_back(self._database.secrets, self._objects, sha256, file)
            # What is wrong with the file stands in the run, which is over then.
            with suppress(FeedRefusedError, StockProfileUnfitError):
                self._driver.work(who, run_id, file, lambda _: None)
        return run_id

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:  # noqa: ARG002 - as a step has them
        """Erase the uploaded file."""
        uow.on_commit(lambda: uow.secrets.destroy(job.subject))

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was intended that could be done twice: the run's cursor says how far it came."""
