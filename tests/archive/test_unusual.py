# SPDX-License-Identifier: Apache-2.0
"""Unusual queries: at night, in a rush, refused again and again; and what is usual stays unnamed."""

import datetime as dt
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from archive.unusual import LIMITS, LookUp, Pattern, Query, Unusual, curious, undecided, unusual
from cases.calendar import WorkingCalendar
from storage.clock import SHANGHAI

CALENDAR = WorkingCalendar.load()
TUESDAY = dt.datetime(2026, 11, 24, 10, 0, tzinfo=SHANGHAI)
SATURDAY = dt.datetime(2026, 11, 28, 10, 0, tzinfo=SHANGHAI)
HOUR = dt.timedelta(hours=1)
SECOND = dt.timedelta(seconds=1)


def asked(
    start: dt.datetime, count: int, apart: dt.timedelta, *, refused: bool = False, operator: str | None = None
) -> list[Query]:
    return [
        Query(start + number * apart, "clerk", operator, "scjg", refused, f"act-{number}")
        for number in range(count)
    ]


def patterns(queries: list[Query]) -> dict[Pattern, Unusual]:
    return {one.pattern: one for one in unusual(sorted(queries, key=lambda one: one.at), CALENDAR)}


def test_a_usual_day_shows_nothing() -> None:
    assert patterns(asked(TUESDAY, 60, dt.timedelta(minutes=8))) == {}


def test_queries_at_night_or_on_a_free_day_are_named_from_the_fifth() -> None:
    night = TUESDAY.replace(hour=20)
    assert patterns(asked(night, 4, HOUR / 4)) == {}
    found = patterns(asked(night, 5, HOUR / 4))[Pattern.OUT_OF_HOURS]
    assert (found.count, found.total, found.first_at) == (5, 5, night)
    assert Pattern.OUT_OF_HOURS in patterns(asked(SATURDAY, 5, HOUR))
    assert patterns(asked(TUESDAY.replace(hour=19, minute=59, second=50), 5, SECOND)) == {}


def test_a_rush_is_named_with_the_densest_ten_minutes() -> None:
    calm, rush = asked(TUESDAY, 10, HOUR / 4), asked(TUESDAY + 3 * HOUR, 30, 19 * SECOND)
    found = patterns(calm + rush)[Pattern.BURST]
    assert (found.count, found.total) == (30, 40)
    assert found.first_at >= rush[0].at
    assert patterns(asked(TUESDAY, 29, SECOND)) == {}
    assert Pattern.BURST not in patterns(asked(TUESDAY, 40, 21 * SECOND))


def test_refusals_are_named_when_they_are_many_and_a_fifth() -> None:
    refused = asked(TUESDAY, 5, HOUR / 10, refused=True)
    assert patterns(refused)[Pattern.REFUSED_OFTEN].count == 5
    assert Pattern.REFUSED_OFTEN in patterns(refused + asked(TUESDAY, 20, HOUR / 4))
    assert Pattern.REFUSED_OFTEN not in patterns(refused + asked(TUESDAY, 21, HOUR / 4))
    assert patterns(asked(TUESDAY, 4, HOUR, refused=True)) == {}


def test_persons_whom_a_system_names_are_told_apart() -> None:
    one, other = (asked(TUESDAY, 20, SECOND, operator=name) for name in ("one", "other"))
    assert patterns(one + other) == {}
    both = asked(TUESDAY, 40, SECOND, operator="one")
    assert patterns(both)[Pattern.BURST].operator == "one"


moments = st.integers(0, 7 * 86_400).map(lambda seconds: TUESDAY + seconds * SECOND)
anybody = st.builds(
    Query,
    at=moments,
    actor=st.sampled_from(["a", "b"]),
    operator=st.none() | st.sampled_from(["x", "y"]),
    organisation=st.just("scjg"),
    refused=st.booleans(),
    act=st.just("act"),
)


@given(st.lists(anybody, max_size=120))
def test_whatever_is_asked_counts_are_true_and_ordered(queries: list[Query]) -> None:
    queries.sort(key=lambda one: one.at)
    found = unusual(queries, CALENDAR)
    for one in found:
        own = [query for query in queries if (query.actor, query.operator) == (one.actor, one.operator)]
        assert one.total == len(own)
        assert 1 <= one.count <= one.total
        assert one.first_at <= one.last_at
        if one.pattern is Pattern.BURST:
            within = [query for query in own if one.first_at <= query.at <= one.last_at]
            assert one.last_at - one.first_at < LIMITS.window
            assert len(within) >= one.count
    assert all(first.count >= second.count for first, second in pairwise(found))


def looked(*numbers: int | None, apart: dt.timedelta = SECOND, series: str = "111") -> list[LookUp]:
    return [
        LookUp(TUESDAY + place * apart, "clerk", None, "scjg", f"case-{place}", series, number)
        for place, number in enumerate(numbers)
    ]


def test_numbers_that_follow_each_other_are_named_whatever_the_order() -> None:
    (found,) = curious(looked(12, 10, 11, 14, 13))
    assert (found.pattern, found.count, found.total, found.act) == (Pattern.SEQUENCE, 5, 5, None)
    assert found.cases == ("case-4", "case-3", "case-2", "case-1", "case-0")
    assert curious(looked(12, 10, 11, 13)) == []
    assert curious(looked(10, 12, 14, 16, 18))[0].count == 5, "every second one is a walk, too"
    assert curious(looked(10, 13, 16, 19, 22)) == []
    assert curious(looked(10, 11, 12, 12, 12, 13)) == [], "one looked up again is one"


def test_a_walk_ends_with_its_hour_and_its_series() -> None:
    assert curious(looked(1, 2, 3, 4, 5, apart=dt.timedelta(minutes=16))) == []
    assert curious(looked(1, 2, 3, 4, 5, apart=dt.timedelta(minutes=14)))[0].count == 5
    mixed = looked(1, 3, 5) + looked(2, 4, 6, series="001")
    assert curious(sorted(mixed, key=lambda one: one.at)) == []
    assert curious(looked(None, None, None, None, None)) == []


def test_look_ups_without_anything_that_followed_are_named_from_the_third() -> None:
    assert undecided(looked(1, 2), {}) == []
    (found,) = undecided(looked(None, 7, 7), {("clerk", None): 40})
    assert (found.pattern, found.count, found.total) == (Pattern.UNDECIDED, 3, 40)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 7200)), max_size=40))
def test_every_walk_is_one(drawn: list[tuple[int, int]]) -> None:
    look_ups = [
        LookUp(TUESDAY + seconds * SECOND, "clerk", None, "scjg", str(number), "111", number)
        for number, seconds in sorted(drawn, key=lambda one: one[1])
    ]
    for one in curious(look_ups):
        numbers = sorted(map(int, one.cases))
        assert one.last_at - one.first_at < LIMITS.sequence_window
        assert len(set(numbers)) == min(one.count, 20)
        if one.count <= 20:
            assert all(after - before <= LIMITS.sequence_step for before, after in pairwise(numbers))
