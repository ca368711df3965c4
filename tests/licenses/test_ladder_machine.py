# SPDX-License-Identifier: Apache-2.0
"""The machine of rungs: pure, closed, and the same at an instant however much happened afterwards."""

import datetime as dt
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.calendar import WorkingCalendar
from licenses.facts import Standing
from licenses.ladder.assertions import GIVING
from licenses.ladder.states import (
    BY_CLOCK,
    FIRST,
    STANDING,
    TRANSITIONS,
    Happened,
    RungEventKind,
    RungState,
    after,
    course,
    possible,
)
from licenses.rule_definition import LADDER
from portal.web.ladder_words import DO, HAPPENED, KINDS, STATES

START = dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC)
CALENDAR = WorkingCalendar.load()


@st.composite
def histories(draw: st.DrawFn) -> tuple[str, list[Happened]]:
    """Give a kind of rung and events that its machine allows, each some time after the one before."""
    kind = draw(st.sampled_from(LADDER))
    event, state = FIRST[kind]
    found, at = [Happened(event, START)], START
    for _ in range(draw(st.integers(0, 8))):
        open_to = sorted(possible(state))
        if not open_to:
            break
        at += dt.timedelta(seconds=draw(st.integers(0, 10**6)))
        chosen = draw(st.sampled_from(open_to))
        found.append(Happened(chosen, at, draw(st.none() | st.just(at + dt.timedelta(days=1)))))
        state = TRANSITIONS[state, chosen]
    return kind, found


@given(histories(), st.integers(0, 10))
def test_where_a_rung_stood_does_not_change_by_what_came_later(
    history: tuple[str, list[Happened]], place: int
) -> None:
    kind, events = history
    known = events[: 1 + place % len(events)]
    at = known[-1].at
    until = [one for one in events if one.at <= at]
    assert course(kind, events, at) == course(kind, until, at)
    assert course(kind, events, START - dt.timedelta(microseconds=1)) is None


@given(st.sampled_from(RungState), st.sampled_from(RungEventKind), st.sampled_from(LADDER))
def test_no_event_happens_but_where_the_machine_allows_it(
    state: RungState, event: RungEventKind, kind: str
) -> None:
    then = after(kind, state, event)
    assert (then is not None) is ((state, event) in TRANSITIONS)
    assert after(kind, None, event) == (FIRST[kind][1] if event is FIRST[kind][0] else None)


def test_events_that_somebody_made_up_are_found() -> None:
    forged = [Happened(RungEventKind.TOLD, START), Happened(RungEventKind.CONFIRMED, START)]
    with pytest.raises(ValueError, match="events of a rung"):
        course("commitment", forged, START)


def test_every_state_can_be_reached_has_a_word_and_a_meaning() -> None:
    reached = {state for _, state in FIRST.values()} | set(TRANSITIONS.values())
    assert reached == set(RungState) == set(STATES)
    assert set(HAPPENED) == set(RungEventKind)
    assert set(KINDS) == set(LADDER) == set(FIRST)
    assert set(RungState) == set(STANDING)
    by_persons = {event for _, event in TRANSITIONS} - BY_CLOCK
    assert set(DO) == by_persons - GIVING, "answers and corrections have buttons of their own"


def test_only_a_check_a_supply_or_a_collection_confirms_and_only_a_check_denies() -> None:
    confirming = {event for (_, event), state in TRANSITIONS.items() if _means(state) is Standing.CONFIRMED}
    assert confirming == {RungEventKind.CONFIRMED, RungEventKind.RECTIFIED, RungEventKind.SUPPLIED}
    denying = {event for (_, event), state in TRANSITIONS.items() if _means(state) is Standing.FALSE}
    assert denying == {RungEventKind.FOUND_FALSE, RungEventKind.REVOKED}


def _means(state: RungState) -> Standing | None:
    return STANDING.get(state)


@given(
    st.integers(0, 300 * 86_400).map(lambda seconds: START - dt.timedelta(seconds=seconds)),
    st.lists(st.integers(0, 40), min_size=1, max_size=5),
)
def test_office_hours_add_up_and_never_end_outside_them(at: dt.datetime, hours: list[int]) -> None:
    totals = list(accumulate(hours))
    ends = [CALENDAR.add_working_hours(at, total) for total in totals]
    assert all(one <= other for one, other in pairwise([at, *ends]))
    for end, (first, second) in zip(ends[1:], pairwise(totals), strict=True):
        assert CALENDAR.add_working_hours(at, second) == end
        if first and second > first:
            assert CALENDAR.add_working_hours(ends[totals.index(first)], second - first) == end


@pytest.mark.parametrize(
    ("at", "hours", "end"),
    [
        ("2026-11-24T01:00:00Z", 2, "2026-11-24T03:00:00Z"),
        ("2026-11-24T03:30:00Z", 1, "2026-11-24T06:30:00Z"),
        ("2026-11-27T09:00:00Z", 1, "2026-11-30T01:00:00Z"),
        ("2026-09-30T09:30:00Z", 1, "2026-10-08T01:30:00Z"),
        ("2026-10-10T01:00:00Z", 1, "2026-10-10T02:00:00Z"),
    ],
)
def test_nights_noons_weekends_and_holidays_do_not_count_and_worked_weekends_do(
    at: str, hours: int, end: str
) -> None:
    read = dt.datetime.fromisoformat
    assert CALENDAR.add_working_hours(read(at), hours) == read(end)
