# SPDX-License-Identifier: Apache-2.0
"""Licences that a closed case says it called up 调用 instead of demanding them; each is a recorded use."""

from collections.abc import Collection

from sqlalchemy import select

from cases.models import Case
from licenses.models import Decision, License, LicenseUsage
from licenses.usage import Use, usage_row
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind

CALLED_UP = "called-up"


def call_up(
    uow: UnitOfWork, identity: Identity, case: Case, licenses: Collection[str], decisions: Collection[str]
) -> frozenset[str]:
    """Note which licences a closed case relied on; once a case and licence, whatever the attempt.

    Args:
        uow: A writing unit of work.
        identity: Who files the case.
        case: The case.
        licenses: Identifiers of issued licences of its holder.
        decisions: Ids of decisions given for it; they were recorded when they were asked for.

    Returns:
        Those that are unknown or not the case's to rely on: the two look alike. Then nothing is relied on,
        and the holders of other people's licences see the refused use.
    """
    query = select(License).where(License.identifier.in_(licenses), License.issued_at.is_not(None))
    found = uow.session.scalars(query.order_by(License.id)).all()
    own = [one for one in found if one.holder_id == case.holder_id]
    given = select(Decision.id).where(Decision.id.in_(decisions), Decision.case_id == case.id)
    known = {one.identifier for one in own} | set(uow.session.scalars(given))
    wrong = frozenset({*licenses, *decisions}) - known
    on_filing = identity.on(AccessBasis(Basis.FILING, case.id, case.item_code))
    if wrong:
        _note(uow, on_filing, [one for one in found if one.holder_id != case.holder_id], "REFUSED")
    else:
        noted = select(LicenseUsage.license_id).where(
            LicenseUsage.case_id == case.id, LicenseUsage.action == CALLED_UP, LicenseUsage.result == "READ"
        )
        before = set(uow.session.scalars(noted))
        _note(uow, on_filing, [one for one in own if one.id not in before], "READ")
    return wrong


def _note(uow: UnitOfWork, identity: Identity, licenses: Collection[License], result: str) -> None:
    for one in licenses:
        use = usage_row(
            uow, identity, Use(action=CALLED_UP, holder_id=one.holder_id, license_id=one.id, result=result)
        )
        uow.session.add(use)
        uow.record(
            Act(
                kind=ActKind.LICENSE_READ if result == "READ" else ActKind.ACCESS_REFUSED,
                actor=identity,
                object_type="licence",
                object_id=one.id,
                object_sha256=one.object_sha256,
                outcome=Outcome.DONE if result == "READ" else Outcome.REFUSED,
                case=identity.basis.case if identity.basis else None,
                subject=one.holder_id,
                rows=[use],
            )
        )
