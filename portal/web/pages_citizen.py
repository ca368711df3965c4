# SPDX-License-Identifier: Apache-2.0
"""The holder's pages: own licences, who used them, objections. Holders sign in at the identity provider.

Nothing in an address says whose records are shown: the session does, and what is another's is unknown. The
session's cookie is of a kind of its own, sent to these pages only, so that neither an official's session
opens them nor a holder's anything else.
"""

from typing import Final

from apiflask import APIBlueprint
from flask import g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cases.models import Case
from licenses.errors import ObjectionSubjectError, ObjectionWordsError
from licenses.objections import LONGEST, About
from licenses.own import OwnUse
from licenses.visibility import Part
from portal.citizens.errors import SignInNotAcceptedError
from portal.citizens.flow import LIFE
from portal.errors import RateLimitedError
from portal.i18n import gettext, language, named
from portal.i18n import mark as _
from portal.web import context, use_words
from portal.web.access import allow, public
from portal.web.codes import process_title
from portal.web.context import HOLDER_COOKIE, HOLDER_PAGES
from portal.web.counters import AUTHENTICATION_FAILED, RATE_LIMITED
from portal.web.labels import ROLES
from storage.identity import PUBLIC, Basis, Role

blueprint = APIBlueprint(HOLDER_PAGES, __name__, url_prefix="/mine", enable_openapi=False)
_FLOW_COOKIE = "cunzheng_flow"
_LONGEST: Final = 2000
"""Characters that a form gives back to be shortened."""
_NOBODY_YET = "whoever comes is not signed in yet"


@blueprint.get("")
@allow(Role.HOLDER, records=("holder.looked",))
def show() -> str:
    """Show the caller's own records; the look is recorded."""
    rooms, who = context.rooms(), context.identity()
    after = request.args.get("after")
    with rooms.database.writing() as uow:
        records = rooms.own_records.look(uow, who, after)
        codes = rooms.codes.own(uow, who)
    g.form_target = context.citizens().provider.sign_out_origin()
    return render_template("mine.html", records=records, codes=codes, first=after is None, **_WORDS)


@blueprint.get("/objection")
@allow(Role.HOLDER, records=("holder.looked",))
def objection_form() -> Response:
    """Show what an objection would be about, who answers it and until when."""
    return _objection_form(_about(), request.args.get("of", ""))


@blueprint.post("/objection")
@allow(Role.HOLDER, records=("objection.opened",))
def object_() -> Response:
    """Take an objection; it cannot be taken back."""
    rooms, who = context.rooms(), context.identity()
    about, of, words = _about(), request.args.get("of", ""), request.form.get("words", "")[:_LONGEST]
    if context.only_redisplays():
        return _objection_form(about, of, words)
    try:
        rooms.database.write(lambda uow: rooms.objections.open(uow, who, about, of, words))
    except ObjectionWordsError as problem:
        return _objection_form(about, of, words, problem)
    return redirect(url_for("mine.show", _anchor="objections"), 303)


def _about() -> About:
    try:
        return About(request.args.get("about", ""))
    except ValueError:
        raise ObjectionSubjectError from None


def _objection_form(
    about: About, of: str, words: str = "", problem: ObjectionWordsError | None = None
) -> Response:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        organisation = rooms.objections.answering(uow, who, about, of)
        subject = rooms.own_records.subject(uow, who, about, of)
        until = rooms.objections.due_on(uow.clock.now())
    g.form_target = context.citizens().provider.sign_out_origin()
    page = render_template(
        "mine_objection.html",
        about=str(about),
        of=of,
        use=subject if about is About.USE else None,
        licence=subject if about is About.LICENCE else None,
        organisation=organisation,
        until=until,
        longest=LONGEST,
        words=words,
        problem=problem,
        **_WORDS,
    )
    return make_response(page, 200 if problem is None else problem.status)


@blueprint.get("/sign-in")
@public(_NOBODY_YET, unrecorded="shows nothing about anybody")
def explain() -> str:
    """Tell how signing in works."""
    context.citizens()
    return render_template("mine_sign_in.html")


@blueprint.get("/begin")
@public(_NOBODY_YET, unrecorded="nothing is known of whoever begins; a completed sign-in is recorded")
def begin() -> Response:
    """Send the browser to the identity provider."""
    _limit()
    flow, address = context.citizens().begin(language())
    answer = redirect(address, 303)
    _keep(answer, _FLOW_COOKIE, flow.secret, int(LIFE.total_seconds()))
    return answer


@blueprint.get("/back")
@public(_NOBODY_YET, records=("holder.signed-in",))
def back() -> Response:
    """Take up whoever comes back from the identity provider."""
    _limit()
    if "error" in request.args:
        # They changed their mind, or the provider refused; either way there is nobody to let in.
        return _without(redirect(url_for("mine.explain"), 303), _FLOW_COOKIE)
    citizens, rooms = context.citizens(), context.rooms()
    try:
        flow, vouched = citizens.vouched(
            request.cookies.get(_FLOW_COOKIE, ""), request.args.get("state", ""), request.args.get("code", "")
        )
        token = rooms.database.write(lambda uow: citizens.sign_in(uow, flow, vouched))
    except SignInNotAcceptedError:
        context.counters().add(AUTHENTICATION_FAILED)
        raise
    answer = _without(redirect(url_for("mine.show"), 303), _FLOW_COOKIE)
    _keep(answer, HOLDER_COOKIE, token, context.settings().holder_session_minutes * 60)
    return answer


@blueprint.post("/sign-out")
@allow(Role.HOLDER, unrecorded="ends the caller's own session; signing in is what is recorded")
def sign_out() -> Response:
    """End the session here, and lead on to the identity provider's own end where it has one."""
    citizens = context.citizens()
    who = context.identity()
    context.rooms().database.write(lambda uow: citizens.sign_out(uow, who))
    here = f"{context.settings().public_url}{url_for('mine.explain')}"
    origin = citizens.provider.sign_out_origin()
    # Asked only when it is known already: leaving must not wait for a provider that is away.
    onward = citizens.provider.sign_out_address(here, language()) if origin else None
    return _without(redirect(onward or url_for("mine.explain"), 303), HOLDER_COOKIE)


def _office(own: OwnUse) -> str:
    """Name who used it: a holder, a department, the public, or the product itself."""
    use = own.row
    if own.myself:
        return gettext(_("Yourself"))
    if own.by is not None:
        return gettext(_("%(name)s, who holds it with you"), name=own.by.name)
    if Part.ORGANISATION in own.masked:
        return gettext(_("Not told, as the law provides"))
    if not use.organisation and (use.basis == Basis.PUBLIC_CHECK or use.actor_id == PUBLIC.id):
        return gettext(ROLES[Role.PUBLIC])
    known = {one.code: one for one in context.rooms().items.departments}
    if use.organisation in known:
        return named(known[use.organisation])
    return use.organisation or process_title(use.actor_id) or gettext(ROLES[Role.SYSTEM])


def _matter(case: Case) -> str:
    return named(context.rooms().items.get(case.item_code, case.item_edition))


_WORDS: Final = {"office": _office, "matter": _matter, "asked": use_words.ASKED}
"""How templates name an office, a matter and what was asked."""


def _limit() -> None:
    caller = request.remote_addr or "unknown"
    if not context.public_limit().admit(f"sign-in {caller}"):
        context.counters().add(RATE_LIMITED)
        raise RateLimitedError


def _keep(answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(
        name,
        value,
        max_age=seconds,
        httponly=True,
        samesite="Lax",
        secure=context.settings().public_url.startswith("https://"),
        path=url_for("mine.show"),
    )


def _without(answer: Response, name: str) -> Response:
    answer.delete_cookie(name, path=url_for("mine.show"))
    return answer
