# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/authorisation-codes``: codes by which a licence is used on somebody's authority."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response, json, url_for

from licenses.codes.services import CodeWish, Mode
from licenses.models import License
from portal.web import context, signed
from portal.web.access import allow
from portal.web.api_copies import copy_json
from portal.web.api_licences import licence_json
from portal.web.documented import answers, by_status
from portal.web.examples import AUTHORISATION_CODE, COPY, COPY_NULLABLE, LICENCE, LICENCE_NULLABLE
from portal.web.schemas import CODE_EXAMPLE, REDEEM_EXAMPLE, CodeBody, PartyBody, RedeemBody
from storage.clock import rfc3339
from storage.database import UnitOfWork
from storage.identity import Basis, Identity

blueprint = APIBlueprint(
    "codes", __name__, url_prefix="/api/v1/authorisation-codes", tag="Authorisation codes"
)


@blueprint.post("")
@blueprint.input(CodeBody, arg_name="body", example=CODE_EXAMPLE)
@blueprint.doc(
    summary="A code for the open case of the Access headers: for the signed-in holder, or by the item's rule",
    security="key",
    responses=by_status({201: answers("The code, shown this one time", AUTHORISATION_CODE)}),
)
@allow(scopes=("read",), records=("code.made", "access.refused"), signed=True)
def make(body: CodeBody) -> tuple[dict[str, Any], int]:
    """Make a code; the holder sees it and can revoke it."""
    rooms = context.rooms()
    wish = CodeWish(body.identifier, Mode(body.mode), minutes=body.minutes, party=_party(body.party))
    with rooms.database.writing() as uow:
        signed.take(uow)
        made = rooms.codes.make(uow, context.identity(), wish)
    return {"id": made.id, "code": made.secret, "expires_at": rfc3339(made.expires_at)}, 201


@blueprint.post("/licence")
@blueprint.input(RedeemBody, arg_name="body", example=REDEEM_EXAMPLE)
@blueprint.doc(
    summary="Read the licence that a code is for; wrong, expired, revoked and used-up codes look alike",
    security="key",
    responses=by_status(
        {200: answers("The licence, sensitive fields masked", LICENCE, LICENCE_NULLABLE, ("face",))}
    ),
)
@allow(scopes=("read",), records=("code.used", "license.read", "access.refused"))
def read(body: RedeemBody) -> dict[str, Any]:
    """Use a code to read its licence."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        who, license_ = _redeemed(uow, body)
        return licence_json(rooms.license_reader.show(uow, who, license_))


@blueprint.post("/copy")
@blueprint.input(RedeemBody, arg_name="body", example=REDEEM_EXAMPLE)
@blueprint.doc(
    summary="Have an annotated copy made of the licence that a code is for",
    security="key",
    responses=by_status({202: answers("Ordered; it is made within seconds", COPY, COPY_NULLABLE)}),
)
@allow(scopes=("read",), records=("code.used", "copy.ordered", "copy.refused", "access.refused"), signed=True)
def copy(body: RedeemBody) -> Response:
    """Use a code to have a copy made."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        signed.take(uow)
        who, license_ = _redeemed(uow, body)
        told = copy_json(rooms.copies.order_for(uow, who, license_))
    answer = Response(json.dumps(told), 202, mimetype="application/json")
    answer.headers["Location"] = url_for("copies.show", copy_id=told["id"])
    return answer


def _redeemed(uow: UnitOfWork, body: RedeemBody) -> tuple[Identity, License]:
    """Use a code; what a system made for a case is for the purpose of the token alone.

    What the holder authorised is for the holder's purpose, which is none that tokens know.
    """
    who, license_ = context.rooms().codes.redeem(uow, context.identity(), body.code, _party(body.party))
    if who.basis is not None and who.basis.kind is Basis.CASE:
        signed.check_purpose(who.basis.purpose)
    return who, license_


def _party(body: PartyBody | None) -> tuple[str, str] | None:
    return (body.scheme, body.code) if body is not None else None
