# SPDX-License-Identifier: Apache-2.0
"""Who has an account and which systems may call, as the three administrators see it."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import select

from portal.accounts.models import Account, Client
from portal.accounts.posts import posts_of
from portal.accounts.rights import ADMINISTRATORS
from portal.accounts.sign_ins import SignInService
from storage.database import UnitOfWork
from storage.identity import Identity, Role


@dataclass(frozen=True, slots=True)
class Person:
    """A person with an account that has not ended.

    Attributes:
        id: The account's id.
        name: The person's name.
        posts: Roles by organisation, the home post first.
        added_at: Since when.
        locked_until: Until when signing in by password is locked, if it is.
    """

    id: str
    name: str
    posts: Mapping[str, frozenset[Role]]
    added_at: dt.datetime
    locked_until: dt.datetime | None


def persons(uow: UnitOfWork, identity: Identity, sign_ins: SignInService) -> list[Person]:
    """Give every person whose account has not ended, by organisation.

    Raises:
        NotPermittedError: The caller is none of the three administrators.
    """
    identity.demand(*ADMINISTRATORS)
    locked = sign_ins.locked(uow)
    running = select(Account).where(Account.ended_at.is_(None))
    found = uow.session.scalars(running.order_by(Account.organisation, Account.added_at, Account.id))
    return [
        Person(
            one.id,
            uow.secrets.decrypt(one.name_cipher).decode(),
            posts_of(one),
            one.added_at,
            locked.get(one.id),
        )
        for one in found
    ]


def clients(uow: UnitOfWork, identity: Identity) -> list[Client]:
    """Give every system whose access has not ended, by organisation.

    Raises:
        NotPermittedError: The caller is none of the three administrators.
    """
    identity.demand(*ADMINISTRATORS)
    running = select(Client).where(Client.ended_at.is_(None))
    return list(uow.session.scalars(running.order_by(Client.organisation, Client.added_at, Client.id)))


def names_of(uow: UnitOfWork, ids: Collection[str]) -> dict[str, str]:
    """Give the names of persons by id, to colleagues who see what those did; unknown ids are left out."""
    found = uow.session.scalars(select(Account).where(Account.id.in_(ids)))
    return {one.id: uow.secrets.decrypt(one.name_cipher).decode() for one in found}
