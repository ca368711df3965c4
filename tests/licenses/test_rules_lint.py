# SPDX-License-Identifier: Apache-2.0
"""The lint of no-proof rules: what blocks an edition, what two persons weigh, what a county may do."""

import copy
import datetime as dt
from typing import Any

import pytest
from rule_ground import ground, stated
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

from cases.lint import MOST_FINDINGS, LintFinding
from licenses.rule_inheritance import broken_inheritance
from licenses.rule_levels import Levels
from licenses.rules import Rule, rule_of
from licenses.rules_lint import SENTENCES, WARNINGS, heir_findings, lint_rules


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


ABOVE = {"code": "339999010001", "edition": "2026-03"}


def province(*requirements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Give the province's rule; its second version from December on abolishes or drops what is not named."""
    base = {"rule_id": "province", "version": 2, "item": ABOVE, "effective": ["2026-12-01", None]}
    return stated(*requirements, **(base | changes))


FIRST = rule(
    requirement([licence()]),
    requirement([licence()], name="R2"),
    rule_id="province",
    item=ABOVE,
)
ABOLISHED = requirement(name="R2", cancelled="无依据", fallback=[])


def county(name: str = "county", **changes: Any) -> Rule:
    made = requirement([licence()]), requirement([licence()], name="R2")
    item = {"code": name, "edition": "2026-03"}
    return rule(*made, **({"rule_id": name, "inherits": "province", "item": item} | changes))


def heirs(*rules: dict[str, Any], held: tuple[Rule, ...]) -> list[tuple[str, str]]:
    """Give code and rule of the findings about rules in force; the province may go first all the same."""
    findings = lint_rules({"version": "2026-12", "rules": list(rules)}, ground(*held))
    assert not [one for one in findings if one.blocks]
    return [(one.code, one.about.partition(" ←")[0]) for one in findings if one.about]


@pytest.mark.parametrize(
    ("now", "code"),
    [
        ([requirement([licence()]), ABOLISHED], "heir-proof-revived"),
        ([requirement([licence()])], "heir-proof-added"),
        (
            [requirement([licence()]), requirement([licence(trust="A")], name="R2")],
            "heir-source-widened",
        ),
        (
            [requirement([licence()]), requirement([licence()], name="R2", fallback=[COMMITMENT, UPLOAD])],
            "heir-rung-removed",
        ),
        (
            [requirement([licence()]), requirement([licence()], name="R2", decision={"ask": "fields"})],
            "heir-proof-otherwise",
        ),
    ],
)
def test_a_change_above_names_every_rule_in_force_that_would_no_longer_fit(now: Any, code: str) -> None:
    held = (FIRST, county("east"), county("west"), rule(requirement([licence()]), rule_id="alone"))
    assert heirs(province(*now), held=held) == [(code, "east v1 R2"), (code, "west v1 R2")]


def test_the_warning_names_where_the_proposal_stands_and_from_which_day_on() -> None:
    document = {"version": "2026-12", "rules": [province(requirement([licence()]), ABOLISHED)]}
    (finding,) = lint_rules(document, ground(FIRST, county()))
    assert (finding.path, finding.blocks) == ("/rules/0", False)
    assert finding.about == "county v1 R2 ← province v2 · 2026-12-01"


def test_a_change_above_that_fits_names_nobody() -> None:
    wider = requirement([licence()], [licence(FOOD)], name="R2")
    assert heirs(province(requirement([licence()]), wider), held=(FIRST, county())) == []


def test_only_what_is_in_force_together_is_compared() -> None:
    ends = county("east", effective=["2026-01-01", "2026-11-30"])
    follows = county("west"), county("west", version=2, effective=["2026-12-01", None])
    mended = rule(
        requirement([licence()]),
        ABOLISHED,
        rule_id="north",
        inherits="province",
        version=2,
        effective=["2026-12-01", None],
        item={"code": "north", "edition": "2026-03"},
    )
    held = (FIRST, ends, *follows, county("north"), mended)
    new = province(requirement([licence()]), ABOLISHED)
    assert heirs(new, held=held) == [("heir-proof-revived", "west v2 R2")]
    later = new | {"effective": ["2026-11-10", None]}
    assert heirs(later, held=held) == [
        ("heir-proof-revived", f"{name} v1 R2") for name in ("east", "north", "west")
    ] + [("heir-proof-revived", "west v2 R2")]


def test_what_inherits_over_two_levels_is_named_too() -> None:
    held = (FIRST, county("city"), county("village", inherits="city"))
    assert heirs(province(requirement([licence()]), ABOLISHED), held=held) == [
        ("heir-proof-revived", "city v1 R2"),
        ("heir-proof-revived", "village v1 R2"),
    ]


def test_each_county_is_named_even_where_there_are_more_than_other_findings_may_be() -> None:
    held = (FIRST, *(county(f"county-{number}") for number in range(MOST_FINDINGS + 20)))
    assert len(heirs(province(requirement([licence()]), ABOLISHED), held=held)) == MOST_FINDINGS + 20


def test_a_county_is_compared_with_what_is_in_force_above_in_its_own_time() -> None:
    second = rule_of(province(requirement([licence()]), ABOLISHED))
    more = requirement([licence()], name="R2")
    base: dict[str, Any] = {"inherits": "province"}
    until = stated(requirement([licence()]), more, **base, effective=["2026-01-01", "2026-11-30"])
    assert found(until, held=(FIRST, second)) == {"rule-ended"}
    assert found(stated(requirement([licence()]), more, **base), held=(FIRST, second)) == {"proof-revived"}


def test_a_county_that_follows_in_the_same_edition_is_judged_by_it_and_not_named() -> None:
    new = province(requirement([licence()]), ABOLISHED)
    follows: dict[str, Any] = {"inherits": "province", "rule_id": "some-rule", "version": 2}
    follows |= {"effective": ["2026-12-01", None]}
    held = (FIRST, county("some-rule", item={"code": "339999010002", "edition": "2026-03"}))
    assert found(stated(requirement([licence()]), ABOLISHED, **follows), new, held=held) == set()
    kept = stated(requirement([licence()]), requirement([licence()], name="R2"), **follows)
    assert found(kept, new, held=held) == {"proof-revived"}


def test_a_county_in_force_that_is_stated_again_does_not_keep_the_province_back() -> None:
    again = stated(
        requirement([licence()]),
        requirement([licence()], name="R2"),
        inherits="province",
        effective=["2026-11-01", None],
    )
    new = province(requirement([licence()]), ABOLISHED)
    assert found(again, new, held=(FIRST, rule_of(again))) == {"heir-proof-revived"}


def listed(*held: Rule, today: dt.date) -> tuple[LintFinding, ...]:
    known = ground()
    return heir_findings(held, Levels(known.items, known.departments), today)


def test_what_no_longer_fits_is_listed_until_it_is_mended() -> None:
    second = rule_of(province(requirement([licence()]), ABOLISHED))
    broken = listed(FIRST, second, county(), today=dt.date(2026, 12, 20))
    assert [(one.code, one.about) for one in broken] == [
        ("heir-proof-revived", "county v1 R2 ← province v2 · 2026-12-20")
    ]
    mended = rule(
        requirement([licence()]),
        ABOLISHED,
        rule_id="county",
        version=2,
        inherits="province",
        effective=["2026-12-10", None],
    )
    assert listed(FIRST, second, county(), mended, today=dt.date(2026, 12, 20)) == ()
    assert listed(FIRST, second, county(), mended, today=dt.date(2026, 12, 5)) != ()


def test_every_finding_has_a_sentence() -> None:
    assert set(SENTENCES) >= WARNINGS
    assert all(zh and en for zh, en in SENTENCES.values())
