# SPDX-License-Identifier: Apache-2.0
"""Which grants cover a call: organisation, system, item, requirements, purpose, day and ceiling, all of them.

Nothing here is a default: what a grant does not name it does not give.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import bindparam, or_, select

from cases.models import Case
from licenses.grants.models import LicenseGrant
from licenses.grants.terms import Ceiling
from licenses.rules import RuleBook
from storage.clock import legal_date
from storage.database import UnitOfWork

_RUNNING: Final = (
    select(LicenseGrant)
    .where(
        LicenseGrant.organisation == bindparam("organisation"),
        or_(LicenseGrant.client_id.is_(None), LicenseGrant.client_id == bindparam("client")),
        LicenseGrant.ended_at.is_(None),
        LicenseGrant.valid_from <= bindparam("today"),
        LicenseGrant.valid_until >= bindparam("today"),
    )
    .order_by(LicenseGrant.valid_until, LicenseGrant.id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """What a call needs a grant for.

    Attributes:
        case: The case on whose behalf it is made.
        purpose: What for.
        ceiling: How much it would disclose.
        requirements: Ids that are asked about; ``None`` where licences themselves are looked at.
        types: Types of those licences; ``None`` where they may be of any type.
    """

    case: Case
    purpose: str
    ceiling: Ceiling
    requirements: frozenset[str] | None = None
    types: frozenset[str] | None = None


def covering_of(
    uow: UnitOfWork, caller: tuple[str, str], need: Need, rules: RuleBook | None = None
) -> Sequence[LicenseGrant]:
    """Give the grants that cover what a system, by id and organisation, began, whoever carries it on."""
    return [grant for grant in running(uow, caller) if covers_call(grant, need, rules)]


def running(uow: UnitOfWork, caller: tuple[str, str]) -> Sequence[LicenseGrant]:
    """Give the grants that a system has today, by its id and organisation; the first to end comes first."""
    client_id, organisation = caller
    whose = {"organisation": organisation, "client": client_id}
    return uow.session.scalars(_RUNNING, whose | {"today": legal_date(uow.clock.now())}).all()


def covers_call(grant: LicenseGrant, need: Need, rules: RuleBook | None = None) -> bool:
    """Tell whether the terms of a grant cover what a call needs; whose it is and when is not asked here."""
    case = need.case
    return (
        any(
            item["code"] == case.item_code and item["edition"] in {None, case.item_edition}
            for item in grant.items
        )
        and need.purpose in grant.purposes
        and Ceiling(grant.ceiling).reaches(need.ceiling)
        and _covers_requirements(grant, need, rules)
    )


def _covers_requirements(grant: LicenseGrant, need: Need, rules: RuleBook | None) -> bool:
    if not grant.requirements:
        return True
    if need.requirements is not None:
        return need.requirements <= set(grant.requirements)
    return need.types is not None and need.types <= _types(grant, need.case, rules)


def _types(grant: LicenseGrant, case: Case, rules: RuleBook | None) -> frozenset[str]:
    """Give the licence types that prove what a grant is for, by the rule of the case."""
    rule = None
    if rules is not None:
        rule = rules.find(case.item_code, case.item_edition, legal_date(case.accepted_at))
    return frozenset() if rule is None else rule.types_proving(grant.requirements)
