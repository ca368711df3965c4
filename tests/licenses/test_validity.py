# SPDX-License-Identifier: Apache-2.0
"""The span in which a licence is valid says at every later instant what its computed status says."""

import datetime as dt
from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from licenses.lifecycle import TERMINAL, EventKind, SealState, State, Status, effective_status, state_after
from licenses.validity import Span, last_valid

START = dt.datetime(2026, 1, 1, 4, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


@dataclass(frozen=True)
class Event:
    kind: str
    at: dt.datetime
    process: str | None = None
    successor_id: str | None = None


@dataclass(frozen=True)
class Days:
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None


def issued(at: dt.datetime = START) -> Event:
    return Event(EventKind.ISSUED, at)


def test_days_are_those_of_shanghai_and_the_last_one_counts() -> None:
    days = Days(dt.date(2026, 2, 1), dt.date(2026, 2, 28))
    span = last_valid(days, [issued()])
    assert span == Span(
        dt.datetime(2026, 1, 31, 16, tzinfo=dt.UTC), dt.datetime(2026, 2, 28, 16, tzinfo=dt.UTC)
    )


def test_a_licence_without_days_is_valid_from_its_issue_on() -> None:
    assert last_valid(Days(), [issued()]) == Span(START, None)


def test_what_was_suspended_and_resumed_is_valid_since_then() -> None:
    events = [issued(), Event(EventKind.SUSPENDED, START + HOUR), Event(EventKind.RESUMED, START + 2 * HOUR)]
    assert last_valid(Days(), events[:2]) == Span(START, START + HOUR)
    assert last_valid(Days(), events) == Span(START + 2 * HOUR, None)


def test_a_replacement_that_lies_ahead_ends_it_then_and_not_before() -> None:
    ahead = Event(EventKind.SUPERSEDED, START + 9 * HOUR, successor_id="next")
    assert last_valid(Days(), [issued(), ahead]) == Span(START, START + 9 * HOUR)
    kept = Event(EventKind.RETAINED, START + HOUR, successor_id="next")
    assert last_valid(Days(), [issued(), ahead, kept]) == Span(START, None)


def test_what_was_never_valid_has_no_span() -> None:
    assert last_valid(Days(valid_until=dt.date(2025, 12, 31)), [issued()]) is None
    assert last_valid(Days(), []) is None


_HAPPENING = st.sampled_from(
    [
        EventKind.SUSPENDED,
        EventKind.RESUMED,
        EventKind.CHECKED,
        EventKind.CANCELLED,
        EventKind.WITHDRAWN,
        EventKind.REVOKED,
        EventKind.LAPSED,
    ]
)
_DAY = st.none() | st.dates(dt.date(2025, 12, 20), dt.date(2026, 1, 20))


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """Give a possible history: what happened so far, and perhaps a replacement that lies ahead."""
    events, at = [issued()], START
    for kind in draw(st.lists(_HAPPENING, max_size=6)):
        state = state_after(events)
        fits = kind is EventKind.RESUMED if state is State.SUSPENDED else kind is not EventKind.RESUMED
        if state in TERMINAL or not fits:
            continue
        at += draw(st.integers(0, 72)) * HOUR
        events.append(Event(kind, at))
    if draw(st.booleans()) and state_after(events) not in TERMINAL:
        events.append(Event(EventKind.SUPERSEDED, at + draw(st.integers(1, 300)) * HOUR))
    return events


@given(histories(), _DAY, _DAY, st.integers(0, 800))
def test_from_the_last_happening_on_the_span_says_what_the_status_says(
    events: list[Event], first: dt.date | None, last: dt.date | None, later: int
) -> None:
    days = Days(first, last)
    recorded = max(one.at for one in events if one.kind != EventKind.SUPERSEDED)
    at = recorded + later * HOUR
    span = last_valid(days, events)
    within = span is not None and span.since <= at and (span.until is None or at < span.until)
    status = effective_status(days, events, at, SealState.VERIFIED)
    assert within == (status is Status.VALID)
