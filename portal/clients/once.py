# SPDX-License-Identifier: Apache-2.0
"""What a client may send only once; whoever is second is refused, however close they come."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, delete, insert, select
from sqlalchemy.exc import IntegrityError

from portal.clients.errors import RequestReplayedError
from portal.clients.models import ClientNonce
from storage.database import UnitOfWork
from storage.inserting import insert_many

REQUEST: Final = "request"
_TAKEN: Final = select(ClientNonce.digest).where(ClientNonce.digest.in_(bindparam("digests", expanding=True)))


def take_once(uow: UnitOfWork, kind: str, client_id: str, value: str, until: dt.datetime) -> None:
    """Take a value in the caller's own transaction; a call that is rolled back has taken nothing.

    Args:
        uow: The transaction in which the call has its effect.
        kind: ``assertion`` or ``request``.
        client_id: Whose value it is; two clients may use the same.
        value: The value.
        until: When whatever carries it is too old anyway.

    Raises:
        RequestReplayedError: It was taken before.
    """
    row = {"digest": digest_of(kind, client_id, value), "expires_at": until}
    try:
        uow.session.connection().execute(insert(ClientNonce.__table__), row)  # type: ignore[arg-type] # a mapped class has a Table
    except IntegrityError:
        raise RequestReplayedError from None


def digest_of(kind: str, client_id: str, value: str) -> bytes:
    """Give the digest under which a value is remembered."""
    return hashlib.sha256(f"{kind}\n{client_id}\n{value}".encode()).digest()


def taken_already(uow: UnitOfWork, digests: Sequence[bytes]) -> set[bytes]:
    """Give those of some digests that were taken."""
    if not digests:
        return set()
    return set(uow.session.connection().execute(_TAKEN, {"digests": list(digests)}).scalars())


def take_all(uow: UnitOfWork, digests: Sequence[bytes], until: dt.datetime) -> None:
    """Take several values as :func:`take_once` takes each.

    Raises:
        RequestReplayedError: One of them was taken meanwhile; whoever asks alone learns whose.
    """
    rows = [{"digest": digest, "expires_at": until} for digest in digests]
    try:
        insert_many(uow.session.connection(), ClientNonce, rows)
    except IntegrityError:
        raise RequestReplayedError from None


def forget_old(uow: UnitOfWork) -> int:
    """Remove what is too old to be accepted anyway; tell how many."""
    old = delete(ClientNonce).where(ClientNonce.expires_at <= uow.clock.now())
    return int(uow.session.connection().execute(old).rowcount)
