# SPDX-License-Identifier: Apache-2.0
"""The order of alternatives: the one written first decides, so the one that discloses least stands first."""

import itertools
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_ground import ground, stated
from rule_world import (
    AT,
    BUSINESS,
    FOOD,
    OLD_ITEM,
    case,
    fact,
    facts,
    licence,
    prior,
    random_rule,
    requirement,
    rule,
)

from licenses.evaluation import evaluate
from licenses.reason_table import ReasonTable
from licenses.rule_definition import Alternative, LicenseEvidence
from licenses.rules import rule_of
from licenses.rules_lint import lint_rules

SCOPE = {"field": "scope", "op": "contains", "value": "食品"}
PRESENT = {"field": "scope", "op": "present"}
NUMBER = {"field": "registered_capital", "op": "present"}


def warned(*ways: list[dict[str, Any]]) -> set[tuple[str, str, bool]]:
    document = {"version": "2026-12", "rules": [stated(requirement(*ways))]}
    places = "/rules/0/requirements/0/alternatives/"
    found = lint_rules(document, ground())
    return {(one.code, one.path.removeprefix(places), one.blocks) for one in found}


ORDER = {("alternative-order", "1", False)}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([licence(), licence(FOOD)], [licence()]),
        ([licence(), licence(FOOD)], [licence(FOOD, trust="A")]),
        ([licence(predicates=[SCOPE])], [licence()]),
        ([licence(predicates=[SCOPE, NUMBER])], [licence(predicates=[PRESENT])]),
        ([licence(), prior()], [prior(within="P1Y")]),
        ([licence(), licence(FOOD)], [licence(BUSINESS, FOOD)]),
        ([prior()], [licence()]),
        ([licence(), prior()], [licence(FOOD, predicates=[])]),
    ],
    ids=["licence", "other", "no-test", "fewer-fields", "case", "either", "before-a-case", "with-a-case"],
)
def test_what_discloses_less_is_warned_where_it_stands_behind(earlier: Any, later: Any) -> None:
    assert warned(earlier, later) == ORDER
    assert "alternative-order" not in {code for code, _, _ in warned(later, earlier)}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ([licence()], [licence(FOOD)]),
        ([licence(predicates=[SCOPE])], [licence(FOOD)]),
        ([licence(), licence(FOOD)], [prior()]),
        ([licence(), licence(FOOD)], [licence(predicates=[SCOPE])]),
        ([licence(predicates=[SCOPE])], [licence(predicates=[NUMBER])]),
        ([licence(predicates=[SCOPE])], [licence(predicates=[PRESENT])]),
        ([licence(trust="A")], [licence(trust="C")]),
        ([licence(BUSINESS, FOOD)], [licence(trust="D")]),
        ([prior()], [prior(OLD_ITEM)]),
        ([licence()], [prior()]),
    ],
)
def test_what_discloses_something_else_or_as_much_stands_where_it_likes(earlier: Any, later: Any) -> None:
    assert warned(earlier, later) == set()


def test_what_never_decides_is_told_as_that_alone() -> None:
    assert warned([licence(), licence()], [licence()]) == {("alternative-unreachable", "1", False)}


def test_the_first_written_decides_so_an_order_without_warning_rests_on_least() -> None:
    ways = ([licence()], [licence(), licence(FOOD)], [prior()])
    held = facts(fact(), fact(id="L2", type_code=FOOD), cases=(case(),))
    sound = []
    for order in itertools.permutations(ways):
        outcome = evaluate(rule(requirement(*order)), held, AT, ReasonTable.load())
        relied = {one.id for one in outcome.reliances}
        assert relied == {id(ways[0]): {"L1"}, id(ways[1]): {"L1", "L2"}, id(ways[2]): {"C1"}}[id(order[0])]
        if not {one for one in warned(*order) if one[0] == "alternative-order"}:
            sound.append(relied)
    assert sound == [{"L1"}, {"L1"}]


def seen(way: Alternative) -> tuple[bool, int]:
    """Give whether a way takes an earlier case, and of how many licences and fields it tells."""
    licences = [one for one in way.all_of if isinstance(one, LicenseEvidence)]
    fields = sum(len({predicate.field for predicate in one.predicates}) for one in licences)
    return len(licences) < len(way.all_of), len(way.all_of) + fields


@given(st.integers(0, 2**32))
def test_there_is_always_an_order_that_no_warning_is_about(seed: int) -> None:
    stated_rule = json.loads(random_rule(random.Random(seed)).document)
    for one in stated_rule["requirements"]:
        ways = [(Alternative.model_validate(each), each) for each in one.get("alternatives", [])]
        one["subject"] = "applicant"
        one["alternatives"] = [each for _, each in sorted(ways, key=lambda pair: seen(pair[0]))]
    assert rule_of(stated_rule)
    found = lint_rules({"version": "2026-12", "rules": [stated_rule]}, ground())
    assert "alternative-order" not in {one.code for one in found}
