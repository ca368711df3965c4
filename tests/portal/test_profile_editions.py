# SPDX-License-Identifier: Apache-2.0
"""Editions of mapping profiles: by two persons, in effect at once; no run changes its profile on the way."""

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dirty_stock import csv_lines
from stock_import import ISSUERS, MANAGER

from documents.feeds import LIMITS
from documents.sandbox import Sandbox
from licenses.errors import StockProfileChangedError
from licenses.stock.models import StockRun
from licenses.stock.profiles import SCHEMA, ProfileBook, ProfilesDocument, shipped_profiles
from portal.commands.common import open_installation
from portal.editions.approved import SHIPPED, EditionKind
from portal.editions.errors import EditionFaultyError
from portal.editions.services import Checked
from portal.stock.driver import ImportDriver, source_file
from storage.identity import Identity, Role

from .conftest import House, make_house, run

SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))
PROVINCIAL = "provincial-exchange"
FIRST = ProfileBook.load().get(PROVINCIAL).version


@pytest.fixture
def other(house: House, tmp_path: Path) -> Iterator[House]:
    """A second process of the same installation."""
    made = make_house(tmp_path, clock=house.clock)
    yield made
    made.rooms.database.close()


def changed(version: str = "2027-01", **members: Any) -> dict[str, Any]:
    """Give the shipped profile of the provincial exchange in another version."""
    (shipped,) = (one for one in shipped_profiles()["profiles"] if one["id"] == PROVINCIAL)
    return copy.deepcopy(shipped) | {"version": version} | members


def document(*profiles: dict[str, Any], version: str = "2027-01") -> bytes:
    return json.dumps({"version": version, "profiles": profiles}, ensure_ascii=False, indent=1).encode()


def agree(house: House, data: bytes) -> None:
    editions, database = house.rooms.editions, house.rooms.database
    made = database.write(lambda uow: editions.propose(uow, SYSTEM, data, "来源换版").id)
    database.write(lambda uow: editions.approve(uow, SECURITY, made, "已核对"))


def lint(house: House, data: bytes) -> Checked:
    with house.rooms.database.reading() as uow:
        return house.rooms.editions.check(uow, data)


def test_the_trust_level_of_a_source_is_decided_by_two_persons(house: House, other: House) -> None:
    editions, database = house.rooms.editions, house.rooms.database
    assert other.rooms.books.profiles.get(PROVINCIAL).trust == "C"
    data = document(changed(trust="D"))
    made = database.write(lambda uow: editions.propose(uow, SYSTEM, data, "来源未经发证机关确认").id)
    assert house.rooms.books.profiles.get(PROVINCIAL).trust == "C", "proposed, not approved"
    database.write(lambda uow: editions.approve(uow, SECURITY, made, "已核对"))
    for one in (house, other):
        found = one.rooms.books.profiles.get(PROVINCIAL)
        assert (found.version, found.trust) == ("2027-01", "D")
    assert house.acts()[-2:] == ["edition.proposed", "edition.approved"]


def test_a_new_source_is_another_profile_and_no_code(house: House) -> None:
    agree(house, document(changed(id="city-stock", zh="市级库", en="City stock")))
    assert [one.id for one in house.rooms.books.profiles.all()] == [
        "city-stock",
        "embedded-metadata",
        "national-interface",
        PROVINCIAL,
    ]
    page = house.browser(Role.LICENSE_MANAGER).get("/licences/stock").text
    assert "市级库" in page


@pytest.mark.parametrize(
    ("profile", "codes"),
    [
        (changed(version=FIRST, trust="D"), {"profile-altered", "nothing-new"}),
        (changed(version="2025-12"), {"profile-backwards"}),
        (changed(trust="A"), {"schema"}),
        (
            changed(types=[{"scheme": "x", "code": "1", "type": "11339999DEM0010178999"}]),
            {"licence-type-unknown"},
        ),
        (changed(further_issuers={"nobody": ["11339999DEM0010178"]}), {"department-unknown"}),
        (changed(status={"valid": ["有效"], "expired": ["有效"]}), {"profile-contradicts"}),
        (changed(version=FIRST), {"nothing-new"}),
    ],
)
def test_a_profile_with_a_fault_cannot_be_proposed(
    house: House, profile: dict[str, Any], codes: set[str]
) -> None:
    checked = lint(house, document(profile))
    assert {one.code for one in checked.findings if one.blocks} == codes
    with pytest.raises(EditionFaultyError):
        agree(house, document(profile))
    assert house.rooms.books.profiles.get(PROVINCIAL).version == FIRST


def test_a_higher_trust_level_is_pointed_out_with_line_and_column(house: House) -> None:
    agree(house, document(changed(trust="D")))
    data = document(changed(version="2027-02", trust="C"), version="2027-02")
    (finding,) = lint(house, data).findings
    assert (finding.code, finding.path, finding.blocks) == (
        "profile-trust-raised",
        "/profiles/0/trust",
        False,
    )
    line = data.decode().split("\n")[finding.place.line - 1]
    assert line[finding.place.column - 1 :] == '"C",'


def test_the_second_person_reads_what_changes_side_by_side(house: House) -> None:
    profile = changed(trust="D")
    profile["status"]["suspended"] = [*profile["status"]["suspended"], "待定"]
    checked = lint(house, document(profile))
    assert checked.kind is EditionKind.PROFILES
    (change,) = checked.differences
    assert (change.name, change.against) == (f"{PROVINCIAL} 2027-01", FIRST)
    assert {row.place: row.after for row in change.rows}["trust"] == "D"
    assert {row.place for row in change.rows} == {"trust", "status/suspended"}


def test_a_run_whose_profile_was_approved_anew_is_not_gone_on_with(house: House, tmp_path: Path) -> None:
    rooms = house.rooms
    file = tmp_path / "feed.csv"
    file.write_text("".join(csv_lines(20)), "utf-8")
    profiles = rooms.books.profiles
    sandbox = Sandbox(LIMITS, bubblewrap=False)
    driver = ImportDriver(
        rooms.database, rooms.ids, rooms.license_types, ISSUERS, profiles, sandbox, beside=False
    )
    source, profile = source_file(file), profiles.get(PROVINCIAL)
    run_id = rooms.database.write(lambda uow: driver.runs.start(uow, MANAGER, profile, source).id)
    with rooms.database.reading() as uow:
        run = uow.session.get_one(StockRun, run_id)
        assert (run.profile, run.profile_sha256) == (profile.label, profile.digest)
    agree(house, document(changed(trust="D")))
    with pytest.raises(StockProfileChangedError):
        driver.work(MANAGER, run_id, file, lambda _: None)
    with rooms.database.reading() as uow:
        run = uow.session.get_one(StockRun, run_id)
        assert (run.state, run.problem, run.read) == ("failed", "stock-profile-changed", 0)
    newer = profiles.get(PROVINCIAL)
    again = rooms.database.write(lambda uow: driver.runs.start(uow, MANAGER, newer, source).id)
    done = driver.work(MANAGER, again, file, lambda _: None)
    assert (done.state, done.trust, done.profile) == ("done", "D", f"{PROVINCIAL}/2027-01")


def test_a_run_knows_its_profile_by_what_it_says_and_not_by_its_name(house: House, tmp_path: Path) -> None:
    rooms = house.rooms
    file = tmp_path / "feed.csv"
    file.write_text("".join(csv_lines(5)), "utf-8")
    driver = ImportDriver(
        rooms.database,
        rooms.ids,
        rooms.license_types,
        ISSUERS,
        rooms.books.profiles,
        Sandbox(LIMITS, bubblewrap=False),
        beside=False,
    )
    profile = driver.profiles.get(PROVINCIAL)
    run_id = rooms.database.write(lambda uow: driver.runs.start(uow, MANAGER, profile, source_file(file)).id)
    driver.profiles = ProfileBook([profile.model_copy(update={"trust": "D"})])
    with pytest.raises(StockProfileChangedError):
        driver.work(MANAGER, run_id, file, lambda _: None)


def test_the_published_schema_is_what_editions_are_read_by() -> None:
    schema = json.loads(SCHEMA.read_bytes())
    del schema["$schema"]
    assert schema == ProfilesDocument.model_json_schema()
    ProfilesDocument.model_validate_json(SHIPPED[EditionKind.PROFILES]())


def test_the_command_that_goes_on_says_that_the_profile_has_another_version(
    installation: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "feed.csv"
    file.write_text("".join(csv_lines(5)), "utf-8")
    rooms, _ = open_installation()
    with rooms.database.reading() as uow:
        manager = rooms.accounts.with_role(uow, Role.LICENSE_MANAGER)[0]
    older = rooms.books.profiles.get(PROVINCIAL).model_copy(update={"version": "2025-01"})
    who = Identity("person", manager.id, "scjg", frozenset({Role.LICENSE_MANAGER}))
    rooms.database.write(lambda uow: rooms.stock_runs.start(uow, who, older, source_file(file)).id)
    rooms.close()
    wanted = ("licence", "import", str(file), "--profile", PROVINCIAL, "--as", manager.id)
    code, said = run(*wanted, "--resume", capsys=capsys)
    assert (code, "stock-profile-changed" in said) == (3, True)
    assert run(*wanted, "--json", capsys=capsys)[0] in {0, 1}, "imported anew"
