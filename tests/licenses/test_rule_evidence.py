# SPDX-License-Identifier: Apache-2.0
"""What establishes a requirement beside a licence: prior cases, departments' answers, rungs of the ladder."""

import datetime as dt
import json
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from rule_world import (
    ASKED,
    AT,
    COMMITMENT,
    COOPERATION,
    DAY,
    FOOD,
    ITEM,
    OLD_ITEM,
    SUPPLY,
    UPLOAD,
    assertion,
    case,
    fact,
    facts,
    licence,
    prior,
    requirement,
    rule,
    rung,
)

from licenses.errors import CatalogueError
from licenses.evaluation import evaluate
from licenses.facts import Facts, Standing, SubjectFacts
from licenses.lifecycle import Status
from licenses.periods import back_from, hours_of, on_from
from licenses.reason_table import ReasonTable
from licenses.rule_definition import RuleBody
from licenses.rules import SCHEMA, Rule, RuleBook, read_rule

TABLE = ReasonTable.load()


def answer(made: Rule, known: Facts, number: int = 0) -> Any:
    body: Any = evaluate(made, known, AT, TABLE).body
    return body["requirements"][number]


def came_to(made: Rule, known: Facts) -> tuple[str, str]:
    found = answer(made, known)
    return found["result"], found["reason"]["code"]


def test_the_published_schema_is_what_rules_are_read_by() -> None:
    schema = json.loads(SCHEMA.read_bytes())
    for one in RuleBook.load().all():
        Draft202012Validator(schema).validate(one.body.model_dump(mode="json"))
    del schema["$schema"]
    assert schema == RuleBody.model_json_schema()


def test_the_same_rule_in_yaml_and_in_json_has_one_digest() -> None:
    stated = rule(requirement([licence()])).body.model_dump(mode="json")
    as_yaml = "\n".join(f"{name}: {json.dumps(value, ensure_ascii=False)}" for name, value in stated.items())
    one, other = read_rule(json.dumps(stated).encode(), "json"), read_rule(as_yaml.encode(), "yaml")
    assert one.digest == other.digest


@pytest.mark.parametrize(
    "text",
    [
        "rule_id: a\nrule_id: b",
        "rule_id: &a x\nversion: *a",
        "version: 1.5",
        "a: !!python/object:os.system x",
        "[" * 5000,
        "",
        "a: [1, 2",
    ],
)
def test_yaml_that_two_readers_could_read_in_two_ways_is_no_rule(text: str) -> None:
    with pytest.raises(CatalogueError):
        read_rule(text.encode(), "spoilt.yaml")


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (case(dt.date(2026, 1, 5)), ("MET", "R.PRIOR_CASE")),
        (case(dt.date(2023, 11, 20)), ("MET", "R.PRIOR_CASE")),
        (case(dt.date(2023, 11, 19)), ("UNKNOWN", "R.PRIOR_CASE_TOO_OLD")),
        (case(result="refused"), ("UNKNOWN", "R.NO_PRIOR_CASE")),
        (case(item_code="339999019999"), ("UNKNOWN", "R.NO_PRIOR_CASE")),
        (None, ("UNKNOWN", "R.NO_PRIOR_CASE")),
    ],
)
def test_a_filed_case_establishes_within_its_term_and_never_denies(found: Any, expected: Any) -> None:
    made = rule(requirement([prior()]))
    assert came_to(made, facts(cases=[found] if found else [])) == expected


def test_a_case_of_an_item_that_became_this_one_counts() -> None:
    made = rule(requirement([prior()]))
    old = case(item_code=OLD_ITEM)
    assert came_to(made, facts(cases=[old]))[0] == "UNKNOWN"
    assert came_to(made, facts(cases=[old], counted_as={ITEM: {ITEM, OLD_ITEM}}))[0] == "MET"


def test_editions_that_were_replaced_split_and_merged_count_over_any_number_of_steps() -> None:
    def of(code: str, **item: Any) -> Rule:
        stated = {"code": code, "edition": "1", **item}
        return rule(requirement(), rule_id=f"rule-{code}", item=stated)

    book = RuleBook(
        [
            of("A", replaced_by="B"),
            of("B", split_into=["C", "D"]),
            of("C"),
            of("E", merged_from=["D", "X"]),
            of("F", replaced_by="F2"),
            of("F2", replaced_by="F"),
        ]
    )
    counted = book.counted_as()
    assert counted["C"] == {"A", "B", "C"}
    assert counted["E"] == {"A", "B", "D", "E", "X"}
    assert counted["A"] == {"A"}
    assert counted["F"] == counted["F2"] == {"F", "F2"}, "a circle ends"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ([assertion()], ("MET", "R.CONFIRMED_BY_DEPARTMENT")),
        ([assertion(holds=False)], ("NOT_MET", "R.DENIED_BY_DEPARTMENT")),
        ([assertion(holds=False), assertion(id="A2")], ("MET", "R.CONFIRMED_BY_DEPARTMENT")),
        ([assertion(valid_until=DAY)], ("MET", "R.CONFIRMED_BY_DEPARTMENT")),
        ([assertion(valid_until=dt.date(2026, 11, 19))], ("UNKNOWN", "R.NO_ALTERNATIVE")),
        ([assertion(predicate="something-else")], ("UNKNOWN", "R.NO_ALTERNATIVE")),
    ],
)
def test_a_department_s_answer_serves_every_case_until_its_term(said: Any, expected: Any) -> None:
    made = rule(requirement(fallback=[COOPERATION, UPLOAD]))
    assert came_to(made, facts(assertions=said)) == expected


def test_a_department_s_answer_counts_only_where_the_rule_would_ask_for_it() -> None:
    assert came_to(rule(requirement()), facts(assertions=[assertion()])) == ("UNKNOWN", "R.NO_ALTERNATIVE")


@pytest.mark.parametrize(
    ("taken", "expected"),
    [
        (rung("commitment"), ("PROVISIONAL", "R.COMMITTED")),
        (rung("supply_later"), ("PROVISIONAL", "R.TO_BE_SUPPLIED")),
        (rung("cooperation", Standing.PENDING), ("PENDING", "R.ASKED_DEPARTMENT")),
        (rung("cooperation"), ("PROVISIONAL", "R.ACCEPTED_BEFORE_CHECK")),
        (rung("commitment", Standing.FALSE), ("NOT_MET", "R.COMMITMENT_FALSE")),
    ],
)
def test_a_rung_that_was_taken_counts_where_evidence_leaves_it_open(taken: Any, expected: Any) -> None:
    made = rule(requirement([licence()], fallback=[COMMITMENT, COOPERATION, SUPPLY, UPLOAD]))
    assert came_to(made, facts(rungs={"R1": [taken]})) == expected
    found = answer(made, facts(rungs={"R1": [taken]}))
    assert (found["standing"]["kind"], found["standing"]["id"]) == (taken.kind, taken.id)
    assert came_to(made, facts(fact(), rungs={"R1": [taken]})) == ("MET", "R.ESTABLISHED")
    denied = came_to(made, facts(fact(Status.REVOKED), rungs={"R1": [taken]}))
    assert denied == ("NOT_MET", "R.STATUS_REVOKED"), "no promise outweighs a denial"


def test_the_item_is_as_strong_as_its_weakest_requirement() -> None:
    made = rule(
        requirement([licence()], name="R1"),
        requirement(name="R2", fallback=[COMMITMENT]),
        requirement(name="R3", fallback=[COOPERATION]),
        requirement(name="R4"),
    )
    known = facts(
        fact(), rungs={"R2": [rung()], "R3": [rung("cooperation", Standing.PENDING)]}, assertions=[]
    )
    assert str(evaluate(made, known, AT, TABLE).result) == "UNKNOWN"
    for asked, weakest in ((["R1", "R2", "R3"], "PENDING"), (["R1", "R2"], "PROVISIONAL"), (["R1"], "MET")):
        assert str(evaluate(made, known, AT, TABLE, asked).result) == weakest


def test_what_may_be_done_next_stands_cheapest_first_with_its_deadline() -> None:
    made = rule(requirement([licence()], fallback=[COMMITMENT, COOPERATION, SUPPLY, UPLOAD]))
    steps = answer(made, facts())["next"]
    assert [one["kind"] for one in steps] == ["commitment", "cooperation", "supply_later", "citizen_upload"]
    assert steps[0]["check_by"] == "2026-12-20"
    assert (steps[1]["to"], steps[1]["working_hours"]) == ("zjj", "PT8H")
    assert steps[2]["supply_by"] == "2026-11-25"
    assert answer(made, facts(fact()))["next"] == []
    waiting = answer(made, facts(rungs={"R1": [rung("cooperation", Standing.PENDING)]}))["next"]
    assert [one["kind"] for one in waiting] == ["commitment", "supply_later", "citizen_upload"]


@pytest.mark.parametrize("condition", ["credit_ok", "not_high_risk"])
def test_who_may_not_commit_is_not_offered_it(condition: str) -> None:
    made = rule(requirement(fallback=[COMMITMENT, UPLOAD]))
    steps = answer(made, facts(barred=[condition]))["next"]
    assert [one["kind"] for one in steps] == ["citizen_upload"]


def test_an_abolished_proof_is_asked_of_nobody() -> None:
    made = rule(requirement(cancelled="无法律法规依据", fallback=[]))
    assert came_to(made, facts()) == ("MET", "R.CANCELLED")
    assert answer(made, facts())["next"] == []
    with pytest.raises(CatalogueError):
        rule(requirement(cancelled="无依据"))


def test_another_subject_counts_only_over_a_proven_relation() -> None:
    made = rule(requirement([licence()], subject="spouse"))
    assert came_to(made, facts(fact())) == ("UNKNOWN", "R.RELATION_UNPROVEN"), (
        "the applicant's own is no answer"
    )
    for reason in ("R.RELATION_UNPROVEN", "R.HOLDER_AMBIGUOUS"):
        known = facts(related={"spouse": SubjectFacts([fact()], unproven=reason)})
        assert came_to(made, known) == ("UNKNOWN", reason)
    known = facts(related={"spouse": SubjectFacts([fact()], shown_by=["M1"])})
    assert came_to(made, known) == ("MET", "R.ESTABLISHED")
    rests_on = {(one.kind, one.id) for one in evaluate(made, known, AT, TABLE).reliances}
    assert rests_on == {("licence", "L1"), ("licence", "M1")}
    assert answer(made, known)["subject"] == "spouse"


@pytest.mark.parametrize(
    ("freshness", "copied_on", "expected"),
    [
        ({}, dt.date(2020, 1, 1), "MET"),
        ({"source": "live"}, None, "MET"),
        ({"source": "live"}, DAY, "UNKNOWN"),
        ({"max_age": "P30D"}, dt.date(2026, 10, 21), "MET"),
        ({"max_age": "P30D"}, dt.date(2026, 10, 20), "UNKNOWN"),
        ({"max_age": "P30D"}, None, "MET"),
    ],
)
def test_a_copy_that_is_too_old_establishes_nothing(freshness: Any, copied_on: Any, expected: str) -> None:
    made = rule(requirement([licence(freshness=freshness)]))
    result, reason = came_to(made, facts(fact(copied_on=copied_on)))
    assert (result, reason) == (expected, "R.ESTABLISHED" if expected == "MET" else "R.STALE_COPY")


@pytest.mark.parametrize(
    ("copied_on", "accepted_on", "expected"),
    [
        # Taken over just before acceptance, and old by the time of the question.
        (dt.date(2026, 3, 1), dt.date(2026, 3, 2), ("UNKNOWN", "R.STALE_COPY")),
        # Taken over after acceptance and renewed since: what counts is its age now.
        (dt.date(2026, 10, 21), dt.date(2025, 1, 2), ("MET", "R.ESTABLISHED")),
        (dt.date(2026, 10, 20), dt.date(2025, 1, 2), ("UNKNOWN", "R.STALE_COPY")),
        # An acceptance that lies ahead (announced by a clock before ours) makes no copy older.
        (dt.date(2026, 10, 21), dt.date(2026, 11, 21), ("MET", "R.ESTABLISHED")),
    ],
)
def test_the_age_of_a_copy_is_its_age_when_the_question_is_asked(
    copied_on: dt.date, accepted_on: dt.date, expected: tuple[str, str]
) -> None:
    made = rule(requirement([licence(freshness={"max_age": "P30D"})]))
    known = replace(facts(fact(copied_on=copied_on)), case_date=accepted_on)
    assert came_to(made, known) == expected


def test_the_day_of_the_question_is_the_legal_one() -> None:
    made = rule(requirement([licence(freshness={"max_age": "P1D"})]))
    known = facts(fact(copied_on=dt.date(2026, 11, 19)))
    for hour, expected in ((15, "MET"), (16, "UNKNOWN")):
        body: Any = evaluate(made, known, dt.datetime(2026, 11, 20, hour, tzinfo=dt.UTC), TABLE).body
        assert body["requirements"][0]["result"] == expected, "midnight in Asia/Shanghai"


@pytest.mark.parametrize("freshness", [{"source": "live"}, {"max_age": "P30D"}])
def test_a_copy_that_is_too_old_denies_nothing_by_its_face_or_dates(freshness: Any) -> None:
    asks = [{"field": "scope", "op": "contains", "value": "药品"}]
    old = dt.date(2026, 1, 1)
    lacks = rule(requirement([licence(freshness=freshness, predicates=asks)]))
    assert came_to(lacks, facts(fact())) == ("NOT_MET", "R.PREDICATE_NOT_SATISFIED")
    assert came_to(lacks, facts(fact(copied_on=old))) == ("UNKNOWN", "R.STALE_COPY")
    plain = rule(requirement([licence(freshness=freshness)]))
    for status in (Status.EXPIRED, Status.NOT_ACTIVATED):
        assert came_to(plain, facts(fact(status)))[0] == "NOT_MET"
        assert came_to(plain, facts(fact(status, copied_on=old))) == ("UNKNOWN", "R.STALE_COPY")
    # What became of it since is no part of the copy: it was recorded when it happened.
    revoked = facts(fact(Status.REVOKED, copied_on=old))
    assert came_to(plain, revoked) == ("NOT_MET", "R.STATUS_REVOKED")


def test_everything_that_an_answer_rests_on_is_named() -> None:
    made = rule(requirement([licence(), licence(FOOD), prior()]))
    known = facts(fact(), fact(id="L2", type_code=FOOD), cases=[case()])
    rests_on = [(one.kind, one.id) for one in evaluate(made, known, AT, TABLE).reliances]
    assert rests_on == [("licence", "L1"), ("licence", "L2"), ("case", "C1")]
    assert evaluate(made, facts(fact()), AT, TABLE).reliances == []


def test_of_a_value_only_its_kind_is_told() -> None:
    tests = [{"field": name, "op": "present"} for name in ("scope", "count", "opened", "missing")]
    found = answer(rule(requirement([licence(predicates=tests)])), facts(fact()))
    kinds = [one["class"] for one in found["tried"][0]["evidence"][0]["predicates"]]
    assert kinds == ["text", "number", "date", "absent"]


@pytest.mark.parametrize(
    "rungs", [[UPLOAD, COMMITMENT], [SUPPLY, COOPERATION], [COMMITMENT, COMMITMENT], [{"kind": "wait"}], []]
)
def test_rungs_stand_in_the_order_of_the_ladder_each_once(rungs: Any) -> None:
    with pytest.raises(CatalogueError):
        rule(requirement(fallback=rungs))


def test_periods_are_years_days_or_working_hours() -> None:
    assert back_from(dt.date(2024, 2, 29), "P1Y") == dt.date(2023, 2, 28)
    assert on_from(dt.date(2024, 2, 29), "P4Y") == dt.date(2028, 2, 29)
    assert on_from(dt.date(2026, 12, 30), "P5D") == dt.date(2027, 1, 4)
    assert hours_of("PT16H") == 16
    for wrong in ("PT0H", "P1D"):
        with pytest.raises(ValueError, match="hours"):
            hours_of(wrong)
    with pytest.raises(ValueError, match="period"):
        back_from(DAY, "PT8H")


def test_what_was_asked_is_named_by_the_predicate_s_code() -> None:
    made = rule(requirement(fallback=[COOPERATION, UPLOAD]))
    asked = made.body.requirements[0].rung("cooperation")
    assert asked is not None
    assert getattr(asked, "predicate").code == ASKED  # noqa: B009 - the union has other members
