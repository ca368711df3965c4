# SPDX-License-Identifier: Apache-2.0
"""``POST /api/v1/proofs:batch``: up to a hundred questions in one call, each answered by itself."""

from dataclasses import replace
from typing import Annotated, Any, Final

from apiflask import APIBlueprint
from pydantic import Field

from licenses.awaiting import awaited
from licenses.errors import QuestionRefusedError
from licenses.grants.errors import QuotaExhaustedError
from licenses.requests import SignedRequest
from portal.refusals import record_apart
from portal.web import context, signed
from portal.web.access import allow
from portal.web.api_proofs import question_of, told
from portal.web.documented import answers, by_status
from portal.web.examples import PROOF, PROOF_NULLABLE
from portal.web.problems import problem_of
from portal.web.schemas import PROOF_EXAMPLE, Body, ProofBody
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
@allow(scopes=("ask",), records=("proof.asked", "proof.answered", "proof.refused"), signed=True)
def ask(body: ProofBatchBody) -> dict[str, Any]:
    """Answer each question in a transaction of its own; a refusal takes nothing from the others."""
    for one in body.questions:
        signed.check_purpose(one.purpose)
    context.rooms().database.write(signed.take)
    return {"answers": [_answered(one) for one in body.questions]}


def _alone(call: SignedRequest | None) -> SignedRequest | None:
    """Give the signed call without its body: what is kept of one holder holds no question about another."""
    return None if call is None else replace(call, body=None)


def _answered(body: ProofBody) -> dict[str, Any]:
    rooms, question = context.rooms(), question_of(body, _alone(signed.signed_request()))
    try:
        # Again by itself where it meets another one: the questions before it are answered.
        made = rooms.database.write(lambda uow: rooms.proofs.ask(uow, context.identity(), question))
    except (QuestionRefusedError, QuotaExhaustedError) as refusal:
        record_apart(rooms.database, refusal)
        problem = problem_of(refusal, context.settings().public_url)
        return {"status": refusal.status, "answer": None, "problem": problem}
    except CunzhengError as error:
        # The questions before it are answered and counted: their answers must reach who asked.
        problem = problem_of(error, context.settings().public_url)
        return {"status": error.status, "answer": None, "problem": problem}
    answer = told(made.jws, made.body, made.promise.as_json())
    status = 200 if awaited(made.body, rooms.clock.now()) is None else 202
    return {"status": status, "answer": answer, "problem": None}
