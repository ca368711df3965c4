# SPDX-License-Identifier: Apache-2.0
"""The licence manager's desk: find one licence of the own department, see its life, decide about it.

What is shown names no holder: number, identifier, dates, status, what happened and the versions before and
after. Every decision is an event with its reason and legal basis, by the rules of
:meth:`licenses.services.LicenseService.change`; the desk offers what the licence's state allows now.
"""

import enum
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import or_, select

from cases.organisations import reach
from licenses.errors import LicenseStateError
from licenses.events import Grounds, history_of
from licenses.holdings import Holdings
from licenses.lifecycle import EventKind, Life, Process, Status, advance, life_after
from licenses.models import License, LicenseEvent
from licenses.services import LicenseService, manages
from licenses.stock.chaining import number_key
from licenses.stock.folding import folded_number
from licenses.stock.models import StockRecord
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

MOST: Final = 50
"""Licences that a search gives, and versions of a chain that are shown."""


class Decision(enum.StrEnum):
    """What a manager decides about one licence."""

    SUSPEND = "suspend"
    RESUME = "resume"
    OPEN_CHECK = "open-check"
    CHECK = "check"
    CLOSE_CHECK = "close-check"
    OPEN_CANCELLATION = "open-cancellation"
    CLOSE_CANCELLATION = "close-cancellation"
    CANCEL = "cancel"
    WITHDRAW = "withdraw"
    REVOKE = "revoke"
    LAPSE = "lapse"


EVENTS: Final[Mapping[Decision, tuple[EventKind, Process | None]]] = {
    Decision.SUSPEND: (EventKind.SUSPENDED, None),
    Decision.RESUME: (EventKind.RESUMED, None),
    Decision.OPEN_CHECK: (EventKind.PROCESS_OPENED, Process.ANNUAL_CHECK),
    Decision.CHECK: (EventKind.CHECKED, None),
    Decision.CLOSE_CHECK: (EventKind.PROCESS_CLOSED, Process.ANNUAL_CHECK),
    Decision.OPEN_CANCELLATION: (EventKind.PROCESS_OPENED, Process.CANCELLATION),
    Decision.CLOSE_CANCELLATION: (EventKind.PROCESS_CLOSED, Process.CANCELLATION),
    Decision.CANCEL: (EventKind.CANCELLED, None),
    Decision.WITHDRAW: (EventKind.WITHDRAWN, None),
    Decision.REVOKE: (EventKind.REVOKED, None),
    Decision.LAPSE: (EventKind.LAPSED, None),
}
FINAL: Final = frozenset({Decision.CANCEL, Decision.WITHDRAW, Decision.REVOKE, Decision.LAPSE})
"""Decisions that nothing takes back."""


@dataclass(frozen=True, slots=True)
class ManagedVersion:
    """A licence as a line of a list: how it stands now, and nothing of its holder."""

    row: License
    status: Status
    pending: Process | None


@dataclass(frozen=True, slots=True)
class ManagedLicense:
    """A licence as its manager sees it.

    Attributes:
        now: How it stands.
        events: All that happened to it or will, in the order in which it was recorded.
        chain: Every version, the first one first; this one among them.
        offers: What may be decided now.
    """

    now: ManagedVersion
    events: Sequence[LicenseEvent]
    chain: Sequence[ManagedVersion]
    offers: Sequence[Decision]


class LicenseDesk:
    """Finds, shows and changes single licences of a department.

    Args:
        holdings: Statuses of licences, and their types.
        licenses: Changes a licence.
        issuers: In whose name an organisation's stock may stand.
    """

    def __init__(
        self, holdings: Holdings, licenses: LicenseService, issuers: Callable[[str], Collection[str]]
    ) -> None:
        self._holdings = holdings
        self._licenses = licenses
        self._issuers = issuers

    def find(self, uow: UnitOfWork, identity: Identity, text: str) -> Sequence[ManagedVersion]:
        """Give the department's licences with this identifier or number, the newest first, at most fifty.

        Brackets of a number count alike in both widths. Numbers of stock are found by their keyed digest.

        Raises:
            NotPermittedError: No licence manager.
        """
        identity.demand(Role.LICENSE_MANAGER)
        typed = text.strip()
        if not typed:
            return []
        folded = folded_number(typed)
        keys = [
            number_key(uow, kind.code, issuer, folded)
            for kind in self._holdings.types.all()
            for issuer in sorted(self._issuers(identity.organisation))
        ]
        stock = select(StockRecord.license_id).where(StockRecord.number_key.in_(keys))
        query = select(License).where(
            or_(License.identifier == typed, License.folded_number == folded, License.id.in_(stock)),
            License.organisation.in_(sorted(reach(identity) or ())),
        )
        query = query.order_by(License.reserved_at.desc(), License.id.desc()).limit(MOST)
        return [self._line(uow, one) for one in uow.session.scalars(query)]

    def show(self, uow: UnitOfWork, identity: Identity, license_id: str) -> ManagedLicense:
        """Give a licence with its events and versions, and what may be decided about it now.

        Raises:
            NotPermittedError: No licence manager of its department, or no such licence.
        """
        license_ = self._own(uow, identity, license_id)
        events = history_of(uow, license_.id)
        chain = [self._line(uow, one) for one in _chain(uow, license_) if manages(identity, one)]
        offers = _offers(life_after(events, uow.clock.now()))
        return ManagedLicense(self._line(uow, license_), events, chain, offers)

    def decide(
        self, uow: UnitOfWork, identity: Identity, license_id: str, decision: Decision, grounds: Grounds
    ) -> License:
        """Decide about a licence: an event, recorded with its reason and legal basis.

        Raises:
            NotPermittedError: No licence manager of its department, or no such licence.
            ReasonRequiredError: Reason or legal basis is missing or too long.
            LicenseStateError: Its state does not allow it.
        """
        license_ = self._own(uow, identity, license_id)
        kind, process = EVENTS[decision]
        return self._licenses.change(uow, identity, license_.identifier, kind, grounds, process)

    def _own(self, uow: UnitOfWork, identity: Identity, license_id: str) -> License:
        license_ = uow.session.get(License, license_id)
        if license_ is None or not manages(identity, license_):
            raise NotPermittedError
        return license_

    def _line(self, uow: UnitOfWork, license_: License) -> ManagedVersion:
        status, pending = self._holdings.standing(uow, license_, uow.clock.now())
        return ManagedVersion(license_, status, pending)


def _offers(life: Life) -> Sequence[Decision]:
    """Give what may be decided where a licence stands so."""
    found = []
    for decision, (kind, process) in EVENTS.items():
        try:
            advance(life, kind, process)
        except LicenseStateError:
            continue
        found.append(decision)
    return found


def _chain(uow: UnitOfWork, license_: License) -> Sequence[License]:
    """Give the versions before and after a licence with itself, the first one first."""
    before = [license_]
    while before[0].previous_id is not None and len(before) < MOST:
        before.insert(0, uow.session.get_one(License, before[0].previous_id))
    after = [license_]
    for one in after:
        if len(after) > MOST:
            break
        query = select(License).where(License.previous_id == one.id).order_by(License.reserved_at, License.id)
        after += uow.session.scalars(query)
    return [*before, *after[1:]]
