# SPDX-License-Identifier: Apache-2.0
"""A holder's commitments 告知承诺 online: what there is to read, what is declared, what became of it.

The pages belong to the holders' blueprint. The office tells and accepts as at the window; here the holder
reads and commits, and the act is the holder's own.
"""

from flask import g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.ladder.states import RungEventKind
from licenses.ladder.terms import LadderTerms
from portal.web import context, pages_own
from portal.web.access import allow
from portal.web.ladder_words import CHECKS
from storage.errors import InvalidInputError
from storage.identity import Role

blueprint = pages_own.blueprint


@blueprint.get("/commitments")
@allow(Role.HOLDER, records=("holder.looked",))
def commitments() -> str:
    """List the commitments for own cases; the look is recorded."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        rooms.own_records.looked(uow, who, None)
        found = rooms.own_commitments.listed(uow, who)
    items = {one.row.id: rooms.items.get(one.case.item_code, one.case.item_edition) for one in found}
    g.form_target = context.citizens().provider.sign_out_origin()
    return render_template("mine_commitments.html", found=found, items=items)


@blueprint.get("/commitments/<rung>")
@allow(Role.HOLDER, records=("rung.read",))
def commitment(rung: str) -> Response:
    """Show what is told before committing, and what happened since."""
    return _shown(rung)


@blueprint.post("/commitments/<rung>")
@allow(Role.HOLDER, records=("rung.changed", "access.refused"))
def commit(rung: str) -> Response:
    """Commit, or bring the proof instead; nobody commits without having said that they read it."""
    rooms, who, event = context.rooms(), context.identity(), request.form.get("event", "")
    if context.only_redisplays():
        return _shown(rung)
    if event not in {"commit", "drop"}:
        raise InvalidInputError(field="event", rule="commit drop")
    if event == "commit" and request.form.get("read") != "yes":
        return _shown(rung, unread=True)
    kind = RungEventKind.COMMITTED if event == "commit" else RungEventKind.DROPPED
    rooms.database.write(lambda uow: rooms.own_commitments.happen(uow, who, rung, kind))
    return redirect(url_for("mine.commitment", rung=rung), 303)


def _shown(rung: str, *, unread: bool = False) -> Response:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        view = rooms.own_commitments.view(uow, who, rung)
    g.form_target = context.citizens().provider.sign_out_origin()
    page = render_template(
        "mine_commitment.html",
        view=view,
        row=view.row,
        item=rooms.items.get(view.case.item_code, view.case.item_edition),
        way=view.requirement.rung("commitment"),
        terms=LadderTerms.load(),
        checks=CHECKS,
        commits=RungEventKind.COMMITTED in view.can,
        drops=RungEventKind.DROPPED in view.can,
        unread=unread,
    )
    return make_response(page, 422 if unread else 200)
