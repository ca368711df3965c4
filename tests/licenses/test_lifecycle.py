# SPDX-License-Identifier: Apache-2.0
import datetime as dt
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from licenses.errors import LicenseStateError
from licenses.lifecycle import (
    TERMINAL,
    EventKind,
    SealState,
    State,
    Status,
    effective_status,
    move,
    state_after,
    status_titles,
)

START = dt.datetime(2026, 5, 1, 2, 0, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Dates:
    valid_from: dt.date | None = dt.date(2026, 5, 1)
    valid_until: dt.date | None = dt.date(2031, 4, 30)


@dataclass(frozen=True)
class Happened:
    kind: str
    at: dt.datetime


ISSUED = (Happened("issued", START),)


def after(*kinds: str) -> tuple[Happened, ...]:
    return ISSUED + tuple(Happened(kind, START + dt.timedelta(days=i + 1)) for i, kind in enumerate(kinds))


LATER = START + dt.timedelta(days=30)


def test_an_issued_sealed_licence_within_its_dates_is_valid() -> None:
    assert effective_status(Dates(), ISSUED, LATER, SealState.VERIFIED) is Status.VALID


@pytest.mark.parametrize("seal", [seal for seal in SealState if seal is not SealState.VERIFIED])
def test_nothing_is_valid_before_its_seal_verified(seal: SealState) -> None:
    assert effective_status(Dates(), ISSUED, LATER, seal) is not Status.VALID


def test_the_last_day_counts_in_shanghai_to_its_last_microsecond() -> None:
    last = dt.datetime(2031, 4, 30, 15, 59, 59, 999999, tzinfo=dt.UTC)
    assert effective_status(Dates(), ISSUED, last, SealState.VERIFIED) is Status.VALID
    over = last + dt.timedelta(microseconds=1)
    assert effective_status(Dates(), ISSUED, over, SealState.VERIFIED) is Status.EXPIRED


def test_the_first_day_begins_in_shanghai() -> None:
    dates = Dates(valid_from=dt.date(2026, 6, 1))
    before = dt.datetime(2026, 5, 31, 15, 59, 59, tzinfo=dt.UTC)
    assert effective_status(dates, ISSUED, before, SealState.VERIFIED) is Status.NOT_ACTIVATED
    begins = before + dt.timedelta(seconds=1)
    assert effective_status(dates, ISSUED, begins, SealState.VERIFIED) is Status.VALID


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ((), Status.IN_PREPARATION),
        (after("suspended"), Status.SUSPENDED),
        (after("suspended", "resumed"), Status.VALID),
        (after("suspended", "revoked"), Status.REVOKED),
        (after("cancelled"), Status.CANCELLED),
    ],
)
def test_events_decide(events: tuple[Happened, ...], status: Status) -> None:
    assert effective_status(Dates(), events, LATER, SealState.VERIFIED) is status


def test_a_revoked_licence_stays_revoked_after_its_last_day() -> None:
    over = dt.datetime(2040, 1, 1, tzinfo=dt.UTC)
    assert effective_status(Dates(), after("revoked"), over, SealState.VERIFIED) is Status.REVOKED


def test_asking_about_an_earlier_instant_ignores_what_came_later() -> None:
    events = after("revoked")
    assert effective_status(Dates(), events, START, SealState.VERIFIED) is Status.VALID


@pytest.mark.parametrize("state", sorted(TERMINAL))
@pytest.mark.parametrize("event", list(EventKind))
def test_terminal_states_admit_nothing(state: State, event: EventKind) -> None:
    with pytest.raises(LicenseStateError):
        move(state, event)


def test_every_status_has_its_words_and_codes() -> None:
    assert set(status_titles()) == set(Status)


@given(st.lists(st.sampled_from(list(EventKind)), max_size=8), st.sampled_from(list(SealState)))
def test_valid_needs_a_possible_history_that_ends_issued(kinds: list[EventKind], seal: SealState) -> None:
    events = [Happened(kind, START + dt.timedelta(hours=i)) for i, kind in enumerate(kinds)]
    try:
        state = state_after(events)
    except LicenseStateError:
        return
    status = effective_status(Dates(), events, LATER, seal)
    assert (status is Status.VALID) == (state is State.ISSUED and seal is SealState.VERIFIED)


class Life(RuleBasedStateMachine):
    """Any sequence of wishes: the machine takes what it may and its history always replays."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Happened] = []
        self.state = State.RESERVED

    @rule(kind=st.sampled_from(list(EventKind)))
    def wish(self, kind: EventKind) -> None:
        try:
            self.state = move(self.state, kind)
        except LicenseStateError:
            return
        self.events.append(Happened(kind, START + dt.timedelta(minutes=len(self.events))))

    @precondition(lambda self: self.state in TERMINAL)
    @rule(kind=st.sampled_from(list(EventKind)))
    def nothing_leaves_an_end(self, kind: EventKind) -> None:
        with pytest.raises(LicenseStateError):
            move(self.state, kind)

    @invariant()
    def history_replays(self) -> None:
        assert state_after(self.events) is self.state

    @invariant()
    def issued_once_and_first(self) -> None:
        kinds = [event.kind for event in self.events]
        assert kinds.count("issued") == min(1, len(kinds))
        assert not kinds or kinds[0] == "issued"


TestLife = Life.TestCase
