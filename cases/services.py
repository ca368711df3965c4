# SPDX-License-Identifier: Apache-2.0
"""Cases: announced while open, closed by a report or by the filing of their files.

Announcing is idempotent. A case keeps what it was announced with; a correction is the source system's
new case. Unknown and forbidden cases look the same.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, and_, bindparam, false, or_, select

from cases.errors import (
    CaseConflictError,
    CaseDatesError,
    CaseNotFoundError,
    DepartmentUnknownError,
)
from cases.holders import HolderService
from cases.identifiers import check_holder_code, check_segment
from cases.models import Case, CaseState, Holder
from cases.organisations import covers, reached
from cases.permissions import may_announce, may_file
from cases.ports import Items
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

CLOCK_TOLERANCE = dt.timedelta(minutes=5)
PAGE_LIMIT = 200

_BY_NUMBER: Final = select(Case).where(Case.source == bindparam("source"), Case.number == bindparam("number"))
_BY_NUMBERS: Final = select(Case).where(
    Case.source == bindparam("source"), Case.number.in_(bindparam("numbers", expanding=True))
)
_READERS: Final = (Role.ARCHIVIST, Role.CLERK, Role.LICENSE_MANAGER, Role.SEAL_MANAGER)


@dataclass(frozen=True, slots=True)
class Announcement:
    """A case as its source system reports it.

    Attributes:
        source: Code of the source system.
        number: The case's number there.
        item_code: Code of the item.
        item_edition: Edition of the item's guide.
        holder_scheme: Scheme of the holder's code.
        holder_code: The holder's code.
        holder_name: The holder's name.
        organisation: Code of the department that handles the case.
        accepted_at: When the case was accepted.
        closed_at: When it was closed; ``None`` while it is open.
    """

    source: str
    number: str
    item_code: str
    item_edition: str
    holder_scheme: str
    holder_code: str
    holder_name: str
    organisation: str
    accepted_at: dt.datetime
    closed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class CasePage:
    """One page of cases; ``next_cursor`` is ``None`` on the last one."""

    cases: Sequence[Case]
    next_cursor: str | None


class CaseService:
    """What can be done with cases.

    Args:
        items: The catalogue of items.
        holders: Keeps the holders.
    """

    def __init__(self, items: Items, holders: HolderService) -> None:
        self._items = items
        self._holders = holders

    def announce(self, uow: UnitOfWork, identity: Identity, announcement: Announcement) -> tuple[Case, bool]:
        """Announce a case, or report its closing.

        Returns:
            The case, and whether this call created it. The same announcement again gives the case as
            it stands; with ``closed_at`` an open case is closed; the same closing again changes nothing.

        Raises:
            NotPermittedError: The identity may not announce cases of this source.
            CaseConflictError: The case stands with another holder, item, department or time of
                acceptance, or is closed already.
            InvalidInputError: A subclass of it names what is malformed.
        """
        if not may_announce(identity, announcement.source):
            raise NotPermittedError
        self.check(uow, announcement)
        case = self.find(uow, announcement.source, announcement.number)
        if case is None:
            return self._create(uow, identity, announcement), True
        differing = self._differences(uow, case, announcement)
        if case.accepted_at != announcement.accepted_at:
            differing.append("accepted_at")
        if case.state is CaseState.CLOSED and case.closed_at != announcement.closed_at:
            differing.append("closed_at")
        if differing:
            raise CaseConflictError(state=str(case.state), fields=" ".join(differing))
        self._close(uow, identity, case, announcement.closed_at)
        return case, False

    def ensure_case(self, uow: UnitOfWork, identity: Identity, announcement: Announcement) -> Case:
        """Give the case that a filing belongs to, closed: created when it was never announced.

        What was announced stays as it is, dates included: a filing carries its own dates.

        Args:
            uow: The unit of work.
            identity: Who files: a client with scope ``file``, an archivist of the department, or a process.
            announcement: The case as the filing states it; ``closed_at`` must be set.

        Raises:
            NotPermittedError: The identity may not file cases of this source or department.
            CaseConflictError: The case stands with another holder, item or department.
            InvalidInputError: A subclass of it names what is malformed.
        """
        if announcement.closed_at is None:
            raise CaseDatesError(rule="closed-missing")
        if not may_file(identity, announcement.source, announcement.organisation):
            raise NotPermittedError
        self.check(uow, announcement)
        case = self.find(uow, announcement.source, announcement.number)
        if case is None:
            return self._create(uow, identity, announcement)
        differing = self._differences(uow, case, announcement)
        if differing:
            raise CaseConflictError(state=str(case.state), fields=" ".join(differing))
        if case.state is CaseState.OPEN:
            self._close(uow, identity, case, max(announcement.closed_at, case.accepted_at))
        return case

    def get(self, uow: UnitOfWork, identity: Identity, source: str, number: str) -> Case:
        """Give a case by its number.

        Raises:
            CaseNotFoundError: There is none, or this identity may not see it.
        """
        case = uow.session.scalar(_BY_NUMBER, {"source": source, "number": number})
        return self._only(case if case is not None and is_visible(identity, case) else None)

    def get_each(self, uow: UnitOfWork, asked: Sequence[tuple[Identity, str, str]]) -> Sequence[Case | None]:
        """Give cases by who asks, source and number; ``None`` for each that :meth:`get` would not give."""
        if len(asked) == 1:
            ((_, source, number),) = asked
            rows = uow.session.scalars(_BY_NUMBER, {"source": source, "number": number}).all()
        else:
            wanted: dict[str, set[str]] = {}
            for _, source, number in asked:
                wanted.setdefault(source, set()).add(number)
            rows = [
                case
                for source, numbers in wanted.items()
                for case in uow.session.scalars(_BY_NUMBERS, {"source": source, "numbers": sorted(numbers)})
            ]
        found = {(case.source, case.number): case for case in rows}
        cases = [(identity, found.get((source, number))) for identity, source, number in asked]
        return [case if case is not None and is_visible(who, case) else None for who, case in cases]

    def get_by_id(self, uow: UnitOfWork, identity: Identity, case_id: str) -> Case:
        """Give a case by its opaque id; raises ``CaseNotFoundError`` like :meth:`get`."""
        case = uow.session.get(Case, case_id)
        return self._only(case if case is not None and is_visible(identity, case) else None)

    def list_after(
        self, uow: UnitOfWork, identity: Identity, cursor: str | None = None, limit: int = 50
    ) -> CasePage:
        """Give the visible cases in the order of their announcement, after a cursor.

        Raises:
            CursorError: The cursor is not one of ours.
        """
        limit = max(1, min(limit, PAGE_LIMIT))
        query = select(Case).where(visible_to(identity)).order_by(Case.announced_at, Case.id).limit(limit + 1)
        if cursor is not None:
            query = query.where(_after(*read_cursor(cursor)))
        cases = uow.session.scalars(query).all()
        page = cases[:limit]
        more = len(cases) > limit
        return CasePage(page, write_cursor(page[-1].announced_at, page[-1].id) if more else None)

    def find(self, uow: UnitOfWork, source: str, number: str) -> Case | None:
        """Give a case by its number to a room that has permitted or refuses the caller itself."""
        return uow.session.scalar(select(Case).where(Case.source == source, Case.number == number))

    def holder(self, uow: UnitOfWork, case: Case) -> Holder:
        """Give the holder row of a case."""
        return uow.session.get_one(Holder, case.holder_id)

    def check(self, uow: UnitOfWork, announcement: Announcement) -> None:
        """Refuse what no case can be made of, before anything is stored for it.

        Raises:
            InvalidInputError: A subclass of it names what is malformed.
        """
        check_holder_code(announcement.holder_scheme, announcement.holder_code)
        check_segment(announcement.source, "source")
        check_segment(announcement.number, "number")
        item = self._items.get(announcement.item_code, announcement.item_edition)
        if item.department != announcement.organisation:
            raise DepartmentUnknownError
        latest = uow.clock.now() + CLOCK_TOLERANCE
        closed = announcement.closed_at or announcement.accepted_at
        if announcement.accepted_at > closed:
            raise CaseDatesError(rule="closed-before-accepted")
        if closed > latest:
            raise CaseDatesError(rule="in-the-future")

    def _differences(self, uow: UnitOfWork, case: Case, announcement: Announcement) -> list[str]:
        holder = self._holders.find(uow, announcement.holder_scheme, announcement.holder_code)
        same = {
            "holder": holder is not None and holder.id == case.holder_id,
            "item": (case.item_code, case.item_edition)
            == (announcement.item_code, announcement.item_edition),
            "organisation": case.organisation == announcement.organisation,
        }
        return [field for field, equal in same.items() if not equal]

    def _create(self, uow: UnitOfWork, identity: Identity, announcement: Announcement) -> Case:
        holder = self._holders.find_or_add(
            uow, announcement.holder_scheme, announcement.holder_code, announcement.holder_name
        )
        case = Case(
            id=uow.ids.new_id(),
            source=announcement.source,
            number=announcement.number,
            item_code=announcement.item_code,
            item_edition=announcement.item_edition,
            holder_id=holder.id,
            organisation=announcement.organisation,
            accepted_at=announcement.accepted_at,
            closed_at=None,
            announced_at=uow.clock.now(),
        )
        uow.session.add(case)
        uow.session.flush()
        uow.record(_act(ActKind.CASE_ANNOUNCED, identity, case, holder))
        self._close(uow, identity, case, announcement.closed_at)
        return case

    def _close(self, uow: UnitOfWork, identity: Identity, case: Case, closed_at: dt.datetime | None) -> None:
        if closed_at is None or case.state is CaseState.CLOSED:
            return
        case.closed_at = closed_at
        uow.session.flush()
        uow.record(_act(ActKind.CASE_CLOSED, identity, case))

    @staticmethod
    def _only(case: Case | None) -> Case:
        if case is None:
            raise CaseNotFoundError
        return case


def visible_to(identity: Identity) -> ColumnElement[bool]:
    """Give the condition on :class:`Case` rows that this identity may see, for every query of cases."""
    if identity.has(Role.CLIENT):
        return Case.source.in_(sorted(identity.sources))
    if identity.has(Role.SYSTEM, Role.SUPERVISOR, *_READERS):
        return reached(Case.organisation, identity)
    return false()


def is_visible(identity: Identity, case: Case) -> bool:
    """Tell what :func:`visible_to` tells of a case that is at hand."""
    if identity.has(Role.CLIENT):
        return case.source in identity.sources
    return identity.has(Role.SYSTEM, Role.SUPERVISOR, *_READERS) and covers(identity, case.organisation)


def _act(kind: ActKind, identity: Identity, case: Case, holder: Holder | None = None) -> Act:
    return Act(
        kind=kind,
        actor=identity,
        object_type="case",
        object_id=case.id,
        case=case.id,
        subject=case.holder_id,
        rows=[holder, case] if holder else [case],
    )


def _after(announced_at: dt.datetime, case_id: str) -> ColumnElement[bool]:
    return or_(Case.announced_at > announced_at, and_(Case.announced_at == announced_at, Case.id > case_id))
