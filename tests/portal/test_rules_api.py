# SPDX-License-Identifier: Apache-2.0
"""What must not be asked for is published: signed, with an ETag, by item, edition and day."""

from typing import Any

import pytest
from rule_world import COMMITMENT, UPLOAD, licence, requirement, rule

from cases.items import ItemCatalogue
from licenses.answers import verify_detached
from licenses.negative_list import SIGNATURE_TYPE, materials
from licenses.rules import RuleBook
from portal.web.api_catalog import SIGNATURE

from .conftest import House

ITEM = "339999010002"


def asked(house: House, path: str, **headers: str) -> Any:
    return house.app.test_client().get(f"/api/v1/catalog{path}", headers=headers)


def test_what_the_library_may_establish_is_not_asked_for_first(house: House) -> None:
    answer = asked(house, f"/items/{ITEM}/materials")
    found = {one["code"]: one["ask"] for one in answer.json["materials"]}
    assert found["premises"] == "only-if-not-established"
    assert found["business-license"] == "only-if-not-established"
    assert "yes" in found.values()
    assert answer.json["others"]["ask"] == "never"
    assert answer.json["rule"]["digest"] == RuleBook.load().all()[0].digest


@pytest.mark.parametrize(
    ("made", "ask", "reason"),
    [
        (requirement(cancelled="无依据", fallback=[]), "never", "abolished"),
        (requirement([licence()]), "only-if-not-established", "established-by-office"),
        (requirement(fallback=[COMMITMENT, UPLOAD]), "only-if-not-established", "established-by-office"),
        (requirement(), "yes", "no-automatic-way"),
    ],
)
def test_each_way_a_proof_disappears_shows_in_the_list(made: Any, ask: str, reason: str) -> None:
    item = ItemCatalogue.load().get(ITEM, "2026-03")
    rows: Any = materials(item, rule(made))["materials"]
    (row,) = [one for one in rows if one["code"] == "premises"]
    assert (row["ask"], row["reason"]["code"]) == (ask, reason)


def test_before_the_rule_every_material_could_be_asked_for(house: House) -> None:
    answer = asked(house, f"/items/{ITEM}/materials?on=2025-12-31")
    assert answer.json["rule"] is None
    assert {one["ask"] for one in answer.json["materials"]} == {"yes"}


def test_an_unchanged_list_is_not_sent_again_and_its_signature_holds(house: House) -> None:
    for path in (f"/items/{ITEM}/materials", "/rules"):
        answer = asked(house, path)
        verify_detached(answer.data, answer.headers[SIGNATURE], house.rooms.keys.jwks, SIGNATURE_TYPE)
        again = asked(house, path, **{"If-None-Match": answer.headers["ETag"]})
        assert (again.status_code, again.data) == (304, b"")


def test_a_decision_s_rule_is_found_by_its_digest(house: House) -> None:
    digest = asked(house, "/rules").json["rules"][0]["digest"]
    answer = asked(house, f"/rules/{digest}")
    assert answer.json["rule"]["rule_id"]
    assert "approved_by" not in answer.json["rule"]


@pytest.mark.parametrize(
    "path", ["/rules/unknown", "/items/unknown/materials", f"/items/{ITEM}/materials?edition=1999-01"]
)
def test_what_there_is_not_is_not_found(house: House, path: str) -> None:
    assert asked(house, path).status_code == 404
