# SPDX-License-Identifier: Apache-2.0
"""Changes of rights by two persons: a system administrator asks, a security administrator decides.

Guarantees: nobody's rights change without a recorded request and a recorded approval by another person, who
is not the one concerned; what was asked for is what is granted, for seven days. The audit administrator sees
every request and decision (docs/decisions/0019-second-person.md).
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from cases.organisations import organisations
from licenses.grants.errors import GrantUnknownError
from licenses.grants.services import GrantView, every_grant, running_grant
from licenses.grants.terms import NewGrant, check_terms
from portal.accounts import rights
from portal.accounts.carrying import ChangeKind, carry_out, running_account, running_client
from portal.accounts.documents import demand_document, masked_document, stated_document
from portal.accounts.errors import (
    ChangeClosedError,
    ChangeUnknownError,
    ClientUnknownError,
    SecondPersonError,
)
from portal.accounts.models import ADMINISTRATION, Account, RightChange
from portal.accounts.operators import check_operators
from portal.accounts.posts import posts_of
from portal.accounts.requesting import new_request, record_decision, record_request
from portal.accounts.rights import ADMINISTRATORS, NewAccount, NewClient
from portal.accounts.second_person import DecisionState
from portal.accounts.services import new_secret, secret_hash
from portal.clients.keys import key_terms
from storage.clock import legal_date, rfc3339
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import Identity, Role
from storage.ledger.acts import Promise


@dataclass(frozen=True, slots=True)
class ChangeView:
    """A change as administrators see it.

    Attributes:
        row: Its row.
        name: The person or system concerned.
        reason: Why it was asked for.
        decision: Why it was decided so; empty until then.
        before: Roles by organisation that the account concerned holds now.
        late: Whether its time is over.
        document: Scheme and masked number of an identity document that waits for a decision; empty otherwise.
    """

    row: RightChange
    name: str
    reason: str
    decision: str
    before: Mapping[str, frozenset[Role]]
    late: bool
    document: tuple[str, str]


class RightChanges:
    """Takes requests for rights, has them decided by somebody else, and carries out what was approved."""

    def add_account(self, uow: UnitOfWork, identity: Identity, new: NewAccount, reason: str) -> RightChange:
        """Ask for a new person.

        Raises:
            NotPermittedError: The caller is no system administrator.
            InvalidInputError, RolesExcludeError: It could not be carried out.
        """
        rights.check_account(new)
        terms = {"organisation": _known(new.organisation), "roles": sorted(map(str, new.roles))}
        change = new_request(uow, identity, ChangeKind.ACCOUNT_ADD, uow.ids.new_id(), terms, reason)
        change.name_cipher = uow.secrets.encrypt(change.object_id, new.name.strip().encode())
        record_request(uow, identity, change)
        return change

    def change_post(
        self,
        uow: UnitOfWork,
        identity: Identity,
        account_id: str,
        organisation: str,
        roles: frozenset[Role],
        reason: str,
    ) -> RightChange:
        """Ask for other roles of an account in an organisation; none takes the post away.

        Raises:
            NotPermittedError: The caller is no system administrator.
            AccountUnknownError: No running account has this id.
            InvalidInputError, RolesExcludeError: It could not be carried out.
        """
        account = running_account(uow, account_id)
        held = posts_of(account) | {_known(organisation): roles}
        if together := frozenset().union(*held.values()):
            rights.check_roles(together)
        terms = {"organisation": organisation, "roles": sorted(map(str, roles))}
        change = new_request(uow, identity, ChangeKind.ACCOUNT_POST, account_id, terms, reason)
        record_request(uow, identity, change)
        return change

    def end_account(self, uow: UnitOfWork, identity: Identity, account_id: str, reason: str) -> RightChange:
        """Ask for the end of an account.

        Raises:
            NotPermittedError: The caller is no system administrator.
            AccountUnknownError: No running account has this id.
        """
        organisation = running_account(uow, account_id).organisation
        terms = {"organisation": organisation}
        change = new_request(uow, identity, ChangeKind.ACCOUNT_END, account_id, terms, reason)
        record_request(uow, identity, change)
        return change

    def state_document(
        self, uow: UnitOfWork, identity: Identity, account_id: str, scheme: str, code: str, reason: str
    ) -> RightChange:
        """Ask that an identity document be kept of an account, by its keyed hash, in the place of another.

        Raises:
            NotPermittedError: The caller is no system administrator.
            AccountUnknownError: No running account has this id.
            InvalidInputError: It is no person's document, or its number does not fit its scheme.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        terms = {"organisation": running_account(uow, account_id).organisation}
        document = stated_document(uow, account_id, scheme, code)
        change = new_request(uow, identity, ChangeKind.ACCOUNT_DOCUMENT, account_id, terms, reason)
        change.document_cipher = document
        record_request(uow, identity, change)
        return change

    def end_document(self, uow: UnitOfWork, identity: Identity, account_id: str, reason: str) -> RightChange:
        """Ask that what is kept of an account's identity document be removed.

        Raises:
            NotPermittedError: The caller is no system administrator.
            AccountUnknownError: No running account has this id.
            AccountDocumentMissingError: Nothing is kept.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        terms = {"organisation": running_account(uow, account_id).organisation}
        demand_document(uow, account_id)
        change = new_request(uow, identity, ChangeKind.ACCOUNT_DOCUMENT_END, account_id, terms, reason)
        record_request(uow, identity, change)
        return change

    def add_client(
        self, uow: UnitOfWork, identity: Identity, new: NewClient, reason: str
    ) -> tuple[RightChange, str]:
        """Ask for a new system; give the request and the key, which is told this once and opens nothing yet.

        Raises:
            NotPermittedError: The caller is no system administrator.
            InvalidInputError: It could not be carried out.
        """
        rights.check_client(new, uow.clock.now())
        check_operators(uow, new.operators)
        terms = {
            "name": new.name,
            "organisation": _known(new.organisation),
            "sources": sorted(new.sources),
            "scopes": sorted(new.scopes),
            "items": sorted(new.items),
            "operators": sorted(new.operators),
            "expires_at": rfc3339(new.expires_at),
        }
        change = new_request(uow, identity, ChangeKind.CLIENT_ADD, uow.ids.new_id(), terms, reason)
        key = new_secret(uow.ids)
        change.key_hash = secret_hash(key)
        record_request(uow, identity, change)
        return change, key

    def end_client(self, uow: UnitOfWork, identity: Identity, client_id: str, reason: str) -> RightChange:
        """Ask for the end of a system's access.

        Raises:
            NotPermittedError: The caller is no system administrator.
            ClientUnknownError: No running client has this id.
        """
        client = running_client(uow, client_id)
        terms = {"name": client.name, "organisation": client.organisation}
        change = new_request(uow, identity, ChangeKind.CLIENT_END, client_id, terms, reason)
        record_request(uow, identity, change)
        return change

    def change_key(
        self, uow: UnitOfWork, identity: Identity, kind: ChangeKind, client_id: str, stated: str, reason: str
    ) -> RightChange:
        """Ask for another public key of a system (its JWK), or for the end of one (its id).

        Raises:
            NotPermittedError: The caller is no system administrator.
            ClientUnknownError: No running client has this id.
            InvalidInputError, ConflictError: See :func:`portal.clients.keys.key_terms`.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        client = running_client(uow, client_id)
        about = key_terms(uow, client_id, stated, adds=kind is ChangeKind.CLIENT_KEY_ADD)
        terms = {"name": client.name, "organisation": client.organisation, **about}
        change = new_request(uow, identity, kind, client_id, terms, reason)
        record_request(uow, identity, change)
        return change

    def add_grant(
        self, uow: UnitOfWork, identity: Identity, new: NewGrant, reason: str, replaces: str | None = None
    ) -> RightChange:
        """Ask for a grant of use, to take the place of another one if that is named.

        Raises:
            NotPermittedError: The caller is no system administrator.
            ClientUnknownError, GrantUnknownError: The system, or the grant to be replaced, is not running, or
                is another organisation's.
            InvalidInputError: It could not be carried out.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        check_terms(new, legal_date(uow.clock.now()))
        _known(new.organisation)
        name = _caller(uow, new.client_id, new.organisation)
        if replaces is not None and running_grant(uow, replaces).organisation != new.organisation:
            raise GrantUnknownError
        terms = new.as_terms() | {"name": name, "replaces": replaces}
        change = new_request(uow, identity, ChangeKind.GRANT_ADD, uow.ids.new_id(), terms, reason)
        record_request(uow, identity, change)
        return change

    def end_grant(self, uow: UnitOfWork, identity: Identity, grant_id: str, reason: str) -> RightChange:
        """Ask for the end of a grant of use.

        Raises:
            NotPermittedError: The caller is no system administrator.
            GrantUnknownError: No running grant has this id.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        grant = running_grant(uow, grant_id)
        terms = {"name": "", "organisation": grant.organisation}
        change = new_request(uow, identity, ChangeKind.GRANT_END, grant_id, terms, reason)
        record_request(uow, identity, change)
        return change

    def grants(self, uow: UnitOfWork, identity: Identity) -> list[GrantView]:
        """Give every grant of use, ended ones last.

        Raises:
            NotPermittedError: The caller is none of the three administrators.
        """
        identity.demand(*ADMINISTRATORS)
        return every_grant(uow)

    def approve(self, uow: UnitOfWork, identity: Identity, change_id: str, reason: str) -> Promise:
        """Approve a change and carry it out.

        Raises:
            NotPermittedError: The caller is no security administrator.
            ChangeUnknownError: There is no such change.
            ChangeClosedError: It was decided, or its seven days are over.
            SecondPersonError: The caller asked for it, or it concerns the caller.
            AccountUnknownError, ClientUnknownError, GrantUnknownError, RolesExcludeError,
                LastAdministratorError: It cannot be carried out any more; it stays open.
        """
        change = self._to_decide(uow, identity, change_id)
        promise = record_decision(uow, identity, change, DecisionState.APPROVED, reason)
        carry_out(uow, identity, change)
        return promise

    def refuse(self, uow: UnitOfWork, identity: Identity, change_id: str, reason: str) -> Promise:
        """Refuse a change.

        Raises:
            NotPermittedError, ChangeUnknownError, ChangeClosedError, SecondPersonError: As :meth:`approve`.
        """
        change = self._to_decide(uow, identity, change_id)
        return record_decision(uow, identity, change, DecisionState.REFUSED, reason)

    def withdraw(self, uow: UnitOfWork, identity: Identity, change_id: str, reason: str) -> Promise:
        """Take one's own request back.

        Raises:
            NotPermittedError: The caller is no system administrator.
            ChangeUnknownError: The caller has asked for no such change.
            ChangeClosedError: It was decided.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        change = uow.session.get(RightChange, change_id)
        if change is None or change.requested_by != identity.id:
            raise ChangeUnknownError
        if change.state != DecisionState.OPEN:
            raise ChangeClosedError
        return record_decision(uow, identity, change, DecisionState.WITHDRAWN, reason)

    def open(self, uow: UnitOfWork, identity: Identity) -> list[ChangeView]:
        """Give the changes that wait for a decision, the oldest first.

        Raises:
            NotPermittedError: The caller is none of the three administrators.
        """
        identity.demand(*ADMINISTRATORS)
        waiting = select(RightChange).where(
            RightChange.state == DecisionState.OPEN, RightChange.expires_at > uow.clock.now()
        )
        found = uow.session.scalars(waiting.order_by(RightChange.requested_at, RightChange.id))
        return self._views(uow, found.all())

    def past(self, uow: UnitOfWork, identity: Identity, most: int = 50) -> list[ChangeView]:
        """Give the newest changes that were decided or whose time is over.

        Raises:
            NotPermittedError: The caller is none of the three administrators.
        """
        identity.demand(*ADMINISTRATORS)
        over = (RightChange.state != DecisionState.OPEN) | (RightChange.expires_at <= uow.clock.now())
        newest = select(RightChange).where(over).order_by(RightChange.requested_at.desc(), RightChange.id)
        return self._views(uow, uow.session.scalars(newest.limit(most)).all())

    def _to_decide(self, uow: UnitOfWork, identity: Identity, change_id: str) -> RightChange:
        identity.demand(Role.SECURITY_ADMIN)
        change = uow.session.get(RightChange, change_id)
        if change is None:
            raise ChangeUnknownError
        if change.state != DecisionState.OPEN or change.expires_at <= uow.clock.now():
            raise ChangeClosedError
        if identity.id in {change.requested_by, change.object_id}:
            raise SecondPersonError
        return change

    def _views(self, uow: UnitOfWork, rows: Sequence[RightChange]) -> list[ChangeView]:
        now = uow.clock.now()
        return [_view(uow, row, now) for row in rows]


def _view(uow: UnitOfWork, row: RightChange, now: dt.datetime) -> ChangeView:
    account = uow.session.get(Account, row.object_id)
    cipher = row.name_cipher if account is None else account.name_cipher
    name = str(row.terms.get("name", "")) if cipher is None else uow.secrets.decrypt(cipher).decode()
    late = row.expires_at <= now
    waits = row.state == DecisionState.OPEN and not late
    return ChangeView(
        row=row,
        name=name,
        reason=uow.secrets.decrypt(row.reason_cipher).decode(),
        decision="" if row.decision_cipher is None else uow.secrets.decrypt(row.decision_cipher).decode(),
        before={} if account is None else posts_of(account),
        late=row.state == DecisionState.OPEN and late,
        document=masked_document(uow, row) if waits else ("", ""),
    )


def _known(organisation: str) -> str:
    if organisation != ADMINISTRATION and organisations().get(organisation) is None:
        raise InvalidInputError(field="organisation", rule="a code of the tree of organisations")
    return organisation


def _caller(uow: UnitOfWork, client_id: str | None, organisation: str) -> str:
    """Give the name of the system that a grant is for; none where it is for each of the organisation."""
    if client_id is None:
        return ""
    client = running_client(uow, client_id)
    if client.organisation != organisation:
        raise ClientUnknownError
    return client.name
