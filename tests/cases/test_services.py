# SPDX-License-Identifier: Apache-2.0
"""Announcing, closing and seeing cases."""

import dataclasses
import datetime as dt
import json
import threading
from collections import Counter
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from sqlalchemy import func, select

from cases.errors import (
    CaseConflictError,
    CaseDatesError,
    CaseNotFoundError,
    CaseNumberError,
    DepartmentUnknownError,
    HolderCodeError,
    ItemUnknownError,
)
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.models import Case, CaseState, Holder, HolderKind
from cases.services import Announcement, CaseService
from storage.cursors import CursorError
from storage.database import Database, UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role, system_identity
from storage.ledger.models import LedgerAct

ACCEPTED = dt.datetime(2026, 11, 2, 1, 0, tzinfo=dt.UTC)
CLOSED = dt.datetime(2026, 11, 16, 8, 0, tzinfo=dt.UTC)
OPEN = Announcement(
    source="yctb",
    number="ZJ-2026-000140",
    item_code="339999010002",
    item_edition="2026-03",
    holder_scheme="001",
    holder_code="91339999MADEM0011X",
    holder_name="浙江演示甲餐饮有限公司",
    organisation="scjg",
    accepted_at=ACCEPTED,
)
CLOSING = dataclasses.replace(OPEN, closed_at=CLOSED)
WINDOW = Identity(
    "system",
    "client-1",
    "",
    frozenset({Role.CLIENT}),
    sources=frozenset({"yctb"}),
    scopes=frozenset({"announce"}),
)
FILER = dataclasses.replace(WINDOW, id="client-2", scopes=frozenset({"file"}))
SERVICE = CaseService(ItemCatalogue.load(), HolderService())


def staff(role: Role, organisation: str = "scjg") -> Identity:
    return Identity("person", "account-1", organisation, frozenset({role}))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return make_database(tmp_path)


def announce(
    database: Database, announcement: Announcement = OPEN, identity: Identity = WINDOW
) -> tuple[Case, bool]:
    with database.writing() as uow:
        return SERVICE.announce(uow, identity, announcement)


def ensure(database: Database, announcement: Announcement, identity: Identity = FILER) -> Case:
    with database.writing() as uow:
        return SERVICE.ensure_case(uow, identity, announcement)


def acts(database: Database) -> list[str]:
    with database.reading() as uow:
        return sorted(uow.session.scalars(select(LedgerAct.kind)))


def count(uow: UnitOfWork, model: type[Case | Holder]) -> int | None:
    return uow.session.scalar(select(func.count()).select_from(model))


def test_an_announced_case_is_open_and_recorded_with_its_holder(database: Database) -> None:
    case, created = announce(database)
    assert created
    assert case.state is CaseState.OPEN
    with database.reading() as uow:
        act = uow.session.scalars(select(LedgerAct)).one()
        detail = json.loads(uow.secrets.decrypt(act.detail))
    assert (act.kind, act.object_id, act.case_id, act.subject) == (
        "case.announced",
        case.id,
        case.id,
        case.holder_id,
    )
    assert [row["table"] for row in detail["rows"]] == ["holder", "case_record"]
    assert b"91339999MADEM0011X" not in act.core


def test_the_same_announcement_again_gives_the_same_case_and_no_second_act(database: Database) -> None:
    first, _ = announce(database)
    again, created = announce(database)
    assert (again.id, created) == (first.id, False)
    assert acts(database) == ["case.announced"]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"holder_code": "91339999MADEM002XM"}, "holder"),
        ({"holder_scheme": "111", "holder_code": "339999190001010012"}, "holder"),
        ({"item_code": "339999010001"}, "item"),
        ({"accepted_at": ACCEPTED + dt.timedelta(seconds=1)}, "accepted_at"),
        ({"item_code": "339999020001", "organisation": "jtys"}, "item organisation"),
    ],
)
def test_other_content_under_the_same_number_is_a_conflict_that_names_the_fields(
    database: Database, change: dict[str, str], field: str
) -> None:
    announce(database)
    with pytest.raises(CaseConflictError) as caught:
        announce(database, dataclasses.replace(OPEN, **change))
    assert caught.value.facts == {"state": "open", "fields": field}


def test_a_closing_is_reported_once_and_may_be_repeated(database: Database) -> None:
    announce(database)
    closed, created = announce(database, CLOSING)
    assert (closed.state, closed.closed_at, created) == (CaseState.CLOSED, CLOSED, False)
    announce(database, CLOSING)
    assert acts(database) == ["case.announced", "case.closed"]


@pytest.mark.parametrize("closed_at", [None, CLOSED + dt.timedelta(seconds=1)])
def test_announcing_again_after_the_closing_is_a_conflict(
    database: Database, closed_at: dt.datetime | None
) -> None:
    announce(database, CLOSING)
    with pytest.raises(CaseConflictError):
        announce(database, dataclasses.replace(OPEN, closed_at=closed_at))


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"number": "a/b"}, CaseNumberError),
        ({"source": ""}, CaseNumberError),
        ({"item_edition": "1999-01"}, ItemUnknownError),
        ({"organisation": "jtys"}, DepartmentUnknownError),
        ({"holder_code": "91339999MADEM0011Y"}, HolderCodeError),
        ({"closed_at": ACCEPTED - dt.timedelta(seconds=1)}, CaseDatesError),
        ({"accepted_at": dt.datetime(2026, 12, 1, tzinfo=dt.UTC)}, CaseDatesError),
    ],
)
def test_a_malformed_announcement_leaves_nothing_behind(
    database: Database, change: dict[str, str], error: type[Exception]
) -> None:
    identity = dataclasses.replace(WINDOW, sources=frozenset({"yctb", ""}))
    with pytest.raises(error):
        announce(database, dataclasses.replace(OPEN, **change), identity)
    with database.reading() as uow:
        assert count(uow, Case) == count(uow, Holder) == 0


@pytest.mark.parametrize(
    "identity",
    [
        FILER,
        dataclasses.replace(WINDOW, sources=frozenset({"other"})),
        dataclasses.replace(WINDOW, sources=frozenset()),
        staff(Role.SUPERVISOR),
        staff(Role.ARCHIVIST),
        staff(Role.CLERK),
        staff(Role.SYSTEM_ADMIN),
    ],
)
def test_only_the_acceptance_system_of_a_source_announces_its_cases(
    database: Database, identity: Identity
) -> None:
    with pytest.raises(NotPermittedError):
        announce(database, OPEN, identity)


def test_a_filing_creates_the_case_that_was_never_announced(database: Database) -> None:
    case = ensure(database, CLOSING)
    assert case.closed_at == CLOSED
    assert acts(database) == ["case.announced", "case.closed"]


def test_a_filing_closes_the_announced_case_and_leaves_its_dates_alone(database: Database) -> None:
    announce(database)
    filed = dataclasses.replace(CLOSING, accepted_at=ACCEPTED - dt.timedelta(days=1))
    case = ensure(database, filed)
    assert (case.accepted_at, case.closed_at) == (ACCEPTED, CLOSED)
    corrected = dataclasses.replace(filed, closed_at=CLOSED + dt.timedelta(days=1))
    assert ensure(database, corrected).closed_at == CLOSED


def test_a_filing_for_another_holder_or_of_an_open_case_is_refused(database: Database) -> None:
    announce(database)
    with pytest.raises(CaseConflictError):
        ensure(database, dataclasses.replace(CLOSING, holder_code="91339999MADEM002XM"))
    with pytest.raises(CaseDatesError):
        ensure(database, OPEN)
    with pytest.raises(NotPermittedError):
        ensure(database, CLOSING, WINDOW)


@pytest.mark.parametrize(
    ("identity", "visible"),
    [
        (WINDOW, True),
        (dataclasses.replace(WINDOW, sources=frozenset({"other"})), False),
        (dataclasses.replace(WINDOW, sources=frozenset()), False),
        (staff(Role.ARCHIVIST), True),
        (staff(Role.CLERK, "jtys"), False),
        (staff(Role.CLERK, "scjg-ck"), True),
        (staff(Role.CLERK, "dsj"), False),
        (staff(Role.SUPERVISOR, "dsj"), True),
        (staff(Role.SUPERVISOR, "scjg"), True),
        (staff(Role.SUPERVISOR, "jtys"), False),
        (staff(Role.SUPERVISOR, "unknown"), False),
        (staff(Role.SYSTEM_ADMIN), False),
        (system_identity("worker"), True),
    ],
)
def test_who_may_not_see_a_case_is_told_that_there_is_none(
    database: Database, identity: Identity, visible: bool
) -> None:
    case, _ = announce(database)
    with database.reading() as uow:
        if visible:
            assert SERVICE.get(uow, identity, "yctb", OPEN.number).id == case.id
            assert SERVICE.get_by_id(uow, identity, case.id).id == case.id
        else:
            with pytest.raises(CaseNotFoundError):
                SERVICE.get(uow, identity, "yctb", OPEN.number)
            with pytest.raises(CaseNotFoundError):
                SERVICE.get_by_id(uow, identity, case.id)
        assert len(SERVICE.list_after(uow, identity).cases) == visible


def test_pages_follow_the_order_of_announcement_and_meet_every_case_once(tmp_path: Path) -> None:
    clock = HandClock()
    database = make_database(tmp_path, clock)
    numbers = [f"N{index}" for index in range(7)]
    for index, number in enumerate(numbers):
        announce(database, dataclasses.replace(OPEN, number=number))
        clock.advance(index % 2)
    seen: list[Case] = []
    cursor = None
    with database.reading() as uow:
        while True:
            page = SERVICE.list_after(uow, WINDOW, cursor, limit=3)
            seen += page.cases
            cursor = page.next_cursor
            if cursor is None:
                break
        with pytest.raises(CursorError):
            SERVICE.list_after(uow, WINDOW, "not-a-cursor")
    assert sorted(case.number for case in seen) == numbers
    assert [case.announced_at for case in seen] == sorted(case.announced_at for case in seen)


def test_a_holder_is_kept_once_encrypted_and_shown_masked(database: Database) -> None:
    person = dataclasses.replace(
        OPEN,
        number="N2",
        item_code="339999020001",
        organisation="jtys",
        holder_scheme="111",
        holder_code="339999190001010012",
        holder_name="张示例",
    )
    for announcement in (OPEN, dataclasses.replace(OPEN, number="N3"), person):
        announce(database, announcement)
    holders = HolderService()
    with database.reading() as uow:
        rows = list(uow.session.scalars(select(Holder).order_by(Holder.scheme)))
        firm, human = (holders.masked(uow, row) for row in rows)
        stored = b"".join(row.code_cipher + row.name_cipher + row.code_hash for row in rows)
        assert holders.find(uow, "111", "339999190001010012") is rows[1]
    assert (firm.name, firm.code, firm.kind) == (
        OPEN.holder_name,
        "9133**********011X",
        HolderKind.ORGANISATION,
    )
    assert (human.name, human.code, human.kind) == ("张*", "3399**********0012", HolderKind.PERSON)
    assert "张示例".encode() not in stored
    assert b"339999190001010012" not in stored


def test_a_new_name_of_a_known_code_is_kept_and_recorded(database: Database) -> None:
    announce(database)
    announce(database, dataclasses.replace(OPEN, number="N2", holder_name="浙江演示甲酒店有限公司"))
    with database.reading() as uow:
        holder = uow.session.scalars(select(Holder)).one()
        assert HolderService().reveal(uow, holder).name == "浙江演示甲酒店有限公司"


def test_sixteen_threads_announcing_the_same_cases_create_each_once(database: Database) -> None:
    created: Counter[str] = Counter()
    lock = threading.Lock()
    start = threading.Barrier(16)

    def work(turn: int) -> None:
        start.wait()
        for index in range(8):
            number = f"N{(index + turn) % 8}"
            _, new = announce(database, dataclasses.replace(OPEN, number=number))
            with lock:
                created[number] += new

    threads = [threading.Thread(target=work, args=(turn,)) for turn in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert created == {f"N{index}": 1 for index in range(8)}
    assert acts(database) == ["case.announced"] * 8
    with database.reading() as uow:
        assert (count(uow, Case), count(uow, Holder)) == (8, 1)
