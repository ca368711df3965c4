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
    Life,
    Process,
    SealState,
    State,
    Status,
    advance,
    effective_status,
    life_after,
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
    process: str | None = None
    successor_id: str | None = None


ISSUED = (Happened("issued", START),)


def after(*kinds: str) -> tuple[Happened, ...]:
    return ISSUED + tuple(Happened(kind, START + dt.timedelta(days=i + 1)) for i, kind in enumerate(kinds))


LATER = START + dt.timedelta(days=30)


def test_an_issued_sealed_licence_within_its_dates_is_valid() -> None:
    assert effective_status(Dates(), ISSUED, LATER, SealState.VERIFIED) is Status.VALID


VOUCHED = {SealState.VERIFIED, SealState.DECLARED}


@pytest.mark.parametrize("seal", sorted(set(SealState) - VOUCHED))
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


EVENTS = st.tuples(st.sampled_from(list(EventKind)), st.sampled_from([None, *Process]))


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("superseded", Status.SUPERSEDED),
        ("withdrawn", Status.WITHDRAWN),
        ("lapsed", Status.LAPSED),
        ("revoked", Status.REVOKED),
    ],
)
@pytest.mark.parametrize("before", [(), ("suspended",)])
def test_every_end_has_a_status_of_its_own(kind: str, status: Status, before: tuple[str, ...]) -> None:
    assert effective_status(Dates(), after(*before, kind), LATER, SealState.VERIFIED) is status


def test_stock_is_valid_on_the_word_of_its_source() -> None:
    adopted = (Happened("adopted", START),)
    assert effective_status(Dates(), adopted, LATER, SealState.DECLARED) is Status.VALID


def test_a_pending_process_takes_nothing_from_validity_and_is_one_at_a_time() -> None:
    opened = (*ISSUED, Happened("process-opened", START + dt.timedelta(days=1), "annual-check"))
    assert effective_status(Dates(), opened, LATER, SealState.VERIFIED) is Status.VALID
    life = life_after(opened)
    assert life.pending is Process.ANNUAL_CHECK
    with pytest.raises(LicenseStateError):
        advance(life, EventKind.PROCESS_OPENED, Process.CHANGE)
    with pytest.raises(LicenseStateError):
        advance(life, EventKind.PROCESS_CLOSED, Process.CHANGE)
    assert advance(life, EventKind.CHECKED).pending is None
    assert advance(life, EventKind.PROCESS_CLOSED, Process.ANNUAL_CHECK).pending is None


def test_a_replacement_that_lies_ahead_leaves_the_licence_valid_until_then() -> None:
    ahead = START + dt.timedelta(days=60)
    events = (*ISSUED, Happened("superseded", ahead))
    assert (
        effective_status(Dates(), events, ahead - dt.timedelta(seconds=1), SealState.VERIFIED) is Status.VALID
    )
    assert effective_status(Dates(), events, ahead, SealState.VERIFIED) is Status.SUPERSEDED


def test_what_is_revoked_before_its_replacement_stays_revoked() -> None:
    ahead = START + dt.timedelta(days=60)
    events = (*ISSUED, Happened("superseded", ahead), Happened("revoked", START + dt.timedelta(days=1)))
    assert effective_status(Dates(), events, ahead, SealState.VERIFIED) is Status.REVOKED


@given(st.lists(EVENTS, max_size=8), st.sampled_from(list(SealState)))
def test_valid_needs_a_possible_history_that_ends_issued(
    wishes: list[tuple[EventKind, Process | None]], seal: SealState
) -> None:
    events = [
        Happened(kind, START + dt.timedelta(hours=i), process) for i, (kind, process) in enumerate(wishes)
    ]
    try:
        state = state_after(events)
    except LicenseStateError:
        return
    status = effective_status(Dates(), events, LATER, seal)
    assert (status is Status.VALID) == (state is State.ISSUED and seal in VOUCHED)


class Wishes(RuleBasedStateMachine):
    """Any sequence of wishes: the machine takes what it may, and its history always replays."""

    def __init__(self) -> None:
        super().__init__()
        self.events: list[Happened] = []
        self.lives: list[Life] = [Life()]

    @rule(wish=EVENTS)
    def wish(self, wish: tuple[EventKind, Process | None]) -> None:
        kind, process = wish
        try:
            life = advance(self.lives[-1], kind, process)
        except LicenseStateError:
            return
        self.lives.append(life)
        self.events.append(Happened(kind, START + dt.timedelta(minutes=len(self.events)), process))

    @precondition(lambda self: self.lives[-1].state in TERMINAL)
    @rule(kind=st.sampled_from(list(EventKind)))
    def nothing_leaves_an_end(self, kind: EventKind) -> None:
        with pytest.raises(LicenseStateError):
            move(self.lives[-1].state, kind)

    @invariant()
    def as_of_any_instant_is_the_replay_up_to_it(self) -> None:
        assert life_after(self.events) == self.lives[-1]
        for place, event in enumerate(self.events):
            assert life_after(self.events, event.at) == self.lives[place + 1]
            assert life_after(self.events, event.at - dt.timedelta(microseconds=1)) == self.lives[place]

    @invariant()
    def nothing_is_pending_on_what_ended(self) -> None:
        assert self.lives[-1].state not in TERMINAL or self.lives[-1].pending is None

    @invariant()
    def made_once_and_first(self) -> None:
        kinds = [event.kind for event in self.events]
        made = [kind for kind in kinds if kind in {"issued", "adopted", "abandoned"}]
        assert made == kinds[:1]


TestWishes = Wishes.TestCase
