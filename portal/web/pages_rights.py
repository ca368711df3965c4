# SPDX-License-Identifier: Apache-2.0
"""Accounts and rights: who may do what, what was asked for, and the second person's decision."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cases.identifiers import RESIDENT_ID, SCHEMES
from cases.organisations import organisations
from licenses.purposes import purposes
from portal.accounts.carrying import ChangeKind, running_account, running_client
from portal.accounts.directory import clients, persons
from portal.accounts.documents import DOCUMENT_SCHEMES, documented
from portal.accounts.models import ADMINISTRATION, SCOPES, RightChange
from portal.accounts.posts import posts_of
from portal.accounts.rights import ADMINISTRATORS, PERSONS, NewAccount, NewClient
from portal.clients.keys import clients_with_keys, running_keys
from portal.errors import RolesExcludeError
from portal.web import context
from portal.web.access import allow
from portal.web.decisions import sent_decision
from storage.database import UnitOfWork
from storage.errors import ConflictError, CunzhengError, InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("rights", __name__, url_prefix="/rights", enable_openapi=False)
_OFFICIALS: Final = "shows names and roles of officials to who administers them"
_LONGEST: Final = 600
_LONGEST_KEY: Final = 4000
_MOST_DAYS: Final = 1100


@blueprint.get("")
@allow(*ADMINISTRATORS, unrecorded=_OFFICIALS)
def home() -> str:
    """Show what waits for a decision, persons, systems, and what was decided."""
    return _home()


def _home(problem: CunzhengError | None = None, about: str = "") -> str:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        people = persons(uow, who, rooms.sign_ins)
        return render_template(
            "rights.html",
            waiting=rooms.rights.open(uow, who),
            past=rooms.rights.past(uow, who),
            persons=people,
            names={one.id: one.name for one in people},
            clients=clients(uow, who),
            keyed=clients_with_keys(uow),
            documented=documented(uow),
            schemes=SCHEMES,
            asks=who.has(Role.SYSTEM_ADMIN),
            decides=who.has(Role.SECURITY_ADMIN),
            problem=problem,
            about=about,
            items={one.code: one for one in rooms.items.current()},
            purposes=purposes(),
        )


@blueprint.get("/ask")
@allow(Role.SYSTEM_ADMIN, unrecorded="shows an empty form, and whom it concerns to who administers them")
def form() -> Response:
    """Show the form that asks for a change."""
    return _form(_kind(request.args.get("kind", "")), request.args.get("of", ""), {})


@blueprint.post("/ask")
@allow(Role.SYSTEM_ADMIN, records=("right.requested",))
def ask() -> Response:
    """Ask for a change; a new system's key is shown this once."""
    rooms, kind = context.rooms(), _kind(request.form.get("kind", ""))
    if context.only_redisplays():
        return _form(kind, request.form.get("of", ""), request.form.to_dict(flat=False))
    key: list[str] = []

    def asked(uow: UnitOfWork) -> str:
        change, secret = _ASK[kind](uow)
        key[:] = [secret] if secret else []
        return change.id

    try:
        change = rooms.database.write(asked)
    except (InvalidInputError, ConflictError, RolesExcludeError) as problem:
        return _form(kind, request.form.get("of", ""), request.form.to_dict(flat=False), problem)
    if key:
        return make_response(render_template("rights_key.html", key=key[0], change=change), 201)
    return redirect(url_for("rights.home"), 303)


@blueprint.post("/<change>/decision")
@allow(
    Role.SYSTEM_ADMIN,
    Role.SECURITY_ADMIN,
    records=("right.approved", "right.refused", "right.withdrawn"),
)
def decide(change: str) -> Response:
    """Approve, refuse or withdraw a change."""
    carry = sent_decision(context.rooms().rights, change)
    try:
        carry()
    except (InvalidInputError, ConflictError) as problem:
        return make_response(_home(problem, change), problem.status)
    return redirect(url_for("rights.home"), 303)


@blueprint.post("/<account>/unlock")
@allow(Role.SECURITY_ADMIN, records=("account.unlocked",))
def unlock(account: str) -> Response:
    """Let a person whose login name is locked sign in again."""
    rooms = context.rooms()
    rooms.database.write(lambda uow: rooms.sign_ins.unlock(uow, context.identity(), account))
    return redirect(url_for("rights.home"), 303)


def _kind(value: str) -> ChangeKind:
    found = next((kind for kind in _ASK if kind == value), None)
    if found is None:
        raise InvalidInputError(field="kind", rule=" ".join(_ASK))
    return found


def _form(
    kind: ChangeKind, of: str, sent: dict[str, list[str]], problem: CunzhengError | None = None
) -> Response:
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        name, posts = _concerned(uow, kind, of)
        keys = running_keys(uow, of) if kind is ChangeKind.CLIENT_KEY_END else []
    tree = organisations()
    page = render_template(
        "rights_ask.html",
        kind=str(kind),
        of=of,
        name=name,
        posts=posts,
        keys=keys,
        sent=sent,
        problem=problem,
        organisations=[(one.code, tree.depth(one.code)) for one in tree.all() if one.code != ADMINISTRATION],
        administration=ADMINISTRATION,
        roles=[role for role in Role if role in PERSONS],
        scopes=SCOPES,
        usual_scheme=RESIDENT_ID,
        schemes=[(scheme, SCHEMES[scheme]) for scheme in DOCUMENT_SCHEMES],
        items=rooms.items.current(),
    )
    return make_response(page, 200 if problem is None else problem.status)


def _concerned(uow: UnitOfWork, kind: ChangeKind, of: str) -> tuple[str, dict[str, frozenset[Role]]]:
    """Give the name and the posts of whom a change concerns; of somebody new there are none."""
    match kind:
        case (
            ChangeKind.ACCOUNT_POST
            | ChangeKind.ACCOUNT_END
            | ChangeKind.ACCOUNT_DOCUMENT
            | ChangeKind.ACCOUNT_DOCUMENT_END
        ):
            account = running_account(uow, of)
            return context.rooms().accounts.name(uow, account.id), posts_of(account)
        case ChangeKind.CLIENT_END | ChangeKind.CLIENT_KEY_ADD | ChangeKind.CLIENT_KEY_END:
            return running_client(uow, of).name, {}
    return "", {}


def _text(field: str) -> str:
    return request.form.get(field, "").strip()[:_LONGEST]


def _roles() -> frozenset[Role]:
    try:
        return frozenset(map(Role, request.form.getlist("role")))
    except ValueError:
        raise InvalidInputError(field="roles", rule="roles of the list") from None


def _ask_account(uow: UnitOfWork) -> tuple[RightChange, str]:
    new = NewAccount(name=_text("name"), organisation=_text("organisation"), roles=_roles())
    return context.rooms().rights.add_account(uow, context.identity(), new, _text("reason")), ""


def _ask_post(uow: UnitOfWork) -> tuple[RightChange, str]:
    rights, who = context.rooms().rights, context.identity()
    change = rights.change_post(uow, who, _text("of"), _text("organisation"), _roles(), _text("reason"))
    return change, ""


def _ask_end(uow: UnitOfWork) -> tuple[RightChange, str]:
    return context.rooms().rights.end_account(uow, context.identity(), _text("of"), _text("reason")), ""


def _ask_document(uow: UnitOfWork) -> tuple[RightChange, str]:
    stated = _text("scheme"), request.form.get("code", "").strip()[:_LONGEST]
    change = context.rooms().rights.state_document(
        uow, context.identity(), _text("of"), *stated, _text("reason")
    )
    return change, ""


def _ask_document_end(uow: UnitOfWork) -> tuple[RightChange, str]:
    return context.rooms().rights.end_document(uow, context.identity(), _text("of"), _text("reason")), ""


def _ask_client(uow: UnitOfWork) -> tuple[RightChange, str]:
    days = _text("days")
    if not (days.isascii() and days.isdecimal() and len(days) <= len(str(_MOST_DAYS))):
        raise InvalidInputError(field="days", rule=f"1 to {_MOST_DAYS}")
    if not 1 <= int(days) <= _MOST_DAYS:
        raise InvalidInputError(field="days", rule=f"1 to {_MOST_DAYS}")
    new = NewClient(
        name=_text("name"),
        organisation=_text("organisation"),
        sources=frozenset(_text("sources").split()),
        scopes=frozenset(request.form.getlist("scope")),
        items=frozenset(request.form.getlist("item")),
        operators=frozenset(_text("operators").split()),
        expires_at=uow.clock.now() + dt.timedelta(days=int(days)),
    )
    return context.rooms().rights.add_client(uow, context.identity(), new, _text("reason"))


def _ask_client_end(uow: UnitOfWork) -> tuple[RightChange, str]:
    return context.rooms().rights.end_client(uow, context.identity(), _text("of"), _text("reason")), ""


def _ask_key(kind: ChangeKind, uow: UnitOfWork) -> tuple[RightChange, str]:
    stated = request.form.get("key", "").strip()[:_LONGEST_KEY]
    who, rights = context.identity(), context.rooms().rights
    return rights.change_key(uow, who, kind, _text("of"), stated, _text("reason")), ""


_ASK: Final[dict[ChangeKind, Callable[[UnitOfWork], tuple[RightChange, str]]]] = {
    ChangeKind.ACCOUNT_ADD: _ask_account,
    ChangeKind.ACCOUNT_POST: _ask_post,
    ChangeKind.ACCOUNT_END: _ask_end,
    ChangeKind.ACCOUNT_DOCUMENT: _ask_document,
    ChangeKind.ACCOUNT_DOCUMENT_END: _ask_document_end,
    ChangeKind.CLIENT_ADD: _ask_client,
    ChangeKind.CLIENT_END: _ask_client_end,
    ChangeKind.CLIENT_KEY_ADD: partial(_ask_key, ChangeKind.CLIENT_KEY_ADD),
    ChangeKind.CLIENT_KEY_END: partial(_ask_key, ChangeKind.CLIENT_KEY_END),
}
