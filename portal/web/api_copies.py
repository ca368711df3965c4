# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/copies``: annotated copies of licences, made for an open case and handed out once by a link."""

from typing import Any

from apiflask import APIBlueprint
from flask import Response, json, url_for

from licenses.copies.checking import purpose_of
from licenses.copies.models import LicenseCopy
from licenses.layout import verification_url
from portal.web import context, signed
from portal.web.access import allow, public
from portal.web.documented import answers, binary, by_status
from portal.web.examples import COPY, COPY_LINK, COPY_NULLABLE
from portal.web.schemas import COPY_EXAMPLE, COPY_LINK_EXAMPLE, CopyBody, CopyLinkBody
from storage.clock import rfc3339
from storage.database import UnitOfWork
from storage.identity import Basis

blueprint = APIBlueprint("copies", __name__, url_prefix="/api/v1", tag="Copies")
PDF = "application/pdf"


def copy_json(copy: LicenseCopy) -> dict[str, Any]:
    """Give state and facts of a copy, nothing about its holder."""
    purpose, made = purpose_of(copy), copy.made_at
    address = verification_url(context.settings().public_url, copy.code)
    return {
        "id": copy.id,
        "state": copy.state,
        "reason": copy.reason,
        "purpose": {"code": purpose.code, "zh": purpose.zh, "en": purpose.en},
        "case": copy.case_id,
        "ordered_at": rfc3339(copy.ordered_at),
        "made_at": rfc3339(made) if made else None,
        "valid_until": copy.valid_until.isoformat(),
        "licence_status": copy.status,
        "original_sha256": copy.original_sha256,
        "sha256": copy.object_sha256,
        "size": copy.object_size,
        "verification": address if made else None,
    }


@blueprint.post("/licences/<identifier>/copies")
@blueprint.input(CopyBody, arg_name="body", example=COPY_EXAMPLE)
@blueprint.doc(
    summary="Have an annotated copy made for an open case, named in the Access headers",
    security="key",
    responses=by_status({202: answers("Ordered; it is made within seconds", COPY, COPY_NULLABLE)}),
)
@allow(scopes=("read",), records=("copy.ordered", "copy.refused", "access.refused"), signed=True)
def order(identifier: str, body: CopyBody) -> Response:
    """Order a copy; a licence that is not valid, or no published purpose, gives none."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        signed.take(uow)
        copy = rooms.copies.order(uow, context.identity(), identifier, body.days)
        told = copy_json(copy)
    answer = Response(json.dumps(told), 202, mimetype="application/json")
    answer.headers["Location"] = url_for("copies.show", copy_id=told["id"])
    return answer


@blueprint.get("/copies/<copy_id>")
@blueprint.doc(
    summary="State and facts of a copy, for who ordered it",
    security="key",
    responses=by_status({200: answers("The copy", COPY, COPY_NULLABLE)}),
)
@allow(scopes=("read",), unrecorded="tells the asker of the asker's own order, and nothing of the licence")
def show(copy_id: str) -> dict[str, Any]:
    """Tell how far a copy is."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        return copy_json(_own(uow, copy_id))


@blueprint.post("/copies/<copy_id>/links")
@blueprint.doc(
    summary="A link that hands the copy out once, for who ordered it; the token is shown this one time",
    security="key",
    responses=by_status({201: answers("The token and until when it is good", COPY_LINK)}),
)
@allow(
    scopes=("read",),
    unrecorded="hands nothing out: the use of the link is recorded, and a refusal",
    signed=True,
)
def link(copy_id: str) -> tuple[dict[str, Any], int]:
    """Make a one-time link."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        signed.take(uow)
        _own(uow, copy_id)
        token, until = rooms.copies.link(uow, context.identity(), copy_id)
    return {"token": token, "expires_at": rfc3339(until)}, 201


@blueprint.post("/copies/<copy_id>/download")
@blueprint.input(CopyLinkBody, arg_name="body", example=COPY_LINK_EXAMPLE)
@blueprint.doc(
    summary="The sealed copy, once, for whoever shows the token of a link; no key is needed",
    responses=by_status({200: binary("The copy, PDF/A-3", PDF)}),
)
@public("the token of a one-time link is the right", records=("copy.handed-out", "copy.refused"))
def download(copy_id: str, body: CopyLinkBody) -> Response:
    """Hand the copy out; the token is never good again."""
    return handed_out(copy_id, body.token)


def _own(uow: UnitOfWork, copy_id: str) -> LicenseCopy:
    """Give a copy of the caller's; what was ordered for a case is for the purpose of the token alone."""
    copy = context.rooms().copies.get(uow, context.identity(), copy_id)
    if copy.basis == Basis.CASE:
        signed.check_purpose(copy.purpose)
    return copy


def handed_out(copy_id: str, token: str) -> Response:
    """Hand a copy out for a token: its bytes are read before the token is used up."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        sha256 = rooms.copies.peek(uow, context.identity(), copy_id, token)
    data = rooms.objects.read(sha256)
    with rooms.database.writing() as uow:
        rooms.copies.hand_out(uow, context.identity(), copy_id, token)
    answer = Response(data, mimetype=PDF)
    answer.headers["Content-Disposition"] = f'attachment; filename="copy-{copy_id}.pdf"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
