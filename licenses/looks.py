# SPDX-License-Identifier: Apache-2.0
"""What reading and finding licences share: holders, cases, instants that lie behind us, refusals."""

import datetime as dt
from collections.abc import Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, or_, select

from cases.models import Case
from licenses.errors import LicenseHiddenError
from licenses.models import License, LicenseHolder, LicenseUsage
from licenses.purposes import is_purpose
from licenses.usage import Use, operator_of, usage_row
from licenses.visibility import Visibility, visibility
from storage.clock import rfc3339
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import AccessBasis, Identity, Role
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind

_ON_BEHALF: Final = frozenset({"not-granted", "quota-exhausted"})


def held_by(holder_id: str) -> ColumnElement[bool]:
    """Choose the licences of a holder, those held together with others included."""
    together = select(LicenseHolder.license_id).where(LicenseHolder.holder_id == holder_id)
    return or_(License.holder_id == holder_id, License.id.in_(together))


def holds(uow: UnitOfWork, holder_id: str, license_: License) -> bool:
    """Tell whether a holder holds a licence, alone or with others."""
    query = select(License.id).where(License.id == license_.id, held_by(holder_id))
    return uow.session.scalar(query) is not None


def instant_asked(uow: UnitOfWork, at: dt.datetime | None) -> dt.datetime:
    """Give the instant as of which somebody asks: now when ``None``.

    Raises:
        InvalidInputError: It has not come yet; nobody knows what will have happened by then.
    """
    now = uow.clock.now()
    if at is not None and at > now:
        raise InvalidInputError(field="at", rule="not-after-now")
    return at or now


def asked_as_of(at: dt.datetime | None) -> str:
    """Give what the record of a use says of the instant asked about; empty for now."""
    return f"at={rfc3339(at)}" if at is not None else ""


def held_together(uow: UnitOfWork, holder_id: str) -> Sequence[str]:
    """Give the ids of the licences that a holder holds together with others."""
    return uow.session.scalars(
        select(LicenseHolder.license_id).where(LicenseHolder.holder_id == holder_id)
    ).all()


def uses_of(uow: UnitOfWork, holder_id: str, rules: Visibility | None = None) -> ColumnElement[bool]:
    """Choose the uses that a holder sees.

    Those of what is held of them, every one of a licence held together, and those of an own licence for the
    case of somebody else, as soon as no rule of law delays them any more.
    """
    together = held_together(uow, holder_id)
    own: ColumnElement[bool] = LicenseUsage.holder_id == holder_id
    # Most hold nothing together, and no relative's case used their licence; their uses are then read by one
    # index, in order.
    if together:
        own = or_(own, LicenseUsage.license_id.in_(together))
    lent = LicenseUsage.license_id.in_(_own_alone(holder_id))
    others = LicenseUsage.holder_id != holder_id
    if uow.session.scalar(select(LicenseUsage.id).where(lent, others).limit(1)) is not None:
        own = or_(own, lent)
    # A look at an own licence for a relative's case is kept at who holds it: whose the case is decides.
    elsewhere = exists().where(Case.id == LicenseUsage.case_id, Case.holder_id != holder_id)
    for_others = or_(others, elsewhere)
    if together:
        alone = or_(LicenseUsage.license_id.is_(None), LicenseUsage.license_id.not_in(together))
        for_others = and_(for_others, alone)
    return own & (rules or visibility()).shown(for_others, uow.clock.now())


def concerns(uow: UnitOfWork, holder_id: str, use: LicenseUsage, rules: Visibility | None = None) -> bool:
    """Tell whether a use is one of those that :func:`uses_of` chooses."""
    held = LicenseUsage.id == use.id
    return uow.session.scalar(select(LicenseUsage.id).where(held, uses_of(uow, holder_id, rules))) is not None


def for_somebody_else(uow: UnitOfWork, holder_id: str, use: LicenseUsage) -> bool:
    """Tell whether a use of a holder's own licence was for the case of somebody else, such as a relative."""
    if use.license_id in set(held_together(uow, holder_id)):
        return False
    if use.holder_id != holder_id:
        return True
    case = uow.session.get(Case, use.case_id) if use.case_id is not None else None
    return case is not None and case.holder_id != holder_id


def _own_alone(holder_id: str) -> Select[str]:
    return select(License.id).where(License.holder_id == holder_id)


def may_use(identity: Identity, basis: AccessBasis) -> bool:
    """Tell whether an identity may look for the item and purpose of a basis, before its case is asked for."""
    return is_purpose(basis.purpose) and works_on(identity, basis.item)


def works_on(identity: Identity, item: str | None = None) -> bool:
    """Tell whether somebody at a desk or a system reads licences at work: for an item, or for any."""
    if operator_of(identity) is None:
        return False
    if identity.has(Role.CLIENT):
        return "read" in identity.scopes and (item is None or item in identity.items)
    return identity.has(Role.CLERK)


def refused(
    uow: UnitOfWork,
    identity: Identity,
    license_: License | None,
    reason: str | None = None,
    action: str = "read",
) -> LicenseHiddenError:
    """Make the refusal of a look: act and record of use, nothing of what was asked.

    What a grant refuses concerns the holder of the case even where no licence was come to.
    """
    named = identity.basis.case if identity.basis else None
    case = uow.session.get(Case, named) if named is not None else None
    of_case = case.holder_id if case is not None and reason in _ON_BEHALF else None
    holder_id = license_.holder_id if license_ is not None else of_case
    use = (
        (
            usage_row(
                uow,
                identity,
                Use(
                    action=action,
                    holder_id=holder_id,
                    license_id=license_.id if license_ is not None else None,
                    result="REFUSED",
                    reason=reason,
                ),
            ),
        )
        if holder_id is not None
        else ()
    )
    act = Act(
        kind=ActKind.ACCESS_REFUSED,
        actor=identity,
        object_type="licence",
        object_id=license_.id if license_ is not None else "unknown",
        outcome=Outcome.REFUSED,
        case=case.id if case is not None else None,
        subject=holder_id or "system",
        rows=use,
        reasons=[reason] if reason is not None else [],
    )
    return LicenseHiddenError(act, use)
