# SPDX-License-Identifier: Apache-2.0
"""The service window: enter a case number, learn what the citizen need not bring.

Nothing about a holder is shown before an open case is named. Asking is a recorded act, so it is a form
that is sent; its answer has an address of its own and can be opened again without asking again.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from sqlalchemy import func, select
from werkzeug.wrappers import Response

from cases.errors import HolderCodeError
from cases.holders import MaskedHolder
from cases.items import Item
from cases.models import Case
from cases.services import visible_to
from cases.typed import read_holder, readings
from licenses.answers import verify_answer
from licenses.earlier_cases import earlier_cases
from licenses.errors import QuestionRefusedError
from licenses.ladder.states import FIRST
from licenses.lookup import MOST, Wanted
from licenses.models import Decision
from licenses.purposes import purposes
from licenses.questions import ProofQuestion, SubjectHint
from portal.refusals import record_apart
from portal.web import context
from portal.web.access import allow
from portal.web.asked_days import end_of
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import AccessBasis, Basis, Identity, Role

blueprint = APIBlueprint("window", __name__, url_prefix="/window", enable_openapi=False)
_LONGEST: Final = 130
_RECENT: Final = 6
_UNNAMED: Final = "unknown"


@dataclass(frozen=True, slots=True)
class CaseLine:
    """The case of an answer as the window shows it."""

    case: Case
    item: Item
    holder: MaskedHolder


@dataclass(frozen=True, slots=True)
class EarlierCase:
    """A case of the archive that establishes a requirement."""

    case: Case
    item: Item


@dataclass(frozen=True, slots=True)
class RecentCase:
    """A case that the clerk asked about, and its newest answer; nothing about its holder."""

    decision: str
    number: str
    item: Item
    at: dt.datetime
    result: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer's first sentences: what to collect, what speaks against it, what is still to come.

    Attributes:
        waiting: What another department is asked.
        later: What was accepted provisionally: committed to, or to be supplied.
        collected: What was collected already.
    """

    collect: Sequence[Mapping[str, Any]]
    against: Sequence[Mapping[str, Any]]
    waiting: Sequence[Mapping[str, Any]]
    later: Sequence[Mapping[str, Any]]
    collected: Sequence[Mapping[str, Any]]


def outcome_of(requirements: Sequence[Mapping[str, Any]]) -> Outcome:
    """Sort requirements: what cannot be established is collected, what is not met is told."""
    return Outcome(
        [one for one in requirements if one["result"] == "UNKNOWN"],
        [one for one in requirements if one["result"] == "NOT_MET"],
        [one for one in requirements if one["result"] == "PENDING"],
        [one for one in requirements if one["result"] == "PROVISIONAL"],
        [one for one in requirements if one["reason"]["code"] in {"R.COLLECTED", "R.SUPPLIED"}],
    )


@blueprint.get("")
@allow(Role.CLERK, unrecorded="shows the caller's own recent case numbers")
def home() -> str:
    """Show the field for the case number."""
    return render_template("window.html", **desk(), number=request.args.get("number", "")[:_LONGEST])


@blueprint.post("/ask")
@allow(Role.CLERK, records=("proof.asked", "proof.answered", "proof.refused"))
def ask() -> Response | tuple[str, int]:
    """Ask for the case; the answer is shown on a page of its own."""
    rooms, who = context.rooms(), context.identity()
    number = request.form.get("number", "").strip()[:_LONGEST]
    purpose = request.form.get("purpose", "")
    if context.only_redisplays():
        return render_template("window.html", **desk(), number=number, chosen_purpose=purpose), 200
    with rooms.database.reading() as uow:
        found = cases_of(uow, number)
    if len(found) > 1:
        return render_template("window.html", **desk(), number=number, choices=found), 300
    case = found[0] if found else None
    try:
        document = request.form.get("holder", "").strip()
        holder = read_holder(document) if document else None
    except HolderCodeError as mistake:
        return render_template("window.html", **desk(), number=number, mistake=mistake), mistake.status
    subject = request.form.get("subject", "")[:_LONGEST]
    question = ProofQuestion(
        source=case.source if case else _UNNAMED,
        number=case.number if case else _UNNAMED,
        item=case.item_code if case else _UNNAMED,
        purpose=purpose,
        holder=holder,
        subjects=(_hint(subject, request.form.get("meant", "")[:_LONGEST]),) if subject else (),
    )
    try:
        with rooms.database.writing() as uow:
            answered = rooms.proofs.ask(uow, who, question)
    except QuestionRefusedError as refusal:
        record_apart(rooms.database, refusal)
        return render_template("window.html", **desk(), number=number, refusal=refusal), refusal.status
    return redirect(url_for("window.decision", decision=answered.id), 303)


def _hint(subject: str, said: str) -> SubjectHint:
    """Give whom a clerk means: by the document where it reads as one, else by the name."""
    try:
        return SubjectHint(subject, read_holder(said))
    except HolderCodeError:
        return SubjectHint(subject, name=said)


@blueprint.get("/decisions/<decision>")
@allow(Role.CLERK, Role.SUPERVISOR, unrecorded="shows the asker's own answer again; the asking was recorded")
def decision(decision: str) -> str:
    """Show an answer."""
    return render_template("decision.html", **desk(), **shown_decision(decision))


@blueprint.post("/decisions/<decision>/licences")
@allow(Role.CLERK, records=("license.read", "access.refused"))
def licences(decision: str) -> str:
    """List the holder's licences for the decision's case; the use is recorded."""
    rooms, who = context.rooms(), context.identity()
    shown, asker = shown_decision(decision), who.on(decision_basis(decision))
    case: Case = shown["line"].case
    wanted = Wanted(
        request.form.get("relation") or None,
        history="history" in request.form,
        at=end_of(request.form.get("on", ""), rooms.clock.now()),
        limit=MOST,
    )
    with rooms.database.writing() as uow:
        found = rooms.lookup.find(uow, asker, wanted)
        own = wanted.relation is None
        relations = rooms.lookup.relations(uow, asker) if own else found.relations
    followed = {one.kind.code: one.kind for one in relations if rooms.lookup.follows(case, one)}
    return render_template(
        "decision.html",
        **desk(),
        **shown | {"on": legal_date(wanted.at) if wanted.at else None},
        licences=found.licenses,
        related=None if own else found.holder,
        relations=relations,
        followed=followed.values() if own else (),
        history=wanted.history,
    )


def decision_basis(decision_id: str) -> AccessBasis:
    """Give the access basis of an answer that the caller may see: its case, item and purpose."""
    shown = shown_decision(decision_id)
    case: Case = shown["line"].case
    return AccessBasis(Basis.CASE, case.id, case.item_code, shown["body"]["purpose"])


def shown_decision(decision_id: str) -> dict[str, Any]:
    """Give what the page of an answer shows; only who asked, or supervises, sees it."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        jws = rooms.proofs.answer(uow, who, decision_id)
        stored = uow.session.get_one(Decision, decision_id)
        line = _line(uow, rooms.cases.get_by_id(uow, who, stored.case_id))
        earlier = earlier_cases(uow, who, decision_id)
    verified = verify_answer(jws, rooms.keys.jwks)
    body = cast(Mapping[str, Any], verified.decision)
    return {
        "today": legal_date(rooms.clock.now()),
        "on": None,
        "line": line,
        "body": body,
        "earlier": {
            name: [EarlierCase(one, rooms.items.get(one.item_code, one.item_edition)) for one in cases]
            for name, cases in earlier.items()
        },
        "outcome": outcome_of(body["requirements"]),
        "promise": verified.promise,
        "rung_kinds": tuple(FIRST),
        "purpose": purposes()[body["purpose"]],
        "kinds": {one.code: one for one in rooms.license_types.all()},
        "at": stored.at,
        "jws": jws,
    }


def desk() -> dict[str, Any]:
    """Give what stands on every page of the desk: the purposes and the clerk's recent cases."""
    who = context.identity()
    with context.rooms().database.reading() as uow:
        recent = _recent(uow, who)
    return {"purposes": list(purposes().values()), "recent": recent}


def _recent(uow: UnitOfWork, who: Identity) -> list[RecentCase]:
    newest_first = (Decision.at.desc(), Decision.id.desc())
    place = func.row_number().over(partition_by=Decision.case_id, order_by=newest_first).label("place")
    own = select(Decision.id, place).where(Decision.actor_id == who.id).subquery()
    query = (
        select(Decision, Case)
        .join(own, own.c.id == Decision.id)
        .join(Case, Case.id == Decision.case_id)
        .where(own.c.place == 1)
        .order_by(*newest_first)
        .limit(_RECENT)
    )
    items = context.rooms().items
    return [
        RecentCase(made.id, of.number, items.get(of.item_code, of.item_edition), made.at, made.result)
        for made, of in uow.session.execute(query)
    ]


def cases_of(uow: UnitOfWork, typed: str) -> Sequence[Case]:
    """Give the visible cases of a number, or of ``source/number`` where two sources share one."""
    for number in readings(typed):
        source, slash, rest = number.partition("/")
        wanted = [Case.source == source, Case.number == rest] if slash else [Case.number == number]
        query = select(Case).where(visible_to(context.identity()), *wanted).order_by(Case.source)
        if found := uow.session.scalars(query).all():
            return found
    return ()


def _line(uow: UnitOfWork, case: Case) -> CaseLine:
    rooms = context.rooms()
    holder = rooms.holders.masked(uow, rooms.cases.holder(uow, case))
    return CaseLine(case, rooms.items.get(case.item_code, case.item_edition), holder)
