# SPDX-License-Identifier: Apache-2.0
"""A person's own account: where they are signed in, their password, and what they did."""

from collections.abc import Mapping

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from archive.models import Dossier
from cases.models import Case
from portal.accounts import passwords
from portal.accounts.errors import LoginNameTakenError, PasswordRuleError, SignInFailedError
from portal.accounts.passwords import RULES, Rule
from portal.accounts.rights import PERSONS
from portal.accounts.sign_ins import Own
from portal.web import context
from portal.web.access import allow
from portal.web.activity import ActPage, acts_of
from portal.web.pages_sign_in import take_one_attempt
from storage.database import UnitOfWork
from storage.errors import CunzhengError, InvalidInputError

blueprint = APIBlueprint("account", __name__, url_prefix="/account", enable_openapi=False)
_OWN = "shows the caller what the ledger holds of the caller"
_LONGEST = 1000


@blueprint.get("")
@allow(*PERSONS, unrecorded=_OWN)
def show() -> str:
    """Show the caller's sessions, failed sign-ins and acts."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        sessions = rooms.accounts.running_sessions(uow, who)
        own = rooms.sign_ins.own(uow, who)
        page = acts_of(uow.session, who.id, request.args.get("after"))
        numbers = _numbers(uow, page)
        return render_template("account.html", sessions=sessions, own=own, page=page, numbers=numbers)


def _numbers(uow: UnitOfWork, page: ActPage) -> Mapping[str, str]:
    """Give by act the number of the dossier or case that it was about.

    Only of what was done: a refusal must not tell whether there is what was asked for.
    """
    done = [one for one in page.rows if one.outcome == "done"]
    dossiers = select(Dossier.id, Dossier.archival_number).where(
        Dossier.id.in_({one.object_id for one in done})
    )
    cases = select(Case.id, Case.number).where(Case.id.in_({one.case_id for one in done if one.case_id}))
    known = {row[0]: row[1] for query in (cases, dossiers) for row in uow.session.execute(query)}
    found = {one.act_id: known.get(one.object_id) or known.get(one.case_id or "") for one in done}
    return {act: number for act, number in found.items() if number}


@blueprint.post("/sessions")
@allow(*PERSONS, records=("account.sessions-ended",))
def end_others() -> Response:
    """End the caller's other sessions."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        rooms.accounts.end_other_sessions(uow, context.identity())
    return redirect(url_for("account.show"), 303)


@blueprint.post("/acting")
@allow(*PERSONS, unrecorded="every act names the organisation that its actor acts for")
def act_for() -> Response:
    """Let the caller act in another of the caller's posts, from the start page on."""
    rooms, organisation = context.rooms(), request.form.get("organisation", "")
    rooms.database.write(lambda uow: rooms.accounts.act_for(uow, context.identity(), organisation[:_LONGEST]))
    return redirect(url_for("home.index"), 303)


@blueprint.get("/password")
@allow(*PERSONS, unrecorded="shows an empty form and the caller's own login name")
def password() -> Response:
    """Show the form for a new password."""
    own = _own()
    return _form(own, own.login_name)


@blueprint.post("/password")
@allow(*PERSONS, records=("account.password-set", "account.sessions-ended"))
def set_password() -> Response:
    """Set the caller's login name and password; the caller's other sessions end."""
    rooms, own = context.rooms(), _own()
    chosen = request.form.get("login_name", "").strip().lower()[:_LONGEST]
    if context.only_redisplays():
        return _form(own, chosen)
    new, again = (request.form.get(field, "")[:_LONGEST] for field in ("password", "again"))
    broken: list[Rule] = []
    try:
        _prove(own, request.form.get("current", ""))
        known = (own.login_name, "cunzheng", "存证", context.settings().operator_name)
        broken = passwords.broken_rules(new, again, chosen, known)
        if broken:
            raise PasswordRuleError(rules=" ".join(broken))
        kept = passwords.hash_password(new)
        rooms.database.write(lambda uow: rooms.sign_ins.set_password(uow, context.identity(), chosen, kept))
    except (SignInFailedError, LoginNameTakenError, InvalidInputError) as problem:
        return _form(own, chosen, problem, broken)
    return redirect(url_for("account.show"), 303)


def _own() -> Own:
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        return rooms.sign_ins.own(uow, context.identity())


def _prove(own: Own, current: str) -> None:
    """Check that the caller knows the present password, where that is needed.

    Raises:
        SignInFailedError: The caller does not.
        SignInsLimitedError: Too many attempts from this address.
    """
    take_one_attempt()
    if own.must_prove and not passwords.holds(own.kept, current):
        raise SignInFailedError


def _form(
    own: Own, login_name: str, problem: CunzhengError | None = None, broken: list[Rule] | None = None
) -> Response:
    page = render_template(
        "account_password.html",
        own=own,
        login_name=login_name,
        problem=problem,
        broken=broken or (),
        rules=RULES,
    )
    return make_response(page, 200 if problem is None else problem.status)
