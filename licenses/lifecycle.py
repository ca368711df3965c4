# SPDX-License-Identifier: Apache-2.0
"""The licence's event machine, and its effective status, computed and never stored.

One machine carries the whole life: no independent flags that could contradict each other. The
effective status is a function of the events, the validity dates, the instant asked about and the
state of the seal; ``valid`` is impossible before a seal verified. Dates are Asia/Shanghai, the last
day is inclusive. Asking about an earlier instant ignores later events.
"""

import datetime as dt
import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Protocol

from licenses.errors import LicenseStateError
from storage.clock import legal_date


class EventKind(enum.StrEnum):
    """What can happen to a licence."""

    ISSUED = "issued"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    CANCELLED = "cancelled"
    REVOKED = "revoked"


class State(enum.StrEnum):
    """Where the event machine stands; not what a verifier is told."""

    RESERVED = "reserved"
    ISSUED = "issued"
    SUSPENDED = "suspended"
    CANCELLED = "cancelled"
    REVOKED = "revoked"


class SealState(enum.StrEnum):
    """What is known about the seal on the licence's file at the instant asked about."""

    NONE = "none"
    VERIFIED = "verified"
    UNDETERMINED = "undetermined"
    INVALID = "invalid"


class Status(enum.StrEnum):
    """The effective status; titles and outward codes are data (``data/statuses.json``)."""

    IN_PREPARATION = "in-preparation"
    VALID = "valid"
    NOT_ACTIVATED = "not-activated"
    SUSPENDED = "suspended"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    REVOKED = "revoked"
    SEAL_UNDETERMINED = "seal-undetermined"
    SEAL_INVALID = "seal-invalid"


class Dated(Protocol):
    """The validity interval of a licence; both days inclusive, an open end is ``None``."""

    @property
    def valid_from(self) -> dt.date | None:
        """First day."""
        ...

    @property
    def valid_until(self) -> dt.date | None:
        """Last day, inclusive."""
        ...


class Happening(Protocol):
    """An event as the machine sees it."""

    @property
    def kind(self) -> str:
        """One of :class:`EventKind`."""
        ...

    @property
    def at(self) -> dt.datetime:
        """When it took effect."""
        ...


_MOVES: Mapping[tuple[State, EventKind], State] = {
    (State.RESERVED, EventKind.ISSUED): State.ISSUED,
    (State.ISSUED, EventKind.SUSPENDED): State.SUSPENDED,
    (State.SUSPENDED, EventKind.RESUMED): State.ISSUED,
    (State.ISSUED, EventKind.CANCELLED): State.CANCELLED,
    (State.SUSPENDED, EventKind.CANCELLED): State.CANCELLED,
    (State.ISSUED, EventKind.REVOKED): State.REVOKED,
    (State.SUSPENDED, EventKind.REVOKED): State.REVOKED,
}
TERMINAL = frozenset({State.CANCELLED, State.REVOKED})
_STATUS_OF_STATE = {
    State.RESERVED: Status.IN_PREPARATION,
    State.CANCELLED: Status.CANCELLED,
    State.REVOKED: Status.REVOKED,
    State.SUSPENDED: Status.SUSPENDED,
}
_STATUS_OF_SEAL = {
    SealState.NONE: Status.IN_PREPARATION,
    SealState.UNDETERMINED: Status.SEAL_UNDETERMINED,
    SealState.INVALID: Status.SEAL_INVALID,
}


def move(state: State, event: EventKind) -> State:
    """Give the state after an event.

    Raises:
        LicenseStateError: The state does not allow the event; terminal states allow none.
    """
    try:
        return _MOVES[state, event]
    except KeyError:
        raise LicenseStateError(state=str(state), event=str(event)) from None


def state_after(events: Iterable[Happening], at: dt.datetime | None = None) -> State:
    """Replay events in their order, up to and including an instant.

    Raises:
        LicenseStateError: The events are no possible history.
    """
    state = State.RESERVED
    for event in events:
        if at is None or event.at <= at:
            state = move(state, EventKind(event.kind))
    return state


def effective_status(
    license_: Dated, events: Iterable[Happening], at: dt.datetime, seal_state: SealState
) -> Status:
    """Compute the status of a licence at an instant.

    Args:
        license_: Its validity interval.
        events: Its whole history, in order.
        at: The instant asked about.
        seal_state: What is known about its seal at that instant.

    Returns:
        The first of these that applies: not issued yet, cancelled, revoked, seal not verified,
        expired, suspended, not yet in force, valid.
    """
    state = state_after(events, at)
    if state in TERMINAL or state is State.RESERVED:
        return _STATUS_OF_STATE[state]
    if seal_state is not SealState.VERIFIED:
        return _STATUS_OF_SEAL[seal_state]
    today = legal_date(at)
    if license_.valid_until is not None and today > license_.valid_until:
        return Status.EXPIRED
    if state is State.SUSPENDED:
        return Status.SUSPENDED
    if license_.valid_from is not None and today < license_.valid_from:
        return Status.NOT_ACTIVATED
    return Status.VALID


class Standing(enum.StrEnum):
    """What a status means to somebody who relies on the licence."""

    GOOD = "good"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class StatusTitle:
    """A status outwards: words, meaning, and the codes of the national sharing interface."""

    code: Status
    zh: str
    en: str
    standing: Standing
    national_result: int
    information_check: int


@cache
def status_titles() -> Mapping[Status, StatusTitle]:
    """Read the outward table; every status has exactly one row."""
    text = resources.files("licenses").joinpath("data/statuses.json").read_text("utf-8")
    rows = [
        StatusTitle(
            Status(row["code"]),
            row["zh"],
            row["en"],
            Standing(row["standing"]),
            row["national_result"],
            row["information_check"],
        )
        for row in json.loads(text)["statuses"]
    ]
    return {row.code: row for row in rows}
