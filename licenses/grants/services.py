# SPDX-License-Identifier: Apache-2.0
"""Grants 用证授权: what other systems may ask of the library, added and ended by two persons.

A grant binds systems. Somebody at a desk of ours asks in a role that two persons gave, in cases of the own
organisation, and needs none. What a system does on the holder's own word (a code) needs none either.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import or_, select

from licenses.grants.covering import Need, covering_of, covers_call, running
from licenses.grants.errors import GrantUnknownError, QuotaExhaustedError
from licenses.grants.models import LicenseGrant
from licenses.grants.quota import Counting, take, used_today
from licenses.grants.terms import NewGrant, check_terms
from licenses.refusing import RecordedRefusalError
from licenses.rules import RuleBook
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

NOT_GRANTED: Final = "not-granted"
EXHAUSTED: Final = "quota-exhausted"
ASKED: Final = "asked"
Refuse = Callable[[str], RecordedRefusalError]
"""Makes the refusal of a call, by the rules of the call, for a reason."""


@dataclass(frozen=True, slots=True)
class GrantView:
    """A grant and how often it was used today."""

    row: LicenseGrant
    used: int


class Grants:
    """Decides whether a call is covered, and counts it.

    Args:
        rules: Tell which licences prove a requirement; without them a grant for some requirements gives no
            look at licences.
    """

    def __init__(self, rules: RuleBook | None = None) -> None:
        self._rules = rules

    def found(
        self,
        uow: UnitOfWork,
        identity: Identity,
        need: Need,
        refuse: Refuse,
        held: Sequence[LicenseGrant] | None = None,
    ) -> Sequence[LicenseGrant]:
        """Give the grants that cover a call by a system.

        Args:
            uow: Any unit of work.
            identity: The system.
            need: What the call needs a grant for.
            refuse: Makes the refusal.
            held: What :func:`licenses.grants.covering.running` gave in this unit, if it was asked before.

        Raises:
            RecordedRefusalError: There is none; what ``refuse`` made.
        """
        of_system = running(uow, (identity.id, identity.organisation)) if held is None else held
        grants = [one for one in of_system if covers_call(one, need, self._rules)]
        if not grants:
            raise refuse(NOT_GRANTED)
        return grants

    def still_cover(self, uow: UnitOfWork, caller: tuple[str, str], need: Need) -> bool:
        """Tell whether some grant still covers what a system, by id and organisation, began; counts nothing.

        A grant that replaced the first one does: what it gives could be begun anew.
        """
        return bool(covering_of(uow, caller, need, self._rules))

    def permit(self, uow: UnitOfWork, identity: Identity, need: Need, refuse: Refuse) -> Identity:
        """Count a call against a grant that covers it; give who acts, on a basis that names the grant.

        Whoever is no system is let through. So is a call that was counted already, below the same ceiling.

        Raises:
            QuotaExhaustedError: Every grant that covers it is used up today.
            RecordedRefusalError: None covers it; what ``refuse`` made.
        """
        if not identity.has(Role.CLIENT):
            return identity
        named = identity.basis.grant if identity.basis else None
        if named is not None:
            counted = uow.session.get_one(LicenseGrant, named)
            if not covers_call(counted, need, self._rules):
                raise refuse(NOT_GRANTED)
            return identity
        return self.count(uow, identity, self.found(uow, identity, need, refuse), need.case.id, refuse)

    def count(
        self,
        uow: UnitOfWork,
        identity: Identity,
        grants: Sequence[LicenseGrant],
        case_id: str,
        refuse: Refuse,
        counting: Counting | None = None,
    ) -> Identity:
        """Count a call against the first of the grants that cover it which has quota left today.

        Args:
            uow: A writing unit of work.
            identity: The system, on a basis.
            grants: What :meth:`found` gave.
            case_id: The case.
            refuse: Makes the refusal.
            counting: Counts the calls of this unit together; its owner writes it.

        Raises:
            QuotaExhaustedError: All of them are used up today.
        """
        taken = counting.take(grants, case_id) if counting else take(uow, grants, case_id)
        basis = identity.basis
        if taken is None or basis is None:
            raise QuotaExhaustedError(refuse(EXHAUSTED), uow.clock.now())
        return identity.on(replace(basis, grant=taken.id))

    def own(self, uow: UnitOfWork, identity: Identity) -> list[GrantView]:
        """Give the grants that a system may use today or later."""
        today = legal_date(uow.clock.now())
        usable = select(LicenseGrant).where(
            LicenseGrant.organisation == identity.organisation,
            or_(LicenseGrant.client_id.is_(None), LicenseGrant.client_id == identity.id),
            LicenseGrant.ended_at.is_(None),
            LicenseGrant.valid_until >= today,
        )
        return _views(uow, uow.session.scalars(usable.order_by(LicenseGrant.valid_until, LicenseGrant.id)))


def add(
    uow: UnitOfWork, actor: Identity, new: NewGrant, grant_id: str, requested_by: str | None = None
) -> LicenseGrant:
    """Add a grant that two persons agreed on; ``actor`` is the second one.

    Raises:
        GrantTermsError: See :func:`licenses.grants.terms.check_terms`.
    """
    check_terms(new, legal_date(uow.clock.now()))
    terms = new.as_terms()
    grant = LicenseGrant(
        id=grant_id,
        organisation=new.organisation,
        client_id=new.client_id,
        items=terms["items"],
        requirements=terms["requirements"],
        purposes=terms["purposes"],
        ceiling=str(new.ceiling),
        quota=new.quota,
        valid_from=new.valid_from,
        valid_until=new.valid_until,
        legal_basis=terms["legal_basis"],
        origin=ASKED,
        requested_by=requested_by,
        decided_by=actor.id,
        added_at=uow.clock.now(),
    )
    uow.session.add(grant)
    _record(uow, ActKind.GRANT_ADDED, actor, grant)
    return grant


def end(uow: UnitOfWork, actor: Identity, grant: LicenseGrant) -> None:
    """End a grant, at once and for good."""
    grant.ended_at = uow.clock.now()
    _record(uow, ActKind.GRANT_ENDED, actor, grant)


def running_grant(uow: UnitOfWork, grant_id: str) -> LicenseGrant:
    """Give a grant that was not ended.

    Raises:
        GrantUnknownError: There is none with this id.
    """
    grant = uow.session.get(LicenseGrant, grant_id)
    if grant is None or grant.ended_at is not None:
        raise GrantUnknownError
    return grant


def every_grant(uow: UnitOfWork) -> list[GrantView]:
    """Give every grant, those that end first first, those that ended last; the caller has permitted it."""
    query = select(LicenseGrant).order_by(
        LicenseGrant.ended_at.is_not(None), LicenseGrant.valid_until, LicenseGrant.id
    )
    return _views(uow, uow.session.scalars(query))


def _views(uow: UnitOfWork, rows: Iterable[LicenseGrant]) -> list[GrantView]:
    found = list(rows)
    used = used_today(uow, found)
    return [GrantView(one, used[one.id]) for one in found]


def _record(uow: UnitOfWork, kind: ActKind, actor: Identity, grant: LicenseGrant) -> None:
    uow.session.flush()
    uow.record(Act(kind=kind, actor=actor, object_type="grant", object_id=grant.id, rows=[grant]))
