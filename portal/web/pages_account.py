# SPDX-License-Identifier: Apache-2.0
"""A person's own account: where they are signed in, and what they did."""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.accounts.services import PERSONS
from portal.web import context
from portal.web.access import allow
from portal.web.activity import acts_of

blueprint = APIBlueprint("account", __name__, url_prefix="/account", enable_openapi=False)
_OWN = "shows the caller what the ledger holds of the caller"


@blueprint.get("")
@allow(*PERSONS, unrecorded=_OWN)
def show() -> str:
    """Show the caller's sessions and acts."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        sessions = rooms.accounts.running_sessions(uow, who)
        page = acts_of(uow.session, who.id, request.args.get("after"))
        return render_template("account.html", sessions=sessions, page=page)


@blueprint.post("/sessions")
@allow(*PERSONS, records=("account.sessions-ended",))
def end_others() -> Response:
    """End the caller's other sessions."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        rooms.accounts.end_other_sessions(uow, context.identity())
    return redirect(url_for("account.show"), 303)
