# SPDX-License-Identifier: Apache-2.0
"""Rules of one item at several levels: a county that names no rule above is compared all the same."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_world import BUSINESS, FOOD, licence, requirement, rule

from cases.items import Department, Item, ItemCatalogue
from cases.lint import LintFinding
from licenses.catalogue import TypeCatalogue
from licenses.rule_levels import Levels
from licenses.rules import Rule, rule_of
from licenses.rules_lint import RuleGround, heir_findings, lint_rules
from storage.ledger.canonical import Json

TODAY = dt.date(2026, 11, 20)
SHIPPED = ItemCatalogue.load().get("339999010002", "2026-03")
MATERIALS = ("business-license", "premises", "health-certificate")
DIVISIONS = {
    "nation": "100000",
    "province": "330000",
    "city": "330100",
    "county": "330106",
    "neighbour": "330203",
    "elsewhere": "340000",
}
DEPARTMENTS = {
    code: Department(code, f"11{division}DEM0010178", code, code, code)
    for code, division in DIVISIONS.items()
}


def item_of(level: str) -> Item:
    """Give the item as a level has it: with a code of its own, and the one of all levels."""
    return replace(SHIPPED, code=f"{level}0002", department=level, basic_code="000120002000")


ITEMS = {(one.code, one.edition): one for one in map(item_of, DIVISIONS)}


def ground(*held: Rule, **changes: Any) -> RuleGround:
    values: dict[str, Any] = {
        "items": ITEMS,
        "departments": DEPARTMENTS,
        "types": {one.code: one for one in TypeCatalogue.load().all()},
        "relations": {"spouse"},
        "held": held,
        "covered": {BUSINESS, FOOD},
        "today": TODAY,
    }
    return RuleGround(**(values | changes))


def proof(material: str, name: str = "", **changes: Any) -> dict[str, Any]:
    names = {one: f"R{place}" for place, one in enumerate(MATERIALS)}
    return requirement([licence()], name=name or names[material], material=material, **changes)


def gone(material: str) -> dict[str, Any]:
    return {
        name: value for name, value in proof(material).items() if name not in {"alternatives", "fallback"}
    } | {"cancelled": "无依据"}


def stated(level: str, *proofs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "rule_id": level,
        "version": 1,
        "item": {"code": f"{level}0002", "edition": "2026-03"},
        "effective": ["2026-01-01", None],
        "legal_basis": ["某规定第一条"],
        "approved_by": ["one", "other"],
        "requirements": list(proofs) or [proof("premises")],
    }
    return base | changes


def held(level: str, *proofs: dict[str, Any], **changes: Any) -> Rule:
    return rule_of(stated(level, *proofs, **changes))


def findings(*rules: dict[str, Any], among: tuple[Rule, ...] = (), **changes: Any) -> list[LintFinding]:
    document: dict[str, Json] = {"version": "2026-12", "rules": list(rules)}
    return list(lint_rules(document, ground(*among, **changes)))


def told(*rules: dict[str, Any], among: tuple[Rule, ...] = (), **changes: Any) -> list[tuple[str, str]]:
    return [(one.code, one.about) for one in findings(*rules, among=among, **changes)]


def test_a_county_that_names_no_rule_above_is_warned_with_that_rule() -> None:
    (found,) = findings(stated("county"), among=(held("province"),))
    assert (found.code, found.path, found.blocks) == ("level-unnamed", "/rules/0", False)
    assert found.about == "county v1 ← province v1 · 2026-11-20"


def test_a_county_that_names_no_rule_above_adds_no_proof() -> None:
    county = stated("county", proof("premises"), proof("health-certificate"))
    (found,) = findings(county, among=(held("province"),))
    assert (found.code, found.path, found.blocks) == ("level-proof-added", "/rules/0/requirements/1", True)
    assert found.about == "county v1 R2 ← province v1 · 2026-11-20"


@pytest.mark.parametrize(
    ("above", "below", "code"),
    [
        ([proof("premises")], [proof("premises", "R7")], "level-unnamed"),
        ([proof("premises", "R7")], [proof("health-certificate", "R7")], "level-proof-added"),
        ([proof("premises")], [proof("premises", subject="spouse")], "level-proof-added"),
        ([gone("premises"), proof("business-license")], [proof("premises")], "level-proof-added"),
        ([proof("business-license")], [gone("premises")], "level-unnamed"),
        ([gone("premises")], [gone("premises")], "level-unnamed"),
    ],
)
def test_proofs_of_two_levels_are_one_by_material_and_subject(above: Any, below: Any, code: str) -> None:
    assert [one for one, _ in told(stated("county", *below), among=(held("province", *above),))] == [code]


@pytest.mark.parametrize(
    ("below", "above", "compared"),
    [
        ("county", "city", True),
        ("county", "province", True),
        ("county", "nation", True),
        ("city", "province", True),
        ("province", "nation", True),
        ("province", "county", False),
        ("county", "county", False),
        ("county", "neighbour", False),
        ("county", "elsewhere", False),
        ("nation", "province", False),
    ],
)
def test_a_level_is_below_another_by_the_division_of_its_department(
    below: str, above: str, compared: bool
) -> None:
    other = held(above, rule_id="above", item={"code": f"{above}0002", "edition": "2026-03"})
    items = ITEMS | {(f"{above}0002", "2025-03"): replace(item_of(above), edition="2025-03")}
    mine = stated(below)
    if below == above:
        mine["item"] = {"code": f"{below}0002", "edition": "2025-03"}
    found = {code for code, _ in told(mine, among=(other,), items=items)}
    assert ("level-unnamed" in found) is compared


def test_items_are_one_by_what_they_state_or_by_their_own_code() -> None:
    province, county = item_of("province"), item_of("county")
    pairs = {
        (None, None): False,
        ("000120002000", None): False,
        ("000120002000", "999999999999"): False,
        (None, "province0002"): True,
        ("000120002000", "000120002000"): True,
    }
    for (above, below), compared in pairs.items():
        made = (replace(province, basic_code=above), replace(county, basic_code=below))
        items = {(one.code, one.edition): one for one in made}
        found = told(stated("county"), among=(held("province"),), items=items)
        assert bool(found) is compared, (above, below)


def test_whoever_inherits_the_rule_above_is_compared_by_that_alone() -> None:
    among = (held("nation"), held("province", inherits="nation"))
    assert told(stated("county", inherits="province"), among=among) == []
    more = stated("county", proof("premises", "R1"), proof("health-certificate"), inherits="province")
    assert {code for code, _ in told(more, among=among)} == {"proof-added"}


def test_who_inherits_something_else_has_not_named_the_rule_above() -> None:
    among = (held("province"), held("elsewhere"))
    assert told(stated("county", inherits="elsewhere"), among=among) == [
        ("level-unnamed", "county v1 ← province v1 · 2026-11-20")
    ]
    among = (held("province"), held("city"))
    assert told(stated("county", inherits="city"), among=among) == [
        ("level-unnamed", "county v1 ← province v1 · 2026-11-20")
    ]


def test_only_rules_in_force_on_a_common_day_from_today_on_are_compared() -> None:
    ended = held("province", effective=["2025-01-01", "2026-11-19"])
    assert told(stated("county"), among=(ended,)) == []
    later = held("province", effective=["2027-01-01", None])
    assert told(stated("county"), among=(later,)) == [
        ("level-unnamed", "county v1 ← province v1 · 2027-01-01")
    ]
    until = stated("county", effective=["2026-01-01", "2026-12-31"])
    assert told(until, among=(later,)) == [("rule-ended", "")]
    second = held("province", proof("business-license"), version=2, effective=["2027-01-01", None])
    assert told(stated("county"), among=(held("province"), second)) == [
        ("level-unnamed", "county v1 ← province v1 · 2026-11-20"),
        ("level-proof-added", "county v1 R1 ← province v2 · 2027-01-01"),
    ]


def test_a_level_above_may_go_first_and_each_rule_below_that_does_not_name_it_is_named() -> None:
    among = (held("county"), held("neighbour"), held("elsewhere"), held("city", inherits="province"))
    found = findings(stated("province", proof("business-license"), proof("premises")), among=among)
    assert [(one.code, one.path, one.blocks, one.about) for one in found if one.code == "heir-unnamed"] == [
        ("heir-unnamed", "/rules/0", False, f"{name} v1 ← province v1 · 2026-11-20")
        for name in ("county", "neighbour")
    ]
    assert not [one for one in found if one.blocks]


def test_both_levels_in_one_document_are_compared() -> None:
    county = stated("county", proof("health-certificate"))
    assert [code for code, _ in told(county, stated("province"))] == ["level-proof-added"]


def test_what_names_nobody_is_listed_until_a_version_names_the_rule_above() -> None:
    levels = Levels(ITEMS, DEPARTMENTS)
    among = (held("province"), held("county"))
    assert [(one.code, one.about) for one in heir_findings(among, levels, TODAY)] == [
        ("heir-unnamed", "county v1 ← province v1 · 2026-11-20")
    ]
    mended = held("county", version=2, inherits="province", effective=["2026-11-01", None])
    assert heir_findings((*among, mended), levels, TODAY) == ()


asked = st.dictionaries(
    st.tuples(st.sampled_from(MATERIALS), st.sampled_from(["applicant", "spouse"])), st.booleans(), min_size=1
)


def made(proofs: dict[tuple[str, str], bool], prefix: str) -> list[dict[str, Any]]:
    return [
        (gone(material) if abolished else proof(material)) | {"id": f"{prefix}{place}", "subject": subject}
        for place, ((material, subject), abolished) in enumerate(proofs.items())
    ]


@given(asked, asked, st.sampled_from(["nation", "province", "city"]))
def test_no_proof_is_added_unseen_by_a_rule_that_names_nobody(above: Any, below: Any, level: str) -> None:
    found = findings(stated("county", *made(below, "C")), among=(held(level, *made(above, "P")),))
    more = {key for key, abolished in below.items() if not abolished and above.get(key, True)}
    numbers = sorted(list(below).index(key) for key in more)
    wanted = [("level-proof-added", f"/rules/0/requirements/{number}") for number in numbers]
    assert [(one.code, one.path) for one in found] == (wanted or [("level-unnamed", "/rules/0")])


def test_rules_of_other_items_are_left_alone() -> None:
    assert told(stated("county"), among=(rule(requirement([licence()]), rule_id="other"),)) == []
