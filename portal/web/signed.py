# SPDX-License-Identifier: Apache-2.0
"""Calls that a client signs: who must, whether the signature holds, and that it is used once."""

from typing import cast

from flask import g, request

from licenses.purposes import is_purpose
from licenses.requests import SignedRequest
from portal.clients.errors import ClientKeyRequiredError, PurposeDiffersError
from portal.clients.once import take_once
from portal.clients.signatures import KEPT, Call, verify_call
from portal.web import context
from portal.web.access import Rule
from portal.web.counters import AUTHENTICATION_FAILED
from storage.database import UnitOfWork
from storage.errors import CunzhengError
from storage.identity import Identity, Role


def demand(rule: Rule, who: Identity) -> None:
    """Refuse a client's call that the rule wants signed and that is not, or not well.

    Raises:
        ClientKeyRequiredError: It came with an old shared key.
        SignatureInvalidError, ClockSkewError: See :func:`portal.clients.signatures.verify_call`.
    """
    if not who.has(Role.CLIENT):
        return
    presented = context.presented()
    if presented is None:
        if rule.needs_token(who):
            raise ClientKeyRequiredError
        return
    if not (rule.signed or rule.signed_with_key):
        return
    call = Call(request.method, _target(), _headers(), request.get_data())
    try:
        g.signed = verify_call(call, presented.signer, context.rooms().clock.now())
    except CunzhengError:
        context.counters().add(AUTHENTICATION_FAILED)
        raise


def signed_request() -> SignedRequest | None:
    """Give the signed call; ``None`` where a person asks."""
    return cast("SignedRequest | None", g.get("signed"))


def take(uow: UnitOfWork) -> None:
    """Use the call's nonce up, in the transaction in which the call has its effect.

    Raises:
        RequestReplayedError: It was used before.
    """
    call = signed_request()
    if call is not None:
        take_once(uow, "request", call.client_id, call.nonce, uow.clock.now() + KEPT)


def check_stated_purpose(who: Identity) -> None:
    """Refuse a call whose header states another published purpose than the token.

    None, and one made up, are left to the room, which looks at nothing for them.

    Raises:
        PurposeDiffersError: It is another one.
    """
    stated = request.headers.get("Access-Purpose")
    if is_purpose(stated) and who.has(Role.CLIENT):
        check_purpose(stated)


def check_purpose(purpose: str | None) -> None:
    """Refuse whatever is asked, read, taken or handed out for another purpose than the token's.

    Raises:
        PurposeDiffersError: It is another one.
    """
    presented = context.presented()
    if presented is not None and presented.purpose != purpose:
        raise PurposeDiffersError


def _target() -> str:
    """Give the address as the caller wrote it, by the name that the installation has outside."""
    path = str(request.environ.get("RAW_URI") or request.environ.get("REQUEST_URI") or request.full_path)
    return context.tokens().issuer + path.removesuffix("?")


def _headers() -> dict[str, str]:
    return {name.lower(): value for name, value in request.headers.items()}
