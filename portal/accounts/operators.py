# SPDX-License-Identifier: Apache-2.0
"""Operators 经办人: the persons whom a calling system may name, looked at in this one place.

Whoever is named is registered for the system and has an account here that has not ended, however the system
names them: in a token, in a header, in the body of a call. Systems are told the same of all others.
"""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import Label, bindparam, exists, select

from portal.accounts.models import Account
from portal.errors import UnauthenticatedError
from storage.database import UnitOfWork
from storage.errors import InvalidInputError

OPERATOR_RUNS: Final[Label[bool]] = (
    exists().where(Account.id == bindparam("operator"), Account.ended_at.is_(None)).label("operator_runs")
)
"""Column of a statement about a client: whether the account bound as ``operator`` runs."""


def demand_operator(client: Any, named: str | None) -> None:  # noqa: ANN401 - a row of columns
    """Refuse a person whom a client may not name, from a row with the client's and :data:`OPERATOR_RUNS`.

    Raises:
        UnauthenticatedError: The person is not registered for the client, or has no running account.
    """
    if named is not None and (named not in client.operators or not client.operator_runs):
        raise UnauthenticatedError


def operator_runs(uow: UnitOfWork, registered: Collection[str], named: str) -> bool:
    """Tell whether somebody is registered and has a running account."""
    return named in registered and not _without_account(uow, {named})


def check_operators(uow: UnitOfWork, operators: Collection[str]) -> None:
    """Check whom a new system is to name.

    Raises:
        InvalidInputError: One of them has no running account.
    """
    if _without_account(uow, operators):
        raise InvalidInputError(field="operators", rule="ids of running accounts")


def _without_account(uow: UnitOfWork, ids: Collection[str]) -> set[str]:
    running = select(Account.id).where(Account.id.in_(sorted(ids)), Account.ended_at.is_(None))
    return set(ids) - set(uow.session.scalars(running))
