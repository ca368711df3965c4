# SPDX-License-Identifier: Apache-2.0
"""A system carries a rung on as long as a grant covers the answer from which it was taken."""

from cases.models import Case
from licenses.grants.covering import Need
from licenses.grants.services import NOT_GRANTED, Grants
from licenses.grants.terms import Ceiling
from licenses.ladder.errors import RungEndedError
from licenses.models import Decision
from licenses.usage import Use, usage_row
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind


def demand_granted(
    uow: UnitOfWork, grants: Grants, identity: Identity, decision_id: str, requirement: str
) -> None:
    """Refuse a system whose grant for an answer's requirement has ended; nobody else needs one.

    Raises:
        RungEndedError: No grant covers it any more; the caller records it.
    """
    if not identity.has(Role.CLIENT):
        return
    decision = uow.session.get_one(Decision, decision_id)
    case = uow.session.get_one(Case, decision.case_id)
    need = Need(
        case=case,
        purpose=decision.purpose,
        ceiling=Ceiling.PREDICATE,
        requirements=frozenset({requirement}),
    )
    if grants.still_cover(uow, (identity.id, identity.organisation), need):
        return
    who = identity.on(AccessBasis(Basis.CASE, case.id, case.item_code, decision.purpose))
    made = Use(
        action="ask",
        holder_id=decision.holder_id,
        asked=requirement,
        result="REFUSED",
        reason=NOT_GRANTED,
        decision_id=decision.id,
    )
    use = usage_row(uow, who, made)
    act = Act(
        kind=ActKind.ACCESS_REFUSED,
        actor=who,
        object_type="decision",
        object_id=decision.id,
        outcome=Outcome.REFUSED,
        case=case.id,
        subject=decision.holder_id,
        rows=[use],
        reasons=[NOT_GRANTED],
    )
    raise RungEndedError(act, (use,))
