# SPDX-License-Identifier: Apache-2.0
"""Licences that a closed case says it called up 调用 instead of demanding them; each is a recorded use.

What was called up is a matter of fact: a licence issued to the case's holder by another case, whatever its
status has become since. So it is noted as read (``READ``), never as a proof that was met (``MET``): whether
a case may rely on a licence is the answer of a decision, and of nothing else.
"""

from collections.abc import Collection

from sqlalchemy import ColumnElement, Select, select

from cases.models import Case
from licenses.copies.terms import copy_terms
from licenses.looks import held_by
from licenses.models import Decision, License
from licenses.usage import Use, usage_row
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind

CALLED_UP = "called-up"


def may_be_called_up(uow: UnitOfWork, case: Case) -> dict[str, frozenset[str]]:
    """Give what a case can have called up, by kind of reference.

    Returns:
        ``licence``: identifiers of licences of its holder that it did not give itself. ``decision``: ids of
        the decisions given for it; they were recorded when they were asked for.
    """
    licenses = _issued(held_by(case.holder_id), License.case_id.is_distinct_from(case.id))
    decisions = select(Decision.id).where(Decision.case_id == case.id)
    return {
        "licence": frozenset(one.identifier for one in uow.session.scalars(licenses)),
        "decision": frozenset(uow.session.scalars(decisions)),
    }


def note_called_up(uow: UnitOfWork, identity: Identity, case: Case, identifiers: Collection[str]) -> None:
    """Note that a case called up these licences of its holder; others are left out.

    Args:
        uow: A writing unit of work.
        identity: Who files the case.
        case: The case.
        identifiers: What the filing that passed its checks names.
    """
    own = _issued(License.identifier.in_(identifiers), held_by(case.holder_id))
    for one in uow.session.scalars(own).all():
        _note(uow, identity, case, one, refused=False)


def note_refused(uow: UnitOfWork, identity: Identity, case: Case, identifiers: Collection[str]) -> None:
    """Note at the licences of other holders that a case named them as called up and was refused."""
    others = _issued(License.identifier.in_(identifiers), ~held_by(case.holder_id))
    for one in uow.session.scalars(others).all():
        _note(uow, identity, case, one, refused=True)


def _issued(*conditions: ColumnElement[bool]) -> Select[License]:
    return select(License).where(License.issued_at.is_not(None), *conditions).order_by(License.id)


def _note(uow: UnitOfWork, identity: Identity, case: Case, one: License, *, refused: bool) -> None:
    purpose = copy_terms().usual(Basis.FILING)
    on_filing = identity.on(AccessBasis(Basis.FILING, case.id, case.item_code, purpose))
    result = "REFUSED" if refused else "READ"
    use = usage_row(
        uow, on_filing, Use(action=CALLED_UP, holder_id=one.holder_id, license_id=one.id, result=result)
    )
    uow.session.add(use)
    uow.record(
        Act(
            kind=ActKind.ACCESS_REFUSED if refused else ActKind.LICENSE_READ,
            actor=on_filing,
            object_type="licence",
            object_id=one.id,
            object_sha256=one.object_sha256,
            outcome=Outcome.REFUSED if refused else Outcome.DONE,
            case=case.id,
            subject=one.holder_id,
            rows=[use],
        )
    )
