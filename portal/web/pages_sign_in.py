# SPDX-License-Identifier: Apache-2.0
"""Signing in by a link that works once or by login name and password, and signing out.

Opening the link only shows a button, so that a mail scanner or a preview does not use it up.
"""

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal.accounts import passwords
from portal.accounts.errors import SignInFailedError, SignInsLimitedError
from portal.accounts.rights import PERSONS
from portal.accounts.services import SignedIn
from portal.errors import LoginLinkSpentError, RateLimitedError, UnauthenticatedError
from portal.web import context
from portal.web.access import allow, public
from portal.web.context import SESSION_COOKIE
from portal.web.counters import AUTHENTICATION_FAILED, RATE_LIMITED

blueprint = APIBlueprint("sign_in", __name__, enable_openapi=False)
_LONGEST = 200


@blueprint.get("/sign-in")
@public("a stranger signs in here", unrecorded="shows nothing about anybody")
def explain() -> str:
    """Show the form, and tell how links work."""
    return render_template("sign_in_explain.html", problem=None, login_name="")


@blueprint.post("/sign-in")
@public(
    "a stranger signs in here",
    records=("account.signed-in", "account.locked", "address.locked"),
)
def by_password() -> Response:
    """Sign in by login name and password; every failure is answered alike."""
    login_name = request.form.get("login_name", "")[:_LONGEST]
    if context.only_redisplays():
        return make_response(render_template("sign_in_explain.html", problem=None, login_name=login_name))
    try:
        take_one_attempt()
        return _signed_in(_prove(login_name, request.form.get("password", "")))
    except (UnauthenticatedError, RateLimitedError) as problem:
        context.counters().add(
            RATE_LIMITED if isinstance(problem, RateLimitedError) else AUTHENTICATION_FAILED
        )
        page = render_template("sign_in_explain.html", problem=problem, login_name="")
        return make_response(page, problem.status)


def _prove(login_name: str, password: str) -> SignedIn:
    """Give the session of who knows the password.

    Raises:
        SignInFailedError: Name and password do not fit.
        SignInLockedError: The name or the address is locked.
    """
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        attempt = rooms.sign_ins.begin(uow, login_name, caller())
    proved = passwords.holds(attempt.kept, password)
    outdated = proved and attempt.kept is not None and passwords.is_outdated(attempt.kept)
    fresh = passwords.hash_password(password) if outdated else None
    started = rooms.database.write(lambda uow: rooms.sign_ins.end(uow, attempt, proved=proved, fresh=fresh))
    if started is None:
        raise SignInFailedError
    return started


def caller() -> str:
    """Give the address that an attempt comes from."""
    return request.remote_addr or "unknown"


def take_one_attempt() -> None:
    """Take one attempt from the allowance of the caller's address.

    Raises:
        SignInsLimitedError: The address has used its allowance of this minute.
    """
    if not context.sign_in_limit().admit(caller()):
        raise SignInsLimitedError(per_minute=context.settings().sign_in_rate)


@blueprint.get("/sign-in/<token>")
@public("the holder of the link is not signed in yet", unrecorded="only shows a button")
def offer(token: str) -> str:  # noqa: ARG001 # the form posts to the same address
    """Show the button."""
    return render_template("sign_in.html")


@blueprint.post("/sign-in/<token>")
@public("the holder of the link is not signed in yet", records=("account.signed-in",))
def sign_in(token: str) -> Response:
    """Use the link and start the session."""
    take_one_attempt()
    rooms = context.rooms()
    try:
        started = rooms.database.write(lambda uow: rooms.accounts.sign_in(uow, token))
    except LoginLinkSpentError:
        context.counters().add(AUTHENTICATION_FAILED)
        raise
    return _signed_in(started)


def _signed_in(started: SignedIn) -> Response:
    """Hand the session over and end the one that this browser had."""
    rooms, before = context.rooms(), request.cookies.get(SESSION_COOKIE)
    if before:
        rooms.database.write(lambda uow: rooms.accounts.sign_out(uow, before))
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
