# SPDX-License-Identifier: Apache-2.0
"""Accounts of persons and keys of systems: who somebody is, before any room decides what they may do.

Guarantees: a login link works once; unknown, used, ended and expired secrets look the same from outside.
What an account may do is changed in :mod:`portal.accounts.changes` alone, by two persons.
"""

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import bindparam, exists, select

from portal.accounts.models import Account, Client, LoginLink, WebSession
from portal.accounts.operators import OPERATOR_RUNS, demand_operator, operator_runs
from portal.accounts.posts import identity_of, posts_of, roles_of
from portal.clients.errors import ApiKeyReplacedError
from portal.clients.models import ClientKey
from portal.errors import LoginLinkSpentError, UnauthenticatedError
from storage.clock import IdSource, rfc3339
from storage.database import UnitOfWork
from storage.errors import NotFoundError, NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind
from storage.looking import Looking

_ADMINISTRATORS: Final = (Role.SYSTEM, Role.SYSTEM_ADMIN)
_BY_KEY = select(
    Client.__table__, exists().where(ClientKey.client_id == Client.id).label("replaced"), OPERATOR_RUNS
).where(Client.key_hash == bindparam("key_hash"))
_SEEN_EVERY: Final = dt.timedelta(minutes=1)
_LINK_PROVES_FOR: Final = dt.timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A fresh web session; the token is told once."""

    token: str
    account: Account


@dataclass(frozen=True, slots=True)
class Present:
    """The person of a running session; ``unseen`` tells that its last request is to be written down."""

    identity: Identity
    unseen: bool


def new_secret(ids: IdSource) -> str:
    """Make a secret of 256 bits that fits into a URL and a header."""
    return base64.urlsafe_b64encode(ids.nonce() + ids.nonce()).rstrip(b"=").decode()


def secret_hash(secret: str) -> bytes:
    """Give what is stored of a secret."""
    return hashlib.sha256(secret.encode()).digest()


def client_runs(uow: UnitOfWork, client_id: str) -> bool:
    """Tell whether a calling system has neither ended nor is out of date."""
    client = uow.session.get(Client, client_id)
    return client is not None and client.ended_at is None and client.expires_at > uow.clock.now()


class AccountService:
    """Signs persons in and out, and tells who a secret belongs to."""

    def __init__(self, *, session_hours: int, login_link_minutes: int, idle_minutes: int = 60) -> None:
        self._session_life = dt.timedelta(hours=session_hours)
        self._idle = dt.timedelta(minutes=idle_minutes)
        self._link_life = dt.timedelta(minutes=login_link_minutes)

    def login_link(self, uow: UnitOfWork, identity: Identity, account_id: str) -> str:
        """Make a login link for an account; give its token, which is told this once.

        Raises:
            NotPermittedError: the caller is no administrator.
            NotFoundError: there is no such account, or it has ended.
        """
        identity.demand(*_ADMINISTRATORS)
        account = uow.session.get(Account, account_id)
        if account is None or account.ended_at is not None:
            raise NotFoundError
        token = new_secret(uow.ids)
        now = uow.clock.now()
        link = LoginLink(
            id=uow.ids.new_id(),
            account_id=account.id,
            token_hash=secret_hash(token),
            made_at=now,
            expires_at=now + self._link_life,
        )
        uow.session.add(link)
        uow.session.flush()
        uow.record(_about(ActKind.ACCOUNT_LINK_MADE, identity, account, link))
        return token

    def sign_in(self, uow: UnitOfWork, token: str) -> SignedIn:
        """Use a login link and start a web session.

        Raises:
            LoginLinkSpentError: the link is unknown, used or out of date.
        """
        now = uow.clock.now()
        link = uow.session.scalar(select(LoginLink).where(LoginLink.token_hash == secret_hash(token)))
        if link is None or link.used_at is not None or link.expires_at <= now:
            raise LoginLinkSpentError
        account = uow.session.get(Account, link.account_id)
        if account is None or account.ended_at is not None:
            raise LoginLinkSpentError
        link.used_at = now
        secret, started = self.start_session(uow, account, "link")
        actor = identity_of(account, session=started.id)
        if actor is None:
            raise LoginLinkSpentError
        uow.record(_about(ActKind.ACCOUNT_SIGNED_IN, actor, account, link))
        return SignedIn(secret, account)

    def start_session(self, uow: UnitOfWork, account: Account, means: str) -> tuple[str, WebSession]:
        """Start a web session; give its secret and its row. Who calls this records the signing in."""
        now, secret = uow.clock.now(), new_secret(uow.ids)
        started = WebSession(
            id=uow.ids.new_id(),
            account_id=account.id,
            token_hash=secret_hash(secret),
            started_at=now,
            expires_at=now + self._session_life,
            means=means,
            seen_at=now,
        )
        uow.session.add(started)
        uow.session.flush()
        return secret, started

    def sign_out(self, uow: UnitOfWork, token: str) -> None:
        """End the session; an unknown one is already ended."""
        session = uow.session.scalar(select(WebSession).where(WebSession.token_hash == secret_hash(token)))
        if session is not None and session.ended_at is None:
            session.ended_at = uow.clock.now()

    def running_sessions(self, uow: UnitOfWork, identity: Identity) -> list[WebSession]:
        """Give the caller's own sessions that have not ended, the newest first."""
        own = WebSession.account_id == identity.id, WebSession.ended_at.is_(None)
        newest = select(WebSession).where(*own).order_by(WebSession.started_at.desc(), WebSession.id)
        return [one for one in uow.session.scalars(newest) if self._runs(one, uow.clock.now())]

    def _runs(self, session: WebSession, now: dt.datetime) -> bool:
        seen = session.seen_at or session.started_at
        return session.ended_at is None and session.expires_at > now and seen + self._idle > now

    def end_other_sessions(self, uow: UnitOfWork, identity: Identity) -> Promise | None:
        """End the caller's own sessions but the one that asks; ``None`` when there are no others."""
        others = [one for one in self.running_sessions(uow, identity) if one.id != identity.session]
        for one in others:
            one.ended_at = uow.clock.now()
        if not others:
            return None
        act = Act(
            kind=ActKind.ACCOUNT_SESSIONS_ENDED,
            actor=identity,
            object_type="account",
            object_id=identity.id,
            subject=identity.id,
            notes={"sessions": [one.id for one in others]},
        )
        return uow.record(act)

    def person(self, uow: UnitOfWork, token: str) -> Identity | None:
        """Give the identity of a session's person, or ``None`` if the session is not running."""
        found = self.present(uow, token)
        return None if found is None else found.identity

    def present(self, uow: UnitOfWork, token: str) -> Present | None:
        """Give the person of a running session, and whether its use is to be written down."""
        now = uow.clock.now()
        session = uow.session.scalar(select(WebSession).where(WebSession.token_hash == secret_hash(token)))
        if session is None or not self._runs(session, now):
            return None
        account = uow.session.get(Account, session.account_id)
        who = None if account is None else identity_of(account, session.acting, session.id)
        unseen = now - (session.seen_at or session.started_at) >= _SEEN_EVERY
        return None if who is None else Present(who, unseen)

    def see(self, uow: UnitOfWork, identity: Identity) -> None:
        """Write down that the session is being used, so that it does not end as an idle one."""
        session = uow.session.get(WebSession, identity.session)
        now = uow.clock.now()
        if session is not None and now - (session.seen_at or session.started_at) >= _SEEN_EVERY:
            session.seen_at = now

    def posts(self, uow: UnitOfWork, identity: Identity) -> dict[str, frozenset[Role]]:
        """Give the caller's own roles by organisation."""
        account = uow.session.get(Account, identity.id)
        return {} if account is None else posts_of(account)

    def act_for(self, uow: UnitOfWork, identity: Identity, organisation: str) -> None:
        """Let the caller's session act in another of the caller's own posts.

        Raises:
            NotPermittedError: The caller has no post there.
        """
        session = uow.session.get(WebSession, identity.session) if identity.session else None
        if session is None or organisation not in self.posts(uow, identity):
            raise NotPermittedError
        session.acting = organisation

    def came_by_link(self, uow: UnitOfWork, identity: Identity) -> bool:
        """Tell whether the caller's session was started by a login link a short while ago."""
        session = uow.session.get(WebSession, identity.session) if identity.session else None
        if session is None or session.means != "link":
            return False
        return session.started_at + _LINK_PROVES_FOR > uow.clock.now()

    def identity(self, uow: UnitOfWork, account_id: str) -> Identity | None:
        """Give the identity of a person at the terminal, or ``None`` if there is no such running account."""
        account = uow.session.get(Account, account_id)
        return None if account is None else identity_of(account)

    def client(self, look: Looking, key: str, operator: str | None) -> Identity:
        """Give the identity of the client that holds the key, with the operator it names.

        Raises:
            UnauthenticatedError: the key is unknown, ended or out of date, or the operator is none.
            ApiKeyReplacedError: the client has registered a public key since.
        """
        # Every call of a client comes by here: the columns alone, by a statement that is made once.
        bound = {"key_hash": secret_hash(key), "operator": operator}
        client = look.connection.execute(_BY_KEY, bound).one_or_none()
        if client is None or client.ended_at is not None or client.expires_at <= look.clock.now():
            raise UnauthenticatedError
        if client.replaced:
            raise ApiKeyReplacedError
        demand_operator(client, operator)
        return Identity(
            kind="system",
            id=client.id,
            organisation=client.organisation,
            roles=frozenset({Role.CLIENT}),
            operator=operator,
            sources=frozenset(client.sources),
            scopes=frozenset(client.scopes),
            items=frozenset(client.items),
        )

    def naming(self, uow: UnitOfWork, identity: Identity, operator: str) -> Identity:
        """Give a client's identity with the operator that the body of its call names.

        Raises:
            UnauthenticatedError: the operator is not registered for it or has no running account, or a header
                names another one.
        """
        client = uow.session.get(Client, identity.id)
        if client is None or not operator_runs(uow, client.operators, operator):
            raise UnauthenticatedError
        if identity.operator not in {None, operator}:
            raise UnauthenticatedError
        return replace(identity, operator=operator)

    def name(self, uow: UnitOfWork, account_id: str) -> str:
        """Give a person's name, for the person's own pages.

        Raises:
            NotFoundError: there is no such account.
        """
        account = uow.session.get(Account, account_id)
        if account is None:
            raise NotFoundError
        return uow.secrets.decrypt(account.name_cipher).decode()

    def with_role(self, uow: UnitOfWork, role: Role) -> list[Account]:
        """Give the running accounts that hold a role, oldest first."""
        running = select(Account).where(Account.ended_at.is_(None)).order_by(Account.added_at, Account.id)
        return [account for account in uow.session.scalars(running) if role in roles_of(account)]


def _about(kind: ActKind, actor: Identity, account: Account, link: LoginLink) -> Act:
    """State what happened with a login link; its id ties the making to the use, its secret is not told."""
    return Act(
        kind=kind,
        actor=actor,
        object_type="account",
        object_id=account.id,
        subject=account.id,
        notes={"link": link.id, "expires_at": rfc3339(link.expires_at)},
    )
