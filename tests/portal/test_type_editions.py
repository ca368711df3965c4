# SPDX-License-Identifier: Apache-2.0
"""Editions of licence types: side by side, by two persons, in effect in every process at once."""

import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from editions import NEW_TYPE, new_edition, new_types, type_entry

from licenses.errors import UnknownTypeError
from portal.accounts.rights import ADMINISTRATORS
from portal.editions.errors import EditionFaultyError
from storage.identity import Identity, Role

from .conftest import House, form_token, make_house

FOOD = "11339999DEM0010178001"
SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))


@pytest.fixture
def other(house: House, tmp_path: Path) -> Iterator[House]:
    """A second process of the same installation."""
    made = make_house(tmp_path, clock=house.clock)
    yield made
    made.rooms.database.close()


def propose(house: House, data: bytes) -> str:
    editions = house.rooms.editions
    return house.rooms.database.write(lambda uow: editions.propose(uow, SYSTEM, data, "新设证照类型").id)


def approve(house: House, edition: str) -> None:
    editions = house.rooms.editions
    house.rooms.database.write(lambda uow: editions.approve(uow, SECURITY, edition, "已核对"))


def test_a_type_takes_effect_when_a_second_person_approves(house: House) -> None:
    edition = propose(house, new_types())
    with pytest.raises(UnknownTypeError):
        house.rooms.license_types.get(NEW_TYPE)
    approve(house, edition)
    assert house.rooms.license_types.to_issue(NEW_TYPE).zh == "演示新设经营许可证"
    assert NEW_TYPE in {one.code for one in house.rooms.license_types.all()}
    assert house.acts()[-2:] == ["edition.proposed", "edition.approved"]


def test_another_process_issues_by_the_new_version_and_reads_the_old_one(house: House, other: House) -> None:
    assert other.rooms.license_types.to_issue(FOOD).version == "2026-01"
    approve(house, propose(house, new_types(code=FOOD, zh="食品经营许可证（新）")))
    assert other.rooms.license_types.to_issue(FOOD).zh == "食品经营许可证（新）"
    assert other.rooms.license_types.as_issued(FOOD, "2026-01").zh == "食品经营许可证"


def test_an_item_may_give_a_type_that_another_process_has_never_seen(house: House, other: House) -> None:
    item = new_edition(license_type=NEW_TYPE)
    with pytest.raises(EditionFaultyError) as refused:
        propose(other, item)
    assert refused.value.facts == {"findings": "licence-type-unknown"}
    approve(house, propose(house, new_types()))
    approve(other, propose(other, item))
    assert house.rooms.items.get("339999010002", "2027-01").license_type == NEW_TYPE


def test_of_two_proposals_of_one_version_the_second_is_refused_at_approval(house: House) -> None:
    first = propose(house, new_types())
    second = propose(house, new_types(version="2027-02", zh="另一名称"))
    approve(house, first)
    with pytest.raises(EditionFaultyError) as refused:
        approve(house, second)
    assert refused.value.facts == {"findings": "nothing-new type-altered"}
    assert house.rooms.license_types.get(NEW_TYPE).zh == "演示新设经营许可证"


def test_on_the_page_the_second_person_reads_what_changes_side_by_side(house: House) -> None:
    proposes, decides = (house.browser(role, "office") for role in ADMINISTRATORS[:2])
    fields = [
        one | {"en": "Place of business"} if one["name"] == "premises" else one
        for one in type_entry(FOOD)["fields"]
    ]
    data = new_types(code=FOOD, zh="食品经营许可证（新）", fields=fields)
    token = form_token(proposes.get("/editions").text)
    form = {"form_token": token, "reason": "改名", "file": (io.BytesIO(data), "types.json")}
    assert proposes.post("/editions", data=form).status_code == 303
    page = decides.get("/editions").text
    assert re.search(r"<code>zh</code></th><td><del>食品经营许可证</del></td>", page)
    assert re.search(r"fields/premises</code></th><td><del>[^<]*Business premises", page)
    assert "fields/operator" not in page, "what stays is not listed"
    (edition,) = set(re.findall(r'id="edition-([0-9a-z]{26})"', page))
    decision = {"form_token": form_token(page), "decision": "approve", "reason": "已核对"}
    assert decides.post(f"/editions/{edition}/decision", data=decision).status_code == 303
    assert house.rooms.license_types.get(FOOD).zh == "食品经营许可证（新）"


def test_what_somebody_begins_with_passes_once_its_version_is_new(house: House) -> None:
    browser = house.browser(Role.SYSTEM_ADMIN, "office")
    document = json.loads(browser.get("/editions/license-types/shipped").data)
    document["version"] = "2027-01"
    document["types"].append(type_entry())
    with house.rooms.database.reading() as uow:
        checked = house.rooms.editions.check(uow, json.dumps(document).encode())
    assert [one.code for one in checked.findings] == []
    assert [one.name for one in checked.differences] == [f"{NEW_TYPE} 2027-01"]
