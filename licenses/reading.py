# SPDX-License-Identifier: Apache-2.0
"""Reading licences: always on a stated basis, always recorded, refused uses too.

Unknown, forbidden and cancelled licences look the same to somebody without right. Sensitive face fields
are masked. Reads write, so they need a writing unit of work.
"""

import datetime as dt
from collections.abc import Collection, Sequence

from sqlalchemy import ColumnElement, or_, select

from cases.errors import CaseNotFoundError
from cases.holders import HolderService
from cases.models import Case, CaseState, Holder, HolderKind
from cases.organisations import covers
from cases.services import CaseService
from licenses.definition import LicenseType, TypeState
from licenses.errors import CodeUnknownError
from licenses.faces import masked_face
from licenses.grants.covering import Need
from licenses.grants.services import Grants
from licenses.grants.terms import Ceiling
from licenses.holdings import Holdings
from licenses.lifecycle import Standing, status_titles
from licenses.looks import asked_as_of, held_by, holds, instant_asked, may_use, refused, works_on
from licenses.metadata import Metadata, agrees
from licenses.models import License, LicenseHolder
from licenses.status_maps import ministry_code
from licenses.usage import Use, on_public_check, usage_row
from licenses.views import LicenseView, PublicCard, PublicCheck, SharedHolder
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind


class LicenseReader:
    """Shows licences.

    Args:
        holdings: What the library holds.
        cases: Finds the case that a basis names.
        holders: Masks holders.
        grants: What systems may look at.
    """

    def __init__(
        self,
        holdings: Holdings,
        cases: CaseService,
        holders: HolderService,
        grants: Grants | None = None,
    ) -> None:
        self._holdings = holdings
        self._cases = cases
        self._holders = holders
        self._grants = grants or Grants()

    @property
    def types(self) -> Sequence[LicenseType]:
        """The published types of the catalogue."""
        return [kind for kind in self._holdings.types.all() if kind.state is TypeState.PUBLISHED]

    def read(
        self, uow: UnitOfWork, identity: Identity, identifier: str, at: dt.datetime | None = None
    ) -> LicenseView:
        """Give a licence with its face, and its status as of an instant (now when ``None``).

        Raises:
            LicenseHiddenError: Unknown, or not to be seen on this basis; the caller records it.
            QuotaExhaustedError: The system's grants for it are used up today; the caller records it.
            InvalidInputError: The instant has not come yet.
        """
        instant_asked(uow, at)
        license_ = self.admitted(uow, identity, identifier, "read")
        who = self.granted(uow, identity, Ceiling.FIELDS, {license_.type_code}, license_)
        return self.show(uow, who, license_, at=at)

    def show(
        self,
        uow: UnitOfWork,
        identity: Identity,
        license_: License,
        action: str = "read",
        at: dt.datetime | None = None,
    ) -> LicenseView:
        """Give a licence with its face to somebody whose right was established; the use is recorded."""
        self.note(uow, identity, action, license_.holder_id, [license_], asked=asked_as_of(at))
        return self.view(uow, license_, with_face=True, at=at)

    def admitted(self, uow: UnitOfWork, identity: Identity, identifier: str, action: str) -> License:
        """Give a licence that this identity may use; the caller records the use.

        The basis stands in ``identity.basis``: ``case`` (an open case of the same holder, its item and a
        purpose, an operator), ``filing`` (the archivist of the issuing department, the product's own
        processes), ``supervision``, or ``holder`` (who holds it).

        Raises:
            LicenseHiddenError: Unknown, or not to be used on this basis; the caller records it, as a refused
                ``action``.
        """
        # Whoever was told of a change has the opaque id only.
        named = or_(License.identifier == identifier, License.id == identifier)
        license_ = uow.session.scalar(select(License).where(named))
        if license_ is None or not self.may_read(uow, identity, license_):
            raise refused(uow, identity, license_, action=action)
        return license_

    def granted(
        self,
        uow: UnitOfWork,
        identity: Identity,
        ceiling: Ceiling,
        types: Collection[str] | None,
        license_: License | None = None,
    ) -> Identity:
        """Count a system's look on behalf of a case against a grant; give who looks, with that grant.

        Args:
            uow: A writing unit of work.
            identity: Who looks; whoever is no system, or has another basis than a case, needs no grant.
            ceiling: How much is disclosed.
            types: Types of the licences looked at; ``None`` where they may be of any.
            license_: The licence, where there is one.

        Raises:
            LicenseHiddenError: No grant covers it; the caller records it.
            QuotaExhaustedError: Those that do are used up today; the caller records it.
        """
        basis = identity.basis
        if not identity.has(Role.CLIENT) or basis is None or basis.kind is not Basis.CASE:
            return identity
        need = Need(
            case=uow.session.get_one(Case, basis.case),
            purpose=basis.purpose or "",
            ceiling=ceiling,
            types=None if types is None else frozenset(types),
        )
        action = "copy" if ceiling is Ceiling.DOCUMENT else "read" if license_ is not None else "find"
        return self._grants.permit(
            uow, identity, need, lambda reason: refused(uow, identity, license_, reason, action)
        )

    def still_granted(
        self, uow: UnitOfWork, caller: tuple[str, str], basis: AccessBasis, license_: License
    ) -> bool:
        """Tell whether a grant still covers what a system began, by which a licence's document is had.

        Args:
            uow: A unit of work.
            caller: Id and organisation of the system.
            basis: On which it began; whatever is no case needs no grant.
            license_: The licence.
        """
        if basis.kind is not Basis.CASE:
            return True
        need = Need(
            case=uow.session.get_one(Case, basis.case),
            purpose=basis.purpose or "",
            ceiling=Ceiling.DOCUMENT,
            types=frozenset({license_.type_code}),
        )
        return self._grants.still_cover(uow, caller, need)

    def find_for_holder(
        self,
        uow: UnitOfWork,
        identity: Identity,
        *,
        history: bool = False,
        types: Collection[str] | None = None,
    ) -> Sequence[LicenseView]:
        """Give the licences of the holder of the open case that the basis names, newest first, no faces.

        Args:
            uow: A writing unit of work.
            identity: Who asks, on the basis ``case``.
            history: Also those that are not valid.
            types: Only licences of these types.

        Raises:
            LicenseHiddenError: The basis names no open case that this identity may use.
            QuotaExhaustedError: The system's grants for it are used up today; the caller records it.
        """
        case = self.open_case(uow, identity)
        if case is None:
            raise refused(uow, identity, None)
        identity = self.granted(uow, identity, Ceiling.FIELDS, types)
        query = select(License).where(held_by(case.holder_id))
        if types is not None:
            query = query.where(License.type_code.in_(sorted(types)))
        found = uow.session.scalars(query.order_by(License.reserved_at.desc(), License.id)).all()
        views = [(license_, self.view(uow, license_, with_face=False)) for license_ in found]
        shown = [pair for pair in views if history or pair[1].status.standing is Standing.GOOD]
        self.note(uow, identity, "find", case.holder_id, [license_ for license_, _ in shown])
        return [view for _, view in shown]

    def own(self, uow: UnitOfWork, identity: Identity) -> Sequence[LicenseView]:
        """Give the licences of the holder who looks, newest first, no faces; the caller records the look.

        Raises:
            NotPermittedError: Whoever looks is no holder.
        """
        identity.demand(Role.HOLDER)
        query = select(License).where(held_by(identity.id), License.issued_at.is_not(None))
        found = uow.session.scalars(query.order_by(License.reserved_at.desc(), License.id)).all()
        return [self.view(uow, license_, with_face=False) for license_ in found]

    def public_check(self, uow: UnitOfWork, identity: Identity, code: str) -> PublicCheck:
        """Answer the QR link; raises ``CodeUnknownError`` for a code of no issued licence."""
        return self._check(uow, identity, License.code == code)

    def public_check_file(
        self, uow: UnitOfWork, identity: Identity, sha256: str, stated: Metadata | None = None
    ) -> PublicCheck:
        """Answer for a file by its digest.

        Args:
            uow: A writing unit of work.
            identity: Who asks.
            sha256: Digest of the sealed file.
            stated: What the file's embedded metadata say; ``None`` when nothing in it is believed.

        Raises:
            CodeUnknownError: It is no licence of ours.
        """
        return self._check(uow, identity, License.object_sha256 == sha256, stated)

    def public_check_copied(
        self, uow: UnitOfWork, identity: Identity, license_id: str, stated: Metadata | None = None
    ) -> PublicCheck:
        """Answer for the licence that a copy was made of; see :meth:`public_check_file`."""
        return self._check(uow, identity, License.id == license_id, stated)

    def _check(
        self,
        uow: UnitOfWork,
        identity: Identity,
        condition: ColumnElement[bool],
        stated: Metadata | None = None,
    ) -> PublicCheck:
        license_ = uow.session.scalar(select(License).where(condition, License.issued_at.is_not(None)))
        if license_ is None:
            raise CodeUnknownError
        public = on_public_check(identity)
        promise = self.note(
            uow, public, "public-check", license_.holder_id, [license_], ActKind.VERIFICATION_DONE
        )
        view = self.view(uow, license_, with_face=False)
        card = PublicCard(
            view.kind,
            view.status,
            view.issuer,
            view.valid_from,
            view.valid_until,
            view.holder,
            view.trust,
            view.pending,
        )
        return PublicCheck(card, promise, stated is None or agrees(stated, license_))

    def view(
        self, uow: UnitOfWork, license_: License, *, with_face: bool, at: dt.datetime | None = None
    ) -> LicenseView:
        """Give a licence as it may be shown; the caller has permitted and recorded it."""
        kind = self._holdings.types.as_issued(license_.type_code, license_.type_version)
        holder = uow.session.get_one(Holder, license_.holder_id)
        person = holder.kind == HolderKind.PERSON
        status, pending = self._holdings.standing(uow, license_, at or uow.clock.now())
        face = masked_face(kind, self._holdings.face(uow, license_), person=person) if with_face else {}
        return LicenseView(
            id=license_.id,
            identifier=license_.identifier,
            kind=kind,
            status=status_titles()[status],
            issuer=license_.issuer_name,
            holder=self._holders.masked(uow, holder),
            number=license_.number,
            issued_on=license_.issued_on,
            valid_from=license_.valid_from,
            valid_until=license_.valid_until,
            face=face,
            sealed=license_.object_sha256 is not None,
            version=license_.version,
            pending=pending,
            trust=license_.trust,
            origin=license_.origin,
            issuer_code=license_.issuer_code,
            together=self._together(uow, license_),
            as_of=at,
            ministry=ministry_code(license_.type_code, status),
        )

    def _together(self, uow: UnitOfWork, license_: License) -> tuple[SharedHolder, ...]:
        query = select(LicenseHolder).where(LicenseHolder.license_id == license_.id)
        return tuple(
            SharedHolder(
                self._holders.masked(uow, uow.session.get_one(Holder, row.holder_id)),
                row.share,
            )
            for row in uow.session.scalars(query.order_by(LicenseHolder.position))
        )

    def may_read(self, uow: UnitOfWork, identity: Identity, license_: License) -> bool:
        """Tell whether an identity may use a licence on its basis now; see :meth:`admitted`."""
        kind = identity.basis.kind if identity.basis else None
        if kind is Basis.SUPERVISION:
            return identity.has(Role.SUPERVISOR) and covers(identity, license_.organisation)
        if kind is Basis.FILING:
            own = identity.has(Role.ARCHIVIST) and covers(identity, license_.organisation)
            return own or identity.has(Role.SYSTEM)
        if kind is Basis.HOLDER:
            return identity.has(Role.HOLDER) and holds(uow, identity.id, license_)
        if kind is Basis.CASE:
            case = self.open_case(uow, identity)
            return case is not None and holds(uow, case.holder_id, license_)
        return False

    def open_case(self, uow: UnitOfWork, identity: Identity) -> Case | None:
        """Give the open case of the basis, if this identity may use it for that item and purpose."""
        basis = identity.basis
        if basis is None or basis.kind is not Basis.CASE or not may_use(identity, basis):
            return None
        case = self.handled(uow, identity, basis)
        return case if case is not None and case.state is CaseState.OPEN else None

    def handled(self, uow: UnitOfWork, identity: Identity, basis: AccessBasis) -> Case | None:
        """Give the case that a basis names, closed or not, if this identity works on such cases."""
        if basis.case is None or not works_on(identity, basis.item):
            return None
        try:
            case = self._cases.get_by_id(uow, identity, basis.case)
        except CaseNotFoundError:
            return None
        return case if case.item_code == basis.item else None

    def note(
        self,
        uow: UnitOfWork,
        identity: Identity,
        action: str,
        holder_id: str,
        licenses: Sequence[License],
        kind: ActKind = ActKind.LICENSE_READ,
        asked: str = "",
    ) -> Promise:
        """Record a look at licences of a holder, as a use of each and one act."""
        # A look that finds nothing is a use as well.
        ids: Sequence[str | None] = [one.id for one in licenses] or [None]
        uses = [
            usage_row(
                uow,
                identity,
                Use(action=action, holder_id=holder_id, license_id=one, result="READ", asked=asked),
            )
            for one in ids
        ]
        uow.session.add_all(uses)
        alone = licenses[0] if len(licenses) == 1 else None
        return uow.record(
            Act(
                kind=kind,
                actor=identity,
                object_type="licence" if alone else "holder",
                object_id=alone.id if alone else holder_id,
                object_sha256=alone.object_sha256 if alone else None,
                case=identity.basis.case if identity.basis else None,
                subject=holder_id,
                rows=uses,
            )
        )
