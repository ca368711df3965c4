# SPDX-License-Identifier: Apache-2.0
"""Signing in by login name and password, and lock-out.

Guarantees: an unknown name is answered, locked and timed as a known one; an attempt that began before a lock
does not pass it. The caller verifies the password between :meth:`SignInService.begin` and
:meth:`SignInService.end`, outside both units of work.
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select

from portal.accounts.errors import (
    AccountUnknownError,
    LoginNameTakenError,
    SecondPersonError,
    SignInLockedError,
)
from portal.accounts.models import Account, Password, SignInLock
from portal.accounts.posts import identity_of
from portal.accounts.services import AccountService, SignedIn
from storage.clock import rfc3339
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
from storage.identity import PUBLIC, Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind

NAME_FAILURES: Final = 5
ADDRESS_FAILURES: Final = 20
"""Failures until a login name or an address is locked; an address may be a whole office's."""
FIRST_LOCK: Final = dt.timedelta(minutes=15)
LONGEST_LOCK: Final = dt.timedelta(hours=24)
"""The first lock; each further one is twice as long, up to the longest. A quiet day forgets them."""
SHOWN_FAILURES: Final = 10
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{2,31}")


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt to sign in: whose password to verify, ``kept`` being ``None`` for nobody's."""

    name: bytes
    address: bytes
    kept: str | None


@dataclass(frozen=True, slots=True)
class Own:
    """What a person may know of the own password.

    Attributes:
        login_name: The login name; empty before one was chosen.
        kept: What is kept of the password; ``None`` before one was set.
        set_at: When it was set.
        failed: Instants of the last failed attempts, newest first.
        locked_until: Until when signing in by password is locked.
        must_prove: Whether the present password must be given to set another.
    """

    login_name: str
    kept: str | None
    set_at: dt.datetime | None
    failed: tuple[str, ...]
    locked_until: dt.datetime | None
    must_prove: bool


class SignInService:
    """Signs persons in by password, sets passwords, locks and unlocks."""

    def __init__(self, accounts: AccountService) -> None:
        self._accounts = accounts

    def begin(self, uow: UnitOfWork, login_name: str, address: str) -> Attempt:
        """Look up what an attempt is measured by.

        Raises:
            SignInLockedError: The name or the address is locked.
        """
        name = _name_key(uow, login_name)
        where = uow.secrets.lookup_hash("sign-in-address", address)
        until = _locked_until(uow, name, where)
        if until is not None:
            raise SignInLockedError(until=rfc3339(until))
        kept = uow.session.scalar(select(Password.argon2).where(Password.login_hash == name))
        return Attempt(name, where, kept)

    def end(
        self, uow: UnitOfWork, attempt: Attempt, *, proved: bool, fresh: str | None = None
    ) -> SignedIn | None:
        """Start the session of who proved the password, or count the failure and give ``None``.

        Args:
            uow: A writing unit; it is committed in both cases.
            attempt: What :meth:`begin` gave.
            proved: Whether the password was verified.
            fresh: The password hashed with our present parameters, if it was kept with others.

        Raises:
            SignInLockedError: The name or the address was locked meanwhile.
        """
        until = _locked_until(uow, attempt.name, attempt.address)
        if until is not None:
            raise SignInLockedError(until=rfc3339(until))
        password = uow.session.scalar(select(Password).where(Password.login_hash == attempt.name))
        unchanged = password is not None and password.argon2 == attempt.kept
        started = self._start(uow, password) if proved and password is not None and unchanged else None
        if started is None:
            self._fail(uow, attempt, password)
            return None
        if password is not None and fresh is not None:
            password.argon2 = fresh
        uow.session.execute(delete(SignInLock).where(SignInLock.key_hash == attempt.name))
        return started

    def _start(self, uow: UnitOfWork, password: Password) -> SignedIn | None:
        account = uow.session.get(Account, password.account_id)
        if account is None or identity_of(account) is None:
            return None
        secret, session = self._accounts.start_session(uow, account, "password")
        actor = identity_of(account, session=session.id) or PUBLIC
        uow.record(_about(ActKind.ACCOUNT_SIGNED_IN, actor, account.id, {"means": "password"}))
        return SignedIn(secret, account)

    def _fail(self, uow: UnitOfWork, attempt: Attempt, password: Password | None) -> None:
        now = uow.clock.now()
        uow.session.execute(delete(SignInLock).where(SignInLock.failed_at < now - 2 * LONGEST_LOCK))
        if password is not None:
            password.failed = [rfc3339(now), *password.failed][:SHOWN_FAILURES]
        until = _count(uow, attempt.name, NAME_FAILURES)
        if until is not None and password is not None:
            notes = {"until": rfc3339(until)}
            uow.record(_about(ActKind.ACCOUNT_LOCKED, PUBLIC, password.account_id, notes))
        until = _count(uow, attempt.address, ADDRESS_FAILURES)
        if until is not None:
            uow.record(
                Act(
                    kind=ActKind.ADDRESS_LOCKED,
                    actor=PUBLIC,
                    object_type="address",
                    # The keyed hash: two locks of one address can be told, the address cannot.
                    object_id=attempt.address.hex()[:32],
                    notes={"until": rfc3339(until)},
                )
            )

    def own(self, uow: UnitOfWork, identity: Identity) -> Own:
        """Give what the caller may know of the own password."""
        row = uow.session.get(Password, identity.id)
        if row is None:
            return Own("", None, None, (), None, must_prove=False)
        until = _locked_until(uow, row.login_hash)
        name = uow.secrets.decrypt(row.login_cipher).decode()
        by_link = self._accounts.came_by_link(uow, identity)
        return Own(name, row.argon2, row.set_at, tuple(row.failed), until, must_prove=not by_link)

    def set_password(self, uow: UnitOfWork, identity: Identity, login_name: str, kept: str) -> Promise:
        """Set the caller's own login name and password, and end the caller's other sessions.

        Raises:
            InvalidInputError: The login name has another form.
            LoginNameTakenError: Another account has it.
        """
        if not _NAME.fullmatch(login_name):
            raise InvalidInputError(field="login_name", rule="3 to 32 of a-z 0-9 . _ -")
        key = _name_key(uow, login_name)
        holder = uow.session.scalar(select(Password.account_id).where(Password.login_hash == key))
        if holder not in {None, identity.id}:
            raise LoginNameTakenError
        row = uow.session.get(Password, identity.id)
        if row is None:
            row = Password(account_id=identity.id, failed=[])
            uow.session.add(row)
        row.login_hash = key
        row.login_cipher = uow.secrets.encrypt(identity.id, login_name.encode())
        row.argon2, row.set_at = kept, uow.clock.now()
        uow.session.flush()
        self._accounts.end_other_sessions(uow, identity)
        return uow.record(_about(ActKind.ACCOUNT_PASSWORD_SET, identity, identity.id, {}))

    def unlock(self, uow: UnitOfWork, identity: Identity, account_id: str) -> Promise:
        """Let an account sign in by password again.

        Raises:
            NotPermittedError: The caller is no security administrator.
            SecondPersonError: It is the caller's own account.
            AccountUnknownError: There is no such account, or it has no password.
        """
        identity.demand(Role.SECURITY_ADMIN)
        if account_id == identity.id:
            raise SecondPersonError
        row = uow.session.get(Password, account_id)
        if row is None:
            raise AccountUnknownError
        uow.session.execute(delete(SignInLock).where(SignInLock.key_hash == row.login_hash))
        return uow.record(_about(ActKind.ACCOUNT_UNLOCKED, identity, account_id, {}))

    def locked(self, uow: UnitOfWork) -> dict[str, dt.datetime]:
        """Give the accounts that are locked now and until when."""
        query = (
            select(Password.account_id, SignInLock.locked_until)
            .join(SignInLock, SignInLock.key_hash == Password.login_hash)
            .where(SignInLock.locked_until > uow.clock.now())
        )
        return {account: until for account, until in uow.session.execute(query) if until is not None}


def _name_key(uow: UnitOfWork, login_name: str) -> bytes:
    return uow.secrets.lookup_hash("login-name", login_name.strip().lower())


def _locked_until(uow: UnitOfWork, *keys: bytes) -> dt.datetime | None:
    """Give the latest instant until which one of the keys is locked, ``None`` if none is."""
    now = uow.clock.now()
    found = uow.session.scalars(
        select(SignInLock.locked_until).where(SignInLock.key_hash.in_(keys), SignInLock.locked_until > now)
    )
    return max((until for until in found if until is not None), default=None)


def _count(uow: UnitOfWork, key: bytes, most: int) -> dt.datetime | None:
    """Count a failure; give until when the key is locked if this one locks it."""
    now = uow.clock.now()
    row = uow.session.get(SignInLock, key)
    if row is None:
        row = SignInLock(key_hash=key, failures=0, locks=0, failed_at=now)
        uow.session.add(row)
    elif now - row.failed_at > LONGEST_LOCK:
        row.failures = row.locks = 0
    row.failures, row.failed_at = row.failures + 1, now
    if row.failures < most:
        return None
    row.failures, row.locks = 0, row.locks + 1
    row.locked_until = now + min(FIRST_LOCK * 2 ** min(row.locks - 1, 10), LONGEST_LOCK)
    return row.locked_until


def _about(kind: ActKind, actor: Identity, account_id: str, notes: dict[str, str]) -> Act:
    return Act(
        kind=kind,
        actor=actor,
        object_type="account",
        object_id=account_id,
        subject=account_id,
        notes=notes,
    )
