# SPDX-License-Identifier: Apache-2.0
"""Identity documents of officials 本人证件, by a keyed hash alone: curiosity about one's own is found by it.

The hash is the one by which holders are found, so an account is compared with holders without a number. The
number itself is never stored: until the second person has decided, its masked form and the hash lie encrypted
under the account's key, then the hash alone is kept. The number cannot be computed from it; whoever holds the
system's key finds the holder by it, which is its purpose.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, exists, func, select, true

from cases.identifiers import ORGANISATION_SCHEMES, SCHEMES, check_holder_code, mask_code
from cases.organisations import reached
from portal.accounts.errors import AccountDocumentMissingError, ChangeUnknownError
from portal.accounts.models import Account, AccountDocument, RightChange
from portal.accounts.posts import posts_of
from portal.accounts.reasons import encrypted_reason
from portal.accounts.second_person import DecisionState
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

DOCUMENT_SCHEMES: Final = tuple(scheme for scheme in SCHEMES if scheme not in ORGANISATION_SCHEMES)
"""Schemes of documents that a person has."""


class DocumentHash(NamedTuple):
    """What is kept of a document: its scheme, and the keyed hash of its number."""

    scheme: str
    code_hash: bytes


@dataclass(frozen=True, slots=True)
class Official:
    """Somebody with a running account, as queries are compared with them.

    Attributes:
        organisations: Those in which they hold a post.
        document: What is kept of their document; none where none was stated.
    """

    organisations: frozenset[str]
    document: DocumentHash | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """Of how many officials a document is known, so that nothing found is not taken for nothing there.

    Attributes:
        officials: How many have a running account.
        without: Of how many of them no document is known.
    """

    officials: int
    without: int


def stated_document(uow: UnitOfWork, account_id: str, scheme: str, code: str) -> bytes:
    """Check a document and give what is kept of it while it waits, under the account's key.

    Raises:
        HolderCodeError: The number does not fit its scheme.
        InvalidInputError: It is no person's document.
    """
    normal = check_holder_code(scheme, code)
    if normal.scheme in ORGANISATION_SCHEMES:
        raise InvalidInputError(field="scheme", rule="the document of a person")
    digest = uow.secrets.lookup_hash(normal.scheme, normal.code).hex()
    kept = {"scheme": normal.scheme, "digest": digest, "masked": mask_code(normal.code)}
    return uow.secrets.encrypt(account_id, json.dumps(kept).encode())


def masked_document(uow: UnitOfWork, change: RightChange) -> tuple[str, str]:
    """Give scheme and masked number of a document that waits; both are empty where none does."""
    if change.document_cipher is None:
        return "", ""
    kept = json.loads(uow.secrets.decrypt(change.document_cipher))
    return kept["scheme"], kept["masked"]


def demand_document(uow: UnitOfWork, account_id: str) -> AccountDocument:
    """Give what is kept of an account's document.

    Raises:
        AccountDocumentMissingError: None is.
    """
    row = uow.session.get(AccountDocument, account_id)
    if row is None or row.code_hash is None:
        raise AccountDocumentMissingError
    return row


def keep_document(uow: UnitOfWork, actor: Identity, account: Account, change: RightChange) -> None:
    """Keep the hash of the document that a change states, in the place of an earlier one.

    Raises:
        ChangeUnknownError: It states none.
    """
    if change.document_cipher is None:
        raise ChangeUnknownError
    kept = json.loads(uow.secrets.decrypt(change.document_cipher))
    row = uow.session.get(AccountDocument, account.id)
    if row is None:
        row = AccountDocument(account_id=account.id)
        uow.session.add(row)
    row.scheme, row.code_hash = kept["scheme"], bytes.fromhex(kept["digest"])
    row.set_at = uow.clock.now()
    change.document_cipher = None
    _record(uow, ActKind.ACCOUNT_DOCUMENT_SET, actor, [row, change])


def remove_document(uow: UnitOfWork, actor: Identity, account: Account) -> None:
    """Forget an account's document.

    Raises:
        AccountDocumentMissingError: None is kept.
    """
    row = demand_document(uow, account.id)
    _empty(row)
    _record(uow, ActKind.ACCOUNT_DOCUMENT_REMOVED, actor, [row])


def forgotten_document(uow: UnitOfWork, account_id: str) -> list[AccountDocument]:
    """Forget the document of an account that ends; give the row, which its act holds."""
    row = uow.session.get(AccountDocument, account_id)
    if row is None:
        return []
    _empty(row)
    return [row]


def lapse_documents(
    uow: UnitOfWork, actor: Identity, words: str, account_id: str | None = None, most: int = 100
) -> int:
    """Take back requests for documents that nobody decided on, and forget the document; tell how many.

    Args:
        uow: A writing unit of work.
        actor: Who does it.
        words: Why.
        account_id: The account that ends; without one, those whose time is over are taken back.
        most: How many at once.
    """
    due = (
        RightChange.expires_at <= uow.clock.now()
        if account_id is None
        else RightChange.object_id == account_id
    )
    query = select(RightChange).where(
        RightChange.state == DecisionState.OPEN, RightChange.document_cipher.is_not(None), due
    )
    query = query.order_by(RightChange.id).limit(most).with_for_update(skip_locked=True)
    changes = uow.session.scalars(query).all()
    for change in changes:
        change.state, change.decided_by = DecisionState.WITHDRAWN, actor.id
        change.decided_at, change.document_cipher = uow.clock.now(), None
        change.decision_cipher = encrypted_reason(uow, change.object_id, words)
        uow.session.flush()
        uow.record(
            Act(
                kind=ActKind.RIGHT_WITHDRAWN,
                actor=actor,
                object_type="right-change",
                object_id=change.id,
                subject=change.object_id,
                reasons=[change.kind],
                rows=[change],
            )
        )
    return len(changes)


def documented(uow: UnitOfWork) -> frozenset[str]:
    """Give the accounts of which a document is kept."""
    kept = select(AccountDocument.account_id).where(AccountDocument.code_hash.is_not(None))
    return frozenset(uow.session.scalars(kept))


def officials(uow: UnitOfWork) -> Mapping[str, Official]:
    """Give everybody with a running account, by account id."""
    kept = {
        row.account_id: DocumentHash(row.scheme, row.code_hash)
        for row in uow.session.scalars(select(AccountDocument))
        if row.scheme is not None and row.code_hash is not None
    }
    running = uow.session.scalars(select(Account).where(Account.ended_at.is_(None)))
    return {one.id: Official(frozenset(posts_of(one)), kept.get(one.id)) for one in running}


def coverage(uow: UnitOfWork, who: Identity | None = None) -> Coverage:
    """Count officials, and those without a document: everybody's, or those that somebody supervises."""
    everybody = who is None or who.has(Role.AUDIT_ADMIN)
    within: ColumnElement[bool] = true() if everybody or who is None else reached(Account.organisation, who)
    kept = exists().where(AccountDocument.account_id == Account.id, AccountDocument.code_hash.is_not(None))
    running = select(func.count()).select_from(Account).where(Account.ended_at.is_(None), within)
    count = uow.session.scalar
    return Coverage(officials=count(running) or 0, without=count(running.where(~kept)) or 0)


def _empty(row: AccountDocument) -> None:
    row.scheme, row.code_hash = None, None


def _record(
    uow: UnitOfWork, kind: ActKind, actor: Identity, rows: Collection[AccountDocument | RightChange]
) -> None:
    uow.session.flush()
    account_id = next(row.account_id for row in rows if isinstance(row, AccountDocument))
    uow.record(
        Act(
            kind=kind,
            actor=actor,
            object_type="account",
            object_id=account_id,
            subject=account_id,
            rows=list(rows),
        )
    )
