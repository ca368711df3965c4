# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/cooperation``: an asked department's own system reads what is asked of it and answers.

It needs no grant, since it is given no licence: only the question, whom it is about, and the deadline.
"""

from typing import Annotated, Any, Final, Literal

from apiflask import APIBlueprint
from pydantic import Field

from cases.models import Holder
from licenses.ladder.errors import RungUnknownError
from licenses.ladder.listing import RungLine, waiting
from licenses.ladder.models import LadderRung
from licenses.ladder.services import LONGEST, Happening
from licenses.ladder.states import ANSWERING, BY_ASKED, RungEventKind
from licenses.rule_definition import Cooperation
from portal.web import context, signed
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.schemas import Body, CursorQuery
from storage.clock import rfc3339
from storage.database import UnitOfWork

blueprint = APIBlueprint("cooperation_api", __name__, url_prefix="/api/v1/cooperation", tag="Proofs")
SCOPE: Final = "answer"
_ID, _AT = "4h2n6v8k0m2p4r6t8w0y2a4c6e", "2026-11-24T03:00:00.000000Z"
_LINE: Final[dict[str, Any]] = {
    "id": _ID,
    "case": {"source": "ycsl", "number": "YC-2026-000140"},
    "item": "339999010002",
    "organisation": "scjg",
    "predicate": {"code": "health-check-passed", "zh": "从业人员健康检查合格", "en": "Health check passed"},
    "state": "asked",
    "asked_at": _AT,
    "due": _AT,
    "late": False,
}
_HOLDER: Final = {"scheme": "001", "code": "11010519491231002X", "name": "测试人"}
_QUESTION: Final[dict[str, Any]] = {**_LINE, "holder": _HOLDER, "can": ["answered", "unanswerable"]}
_PROMISE: Final = {"log": "cunzheng.example/log", "core_sha256": "ab" * 32, "redeem_by": _AT}
_NULLABLE: Final = ("due", "holder", "next", "predicate")
_LIST: Final[dict[str, Any]] = {"questions": [_LINE], "next": _ID}
_MADE: Final[dict[str, Any]] = {"state": "answered", "promise": _PROMISE}


class CooperationAnswerBody(Body):
    """Yes, no, or why it cannot be answered."""

    answer: Literal["yes", "no", "unanswerable"]
    correction: bool = False
    words: Annotated[str, Field(max_length=LONGEST, pattern=r"^[^\x00-\x1f\x7f]*$")] = ""


COOPERATION_ANSWER_EXAMPLE: Final[dict[str, Any]] = {"answer": "yes", "words": "体检合格，有效期内"}
_SAID: Final = {"yes": True, "no": False, "unanswerable": None}


@blueprint.get("")
@blueprint.input(CursorQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="What other departments ask of the client's department and nobody has answered, oldest first",
    security="key",
    responses=by_status({200: answers("A page of questions", _LIST, _NULLABLE)}),
)
@allow(scopes=(SCOPE,), unrecorded="shows cases, questions, days and states: no holder and no words")
def listed(query: CursorQuery) -> dict[str, Any]:
    """List the questions that wait."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        page = waiting(uow, context.identity(), query.after, query.limit)
        return {"questions": [_line(one) for one in page.rows], "next": page.next_cursor}


@blueprint.get("/<rung_id>")
@blueprint.doc(
    summary="A question to the client's department: what is asked, about whom, until when",
    security="key",
    responses=by_status({200: answers("The question", _QUESTION, _NULLABLE)}),
)
@allow(scopes=(SCOPE,), records=("rung.read", "access.refused"))
def show(rung_id: str) -> dict[str, Any]:
    """Give a question; whom it is about only as long as it can be answered."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        view = rooms.ladder.view(uow, who, rung_id)
        late = view.row.due is not None and view.row.due <= uow.clock.now()
        can = sorted(str(one) for one in view.can & BY_ASKED)
        line = _line(RungLine(view.row, view.case, late))
        holder = _holder(uow, view.row) if ANSWERING & view.can else None
        return {**line, "holder": holder, "can": can}


@blueprint.post("/<rung_id>/answer")
@blueprint.input(CooperationAnswerBody, arg_name="body", example=COOPERATION_ANSWER_EXAMPLE)
@blueprint.doc(
    summary="Answer a question: yes, no, or why it cannot be answered; or correct a mistaken answer",
    security="key",
    responses=by_status({200: answers("It was recorded", _MADE)}),
)
@allow(scopes=(SCOPE,), records=("rung.changed", "access.refused"), signed=True)
def answer(rung_id: str, body: CooperationAnswerBody) -> dict[str, Any]:
    """Record the answer of a named operator; it serves every other department for its term."""
    rooms, who, said = context.rooms(), context.identity(), _SAID[body.answer]
    kind = RungEventKind.CORRECTED if body.correction else RungEventKind.ANSWERED
    if said is None and not body.correction:
        kind = RungEventKind.UNANSWERABLE
    happening = Happening(kind, body.words, said, signed.signed_request())
    with rooms.database.writing() as uow:
        signed.take(uow)
        row, promise = rooms.ladder.happen(uow, who, rung_id, happening)
        return {"state": row.state, "promise": promise.as_json()}


def _line(line: RungLine) -> dict[str, Any]:
    row, case = line.row, line.case
    return {
        "id": row.id,
        "case": {"source": case.source, "number": case.number},
        "item": row.item_code,
        "organisation": row.organisation,
        "predicate": _predicate(row),
        "state": row.state,
        "asked_at": rfc3339(row.taken_at),
        "due": rfc3339(row.due) if row.due else None,
        "late": line.late,
    }


def _predicate(row: LadderRung) -> dict[str, str] | None:
    """Give what is asked in words; none where its rule is not held, which must not hide all others."""
    try:
        way = context.rooms().ladder.requirement(row).rung(row.kind)
    except RungUnknownError:
        return None
    return way.predicate.model_dump() if isinstance(way, Cooperation) else None


def _holder(uow: UnitOfWork, row: LadderRung) -> dict[str, Any]:
    clear = context.rooms().holders.reveal(uow, uow.session.get_one(Holder, row.holder_id))
    return {"scheme": clear.scheme, "code": clear.code, "name": clear.name}
