# SPDX-License-Identifier: Apache-2.0
"""Licences come into being and change their state here: reserve, suspend, resume, cancel, revoke.

``reserve`` composes the identifier and queues the making of the file (``license.issue``); the licence is
issued when the sealed file is recorded (``licenses.issuing``). A state changes only by an event with its
reason and legal basis.
"""

from dataclasses import dataclass

from sqlalchemy import func, select

from cases.holders import HolderService
from cases.items import Item, ItemCatalogue
from cases.models import Case, Holder
from cases.organisations import covers
from cases.permissions import may_file
from licenses import identifiers
from licenses.catalogue import LicenseType, TypeCatalogue
from licenses.errors import LicenseDataError, LicenseExistsError, ReasonRequiredError
from licenses.faces import FaceValue, LicenseData, Party, complete_face
from licenses.lifecycle import EventKind, State, move, state_after
from licenses.models import License, LicenseEvent
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.canonical import Json, canonical
from storage.ledger.kinds import ActKind

ISSUE_STEP = "license.issue"
INDEX_STEP = "index.put"
REASON_LIMIT = 200
_KIND_OF_EVENT = {
    EventKind.SUSPENDED: ActKind.LICENSE_SUSPENDED,
    EventKind.RESUMED: ActKind.LICENSE_RESUMED,
    EventKind.CANCELLED: ActKind.LICENSE_CANCELLED,
    EventKind.REVOKED: ActKind.LICENSE_REVOKED,
}


@dataclass(frozen=True, slots=True)
class Grounds:
    """Why a licence's state changes, and the provision that allows it; both are mandatory."""

    reason: str
    legal_basis: str


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
        kind = self._types.get(data.type)
        if item.license_type != kind.code:
            raise LicenseDataError(field="type", rule="not-of-this-item")
        department = self._items.department(item.department)
        identifiers.compose(kind.code, department.uscc, serial_of(data))
        clear = self._holders.reveal(uow, holder)
        return complete_face(kind, data, Party(clear.scheme, clear.code, clear.name), department.zh)

    def reserve(
        self, uow: UnitOfWork, identity: Identity, case: Case, item: Item, holder: Holder, data: LicenseData
    ) -> License:
        """Reserve the identifier of a case's licence and queue its making.

        The same data again give the same licence: a corrected filing never issues a second one.

        Raises:
            NotPermittedError: The identity may not file results of this case.
            UnknownTypeError: The catalogue does not hold the type.
            LicenseDataError: The data break a rule of the type.
            LicenseExistsError: The case has a licence with other data, or the number is in use.
        """
        if not may_file(identity, case.source, case.organisation):
            raise NotPermittedError
        face = self.check(uow, item, holder, data)
        digest = uow.secrets.lookup_hash("license-data", canonical(_plain(data)).decode())
        known = uow.session.scalar(select(License).where(License.case_id == case.id))
        if known is not None:
            if known.data_sha256 != digest:
                raise LicenseExistsError(rule="case-has-other-data")
            return known
        license_ = self._new(uow, case, item, data, face, digest)
        uow.session.add(license_)
        uow.session.flush()
        license_.issue_step = uow.add_step(ISSUE_STEP, license_.id)
        uow.record(
            Act(
                kind=ActKind.LICENSE_RESERVED,
                actor=identity,
                object_type="licence",
                object_id=license_.id,
                case=case.id,
                subject=license_.holder_id,
                rows=[license_],
            )
        )
        return license_

    def suspend(self, uow: UnitOfWork, identity: Identity, identifier: str, grounds: Grounds) -> License:
        """Suspend a licence; see :meth:`_change` for what is refused."""
        return self._change(uow, identity, identifier, EventKind.SUSPENDED, grounds)

    def resume(self, uow: UnitOfWork, identity: Identity, identifier: str, grounds: Grounds) -> License:
        """End a suspension; see :meth:`_change` for what is refused."""
        return self._change(uow, identity, identifier, EventKind.RESUMED, grounds)

    def cancel(self, uow: UnitOfWork, identity: Identity, identifier: str, grounds: Grounds) -> License:
        """Cancel a licence for good (注销); see :meth:`_change` for what is refused."""
        return self._change(uow, identity, identifier, EventKind.CANCELLED, grounds)

    def revoke(self, uow: UnitOfWork, identity: Identity, identifier: str, grounds: Grounds) -> License:
        """Revoke a licence for good (吊销); see :meth:`_change` for what is refused."""
        return self._change(uow, identity, identifier, EventKind.REVOKED, grounds)

    def _change(
        self, uow: UnitOfWork, identity: Identity, identifier: str, kind: EventKind, grounds: Grounds
    ) -> License:
        """Add an event.

        Raises:
            NotPermittedError: No licence manager of the issuing department, or no such licence.
            ReasonRequiredError: Reason or legal basis is missing or too long.
            LicenseStateError: The state does not allow it.
        """
        license_ = uow.session.scalar(select(License).where(License.identifier == identifier))
        if license_ is None or not _manages(identity, license_):
            raise NotPermittedError
        _require_grounds(grounds)
        history = uow.session.scalars(
            select(LicenseEvent).where(LicenseEvent.license_id == license_.id).order_by(LicenseEvent.position)
        ).all()
        move(state_after(history), kind)
        event = new_event(uow, identity, license_, len(history) + 1, kind, grounds)
        uow.session.add(event)
        uow.record(
            Act(
                kind=_KIND_OF_EVENT[kind],
                actor=identity,
                object_type="licence",
                object_id=license_.id,
                case=license_.case_id,
                object_sha256=license_.object_sha256,
                subject=license_.holder_id,
                rows=[event],
            )
        )
        uow.add_step(INDEX_STEP, f"licence:{license_.id}")
        return license_

    def _new(
        self,
        uow: UnitOfWork,
        case: Case,
        item: Item,
        data: LicenseData,
        face: dict[str, FaceValue],
        digest: bytes,
    ) -> License:
        kind: LicenseType = self._types.get(data.type)
        department = self._items.department(item.department)
        identifier = identifiers.compose(kind.code, department.uscc, serial_of(data))
        taken = select(func.count()).where(License.identifier == identifier)
        if uow.session.scalar(taken):
            raise LicenseExistsError(rule="number-in-use")
        return License(
            id=uow.ids.new_id(),
            identifier=identifier,
            type_code=kind.code,
            type_version=kind.version,
            issuer_code=department.uscc,
            issuer_name=department.zh,
            organisation=department.code,
            holder_id=case.holder_id,
            case_id=case.id,
            item_code=item.code,
            item_edition=item.edition,
            version=identifiers.FIRST_VERSION,
            number=data.number,
            issued_on=data.issued_on,
            valid_from=data.valid_from,
            valid_until=data.valid_until,
            face_cipher=uow.secrets.encrypt(case.holder_id, canonical(face)),
            data_sha256=digest,
            code=uow.ids.new_id(),
            reserved_at=uow.clock.now(),
            issue_step="",
        )


def serial_of(data: LicenseData) -> str:
    """Give the identifier's serial: the stated one, else the number itself."""
    return data.serial or data.number


def new_event(
    uow: UnitOfWork, identity: Identity, license_: License, position: int, kind: EventKind, grounds: Grounds
) -> LicenseEvent:
    """Make the row of an event that happens now."""
    return LicenseEvent(
        id=uow.ids.new_id(),
        license_id=license_.id,
        position=position,
        kind=str(kind),
        at=uow.clock.now(),
        reason=grounds.reason.strip(),
        legal_basis=grounds.legal_basis.strip(),
        actor_id=identity.id,
        organisation=identity.organisation,
    )


def state_of(uow: UnitOfWork, license_id: str) -> State:
    """Give where a licence's event machine stands now."""
    query = select(LicenseEvent).where(LicenseEvent.license_id == license_id).order_by(LicenseEvent.position)
    return state_after(uow.session.scalars(query).all())


def _manages(identity: Identity, license_: License) -> bool:
    return identity.has(Role.LICENSE_MANAGER) and covers(identity, license_.organisation)


def _require_grounds(grounds: Grounds) -> None:
    for field, text in (("reason", grounds.reason), ("legal_basis", grounds.legal_basis)):
        if not 1 <= len(text.strip()) <= REASON_LIMIT:
            raise ReasonRequiredError(field=field)


def _plain(data: LicenseData) -> dict[str, Json]:
    plain: dict[str, Json] = data.model_dump(mode="json")
    return plain
