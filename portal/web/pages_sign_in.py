# SPDX-License-Identifier: Apache-2.0
"""Signing in by a link that works once, and signing out.

Opening the link only shows a button, so that a mail scanner or a preview does not use it up.
"""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.accounts.services import PERSONS
from portal.errors import LoginLinkSpentError
from portal.web import context
from portal.web.access import allow, public
from portal.web.context import SESSION_COOKIE
from portal.web.counters import AUTHENTICATION_FAILED

blueprint = APIBlueprint("sign_in", __name__, enable_openapi=False)


@blueprint.get("/sign-in")
@public("tells how to sign in", unrecorded="shows nothing about anybody")
def explain() -> str:
    """Tell how signing in works."""
    return render_template("sign_in_explain.html")


@blueprint.get("/sign-in/<token>")
@public("the holder of the link is not signed in yet", unrecorded="only shows a button")
def offer(token: str) -> str:  # noqa: ARG001 # the form posts to the same address
    """Show the button."""
    return render_template("sign_in.html")


@blueprint.post("/sign-in/<token>")
@public("the holder of the link is not signed in yet", records=("account.signed-in",))
def sign_in(token: str) -> Response:
    """Use the link and start the session."""
    rooms = context.rooms()
    try:
        with rooms.database.writing() as uow:
            started = rooms.accounts.sign_in(uow, token)
    except LoginLinkSpentError:
        context.counters().add(AUTHENTICATION_FAILED)
        raise
    answer = redirect(url_for("home.index"), 303)
    answer.set_cookie(
        SESSION_COOKIE,
        started.token,
        max_age=context.settings().session_hours * 3600,
        httponly=True,
        samesite="Lax",
        secure=context.settings().public_url.startswith("https://"),
        path="/",
    )
    return answer


@blueprint.post("/sign-out")
@allow(*PERSONS, unrecorded="ends the caller's own session; signing in is what is recorded")
def sign_out() -> Response:
    """End the session."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        rooms.accounts.sign_out(uow, request.cookies.get(SESSION_COOKIE, ""))
    answer = redirect(url_for("home.index"), 303)
    answer.delete_cookie(SESSION_COOKIE, path="/")
    return answer
