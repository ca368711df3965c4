# SPDX-License-Identifier: Apache-2.0
"""The licence's event machine, and its effective status, computed and never stored.

One machine carries the whole life: no independent flags that could contradict each other. The
effective status is a function of the events, the validity dates, the instant asked about and the
state of the seal; ``valid`` is impossible before a seal verified, or, for stock that has no file, without
a declared level of trust. Dates are Asia/Shanghai, the last day is inclusive. Asking about an earlier
instant ignores later events. A replaced licence ends when its successor comes into force, so that event may
lie ahead; whatever ends the licence before then ends it for good.
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
    ADOPTED = "adopted"
    ABANDONED = "abandoned"
    PROCESS_OPENED = "process-opened"
    PROCESS_CLOSED = "process-closed"
    CHECKED = "checked"
    SUSPENDED = "suspended"
    RESUMED = "resumed"
    SUPERSEDED = "superseded"
    RETAINED = "retained"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    LAPSED = "lapsed"


class State(enum.StrEnum):
    """Where the event machine stands; not what a verifier is told."""

    RESERVED = "reserved"
    ISSUED = "issued"
    SUSPENDED = "suspended"
    ABANDONED = "abandoned"
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    LAPSED = "lapsed"


class Process(enum.StrEnum):
    """What may be pending on a licence; one at a time, and none of them makes it less valid."""

    RENEWAL = "renewal"
    CHANGE = "change"
    REISSUE = "reissue"
    CORRECTION = "correction"
    ANNUAL_CHECK = "annual-check"
    CANCELLATION = "cancellation"


REPLACING = frozenset({Process.RENEWAL, Process.CHANGE, Process.REISSUE, Process.CORRECTION})
"""Processes that end with another licence in this one's place."""


class SealState(enum.StrEnum):
    """What is known about the seal on the licence's file at the instant asked about.

    ``declared`` is stock without a file: its source vouches for it at a level of trust that is shown.
    """

    NONE = "none"
    DECLARED = "declared"
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
    SUPERSEDED = "superseded"
    CANCELLED = "cancelled"
    WITHDRAWN = "withdrawn"
    REVOKED = "revoked"
    LAPSED = "lapsed"
    ABANDONED = "abandoned"
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
        """When it takes effect."""
        ...

    @property
    def process(self) -> str | None:
        """One of :class:`Process`, for the opening and closing of one."""
        ...

    @property
    def successor_id(self) -> str | None:
        """Which licence takes its place, or was to take it."""
        ...


_LIVE = (State.ISSUED, State.SUSPENDED)
_ENDINGS: Mapping[EventKind, State] = {
    EventKind.SUPERSEDED: State.SUPERSEDED,
    EventKind.CANCELLED: State.CANCELLED,
    EventKind.WITHDRAWN: State.WITHDRAWN,
    EventKind.REVOKED: State.REVOKED,
    EventKind.LAPSED: State.LAPSED,
}
_MOVES: Mapping[tuple[State, EventKind], State] = {
    (State.RESERVED, EventKind.ISSUED): State.ISSUED,
    (State.RESERVED, EventKind.ADOPTED): State.ISSUED,
    (State.RESERVED, EventKind.ABANDONED): State.ABANDONED,
    (State.ISSUED, EventKind.SUSPENDED): State.SUSPENDED,
    (State.SUSPENDED, EventKind.RESUMED): State.ISSUED,
    **{(state, kind): ended for state in _LIVE for kind, ended in _ENDINGS.items()},
    **{
        (state, kind): state
        for state in _LIVE
        for kind in (
            EventKind.CHECKED,
            EventKind.PROCESS_OPENED,
            EventKind.PROCESS_CLOSED,
            EventKind.RETAINED,
        )
    },
}
TERMINAL = frozenset({State.ABANDONED, *_ENDINGS.values()})
_STATUS_OF_STATE = {
    State.RESERVED: Status.IN_PREPARATION,
    State.SUSPENDED: Status.SUSPENDED,
    **{state: Status(state) for state in TERMINAL},
}
_STATUS_OF_SEAL = {
    SealState.NONE: Status.IN_PREPARATION,
    SealState.UNDETERMINED: Status.SEAL_UNDETERMINED,
    SealState.INVALID: Status.SEAL_INVALID,
}
_VOUCHED = frozenset({SealState.VERIFIED, SealState.DECLARED})


@dataclass(frozen=True, slots=True)
class Life:
    """Where a licence stands: its state, and the process that is pending."""

    state: State = State.RESERVED
    pending: Process | None = None


def move(state: State, event: EventKind) -> State:
    """Give the state after an event.

    Raises:
        LicenseStateError: The state does not allow the event; terminal states allow none.
    """
    try:
        return _MOVES[state, event]
    except KeyError:
        raise LicenseStateError(state=str(state), event=str(event)) from None


def advance(life: Life, event: EventKind, process: Process | None = None) -> Life:
    """Give where a licence stands after an event.

    Raises:
        LicenseStateError: Its state or what is pending does not allow the event.
    """
    state = move(life.state, event)
    if state in TERMINAL:
        return Life(state)
    pending = life.pending
    match event:
        case EventKind.PROCESS_OPENED:
            if pending is not None or process is None:
                raise LicenseStateError(state=str(pending or state), event=str(event))
            pending = process
        case EventKind.PROCESS_CLOSED:
            if pending is None or process is not pending:
                raise LicenseStateError(state=str(pending or state), event=str(event))
            pending = None
        case EventKind.RETAINED:
            pending = None if pending in REPLACING else pending
        case EventKind.CHECKED:
            pending = None if pending is Process.ANNUAL_CHECK else pending
    return Life(state, pending)


def life_after(events: Iterable[Happening], at: dt.datetime | None = None) -> Life:
    """Replay events in the order in which they take effect, up to and including an instant.

    A replacement that lay ahead when the licence ended otherwise comes to nothing, and so does one by a
    version that was itself ended before it came into force (``retained``).

    Args:
        events: The whole history, in the order in which it was recorded.
        at: The instant; all of the history when ``None``.

    Raises:
        LicenseStateError: The events are no possible history.
    """
    life = Life()
    ordered = sorted(events, key=lambda one: one.at)
    retained = {one.successor_id for one in ordered if one.kind == EventKind.RETAINED and one.successor_id}
    for event in ordered:
        kind = EventKind(event.kind)
        if at is not None and event.at > at:
            break
        if kind is EventKind.SUPERSEDED and (life.state in TERMINAL or event.successor_id in retained):
            continue
        life = advance(life, kind, Process(event.process) if event.process else None)
    return life


def state_after(events: Iterable[Happening], at: dt.datetime | None = None) -> State:
    """Give the state that :func:`life_after` gives."""
    return life_after(events, at).state


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
        The first of these that applies: not issued yet, ended by an event, neither seal verified nor trust
        declared, expired, suspended, not yet in force, valid.
    """
    return status_of(license_, state_after(events, at), at, seal_state)


def status_of(license_: Dated, state: State, at: dt.datetime, seal_state: SealState) -> Status:
    """Give the status that :func:`effective_status` gives, where the events were replayed already."""
    if state in TERMINAL or state is State.RESERVED:
        return _STATUS_OF_STATE[state]
    if seal_state not in _VOUCHED:
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
