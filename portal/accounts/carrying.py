# SPDX-License-Identifier: Apache-2.0
"""What an approved change of rights does: exactly what was asked for, by the rows of the request."""

import enum
from typing import Final

from licenses.grants import services as grants
from licenses.grants.terms import NewGrant
from portal.accounts import rights
from portal.accounts.documents import keep_document, remove_document
from portal.accounts.errors import AccountUnknownError, ChangeUnknownError, ClientUnknownError
from portal.accounts.models import SCOPES, Account, Client, RightChange
from portal.accounts.operators import check_operators
from portal.accounts.rights import NewAccount, NewClient
from portal.clients import keys
from storage.clock import parse_rfc3339
from storage.database import UnitOfWork
from storage.identity import Identity, Role


class ChangeKind(enum.StrEnum):
    """What can be changed."""

    ACCOUNT_ADD = "account-add"
    ACCOUNT_POST = "account-post"
    ACCOUNT_END = "account-end"
    ACCOUNT_DOCUMENT = "account-document"
    ACCOUNT_DOCUMENT_END = "account-document-end"
    CLIENT_ADD = "client-add"
    CLIENT_END = "client-end"
    CLIENT_KEY_ADD = "client-key-add"
    CLIENT_KEY_END = "client-key-end"
    GRANT_ADD = "grant-add"
    GRANT_END = "grant-end"


def carry_out(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    """Do what a change asks for.

    Raises:
        AccountUnknownError, ClientUnknownError, GrantUnknownError: Whom it concerns has ended meanwhile.
        AccountDocumentMissingError: What is to be removed was removed meanwhile.
        InvalidInputError, RolesExcludeError, LastAdministratorError: Meanwhile it cannot be done any more.
    """
    _BY_KIND[ChangeKind(change.kind)](uow, identity, change)


def running_account(uow: UnitOfWork, account_id: str) -> Account:
    """Give an account that has not ended.

    Raises:
        AccountUnknownError: There is none with this id.
    """
    account = uow.session.get(Account, account_id)
    if account is None or account.ended_at is not None:
        raise AccountUnknownError
    return account


def running_client(uow: UnitOfWork, client_id: str) -> Client:
    """Give a client that has not ended.

    Raises:
        ClientUnknownError: There is none with this id.
    """
    client = uow.session.get(Client, client_id)
    if client is None or client.ended_at is not None:
        raise ClientUnknownError
    return client


def _carry_account_add(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    if change.name_cipher is None:
        raise ChangeUnknownError
    name = uow.secrets.decrypt(change.name_cipher).decode()
    new = NewAccount(name=name, organisation=change.organisation, roles=_roles(change))
    rights.add_account(uow, identity, new, change.object_id)


def _carry_account_post(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    account = running_account(uow, change.object_id)
    rights.change_post(uow, identity, account, change.organisation, _roles(change))


def _carry_account_end(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    rights.end_account(uow, identity, running_account(uow, change.object_id))


def _carry_document(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    keep_document(uow, identity, running_account(uow, change.object_id), change)


def _carry_document_end(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    remove_document(uow, identity, running_account(uow, change.object_id))


def _carry_client_add(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    if change.key_hash is None:
        raise ChangeUnknownError
    terms = change.terms
    new = NewClient(
        name=terms["name"],
        organisation=change.organisation,
        sources=frozenset(terms["sources"]),
        # What was asked for before an upgrade may name a scope that is no longer offered.
        scopes=frozenset(terms["scopes"]) & set(SCOPES),
        items=frozenset(terms["items"]),
        operators=frozenset(terms["operators"]),
        expires_at=parse_rfc3339(terms["expires_at"]),
    )
    check_operators(uow, new.operators)
    rights.keep_client(uow, identity, new, change.object_id, change.key_hash)


def _carry_client_end(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    rights.end_client(uow, identity, running_client(uow, change.object_id))


def _carry_grant_add(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    new = NewGrant.of_terms(change.terms)
    if new.client_id is not None:
        running_client(uow, new.client_id)
    replaced = change.terms["replaces"]
    if replaced is not None:
        grants.end(uow, identity, grants.running_grant(uow, replaced))
    grants.add(uow, identity, new, change.object_id, change.requested_by)


def _carry_key_add(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    keys.add_key(uow, identity, running_client(uow, change.object_id).id, change.terms["jwk"])


def _carry_key_end(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    keys.end_key(uow, identity, keys.running_key(uow, change.object_id, change.terms["kid"]))


def _carry_grant_end(uow: UnitOfWork, identity: Identity, change: RightChange) -> None:
    grants.end(uow, identity, grants.running_grant(uow, change.object_id))


_BY_KIND: Final = {
    ChangeKind.ACCOUNT_ADD: _carry_account_add,
    ChangeKind.ACCOUNT_POST: _carry_account_post,
    ChangeKind.ACCOUNT_END: _carry_account_end,
    ChangeKind.ACCOUNT_DOCUMENT: _carry_document,
    ChangeKind.ACCOUNT_DOCUMENT_END: _carry_document_end,
    ChangeKind.CLIENT_ADD: _carry_client_add,
    ChangeKind.CLIENT_END: _carry_client_end,
    ChangeKind.CLIENT_KEY_ADD: _carry_key_add,
    ChangeKind.CLIENT_KEY_END: _carry_key_end,
    ChangeKind.GRANT_ADD: _carry_grant_add,
    ChangeKind.GRANT_END: _carry_grant_end,
}


def _roles(change: RightChange) -> frozenset[Role]:
    return frozenset(map(Role, change.terms["roles"]))
