# SPDX-License-Identifier: Apache-2.0
"""Every alternative is tried, and the answer names the rule that it applied and what decided."""

from typing import Any

import pytest
from rule_world import AT, BUSINESS, FOOD, UNKNOWN_TYPE, case, fact, facts, licence, prior, requirement, rule

from licenses.evaluation import evaluate
from licenses.facts import Facts
from licenses.reason_table import ReasonTable
from licenses.rules import Rule

WAYS = rule(requirement([licence(UNKNOWN_TYPE)], [licence(FOOD)], [prior()]))


def body(made: Rule, known: Facts) -> Any:
    return evaluate(made, known, AT, ReasonTable.load()).body


@pytest.mark.parametrize(
    ("known", "expected", "decided"),
    [
        (facts(fact(type_code=FOOD)), "MET", 1),
        (facts(cases=(case(),)), "MET", 2),
        (facts(fact(type_code=BUSINESS)), "UNKNOWN", None),
    ],
)
def test_any_alternative_may_decide_and_all_are_told(
    known: Facts, expected: str, decided: int | None
) -> None:
    (answer,) = body(WAYS, known)["requirements"]
    assert answer["result"] == expected
    assert [one["alternative"] for one in answer["tried"]] == [0, 1, 2]
    met = [one["alternative"] for one in answer["tried"] if one["result"] == "MET"]
    assert met == ([] if decided is None else [decided])


def test_the_answer_names_the_rule_by_version_and_digest() -> None:
    named = body(WAYS, facts())["rule"]
    assert named == {"id": WAYS.body.rule_id, "version": WAYS.body.version, "digest": WAYS.digest}
    assert len(WAYS.digest) == 64
