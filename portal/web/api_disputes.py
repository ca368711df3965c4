# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/disputes``: another office contests a licence that it was shown, and reads the answer."""

from typing import Annotated, Any, Final, Self

from apiflask import APIBlueprint
from flask import Response, json, url_for
from pydantic import AfterValidator, Field, model_validator

from licenses.disputes import Dispute, DisputeView, dispute_reasons
from portal.web import context
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.examples import DISPUTE, DISPUTE_MADE
from portal.web.schemas import PLAIN, Body, Code, plain
from storage.clock import rfc3339

blueprint = APIBlueprint("disputes_api", __name__, url_prefix="/api/v1/disputes", tag="Disputes")


class DisputeBody(Body):
    """What another office contests of a licence that it was shown."""

    identifier: Annotated[str, Field(min_length=1, max_length=128, pattern=PLAIN)]
    code: Annotated[
        str | None,
        Field(pattern=r"^[0-9a-hjkmnp-tv-z]{26}$", description="Its verification code, or its holder."),
    ] = None
    holder_scheme: Annotated[str | None, Field(pattern=r"^[0-9]{3}$")] = None
    holder_code: Annotated[str | None, Field(min_length=1, max_length=40, pattern=PLAIN)] = None
    reason: Code
    words: Annotated[str, Field(min_length=1, max_length=500, pattern=PLAIN), AfterValidator(plain)]

    @model_validator(mode="after")
    def _check(self) -> Self:
        stated = self.holder_scheme is not None, self.holder_code is not None
        if stated not in {(False, False), (True, True)} or (self.code is None) is not stated[0]:
            raise ValueError("code, or holder_scheme and holder_code")
        return self


_EXAMPLE: Final[dict[str, Any]] = {
    "identifier": "1.2.156.3005.2.11100000MB0143028R001.11339999DEM0010178.DEMO000001.001.X",
    "code": "2pzhja9ctv1fffpq9enrkxjdz6",
    "reason": "face-wrong",
    "words": "经营场所与现场核查不一致",
}


@blueprint.post("")
@blueprint.input(DisputeBody, arg_name="body", example=_EXAMPLE)
@blueprint.doc(
    summary="Contest a licence by identifier and code or holder; the issuer answers in working days",
    security="key",
    responses=by_status({201: answers("It waits for its answer", DISPUTE_MADE)}),
)
@allow(scopes=("dispute",), records=("objection.opened", "access.refused"))
def raise_(body: DisputeBody) -> Response:
    """Take a dispute of a named operator."""
    rooms, who = context.rooms(), context.identity()
    holder = (body.holder_scheme, body.holder_code) if body.holder_scheme and body.holder_code else None
    dispute = Dispute(body.identifier, body.code or "", body.reason, body.words, holder)
    with rooms.database.writing() as uow:
        row, promise = rooms.disputes.open(uow, who, dispute)
        shown = _shown(rooms.disputes.own(uow, who, row.id))
    answer = Response(
        json.dumps({"dispute": shown, "promise": promise.as_json()}), 201, mimetype="application/json"
    )
    answer.headers["Location"] = url_for("disputes_api.show", dispute_id=row.id)
    return answer


@blueprint.get("/<dispute_id>")
@blueprint.doc(
    summary="One of the client's own disputes: how far it is, the answer, what came of it",
    security="key",
    responses=by_status({200: answers("The dispute", DISPUTE)}),
)
@allow(scopes=("dispute",), unrecorded="gives the asker's own dispute and its answer, no data of the holder")
def show(dispute_id: str) -> dict[str, Any]:
    """Give one of the client's own disputes."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        return _shown(rooms.disputes.own(uow, context.identity(), dispute_id))


def _shown(view: DisputeView) -> dict[str, Any]:
    seen = view.spoken.view
    row, reason = seen.row, seen.row.reason or ""
    zh, en = dispute_reasons().get(reason, (reason, reason))
    return {
        "id": row.id,
        "identifier": view.identifier,
        "reason": {"code": reason, "zh": zh, "en": en},
        "state": str(seen.state),
        "late": seen.late,
        "organisation": row.organisation,
        "opened_at": rfc3339(row.opened_at),
        "due_on": row.due_on.isoformat(),
        "answered_at": None if row.answered_at is None else rfc3339(row.answered_at),
        "answer": view.spoken.answer,
        "remedy": row.remedy,
        "correction": view.correction,
    }
