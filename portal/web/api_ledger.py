# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/ledger`` and the published keys: what auditors, witnesses and holders of promises fetch.

Hashes, checkpoints and receipts are for everyone; entries, though without personal data, for auditors only.
"""

from typing import Final

from apiflask import APIBlueprint
from flask import Response, json

from portal.web import context
from portal.web.access import public
from portal.web.documented import binary, by_status, text
from portal.web.examples import CHECKPOINT, JWKS
from storage.errors import NotFoundError
from storage.identity import Identity, Role
from storage.ledger.reading import is_entries_path, read_checkpoint, read_tile, receipt_for
from storage.ledger.receipts import MEDIA_TYPE, SUFFIX

blueprint = APIBlueprint("ledger", __name__, tag="Ledger")
_HEX_LENGTH: Final = 64
_IMMUTABLE: Final = "public, max-age=31536000, immutable"
_SHORT: Final = "public, max-age=5"
_UNRECORDED: Final = "public by design, tells nothing about anybody"


def may_read_entries(who: Identity) -> bool:
    """Tell whether somebody is an auditor of the ledger."""
    return who.has(Role.SUPERVISOR, Role.AUDIT_ADMIN) or (who.has(Role.CLIENT) and "audit" in who.scopes)


def _answer(body: bytes, media_type: str, caching: str) -> Response:
    answer = Response(body, content_type=media_type)
    answer.headers["Cache-Control"] = caching
    return answer


@blueprint.get("/api/v1/ledger/checkpoint")
@blueprint.doc(
    summary="The newest checkpoint, a C2SP signed note",
    responses=by_status({200: text("A checkpoint", "text/plain", CHECKPOINT)}),
)
@public("anybody may watch the log", unrecorded=_UNRECORDED)
def checkpoint() -> Response:
    """Give the newest checkpoint."""
    with context.rooms().database.reading() as uow:
        return _answer(read_checkpoint(uow.session), "text/plain; charset=utf-8", _SHORT)


@blueprint.get("/api/v1/ledger/tile/<path:rest>")
@blueprint.doc(
    summary="A tile of hashes (C2SP tlog-tiles), or an entry bundle for auditors",
    security=[{}, {"key": []}],
    responses=by_status({200: binary("A tile or a bundle", "application/octet-stream")}),
)
@public("hashes are public; entries are checked in the view", unrecorded="tells nothing about anybody")
def tile(rest: str) -> Response:
    """Give a tile; entry bundles look missing to everybody but auditors."""
    path = f"tile/{rest}"
    if is_entries_path(path) and not may_read_entries(context.identity()):
        raise NotFoundError
    with context.rooms().database.reading() as uow:
        body = read_tile(uow.session, path)
    caching = "private, no-store" if is_entries_path(path) else _IMMUTABLE
    return _answer(body, "application/octet-stream", caching)


@blueprint.get("/api/v1/ledger/receipts/<act>")
@blueprint.doc(
    summary="The receipt of an act: an offline proof that redeems its promise",
    responses=by_status({200: text("A receipt", "text/plain", "c2sp.org/tlog-proof@v1\n…")}),
)
@public("who knows the act's id holds its promise; the id cannot be guessed", unrecorded=_UNRECORDED)
def receipt(act: str) -> Response:
    """Give the receipt of an act."""
    return receipt_answer(act)


def receipt_answer(act: str) -> Response:
    """Give the receipt of an act as a file.

    Raises:
        NotFoundError: no such act, or its receipt is not ready.
    """
    if len(act) != _HEX_LENGTH or not act.isascii():
        raise NotFoundError
    with context.rooms().database.reading() as uow:
        body = receipt_for(uow.session, act)
    answer = _answer(body, MEDIA_TYPE, "private, no-store")
    answer.headers["Content-Disposition"] = f'attachment; filename="{receipt_file(act)}"'
    return answer


def receipt_file(act: str) -> str:
    """Give the name under which the receipt of an act is downloaded."""
    return f"{act[:16]}{SUFFIX}"


@blueprint.get("/api/v1/ledger/key")
@blueprint.doc(
    summary="The ledger's verifier key (vkey)",
    responses=by_status({200: text("A vkey", "text/plain", "demo.cunzheng.invalid/log+1a2b3c4d+AQ…")}),
)
@public("verifiers need the key", unrecorded=_UNRECORDED)
def key() -> Response:
    """Give the verifier key."""
    return _answer(context.rooms().keys.log_key.encode() + b"\n", "text/plain; charset=utf-8", _SHORT)


@blueprint.get("/api/v1/trust/ca.pem")
@blueprint.doc(
    summary="The certificate that our seals chain to",
    responses=by_status({200: text("PEM", "application/x-pem-file", "-----BEGIN CERTIFICATE-----\n…")}),
)
@public("verifiers need the certificate", unrecorded=_UNRECORDED)
def trust() -> Response:
    """Give the certificate."""
    return _answer(context.rooms().keys.ca_pem, "application/x-pem-file", _SHORT)


@blueprint.get("/.well-known/jwks.json")
@blueprint.doc(
    summary="The keys of signed answers (RFC 7517)",
    responses=by_status(
        {200: {"description": "Keys", "content": {"application/jwk-set+json": {"example": JWKS}}}}
    ),
)
@public("verifiers need the keys", unrecorded=_UNRECORDED)
def jwks() -> Response:
    """Give the keys."""
    return _answer(json.dumps(context.rooms().keys.jwks).encode(), "application/jwk-set+json", _SHORT)
