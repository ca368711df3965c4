# SPDX-License-Identifier: Apache-2.0
"""The lint of no-proof rules: what blocks an edition, what two persons weigh, what a county may do."""

import copy
from typing import Any

import pytest
from rule_world import (
    BUSINESS,
    COMMITMENT,
    COOPERATION,
    FOOD,
    SUPPLY,
    UNKNOWN_TYPE,
    UPLOAD,
    licence,
    prior,
    requirement,
    rule,
)

from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.relation_table import relation_table
from licenses.rule_inheritance import broken_inheritance
from licenses.rules import Rule
from licenses.rules_lint import SENTENCES, WARNINGS, RuleGround, lint_rules

ITEMS = ItemCatalogue.load()


def ground(*held: Rule, **changes: Any) -> RuleGround:
    values: dict[str, Any] = {
        "items": {(one.code, one.edition): one for one in ITEMS.items},
        "departments": frozenset(one.code for one in ITEMS.departments),
        "types": {one.code: one for one in TypeCatalogue.load().all()},
        "relations": frozenset(one.code for one in relation_table().relations),
        "held": held,
        "covered": {BUSINESS, FOOD},
        "versions": {"2026-11"},
    }
    return RuleGround(**(values | changes))


def stated(*requirements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "rule_id": "some-rule",
        "version": 1,
        "item": {"code": "339999010002", "edition": "2026-03"},
        "effective": ["2026-01-01", None],
        "legal_basis": ["某规定第一条"],
        "approved_by": ["one", "other"],
        "requirements": list(requirements) or [requirement([licence()])],
    }
    return base | changes


def found(*rules: dict[str, Any], held: tuple[Rule, ...] = (), **changes: Any) -> set[str]:
    document = {"version": "2026-12", "rules": list(rules)}
    findings = lint_rules(document, ground(*held, **changes))
    assert all(one.blocks == (one.code not in WARNINGS) for one in findings)
    return {one.code for one in findings}


def test_a_sound_edition_has_no_finding() -> None:
    assert found(stated()) == set()


def test_what_does_not_follow_the_schema_is_told_first() -> None:
    assert found({"rule_id": "x"}) == {"schema"}
    assert {one.code for one in lint_rules({"rules": []}, ground())} == {"schema"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"item": {"code": "339999010002", "edition": "1999-01"}}, "item-unknown"),
        ({"item": {"code": "339999010002", "edition": "2026-03", "replaced_by": "x"}}, "edition-unknown"),
        ({"inherits": "province-rule"}, "inherits-unknown"),
        ({"approved_by": ["one", "one"]}, "rule-contradicts"),
        ({"effective": ["2026-01-01", "2026-12-31"]}, "rule-ended"),
    ],
)
def test_what_a_rule_names_must_be_there(changes: dict[str, Any], code: str) -> None:
    assert found(stated(**changes)) == {code}


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (requirement([licence()], material="no-such"), "material-unknown"),
        (requirement([licence()], subject="cousin"), "relation-unknown"),
        (requirement(fallback=[COOPERATION | {"to": "nobody"}]), "department-unknown"),
        (requirement(fallback=[COOPERATION | {"to": "scjg"}]), "department-itself"),
        (requirement([licence()], subject="spouse", fallback=[COMMITMENT, UPLOAD]), "rung-of-another"),
        (requirement([licence(predicates=[{"field": "shoe_size", "op": "present"}])]), "face-field-unknown"),
        (requirement([licence(), licence()], [licence(), licence(FOOD)]), "alternative-unreachable"),
        (requirement(), "upload-only"),
    ],
)
def test_what_a_requirement_names_must_be_there(made: dict[str, Any], code: str) -> None:
    assert found(stated(made)) == {code}


def test_a_type_that_is_not_there_is_dead_and_covers_nothing() -> None:
    made = requirement([licence("11339999DEM0010178901")])
    assert found(stated(made)) == {"type-dead", "no-coverage"}
    assert found(stated(), covered=set()) == {"no-coverage"}
    assert found(stated(requirement([licence()], [prior()])), covered=set()) == set()


def test_versions_go_up_and_are_never_altered() -> None:
    held = rule(requirement([licence()]), version=2)
    assert found(stated(version=2), held=(held,)) == {"nothing-new"}
    assert found(stated(version=2, legal_basis=["另一规定"]), held=(held,)) == {"rule-altered"}
    assert found(stated(version=1), held=(held,)) == {"rule-backwards"}
    assert found(stated(version=3), held=(held,)) == set()
    assert found(stated(version=3), stated(version=3, legal_basis=["另"]), held=(held,)) >= {"rule-twice"}


def test_two_rules_for_an_item_at_a_time_are_refused() -> None:
    held = rule(requirement([licence()]), rule_id="other")
    assert found(stated(), held=(held,)) == {"rule-overlaps"}
    ended = rule(requirement([licence()]), rule_id="other", effective=["2025-01-01", "2025-12-31"])
    assert found(stated(), held=(ended,)) == set()


WIDE = requirement(
    [licence(BUSINESS, FOOD)],
    [prior()],
    fallback=[COMMITMENT, SUPPLY, UPLOAD],
)


def inherited(change: Any) -> list[str]:
    child = copy.deepcopy(WIDE)
    change(child)
    above = rule(WIDE, requirement(name="R9", cancelled="无依据", fallback=[]), rule_id="province")
    return [code for _, code in broken_inheritance(rule(child).body, above.body)]


@pytest.mark.parametrize(
    "change",
    [
        lambda one: None,
        lambda one: one["alternatives"].pop(),
        lambda one: one["alternatives"][0]["all_of"][0]["licence"].update(type=[FOOD]),
        lambda one: one["alternatives"][0]["all_of"][0]["licence"].update(issuer_in=["11339999MBDEM0015L"]),
        lambda one: one["alternatives"][0]["all_of"][0]["licence"].update(trust="A"),
        lambda one: one["alternatives"][0]["all_of"][0]["licence"].update(freshness={"source": "live"}),
        lambda one: one["alternatives"][0]["all_of"][0].update(
            predicates=[{"field": "scope", "op": "present"}]
        ),
        lambda one: one["alternatives"][0]["all_of"].append(licence(BUSINESS)),
    ],
)
def test_a_county_may_tighten_its_sources(change: Any) -> None:
    assert inherited(change) == []


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda one: one.update(id="R2"), "proof-added"),
        (lambda one: one.update(id="R9"), "proof-revived"),
        (lambda one: one.update(material="business-license"), "proof-otherwise"),
        (lambda one: one.update(decision={"ask": "document"}), "proof-otherwise"),
        (lambda one: one.update(subject="spouse"), "proof-otherwise"),
        (
            lambda one: one["alternatives"].append({"all_of": [licence(UNKNOWN_TYPE)]}),
            "source-widened",
        ),
        (lambda one: one["alternatives"][0]["all_of"][0]["licence"].update(trust="D"), "source-widened"),
        (lambda one: one["fallback"].pop(0), "rung-removed"),
    ],
)
def test_a_county_adds_no_proof_and_widens_no_source(change: Any, code: str) -> None:
    assert inherited(change) == [code]


def test_inheritance_is_part_of_the_lint() -> None:
    above = rule(
        requirement([licence()]), rule_id="province", item={"code": "339999010001", "edition": "2026-03"}
    )
    more = stated(requirement([licence()]), requirement([licence()], name="R2"), inherits="province")
    assert found(more, held=(above,)) == {"proof-added"}


def test_every_finding_has_a_sentence() -> None:
    assert set(SENTENCES) >= WARNINGS
    assert all(zh and en for zh, en in SENTENCES.values())
