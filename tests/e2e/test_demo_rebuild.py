# SPDX-License-Identifier: Apache-2.0
"""Object store and key folder alone give the demonstration's holdings back, row for row."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from demonstration import copy_of, opened, settings_of
from dirty_stock import csv_lines
from editions import new_edition
from fakes import make_database
from license_library import COMPANY, FOOD, ITEM_OF, WORKER, held_together, license_data
from sqlalchemy import Table, func, select

from archive.holds import HoldGrounds, HoldService
from archive.models import Dossier
from cases.models import Holder
from cases.services import Announcement
from licenses.bulk_choosing import BulkKind, Selection
from licenses.bulk_models import BulkChange
from licenses.codes.services import CodeWish, Mode
from licenses.copies.models import LicenseCopy
from licenses.events import Grounds
from licenses.ladder.models import LadderRung
from licenses.ladder.services import Happening
from licenses.ladder.states import RungEventKind
from licenses.lifecycle import Status
from licenses.models import License, LicenseUsage
from licenses.objections import About
from licenses.questions import ProofQuestion
from licenses.requests import SignedRequest
from licenses.sharing.terms import Wish
from licenses.stock.profiles import ProfileBook
from portal.accounts.rights import NewAccount
from portal.bootstrap import open_foundation, open_keeper
from portal.patterns.explaining import explain
from portal.patterns.models import UnusualQuery
from portal.rooms import Rooms
from portal.settings import Settings
from portal.stock.driver import source_file
from portal.stock.opening import import_driver
from portal.tables import all_tables
from storage.database import Database, UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.findings import Verdict
from storage.ledger.models import LedgerEntry
from storage.ledger.policies import parse_policy
from storage.ledger.rebuild import Rebuilt, fetch_published, read_items, replay
from storage.ledger.verification import verify_log
from storage.objects.folder import FolderStore
from storage.secrets import Secrets

pytestmark = pytest.mark.slow

NO_HOLDINGS = {
    "client_nonce": "what it keeps from being sent twice is too old by then",
    "filing_receipt": "holds the promise, which no detail can hold",
    "holder_session": "ends with the installation",
    "key_mark": "tells of the keys, which are there before anything is rebuilt",
    "license_answer": "holds the promise too; the decision itself is rebuilt",
    "license_copy_link": "ends with the installation",
    "license_change": "names the act, which no detail can hold; tied again to the acts",
    "license_grant_use": "counts uses of a day, which begins anew",
    "ladder_change": "names the act, which no detail can hold; tied again to the acts",
    "ladder_statement": "holds the promise too; what it states is rebuilt",
    "login_link": "ends with the installation",
    "pattern_look": "is looked for again",
    "rule_simulation": "is simulated again",
    "step": "what was under way is planned anew",
    "subscription_delivery": "what had not arrived is told again",
    "subscription_place": "telling starts again where the subscription began",
    "password": "ends with the installation; persons get links and choose anew",
    "sign_in_lock": "counts failures of a day",
    "object_version": "which version of an object is read is learnt from the bucket again",
    "unusual_query": "is looked for again",
    "web_session": "ends with the installation",
}
SUBSCRIBER = Identity("system", "tax", "swj", frozenset({Role.CLIENT}), scopes=frozenset({"subscribe"}))
WISH = Wish(
    name="登记变更", holders=[("001", "91339999MADEM0011X")], purpose="keep-current", reason="按目录共享"
)
HOLDINGS = sorted(
    name for name in all_tables().tables if name not in NO_HOLDINGS and not name.startswith("ledger_")
)


@dataclass(frozen=True)
class Second:
    """A database made of what was published, and the keys that opened it."""

    database: Database
    secrets: Secrets
    rebuilt: Rebuilt
    size: int


def issued_together(rooms: Rooms, uow: UnitOfWork) -> License:
    """Let an office issue a licence that two hold together."""
    manager = Identity("person", "manager", "scjg", frozenset({Role.LICENSE_MANAGER}))
    holders = uow.session.scalars(
        select(Holder).where(Holder.kind == "organisation").order_by(Holder.id)
    ).all()
    other = rooms.holders.reveal(uow, holders[1])
    shared = {"scheme": other.scheme, "code": other.code, "name": other.name, "share": "1/2"}
    rooms.license_types.adopt([held_together(rooms.license_types.get(FOOD))], 1)
    licence = license_data(FOOD, number="N00000TOGETHER", share="1/2", co_holders=[shared])
    grounds = Grounds("补录", "行政许可法第三十九条")
    return rooms.licenses.reserve_by_office(uow, manager, holders[0], licence, grounds)


def changed_together(rooms: Rooms, uow: UnitOfWork) -> BulkChange:
    """Propose to open the annual check of a department's licences."""
    manager = Identity("person", "manager", "scjg", frozenset({Role.LICENSE_MANAGER}))
    chosen = Selection(FOOD, BulkKind.OPEN_CHECK)
    return rooms.bulk.propose(uow, manager, chosen, Grounds("年度检查", "食品安全法"))


def take_over_stock(rooms: Rooms, settings: Settings, file: Path) -> None:
    """Import records of another system, some of which are quarantined or rejected."""
    manager = Identity("person", "manager", "scjg", frozenset({Role.LICENSE_MANAGER}))
    file.write_text("".join(csv_lines(60)), "utf-8")
    driver, profile = import_driver(rooms, settings), ProfileBook.load().get("provincial-exchange")
    run = rooms.database.write(lambda uow: driver.runs.start(uow, manager, profile, source_file(file)).id)
    driver.work(manager, run, file, lambda _: None)


def ordered_copy(rooms: Rooms, uow: UnitOfWork) -> LicenseCopy:
    """Let a holder order a copy of an own licence, and make a code for it."""
    own = uow.session.scalars(select(License).where(License.object_sha256.is_not(None))).all()
    valid = next(one for one in own if rooms.holdings.status(uow, one, uow.clock.now()) is Status.VALID)
    holder = Identity("holder", valid.holder_id, "", frozenset({Role.HOLDER}))
    basis = AccessBasis(Basis.HOLDER, purpose="hand-in")
    rooms.codes.make(uow, holder, CodeWish(valid.identifier, Mode.OWN, "hand-in"))
    return rooms.copies.order(uow, holder.on(basis), valid.identifier)


def answered_department(rooms: Rooms, uow: UnitOfWork) -> LadderRung:
    """Ask a department from an answer that offers it, and let it answer."""
    now = uow.clock.now()
    announced = Announcement("yctb", "LADDER-1", ITEM_OF[FOOD], "2026-03", *COMPANY, "scjg", now, None)
    case, _ = rooms.cases.announce(uow, WORKER, announced)
    clerk = Identity("person", "clerk", "scjg", frozenset({Role.CLERK}))
    asked = Identity("person", "doctor", "wjw", frozenset({Role.CLERK}))
    signed = SignedRequest("system-1", "k" * 43, "n" * 22, b"base", b"signature", b"{}")
    question = ProofQuestion(case.source, case.number, case.item_code, "accept", signed=signed)
    answer = rooms.proofs.ask(uow, clerk, question)
    row, _ = rooms.ladder.take(uow, clerk, answer.decision.id, "R3", "cooperation")
    said = Happening(RungEventKind.ANSWERED, "已核对", holds=True, signed=signed)
    rooms.ladder.happen(uow, asked, row.id, said)
    return row


def explained_pattern(uow: UnitOfWork, supervisor: Identity) -> None:
    """Find an unusual query and say what it was."""
    now = uow.clock.now()
    told: dict[str, Any] = {"actor": "clerk", "organisation": "scjg", "count": 5, "total": 5}
    # A look of the worker may have found something already.
    told |= {"cases": [], "relations": [], "first_at": now, "last_at": now}
    uow.session.add(UnusualQuery(place=900, pattern="sequence", **told))
    uow.session.flush()
    explain(uow, supervisor, "sequence", "clerk", None, "集中补录")


@pytest.fixture(scope="module")
def data(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demonstration, a hold, a change of rights, an objection and an edition; all of it published."""
    data = copy_of(demo_data, tmp_path_factory.mktemp("first") / "data")
    settings = settings_of(data)
    supervisor = Identity("person", "supervisor", "dsj", frozenset({Role.SUPERVISOR}))
    with opened(data) as rooms:
        with rooms.database.reading() as uow:
            dossier = uow.session.scalars(select(Dossier.id)).first() or ""
        grounds = HoldGrounds("诉讼期间保全", "民事诉讼法")
        rooms.database.write(lambda uow: HoldService().place(uow, supervisor, dossier, grounds))
        administrator = Identity("person", "administrator", "office", frozenset({Role.SYSTEM_ADMIN}))
        new = NewAccount(name="演示新同事", organisation="scjg", roles=frozenset({Role.CLERK}))
        rooms.database.write(lambda uow: rooms.rights.add_account(uow, administrator, new, "新入职"))
        with rooms.database.reading() as uow:
            used = uow.session.execute(select(LicenseUsage.id, LicenseUsage.holder_id))
            use, concerned = used.first() or ("", "")
        holder = Identity("holder", concerned, "", frozenset({Role.HOLDER}))
        rooms.database.write(lambda uow: rooms.objections.open(uow, holder, About.USE, use, "没有办过").id)
        rooms.database.write(lambda uow: issued_together(rooms, uow).id)
        rooms.database.write(lambda uow: changed_together(rooms, uow).id)
        take_over_stock(rooms, settings, data / "stock.csv")
        rooms.database.write(lambda uow: ordered_copy(rooms, uow).id)
        rooms.database.write(lambda uow: answered_department(rooms, uow).id)
        proposed = new_edition(filing_days=7)
        rooms.database.write(lambda uow: rooms.editions.propose(uow, administrator, proposed, "新版指南"))
        rooms.database.write(lambda uow: rooms.subscriptions.ask(uow, SUBSCRIBER, WISH))
        rooms.database.write(lambda uow: explained_pattern(uow, supervisor))
    keeper = open_keeper(open_foundation(settings), settings)
    keeper.tick(hurry=True)
    keeper.close()
    return data


@pytest.fixture(scope="module")
def rooms(data: Path) -> Iterator[Rooms]:
    with opened(data) as rooms:
        yield rooms


@pytest.fixture(scope="module")
def second(data: Path, rooms: Rooms, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Second]:
    folder = tmp_path_factory.mktemp("second")
    for part in ("objects", "keys"):
        shutil.copytree(data / part, folder / part)
    secrets, log = Secrets(folder / "keys"), folder / "log"
    size = fetch_published(FolderStore(folder / "objects"), settings_of(data).log_origin, log)
    policy = parse_policy(f"log {rooms.keys.log_key}\nquorum none\n")
    assert verify_log(log, policy).verdict is Verdict.VALID
    database = make_database(folder)
    with database.writing() as uow:
        tables = {table.name: table for table in all_tables().sorted_tables}
        rebuilt = replay(uow.session, read_items(log, size), secrets.decrypt, tables)
    yield Second(database, secrets, rebuilt, size)
    database.close()


def rows(database: Database, table: Table) -> list[dict[str, Any]]:
    with database.reading() as uow:
        found = uow.session.execute(select(table).order_by(*table.primary_key)).mappings()
        return [dict(row) for row in found]


def test_everything_recorded_was_published_and_replayed(rooms: Rooms, second: Second) -> None:
    with rooms.database.reading() as uow:
        entries = uow.session.scalar(select(func.count()).select_from(LedgerEntry))
    assert second.size == second.rebuilt.acts == entries
    assert second.rebuilt.erased == 0


@pytest.mark.parametrize("name", HOLDINGS)
def test_a_table_of_holdings_comes_back_row_for_row(rooms: Rooms, second: Second, name: str) -> None:
    table = all_tables().tables[name]
    before = rows(rooms.database, table)
    assert before, "the demonstration and the fixture fill every table"
    assert rows(second.database, table) == before


@pytest.mark.parametrize("name", sorted(NO_HOLDINGS))
def test_what_is_no_holding_is_not_rebuilt(second: Second, name: str) -> None:
    assert rows(second.database, all_tables().tables[name]) == []


@pytest.mark.parametrize("of", ["license", "ladder"])
def test_every_event_stands_in_the_feed_of_changes(rooms: Rooms, of: str) -> None:
    events, ties = (all_tables().tables[f"{of}_{name}"] for name in ("event", "change"))
    assert {one["id"] for one in rows(rooms.database, events)} == {
        one["event_id"] for one in rows(rooms.database, ties)
    }


def test_faces_can_be_read_with_the_keys_alone(second: Second) -> None:
    cipher = all_tables().tables["license"].c.face_cipher
    with second.database.reading() as uow:
        ciphers = uow.session.scalars(select(cipher)).all()
    assert ciphers
    assert all(second.secrets.decrypt(one).startswith(b"{") for one in ciphers)
