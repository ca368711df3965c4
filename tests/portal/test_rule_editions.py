# SPDX-License-Identifier: Apache-2.0
"""Editions of no-proof rules: in YAML, by two persons, in effect at once, and old cases keep the old rule."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from editions import new_edition
from sqlalchemy import select

from licenses.rule_edition import SCHEMA, RulesDocument, shipped_document
from portal.editions.approved import SHIPPED, EditionKind
from portal.editions.errors import EditionFaultyError
from storage.identity import Identity, Role
from storage.ledger.models import LedgerAct

from .conftest import House, make_house

SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))
ITEM, EDITION = "339999010002", "2026-03"


@pytest.fixture
def other(house: House, tmp_path: Path) -> Iterator[House]:
    """A second process of the same installation."""
    made = make_house(tmp_path, clock=house.clock)
    yield made
    made.rooms.database.close()


def second_version(**changes: Any) -> dict[str, Any]:
    first = next(one for one in shipped_document()["rules"] if one["item"]["code"] == ITEM)
    return {**first, "version": 2, "effective": ["2026-12-01", None], **changes}


def document(*rules: dict[str, Any]) -> bytes:
    return yaml.safe_dump({"version": "2026-12", "rules": list(rules)}, allow_unicode=True).encode()


def agree(house: House, data: bytes) -> None:
    editions, database = house.rooms.editions, house.rooms.database
    made = database.write(lambda uow: editions.propose(uow, SYSTEM, data, "调整证明要求").id)
    database.write(lambda uow: editions.approve(uow, SECURITY, made, "已核对"))


def version_on(house: House, day: str) -> int | None:
    found = house.rooms.rules.find(ITEM, EDITION, dt.date.fromisoformat(day))
    return found.body.version if found else None


def test_a_new_version_is_in_force_from_its_day_in_every_process(house: House, other: House) -> None:
    assert version_on(other, "2026-12-01") == 1
    agree(house, document(second_version()))
    assert [version_on(house, day) for day in ("2026-11-30", "2026-12-01")] == [1, 2]
    other.rooms.rules.look_again()
    assert version_on(other, "2026-12-01") == 2
    old = house.rooms.rules.find(ITEM, EDITION, dt.date(2026, 11, 30))
    assert old is not None
    assert other.rooms.rules.of_digest(old.digest) is not None, "old decisions replay"


def test_a_rule_that_names_what_is_not_there_cannot_be_proposed(house: House) -> None:
    spoilt = second_version()
    spoilt["requirements"] = [{**spoilt["requirements"][0], "material": "nothing"}]
    with pytest.raises(EditionFaultyError) as refused:
        agree(house, document(spoilt))
    assert refused.value.facts == {"findings": "material-unknown"}
    assert version_on(house, "2026-12-01") == 1


def test_the_second_person_reads_what_changes_side_by_side(house: House) -> None:
    editions = house.rooms.editions
    with house.rooms.database.reading() as uow:
        checked = editions.check(uow, document(second_version(legal_basis=["另一规定"])))
    assert checked.kind is EditionKind.RULES
    (change,) = checked.differences
    assert (change.name, change.against) == ("339999010002-proofs v2", "v1")
    assert [row.place for row in change.rows] == ["effective", "legal_basis"]
    assert {one.code for one in checked.findings} == {"no-coverage", "type-dead"}, "warnings only"


def test_the_published_schema_is_what_editions_are_read_by() -> None:
    schema = json.loads(SCHEMA.read_bytes())
    del schema["$schema"]
    assert schema == RulesDocument.model_json_schema()
    RulesDocument.model_validate_json(SHIPPED[EditionKind.RULES]())


def test_yaml_is_for_rules_alone(house: House) -> None:
    with house.rooms.database.reading() as uow:
        checked = house.rooms.editions.check(uow, b"version: '2026-12'\nitems: []\n")
    assert {one.code for one in checked.findings} == {"json"}


def test_a_county_that_must_follow_is_named_to_both_persons_and_listed_until_it_does(house: House) -> None:
    agree(house, new_edition())
    first = second_version(version=1, effective=["2026-01-01", None])
    below = {"rule_id": "county", "inherits": first["rule_id"], "item": {"code": ITEM, "edition": "2027-01"}}
    agree(house, document({**first, **below}))
    kept, (*others, last) = first["requirements"], first["requirements"]
    gone = {name: last[name] for name in ("id", "zh", "en", "material", "decision")} | {"cancelled": "无依据"}
    above = second_version(requirements=[*others, gone])
    page = house.browser(Role.SYSTEM_ADMIN, "office")
    assert "heir-proof-revived" not in page.get("/editions").text
    editions, database = house.rooms.editions, house.rooms.database
    data = yaml.safe_dump({"version": "2026-12.1", "rules": [above]}, allow_unicode=True).encode()
    made = database.write(lambda uow: editions.propose(uow, SYSTEM, data, "减证").id)
    named = f"county v1 {last['id']} ← {first['rule_id']} v2 · 2026-12-01"
    for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN):
        assert named in house.browser(role, "office").get("/editions").text
    database.write(lambda uow: editions.approve(uow, SECURITY, made, "省里先行"))
    assert named in page.get("/editions").text, "it is in force, and the county has not followed"
    follows = {**first, **below, "version": 2, "effective": ["2026-12-01", None]}
    data = yaml.safe_dump({"version": "2026-12.2", "rules": [{**follows, "requirements": kept}]}).encode()
    with pytest.raises(EditionFaultyError):
        agree(house, data)
    data = yaml.safe_dump({"version": "2026-12.2", "rules": [{**follows, "requirements": [*others, gone]}]})
    agree(house, data.encode())
    assert "heir-proof-revived" not in page.get("/editions").text


def test_a_rule_that_names_no_rule_of_the_level_above_is_seen_by_the_divisions_of_their_departments(
    house: House,
) -> None:
    items = house.rooms.items
    items.departments = tuple(
        replace(one, uscc=f"11330000{one.uscc[8:]}") if one.code == "jtys" else one
        for one in items.departments
    )
    edition = json.loads(new_edition(department="jtys", basic_code=ITEM))
    edition["items"][0]["code"] = "330000010002"
    agree(house, json.dumps(edition).encode())
    page = house.browser(Role.SYSTEM_ADMIN, "office")
    assert "heir-unnamed" not in page.get("/editions").text
    of_province = {"code": "330000010002", "edition": "2027-01"}
    agree(house, document(second_version(rule_id="province", version=1, item=of_province)))
    named = "339999010002-proofs v1 ← province v1 · 2026-12-01"
    assert named in page.get("/editions").text
    more = {**second_version()["requirements"][0], "id": "R9", "material": "layout"}
    county = second_version(requirements=[*second_version()["requirements"], more])
    with pytest.raises(EditionFaultyError):
        agree(house, yaml.safe_dump({"version": "2026-12.1", "rules": [county]}).encode())
    county = second_version(inherits="province")
    agree(house, yaml.safe_dump({"version": "2026-12.1", "rules": [county]}).encode())
    assert "heir-unnamed" not in page.get("/editions").text


def test_who_proposed_and_who_approved_stand_in_the_acts_whatever_the_rule_notes(house: House) -> None:
    agree(house, document(second_version(approved_by=["someone-else", "nobody-here"])))
    with house.rooms.database.reading() as uow:
        cores = [json.loads(one.core) for one in uow.session.scalars(select(LedgerAct))]
    about = {one["kind"]: one for one in cores if one["object"]["type"] == "edition"}
    proposed, approved = about["edition.proposed"], about["edition.approved"]
    assert (proposed["actor"]["id"], approved["actor"]["id"]) == (SYSTEM.id, SECURITY.id)
    assert proposed["object"] == approved["object"]
