# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/proofs``: which proofs of an open case are established already? A signed answer."""

from collections.abc import Mapping
from typing import Any, Final, cast

import orjson
from apiflask import APIBlueprint
from flask import Response, current_app, request, url_for

from licenses.answers import verify_answer
from licenses.awaiting import awaited
from licenses.bundle import MEDIA_TYPE
from licenses.questions import ProofQuestion, SubjectHint
from licenses.requests import SignedRequest
from portal.answering import Answers, Asking, answer_of
from portal.clients.bundles import bundle
from portal.together import Together
from portal.web import context, signed
from portal.web.access import allow
from portal.web.documented import Described, answers, binary, by_status
from portal.web.examples import PROOF, PROOF_NULLABLE, PROOF_PENDING, PROOF_PENDING_NULLABLE
from portal.web.schemas import PROOF_EXAMPLE, ProofBody
from storage.clock import rfc3339
from storage.identity import Role
from storage.ledger.canonical import Json

blueprint = APIBlueprint("proofs", __name__, url_prefix="/api/v1/proofs", tag="No-proof")
JOSE: Final = "application/jose"
_WAITING_HEADERS: Final[Described] = {
    "headers": {
        "Retry-After": {"description": "Seconds until it is expected", "schema": {"type": "integer"}},
        "Location": {"description": "Gives this answer again", "schema": {"type": "string"}},
    }
}


@blueprint.post("")
@blueprint.input(ProofBody, arg_name="body", example=PROOF_EXAMPLE)
@blueprint.doc(
    summary="Ask which proofs of an open case are established; `Accept: application/jose` gives the bare JWS",
    security="key",
    responses=by_status(
        {
            200: answers("The signed answer (JWS, ES256), with its payload in clear", PROOF, PROOF_NULLABLE),
            202: answers(
                "The signed answer, and another department has still to answer: ask again after "
                "`Retry-After`, or subscribe to `proof.resolved`. `expected_at` is the deadline that runs",
                PROOF_PENDING,
                PROOF_PENDING_NULLABLE,
            )
            | _WAITING_HEADERS,
        }
    ),
)
@allow(
    scopes=("ask",),
    records=("proof.asked", "proof.answered", "proof.refused"),
    signed=True,
    questions=lambda body: [question_of(ProofBody.model_validate(body))],
)
def ask(body: ProofBody) -> Response:
    """Answer a no-proof question; every refusal stands in the ledger."""
    rooms, call = context.rooms(), signed.signed_request()
    signed.check_purpose(body.purpose)
    answered = answer_of(together(), (context.identity(), question_of(body, call)), call)
    made = _answer(answered.jws, answered.body, answered.promise.as_json())
    waits = awaited(answered.body, rooms.clock.now())
    if waits is not None:
        made.status_code, made.headers["Retry-After"] = 202, str(waits.wait_seconds)
    made.headers["Location"] = url_for("proofs.show", decision_id=answered.id)
    return made


def together() -> Together[Asking, Answers]:
    """Give what answers questions, those of several requests in one unit of work."""
    return cast("Together[Asking, Answers]", current_app.extensions["cunzheng.proofs"])


def question_of(body: ProofBody, call: SignedRequest | None = None) -> ProofQuestion:
    """Give the question that a body states, and the call that a client signed."""
    return ProofQuestion(
        source=body.case.source,
        number=body.case.number,
        item=body.item,
        purpose=body.purpose,
        holder=(body.holder.scheme, body.holder.code) if body.holder else None,
        requirements=tuple(body.requirements),
        subjects=tuple(
            SubjectHint(
                one.subject,
                (one.scheme, one.code) if one.scheme and one.code else None,
                one.name or "",
            )
            for one in body.subjects
        ),
        signed=call,
    )


@blueprint.get("/<decision_id>")
@blueprint.doc(
    summary="The signed answer again, for who asked; supervision sees decisions in the trace",
    security="key",
    responses=by_status({200: answers("The signed answer", PROOF, PROOF_NULLABLE)}),
)
@allow(scopes=("ask",), unrecorded="gives the asker's own answer again; the asking was recorded")
def show(decision_id: str) -> Response:
    """Give the answer of a decision again."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        jws = rooms.proofs.answer(uow, context.identity(), decision_id)
    verified = verify_answer(jws, rooms.keys.jwks)
    return _answer(jws, verified.decision, dict(verified.promise))


@blueprint.get("/<decision_id>/bundle")
@blueprint.doc(
    summary="Request, signatures, receipt, keys and rule of an answer as a ZIP that is checked offline",
    security="key",
    responses=by_status({200: binary("The bundle, for `cunzheng-verify`", MEDIA_TYPE)}),
)
@allow(Role.SUPERVISOR, scopes=("ask",), records=("proof.evidenced",))
def evidence(decision_id: str) -> Response:
    """Give the evidence of an answer, for who asked and for supervision."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        made = bundle(rooms, uow, context.identity(), decision_id)
    answer = Response(made, mimetype=MEDIA_TYPE)
    answer.headers["Content-Disposition"] = f'attachment; filename="cunzheng-{decision_id}.zip"'
    return answer


def _answer(jws: str, decision: Mapping[str, Json], promise: Mapping[str, Any]) -> Response:
    if request.accept_mimetypes.best_match(["application/json", JOSE]) == JOSE:
        return Response(jws, mimetype=JOSE)
    return Response(orjson.dumps(told(jws, decision, promise)), mimetype="application/json")


def told(jws: str, decision: Mapping[str, Json], promise: Mapping[str, Any]) -> dict[str, Any]:
    """Give an answer in clear; ``expected_at`` stands beside what is signed."""
    waits = awaited(decision, context.rooms().clock.now())
    expected = None if waits is None or waits.expected_at is None else rfc3339(waits.expected_at)
    return {"jws": jws, "decision": decision, "promise": promise, "expected_at": expected}
