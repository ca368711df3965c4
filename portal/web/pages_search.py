# SPDX-License-Identifier: Apache-2.0
"""The search page."""

from apiflask import APIBlueprint
from flask import render_template, request

from portal.web import context
from portal.web.access import allow
from portal.web.searching import find
from storage.identity import Role

blueprint = APIBlueprint("search", __name__, enable_openapi=False)
_LONGEST = 200


@blueprint.get("/search")
@allow(
    Role.ARCHIVIST,
    Role.CLERK,
    Role.SUPERVISOR,
    unrecorded="the index holds no personal identifiers and gives only what the caller's department filed",
)
def results() -> str:
    """Show what was found."""
    text = request.args.get("q", "").strip()[:_LONGEST]
    page = find(text, after=request.args.get("after") or None) if text else None
    # A clerk finds that something exists; opening it needs a case, at the window.
    opens = context.identity().has(Role.ARCHIVIST, Role.SUPERVISOR)
    return render_template("search.html", text=text, page=page, opens=opens)
