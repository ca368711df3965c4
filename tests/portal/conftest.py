# SPDX-License-Identifier: Apache-2.0
"""The web application on a real database in a temporary folder, and who calls it."""

import datetime as dt
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from html import unescape
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from calling import Caller, SigningClient, add_operators, known_token, make_caller
from fakes import HandClock, make_database
from flask import Flask
from flask.testing import FlaskClient
from granting import grant
from inserted import rowid
from once import copy_prepared
from sqlalchemy import select

from archive.intake import IntakeService
from archive.queries import FilingQueries
from archive.supervision import TraceService
from cases.calendar import WorkingCalendar
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.services import CaseService
from documents.codes import read_codes
from documents.pages import PageImages
from documents.sandbox import Sandbox
from documents.typesetting import Typesetter
from indexer.embedded import EmbeddedIndex
from licenses.answers import AnswerKeys
from licenses.catalogue import TypeCatalogue
from licenses.grants.services import Grants
from licenses.holdings import Holdings
from licenses.reading import LicenseReader
from licenses.rules import RuleBook
from licenses.services import LicenseService
from portal import cli
from portal.accounts.rights import NewAccount, NewClient, add_account, add_client
from portal.accounts.services import AccountService
from portal.books import Books
from portal.bootstrap import open_rooms
from portal.checking import DocumentCheck
from portal.demo.people import Cast
from portal.demo.script import Script
from portal.editions.approved import ApprovedEditions
from portal.proving import proof_service
from portal.rooms import PublishedKeys, Rooms
from portal.settings import Settings
from portal.sharing.addresses import Reach
from portal.sharing.posting import HttpSender
from portal.web.factory import create_app
from seals.demo_pki import DemoPki
from seals.keys import FileKeyStore
from seals.services import SealService
from seals.trust import TrustList
from seals.verdicts import Verdict
from seals.verification import KnownDocument, verify_pdf
from storage.clock import RandomIds
from storage.database import UnitOfWork
from storage.identity import Role, system_identity
from storage.ledger.gate import GateLimits, LedgerGate
from storage.ledger.models import LedgerAct
from storage.ledger.notes import NoteSigner
from storage.objects.folder import FolderStore

ADMINISTRATOR = system_identity("test")


@dataclass(frozen=True)
class House:
    """A running house: its rooms, its application, and ways in."""

    rooms: Rooms
    app: Flask
    clock: HandClock
    staging: Path

    def acts(self) -> list[str]:
        """Give the kinds of all acts so far, in order."""
        with self.rooms.database.reading() as uow:
            return list(uow.session.scalars(select(LedgerAct.kind).order_by(LedgerAct.recorded_at, rowid)))

    def first_act(self, uow: UnitOfWork) -> str:
        """Give the id of the first act."""
        return uow.session.scalars(select(LedgerAct.act_id).order_by(rowid)).first() or ""

    def some_core_holds(self, text: bytes) -> bool:
        """Tell whether a text stands in the clear part of any act."""
        with self.rooms.database.reading() as uow:
            return any(text in core for core in uow.session.scalars(select(LedgerAct.core)))

    def client_key(
        self,
        *scopes: str,
        organisation: str = "scjg",
        items: Iterable[str] = ("339999010002",),
        sources: Iterable[str] = ("ycsl",),
        pair: bool = False,
    ) -> str:
        """Give what opens the door for a new client: a token if it asks or has a pair, else a shared key."""
        new = self.new_client(*scopes, organisation=organisation, items=items, sources=sources)
        if pair or "ask" in scopes:
            return known_token(make_caller(self.app, self.rooms, new))
        with self.rooms.database.writing() as uow:
            client, key = add_client(uow, ADMINISTRATOR, new)
            if client.items:
                grant(uow, client.items, organisation=organisation, client_id=client.id)
        return key

    def caller(self, *scopes: str, curve: str = "P-256", **terms: Any) -> Caller:
        """Give a new client with a key pair of its own."""
        return make_caller(self.app, self.rooms, self.new_client(*scopes, **terms), curve)

    def new_client(
        self,
        *scopes: str,
        organisation: str = "scjg",
        items: Iterable[str] = ("339999010002",),
        sources: Iterable[str] = ("ycsl",),
    ) -> NewClient:
        return NewClient(
            name="综合受理系统",
            organisation=organisation,
            sources=frozenset(sources),
            scopes=frozenset(scopes),
            items=frozenset(items),
            operators=frozenset({"op-1"}),
            expires_at=self.clock.now() + dt.timedelta(days=30),
        )

    def login_token(self, role: Role, organisation: str = "") -> str:
        organisation = organisation or ("dsj" if role is Role.SUPERVISOR else "scjg")
        with self.rooms.database.writing() as uow:
            account = add_account(
                uow,
                ADMINISTRATOR,
                NewAccount(name="测试员", organisation=organisation, roles=frozenset({role})),
            )
            return self.rooms.accounts.login_link(uow, ADMINISTRATOR, account.id)

    def browser(self, role: Role | None = None, organisation: str = "") -> FlaskClient:
        browser = self.app.test_client()
        if role is not None:
            token = self.login_token(role, organisation)
            page = browser.get(f"/sign-in/{token}")
            answer = browser.post(f"/sign-in/{token}", data={"form_token": form_token(page.text)})
            assert answer.status_code == 303
        return browser


def form_token(page: str) -> str:
    found = re.search(r'name="form_token" value="([0-9a-f]{64})"', page)
    assert found is not None
    return found[1]


def switches(page: str) -> list[str]:
    """Give where the switches lead: addresses of links and of buttons that send the page's form."""
    person = page.partition('<nav class="who"')[2].partition("</nav>")[0]
    return [unescape(one) for one in re.findall(r'(?:href|formaction)="([^"]*(?:lang|mode)=[^"]*)"', person)]


def switch_to(page: str, wanted: str) -> str:
    """Give where the switch leads whose address has ``wanted`` in it."""
    return next(one for one in switches(page) if wanted in one)


class NoSealRevoked:
    """A seal register in which no seal is revoked."""

    def revocations(self, uow: UnitOfWork, seals: Collection[str] | None = None) -> Mapping[str, dt.datetime]:
        return {}


def _verify(path: Path, trust: TrustList, known: KnownDocument | None, at: dt.datetime) -> Verdict:
    return verify_pdf(path.read_bytes(), trust, known, at)


class _Parts(NamedTuple):
    """What answers are made of."""

    holdings: Holdings
    holders: HolderService
    items: ItemCatalogue
    rules: RuleBook
    cases: CaseService
    answers: AnswerKeys
    books: Books


def make_house(folder: Path, trust: TrustList | None = None, clock: Any = None, **changes: Any) -> House:
    clock = clock or HandClock()
    holders = HolderService()
    settings = Settings(data=folder, **changes)
    database = make_database(folder, clock)
    editions = ApprovedEditions(database)
    items = ItemCatalogue.load(look_up=editions.items)
    cases = CaseService(items, holders)
    objects = FolderStore(folder / "objects")
    types = TypeCatalogue.load(editions.license_types)
    rules = RuleBook.load(editions.rules)
    books = Books.open(editions)
    holdings = Holdings(types, NoSealRevoked())
    answers = AnswerKeys(folder / "answers")
    gate = LedgerGate(clock, GateLimits())
    gate.watch(database.connecting)
    reader = LicenseReader(holdings, cases, holders, Grants(rules))
    rooms = Rooms(
        database=database,
        objects=objects,
        clock=clock,
        ids=RandomIds(),
        accounts=AccountService(session_hours=10, login_link_minutes=60),
        items=items,
        holders=holders,
        cases=cases,
        intake=IntakeService(objects, cases, items),
        trace=TraceService(items, WorkingCalendar.load()),
        filings=FilingQueries(cases, holders, items, WorkingCalendar.load()),
        license_types=types,
        licenses=LicenseService(types, items, holders),
        license_reader=reader,
        rules=rules,
        books=books,
        proofs=proof_service(_Parts(holdings, holders, items, rules, cases, answers, books)),
        checks=DocumentCheck(database, reader, _verify, lambda _: trust or TrustList([]), Sandbox(), clock),
        index=EmbeddedIndex(folder / "index.db"),
        keys=PublishedKeys(
            log_key=str(NoteSigner("test", bytes(32)).verifier), ca_pem=b"", jwks=answers.jwks()
        ),
        seals=SealService(),
        pki=DemoPki(folder / "pki", FileKeyStore(folder / "keys" / "seals"), clock),
        gate=gate,
        holdings=holdings,
        page_images=PageImages(Sandbox()),
        read_codes=partial(read_codes, sandbox=Sandbox()),
        typesetter=Typesetter(),
        sender=HttpSender(Reach(production=False), clock),
    )
    app = create_app(rooms, settings)
    app.test_client_class = SigningClient
    rooms.database.write(lambda uow: add_operators(uow, {"op-1"}))
    return House(rooms, app, clock, settings.staging)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.rooms.database.close()


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder set up once, with the demonstration's persons; tests work on copies."""
    folder = tmp_path_factory.mktemp("prepared") / "data"
    copy_prepared(folder)
    settings = Settings(data=folder)
    rooms = open_rooms(settings)
    Cast.gather(rooms, settings, Script.load())
    rooms.close()
    return folder


@pytest.fixture
def installation(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder as ``cunzheng init`` leaves it, for commands run in this process."""
    folder = tmp_path / "data"
    shutil.copytree(prepared, folder)
    monkeypatch.setenv("CUNZHENG_DATA", str(folder))
    return folder


def run(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run a command line; give its exit code and everything it printed."""
    code = cli.run(arguments)
    printed = capsys.readouterr()
    return code, printed.out + printed.err
