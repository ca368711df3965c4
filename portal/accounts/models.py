# SPDX-License-Identifier: Apache-2.0
"""Tables of accounts: persons, API clients, login links, passwords, web sessions, changes of rights.

Secrets that we make are never stored, only their SHA-256: they are random and long, so a slow hash would add
nothing. Of passwords Argon2id is stored. Names of persons are encrypted under their account's key.
"""

import datetime as dt
from typing import Any, Final

from sqlalchemy import JSON, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant

ADMINISTRATION: Final = "office"
"""Organisation of those who administer the installation; it is no department and handles no cases."""

SCOPES: Final = ("announce", "file", "ask", "read", "audit", "subscribe", "dispute", "answer")
"""What a client may be allowed; ``audit`` reads the ledger's entries, ``subscribe`` is told of changes,
``dispute`` contests licences that it was shown."""


class Account(Base):
    """A person who works with the product; whatever roles they hold anywhere do not exclude each other.

    ``organisation`` and ``roles`` are the home post; ``posts`` gives the roles held in further organisations.
    """

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    posts: Mapped[dict[str, list[str]] | None] = mapped_column(JSON(none_as_null=True))
    added_at: Mapped[dt.datetime] = mapped_column(Instant)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)


class AccountDocument(Base):
    """Who an official is as a holder: scheme and keyed hash of the own identity document, never its number.

    Both are empty once it was removed or the account has ended.
    """

    __tablename__ = "account_document"

    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    scheme: Mapped[str | None] = mapped_column(String(3))
    code_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    set_at: Mapped[dt.datetime] = mapped_column(Instant)


class Client(Base):
    """Another system: what it may do, for which items, which persons it may name, until when."""

    __tablename__ = "client"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(120))
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    sources: Mapped[list[str]] = mapped_column(JSON)
    scopes: Mapped[list[str]] = mapped_column(JSON)
    items: Mapped[list[str]] = mapped_column(JSON)
    operators: Mapped[list[str]] = mapped_column(JSON)
    added_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)


class LoginLink(Base):
    """A link that signs a person in once."""

    __tablename__ = "login_link"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(26), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    used_at: Mapped[dt.datetime | None] = mapped_column(Instant)


class WebSession(Base):
    """A browser in which a person is signed in.

    ``means`` is how: ``link`` or ``password``; ``acting`` the organisation the person acts for, none = home;
    ``seen_at`` the last request, to the minute.
    """

    __tablename__ = "web_session"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(26), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    started_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    means: Mapped[str | None] = mapped_column(String(16))
    acting: Mapped[str | None] = mapped_column(String(64))
    seen_at: Mapped[dt.datetime | None] = mapped_column(Instant)


class Password(Base):
    """What a person signs in with beside links; ``failed`` are the instants of the last failures."""

    __tablename__ = "password"

    account_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    login_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    login_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    argon2: Mapped[str] = mapped_column(String(200))
    set_at: Mapped[dt.datetime] = mapped_column(Instant)
    failed: Mapped[list[str]] = mapped_column(JSON)


class SignInLock(Base):
    """Failures to sign in under one login name or from one address, and until when it is locked."""

    __tablename__ = "sign_in_lock"

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int] = mapped_column(Integer)
    locks: Mapped[int] = mapped_column(Integer)
    failed_at: Mapped[dt.datetime] = mapped_column(Instant, index=True)
    locked_until: Mapped[dt.datetime | None] = mapped_column(Instant)


class RightChange(Base):
    """A change of rights that one person requested and a second one approves or refuses.

    ``terms`` say what is to be changed, without names; ``name_cipher`` is a new person's name, ``key_hash`` a
    new system's key, ``document_cipher`` what is kept of an identity document until the change is decided.
    """

    __tablename__ = "right_change"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), index=True)
    object_id: Mapped[str] = mapped_column(String(26), index=True)
    organisation: Mapped[str] = mapped_column(String(64))
    terms: Mapped[dict[str, Any]] = mapped_column(JSON)
    name_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    key_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    document_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    reason_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    requested_by: Mapped[str] = mapped_column(String(26), index=True)
    requested_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(26))
    decided_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    decision_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
