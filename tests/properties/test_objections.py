# SPDX-License-Identifier: Apache-2.0
"""The clock of objections: whenever one is opened, the promised working days pass before it is late."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from cases.calendar import WorkingCalendar
from licenses.models import Objection
from licenses.objections import ObjectionService, ObjectionState, standing
from storage.clock import SHANGHAI, legal_date

DAY = dt.timedelta(days=1)
CALENDAR = WorkingCalendar.load()
FIRST, LAST = dt.datetime(2025, 1, 1), dt.datetime(2027, 12, 1)  # noqa: DTZ001 - drawn, then put into UTC
instants = st.datetimes(FIRST, LAST, timezones=st.just(dt.UTC))
days = st.integers(1, 60)


def _open(due: dt.date) -> Objection:
    return Objection(state=str(ObjectionState.OPEN), due_on=due)


@given(instants, days)
def test_the_last_day_is_a_working_day_with_exactly_so_many_working_days_after_the_opening(
    opened: dt.datetime, count: int
) -> None:
    due = ObjectionService(CALENDAR, count).due_on(opened)
    first = legal_date(opened) + DAY
    between = [first + DAY * offset for offset in range((due - first).days + 1)]
    assert sum(map(CALENDAR.is_working, between)) == count
    assert CALENDAR.is_working(due)
    assert due > legal_date(opened)


@given(instants, days, st.integers(-30, 30))
def test_it_is_overdue_from_the_midnight_after_the_last_day_on(
    opened: dt.datetime, count: int, offset: int
) -> None:
    due = ObjectionService(CALENDAR, count).due_on(opened)
    state = standing(_open(due), due + DAY * offset)
    assert state is (ObjectionState.OVERDUE if offset > 0 else ObjectionState.OPEN)
    midnight = dt.datetime.combine(due + DAY, dt.time(), SHANGHAI)
    assert legal_date(midnight - dt.timedelta(microseconds=1)) == due
    assert legal_date(midnight) > due


@given(instants, instants, days)
def test_who_objects_earlier_is_never_answered_later(
    one: dt.datetime, other: dt.datetime, count: int
) -> None:
    service = ObjectionService(CALENDAR, count)
    assert service.due_on(min(one, other)) <= service.due_on(max(one, other))


@given(instants, days)
def test_a_day_more_is_a_working_day_more(opened: dt.datetime, count: int) -> None:
    due = ObjectionService(CALENDAR, count).due_on(opened)
    assert ObjectionService(CALENDAR, count + 1).due_on(opened) == CALENDAR.add_working_days(due, 1)


@given(st.sampled_from(["upheld", "declined"]), st.dates())
def test_what_is_answered_is_never_overdue(state: str, today: dt.date) -> None:
    assert standing(Objection(state=state, due_on=dt.date(2026, 1, 1)), today) == state
