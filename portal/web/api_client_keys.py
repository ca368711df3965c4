# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/client-keys``: a system's own public keys; a running one signs the next in, and old ones out."""

from typing import Annotated, Any, Final

from apiflask import APIBlueprint
from pydantic import StringConstraints

from portal.accounts.models import SCOPES
from portal.clients.errors import ClientKeyInUseError
from portal.clients.keys import add_key, end_key, running_key, running_keys
from portal.clients.models import ClientKey
from portal.web import context, signed
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.schemas import Body
from storage.clock import rfc3339

blueprint = APIBlueprint("client_keys", __name__, url_prefix="/api/v1/client-keys", tag="Tokens")
_Member = Annotated[str, StringConstraints(min_length=1, max_length=100)]
_KEY: Final[dict[str, Any]] = {
    "kid": "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    "added_at": "2026-11-30T02:00:00Z",
}
_JWK: Final = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


class PublicKeyBody(Body):
    """A public key; a private member is unknown here, and refused."""

    kty: _Member
    crv: _Member
    x: _Member
    y: _Member | None = None


class NoMembersBody(Body):
    """Nothing: the address says it all, and the signature covers that."""


@blueprint.get("")
@blueprint.doc(
    summary="The calling system's running public keys",
    security="key",
    responses=by_status({200: answers("The keys, oldest first", {"keys": [_KEY]})}),
)
@allow(scopes=SCOPES, unrecorded="tells a system of its own public keys")
def listed() -> dict[str, Any]:
    """Give the caller's own keys."""
    with context.rooms().database.reading() as uow:
        return {"keys": [_told(one) for one in running_keys(uow, context.identity().id)]}


@blueprint.post("")
@blueprint.input(PublicKeyBody, arg_name="body", example=_JWK)
@blueprint.doc(
    summary="Register the next public key, by a call that a running key signs",
    security="key",
    responses=by_status({201: answers("Registered; it is good at once", _KEY)}),
)
@allow(scopes=SCOPES, records=("client.key-added",), signed=True)
def register(body: PublicKeyBody) -> tuple[dict[str, Any], int]:
    """Register a key of the caller."""
    who = context.identity()
    with context.rooms().database.writing() as uow:
        signed.take(uow)
        return _told(add_key(uow, who, who.id, body.model_dump(exclude_none=True))), 201


@blueprint.post("/<kid>/end")
@blueprint.input(NoMembersBody, arg_name="body", example={})
@blueprint.doc(
    summary="End a public key of one's own, by a call that another one signs",
    security="key",
    responses=by_status({200: answers("The keys that are left", {"keys": [_KEY]})}),
)
@allow(scopes=SCOPES, records=("client.key-ended",), signed=True)
def end(kid: str, body: NoMembersBody) -> dict[str, Any]:  # noqa: ARG001 - the signature covers the empty body
    """End a key of the caller; the one that signs stays, so that nobody locks themselves out."""
    who, call = context.identity(), signed.signed_request()
    with context.rooms().database.writing() as uow:
        signed.take(uow)
        key = running_key(uow, who.id, kid)
        if call is not None and call.kid == key.kid:
            raise ClientKeyInUseError
        end_key(uow, who, key)
        return {"keys": [_told(one) for one in running_keys(uow, who.id)]}


def _told(key: ClientKey) -> dict[str, Any]:
    return {"kid": key.kid, "added_at": rfc3339(key.added_at)}
