# SPDX-License-Identifier: Apache-2.0
"""Objections of holders, disputes of other offices: what a department must answer, and until when.

Lists show what an objection is about, days and states; what the holder says is read one by one, recorded.
"""

from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.contesting import About, DisputeRemedyError
from licenses.disputes import REMEDIES, correction_of, dispute_reasons
from licenses.errors import ObjectionWordsError, ReasonRequiredError
from licenses.models import Decision, LicenseUsage, Objection
from licenses.objections import LONGEST, READERS, WATCHERS, Listing
from licenses.rule_definition import Requirement
from portal.web import context
from portal.web.access import allow
from portal.web.activity import client_names
from storage.database import UnitOfWork
from storage.errors import CunzhengError, InvalidInputError
from storage.identity import Identity

blueprint = APIBlueprint("objections", __name__, url_prefix="/objections", enable_openapi=False)
_LONGEST: Final = 2000
_ANSWERS: Final = {"upheld": True, "declined": False}


@blueprint.get("")
@allow(*WATCHERS, unrecorded="shows what is objected to, days and states: no holder and no words")
def home() -> str:
    """List objections, those that wait longest first."""
    rooms, who = context.rooms(), context.identity()
    listing = _listing(request.args.get("state", Listing.OPEN))
    with rooms.database.reading() as uow:
        page = rooms.objections.listed(uow, who, listing, request.args.get("after") or None)
    return render_template("objections.html", page=page, listing=str(listing), opens=who.has(*READERS))


@blueprint.get("/<objection>")
@allow(*READERS, records=("objection.read",))
def show(objection: str) -> Response:
    """Show an objection with what the holder says, and the form that answers it."""
    return _shown(objection)


@blueprint.post("/<objection>/answer")
@allow(*READERS, records=("objection.answered",))
def answer(objection: str) -> Response:
    """Answer an objection; the holder sees the sentence, and it is never changed."""
    rooms, who = context.rooms(), context.identity()
    outcome, words = request.form.get("outcome", ""), request.form.get("words", "")[:_LONGEST]
    if context.only_redisplays():
        return _shown(objection, outcome, words)
    basis = request.form.get("legal_basis", "")[:_LONGEST]
    if outcome not in {*_ANSWERS, *REMEDIES}:
        raise InvalidInputError(field="outcome", rule=" ".join((*_ANSWERS, *REMEDIES)))
    try:
        rooms.database.write(lambda uow: _answered(uow, who, objection, (outcome, words, basis)))
    except (ObjectionWordsError, DisputeRemedyError, ReasonRequiredError) as problem:
        return _shown(objection, outcome, words, problem)
    return redirect(url_for("objections.show", objection=objection), 303)


def _answered(uow: UnitOfWork, who: Identity, objection: str, said: tuple[str, str, str]) -> None:
    """Answer what a holder or another office contests; only a dispute leads to a remedy here."""
    rooms, (outcome, words, basis) = context.rooms(), said
    row = uow.session.get(Objection, objection)
    if row is not None and row.about == About.DISPUTE:
        if outcome == "upheld":
            raise DisputeRemedyError
        remedy = outcome if outcome in REMEDIES else None
        rooms.disputes.answer(uow, who, objection, words, remedy, basis)
        return
    if outcome not in _ANSWERS:
        raise InvalidInputError(field="outcome", rule=" ".join(_ANSWERS))
    rooms.objections.answer(uow, who, objection, words, upheld=_ANSWERS[outcome])


def _shown(
    objection: str, outcome: str = "", words: str = "", problem: CunzhengError | None = None
) -> Response:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        found = rooms.objections.read(uow, who, objection)
        clients = client_names(uow.session)
        requirement = _requirement(uow, found.use)
        row = found.spoken.view.row
        correction = correction_of(uow, row)
    item = None
    if found.case is not None:
        item = rooms.items.get(found.case.item_code, found.case.item_edition)
    page = render_template(
        "objection.html",
        found=found,
        row=row,
        disputed=dispute_reasons().get(row.reason) if row.reason else None,
        correction=correction,
        remedies=REMEDIES,
        legal_basis=request.form.get("legal_basis", "")[:200],
        item=item,
        kind=None
        if found.license is None
        else rooms.license_types.as_issued(found.license.type_code, found.license.type_version),
        clients=clients,
        requirement=requirement,
        longest=LONGEST,
        outcome=outcome,
        words=words,
        problem=problem,
    )
    return make_response(page, 200 if problem is None else problem.status)


def _requirement(uow: UnitOfWork, use: LicenseUsage | None) -> Requirement | None:
    """Give what a use asked for as its rule names it; nothing where it asked for nothing in particular."""
    decision = uow.session.get(Decision, use.decision_id) if use and use.decision_id else None
    if use is None or decision is None:
        return None
    return context.rooms().proofs.requirements(decision).get(use.asked.partition(" ")[0])


def _listing(value: str) -> Listing:
    try:
        return Listing(value)
    except ValueError:
        raise InvalidInputError(field="state", rule=" ".join(Listing)) from None
