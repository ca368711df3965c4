# SPDX-License-Identifier: Apache-2.0
"""``POST /api/v1/one-certificate``: from a document and an item to what is established, and a filled form."""

from collections.abc import Sequence
from typing import Any, Final

from apiflask import APIBlueprint

from licenses.errors import QuestionRefusedError
from licenses.one_certificate import FormField
from licenses.questions import ProofQuestion
from licenses.views import LicenseView
from portal.answering import answer_of
from portal.refusals import RecordedRefusal, record_apart
from portal.web import context, signed
from portal.web.access import allow
from portal.web.api_licences import licence_json
from portal.web.api_proofs import together, told
from portal.web.documented import answers, by_status
from portal.web.examples import LICENCE, PROOF, PROOF_NULLABLE
from portal.web.problems import problem_of
from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE, Body, Code, HolderReference
from storage.errors import CunzhengError
from storage.identity import AccessBasis, Basis, Identity

blueprint = APIBlueprint("one_certificate", __name__, url_prefix="/api/v1", tag="No-proof")


class OneCertificateBody(Body):
    """A document and what is wanted with it."""

    holder: HolderReference
    item: Code
    purpose: Code
    reveal: bool = False


_EXAMPLE: Final[dict[str, Any]] = {
    "holder": {name: CASE_EXAMPLE["holder"][name] for name in ("scheme", "code")},
    "item": PROOF_EXAMPLE["item"],
    "purpose": PROOF_EXAMPLE["purpose"],
    "reveal": False,
}
_SOURCE: Final[dict[str, Any]] = {
    name: LICENCE[name] for name in ("id", "identifier", "type", "issuer", "issued_on", "trust")
}
_ANSWER: Final[dict[str, Any]] = {
    "answer": PROOF,
    "form": [
        {
            "field": {"name": "scope", "zh": "经营项目", "en": "Scope of business"},
            "value": None,
            "masked": False,
            "source": None,
        },
        {
            "field": {"name": "businessAddress", "zh": "经营场所", "en": "Business address"},
            "value": "演示市示例路1号",
            "masked": False,
            "source": _SOURCE,
        },
    ],
    "problem": None,
}


@blueprint.post("/one-certificate")
@blueprint.input(OneCertificateBody, arg_name="body", example=_EXAMPLE)
@blueprint.doc(
    summary="One-certificate handling: ask about the holder's open case of an item, and fill in its form",
    security="key",
    responses=by_status(
        {
            200: answers(
                "The signed answer about the newest open case, and each field of the item's form with the "
                "licence that states it; `form` is null where `problem` says why. 200 also while another "
                "department has still to answer: `result` and `expected_at` tell",
                _ANSWER,
                (*PROOF_NULLABLE, "form", "problem"),
                ("problem",),
            )
        }
    ),
)
@allow(
    scopes=("ask",),
    records=("proof.asked", "proof.answered", "proof.refused", "license.read", "access.refused"),
    signed=True,
)
def handle(body: OneCertificateBody) -> dict[str, Any]:
    """Answer about a holder's open case and fill in its form; nothing is found without such a case."""
    rooms, who, call = context.rooms(), context.identity(), signed.signed_request()
    signed.check_purpose(body.purpose)
    holder = body.holder.scheme, body.holder.code
    with rooms.database.reading() as uow:
        case = rooms.one_certificate.open_case(uow, who, holder, body.item)
        # No case has no number: what the system may ask at all is judged before it is missed.
        source, number = (
            (case.source, case.number) if case is not None else (min(who.sources, default=""), "")
        )
    question = ProofQuestion(source, number, body.item, body.purpose, holder, signed=call)
    try:
        answered = answer_of(together(), (who, question), call)
    except QuestionRefusedError as refusal:
        with rooms.database.reading() as uow:
            raise rooms.one_certificate.shown_to_holder(uow, holder, refusal) from None
    basis = AccessBasis(Basis.CASE, answered.decision.case_id, body.item, body.purpose)
    form, problem = _form(who.on(basis), reveal=body.reveal)
    answer = told(answered.jws, answered.body, answered.promise.as_json())
    return {"answer": answer, "form": form, "problem": problem}


def _form(who: Identity, *, reveal: bool) -> tuple[list[dict[str, Any]] | None, dict[str, Any] | None]:
    """Give the form, or the problem: what was answered stays answered."""
    rooms = context.rooms()
    try:
        # By itself again where it meets another unit: the answer is committed, and its call used up.
        form = rooms.database.write(lambda uow: rooms.one_certificate.form(uow, who, reveal=reveal))
    except CunzhengError as problem:
        if isinstance(problem, RecordedRefusal):
            record_apart(rooms.database, problem)
        return None, problem_of(problem, context.settings().public_url)
    return _fields(form), None


def _fields(form: Sequence[FormField]) -> list[dict[str, Any]]:
    return [
        {
            "field": {"name": one.field.name, "zh": one.field.zh, "en": one.field.en},
            "value": one.value,
            "masked": one.hidden,
            "source": None if one.source is None else _source(one.source),
        }
        for one in form
    ]


def _source(view: LicenseView) -> dict[str, Any]:
    whole = licence_json(view)
    return {name: whole[name] for name in _SOURCE}
