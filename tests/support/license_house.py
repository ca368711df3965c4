# SPDX-License-Identifier: Apache-2.0
"""A library with a seal register, an object store and a worker: licences and their copies get made."""

from pathlib import Path

from fakes import HandClock
from inserted import rowid
from license_library import COMPANY, WORKER, Library, every_client_runs
from sqlalchemy import select

from documents.typesetting import Typesetter
from licenses.copies.making import CopyStep
from licenses.copies.services import CopyService
from licenses.issuing import IssueStep
from licenses.models import License
from licenses.standings import RegisterStandings
from portal.worker import Worker
from seals.demo_pki import DemoPki
from seals.sealing import SealingService
from seals.services import Scope, SealService
from storage.clock import RandomIds
from storage.database import UnitOfWork
from storage.ledger.canonical import Json
from storage.ledger.models import LedgerAct
from storage.objects.folder import FolderStore
from storage.steps import Job

URL = "http://127.0.0.1:8321"


class Index:
    """Takes the index steps, which are the portal's."""

    kind = "index.put"

    def plan(self, uow: UnitOfWork, job: Job) -> Json:
        return None

    def perform(self, plan: Json, staging: object) -> Json:
        return None

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None: ...

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None: ...


class House:
    """A library with a seal register, an object store and a worker."""

    def __init__(
        self, folder: Path, pki: DemoPki, typesetter: Typesetter, clock: HandClock | None = None
    ) -> None:
        self.library = Library(folder, RegisterStandings(), clock)
        self.pki, self.seal_id = pki, ""
        self.objects = FolderStore(folder / "objects")
        self.sealing = SealingService(pki.keys, pki.tsa(RandomIds()), pki.trust, self.library.clock)
        self.step = IssueStep(
            self.library.holdings,
            self.library.items,
            self.library.holders,
            typesetter,
            self.sealing,
            self.objects,
            public_url=URL,
            demo=True,
        )
        self.copies = CopyService(self.library.reader, self.library.holdings, every_client_runs)
        self.copying = CopyStep(self.library.holdings, typesetter, self.sealing, self.objects, URL)
        steps = {"license.issue": self.step, "license.copy": self.copying, "index.put": Index()}
        self.worker = Worker(
            self.library.database, steps, folder / "staging", self.library.clock, RandomIds()
        )

    def register(self, name: str = "演示市市场监督管理局") -> None:
        with self.library.database.writing() as uow:
            seal, _ = SealService().register(
                uow,
                WORKER,
                name=name,
                department="scjg",
                key_reference=self.pki.seal_key("scjg"),
                certificate=self.pki.certificate("scjg"),
                scope=Scope(("scjg", "jtys")),
            )
            SealService().enable(uow, WORKER, seal.id)
            self.seal_id = seal.id

    def work(self) -> None:
        while self.worker.run_one():
            self.library.clock.advance(1)

    def issue(self, type_code: str, holder: tuple[str, str, str] = COMPANY) -> License:
        reserved = self.library.reserve(type_code, holder)
        self.work()
        with self.library.database.reading() as uow:
            return uow.session.get_one(License, reserved.id)

    def acts(self) -> list[str]:
        with self.library.database.reading() as uow:
            return [
                str(row.kind)
                for row in uow.session.scalars(select(LedgerAct).order_by(LedgerAct.recorded_at, rowid))
            ]
