# SPDX-License-Identifier: Apache-2.0
"""Laws of the evaluation, over rules and facts of every shape."""

import datetime as dt
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from rule_world import (
    AT,
    BUSINESS,
    DAY,
    FOOD,
    random_facts,
    random_rule,
    random_subject,
)

from licenses.evaluation import evaluate
from licenses.facts import Facts, LicenseFact, SubjectFacts
from licenses.lifecycle import Status
from licenses.predicates import Answer, Op, Predicate
from licenses.reason_table import ReasonTable
from licenses.rule_definition import LicenseEvidence
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
_BY_LIBRARY = {"R.ESTABLISHED", "R.PRIOR_CASE", "R.CANCELLED"}
_ENDED = {"suspended", "cancelled", "revoked", "superseded", "withdrawn", "lapsed"}
_BY_DATES = {"expired", "not-activated"}


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


@given(SEEDS, SEEDS, st.randoms(use_true_random=False))
def test_more_evidence_never_lowers_what_is_met_to_unknown(
    one: int, other: int, place: random.Random
) -> None:
    """Alternatives are ORed. Only a department takes its own yes back, by a newer answer, which is a no."""
    rule, known = random_rule(random.Random(one)), random_facts(random.Random(one))
    added = _with_more(known, random_subject(random.Random(other)), place)
    before, after = answers(rule, known), answers(rule, added)
    for name, answer in before.items():
        if answer["result"] != "MET":
            continue
        result, code = after[name]["result"], after[name]["reason"]["code"]
        if answer["reason"]["code"] in _BY_LIBRARY:
            assert result == "MET", "a further licence, case or answer takes nothing away"
        elif result != "MET":
            assert (result, code in _DENIALS) == ("NOT_MET", True), "nothing is lowered but by a denial"
            if answer["reason"]["code"] == "R.CONFIRMED_BY_DEPARTMENT":
                assert code == "R.DENIED_BY_DEPARTMENT"


def _with_more(known: Facts, more: SubjectFacts, place: random.Random) -> Facts:
    def mixed(held: Sequence[Any], further: Sequence[Any]) -> list[Any]:
        found = list(held)
        for one in further:
            found.insert(place.randint(0, len(found)), one)
        return found

    spouse = known.related.get("spouse")
    related = dict(known.related)
    if spouse is not None and spouse.unproven is None:
        related["spouse"] = replace(
            spouse,
            licenses=mixed(spouse.licenses, more.licenses),
            cases=mixed(spouse.cases, more.cases),
            assertions=mixed(spouse.assertions, more.assertions),
            # Two licences may show one relation.
            shown_by=[*spouse.shown_by, "M2"],
        )
    return replace(
        known,
        licenses=mixed(known.licenses, more.licenses),
        cases=mixed(known.cases, more.cases),
        assertions=mixed(known.assertions, more.assertions),
        library_types=(*known.library_types, BUSINESS, FOOD),
        related=related,
    )


@given(SEEDS, SEEDS)
def test_evidence_comes_to_what_a_plain_reading_of_the_rule_says(one: int, other: int) -> None:
    """Each piece of evidence is judged a second time, by words of its own."""
    rule, known = random_rule(random.Random(one)), random_facts(random.Random(other))
    for requirement in rule.body.requirements:
        held = known.of(requirement.subject)
        if held.unproven is not None or requirement.cancelled is not None:
            continue
        tried = answers(rule, known)[requirement.id]["tried"]
        for alternative, told in zip(requirement.alternatives, tried, strict=False):
            for evidence, trace in zip(alternative.all_of, told["evidence"], strict=True):
                if isinstance(evidence, LicenseEvidence):
                    assert trace["result"] == plainly(evidence, held.licenses, known.case_date)
            results = {trace["result"] for trace in told["evidence"]}
            weakest = next(one for one in ("NOT_MET", "UNKNOWN", "MET") if one in results)
            assert told["result"] == weakest


def plainly(evidence: LicenseEvidence, licenses: Sequence[LicenseFact], case_date: dt.date) -> str:
    """Read a piece of evidence: met by one good licence, denied where every one that counts denies."""
    condition = evidence.licence
    counting = [
        one
        for one in licenses
        if one.type_code in condition.type
        and (condition.issuer_in is None or one.issuer_code in condition.issuer_in)
    ]
    said = {_said(evidence, one, case_date) for one in counting}
    return next((one for one in ("MET", "UNKNOWN", "NOT_MET") if one in said), "UNKNOWN")


def _said(evidence: LicenseEvidence, one: LicenseFact, case_date: dt.date) -> str:
    fresh = evidence.licence.freshness
    days = {None: None, "P30D": 30, "P1Y": 365, "P3Y": 365 * 3 + 1}[fresh.max_age]
    old = one.copied_on is not None and (
        fresh.source == "live" or (days is not None and (DAY - one.copied_on).days > days)
    )
    states = [holds(test, one.face.get(test.field), case_date) for test in evidence.predicates]
    if str(one.status) in _ENDED or (str(one.status) in _BY_DATES and not old):
        return "NOT_MET"
    if False in states and not old:
        return "NOT_MET"
    sure = one.status is Status.VALID and not old and one.trust <= evidence.licence.trust
    return "MET" if sure and all(states) else "UNKNOWN"


def holds(test: Predicate, value: Any, case_date: dt.date) -> bool | None:
    """Read a predicate on a value: true, false, or ``None`` where the value says nothing about it."""
    if value in (None, []):
        return None
    if test.op is Op.PRESENT:
        return True
    if isinstance(value, list):
        cells = [_compared(test, cell, case_date) for row in value for cell in row.values()]
        if test.op in {Op.EQUALS, Op.IN, Op.CONTAINS}:
            cells = [one for one in cells if one is not None] or [None]
        return True if True in cells else None if None in cells else False
    return _compared(test, value, case_date)


def _compared(test: Predicate, value: str | int, case_date: dt.date) -> bool | None:
    wanted: Any = test.value
    kind = int if test.op in {Op.AT_LEAST, Op.AT_MOST} or isinstance(wanted, int) else str
    if not isinstance(value, kind):
        return None
    plain: dict[Op, Callable[[Any], bool]] = {
        Op.EQUALS: lambda it: bool(it == wanted),
        Op.IN: lambda it: it in wanted,
        Op.CONTAINS: lambda it: wanted in it,
        Op.AT_LEAST: lambda it: bool(it >= wanted),
        Op.AT_MOST: lambda it: bool(it <= wanted),
    }
    if test.op in plain:
        return plain[test.op](value)
    if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) is None:
        return None
    first, last = _days(test, case_date)
    return first <= str(value) <= last


def _days(test: Predicate, case_date: dt.date) -> tuple[str, str]:
    day, wanted = case_date.isoformat(), str(test.value)
    if test.op is Op.WITHIN:
        if wanted == "P90D":
            return (case_date - dt.timedelta(90)).isoformat(), day
        back = f"{case_date.year - int(wanted[1:-1])}{day[4:]}"
        return back.replace("-02-29", "-02-28"), day
    limit = day if wanted == "case.date" else wanted
    return (limit, "9999-12-31") if test.op is Op.NOT_BEFORE else ("0001-01-01", limit)


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
    """Whom a relation means is asked before evidence: of two relatives neither's licences count, nor deny."""
    rule, known = random_rule(random.Random(one)), random_facts(random.Random(other))
    spouse = replace(known.of("spouse"), unproven=reason, shown_by=["M1", "M2"])
    unclear = replace(known, related={"spouse": spouse})
    plain, with_rungs = answers(rule, replace(unclear, rungs={})), answers(rule, unclear)
    for requirement in rule.body.requirements:
        if requirement.subject == "spouse" and requirement.cancelled is None:
            answer = plain[requirement.id]
            assert (answer["result"], answer["reason"]["code"]) == ("UNKNOWN", reason)
            assert (answer["source"], answer["tried"]) == (None, [])
            taken = with_rungs[requirement.id]
            if taken["result"] == "MET":
                assert taken["reason"]["code"] in {"R.SUPPLIED", "R.COLLECTED"}, "a rung, never evidence"


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
    for value in ("食品", "药品零售", "热食", "冷食", "糕点", "2030-01-01", "2026-10-11", "2024-02-29"):
        assert value not in written.replace(f'"case_date":"{value}"', "")
    assert all(fact.id not in written for fact in known.licenses)


def test_every_answer_reason_and_predicate_occurs_among_the_random_ones() -> None:
    """What the laws are never asked of, they do not hold for."""
    seen: set[str] = set()
    asked: dict[str, set[str]] = {}
    for seed in range(2000):
        found = answers(random_rule(random.Random(seed)), random_facts(random.Random(-seed)))
        seen |= {one["result"] for one in found.values()} | {one["reason"]["code"] for one in found.values()}
        for test in _tests(found):
            asked.setdefault(test["op"], set()).add(test["result"])
    assert seen >= {str(one) for one in Answer} | _DENIALS | _BY_LIBRARY
    assert seen >= {"R.ISSUER_NOT_ACCEPTED", "R.STALE_COPY", "R.TRUST_TOO_LOW", "R.FIELD_ABSENT"}
    assert asked.pop("present") == {"MET", "UNKNOWN"}, "an absence denies nothing"
    assert asked == {str(one): {"MET", "NOT_MET", "UNKNOWN"} for one in Op if one is not Op.PRESENT}


def _tests(found: dict[str, Any]) -> Iterator[Any]:
    for answer in found.values():
        for alternative in answer["tried"]:
            for evidence in alternative.get("evidence", ()):
                yield from evidence.get("predicates", ())
