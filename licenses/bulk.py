# SPDX-License-Identifier: Apache-2.0
"""Changes of many licences at once: one manager previews and proposes, another one approves, steps carry out.

What was previewed is what is changed: the licences are written down when the change is proposed. Each one is
changed as if alone, by the person who approved, with its own event and act; one whose state does not allow
it any more is left alone and counted. The work is done in small transactions, so it goes on where it was.
"""

import datetime as dt
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from cases.organisations import covers
from licenses.bulk_choosing import EVENTS, BulkKind, Preview, Selection, preview
from licenses.bulk_models import BulkChange, BulkMember
from licenses.errors import (
    BulkClosedError,
    BulkEmptyError,
    BulkOwnError,
    BulkUnknownError,
    LicenseStateError,
)
from licenses.events import Grounds
from licenses.holdings import Holdings
from licenses.models import License
from licenses.services import LicenseService
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.steps import Job, Later, Staging

BULK_STEP: Final = "license.bulk"
OPEN_FOR: Final = dt.timedelta(days=7)
CHUNK: Final = 50


class BulkState(enum.StrEnum):
    """How far a change is; ``late`` is ``open`` past its days and never stored."""

    OPEN = "open"
    LATE = "late"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    RUNNING = "running"
    DONE = "done"


class Outcome(enum.StrEnum):
    """What became of one licence."""

    WAITING = "waiting"
    CHANGED = "changed"
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class BulkView:
    """A change as managers see it; ``counts`` are its licences by outcome."""

    row: BulkChange
    state: BulkState
    counts: Mapping[Outcome, int]


class BulkService:
    """Proposes, decides and carries out changes of many licences.

    Args:
        holdings: Statuses of licences.
        licenses: Changes one licence.
    """

    def __init__(self, holdings: Holdings, licenses: LicenseService) -> None:
        self._holdings = holdings
        self._licenses = licenses

    def preview(self, uow: UnitOfWork, identity: Identity, chosen: Selection) -> Preview:
        """Tell what a selection comes to now; see :func:`licenses.bulk_choosing.preview`."""
        return preview(uow, self._holdings, identity, chosen)

    def propose(self, uow: UnitOfWork, identity: Identity, chosen: Selection, grounds: Grounds) -> BulkChange:
        """Write down which licences are to be changed, for another manager to decide.

        Raises:
            NotPermittedError, BulkTooLargeError: As :meth:`preview`.
            ReasonRequiredError: Reason or legal basis is missing or too long.
            BulkEmptyError: There is nothing to change.
        """
        found = self.preview(uow, identity, chosen)
        grounds.require()
        if not found.ids:
            raise BulkEmptyError
        now = uow.clock.now()
        change = BulkChange(
            id=uow.ids.new_id(),
            organisation=identity.organisation,
            type_code=chosen.type_code,
            kind=str(chosen.kind),
            status=str(chosen.status) if chosen.status else None,
            until_before=chosen.until_before,
            reason=grounds.reason.strip(),
            legal_basis=grounds.legal_basis.strip(),
            state=str(BulkState.OPEN),
            count=len(found.ids),
            proposed_by=identity.id,
            proposed_at=now,
            expires_at=now + OPEN_FOR,
        )
        members = [
            BulkMember(bulk_id=change.id, position=place, license_id=one, outcome=str(Outcome.WAITING))
            for place, one in enumerate(found.ids, start=1)
        ]
        uow.session.add_all([change, *members])
        uow.session.flush()
        _record(uow, identity, change, ActKind.BULK_PROPOSED, members)
        return change

    def decide(self, uow: UnitOfWork, identity: Identity, bulk_id: str, *, approve: bool) -> Promise:
        """Approve a change, which begins at once, or refuse it.

        Raises:
            BulkUnknownError: None that this manager may decide.
            BulkOwnError: Whoever proposed it does not decide it.
            BulkClosedError: It was decided, or its seven days are over.
        """
        change = self._open(uow, identity, bulk_id)
        if identity.id == change.proposed_by:
            raise BulkOwnError
        change.decided_by, change.decided_at = identity.id, uow.clock.now()
        change.state = str(BulkState.RUNNING if approve else BulkState.REFUSED)
        uow.session.flush()
        if approve:
            uow.add_step(BULK_STEP, change.id)
        return _record(uow, identity, change, ActKind.BULK_APPROVED if approve else ActKind.BULK_REFUSED)

    def withdraw(self, uow: UnitOfWork, identity: Identity, bulk_id: str) -> Promise:
        """Take one's own proposal back.

        Raises:
            BulkUnknownError: None that the caller proposed.
            BulkClosedError: It was decided, or its seven days are over.
        """
        change = self._open(uow, identity, bulk_id)
        if identity.id != change.proposed_by:
            raise BulkUnknownError
        change.decided_by, change.decided_at = identity.id, uow.clock.now()
        change.state = str(BulkState.WITHDRAWN)
        uow.session.flush()
        return _record(uow, identity, change, ActKind.BULK_WITHDRAWN)

    def list(self, uow: UnitOfWork, identity: Identity, most: int = 50) -> list[BulkView]:
        """Give the newest changes of the departments that a manager acts for.

        Raises:
            NotPermittedError: No licence manager.
        """
        identity.demand(Role.LICENSE_MANAGER)
        newest = select(BulkChange).order_by(BulkChange.proposed_at.desc(), BulkChange.id)
        rows = uow.session.scalars(newest.limit(10 * most)).all()
        return [_view(uow, row) for row in rows if covers(identity, row.organisation)][:most]

    def work(self, uow: UnitOfWork, bulk_id: str) -> bool:
        """Change the next licences of an approved change; tell whether any are left."""
        change = uow.session.get_one(BulkChange, bulk_id)
        if change.state != BulkState.RUNNING:
            return False
        waiting = (
            select(BulkMember)
            .where(BulkMember.bulk_id == bulk_id, BulkMember.outcome == str(Outcome.WAITING))
            .order_by(BulkMember.position)
            .limit(CHUNK)
        )
        members = uow.session.scalars(waiting).all()
        person = Identity(
            "person", change.decided_by or "", change.organisation, frozenset({Role.LICENSE_MANAGER})
        )
        for member in members:
            self._carry_out(uow, person, change, member)
        if len(members) == CHUNK:
            return True
        change.state = str(BulkState.DONE)
        uow.session.flush()
        left = select(BulkMember).where(
            BulkMember.bulk_id == bulk_id, BulkMember.outcome == str(Outcome.LEFT)
        )
        _record(uow, person, change, ActKind.BULK_DONE, uow.session.scalars(left).all())
        return False

    def _carry_out(self, uow: UnitOfWork, person: Identity, change: BulkChange, member: BulkMember) -> None:
        kind, process = EVENTS[BulkKind(change.kind)]
        license_ = uow.session.get_one(License, member.license_id)
        grounds = Grounds(change.reason, change.legal_basis)
        try:
            with uow.session.begin_nested():
                member.outcome = str(Outcome.CHANGED)
                self._licenses.change(uow, person, license_.identifier, kind, grounds, process, rows=[member])
        except LicenseStateError:
            member.outcome = str(Outcome.LEFT)
        uow.session.flush()

    def _open(self, uow: UnitOfWork, identity: Identity, bulk_id: str) -> BulkChange:
        change = uow.session.get(BulkChange, bulk_id)
        known = change is not None and identity.has(Role.LICENSE_MANAGER)
        if change is None or not known or not covers(identity, change.organisation):
            raise BulkUnknownError
        if _state(change, uow.clock.now()) is not BulkState.OPEN:
            raise BulkClosedError
        return change


class BulkStep:
    """Carries out an approved change, some licences at a time.

    Args:
        bulk: Does the work, which is all within the records.
    """

    def __init__(self, bulk: BulkService) -> None:
        self._bulk = bulk

    @property
    def kind(self) -> str:
        """Name in the table of steps."""
        return BULK_STEP

    def plan(self, uow: UnitOfWork, job: Job) -> Json | Later:
        """Change the next licences, and add a step for those after them."""
        if self._bulk.work(uow, job.subject):
            uow.add_step(BULK_STEP, job.subject)
        return None

    def perform(self, plan: Json, staging: Staging) -> Json:
        """Nothing is left to do outside the records."""
        raise NotImplementedError

    def record(self, uow: UnitOfWork, job: Job, plan: Json, result: Json) -> None:
        """Nothing was done outside the records."""
        raise NotImplementedError

    def abandon(self, uow: UnitOfWork, job: Job, plan: Json) -> None:
        """Nothing was begun outside the records."""


def _view(uow: UnitOfWork, row: BulkChange) -> BulkView:
    counted = (
        select(BulkMember.outcome, func.count())
        .where(BulkMember.bulk_id == row.id)
        .group_by(BulkMember.outcome)
    )
    counts = {Outcome(outcome): count for outcome, count in uow.session.execute(counted)}
    return BulkView(row, _state(row, uow.clock.now()), counts)


def _state(change: BulkChange, now: dt.datetime) -> BulkState:
    state = BulkState(change.state)
    return BulkState.LATE if state is BulkState.OPEN and change.expires_at <= now else state


def _record(
    uow: UnitOfWork,
    identity: Identity,
    change: BulkChange,
    kind: ActKind,
    members: Sequence[BulkMember] = (),
) -> Promise:
    return uow.record(
        Act(
            kind=kind,
            actor=identity,
            object_type="bulk-change",
            object_id=change.id,
            rows=[change, *members],
        )
    )
