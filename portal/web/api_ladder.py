# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/rungs``: commitments, cooperation of departments and later supply for a calling system."""

from typing import Annotated, Any, Final, Literal

from apiflask import APIBlueprint
from flask import Response, json, url_for
from pydantic import Field

from licenses.ladder.services import LONGEST, Happening
from licenses.ladder.states import RungEventKind
from portal.web import context, signed
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.schemas import PLAIN, Body
from storage.clock import rfc3339
from storage.database import UnitOfWork

blueprint = APIBlueprint("ladder_api", __name__, url_prefix="/api/v1/rungs", tag="Proofs")
_ID, _AT = "4h2n6v8k0m2p4r6t8w0y2a4c6e", "2026-11-24T03:00:00.000000Z"
_RUNG: Final[dict[str, Any]] = {
    "id": _ID,
    "case": {"source": "ycsl", "number": "YC-2026-000140"},
    "requirement": "R2",
    "kind": "commitment",
    "state": "accepted",
    "due": _AT,
    "asked": "wjw",
    "answer": {"holds": True, "valid_until": "2026-12-24"},
    "events": [{"kind": "told", "at": _AT, "organisation": "scjg", "words": ""}],
    "can": ["confirmed", "found-false"],
}
_PROMISE: Final = {"log": "cunzheng.example/log", "core_sha256": "ab" * 32, "redeem_by": _AT}
_NULLABLE: Final = ("due", "asked", "answer")
_MADE: Final[dict[str, Any]] = {"rung": _RUNG, "promise": _PROMISE}


class RungBody(Body):
    """Which rung is taken for which requirement of which answer."""

    decision: Annotated[str, Field(min_length=1, max_length=26, pattern=PLAIN)]
    requirement: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,9}$")]
    kind: Literal["commitment", "cooperation", "supply_later", "citizen_upload"]


class RungEventBody(Body):
    """What happened to it."""

    kind: Literal[
        "committed", "dropped", "accepted", "confirmed", "found-false", "rectified", "revoked", "supplied"
    ]
    words: Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


RUNG_EXAMPLE: Final[dict[str, Any]] = {"decision": _ID, "requirement": "R2", "kind": "commitment"}
RUNG_EVENT_EXAMPLE: Final[dict[str, Any]] = {"kind": "committed", "words": "申请人已签署承诺书"}


@blueprint.post("")
@blueprint.input(RungBody, arg_name="body", example=RUNG_EXAMPLE)
@blueprint.doc(
    summary="Take a rung that an own answer offers: commitment, cooperation, later supply, collection",
    security="key",
    responses=by_status({201: answers("It was taken", _MADE, _NULLABLE)}),
)
@allow(scopes=("ask",), records=("rung.taken", "rung.read", "access.refused"), signed=True)
def take(body: RungBody) -> Response:
    """Take a rung; the operator must be named."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        signed.take(uow)
        row, promise = rooms.ladder.take(uow, who, body.decision, body.requirement, body.kind)
        shown = _shown(uow, row.id)
    answer = Response(
        json.dumps({"rung": shown, "promise": promise.as_json()}), 201, mimetype="application/json"
    )
    answer.headers["Location"] = url_for("ladder_api.show", rung_id=row.id)
    return answer


@blueprint.get("/<rung_id>")
@blueprint.doc(
    summary="A rung that the client took: state, deadline, what happened, a department's answer",
    security="key",
    responses=by_status({200: answers("The rung", _RUNG, _NULLABLE)}),
)
@allow(scopes=("ask",), records=("rung.read", "access.refused"))
def show(rung_id: str) -> dict[str, Any]:
    """Give a rung."""
    with context.rooms().database.writing() as uow:
        return _shown(uow, rung_id)


@blueprint.post("/<rung_id>/events")
@blueprint.input(RungEventBody, arg_name="body", example=RUNG_EVENT_EXAMPLE)
@blueprint.doc(
    summary="Say what happened to a rung: committed, accepted, checked, supplied …",
    security="key",
    responses=by_status({200: answers("It was recorded", _MADE, _NULLABLE)}),
)
@allow(scopes=("ask",), records=("rung.changed", "rung.read", "access.refused"), signed=True)
def happen(rung_id: str, body: RungEventBody) -> dict[str, Any]:
    """Record what happened; the operator must be named."""
    rooms, who = context.rooms(), context.identity()
    happening = Happening(RungEventKind(body.kind), body.words, signed=signed.signed_request())
    with rooms.database.writing() as uow:
        signed.take(uow)
        _, promise = rooms.ladder.happen(uow, who, rung_id, happening)
        return {"rung": _shown(uow, rung_id), "promise": promise.as_json()}


def _shown(uow: UnitOfWork, rung_id: str) -> dict[str, Any]:
    view = context.rooms().ladder.view(uow, context.identity(), rung_id)
    row, answer = view.row, view.assertion
    signed.check_purpose(row.purpose)
    return {
        "id": row.id,
        "case": {"source": view.case.source, "number": view.case.number},
        "requirement": row.requirement,
        "kind": row.kind,
        "state": row.state,
        "due": rfc3339(row.due) if row.due else None,
        "asked": row.asked,
        "answer": {"holds": answer.holds, "valid_until": answer.valid_until.isoformat()} if answer else None,
        "events": [
            {
                "kind": str(one.kind),
                "at": rfc3339(one.at),
                "organisation": one.organisation,
                "words": one.words,
            }
            for one in view.events
        ],
        "can": sorted(str(one) for one in view.can),
    }
