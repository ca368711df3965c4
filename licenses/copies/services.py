# SPDX-License-Identifier: Apache-2.0
"""Ordering and handing out annotated copies: what leaves the library instead of the bare original.

Every order states a published purpose on an access basis; the copy is made by the step ``license.copy``
(:mod:`licenses.copies.making`). It is handed out by a link that is good once, for a short time, and stands in
the table as a hash. Status is asked when it is ordered, when it is made and when it is handed out.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, select, update

from cases.models import Case, CaseState
from cases.organisations import covers
from licenses.copies.errors import (
    CopyEndedError,
    CopyLinkError,
    CopyNotReadyError,
    CopyPurposeError,
    CopyRefusedError,
    CopyTermError,
    CopyUnknownError,
)
from licenses.copies.models import CopyLink, LicenseCopy
from licenses.copies.terms import ARCHIVE_USE, copy_terms
from licenses.grants.terms import Ceiling
from licenses.holdings import Holdings
from licenses.lifecycle import Standing, status_titles
from licenses.looks import holds, works_on
from licenses.models import License, LicenseUsage
from licenses.once import digest_of, new_secret
from licenses.reading import LicenseReader
from licenses.usage import Use, operator_of, usage_row
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.kinds import ActKind

COPY_STEP: Final = "license.copy"
ORDERED, MADE, REFUSED = "ordered", "made", "refused"


Runs = Callable[[UnitOfWork, str], bool]
"""Tells whether the calling system of an id has neither ended nor is out of date."""


@dataclass(frozen=True, slots=True)
class HandedOut:
    """What whoever shows a good link is given: where the bytes lie, and what was recorded."""

    copy_id: str
    sha256: str
    promise: Promise


class CopyService:
    """Orders copies and hands them out.

    Args:
        reader: Decides who may use which licence on which basis.
        holdings: Knows the status of licences.
        runs: Tells whether a calling system still runs.
    """

    def __init__(self, reader: LicenseReader, holdings: Holdings, runs: Runs) -> None:
        self._reader = reader
        self._holdings = holdings
        self._runs = runs

    def order(
        self, uow: UnitOfWork, identity: Identity, identifier: str, days: int | None = None
    ) -> LicenseCopy:
        """Order a copy for the purpose that the identity's access basis states.

        Args:
            uow: A writing unit of work.
            identity: Who asks, on the basis ``case``, ``filing``, ``supervision`` or ``holder``.
            identifier: The licence.
            days: For how many days it is to be good, today included; the usual number when ``None``.

        Raises:
            LicenseHiddenError: Unknown, or not to be used on this basis; the caller records it.
            QuotaExhaustedError: The system's grants for it are used up today; the caller records it.
            CopyPurposeError: No published purpose is stated.
            CopyTermError: The number of days is out of range.
            CopyRefusedError: The licence is not valid, or has no sealed file; the caller records it.
        """
        license_ = self._reader.admitted(uow, identity, identifier, "copy")
        identity = self._reader.granted(uow, identity, Ceiling.DOCUMENT, {license_.type_code}, license_)
        return self.order_for(uow, identity, license_, days)

    def order_for(
        self, uow: UnitOfWork, identity: Identity, license_: License, days: int | None = None
    ) -> LicenseCopy:
        """Order a copy for somebody whose right to use the licence was established; see :meth:`order`."""
        basis, terms = identity.basis, copy_terms()
        purpose = terms.purpose(basis.kind, basis.purpose) if basis else None
        if basis is None or purpose is None:
            raise CopyPurposeError(field="purpose")
        term = terms.usual_days if days is None else days
        if not 1 <= term <= terms.most_days:
            raise CopyTermError(most=terms.most_days)
        reason = refusal_of(uow, self._holdings, license_, basis.kind)
        if license_.object_sha256 is None or reason is not None:
            raise _refused(uow, identity, license_, reason or "no-file")
        use = usage_row(
            uow,
            identity,
            Use(action="copy", holder_id=license_.holder_id, license_id=license_.id, result="ORDERED"),
        )
        copy = _ordered(uow, identity, license_, basis, purpose.code)
        copy.valid_until = legal_date(uow.clock.now()) + dt.timedelta(days=term - 1)
        copy.usage_id = use.id
        uow.session.add_all([copy, use])
        uow.session.flush()
        copy.step = uow.add_step(COPY_STEP, copy.id)
        uow.record(
            Act(
                kind=ActKind.COPY_ORDERED,
                actor=identity,
                object_type="copy",
                object_id=copy.id,
                object_sha256=copy.original_sha256,
                case=copy.case_id,
                subject=copy.holder_id,
                rows=[copy, use],
            )
        )
        return copy

    def get(self, uow: UnitOfWork, identity: Identity, copy_id: str) -> LicenseCopy:
        """Give a copy to who ordered it, to a holder of its licence, or to supervision of who ordered it.

        Raises:
            CopyUnknownError: There is none that this identity may see, or no more.
        """
        copy = uow.session.get(LicenseCopy, copy_id)
        if copy is None or not (_may_see(uow, identity, copy) or self._entitled(uow, identity, copy)):
            raise CopyUnknownError
        return copy

    def link(self, uow: UnitOfWork, identity: Identity, copy_id: str) -> tuple[str, dt.datetime]:
        """Make a link that is good once; give its secret, which is shown this one time, and when it ends.

        Raises:
            CopyUnknownError: This identity ordered no such copy, or lost the right on which it did.
            CopyNotReadyError: It is not to be handed out now; ``facts`` say why.
            CopyEndedError: The grant on which it was ordered has ended; the caller records it.
        """
        copy = self.get(uow, identity, copy_id)
        if not self._entitled(uow, identity, copy):
            raise CopyUnknownError
        self._demand_good(uow, identity, copy)
        (secret, digest), now = new_secret(), uow.clock.now()
        link = CopyLink(
            id=uow.ids.new_id(),
            copy_id=copy.id,
            secret_hash=digest,
            actor_id=identity.id,
            made_at=now,
            expires_at=now + copy_terms().link,
        )
        uow.session.add(link)
        return secret, link.expires_at

    def peek(self, uow: UnitOfWork, identity: Identity, copy_id: str, secret: str) -> str:
        """Give the digest of what a link would hand out, without using it up; see :meth:`hand_out`."""
        query = select(CopyLink.id).where(*_good(copy_id, secret, uow.clock.now()))
        if uow.session.scalar(query) is None:
            raise CopyLinkError
        copy = uow.session.get_one(LicenseCopy, copy_id)
        self._demand_good(uow, identity, copy)
        return str(copy.object_sha256)

    def hand_out(self, uow: UnitOfWork, identity: Identity, copy_id: str, secret: str) -> HandedOut:
        """Hand a copy out for a link's secret, and never again for the same.

        Args:
            uow: A writing unit of work.
            identity: Who shows the secret; strangers, too.
            copy_id: The copy that the link is said to be for.
            secret: The secret.

        Raises:
            CopyLinkError: No link of this copy is good with this secret.
            CopyNotReadyError: The copy is not to be handed out any more.
            CopyEndedError: The right of the system that ordered it has ended; the caller records it.
        """
        taken = uow.session.scalar(
            update(CopyLink)
            .where(*_good(copy_id, secret, uow.clock.now()))
            .values(used_at=uow.clock.now())
            .returning(CopyLink.id)
        )
        if taken is None:
            raise CopyLinkError
        copy = uow.session.get_one(LicenseCopy, copy_id)
        self._demand_good(uow, identity, copy)
        return self._note(uow, identity, copy)

    def _demand_good(self, uow: UnitOfWork, identity: Identity, copy: LicenseCopy) -> None:
        if copy.state != MADE:
            raise CopyNotReadyError(reason=copy.state)
        license_ = uow.session.get_one(License, copy.license_id)
        reason = ended(uow, copy) or refusal_of(uow, self._holdings, license_, Basis(copy.basis))
        if reason is not None:
            raise CopyNotReadyError(reason=reason)
        over = self._right_over(uow, copy, license_)
        if over is not None:
            use = _use_of(uow, identity, copy, "REFUSED", over)
            act = _act_of(ActKind.COPY_REFUSED, identity, copy, use, over)
            raise CopyEndedError(act, (use,))

    def _right_over(self, uow: UnitOfWork, copy: LicenseCopy, license_: License) -> str | None:
        """Give why what a system ordered has ended with its right; a person names nobody as operator."""
        if copy.operator in {None, copy.actor_id}:
            return None
        if not self._runs(uow, copy.actor_id):
            return "client-ended"
        basis = AccessBasis(Basis(copy.basis), copy.case_id, copy.item_code, copy.purpose)
        caller = (copy.actor_id, copy.organisation)
        return None if self._reader.still_granted(uow, caller, basis, license_) else "not-granted"

    def _entitled(self, uow: UnitOfWork, identity: Identity, copy: LicenseCopy) -> bool:
        """Tell whether this is who ordered a copy, still with the right on which it was ordered.

        What was ordered at work is neither another operator's of the same system nor the same person's at
        another office, and ends with the right to item, source and case; that the case closed is told.
        """
        made = (copy.actor_id, copy.operator, copy.organisation)
        if made != (identity.id, operator_of(identity), identity.organisation):
            return False
        basis = AccessBasis(Basis(copy.basis), copy.case_id, copy.item_code, copy.purpose)
        if copy.case_id is not None:
            return self._reader.handled(uow, identity, basis) is not None
        if basis.kind is Basis.HOLDER and identity.kind != "holder":
            # On the holder's word, by a code, for no case.
            return works_on(identity)
        license_ = uow.session.get_one(License, copy.license_id)
        return self._reader.may_read(uow, identity.on(basis), license_)

    def _note(self, uow: UnitOfWork, identity: Identity, copy: LicenseCopy) -> HandedOut:
        use = _use_of(uow, identity, copy, "COPIED")
        uow.session.add(use)
        promise = uow.record(_act_of(ActKind.COPY_HANDED_OUT, identity, copy, use))
        return HandedOut(copy.id, str(copy.object_sha256), promise)


def _use_of(
    uow: UnitOfWork, identity: Identity, copy: LicenseCopy, result: str, reason: str | None = None
) -> LicenseUsage:
    """Make the use of a copy that is to be handed out, on the basis on which it was ordered."""
    made = Use(
        action="copy-out",
        holder_id=copy.holder_id,
        license_id=copy.license_id,
        result=result,
        reason=reason,
    )
    use = usage_row(uow, identity, made)
    use.basis, use.case_id = copy.basis, copy.case_id
    use.item_code, use.purpose = copy.item_code, copy.purpose
    return use


def _act_of(
    kind: ActKind, identity: Identity, copy: LicenseCopy, use: LicenseUsage, reason: str | None = None
) -> Act:
    return Act(
        kind=kind,
        actor=identity,
        object_type="copy",
        object_id=copy.id,
        object_sha256=copy.object_sha256,
        outcome=Outcome.DONE if reason is None else Outcome.REFUSED,
        case=copy.case_id,
        subject=copy.holder_id,
        rows=[use],
        reasons=[] if reason is None else [reason],
    )


def ended(uow: UnitOfWork, copy: LicenseCopy) -> str | None:
    """Give why a copy is of no more use whatever its licence is: its term or its case ended."""
    if legal_date(uow.clock.now()) > copy.valid_until:
        return "expired"
    if copy.case_id is not None:
        case = uow.session.get(Case, copy.case_id)
        if case is None or case.state is not CaseState.OPEN:
            return "case-closed"
    return None


def refusal_of(uow: UnitOfWork, holdings: Holdings, license_: License, basis: Basis) -> str | None:
    """Give why no copy of a licence is to be had on a basis now; ``None`` when nothing speaks against it."""
    if license_.object_sha256 is None:
        return "no-file"
    status = holdings.status(uow, license_, uow.clock.now())
    if status_titles()[status].standing is Standing.GOOD or basis in ARCHIVE_USE:
        return None
    return f"licence-{status}"


def copies_of(uow: UnitOfWork, *conditions: ColumnElement[bool]) -> list[LicenseCopy]:
    """Give copies that were made, in the order in which they were ordered."""
    query = select(LicenseCopy).where(LicenseCopy.state == MADE, *conditions)
    return list(uow.session.scalars(query.order_by(LicenseCopy.ordered_at, LicenseCopy.id)))


def _ordered(
    uow: UnitOfWork, identity: Identity, license_: License, basis: AccessBasis, purpose: str
) -> LicenseCopy:
    return LicenseCopy(
        id=uow.ids.new_id(),
        license_id=license_.id,
        holder_id=license_.holder_id,
        code=uow.ids.new_id(),
        state=ORDERED,
        basis=str(basis.kind),
        case_id=basis.case,
        item_code=basis.item,
        purpose=purpose,
        actor_id=identity.id,
        operator=operator_of(identity),
        organisation=identity.organisation,
        ordered_at=uow.clock.now(),
        original_sha256=license_.object_sha256,
        step="",
    )


def _may_see(uow: UnitOfWork, identity: Identity, copy: LicenseCopy) -> bool:
    if identity.has(Role.SUPERVISOR) and copy.organisation and covers(identity, copy.organisation):
        return True
    if identity.kind == "holder":
        return holds(uow, identity.id, uow.session.get_one(License, copy.license_id))
    return False


def _good(copy_id: str, secret: str, now: dt.datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        CopyLink.copy_id == copy_id,
        CopyLink.secret_hash == digest_of(secret),
        CopyLink.used_at.is_(None),
        CopyLink.expires_at > now,
    )


def _refused(uow: UnitOfWork, identity: Identity, license_: License, reason: str) -> CopyRefusedError:
    use = usage_row(
        uow,
        identity,
        Use(
            action="copy",
            holder_id=license_.holder_id,
            license_id=license_.id,
            result="REFUSED",
            reason=reason,
        ),
    )
    act = Act(
        kind=ActKind.COPY_REFUSED,
        actor=identity,
        object_type="licence",
        object_id=license_.id,
        outcome=Outcome.REFUSED,
        case=identity.basis.case if identity.basis else None,
        subject=license_.holder_id,
        rows=[use],
        reasons=(reason,),
    )
    return CopyRefusedError(act, (use,))
