# SPDX-License-Identifier: Apache-2.0
"""The hooks around every request: who asks, may they, is the form ours, what must the answer carry."""

from apiflask import HTTPError
from flask import Flask, Response, g, redirect, request, url_for
from werkzeug.exceptions import BadRequest, HTTPException
from werkzeug.wrappers import Response as BaseResponse

from portal.clients.errors import PurposeDiffersError
from portal.errors import TooLargeError, UnauthenticatedError, UnsupportedMediaError
from portal.quiet import is_no_request
from portal.refusals import AccessRefused, Place, record_apart, record_refusal
from portal.rooms import Rooms
from portal.settings import Settings
from portal.web import context, meta, problems, signed
from portal.web.access import Rule, rule_of
from portal.web.counters import MALFORMED
from portal.web.forms import check_form, keep_form_cookie
from portal.web.headers import secure_headers
from portal.web.payload import require_each_once, require_json
from portal.web.turned_away import refuse_questions
from portal.web.uploads import remove_staged
from storage.errors import CunzhengError, InvalidInputError, NotFoundError, NotPermittedError
from storage.identity import PUBLIC, Identity, Role

_ALWAYS = frozenset({"static"}) | meta.WITHOUT_IDENTITY
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_SMALL_BODY = 1024 * 1024


def install(app: Flask, rooms: Rooms, settings: Settings) -> None:
    """Install the hooks and the error handlers."""
    https = settings.public_url.startswith("https://")

    @app.before_request
    def admit() -> BaseResponse | None:
        g.correlation = rooms.ids.new_id()
        g.identity = PUBLIC
        context.choose_language()
        if request.endpoint is None or request.endpoint in _ALWAYS:
            return None
        _refuse_impossible_names()
        rule = rule_of(app.view_functions[request.endpoint])
        request.max_content_length = _body_limit(rule, settings)
        g.identity = context.identify()
        if not rule.admits(g.identity):
            return _turn_away(rooms, rule)
        signed.demand(rule, g.identity)
        signed.check_stated_purpose(g.identity)
        if problems.is_api_call():
            require_json(rule)
            require_each_once()
        elif request.method not in _SAFE:
            check_form()
        return None

    @app.after_request
    def finish(answer: Response) -> Response:
        keep_form_cookie(answer, secure=https)
        _keep_choices(answer, secure=https)
        return secure_headers(answer, https=https, form_target=g.get("form_target"))

    app.teardown_request(remove_staged)
    _install_error_handlers(app, rooms, settings)


def _refuse_impossible_names() -> None:
    # One database keeps text with NUL and the other refuses to be asked for it: nothing has such a name.
    if any("\0" in str(part) for part in (request.view_args or {}).values()):
        raise NotFoundError


def _body_limit(rule: Rule, settings: Settings) -> int:
    limits = {"intake": settings.max_upload, "verification": settings.max_verification}
    return limits.get(rule.upload or "", _SMALL_BODY)


def _turn_away(rooms: Rooms, rule: Rule) -> BaseResponse | None:
    who: Identity = g.identity
    if who == PUBLIC:
        if not problems.is_api_call() and request.method == "GET":
            door = "mine.explain" if Role.HOLDER in rule.roles else "sign_in.explain"
            return redirect(url_for(door), 303)
        raise UnauthenticatedError
    refuse_questions(rooms, rule, who, "not-granted")
    record_apart(rooms.database, AccessRefused(who, _place(), "scope" if who.kind == "system" else "role"))
    g.refusal_recorded = True
    raise NotPermittedError


def _refuse_of_another_purpose(app: Flask, rooms: Rooms, error: CunzhengError) -> None:
    if isinstance(error, PurposeDiffersError):
        refuse_questions(rooms, rule_of(app.view_functions[str(request.endpoint)]), g.identity, error.code)


def _place() -> Place:
    return Place("route", str(request.endpoint))


def _keep_choices(answer: Response, *, secure: bool) -> None:
    if not request.query_string:
        return
    for argument, cookie, value in (
        ("lang", context.LANGUAGE_COOKIE, g.get("chosen_language")),
        ("mode", context.MODE_COOKIE, context.chosen_mode()),
    ):
        if argument in request.args and value:
            answer.set_cookie(
                cookie, value, max_age=31536000, httponly=True, samesite="Lax", secure=secure, path="/"
            )


def _install_error_handlers(app: Flask, rooms: Rooms, settings: Settings) -> None:
    @app.errorhandler(CunzhengError)
    def ours(error: CunzhengError) -> Response:
        if isinstance(error, InvalidInputError):
            context.counters().add(MALFORMED)
        _refuse_of_another_purpose(app, rooms, error)
        if not g.get("refusal_recorded"):
            record_refusal(rooms.database, error, g.get("identity"), _place())
        return problems.answer(error, settings.public_url)

    @app.errorhandler(HTTPError)
    @app.errorhandler(HTTPException)
    def foreign(error: HTTPException | HTTPError) -> Response:
        if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
            return error.get_response()  # type: ignore[return-value] # a redirect of the router
        translated = problems.from_http(error)
        if isinstance(translated, InvalidInputError | TooLargeError | UnsupportedMediaError):
            context.counters().add(MALFORMED)
        made = problems.answer(translated, settings.public_url)
        allowed = getattr(error, "valid_methods", None)
        if allowed:
            made.headers["Allow"] = ", ".join(sorted(allowed))
        return made

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Response:
        if is_no_request(error):
            return foreign(BadRequest())
        problems.log_unexpected(error)
        return problems.answer(CunzhengError(), settings.public_url)
