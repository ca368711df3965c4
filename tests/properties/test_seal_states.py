# SPDX-License-Identifier: Apache-2.0
"""A seal's life as a state machine: what was revoked stays revoked, and history decides every instant."""

import datetime as dt

import hypothesis.strategies as st
import pytest
from hypothesis import given

from seals.errors import SealStateError
from seals.lifecycle import Change, SealState, changed
from seals.trust import RegisteredSeal, StateChange

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def live(changes: list[Change]) -> list[SealState]:
    """Apply what is allowed; give the states passed through, the first included."""
    states = [SealState.REGISTERED]
    for change in changes:
        try:
            states.append(changed(states[-1], change))
        except SealStateError:
            continue
    return states


@given(st.lists(st.sampled_from(Change), max_size=12))
def test_revoked_is_for_ever_and_use_begins_with_enabling(changes: list[Change]) -> None:
    states = live(changes)
    if SealState.REVOKED in states:
        assert states.index(SealState.REVOKED) == len(states) - 1
    if SealState.SUSPENDED in states:
        assert states[states.index(SealState.SUSPENDED) - 1] is SealState.ENABLED
    assert SealState.REGISTERED not in states[1:]


@given(st.sampled_from(SealState), st.sampled_from(Change))
def test_each_change_either_moves_or_refuses(state: SealState, change: Change) -> None:
    try:
        after = changed(state, change)
    except SealStateError:
        return
    assert after is not state


@given(st.lists(st.sampled_from(Change), max_size=12), st.integers(-1, 40))
def test_the_state_at_an_instant_is_that_of_the_last_change_before_it(
    changes: list[Change], hours: int
) -> None:
    states = live(changes)
    history = [
        StateChange(START + dt.timedelta(hours=3 * number), str(state))
        for number, state in enumerate(states[1:])
    ]
    seal = RegisteredSeal("id", "name", "department", b"", tuple(history))
    passed = sum(change.at <= START + dt.timedelta(hours=hours) for change in history)
    assert seal.state_at(START + dt.timedelta(hours=hours)) == states[passed]
    revoked_at = seal.revoked_at()
    assert (revoked_at is not None) == (states[-1] is SealState.REVOKED)
    if revoked_at is not None:
        assert seal.state_at(revoked_at) == "revoked"


def test_nothing_leads_back_from_revoked() -> None:
    for change in Change:
        with pytest.raises(SealStateError):
            changed(SealState.REVOKED, change)
