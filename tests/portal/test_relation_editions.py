# SPDX-License-Identifier: Apache-2.0
"""The table of relations: approved by two persons; what was before is judged by the table of then."""

import json
from typing import Any

import pytest

from licenses.relation_table import SCHEMA, RelationTable, shipped_relations
from portal.editions.approved import SHIPPED, EditionKind
from portal.editions.errors import EditionFaultyError
from portal.editions.services import Checked
from storage.identity import Identity, Role

from .conftest import House, make_house

SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))
BUSINESS = "11100000MB0143028R001"


def table(version: str = "2027-01", **changes: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(shipped_relations())
    return read | {"version": version} | changes


def statement(**changes: Any) -> dict[str, Any]:
    said = {"type": BUSINESS, "relation": "agent", "name": "legal_representative"}
    return said | changes


def data(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def agree(house: House, document: dict[str, Any]) -> None:
    editions, database = house.rooms.editions, house.rooms.database
    made = database.write(lambda uow: editions.propose(uow, SYSTEM, data(document), "调整关系").id)
    database.write(lambda uow: editions.approve(uow, SECURITY, made, "已核对"))


def lint(house: House, document: dict[str, Any]) -> Checked:
    with house.rooms.database.reading() as uow:
        return house.rooms.editions.check(uow, data(document))


def test_an_approved_table_is_in_force_in_every_process_and_what_was_before_keeps_the_old_one(
    house: House,
) -> None:
    book = house.rooms.books.relations
    before = house.clock.now()
    house.clock.advance(60)
    agree(house, table(trust=["A"]))
    other = make_house(house.rooms.index._path.parent, clock=house.clock)  # type: ignore[attr-defined]
    try:
        for one in (book, other.rooms.books.relations):
            assert one.newest().trust == ("A",)
            assert one.at(house.clock.now()).trust == ("A",)
            assert one.at(before).trust == ("A", "B")
    finally:
        other.rooms.database.close()
    assert house.rooms.lookup is not None
    assert house.acts()[-2:] == ["edition.proposed", "edition.approved"]


@pytest.mark.parametrize(
    ("document", "codes"),
    [
        (table(trust=["E"]), {"schema"}),
        (table(statements=[statement(relation="cousin")]), {"relations-contradict"}),
        (table(statements=[statement(type="11339999DEM0010178999")]), {"licence-type-unknown"}),
        (table(statements=[statement(name="shoe_size")]), {"face-field-unknown"}),
        (table(statements=[statement(), statement()]), {"statement-twice"}),
        (table("2026-11"), {"version-taken", "nothing-new"}),
        (table(), {"nothing-new"}),
    ],
)
def test_a_table_with_a_fault_cannot_be_proposed(
    house: House, document: dict[str, Any], codes: set[str]
) -> None:
    assert {one.code for one in lint(house, document).findings if one.blocks} == codes
    with pytest.raises(EditionFaultyError):
        agree(house, document)
    assert house.rooms.books.relations.newest().version == "2026-11"


def test_what_two_persons_should_weigh_is_pointed_out_with_line_and_column(house: House) -> None:
    document = table(trust=["A", "B", "C"], lookups=[{"item": "0", "relations": ["agent"]}])
    found = {one.code: one for one in lint(house, document).findings}
    assert set(found) == {"trust-low", "item-unknown"}
    assert not any(one.blocks for one in found.values())
    lines = data(document).decode().split("\n")
    line, column = found["item-unknown"].place
    assert lines[line - 1][column - 1 :] == '"0",'


def test_a_relation_that_rules_ask_for_stays(house: House) -> None:
    used = {one for rule in house.rooms.rules.all() for one in rule.subjects()}
    shipped = table()
    gone = next((one["code"] for one in shipped["relations"] if one["code"] in used), None)
    unused = next(one["code"] for one in shipped["relations"] if one["code"] not in used)
    for code, finding in ((gone, "relation-in-use"), (unused, "relation-removed")):
        if code is None:
            continue
        document = table(
            relations=[one for one in shipped["relations"] if one["code"] != code],
            statements=[one for one in shipped["statements"] if one["relation"] != code],
            lookups=[],
        )
        assert finding in {one.code for one in lint(house, document).findings}


def test_the_second_person_reads_what_changes_side_by_side(house: House) -> None:
    checked = lint(house, table(trust=["A"]))
    assert checked.kind is EditionKind.RELATIONS
    (change,) = checked.differences
    assert [(row.place, row.before, row.after) for row in change.rows] == [("trust", '["A", "B"]', '["A"]')]


def test_the_page_offers_both_documents_and_structures(house: House) -> None:
    browser = house.browser(Role.SYSTEM_ADMIN)
    page = browser.get("/editions").text
    assert all(words in page for words in ("映射方案", "主体关系表"))
    for kind in ("profiles", "relations"):
        assert browser.get(f"/editions/{kind}/shipped").json is not None
        assert browser.get(f"/editions/{kind}/schema").json is not None


def test_the_published_schema_is_what_tables_are_read_by() -> None:
    schema = json.loads(SCHEMA.read_bytes())
    del schema["$schema"]
    assert schema == RelationTable.model_json_schema()
    RelationTable.model_validate_json(SHIPPED[EditionKind.RELATIONS]())
