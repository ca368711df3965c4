# SPDX-License-Identifier: Apache-2.0
"""``POST /api/v1/proofs:batch``: up to a hundred questions in one call, each answered by itself."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, Final

import orjson
from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from licenses.admitting import Question
from licenses.awaiting import awaited
from licenses.deciding import AnsweredProof
from licenses.requests import SignedRequest
from portal.answering import Answers, Asking
from portal.clients.errors import RequestReplayedError
from portal.refusals import RecordedRefusal, record_apart
from portal.web import context, signed
from portal.web.access import allow
from portal.web.api_proofs import question_of, together, told
from portal.web.documented import answers, by_status
from portal.web.examples import PROOF, PROOF_NULLABLE
from portal.web.problems import problem_of
from portal.web.schemas import PROOF_EXAMPLE, Body, ProofBody
from storage.database import LedgerClosedError
from storage.engines import RecordsUnavailableError
from storage.errors import CunzhengError

blueprint = APIBlueprint("proof_batches", __name__, url_prefix="/api/v1", tag="Proofs")
MOST: Final = 100


class ProofBatchBody(Body):
    """Questions, each of its own case."""

    questions: Annotated[list[ProofBody], Field(min_length=1, max_length=MOST)]


_ANSWERS: Final[dict[str, Any]] = {"answers": [{"status": 200, "answer": PROOF, "problem": None}]}


@blueprint.post("/proofs:batch")
@blueprint.input(ProofBatchBody, arg_name="body", example={"questions": [PROOF_EXAMPLE]})
@blueprint.doc(
    summary="Ask for up to 100 open cases at once; each is answered or refused by itself, in order",
    security="key",
    responses=by_status(
        {
            200: answers(
                "One answer or problem for each question; 202 where a department has still to answer",
                _ANSWERS,
                (*PROOF_NULLABLE, "answer", "problem"),
                ("problem",),
            )
        }
    ),
)
@allow(
    scopes=("ask",),
    records=("proof.asked", "proof.answered", "proof.refused"),
    signed=True,
    questions=lambda body: [question_of(one) for one in ProofBatchBody.model_validate(body).questions],
)
def ask(body: ProofBatchBody) -> Response:
    """Answer or refuse each question by itself; a refusal takes nothing from the others."""
    for one in body.questions:
        signed.check_purpose(one.purpose)
    call = signed.signed_request()
    questions = [(context.identity(), question_of(one, _alone(call))) for one in body.questions]
    made = {"answers": [_told(one) for one in _answers(questions, call)]}
    return Response(orjson.dumps(made), mimetype="application/json")


def _answers(questions: Sequence[Question], call: SignedRequest | None) -> Answers:
    """Answer all in one transaction, or each in its own where that fails for one of them.

    Raises:
        RequestReplayedError: The call was made before.
    """
    try:
        found = together().ask(Asking(questions, call, answered_or_not=True))
    except (RequestReplayedError, RecordsUnavailableError):
        # Where the database fell silent nobody knows what was committed; the nonce stands where answers do.
        raise
    except Exception as error:
        # Nothing stands, the nonce neither; what was told as refused or failed is not asked again by others.
        context.rooms().database.write(signed.take)
        if not isinstance(error, CunzhengError):
            raise
        if len(questions) == 1 or isinstance(error, LedgerClosedError):
            return [error for _ in questions]
        return [_answer_alone(one) for one in questions]
    replayed = next((one for one in found if isinstance(one, RequestReplayedError)), None)
    if replayed is not None:
        raise replayed
    return found


def _answer_alone(question: Question) -> AnsweredProof | CunzhengError:
    try:
        (answer,) = together().ask(Asking([question]))
    except CunzhengError as error:
        return error
    return answer


def _alone(call: SignedRequest | None) -> SignedRequest | None:
    """Give the signed call without its body: what is kept of one holder holds no question about another."""
    return None if call is None else replace(call, body=None)


def _told(made: AnsweredProof | CunzhengError) -> dict[str, Any]:
    if isinstance(made, CunzhengError):
        if isinstance(made, RecordedRefusal):
            record_apart(context.rooms().database, made)
        problem = problem_of(made, context.settings().public_url)
        return {"status": made.status, "answer": None, "problem": problem}
    answer = told(made.jws, made.body, made.promise.as_json())
    status = 200 if awaited(made.body, context.rooms().clock.now()) is None else 202
    return {"status": status, "answer": answer, "problem": None}
