# SPDX-License-Identifier: Apache-2.0
"""One licence of the own department for its manager: found, seen with its life and versions, decided about.

Numbers are typed into a form that is sent in a body: they stand in no address and no log. The page names no
holder. Each decision has a reason and a legal basis and is an act; only what the state allows is offered.
"""

from collections.abc import Sequence
from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.managing import FINAL, Decision, ManagedVersion
from portal.accounts.directory import names_of
from portal.web import context
from portal.web.access import allow
from portal.web.issue_forms import grounds_of
from portal.web.manage_words import DECISIONS, HAPPENED
from storage.errors import ConflictError, CunzhengError, InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("manage", __name__, url_prefix="/licences/manage", enable_openapi=False)
_SHOWN: Final = "shows numbers and states of the department's own licences to who manages them, and no holder"
_LONGEST: Final = 130
_DECIDED: Final = (
    "license.suspended",
    "license.resumed",
    "license.process-opened",
    "license.process-closed",
    "license.checked",
    "license.cancelled",
    "license.withdrawn",
    "license.revoked",
    "license.lapsed",
)


@blueprint.get("")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def home() -> str:
    """Show the form."""
    return _form()


@blueprint.post("/find")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def find() -> Response:
    """Lead to the licence that was found, or list those that have the number."""
    rooms, typed = context.rooms(), request.form.get("q", "")[:_LONGEST]
    with rooms.database.reading() as uow:
        found = rooms.license_desk.find(uow, context.identity(), typed)
    if len(found) == 1 and not context.only_redisplays():
        return redirect(url_for("manage.show", license_id=found[0].row.id), 303)
    return make_response(_form(typed, found))


@blueprint.get("/<license_id>")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def show(license_id: str) -> str:
    """Show a licence, what happened to it, its versions, and what may be decided."""
    return _page(license_id)


@blueprint.post("/<license_id>")
@allow(Role.LICENSE_MANAGER, records=_DECIDED)
def decide(license_id: str) -> Response:
    """Decide about a licence."""
    rooms, who = context.rooms(), context.identity()
    if context.only_redisplays():
        return make_response(_page(license_id))
    try:
        decision = Decision(request.form.get("decision", ""))
    except ValueError:
        raise InvalidInputError(field="decision", rule=" ".join(Decision)) from None
    grounds = grounds_of(request.form)
    try:
        rooms.database.write(
            lambda uow: rooms.license_desk.decide(uow, who, license_id, decision, grounds).id
        )
    except (InvalidInputError, ConflictError) as problem:
        return make_response(_page(license_id, problem), problem.status)
    return redirect(url_for("manage.show", license_id=license_id, _anchor="happened"), 303)


def _form(typed: str | None = None, found: Sequence[ManagedVersion] = ()) -> str:
    types = {one.code: one for one in context.rooms().license_types.all()}
    return render_template("manage.html", typed=typed, found=found, types=types)


def _page(license_id: str, problem: CunzhengError | None = None) -> str:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        shown = rooms.license_desk.show(uow, who, license_id)
        names = names_of(uow, {one.actor_id for one in shown.events})
    row = shown.now.row
    return render_template(
        "manage_licence.html",
        shown=shown,
        kind=rooms.license_types.as_issued(row.type_code, row.type_version),
        names=names,
        happened=HAPPENED,
        passing=[one for one in shown.offers if one not in FINAL],
        final=[one for one in shown.offers if one in FINAL],
        words=DECISIONS,
        problem=problem,
        sent=request.form,
        now=rooms.clock.now(),
    )
