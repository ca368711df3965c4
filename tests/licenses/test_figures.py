# SPDX-License-Identifier: Apache-2.0
"""How departments answered and whether commitments were kept, of rungs as their machine leaves them."""

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ladder_world import ASKED, COLLEAGUE, LadderWorld
from license_library import FOOD
from rule_world import COMMITMENT, COOPERATION, UPLOAD

from cases.calendar import WorkingCalendar
from licenses.figures.period import Period, Scope
from licenses.figures.rungs import Commitments, Cooperation, commitments, cooperation
from licenses.ladder.states import RungEventKind
from storage.clock import legal_date, start_of_day

CALENDAR = WorkingCalendar.load()
DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
TO_ROADS = COOPERATION | {"to": "jtys"}


@pytest.fixture
def world(tmp_path: Path) -> LadderWorld:
    return LadderWorld(tmp_path, fallback=[COMMITMENT, TO_ROADS, UPLOAD])


def period(world: LadderWorld) -> Period:
    today = legal_date(world.clock.now())
    return Period(today - DAY * 60, today)


def cooperating(world: LadderWorld, *seen: str) -> list[Cooperation]:
    scope = Scope(frozenset(seen)) if seen else Scope()
    with world.database.reading() as uow:
        return list(cooperation(uow, period(world), scope, CALENDAR))


def committed(world: LadderWorld) -> list[Commitments]:
    with world.database.reading() as uow:
        return list(commitments(uow, period(world), Scope()))


def test_answers_in_time_late_and_missing_are_told_apart(world: LadderWorld) -> None:
    cases = [world.case, *(world.library.announce(FOOD) for _ in range(3))]
    rungs = [world.take("cooperation", case) for case in cases]
    world.clock.advance(3600)
    world.happens(rungs[0], RungEventKind.ANSWERED, ASKED, holds=True)
    (one,) = cooperating(world)
    assert (one.asked, one.total, one.in_time, one.late, one.waiting) == ("jtys", 4, 1, 0, 3)
    assert one.share_in_time == 1
    world.clock.advance(86400 * 10)
    world.happens(rungs[1], RungEventKind.ANSWERED, ASKED, holds=False)
    world.happens(rungs[2], RungEventKind.DROPPED, COLLEAGUE, words="不再需要")
    (one,) = cooperating(world)
    assert (one.in_time, one.late, one.waiting, one.dropped) == (1, 2, 0, 1)
    assert one.share_in_time == pytest.approx(1 / 3)
    assert one.median_hours is not None
    assert one.median_hours > 1


def test_accepting_before_the_answer_is_counted_beside_it(tmp_path: Path) -> None:
    world = LadderWorld(tmp_path, fallback=[TO_ROADS | {"on_timeout": "accept_and_check"}, UPLOAD])
    world.take("cooperation")
    world.clock.advance(86400 * 10)
    while world.strikes():
        pass
    (one,) = cooperating(world)
    assert (one.before_answer, one.late, one.median_hours) == (1, 1, None)


def test_both_sides_see_a_question_and_nobody_else(world: LadderWorld) -> None:
    world.take("cooperation")
    assert cooperating(world, "scjg") == cooperating(world, "jtys") == cooperating(world)
    assert cooperating(world, "wjw") == []


def test_commitments_count_by_how_their_check_ended(world: LadderWorld) -> None:
    cases = [world.case, *(world.library.announce(FOOD) for _ in range(3))]
    rungs = [world.take("commitment", case) for case in cases]
    assert [(one.told, one.made) for one in committed(world)] == [(4, 0)]
    for rung in rungs[:3]:
        world.happens(rung, RungEventKind.COMMITTED)
        world.happens(rung, RungEventKind.ACCEPTED)
    world.happens(rungs[0], RungEventKind.CONFIRMED, words="属实")
    world.happens(rungs[1], RungEventKind.FOUND_FALSE, words="不符")
    (one,) = committed(world)
    assert (one.told, one.made, one.confirmed, one.untrue, one.overdue) == (4, 3, 1, 1, 0)
    world.clock.advance(86400 * 40)
    (one,) = committed(world)
    assert one.overdue == 1, "its check fell due and nobody checked"


@given(st.integers(0, 24 * 20), st.integers(0, 24 * 3), st.integers(0, 24 * 3))
def test_office_hours_add_up_and_meet_the_deadline_that_they_count_to(
    start: int, first: int, second: int
) -> None:
    begins = start_of_day(dt.date(2026, 9, 21)) + HOUR * start
    middle, ends = begins + HOUR * first, begins + HOUR * (first + second)
    whole = CALENDAR.working_hours(begins, ends)
    assert whole == pytest.approx(
        CALENDAR.working_hours(begins, middle) + CALENDAR.working_hours(middle, ends)
    )
    assert CALENDAR.working_hours(begins, CALENDAR.add_working_hours(begins, first)) == pytest.approx(first)
    assert CALENDAR.working_hours(ends, begins) == 0
