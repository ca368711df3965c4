# SPDX-License-Identifier: Apache-2.0
"""Commitments, cooperation of departments, later supply: taken from an answer, handled on a page each.

Lists show cases, states and days; whom it concerns stands on the page of one, and each look is recorded.
"""

from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cases.holders import ClearHolder, MaskedHolder
from cases.models import Holder
from licenses.ladder.errors import RungWordsError
from licenses.ladder.listing import WATCHERS, RungListing, listed
from licenses.ladder.services import HANDLERS, LONGEST, Happening, RungView
from licenses.ladder.states import ANSWERING, RungEventKind
from licenses.ladder.terms import LadderTerms
from licenses.rule_definition import Cooperation
from portal.web import context
from portal.web.access import allow
from portal.web.ladder_words import CHECKS, DO
from storage.database import UnitOfWork
from storage.errors import CunzhengError, InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("ladder", __name__, url_prefix="/ladder", enable_openapi=False)
_LONGEST: Final = 2000
_ANSWERS: Final = {
    "answered-yes": (RungEventKind.ANSWERED, True),
    "answered-no": (RungEventKind.ANSWERED, False),
    "corrected-yes": (RungEventKind.CORRECTED, True),
    "corrected-no": (RungEventKind.CORRECTED, False),
}
"""By what a button sends: the event, and the answer."""


@blueprint.get("")
@allow(*WATCHERS, unrecorded="shows cases, kinds, days and states: no holder and no words")
def home() -> str:
    """List what other departments ask, and what the own one has to do."""
    rooms, who = context.rooms(), context.identity()
    listing = _listing(request.args.get("state", RungListing.ASKED))
    with rooms.database.reading() as uow:
        page = listed(uow, who, listing, request.args.get("after") or None)
    items = {one.row.id: rooms.items.get(one.case.item_code, one.case.item_edition) for one in page.rows}
    return render_template("ladder.html", page=page, listing=str(listing), items=items)


@blueprint.post("/from/<decision>")
@allow(Role.CLERK, records=("rung.taken",))
def take(decision: str) -> Response:
    """Take a rung that an answer offers."""
    rooms, who = context.rooms(), context.identity()
    requirement, kind = request.form.get("requirement", "")[:10], request.form.get("kind", "")[:20]
    with rooms.database.writing() as uow:
        row, _ = rooms.ladder.take(uow, who, decision, requirement, kind)
        address = url_for("ladder.show", rung=row.id)
    return redirect(address, 303)


@blueprint.get("/<rung>")
@allow(*WATCHERS, records=("rung.read",))
def show(rung: str) -> Response:
    """Show a rung: what it is to establish, for whom, what happened, and what may be done now."""
    return _shown(rung)


@blueprint.post("/<rung>")
@allow(*HANDLERS, records=("rung.changed", "rung.read", "access.refused"))
def happen(rung: str) -> Response:
    """Record what happened to it."""
    rooms, who = context.rooms(), context.identity()
    words, event = request.form.get("words", "")[:_LONGEST], request.form.get("event", "")
    if context.only_redisplays():
        return _shown(rung, words)
    try:
        kind, holds = _ANSWERS.get(event) or (RungEventKind(event), None)
    except ValueError:
        raise InvalidInputError(field="event", rule=" ".join(RungEventKind)) from None
    try:
        happening = Happening(kind, words, holds)
        rooms.database.write(lambda uow: rooms.ladder.happen(uow, who, rung, happening))
    except RungWordsError as problem:
        return _shown(rung, words, problem)
    return redirect(url_for("ladder.show", rung=rung), 303)


def _shown(rung: str, words: str = "", problem: CunzhengError | None = None) -> Response:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        view = rooms.ladder.view(uow, who, rung)
        holder = _holder(uow, view)
    way = view.requirement.rung(view.row.kind)
    page = render_template(
        "ladder_rung.html",
        view=view,
        row=view.row,
        holder=holder,
        item=rooms.items.get(view.case.item_code, view.case.item_edition),
        predicate=way.predicate if isinstance(way, Cooperation) else None,
        way=way,
        terms=LadderTerms.load(),
        checks=CHECKS,
        offered=[(kind, word) for kind, word in DO.items() if kind in view.can],
        answers=RungEventKind.ANSWERED in view.can,
        corrects=RungEventKind.CORRECTED in view.can,
        late=view.row.due is not None and view.row.due <= rooms.clock.now(),
        longest=LONGEST,
        words=words,
        problem=problem,
    )
    return make_response(page, 200 if problem is None else problem.status)


def _holder(uow: UnitOfWork, view: RungView) -> MaskedHolder | ClearHolder:
    """Give whom it concerns: masked, but to a department that has to answer a question about them."""
    holders, row = context.rooms().holders, uow.session.get_one(Holder, view.row.holder_id)
    if ANSWERING & view.can:
        return holders.reveal(uow, row)
    return holders.masked(uow, row)


def _listing(value: str) -> RungListing:
    try:
        return RungListing(value)
    except ValueError:
        raise InvalidInputError(field="state", rule=" ".join(RungListing)) from None
