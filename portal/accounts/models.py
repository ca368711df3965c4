# SPDX-License-Identifier: Apache-2.0
"""Tables of accounts: persons, API clients, login links, web sessions.

Secrets are never stored, only their SHA-256: they are random and long, so a slow hash would add nothing.
Names of persons are encrypted under their account's key.
"""

import datetime as dt
from typing import Final

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant

ADMINISTRATION: Final = "office"
"""Organisation of those who administer the installation; it is no department and handles no cases."""
ADMINISTRATION_NAME: Final = {"zh": "系统管理", "en": "Administration"}

SCOPES: Final = ("announce", "file", "ask", "read", "verify", "audit")
"""What a client may be allowed; ``audit`` reads the ledger's entries."""


class Account(Base):
    """A person who works with the product, in one organisation, with roles that do not exclude each other."""

    __tablename__ = "account"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    organisation: Mapped[str] = mapped_column(String(64), index=True)
    roles: Mapped[list[str]] = mapped_column(JSON)
    added_at: Mapped[dt.datetime] = mapped_column(Instant)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)


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
    """A browser in which a person is signed in."""

    __tablename__ = "web_session"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    account_id: Mapped[str] = mapped_column(String(26), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    started_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)
