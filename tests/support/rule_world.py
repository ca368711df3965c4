# SPDX-License-Identifier: Apache-2.0
"""Rules and facts for tests of the evaluation, built from a seed."""

import datetime as dt
import random
from typing import Any

from licenses.facts import AssertionFact, CaseFact, Facts, LicenseFact, RungFact, Standing, SubjectFacts
from licenses.lifecycle import Status
from licenses.rules import Rule, rule_of

AT = dt.datetime(2026, 11, 20, 3, 0, tzinfo=dt.UTC)
DAY = dt.date(2026, 11, 20)
BUSINESS, FOOD, UNKNOWN_TYPE = "11100000MB0143028R001", "11339999DEM0010178001", "11339999DEM0010178901"
ITEM, OLD_ITEM = "339999010002", "339999010092"
ASKED = "premises-registered"
COOPERATION: dict[str, Any] = {
    "kind": "cooperation",
    "to": "zjj",
    "predicate": {"code": ASKED, "zh": "场所已登记", "en": "The premises are registered"},
    "deadline": "PT8H",
}
COMMITMENT: dict[str, Any] = {"kind": "commitment", "verify_within": "P30D"}
SUPPLY: dict[str, Any] = {"kind": "supply_later", "deadline": "P5D"}
UPLOAD: dict[str, Any] = {"kind": "citizen_upload"}


def licence(*types: str, predicates: Any = (), **condition: Any) -> dict[str, Any]:
    return {"licence": {"type": list(types) or [BUSINESS], **condition}, "predicates": list(predicates)}


def prior(item: str = ITEM, within: str = "P3Y") -> dict[str, Any]:
    return {"archive_case": {"item": item, "within": within}}


def requirement(*alternatives: Any, name: str = "R1", **changes: Any) -> dict[str, Any]:
    ways = [{"all_of": list(one)} for one in alternatives]
    stated: dict[str, Any] = {
        "id": name,
        "zh": "某项证明",
        "en": "Some proof",
        "material": "premises",
        "decision": {"ask": "predicate"},
        "fallback": [UPLOAD],
    }
    return stated | ({"alternatives": ways} if ways else {}) | changes


def rule(*requirements: dict[str, Any], **changes: Any) -> Rule:
    stated: dict[str, Any] = {
        "rule_id": "some-rule",
        "version": 1,
        "item": {"code": ITEM, "edition": "2026-03"},
        "effective": ["2026-01-01", None],
        "legal_basis": ["某规定第一条"],
        "approved_by": ["one", "other"],
        "requirements": list(requirements),
    }
    return rule_of(stated | changes)


def fact(status: Status = Status.VALID, **changes: Any) -> LicenseFact:
    values: dict[str, Any] = {
        "id": "L1",
        "type_code": BUSINESS,
        "issuer_code": "11339999MBDEM0015L",
        "issuer_zh": "演示市市场监督管理局",
        "status": status,
        "valid_from": dt.date(2020, 1, 1),
        "valid_until": dt.date(2036, 5, 1),
        "face": {"scope": "食品销售", "count": 3, "opened": "2020-01-01"},
    }
    return LicenseFact(**(values | changes))


def case(decided_on: dt.date = dt.date(2026, 1, 5), **changes: Any) -> CaseFact:
    values: dict[str, Any] = {
        "id": "C1",
        "item_code": ITEM,
        "item_edition": "2026-03",
        "department_zh": "演示市市场监督管理局",
        "result": "approved",
        "decided_on": decided_on,
    }
    return CaseFact(**(values | changes))


def assertion(
    holds: bool = True, valid_until: dt.date = dt.date(2026, 12, 1), **changes: Any
) -> AssertionFact:
    values: dict[str, Any] = {
        "id": "A1",
        "predicate": ASKED,
        "department": "zjj",
        "department_zh": "演示市住房和城乡建设局",
        "holds": holds,
        "answered_at": dt.datetime(2026, 11, 1, tzinfo=dt.UTC),
        "valid_until": valid_until,
    }
    return AssertionFact(**(values | changes))


def rung(kind: str = "commitment", standing: Standing = Standing.PROVISIONAL) -> RungFact:
    return RungFact(f"{kind}-1", kind, standing, dt.datetime(2026, 12, 20, tzinfo=dt.UTC))


def facts(*licenses: LicenseFact, **more: Any) -> Facts:
    return Facts(DAY, (BUSINESS, FOOD), licenses, **more)


def random_rule(source: random.Random) -> Rule:
    """Give a rule of one to four requirements, of every kind of evidence and rung."""
    made = []
    for number in range(source.randint(1, 4)):
        ways = [
            [_random_evidence(source) for _ in range(source.randint(1, 3))]
            for _ in range(source.randint(0, 3))
        ]
        rungs = [one for one in (COMMITMENT, COOPERATION, SUPPLY) if source.random() < 0.4]
        subject = source.choice(["applicant", "applicant", "spouse"])
        if source.random() < 0.1:
            made.append(requirement(name=f"R{number}", cancelled="无法律依据", fallback=[]))
        else:
            made.append(requirement(*ways, name=f"R{number}", fallback=[*rungs, UPLOAD], subject=subject))
    return rule(*made)


def random_facts(source: random.Random) -> Facts:
    """Give facts of an applicant and perhaps a spouse."""
    applicant = random_subject(source)
    spouse = source.choice(
        [
            {},
            {"spouse": random_subject(source)},
            {"spouse": SubjectFacts(unproven=source.choice(["R.HOLDER_AMBIGUOUS", "R.RELATION_UNPROVEN"]))},
        ]
    )
    rungs = {
        f"R{number}": [rung(kind, standing)]
        for number in range(4)
        for kind, standing in [source.choice(_RUNGS)]
        if source.random() < 0.3
    }
    return Facts(
        source.choice([DAY, DAY, dt.date(2026, 2, 10), dt.date(2024, 2, 29)]),
        source.choice([(), (BUSINESS,), (BUSINESS, FOOD)]),
        applicant.licenses,
        applicant.cases,
        applicant.assertions,
        related=spouse,
        rungs=rungs,
        barred=source.choice([(), ("credit_ok",)]),
        counted_as={ITEM: {ITEM, OLD_ITEM}},
    )


_RUNGS = (
    ("commitment", Standing.PROVISIONAL),
    ("commitment", Standing.FALSE),
    ("cooperation", Standing.PENDING),
    ("cooperation", Standing.PROVISIONAL),
    ("supply_later", Standing.PROVISIONAL),
    ("supply_later", Standing.CONFIRMED),
    ("citizen_upload", Standing.CONFIRMED),
    ("commitment", Standing.SPENT),
)


PREDICATES: tuple[dict[str, Any], ...] = (
    {"field": "scope", "op": "equals", "value": "食品销售"},
    {"field": "count", "op": "equals", "value": 3},
    {"field": "count", "op": "equals", "value": "3"},
    {"field": "scope", "op": "in", "value": ["食品销售", "药品零售"]},
    {"field": "count", "op": "in", "value": ["3", "5"]},
    {"field": "scope", "op": "contains", "value": "食品"},
    {"field": "rows", "op": "contains", "value": "冷食"},
    {"field": "rows", "op": "in", "value": ["糕点", "12"]},
    {"field": "rows", "op": "equals", "value": 12},
    {"field": "count", "op": "contains", "value": "3"},
    {"field": "opened", "op": "not_before", "value": "2020-01-01"},
    {"field": "opened", "op": "not_before", "value": "case.date"},
    {"field": "opened", "op": "not_after", "value": "case.date"},
    {"field": "scope", "op": "not_after", "value": "2030-12-31"},
    {"field": "count", "op": "at_least", "value": 3},
    {"field": "scope", "op": "at_least", "value": 1},
    {"field": "rows", "op": "at_least", "value": 30},
    {"field": "count", "op": "at_most", "value": 4},
    {"field": "count", "op": "present"},
    {"field": "rows", "op": "present"},
    {"field": "missing", "op": "present"},
    {"field": "opened", "op": "within", "value": "P3Y"},
    {"field": "opened", "op": "within", "value": "P90D"},
    {"field": "scope", "op": "within", "value": "P1Y"},
)
"""Each operator, asked of what fits it, of another kind and of nothing."""
ISSUERS = ("11339999MBDEM0015L", "11339999MBDEM0023G", "11330105002500287C")
FACES: tuple[dict[str, Any], ...] = (
    {},
    {"scope": "食品销售", "count": 3, "opened": "2020-01-01"},
    {"scope": "药品零售", "count": 5, "opened": "2030-01-01"},
    {"scope": "散装食品", "count": 1, "opened": "2026-10-11", "rows": [{"name": "冷食类", "area": 40}]},
    {"scope": "热食", "opened": "2024-02-29", "rows": [{"name": "糕点"}, {"name": "饮品", "area": 12}]},
    {"count": 4, "opened": "长期", "rows": []},
)


def _random_evidence(source: random.Random) -> dict[str, Any]:
    if source.random() < 0.2:
        return prior(source.choice([ITEM, OLD_ITEM]), source.choice(["P1Y", "P3Y", "P90D"]))
    chosen = source.sample(PREDICATES, source.choice([0, 1, 1, 2, 3]))
    types = source.choice([[BUSINESS], [FOOD], [UNKNOWN_TYPE], [BUSINESS, FOOD]])
    condition: dict[str, Any] = {"trust": source.choice("ABCD")}
    if source.random() < 0.4:
        condition["issuer_in"] = source.sample(ISSUERS, source.randint(1, 2))
    if source.random() < 0.5:
        condition["freshness"] = source.choice(
            [
                {"source": "live"},
                {"max_age": "P30D"},
                {"max_age": "P1Y"},
                {"source": "copy", "max_age": "P3Y"},
            ]
        )
    return licence(*types, predicates=chosen, **condition)


def random_license(source: random.Random) -> LicenseFact:
    """Give a licence, more often valid than not, issued here or taken over at some time."""
    copies = [None, None, DAY, dt.date(2026, 10, 21), dt.date(2026, 10, 20), dt.date(2024, 1, 1)]
    return fact(
        source.choice([Status.VALID] * len(Status) + list(Status)),
        id=f"L{source.randint(0, 10**9)}",
        type_code=source.choice([BUSINESS, FOOD]),
        issuer_code=source.choice(ISSUERS),
        trust=source.choice("AABCD"),
        copied_on=source.choice(copies),
        face=source.choice(FACES),
    )


def random_subject(source: random.Random) -> SubjectFacts:
    """Give what is known of one person: licences, cases and what departments said, oldest first."""
    licenses = [random_license(source) for _ in range(source.randint(0, 3))]
    cases = [
        case(dt.date(2026 - source.randint(0, 5), 1, 5), item_code=source.choice([ITEM, OLD_ITEM]))
        for _ in range(source.randint(0, 2))
    ]
    answers = [random_assertion(source) for _ in range(source.randint(0, 2))]
    return SubjectFacts(licenses, cases, answers)


def random_assertion(source: random.Random) -> AssertionFact:
    """Give what a department said: that which is asked or another, to this or another question."""
    return assertion(
        source.random() < 0.6,
        source.choice([DAY, dt.date(2026, 12, 1), dt.date(2026, 11, 19)]),
        id=f"A{source.randint(0, 10**9)}",
        department=source.choice(["zjj", "zjj", "zjj", "wjj"]),
        predicate=source.choice([ASKED, ASKED, ASKED, "something-else"]),
    )
