# SPDX-License-Identifier: Apache-2.0
"""Public keys of clients: read, registered, ended.

Nothing here asks who wants it: two persons do (:mod:`portal.accounts.changes`), or the client itself by a
call that a running key of its signed (:mod:`portal.web.api_client_keys`).
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey
from sqlalchemy import select

from portal.clients.errors import (
    ClientKeyInvalidError,
    ClientKeysFullError,
    ClientKeyTakenError,
    ClientKeyUnknownError,
)
from portal.clients.models import ClientKey
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

MOST_KEYS: Final = 5
"""Running keys of one client: the one in use, the next, and a few machines that change at their own pace."""
_MOST_TEXT: Final = 2000
_MEMBERS: Final = {("EC", "P-256"): ("crv", "kty", "x", "y"), ("OKP", "Ed25519"): ("crv", "kty", "x")}


def read_public(stated: str | Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """Give the thumbprint and the required members of a public key, from a JWK or its text.

    Raises:
        ClientKeyInvalidError: It is none, of another kind, or a private one.
    """
    found = _parsed(stated)
    if "d" in found:
        raise ClientKeyInvalidError(rule="private")
    members = _MEMBERS.get((str(found.get("kty")), str(found.get("crv"))))
    if members is None:
        raise ClientKeyInvalidError(rule="P-256 or Ed25519")
    public: dict[str, str | list[str]] = {name: str(found.get(name)) for name in members}
    try:
        key = ECKey.import_key(public) if found["kty"] == "EC" else OKPKey.import_key(public)
        key.get_op_key("verify")
        # The key's own spelling: one point has one thumbprint, however its numbers were padded.
        spelled = key.as_dict(private=False)
        return key.thumbprint(), {name: str(spelled[name]) for name in members}
    except (JoseError, ValueError, TypeError, KeyError):
        raise ClientKeyInvalidError(rule="no point of the curve") from None


def _parsed(stated: str | Mapping[str, Any]) -> Mapping[str, Any]:
    if isinstance(stated, str):
        if len(stated) > _MOST_TEXT:
            raise ClientKeyInvalidError(rule="size")
        try:
            stated = json.loads(stated)
        except (ValueError, RecursionError):
            raise ClientKeyInvalidError(rule="JSON") from None
    if not isinstance(stated, Mapping):
        raise ClientKeyInvalidError(rule="JSON")
    return stated


def running_keys(uow: UnitOfWork, client_id: str) -> list[ClientKey]:
    """Give the running keys of a client, the oldest first."""
    mine = ClientKey.client_id == client_id, ClientKey.ended_at.is_(None)
    return list(
        uow.session.scalars(select(ClientKey).where(*mine).order_by(ClientKey.added_at, ClientKey.kid))
    )


def clients_with_keys(uow: UnitOfWork) -> set[str]:
    """Give the ids of the clients that have a running key."""
    return set(
        uow.session.scalars(select(ClientKey.client_id).where(ClientKey.ended_at.is_(None)).distinct())
    )


def running_key(uow: UnitOfWork, client_id: str, kid: str) -> ClientKey:
    """Give a running key of a client.

    Raises:
        ClientKeyUnknownError: It has no such key, or the key has ended.
    """
    key = uow.session.get(ClientKey, kid)
    if key is None or key.client_id != client_id or key.ended_at is not None:
        raise ClientKeyUnknownError
    return key


def check_room(uow: UnitOfWork, client_id: str, kid: str) -> None:
    """Check that a key may be added to a client.

    Raises:
        ClientKeyTakenError, ClientKeysFullError: It may not.
    """
    if uow.session.get(ClientKey, kid) is not None:
        raise ClientKeyTakenError
    if len(running_keys(uow, client_id)) >= MOST_KEYS:
        raise ClientKeysFullError(most=MOST_KEYS)


def key_terms(uow: UnitOfWork, client_id: str, stated: str, *, adds: bool) -> dict[str, Any]:
    """Give what a change of rights says of a key that is to be added, by its JWK, or ended, by its id.

    Raises:
        ClientKeyInvalidError, ClientKeyTakenError, ClientKeysFullError, ClientKeyUnknownError: It cannot be.
    """
    if not adds:
        return {"kid": running_key(uow, client_id, stated).kid}
    kid, jwk = read_public(stated)
    check_room(uow, client_id, kid)
    return {"kid": kid, "jwk": jwk}


def add_key(uow: UnitOfWork, actor: Identity, client_id: str, stated: str | Mapping[str, Any]) -> ClientKey:
    """Register a public key of a client; its shared key opens nothing from then on.

    Raises:
        ClientKeyInvalidError: See :func:`read_public`.
        ClientKeyTakenError, ClientKeysFullError: See :func:`check_room`.
    """
    kid, jwk = read_public(stated)
    check_room(uow, client_id, kid)
    key = ClientKey(kid=kid, client_id=client_id, jwk=jwk, added_at=uow.clock.now(), ended_at=None)
    uow.session.add(key)
    _record(uow, ActKind.CLIENT_KEY_ADDED, actor, key)
    return key


def end_key(uow: UnitOfWork, actor: Identity, key: ClientKey) -> None:
    """End a key: no token that was given for it opens anything any more."""
    key.ended_at = uow.clock.now()
    _record(uow, ActKind.CLIENT_KEY_ENDED, actor, key)


def _record(uow: UnitOfWork, kind: ActKind, actor: Identity, key: ClientKey) -> None:
    uow.session.flush()
    uow.record(Act(kind=kind, actor=actor, object_type="client", object_id=key.client_id, rows=[key]))
