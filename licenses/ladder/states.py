# SPDX-License-Identifier: Apache-2.0
"""One machine for every rung of the ladder: which event leads from which state to which. Pure.

The states of a commitment follow 国办发〔2020〕42号: told, committed, accepted, check due, and how the check
ended. What is overdue is computed from the deadline, never stored.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from licenses.facts import Standing


class RungState(enum.StrEnum):
    """How far a rung is."""

    TOLD = "told"
    COMMITTED = "committed"
    ACCEPTED = "accepted"
    CHECK_DUE = "check-due"
    CONFIRMED = "confirmed"
    FALSE = "false"
    RECTIFIED = "rectified"
    REVOKED = "revoked"
    DROPPED = "dropped"
    ASKED = "asked"
    ESCALATED = "escalated"
    ACCEPTED_BEFORE_ANSWER = "before-answer"
    ANSWERED = "answered"
    UNANSWERABLE = "unanswerable"
    ADMITTED = "admitted"
    MISSED = "missed"
    SUPPLIED = "supplied"
    COLLECTED = "collected"


class RungEventKind(enum.StrEnum):
    """What happens to a rung."""

    TOLD = "told"
    COMMITTED = "committed"
    ACCEPTED = "accepted"
    CHECK_DUE = "check-due"
    CONFIRMED = "confirmed"
    FOUND_FALSE = "found-false"
    RECTIFIED = "rectified"
    REVOKED = "revoked"
    DROPPED = "dropped"
    ASKED = "asked"
    REMINDED = "reminded"
    ESCALATED = "escalated"
    ACCEPTED_BEFORE_ANSWER = "before-answer"
    ANSWERED = "answered"
    CORRECTED = "corrected"
    UNANSWERABLE = "unanswerable"
    ADMITTED = "admitted"
    MISSED = "missed"
    SUPPLIED = "supplied"
    COLLECTED = "collected"


_S, _E = RungState, RungEventKind
WAITING: Final = (_S.ASKED, _S.ESCALATED, _S.ACCEPTED_BEFORE_ANSWER)
"""States in which a department has not answered."""
_TO_CHECK: Final = (_S.ACCEPTED, _S.CHECK_DUE)

FIRST: Final[Mapping[str, tuple[RungEventKind, RungState]]] = {
    "commitment": (_E.TOLD, _S.TOLD),
    "cooperation": (_E.ASKED, _S.ASKED),
    "supply_later": (_E.ADMITTED, _S.ADMITTED),
    "citizen_upload": (_E.COLLECTED, _S.COLLECTED),
}
"""By kind of rung, the event with which it begins and the state it is then in."""

TRANSITIONS: Final[Mapping[tuple[RungState, RungEventKind], RungState]] = {
    (_S.TOLD, _E.COMMITTED): _S.COMMITTED,
    (_S.TOLD, _E.DROPPED): _S.DROPPED,
    (_S.COMMITTED, _E.ACCEPTED): _S.ACCEPTED,
    (_S.COMMITTED, _E.DROPPED): _S.DROPPED,
    (_S.ACCEPTED, _E.CHECK_DUE): _S.CHECK_DUE,
    **{(state, _E.CONFIRMED): _S.CONFIRMED for state in _TO_CHECK},
    **{(state, _E.FOUND_FALSE): _S.FALSE for state in _TO_CHECK},
    (_S.FALSE, _E.RECTIFIED): _S.RECTIFIED,
    (_S.FALSE, _E.REVOKED): _S.REVOKED,
    (_S.ASKED, _E.REMINDED): _S.ASKED,
    (_S.ASKED, _E.ESCALATED): _S.ESCALATED,
    (_S.ASKED, _E.ACCEPTED_BEFORE_ANSWER): _S.ACCEPTED_BEFORE_ANSWER,
    **{(state, _E.ANSWERED): _S.ANSWERED for state in WAITING},
    (_S.ANSWERED, _E.CORRECTED): _S.ANSWERED,
    **{(state, _E.UNANSWERABLE): _S.UNANSWERABLE for state in WAITING},
    **{(state, _E.DROPPED): _S.DROPPED for state in WAITING},
    (_S.ADMITTED, _E.SUPPLIED): _S.SUPPLIED,
    (_S.ADMITTED, _E.MISSED): _S.MISSED,
    (_S.MISSED, _E.SUPPLIED): _S.SUPPLIED,
}

STANDING: Final[Mapping[RungState, Standing]] = {
    _S.TOLD: Standing.BEGUN,
    _S.COMMITTED: Standing.BEGUN,
    _S.ACCEPTED: Standing.PROVISIONAL,
    _S.CHECK_DUE: Standing.PROVISIONAL,
    _S.CONFIRMED: Standing.CONFIRMED,
    _S.FALSE: Standing.FALSE,
    _S.RECTIFIED: Standing.CONFIRMED,
    _S.REVOKED: Standing.FALSE,
    _S.DROPPED: Standing.SPENT,
    _S.ASKED: Standing.PENDING,
    _S.ESCALATED: Standing.PENDING,
    _S.ACCEPTED_BEFORE_ANSWER: Standing.PROVISIONAL,
    # A department's answer is an assertion; the rung itself then says nothing more.
    _S.ANSWERED: Standing.SPENT,
    _S.UNANSWERABLE: Standing.SPENT,
    _S.ADMITTED: Standing.PROVISIONAL,
    _S.MISSED: Standing.SPENT,
    _S.SUPPLIED: Standing.CONFIRMED,
    _S.COLLECTED: Standing.CONFIRMED,
}
"""What a state means for the requirement."""

BAD_CREDIT: Final = frozenset({_S.FALSE, _S.REVOKED})
"""States of a commitment that bar its holder from making others."""
RUNNING: Final = frozenset(state for state, _ in TRANSITIONS) - {_S.MISSED, _S.ANSWERED}
"""States in which a deadline may run."""
WHILE_OPEN: Final = frozenset({_E.COMMITTED, _E.ACCEPTED, _E.ANSWERED, _E.UNANSWERABLE})
"""Events that only an open case needs."""
BY_CLOCK: Final = frozenset({_E.CHECK_DUE, _E.REMINDED, _E.ESCALATED, _E.ACCEPTED_BEFORE_ANSWER, _E.MISSED})
"""Events that only the clock brings about."""
ANSWERING: Final = frozenset({_E.ANSWERED, _E.UNANSWERABLE})
"""Events by which the asked department answers; while one may happen it sees whom it is about."""
BY_ASKED: Final = ANSWERING | {_E.CORRECTED}
"""Events that only the asked department brings about."""


@dataclass(frozen=True, slots=True)
class Happened:
    """An event as far as the machine looks at it.

    Attributes:
        due: The deadline from here on; the one before stays when ``None``.
    """

    kind: RungEventKind
    at: dt.datetime
    due: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """What a rung came to at an instant.

    Attributes:
        state: Its state.
        due: Its deadline, if one was set.
    """

    state: RungState
    due: dt.datetime | None


def course(kind: str, events: Iterable[Happened], at: dt.datetime) -> Course | None:
    """Give where a rung stood at an instant; ``None`` before it was taken.

    Raises:
        ValueError: The events are none that the machine allows: somebody altered them.
    """
    state: RungState | None = None
    due: dt.datetime | None = None
    for event in events:
        if event.at > at:
            break
        state = after(kind, state, event.kind)
        if state is None:
            raise ValueError("events of a rung")
        due = event.due or due
    if state is None:
        return None
    return Course(state, due if state in RUNNING else None)


def after(kind: str, state: RungState | None, event: RungEventKind) -> RungState | None:
    """Give the state after an event; ``None`` when it cannot happen there."""
    if state is None:
        first, then = FIRST[kind]
        return then if event is first else None
    return TRANSITIONS.get((state, event))


def possible(state: RungState) -> frozenset[RungEventKind]:
    """Give the events that can happen in a state."""
    return frozenset(event for start, event in TRANSITIONS if start is state)
