# SPDX-License-Identifier: Apache-2.0
import datetime as dt
import json
from dataclasses import replace
from importlib import resources
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.errors import CatalogueError
from licenses.evaluation import evaluate
from licenses.facts import Facts, LicenseFact
from licenses.lifecycle import Status
from licenses.predicates import Answer, Op, Predicate, Truth, all_of, any_of
from licenses.reason_table import ReasonTable
from licenses.rule_text import read_text
from licenses.rules import RuleBook, lint, read_rule
from storage.ledger.canonical import canonical

AT = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 20)
BUSINESS = "11100000MB0143028R001"
TABLE = ReasonTable.load()
RAW: Any = read_text(resources.files("licenses").joinpath("data/rules/food_operation.yaml").read_bytes())


def book_rule() -> Any:
    rule = RuleBook.load().find("339999010002", "2026-03", DAY)
    assert rule is not None
    return rule


def fact(
    status: Status = Status.VALID, scope: str | None = "食品销售；日用品销售", **changes: Any
) -> LicenseFact:
    values = {
        "id": "0" * 26,
        "type_code": BUSINESS,
        "issuer_code": "11339999MBDEM0015L",
        "issuer_zh": "演示市市场监督管理局",
        "status": status,
        "valid_from": dt.date(2020, 1, 1),
        "valid_until": dt.date(2036, 5, 1),
        "face": {} if scope is None else {"scope": scope},
    }
    return LicenseFact(**(values | changes))


def facts(*licenses: LicenseFact) -> Facts:
    return Facts(DAY, [kind.code for kind in TypeCatalogue.load().all()], licenses)


def first(*licenses: LicenseFact) -> tuple[str, str]:
    answer = evaluate(book_rule(), facts(*licenses), AT, TABLE).body["requirements"][0]  # type: ignore[index,call-overload]
    return answer["result"], answer["reason"]["code"]


def test_part_met_part_unknown_asks_only_for_what_is_missing() -> None:
    outcome = evaluate(book_rule(), facts(fact()), AT, TABLE)
    by_name = {answer["zh"]: answer for answer in outcome.body["requirements"]}  # type: ignore[union-attr]
    assert {name: answer["result"] for name, answer in by_name.items()} == {
        "营业执照": "MET",
        "场地使用证明": "UNKNOWN",
        "健康证明": "UNKNOWN",
    }
    assert by_name["健康证明"]["reason"]["code"] == "R.TYPE_NOT_IN_LIBRARY"
    assert [step["zh"] for step in by_name["健康证明"]["next"]] == ["部门协查", "容缺后补", "当场收取"]
    assert by_name["营业执照"]["next"] == []
    assert by_name["营业执照"]["source"]["issuer"] == "演示市市场监督管理局"
    assert outcome.result is Answer.UNKNOWN
    assert outcome.relied_on == {"R1": "0" * 26}


@pytest.mark.parametrize(
    ("status", "result", "reason"),
    [
        (Status.EXPIRED, "NOT_MET", "R.EXPIRED"),
        (Status.SUSPENDED, "NOT_MET", "R.STATUS_SUSPENDED"),
        (Status.REVOKED, "NOT_MET", "R.STATUS_REVOKED"),
        (Status.CANCELLED, "NOT_MET", "R.STATUS_CANCELLED"),
        (Status.NOT_ACTIVATED, "NOT_MET", "R.NOT_ACTIVATED"),
        (Status.IN_PREPARATION, "UNKNOWN", "R.IN_PREPARATION"),
        (Status.SEAL_UNDETERMINED, "UNKNOWN", "R.SEAL_UNDETERMINED"),
        (Status.SEAL_INVALID, "UNKNOWN", "R.SEAL_INVALID"),
    ],
)
def test_a_source_that_denies_says_so_and_one_that_cannot_tell_does_not(
    status: Status, result: str, reason: str
) -> None:
    assert first(fact(status)) == (result, reason)


def test_no_licence_found_is_unknown_never_a_denial() -> None:
    assert first() == ("UNKNOWN", "R.NOT_FOUND")


def test_a_face_that_denies_or_lacks_the_predicate() -> None:
    assert first(fact(scope="日用品销售")) == ("NOT_MET", "R.PREDICATE_NOT_SATISFIED")
    assert first(fact(scope=None)) == ("UNKNOWN", "R.FIELD_ABSENT")


def test_one_good_licence_among_bad_ones_is_enough() -> None:
    assert first(fact(Status.EXPIRED), fact(id="1" * 26), fact(Status.REVOKED)) == ("MET", "R.ESTABLISHED")


@pytest.mark.parametrize(
    ("trust", "answer"),
    [
        ("A", ("MET", "R.ESTABLISHED")),
        ("B", ("MET", "R.ESTABLISHED")),
        ("C", ("UNKNOWN", "R.TRUST_TOO_LOW")),
        ("D", ("UNKNOWN", "R.TRUST_TOO_LOW")),
    ],
)
def test_what_its_issuer_has_not_confirmed_establishes_nothing(trust: str, answer: tuple[str, str]) -> None:
    assert first(fact(trust=trust)) == answer


def test_a_face_that_lacks_a_field_denies_nothing_and_leaves_the_ladder_open() -> None:
    raw = json.loads(json.dumps(RAW))
    raw["requirements"][0]["alternatives"][0]["all_of"][0]["predicates"] = [
        {"field": "scope", "op": "present"}
    ]
    rule = read_rule(json.dumps(raw).encode(), "x")
    body: Any = evaluate(rule, facts(fact(scope=None)), AT, TABLE).body
    answer = body["requirements"][0]
    assert (answer["result"], answer["reason"]["code"]) == ("UNKNOWN", "R.FIELD_ABSENT")
    assert "citizen_upload" in {one["kind"] for one in answer["next"]}


ACCEPTED, OTHER = "11330105002500287C", "11339999MBDEM0015L"


def of_accepted_issuer(*licenses: LicenseFact) -> Any:
    raw = json.loads(json.dumps(RAW))
    raw["requirements"][0]["alternatives"][0]["all_of"][0]["licence"]["issuer_in"] = [ACCEPTED]
    body: Any = evaluate(read_rule(json.dumps(raw).encode(), "x"), facts(*licenses), AT, TABLE).body
    return body["requirements"][0]


@pytest.mark.parametrize("status", [Status.VALID, Status.EXPIRED, Status.REVOKED])
def test_a_licence_of_another_issuer_proves_and_denies_nothing(status: Status) -> None:
    answer = of_accepted_issuer(fact(status, scope="日用品", issuer_code=OTHER))
    assert (answer["result"], answer["reason"]["code"]) == ("UNKNOWN", "R.ISSUER_NOT_ACCEPTED")
    assert answer["tried"][0]["evidence"][0]["predicates"] == [], "its face is not asked"
    assert answer["tried"][0]["evidence"][0]["status"] == str(status), "what was seen is told"
    assert "citizen_upload" in {one["kind"] for one in answer["next"]}


def test_a_licence_of_another_issuer_hides_no_denial_of_an_accepted_one() -> None:
    foreign, own = fact(issuer_code=OTHER), fact(Status.REVOKED, id="1" * 26, issuer_code=ACCEPTED)
    for found in ([foreign, own], [own, foreign]):
        answer = of_accepted_issuer(*found)
        assert (answer["result"], answer["reason"]["code"]) == ("NOT_MET", "R.STATUS_REVOKED")
    assert of_accepted_issuer(foreign, fact(id="1" * 26, issuer_code=ACCEPTED))["result"] == "MET"


def test_only_what_is_asked_is_evaluated() -> None:
    outcome = evaluate(book_rule(), facts(fact()), AT, TABLE, asked=["R1"])
    assert outcome.result is Answer.MET
    assert len(outcome.body["requirements"]) == 1  # type: ignore[arg-type]


def test_the_answer_holds_no_face_value() -> None:
    text = canonical(evaluate(book_rule(), facts(fact(scope="食品销售；机密")), AT, TABLE).body).decode()
    assert "机密" not in text


statuses = st.sampled_from(list(Status))
scopes = st.sampled_from(["食品", "日用"])
some_facts = st.lists(
    st.builds(
        fact,
        statuses,
        st.sampled_from(["食品", "日用", None]),
        id=st.text("0123456789abcdef", min_size=26, max_size=26),
    ),
    max_size=4,
)


@given(some_facts)
def test_evaluation_replays_byte_for_byte(found: list[LicenseFact]) -> None:
    one, other = (
        canonical(evaluate(read_rule(json.dumps(RAW).encode(), "x"), facts(*found), AT, TABLE).body)
        for _ in range(2)
    )
    assert one == other


@given(some_facts)
def test_denied_only_when_a_licence_denies_and_met_only_when_one_is_valid(found: list[LicenseFact]) -> None:
    result, _ = first(*found)
    if result == "NOT_MET":
        assert found
    if result == "MET":
        assert any(one.status is Status.VALID and "食品" in str(one.face.get("scope")) for one in found)


UNKNOWING = {Status.ABANDONED, Status.IN_PREPARATION, Status.SEAL_UNDETERMINED, Status.SEAL_INVALID}


@given(some_facts, st.data())
def test_a_sure_answer_stands_whatever_the_unknown_turns_out_to_be(
    found: list[LicenseFact], data: st.DataObject
) -> None:
    before, _ = first(*found)
    learnt = [replace(one, status=data.draw(statuses)) if one.status in UNKNOWING else one for one in found]
    learnt = [one if one.face else replace(one, face={"scope": data.draw(scopes)}) for one in learnt]
    assert before == "UNKNOWN" or first(*learnt)[0] == before


@pytest.mark.parametrize("status", sorted(UNKNOWING))
def test_an_unknown_licence_alone_is_neither_met_nor_denied(status: Status) -> None:
    assert first(fact(status))[0] == "UNKNOWN"


truths = st.lists(st.sampled_from(list(Truth)), max_size=5)


@given(truths)
def test_kleene_and_and_or_are_dual(values: list[Truth]) -> None:
    opposite = {Truth.MET: Truth.NOT_MET, Truth.NOT_MET: Truth.MET, Truth.UNKNOWN: Truth.UNKNOWN}
    assert opposite[all_of(values)] is any_of(opposite[value] for value in values)


@given(truths, st.data())
def test_a_sure_conjunction_or_disjunction_stands_whatever_the_unknown_turns_out_to_be(
    values: list[Truth], data: st.DataObject
) -> None:
    learnt = [data.draw(st.sampled_from(list(Truth))) if one is Truth.UNKNOWN else one for one in values]
    for joined in (all_of, any_of):
        assert joined(values) in {Truth.UNKNOWN, joined(learnt)}


@pytest.mark.parametrize(
    ("op", "value", "face", "truth"),
    [
        (Op.EQUALS, "甲", "甲", Truth.MET),
        (Op.EQUALS, 3, 3, Truth.MET),
        (Op.EQUALS, "甲", "乙", Truth.NOT_MET),
        (Op.IN, ("甲", "乙"), "乙", Truth.MET),
        (Op.IN, ("甲",), "丙", Truth.NOT_MET),
        (Op.CONTAINS, "食品", "预包装食品", Truth.MET),
        (Op.NOT_BEFORE, "case.date", "2026-11-20", Truth.MET),
        (Op.NOT_BEFORE, "case.date", "2026-11-19", Truth.NOT_MET),
        (Op.NOT_AFTER, "2026-01-01", "2026-01-01", Truth.MET),
        (Op.NOT_AFTER, "2026-01-01", "no date", Truth.UNKNOWN),
        (Op.AT_LEAST, 2, 2, Truth.MET),
        (Op.AT_MOST, 2, 3, Truth.NOT_MET),
        (Op.AT_LEAST, 2, "two", Truth.UNKNOWN),
        (Op.PRESENT, None, "x", Truth.MET),
        (Op.PRESENT, None, None, Truth.UNKNOWN),
        (Op.PRESENT, None, [], Truth.UNKNOWN),
        (Op.CONTAINS, "食品", [], Truth.UNKNOWN),
        (Op.CONTAINS, "食品", [{}], Truth.UNKNOWN),
        (Op.WITHIN, "P3Y", "2023-11-20", Truth.MET),
        (Op.WITHIN, "P3Y", "2023-11-19", Truth.NOT_MET),
        (Op.WITHIN, "P30D", "2026-12-01", Truth.NOT_MET),
        (Op.EQUALS, "甲", None, Truth.UNKNOWN),
        (Op.EQUALS, "3", 3, Truth.UNKNOWN),
        (Op.EQUALS, 3, "3", Truth.UNKNOWN),
        (Op.IN, ("3", "5"), 3, Truth.UNKNOWN),
        (Op.CONTAINS, "3", 30, Truth.UNKNOWN),
        (Op.CONTAINS, "冷食", [{"name": "糕点", "area": 12}], Truth.NOT_MET),
        (Op.CONTAINS, "冷食", [{"area": 12}], Truth.UNKNOWN),
        (Op.EQUALS, 12, [{"name": "糕点"}, {"area": 12}], Truth.MET),
    ],
)
def test_predicates(op: Op, value: Any, face: Any, truth: Truth) -> None:
    assert Predicate(field="x", op=op, value=value).test(face, DAY) is truth


def altered(**changes: Any) -> bytes:
    raw = json.loads(json.dumps(RAW))
    raw.update(changes)
    return json.dumps(raw).encode()


def requirement(**changes: Any) -> bytes:
    raw = json.loads(json.dumps(RAW))
    raw["requirements"][0].update(changes)
    return json.dumps(raw).encode()


@pytest.mark.parametrize(
    "data",
    [
        altered(approved_by=["one", "one"]),
        altered(effective=["2026-02-01", "2026-01-01"]),
        altered(requirements=[RAW["requirements"][0]] * 2),
        altered(legal_basis=[]),
        requirement(subject="Spouse"),
        requirement(decision={"ask": "everything"}),
        requirement(alternatives=[{"all_of": [{"witness": {"name": "x"}}]}]),
        requirement(alternatives=[{"all_of": [{"archive_case": {"item": "x"}}]}]),
        requirement(fallback=[]),
        b"{}",
        b"not json",
    ],
)
def test_a_rule_that_breaks_the_format_or_asks_for_more_than_there_is_cannot_load(data: bytes) -> None:
    with pytest.raises(CatalogueError):
        read_rule(data, "broken.json")


@pytest.mark.parametrize(
    ("op", "value"),
    [
        ("in", []),
        ("contains", ""),
        ("not_before", "soon"),
        ("at_least", "3"),
        ("present", 1),
        ("within", "P1M"),
        ("regex", "x"),
    ],
)
def test_a_predicate_outside_the_closed_set_cannot_load(op: str, value: Any) -> None:
    raw = json.loads(json.dumps(RAW))
    raw["requirements"][0]["alternatives"][0]["all_of"][0]["predicates"] = [
        {"field": "scope", "op": op, "value": value}
    ]
    with pytest.raises(CatalogueError):
        read_rule(json.dumps(raw).encode(), "broken.json")


@pytest.mark.parametrize(
    "data",
    [
        requirement(material="no-such-material"),
        requirement(
            alternatives=[
                {
                    "all_of": [
                        {
                            "licence": {"type": [BUSINESS]},
                            "holder": {},
                            "predicates": [{"field": "shoe_size", "op": "present"}],
                        }
                    ]
                }
            ]
        ),
    ],
)
def test_lint_refuses_what_does_not_exist(data: bytes) -> None:
    with pytest.raises(CatalogueError):
        lint(read_rule(data, "x"), ItemCatalogue.load(), TypeCatalogue.load())


def test_two_rules_for_one_edition_on_one_day_are_refused() -> None:
    old = altered(effective=["2026-01-01", "2026-06-30"], rule_id="old")
    new = altered(effective=["2026-07-01", None], rule_id="new")
    book = RuleBook([read_rule(old, "old"), read_rule(new, "new")])
    found = [book.find("339999010002", "2026-03", day) for day in (dt.date(2026, 6, 30), dt.date(2026, 7, 1))]
    assert [rule.body.rule_id for rule in found if rule] == ["old", "new"]
    with pytest.raises(CatalogueError):
        RuleBook([read_rule(old, "old"), read_rule(altered(), "both")])


def test_every_reason_an_evaluation_gives_has_a_sentence() -> None:
    for status in Status:
        assert first(fact(status))[1] in TABLE.reasons
