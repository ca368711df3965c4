# SPDX-License-Identifier: Apache-2.0
"""Licences come into being and change their state here.

``reserve`` composes the identifier and queues the making of the file (``license.issue``); the licence is
issued when the sealed file is recorded (``licenses.issuing``). A state changes only by an event with its
reason and legal basis. What replaces another licence is its next version (``licenses.succession``).
"""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import func, select

from cases.holders import HolderService
from cases.items import Department, Item, ItemCatalogue
from cases.models import Case, Holder
from cases.organisations import covers
from cases.permissions import may_file
from licenses import identifiers
from licenses.catalogue import TypeCatalogue
from licenses.errors import LicenseDataError, LicenseExistsError, LicenseStateError
from licenses.events import Grounds, history_of, new_event, record_event
from licenses.faces import FaceValue, LicenseData, Party, complete_face
from licenses.lifecycle import EventKind, Process, advance, life_after
from licenses.models import License, LicenseEvent, LicenseHolder
from licenses.positions import first_free_position
from licenses.stock.standing import stands_in_stock
from licenses.succession import (
    next_version,
    open_succession,
    predecessor_of,
    retain_earlier,
    waiting_successors,
)
from storage.base import Base
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.canonical import Json, canonical
from storage.ledger.kinds import ActKind

ISSUE_STEP: Final = "license.issue"
OFFICE: Final = "office"
"""Origin of licences that an office issued by itself, without a case."""
_HAND_OPENED: Final = frozenset({Process.ANNUAL_CHECK, Process.CANCELLATION})
_BY_ITSELF: Final = frozenset(
    {
        EventKind.ISSUED,
        EventKind.ADOPTED,
        EventKind.ABANDONED,
        EventKind.SUPERSEDED,
        EventKind.RETAINED,
    }
)
_ENDING: Final = frozenset({EventKind.CANCELLED, EventKind.WITHDRAWN, EventKind.REVOKED, EventKind.LAPSED})
_INHERITED: Final = _ENDING | {EventKind.SUSPENDED, EventKind.RESUMED}
"""What happens to a licence happens to a successor that is issued and not in force yet."""


class LicenseService:
    """What can be done with licences.

    Args:
        types: The type catalogue.
        items: Items and departments; a department's credit code is the issuer code.
        holders: Keeps the holders.
    """

    def __init__(self, types: TypeCatalogue, items: ItemCatalogue, holders: HolderService) -> None:
        self._types = types
        self._items = items
        self._holders = holders

    def check(self, uow: UnitOfWork, item: Item, holder: Holder, data: LicenseData) -> dict[str, FaceValue]:
        """Check licence data against type, item and holder; gives the complete face.

        Raises:
            UnknownTypeError: The catalogue does not hold the type.
            LicenseDataError: The first rule that is broken.
        """
        if item.license_type != self._types.to_issue(data.type).code:
            raise LicenseDataError(field="type", rule="not-of-this-item")
        return self._face(uow, self._items.department(item.department), holder, data)

    def reserve(
        self, uow: UnitOfWork, identity: Identity, case: Case, item: Item, holder: Holder, data: LicenseData
    ) -> License:
        """Reserve the identifier of a case's licence and queue its making.

        The same data again give the same licence: a corrected filing never issues a second one.

        Raises:
            NotPermittedError: The identity may not file results of this case.
            UnknownTypeError: The catalogue does not hold the type.
            LicenseDataError: The data break a rule of the type, or name no licence that they could replace.
            LicenseExistsError: The case has a licence with other data, or the number is in use.
        """
        if not may_file(identity, case.source, case.organisation):
            raise NotPermittedError
        face = self.check(uow, item, holder, data)
        known = uow.session.scalar(select(License).where(License.case_id == case.id))
        if known is not None:
            if known.data_sha256 != _digest(uow, data):
                raise LicenseExistsError(rule="case-has-other-data")
            return known
        license_, previous = self._new(uow, self._items.department(item.department), holder, data, face)
        license_.case_id, license_.item_code, license_.item_edition = case.id, item.code, item.edition
        return self._reserve(uow, identity, license_, previous, data)

    def draft(
        self, identity: Identity, holder: Party, data: LicenseData
    ) -> tuple[Department, dict[str, FaceValue]]:
        """Check what an office is about to issue; gives the issuing department and the complete face.

        Nothing is looked up: whether number and predecessor are free is decided when it is issued.

        Raises:
            NotPermittedError: No licence manager.
            UnknownTypeError: The catalogue does not hold the type.
            LicenseDataError: The first rule that is broken.
        """
        identity.demand(Role.LICENSE_MANAGER)
        department = self._items.department(identity.organisation)
        if data.replaces is None:
            self._item_of(department, data.type)
        return department, self._complete(department, holder, data)

    def types_of(self, department: str) -> frozenset[str]:
        """Give the codes of the types that a department's items give: those that it may issue by itself."""
        return frozenset(
            one.license_type for one in self._items.items if one.department == department and one.license_type
        )

    def reserve_by_office(
        self, uow: UnitOfWork, identity: Identity, holder: Holder, data: LicenseData, grounds: Grounds
    ) -> License:
        """Reserve a licence that an office issues by itself, without a case, and queue its making.

        The department is the one that the manager acts for. The licence stands under the department's item
        that gives such licences, and the seal must cover that one.

        Raises:
            NotPermittedError: No licence manager.
            ReasonRequiredError: Reason or legal basis is missing or too long.
            UnknownTypeError, LicenseDataError, LicenseExistsError: As :meth:`reserve`; a type that no item of
                the department gives is refused as well.
        """
        identity.demand(Role.LICENSE_MANAGER)
        grounds.require()
        department = self._items.department(identity.organisation)
        face = self._face(uow, department, holder, data)
        license_, previous = self._new(uow, department, holder, data, face)
        license_.origin = OFFICE
        if previous is not None:
            license_.item_code, license_.item_edition = previous.item_code, previous.item_edition
        else:
            item = self._item_of(department, data.type)
            license_.item_code, license_.item_edition = item.code, item.edition
        return self._reserve(uow, identity, license_, previous, data, grounds)

    def suspend(self, uow: UnitOfWork, identity: Identity, identifier: str, grounds: Grounds) -> License:
        """Suspend a licence; see :meth:`change` for what is refused."""
        return self.change(uow, identity, identifier, EventKind.SUSPENDED, grounds)

    def resume(self, uow: UnitOfWork, identity: Identity, identifier: str, grounds: Grounds) -> License:
        """End a suspension; see :meth:`change` for what is refused."""
        return self.change(uow, identity, identifier, EventKind.RESUMED, grounds)

    def cancel(self, uow: UnitOfWork, identity: Identity, identifier: str, grounds: Grounds) -> License:
        """Cancel a licence for good (注销); see :meth:`change` for what is refused."""
        return self.change(uow, identity, identifier, EventKind.CANCELLED, grounds)

    def revoke(self, uow: UnitOfWork, identity: Identity, identifier: str, grounds: Grounds) -> License:
        """Revoke a licence for good (吊销); see :meth:`change` for what is refused."""
        return self.change(uow, identity, identifier, EventKind.REVOKED, grounds)

    def change(
        self,
        uow: UnitOfWork,
        identity: Identity,
        identifier: str,
        kind: EventKind,
        grounds: Grounds,
        process: Process | None = None,
        rows: Sequence[Base] = (),
    ) -> License:
        """Add an event that an office decides: everything but issuing and replacing.

        Args:
            uow: A writing unit of work.
            identity: A licence manager of the issuing department.
            identifier: The licence.
            kind: What happens.
            grounds: Why, and the provision.
            rows: Other rows that changed with it.
            process: What begins or ends, for the opening and closing of a process: an annual check or a
                cancellation. What ends with another version is opened and closed by that version alone.

        Raises:
            NotPermittedError: No licence manager of the issuing department, or no such licence.
            ReasonRequiredError: Reason or legal basis is missing or too long.
            LicenseStateError: The state does not allow it.
        """
        license_ = uow.session.scalar(select(License).where(License.identifier == identifier))
        if license_ is None or not manages(identity, license_):
            raise NotPermittedError
        grounds.require()
        _require_by_hand(kind, process)
        before = history_of(uow, license_.id)
        event = self._add(uow, identity, license_, kind, grounds, process, rows)
        if kind in _ENDING:
            retain_earlier(uow, identity, license_)
        if kind in _INHERITED:
            for successor in waiting_successors(uow, license_):
                if _inherits(before, history_of(uow, successor.id), kind, uow.clock.now()):
                    self._add(uow, identity, successor, kind, grounds, None, at=event.at)
        return license_

    def _add(
        self,
        uow: UnitOfWork,
        identity: Identity,
        license_: License,
        kind: EventKind,
        grounds: Grounds,
        process: Process | None,
        rows: Sequence[Base] = (),
        at: dt.datetime | None = None,
    ) -> LicenseEvent:
        history = history_of(uow, license_.id)
        event = new_event(uow, identity, license_, history, kind, grounds, process=process, at=at)
        advance(life_after(history, event.at), kind, process)
        record_event(uow, identity, license_, event, rows=rows)
        return event

    def _item_of(self, department: Department, type_code: str) -> Item:
        """Give the newest edition of the department's item that gives licences of a type."""
        giving = [
            one
            for one in self._items.items
            if one.department == department.code and one.license_type == type_code
        ]
        if not giving:
            raise LicenseDataError(field="type", rule="not-of-this-office")
        return max(giving, key=lambda one: (one.edition, one.code))

    def _face(
        self, uow: UnitOfWork, department: Department, holder: Holder, data: LicenseData
    ) -> dict[str, FaceValue]:
        clear = self._holders.reveal(uow, holder)
        return self._complete(department, Party(clear.scheme, clear.code, clear.name), data)

    def _complete(self, department: Department, holder: Party, data: LicenseData) -> dict[str, FaceValue]:
        kind = self._types.to_issue(data.type)
        identifiers.compose(kind.code, department.uscc, serial_of(data))
        return complete_face(kind, data, holder, department.zh)

    def _new(
        self,
        uow: UnitOfWork,
        department: Department,
        holder: Holder,
        data: LicenseData,
        face: dict[str, FaceValue],
    ) -> tuple[License, License | None]:
        kind = self._types.get(data.type)
        previous = predecessor_of(uow, data, kind.code, department.uscc, holder.id)
        version = next_version(uow, previous, serial_of(data))
        identifier = identifiers.compose(kind.code, department.uscc, serial_of(data), version)
        if uow.session.scalar(select(func.count()).where(License.identifier == identifier)):
            raise LicenseExistsError(rule="number-in-use")
        if previous is None and stands_in_stock(uow, kind.code, department.uscc, data.number):
            raise LicenseExistsError(rule="stock-holds-number")
        license_ = License(
            id=uow.ids.new_id(),
            identifier=identifier,
            type_code=kind.code,
            type_version=kind.version,
            issuer_code=department.uscc,
            issuer_name=department.zh,
            organisation=department.code,
            holder_id=holder.id,
            version=version,
            previous_id=previous.id if previous else None,
            change=data.change,
            trust="A",
            origin="case",
            status_index=first_free_position(uow),
            number=data.number,
            issued_on=data.issued_on,
            valid_from=data.valid_from,
            valid_until=data.valid_until,
            face_cipher=uow.secrets.encrypt(holder.id, canonical(face)),
            data_sha256=_digest(uow, data),
            code=uow.ids.new_id(),
            reserved_at=uow.clock.now(),
            issue_step="",
        )
        return license_, previous

    def _reserve(
        self,
        uow: UnitOfWork,
        identity: Identity,
        license_: License,
        previous: License | None,
        data: LicenseData,
        grounds: Grounds | None = None,
    ) -> License:
        rows: Sequence[Base] = [license_, *self._co_holders(uow, license_, data)]
        uow.session.add_all(rows)
        uow.session.flush()
        license_.issue_step = uow.add_step(ISSUE_STEP, license_.id)
        uow.record(
            Act(
                kind=ActKind.LICENSE_RESERVED,
                actor=identity,
                object_type="licence",
                object_id=license_.id,
                case=license_.case_id,
                subject=license_.holder_id,
                rows=rows,
                notes={"reason": grounds.reason, "legal_basis": grounds.legal_basis} if grounds else {},
            )
        )
        if previous is not None:
            open_succession(uow, identity, previous, license_)
        return license_

    def _co_holders(self, uow: UnitOfWork, license_: License, data: LicenseData) -> Sequence[Base]:
        if not data.co_holders:
            return []
        rows: list[Base] = [
            LicenseHolder(license_id=license_.id, position=1, holder_id=license_.holder_id, share=data.share)
        ]
        seen = {license_.holder_id}
        for position, one in enumerate(data.co_holders, start=2):
            holder = self._holders.find_or_add(uow, one.scheme, one.code, one.name)
            if holder.id in seen:
                raise LicenseDataError(field="co_holders", rule="holder-twice")
            seen.add(holder.id)
            rows.append(holder)
            rows.append(
                LicenseHolder(license_id=license_.id, position=position, holder_id=holder.id, share=one.share)
            )
        return rows


def serial_of(data: LicenseData) -> str:
    """Give the identifier's serial: the stated one, else the number itself."""
    return data.serial or data.number


def manages(identity: Identity, license_: License) -> bool:
    """Tell whether somebody manages the licences of the department that issued this one."""
    return identity.has(Role.LICENSE_MANAGER) and covers(identity, license_.organisation)


def _inherits(
    before: Sequence[LicenseEvent], history: Sequence[LicenseEvent], kind: EventKind, now: dt.datetime
) -> bool:
    """Tell whether a version that waits shares an event of the one before it.

    One that stands so already by itself is left as it is; and what was suspended by itself is not resumed
    with the other.
    """
    try:
        advance(life_after(history, now), kind)
    except LicenseStateError:
        return False
    if kind is not EventKind.RESUMED:
        return True
    return _suspended_at(before) == _suspended_at(history)


def _suspended_at(history: Sequence[LicenseEvent]) -> dt.datetime | None:
    return max((one.at for one in history if one.kind == EventKind.SUSPENDED), default=None)


def _require_by_hand(kind: EventKind, process: Process | None) -> None:
    by_process = kind in {EventKind.PROCESS_OPENED, EventKind.PROCESS_CLOSED}
    right = process in _HAND_OPENED if by_process else process is None
    if not right or kind in {
        EventKind.ISSUED,
        EventKind.ADOPTED,
        EventKind.ABANDONED,
        EventKind.SUPERSEDED,
        EventKind.RETAINED,
    }:
        raise LicenseStateError(event=str(kind), process=str(process or ""))


def _digest(uow: UnitOfWork, data: LicenseData) -> bytes:
    plain: dict[str, Json] = data.model_dump(mode="json")
    return uow.secrets.lookup_hash("license-data", canonical(plain).decode())
