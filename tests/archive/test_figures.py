# SPDX-License-Identifier: Apache-2.0
"""Figures of a period against the same figures counted by hand, case by case."""

import datetime as dt
import itertools
from collections import Counter
from pathlib import Path

import pytest
from figures_ground import (
    CASES,
    DAY,
    FIRST,
    ITEM,
    LATER,
    MATERIALS,
    Asked,
    Drawn,
    FiguresGround,
    middle,
    rules,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.figures import collected as module
from archive.figures.collected import Verdict, collected, proofs_behind
from archive.figures.duties import duties, in_force
from licenses.figures.answers import Came, answered
from licenses.figures.period import Period, Scope, median
from storage.errors import InvalidInputError

PERIODS = st.tuples(st.integers(0, 12), st.integers(0, 12)).map(
    lambda two: Period(FIRST + DAY * min(two), FIRST + DAY * max(two))
)
SCOPES = st.sampled_from([Scope(), Scope(frozenset({"scjg"})), Scope(frozenset({"jtys"}))])
ALL = Period(FIRST, FIRST + DAY * 30)
MET = ("MET", "R.ESTABLISHED")
UNKNOWN = ("UNKNOWN", "R.NOT_FOUND")


@pytest.fixture
def ground(tmp_path: Path) -> FiguresGround:
    return FiguresGround(tmp_path)


def within(at: dt.datetime | None, period: Period) -> bool:
    return at is not None and period.begins <= at < period.ends


def of(cases: list[Drawn], scope: Scope) -> list[Drawn]:
    seen = scope.organisations
    return [one for one in cases if seen is None or one.organisation in seen]


@settings(max_examples=25)
@given(CASES, PERIODS, SCOPES)
def test_what_was_collected_is_what_the_cases_say(
    ground: FiguresGround, cases: list[Drawn], period: Period, scope: Scope
) -> None:
    ground.put(cases)
    with ground.database.reading() as uow:
        found = collected(uow, period, scope, duties(rules().all()))
    closed = [one for one in of(cases, scope) if within(one.closed_at, period)]
    places = {(one.item, one.organisation) for one in closed}
    assert {(one.item, one.organisation) for one in found} == places
    for one in found:
        here = [case for case in closed if (case.item, case.organisation) == (one.item, one.organisation)]
        filed = [case for case in here if case.filed]
        assert (one.closed, one.filed) == (len(here), len(filed))
        brought = [case.brought | {MATERIALS[name] for name in case.collected} for case in filed]
        assert one.documents == middle([len(codes) for codes in brought])
        verdicts = [[case.verdict(name) for name in MATERIALS] for case in filed]
        assert one.judged == (len(filed) if one.item == ITEM else 0)
        assert one.without_proof == (sum(not any(each) for each in verdicts) if one.item == ITEM else 0)
        assert Counter(one.proofs) == Counter(
            Verdict(verdict) for each in verdicts for verdict in each if verdict is not None
        )


@settings(max_examples=25)
@given(CASES, PERIODS, SCOPES)
def test_a_requirement_counts_once_with_its_newest_answer(
    ground: FiguresGround, cases: list[Drawn], period: Period, scope: Scope
) -> None:
    ground.put(cases)
    with ground.database.reading() as uow:
        found = answered(uow, period, scope)
    expected: dict[tuple[str, str], Counter[Came]] = {}
    questions: Counter[tuple[str, str]] = Counter()
    for case in of(cases, scope):
        newest: dict[str, Asked] = {}
        for asked in sorted(case.asked, key=lambda one: one.hours):
            if within(case.accepted_at + dt.timedelta(hours=asked.hours), period):
                newest[asked.requirement] = asked
                questions[case.item, case.organisation] += 1
        for asked in newest.values():
            result, reason = asked.answer
            came = Came(result.lower().replace("_", "-")) if result != "MET" else Came.BY_EVIDENCE
            came = Came.BY_RUNG if reason == "R.COLLECTED" else came
            expected.setdefault((case.item, case.organisation), Counter())[came] += 1
    assert {(one.item, one.organisation): Counter(one.came) for one in found} == expected
    assert {(one.item, one.organisation): one.questions for one in found} == questions


@pytest.mark.parametrize(
    ("case", "verdict"),
    [
        (Drawn(brought=frozenset({"premises"}), asked=(Asked("R1", MET, 1),)), "established"),
        (Drawn(brought=frozenset({"premises"}), asked=(Asked("R1", UNKNOWN, 1),)), "allowed"),
        (Drawn(brought=frozenset({"premises"})), "not-asked-first"),
        (Drawn(brought=frozenset({"premises"}), asked=(Asked("R1", MET, 100),)), "not-asked-first"),
        (Drawn(brought=frozenset({"premises"}), collected=frozenset({"R1"})), "allowed"),
        (Drawn(accepted=(LATER - FIRST).days, brought=frozenset({"health"})), "abolished"),
        (Drawn(accepted=(LATER - FIRST).days - 1, brought=frozenset({"health"})), "not-asked-first"),
        (Drawn(brought=frozenset({"photo"})), "allowed"),
    ],
    ids=[
        "established",
        "not established",
        "never asked",
        "asked after the case was closed",
        "collected on a rung",
        "abolished that day",
        "abolished the day after",
        "no automatic way",
    ],
)
def test_a_collected_proof_is_judged_and_found_behind_its_number(
    ground: FiguresGround, case: Drawn, verdict: str
) -> None:
    ground.put([case, Drawn(organisation="jtys")])
    with ground.database.reading() as uow:
        known = tuple(duties(rules().all()))
        found = {one.organisation: one for one in collected(uow, ALL, Scope(), known)}
        pages = {one: proofs_behind(uow, ALL, Scope(), known, one) for one in Verdict}
    assert dict(found["scjg"].proofs) == {Verdict(verdict): 1}
    assert found["scjg"].over == (verdict != "allowed")
    assert found["jtys"].share_without_proof == 1
    assert {one: len(page.rows) for one, page in pages.items() if page.rows} == {Verdict(verdict): 1}
    assert case.verdict(pages[Verdict(verdict)].rows[0].requirement) == verdict


def test_pages_of_cases_give_each_proof_once(ground: FiguresGround, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.put(Drawn(accepted=one % 4, brought=frozenset({"premises", "health"})) for one in range(7))
    monkeypatch.setattr(module, "ROWS", 3)
    found, after = [], None
    with ground.database.reading() as uow:
        for _ in range(6):
            page = proofs_behind(uow, ALL, Scope(), duties(rules().all()), Verdict.NOT_ASKED_FIRST, after)
            found += [(one.case.id, one.requirement) for one in page.rows]
            after = page.next_cursor
            if after is None:
                break
    assert after is None
    assert len(found) == len(set(found)) == 14


def test_many_duties_are_asked_for_in_parts(ground: FiguresGround, monkeypatch: pytest.MonkeyPatch) -> None:
    ground.put([Drawn(brought=frozenset({"premises"}))])
    monkeypatch.setattr(module, "_AT_ONCE", 1)
    with ground.database.reading() as uow:
        (found,) = collected(uow, ALL, Scope(), duties(rules().all()))
    assert (found.judged, found.collected) == (1, 1)


@given(st.integers(0, 20))
def test_the_version_in_force_is_the_one_that_a_question_finds(day: int) -> None:
    book, asked = rules(), FIRST + DAY * (day - 5)
    (held,) = {one.body.item.code: list(book.all()) for one in book.all()}.values()
    spans = [rule for first, last, rule in in_force(held) if first <= asked <= last]
    assert spans == [book.find(ITEM, "2026-03", asked)]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 4)), max_size=6, unique_by=lambda one: one[0]))
def test_the_median_of_counted_values_is_that_of_the_values(counted: list[tuple[int, int]]) -> None:
    every = list(itertools.chain.from_iterable([value] * often for value, often in counted))
    assert median(counted) == middle(every)


@pytest.mark.parametrize(
    ("first", "last"),
    [("2026-11-02", "2026-11-01"), ("2025-11-01", "2026-11-02"), ("1899-12-31", "1900-01-01")],
)
def test_a_period_is_at_most_a_year_of_our_time(first: str, last: str) -> None:
    with pytest.raises(InvalidInputError):
        Period(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
