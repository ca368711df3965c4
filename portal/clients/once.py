# SPDX-License-Identifier: Apache-2.0
"""What a client may send only once; whoever is second is refused, however close they come."""

import datetime as dt
import hashlib

from sqlalchemy import delete, insert
from sqlalchemy.exc import IntegrityError

from portal.clients.errors import RequestReplayedError
from portal.clients.models import ClientNonce
from storage.database import UnitOfWork


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
    digest = hashlib.sha256(f"{kind}\n{client_id}\n{value}".encode()).digest()
    row = {"digest": digest, "expires_at": until}
    try:
        uow.session.connection().execute(insert(ClientNonce.__table__), row)  # type: ignore[arg-type] # a mapped class has a Table
    except IntegrityError:
        raise RequestReplayedError from None


def forget_old(uow: UnitOfWork) -> int:
    """Remove what is too old to be accepted anyway; tell how many."""
    old = delete(ClientNonce).where(ClientNonce.expires_at <= uow.clock.now())
    return int(uow.session.connection().execute(old).rowcount)
