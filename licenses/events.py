# SPDX-License-Identifier: Apache-2.0
"""Events of licences as rows and acts: one shape for whoever adds one.

An event that somebody decides has its reason and legal basis; each is recorded in its own transaction and
puts the licence into the index anew.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from licenses.errors import ReasonRequiredError
from licenses.lifecycle import EventKind, Process, State, state_after
from licenses.models import License, LicenseEvent
from licenses.sharing.feed import record_change
from storage.base import Base
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind

INDEX_STEP: Final = "index.put"
REASON_LIMIT: Final = 200
ACT_OF_EVENT: Final = {
    EventKind.ABANDONED: ActKind.LICENSE_ABANDONED,
    EventKind.PROCESS_OPENED: ActKind.LICENSE_PROCESS_OPENED,
    EventKind.PROCESS_CLOSED: ActKind.LICENSE_PROCESS_CLOSED,
    EventKind.CHECKED: ActKind.LICENSE_CHECKED,
    EventKind.SUSPENDED: ActKind.LICENSE_SUSPENDED,
    EventKind.RESUMED: ActKind.LICENSE_RESUMED,
    EventKind.SUPERSEDED: ActKind.LICENSE_SUPERSEDED,
    EventKind.RETAINED: ActKind.LICENSE_RETAINED,
    EventKind.CANCELLED: ActKind.LICENSE_CANCELLED,
    EventKind.WITHDRAWN: ActKind.LICENSE_WITHDRAWN,
    EventKind.REVOKED: ActKind.LICENSE_REVOKED,
    EventKind.LAPSED: ActKind.LICENSE_LAPSED,
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a licence's state changes, and the provision that allows it; both are mandatory."""

    reason: str
    legal_basis: str

    def require(self) -> None:
        """Refuse grounds that say nothing or too much.

        Raises:
            ReasonRequiredError: ``facts`` name the field.
        """
        for field, text in (("reason", self.reason), ("legal_basis", self.legal_basis)):
            if not 1 <= len(text.strip()) <= REASON_LIMIT:
                raise ReasonRequiredError(field=field)


def history_of(uow: UnitOfWork, license_id: str) -> Sequence[LicenseEvent]:
    """Give a licence's events in the order in which they were recorded."""
    query = select(LicenseEvent).where(LicenseEvent.license_id == license_id)
    return uow.session.scalars(query.order_by(LicenseEvent.position)).all()


def state_of(uow: UnitOfWork, license_id: str) -> State:
    """Give where a licence's event machine stands once all of its history took effect."""
    return state_after(history_of(uow, license_id))


def new_event(
    uow: UnitOfWork,
    identity: Identity,
    license_: License,
    history: Sequence[LicenseEvent],
    kind: EventKind,
    grounds: Grounds,
    *,
    process: Process | None = None,
    at: dt.datetime | None = None,
    successor_id: str | None = None,
) -> LicenseEvent:
    """Make the row of an event that happens now, or takes effect later.

    Histories are replayed in the order in which they take effect, so an event never stands before one that is
    there already, whatever the clocks of two machines say; a replacement aside, which may lie ahead.

    Args:
        uow: A writing unit of work.
        identity: Who caused it.
        license_: The licence.
        history: What happened to it so far; nothing before its first event.
        kind: What happens.
        grounds: Why, and the provision.
        process: What begins or ends, for the opening and closing of a process.
        at: When it takes effect; now when ``None``.
        successor_id: Which licence takes its place, or was to take it.
    """
    moment = at or uow.clock.now()
    return LicenseEvent(
        id=uow.ids.new_id(),
        license_id=license_.id,
        position=len(history) + 1,
        kind=str(kind),
        at=max([moment, *(one.at for one in history if one.kind != EventKind.SUPERSEDED)]),
        process=str(process) if process else None,
        successor_id=successor_id,
        reason=grounds.reason.strip(),
        legal_basis=grounds.legal_basis.strip(),
        actor_id=identity.id,
        organisation=identity.organisation,
    )


def record_event(
    uow: UnitOfWork,
    identity: Identity,
    license_: License,
    event: LicenseEvent,
    *,
    case_id: str | None = None,
    rows: Sequence[Base] = (),
) -> Promise:
    """Add an event with its act; the index hears of it.

    Args:
        uow: A writing unit of work.
        identity: Who caused it.
        license_: The licence.
        event: The event, with its position.
        case_id: The case that caused it; the licence's own when ``None``.
        rows: Other rows that changed with it.
    """
    uow.session.add(event)
    promise = record_change(
        uow,
        Act(
            kind=ACT_OF_EVENT[EventKind(event.kind)],
            actor=identity,
            object_type="licence",
            object_id=license_.id,
            case=case_id or license_.case_id,
            object_sha256=license_.object_sha256,
            subject=license_.holder_id,
            rows=[event, *rows],
        ),
    )
    uow.add_step(INDEX_STEP, f"licence:{license_.id}")
    return promise
