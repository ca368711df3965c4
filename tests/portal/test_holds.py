# SPDX-License-Identifier: Apache-2.0
"""Legal holds: who may place and lift them, what is recorded and shown, and what the bucket then refuses."""

import os
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from parts import S3, role_keys
from sqlalchemy import select

from archive.errors import DossierNotFoundError, GroundsRequiredError, HoldNotFoundError
from archive.holds import HoldGrounds, standing_holds
from archive.models import Dossier, DossierHold, DossierMember
from cases.models import Case
from portal.accounts.rights import check_roles
from portal.commands.common import open_installation
from portal.errors import RolesExcludeError
from portal.holding import HoldKeeper
from storage.clock import SystemClock
from storage.database import Database, LedgerClosedError
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.gate import LedgerGate
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.objects.bucket import BucketStore
from storage.objects.holds import BucketHolds
from storage.objects.leftovers import Destroyer
from storage.objects.ports import object_key
from storage.objects.versions import TableBook

from .conftest import House, run

SUPERVISOR = Identity("person", "supervisor", "dsj", frozenset({Role.SUPERVISOR}))
SECURITY = Identity("person", "security", "office", frozenset({Role.SECURITY_ADMIN}))
GROUNDS = HoldGrounds("行政诉讼取证", "（2026）演01行初1号")


def file_dossier(house_or_database: House | Database, number: str, members: tuple[str, ...] = ()) -> None:
    """Write a filed dossier as the archive leaves it; only what a hold reads matters here."""
    database = house_or_database.rooms.database if isinstance(house_or_database, House) else house_or_database
    with database.writing() as uow:
        now = uow.clock.now()
        holder = "h"
        if isinstance(house_or_database, House):
            code = "91339999MADEM0011X"
            holder = house_or_database.rooms.holders.find_or_add(uow, "001", code, "演示公司").id
        words = {
            "item_code": "339999010002",
            "item_edition": "2026-03",
            "holder_id": holder,
            "organisation": "scjg",
        }
        uow.session.add_all(
            [
                Case(
                    id=f"c{number}",
                    source="s",
                    number=f"2026-{number}",
                    accepted_at=now,
                    announced_at=now,
                    **words,
                ),
                Dossier(
                    id=f"d{number}",
                    case_id=f"c{number}",
                    filing_id=f"f{number}",
                    title="食品经营许可核发",
                    archival_number=f"Z-{number}",
                    fonds="Z",
                    year=2026,
                    retention="D30",
                    retention_zh="",
                    retention_en="",
                    assembled_at=now,
                    filed_at=now,
                    manifest_key=f"m/Z/2026/d{number}/1.json" if members else None,
                    version=1,
                    **words,
                ),
                *(
                    DossierMember(
                        id=uuid.uuid4().hex[:26],
                        dossier_id=f"d{number}",
                        position=place,
                        role="original",
                        code="c",
                        title="t",
                        file_name="f",
                        sha256=sha256,
                        sm3="",
                        size=1,
                        media_type="text/plain",
                    )
                    for place, sha256 in enumerate(members, 1)
                ),
            ]
        )


@pytest.fixture
def keeper(house: House) -> HoldKeeper:
    file_dossier(house, "1")
    return HoldKeeper(house.rooms.database, None)


def kinds(database: Database) -> list[str]:
    with database.reading() as uow:
        return [one.kind for one in uow.session.scalars(select(LedgerAct)) if one.case_id == "c1"]


def test_a_hold_is_placed_and_lifted_by_different_offices_and_both_are_acts_of_the_case(
    house: House, keeper: HoldKeeper
) -> None:
    placed = keeper.place(SUPERVISOR, "Z-1", GROUNDS)
    with house.rooms.database.reading() as uow:
        (hold,) = standing_holds(uow, "d1")
        assert HoldGrounds(hold.reason, hold.legal_basis) == GROUNDS
        assert hold.placed_by == SUPERVISOR.id
    for identity in (SUPERVISOR, Identity("person", "a", "scjg", frozenset({Role.ARCHIVIST}))):
        with pytest.raises(NotPermittedError):
            keeper.lift(identity, placed.hold, GROUNDS)
    keeper.lift(SECURITY, placed.hold, GROUNDS)
    with house.rooms.database.reading() as uow:
        assert standing_holds(uow, "d1") == []
        assert uow.session.get_one(DossierHold, placed.hold).lifted_by == "security"
    assert sorted(kinds(house.rooms.database)) == ["dossier.held", "dossier.released"]
    with pytest.raises(HoldNotFoundError):
        keeper.lift(SECURITY, placed.hold, GROUNDS)


@pytest.mark.parametrize("role", sorted(set(Role) - {Role.SUPERVISOR}))
def test_nobody_but_supervision_places(keeper: HoldKeeper, role: Role) -> None:
    with pytest.raises(NotPermittedError):
        keeper.place(Identity("person", "x", "scjg", frozenset({role})), "Z-1", GROUNDS)


def test_no_account_may_place_and_lift_and_nobody_lifts_what_they_placed(keeper: HoldKeeper) -> None:
    with pytest.raises(RolesExcludeError):
        check_roles({Role.SUPERVISOR, Role.SECURITY_ADMIN})
    both = replace(SUPERVISOR, roles=frozenset({Role.SUPERVISOR, Role.SECURITY_ADMIN}))
    placed = keeper.place(both, "Z-1", GROUNDS)
    with pytest.raises(NotPermittedError):
        keeper.lift(both, placed.hold, GROUNDS)


@pytest.mark.parametrize(
    "grounds", [HoldGrounds("", "b"), HoldGrounds("a", "  "), HoldGrounds("a" * 201, "b")]
)
def test_reason_and_legal_basis_are_mandatory(keeper: HoldKeeper, grounds: HoldGrounds) -> None:
    with pytest.raises(GroundsRequiredError):
        keeper.place(SUPERVISOR, "Z-1", grounds)
    placed = keeper.place(SUPERVISOR, "Z-1", GROUNDS)
    with pytest.raises(GroundsRequiredError):
        keeper.lift(SECURITY, placed.hold, grounds)


def test_what_is_not_filed_cannot_be_held(keeper: HoldKeeper) -> None:
    with pytest.raises(DossierNotFoundError):
        keeper.place(SUPERVISOR, "Z-2", GROUNDS)


def test_a_ledger_that_is_closed_refuses_no_hold_and_refuses_to_lift_one(tmp_path: Path) -> None:
    # A gate that watches nothing is closed.
    database = make_database(tmp_path, gate=LedgerGate(HandClock()))
    file_dossier(database, "1")
    keeper = HoldKeeper(database, None)
    placed = keeper.place(SUPERVISOR, "d1", GROUNDS)
    with pytest.raises(LedgerClosedError):
        keeper.lift(SECURITY, placed.hold, GROUNDS)
    assert [one.held.hold.id for one in keeper.standing(SUPERVISOR)] == [placed.hold]


def test_page_and_trace_show_it(house: House, keeper: HoldKeeper) -> None:
    browser = house.browser(Role.SUPERVISOR)
    assert "法律保全" not in browser.get("/dossiers/d1").text
    placed = keeper.place(SUPERVISOR, "Z-1", GROUNDS)
    page = browser.get("/dossiers/d1").text
    assert "法律保全" in page
    assert GROUNDS.legal_basis in page
    assert "案卷保全" in browser.get("/supervision/trace?q=2026-1").text
    keeper.lift(SECURITY, placed.hold, GROUNDS)
    assert "法律保全" not in browser.get("/dossiers/d1").text
    assert "解除案卷保全" in browser.get("/supervision/trace?q=2026-1").text


def test_commands_place_list_and_lift(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rooms, _ = open_installation()
    file_dossier(rooms.database, "1")
    rooms.close()
    why = ("--reason", GROUNDS.reason, "--legal-basis", GROUNDS.legal_basis)
    code, printed = run("hold", "place", "Z-1", *why, capsys=capsys)
    assert code == 0
    assert "本地目录" in printed
    code, printed = run("hold", "list", capsys=capsys)
    assert (code, "Z-1" in printed) == (0, True)
    hold = printed.split()[0]
    rooms, _ = open_installation()
    with rooms.database.reading() as uow:
        (system,) = rooms.accounts.with_role(uow, Role.SYSTEM_ADMIN)
    rooms.close()
    assert run("hold", "lift", hold, *why, "--as", system.id, capsys=capsys)[0] == 3, "it lacks the role"
    assert run("hold", "lift", hold, *why, capsys=capsys)[0] == 0
    assert "Z-1" not in run("hold", "apply", capsys=capsys)[1]
    assert run("hold", "place", "Z-1", "--reason", "r", capsys=capsys)[0] == 64


@pytest.mark.services
@pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)")
class TestOnServer:
    @pytest.fixture
    def place(self, house: House, tmp_path: Path) -> "Place":
        return Place(house.rooms.database, tmp_path)

    def test_what_is_held_no_key_removes_until_the_last_hold_is_lifted(self, place: "Place") -> None:
        own, shared = place.put(b"own"), place.put(b"shared")
        place.file("1", own, shared)
        place.file("2", shared)
        first = place.keeper.place(SUPERVISOR, "d1", GROUNDS)
        second = place.keeper.place(SUPERVISOR, "d2", GROUNDS)
        assert (first.in_store, second.in_store) == (4, 3)
        assert place.refused(own)
        assert place.refused(shared)
        assert place.keeper.lift(SECURITY, first.hold, GROUNDS).in_store == 3
        assert place.refused(shared)
        assert not place.refused(own)
        place.keeper.lift(SECURITY, second.hold, GROUNDS)
        assert not place.refused(shared)

    def test_two_holds_on_one_dossier_end_with_the_second(self, place: "Place") -> None:
        own = place.put(b"own")
        place.file("1", own)
        holds = [place.keeper.place(SUPERVISOR, "d1", GROUNDS).hold for _ in range(2)]
        assert place.keeper.lift(SECURITY, holds[0], GROUNDS).in_store == 0
        assert place.refused(own)
        place.keeper.lift(SECURITY, holds[1], GROUNDS)
        assert not place.refused(own)

    def test_with_a_key_that_may_not_it_is_recorded_and_done_later(self, place: "Place") -> None:
        own = place.put(b"own")
        place.file("1", own)
        without = HoldKeeper(place.database, BucketHolds(place.keys["writer"], place.book))
        placed = without.place(SUPERVISOR, "d1", GROUNDS)
        assert placed.in_store is None
        (standing,) = place.keeper.standing(SUPERVISOR)
        assert (standing.objects, standing.in_store) == (3, 0)
        (standing,) = place.keeper.apply(SUPERVISOR)
        assert standing.in_store == 3
        assert place.refused(own)
        assert without.lift(SECURITY, placed.hold, GROUNDS).in_store is None
        assert place.keeper.apply(SECURITY) == []
        assert not place.refused(own)
        with place.database.reading() as uow:
            found = uow.session.scalars(select(LedgerAct.kind)).all()
        assert sorted(found) == [ActKind.DOSSIER_HELD, ActKind.DOSSIER_RELEASED]


class Place:
    """A bucket with its keys, and dossiers whose bytes lie there under GOVERNANCE."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.keys = role_keys(folder / "roles", f"test-{uuid.uuid4().hex}")
        self.database = database
        self.book = TableBook(database)
        self.store = BucketStore(self.keys["writer"], self.book, SystemClock())
        self.keeper = HoldKeeper(database, BucketHolds(self.keys["holder"], self.book))

    def put(self, data: bytes) -> str:
        return self.store.put(data, "text/plain").sha256

    def file(self, number: str, *members: str) -> None:
        file_dossier(self.database, number, members)
        for name in (f"m/Z/2026/d{number}/1.json", f"m/Z/2026/d{number}/1.json.p7s"):
            self.store.put_named(name, name.encode())

    def refused(self, sha256: str) -> bool:
        """Tell whether the destroyer, who may bypass GOVERNANCE, is refused; else the version is gone."""
        version = self.book.find(object_key(sha256))
        assert version is not None
        return bool(Destroyer(self.keys["destroyer"]).remove([(version.key, version.version_id)]))
