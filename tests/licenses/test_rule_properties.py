# SPDX-License-Identifier: Apache-2.0
"""Laws of the evaluation, over rules and facts of every shape."""

import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rule_world import AT, random_facts, random_rule

from licenses.evaluation import evaluate
from licenses.facts import Facts
from licenses.predicates import Answer
from licenses.reason_table import ReasonTable
from licenses.rules import Rule, rule_of
from storage.ledger.canonical import canonical

TABLE = ReasonTable.load()
SEEDS = st.integers(min_value=0, max_value=2**48)
_STRENGTH = {str(one): place for place, one in enumerate(Answer)}
_DENIALS = {
    "R.EXPIRED",
    "R.NOT_ACTIVATED",
    "R.STATUS_SUSPENDED",
    "R.STATUS_CANCELLED",
    "R.STATUS_REVOKED",
    "R.STATUS_WITHDRAWN",
    "R.STATUS_LAPSED",
    "R.SUPERSEDED",
    "R.PREDICATE_NOT_SATISFIED",
    "R.DENIED_BY_DEPARTMENT",
}


def answers(rule: Rule, facts: Facts) -> dict[str, Any]:
    body: Any = evaluate(rule, facts, AT, TABLE).body
    return {one["id"]: one for one in body["requirements"]}


def test_ten_thousand_rules_and_holders_replay_byte_for_byte() -> None:
    """The rule is read again from its text, and the facts are gathered anew from the same seed."""
    for seed in range(10_000):
        first = evaluate(random_rule(random.Random(seed)), random_facts(random.Random(-seed)), AT, TABLE)
        stated = random_rule(random.Random(seed)).body.model_dump(mode="json")
        again = evaluate(rule_of(stated), random_facts(random.Random(-seed)), AT, TABLE)
        one, other = dict(first.body), dict(again.body)
        # What defaults fill in is another text with another digest, and nothing else may differ.
        one.pop("rule"), other.pop("rule")
        assert canonical(one) == canonical(other)
        assert first.reliances == again.reliances


@given(SEEDS, SEEDS)
def test_more_evidence_never_lowers_what_is_met_to_unknown(one: int, other: int) -> None:
    rule, known, more = (
        random_rule(random.Random(one)),
        random_facts(random.Random(one)),
        random_facts(random.Random(other)),
    )
    added = replace(
        known,
        licenses=[*known.licenses, *more.licenses],
        cases=[*known.cases, *more.cases],
        library_types=(*known.library_types, *more.library_types),
        related=known.related or more.related,
    )
    before, after = answers(rule, known), answers(rule, added)
    for name, answer in before.items():
        if answer["result"] == "MET":
            assert after[name]["result"] == "MET", (
                "alternatives are ORed: a further licence takes nothing away"
            )


@given(SEEDS, SEEDS)
def test_a_denial_rests_on_sources_that_deny_in_every_alternative(one: int, other: int) -> None:
    rule, known = random_rule(random.Random(one)), random_facts(random.Random(other))
    for answer in answers(rule, known).values():
        if answer["result"] == "NOT_MET" and answer["reason"]["code"] != "R.COMMITMENT_FALSE":
            assert answer["reason"]["code"] in _DENIALS
            denied = answer["reason"]["code"] == "R.DENIED_BY_DEPARTMENT"
            allowed = {"NOT_MET", "UNKNOWN"} if denied else {"NOT_MET"}
            assert {tried["result"] for tried in answer["tried"]} <= allowed, "nothing establishes it"
    nothing = replace(known, licenses=(), cases=(), assertions=(), related={}, rungs={})
    assert "NOT_MET" not in {answer["result"] for answer in answers(rule, nothing).values()}


@given(SEEDS, SEEDS, st.sampled_from(["R.HOLDER_AMBIGUOUS", "R.RELATION_UNPROVEN"]))
def test_ambiguity_never_establishes_anything(one: int, other: int, reason: str) -> None:
    rule, known = random_rule(random.Random(one)), random_facts(random.Random(other))
    spouse = replace(known.of("spouse"), unproven=reason)
    unclear = replace(known, related={"spouse": spouse}, rungs={})
    for requirement in rule.body.requirements:
        if requirement.subject == "spouse" and requirement.cancelled is None:
            answer = answers(rule, unclear)[requirement.id]
            assert (answer["result"], answer["reason"]["code"]) == ("UNKNOWN", reason)


@given(SEEDS, SEEDS)
def test_the_item_is_its_weakest_requirement_and_each_is_returned(one: int, other: int) -> None:
    rule, known = random_rule(random.Random(one)), random_facts(random.Random(other))
    made = evaluate(rule, known, AT, TABLE)
    found = answers(rule, known)
    assert list(found) == [one.id for one in rule.body.requirements]
    assert _STRENGTH[str(made.result)] == min(_STRENGTH[one["result"]] for one in found.values())


@given(SEEDS, SEEDS)
def test_no_value_of_a_face_and_no_id_of_a_holder_stands_in_an_answer(one: int, other: int) -> None:
    rule, known = random_rule(random.Random(one)), random_facts(random.Random(other))
    written = canonical(evaluate(rule, known, AT, TABLE).body).decode()
    assert "食品销售" not in written
    assert "2030-01-01" not in written
    assert all(fact.id not in written for fact in known.licenses)


@pytest.mark.parametrize("answer", ["PROVISIONAL", "PENDING"])
def test_both_further_answers_occur_among_the_random_ones(answer: str) -> None:
    seen: set[str] = set()
    for seed in range(400):
        found = answers(random_rule(random.Random(seed)), random_facts(random.Random(-seed)))
        seen |= {one["result"] for one in found.values()}
    assert answer in seen
