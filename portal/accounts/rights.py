# SPDX-License-Identifier: Apache-2.0
"""Rights themselves: which roles go together, and the rows that give and take them.

Nothing here asks who wants it. Set-up and the demonstration call it for the first persons; everybody else's
rights change through :mod:`portal.accounts.changes`, where two persons agree (a guard names the callers).
"""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select

from cases.identifiers import is_plain
from portal.accounts.documents import forgotten_document, lapse_documents
from portal.accounts.errors import LastAdministratorError
from portal.accounts.models import SCOPES, Account, AccountDocument, Client
from portal.accounts.posts import roles_of, set_post
from portal.accounts.services import new_secret, secret_hash
from portal.errors import RolesExcludeError
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

_SEAL_MANAGE: Final = frozenset({Role.SEAL_MANAGER})
_SEAL_USE: Final = frozenset({Role.ARCHIVIST, Role.LICENSE_MANAGER})
_SEAL_AUDIT: Final = frozenset({Role.SUPERVISOR, Role.AUDIT_ADMIN})
ADMINISTRATORS: Final = (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN)
"""The three administrators 三员: one asks for rights, one grants them, one looks at both."""
EXCLUSIVE: Final = (
    tuple(frozenset({role}) for role in ADMINISTRATORS),
    (_SEAL_MANAGE, _SEAL_USE, _SEAL_AUDIT),
    # Who places legal holds, and who lifts them.
    (frozenset({Role.SUPERVISOR}), frozenset({Role.SECURITY_ADMIN})),
)
"""Groups of role sets: an account holds one set of a group at most (docs/architecture.md, rule 11)."""
PERSONS: Final = frozenset(Role) - {Role.CLIENT, Role.SYSTEM, Role.HOLDER, Role.PUBLIC}
_PERSON_NAME: Final = 64
_CLIENT_NAME: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAccount:
    """A person to be added."""

    name: str
    organisation: str
    roles: frozenset[Role]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewClient:
    """A system to be added; empty ``sources`` or ``items`` mean none, not all."""

    name: str
    organisation: str
    sources: frozenset[str]
    scopes: frozenset[str]
    items: frozenset[str]
    operators: frozenset[str]
    expires_at: dt.datetime


def check_account(new: NewAccount) -> None:
    """Check what is to become an account.

    Raises:
        InvalidInputError, RolesExcludeError: See :func:`check_roles`; also for a name that is not one.
    """
    check_roles(new.roles)
    _check_name(new.name.strip(), _PERSON_NAME)


def check_client(new: NewClient, now: dt.datetime) -> None:
    """Check what is to become a client.

    Raises:
        InvalidInputError: An unknown scope, a name that is not one, or an expiry that has passed.
    """
    if not new.scopes or not new.scopes <= set(SCOPES):
        raise InvalidInputError(field="scopes", rule=" ".join(SCOPES))
    _check_name(new.name, _CLIENT_NAME)
    if new.expires_at <= now:
        raise InvalidInputError(field="expires_at", rule="in the future")


def check_roles(roles: Iterable[Role]) -> None:
    """Check that the roles are a person's and do not exclude each other.

    Raises:
        InvalidInputError: no role, or one that no person holds.
        RolesExcludeError: two roles exclude each other.
    """
    held = frozenset(roles)
    if not held or not held <= PERSONS:
        raise InvalidInputError(field="roles", rule="one or more roles of persons")
    for group in EXCLUSIVE:
        if sum(1 for members in group if not held.isdisjoint(members)) > 1:
            raise RolesExcludeError


def add_account(uow: UnitOfWork, actor: Identity, new: NewAccount, account_id: str | None = None) -> Account:
    """Add a person, under an id that was told before if one is given.

    Raises:
        InvalidInputError, RolesExcludeError: See :func:`check_account`.
    """
    check_account(new)
    account_id = account_id or uow.ids.new_id()
    account = Account(
        id=account_id,
        name_cipher=uow.secrets.encrypt(account_id, new.name.strip().encode()),
        organisation=new.organisation,
        roles=sorted(new.roles),
        added_at=uow.clock.now(),
    )
    uow.session.add(account)
    _record_account(uow, ActKind.ACCOUNT_ADDED, actor, account)
    return account


def change_post(
    uow: UnitOfWork, actor: Identity, account: Account, organisation: str, roles: Iterable[Role]
) -> None:
    """Give an account exactly these roles in an organisation.

    Raises:
        RolesExcludeError: With what it holds elsewhere, they exclude each other.
        LastAdministratorError: An administrator's role would be left to nobody.
    """
    before = roles_of(account)
    set_post(account, organisation, roles)
    held = roles_of(account)
    if held:
        check_roles(held)
    _record_account(uow, ActKind.ACCOUNT_CHANGED, actor, account)
    _keep_administrators(uow, before - held)


def end_account(uow: UnitOfWork, actor: Identity, account: Account) -> None:
    """End an account: nobody signs in, its sessions end, its document is forgotten, also one that waits.

    Raises:
        LastAdministratorError: An administrator's role would be left to nobody.
    """
    account.ended_at = uow.clock.now()
    lapse_documents(uow, actor, "账号已停用 / the account ended", account.id)
    _record_account(uow, ActKind.ACCOUNT_ENDED, actor, account, *forgotten_document(uow, account.id))
    _keep_administrators(uow, roles_of(account))


def add_client(uow: UnitOfWork, actor: Identity, new: NewClient) -> tuple[Client, str]:
    """Add a system; give it and its key, which is told this once.

    Raises:
        InvalidInputError: See :func:`check_client`.
    """
    key = new_secret(uow.ids)
    return keep_client(uow, actor, new, uow.ids.new_id(), secret_hash(key)), key


def keep_client(uow: UnitOfWork, actor: Identity, new: NewClient, client_id: str, key_hash: bytes) -> Client:
    """Add a system whose id and key were told before.

    Raises:
        InvalidInputError: See :func:`check_client`.
    """
    check_client(new, uow.clock.now())
    client = Client(
        id=client_id,
        name=new.name,
        organisation=new.organisation,
        key_hash=key_hash,
        sources=sorted(new.sources),
        scopes=sorted(new.scopes),
        items=sorted(new.items),
        operators=sorted(new.operators),
        added_at=uow.clock.now(),
        expires_at=new.expires_at,
    )
    uow.session.add(client)
    _record_client(uow, ActKind.CLIENT_ADDED, actor, client)
    return client


def end_client(uow: UnitOfWork, actor: Identity, client: Client) -> None:
    """End a system's access: its key opens nothing any more."""
    client.ended_at = uow.clock.now()
    _record_client(uow, ActKind.CLIENT_ENDED, actor, client)


def _record_account(
    uow: UnitOfWork, kind: ActKind, actor: Identity, account: Account, *more: AccountDocument
) -> None:
    uow.session.flush()
    uow.record(
        Act(
            kind=kind,
            actor=actor,
            object_type="account",
            object_id=account.id,
            subject=account.id,
            rows=[account, *more],
        )
    )


def _record_client(uow: UnitOfWork, kind: ActKind, actor: Identity, client: Client) -> None:
    uow.session.flush()
    uow.record(Act(kind=kind, actor=actor, object_type="client", object_id=client.id, rows=[client]))


def _keep_administrators(uow: UnitOfWork, taken: frozenset[Role]) -> None:
    """Refuse what leaves an administrator's role to nobody; the unit of work is given up then."""
    running = list(uow.session.scalars(select(Account).where(Account.ended_at.is_(None))))
    for role in taken & frozenset(ADMINISTRATORS):
        if not any(role in roles_of(one) for one in running):
            raise LastAdministratorError(role=str(role))


def _check_name(name: str, longest: int) -> None:
    if not 1 <= len(name) <= longest or not is_plain(name):
        raise InvalidInputError(field="name", rule=f"1 to {longest} characters that are seen")
