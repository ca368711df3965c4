# SPDX-License-Identifier: Apache-2.0
"""The holder's page: own licences, and who used them. Holders sign in at the identity provider.

Nothing in an address says whose records are shown: the session does. Its cookie is of a kind of its own, sent
to these pages only, so that neither an official's session opens them nor a holder's anything else.
"""

from typing import Final

from apiflask import APIBlueprint
from flask import g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cases.models import Case
from licenses.models import LicenseUsage
from licenses.own import OwnRecordsService
from portal.citizens.errors import SignInNotAcceptedError
from portal.citizens.flow import LIFE
from portal.errors import RateLimitedError
from portal.i18n import gettext, language, named
from portal.i18n import mark as _
from portal.web import context
from portal.web.access import allow, public
from portal.web.codes import process_title
from portal.web.context import HOLDER_COOKIE, HOLDER_PAGES
from portal.web.counters import AUTHENTICATION_FAILED, RATE_LIMITED
from portal.web.labels import ROLES
from storage.identity import Basis, Role

blueprint = APIBlueprint(HOLDER_PAGES, __name__, url_prefix="/mine", enable_openapi=False)
_FLOW_COOKIE = "cunzheng_flow"
_ASKED: Final = {
    "ask": _("which proofs are needed"),
    "called-up": _("a copy for the file of the case"),
    "find": _("which licences there are"),
    "public-check": _("state, by the file or its code"),
    "read": _("the licence, sensitive fields masked"),
}
"""What was asked where no single requirement was."""
_NOBODY_YET = "whoever comes is not signed in yet"


@blueprint.get("")
@allow(Role.HOLDER, records=("holder.looked",))
def show() -> str:
    """Show the caller's own records; the look is recorded."""
    rooms, who = context.rooms(), context.identity()
    own = OwnRecordsService(rooms.license_reader, rooms.proofs, rooms.holdings, rooms.holders)
    after = request.args.get("after")
    with rooms.database.writing() as uow:
        records = own.look(uow, who, after)
    g.form_target = context.citizens().provider.sign_out_origin()
    return render_template(
        "mine.html",
        records=records,
        office=_office,
        matter=_matter,
        asked=_ASKED,
        first=after is None,
    )


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


def _office(use: LicenseUsage) -> str:
    """Name who used it: a department, the public, or the product itself."""
    if use.basis == Basis.PUBLIC_CHECK and not use.organisation:
        return gettext(ROLES[Role.PUBLIC])
    known = {one.code: one for one in context.rooms().items.departments}
    if use.organisation in known:
        return named(known[use.organisation])
    return use.organisation or process_title(use.actor_id) or gettext(ROLES[Role.SYSTEM])


def _matter(case: Case) -> str:
    return named(context.rooms().items.get(case.item_code, case.item_edition))


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
