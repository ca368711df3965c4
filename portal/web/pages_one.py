# SPDX-License-Identifier: Apache-2.0
"""One-certificate handling at the window: read one document, choose the item, and see the form filled in."""

from typing import Final

from apiflask import APIBlueprint
from flask import render_template, request

from cases.errors import HolderCodeError
from cases.items import Item
from cases.organisations import covers
from cases.typed import read_holder
from licenses.errors import QuestionRefusedError
from licenses.purposes import purposes
from licenses.questions import ProofQuestion
from portal.refusals import record_apart
from portal.web import context
from portal.web.access import allow
from portal.web.pages_window import decision_basis, desk, shown_decision
from storage.errors import CunzhengError
from storage.identity import Role

blueprint = APIBlueprint("one", __name__, url_prefix="/window", enable_openapi=False)
_LONGEST: Final = 64
_UNNAMED: Final = "unknown"


@blueprint.get("/one")
@allow(Role.CLERK, unrecorded="shows an empty form")
def home() -> str:
    """Show the fields for document and item."""
    return _page()


@blueprint.post("/one")
@allow(Role.CLERK, records=("proof.asked", "proof.answered", "proof.refused", "license.read"))
def handle() -> str | tuple[str, int]:
    """Ask about the open case of a document and an item, and fill in its form."""
    rooms, who = context.rooms(), context.identity()
    item, purpose = request.form.get("item", "")[:_LONGEST], request.form.get("purpose", "")[:_LONGEST]
    if context.only_redisplays():
        return _page()
    try:
        holder = read_holder(request.form.get("holder", "").strip()[:_LONGEST])
    except HolderCodeError as mistake:
        return _page(mistake), mistake.status
    with rooms.database.reading() as uow:
        case = rooms.one_certificate.open_case(uow, who, holder, item)
        source, number = (case.source, case.number) if case is not None else (_UNNAMED, _UNNAMED)
    question = ProofQuestion(source, number, item if case else _UNNAMED, purpose, holder)
    try:
        with rooms.database.writing() as uow:
            answered = rooms.proofs.ask(uow, who, question)
    except QuestionRefusedError as refusal:
        with rooms.database.reading() as uow:
            refusal = rooms.one_certificate.shown_to_holder(uow, holder, refusal)
        record_apart(rooms.database, refusal)
        return _page(refusal), refusal.status
    return _filled(answered.id)


@blueprint.post("/decisions/<decision>/form")
@allow(Role.CLERK, records=("license.read", "access.refused"))
def form(decision: str) -> str:
    """Fill in the form of an answer's case; each licence that is read is recorded."""
    return _filled(decision, reveal="reveal" in request.form)


def _filled(decision: str, *, reveal: bool = False) -> str:
    rooms = context.rooms()
    asker = context.identity().on(decision_basis(decision))
    with rooms.database.writing() as uow:
        fields = rooms.one_certificate.form(uow, asker, reveal=reveal)
    return render_template("decision.html", **desk(), **shown_decision(decision), form_fields=fields)


def _page(problem: CunzhengError | None = None) -> str:
    return render_template(
        "one.html",
        items=_items(),
        purposes=list(purposes().values()),
        chosen={name: request.form.get(name, "")[:_LONGEST] for name in ("item", "purpose")},
        problem=problem,
    )


def _items() -> list[Item]:
    """Give the newest edition of each item that the clerk's department handles."""
    rooms, who = context.rooms(), context.identity()
    own = [one for one in rooms.items.current() if covers(who, one.department)]
    newest = {one.code: one for one in sorted(own, key=lambda one: one.edition)}
    return [newest[code] for code in sorted(newest)]
