# SPDX-License-Identifier: Apache-2.0
"""Grants of use: what calling systems may ask of the library, what of it is used, asking for more or less."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cases.organisations import organisations
from licenses.grants.errors import GrantTermsError
from licenses.grants.models import LicenseGrant
from licenses.grants.services import running_grant
from licenses.grants.terms import MOST_A_DAY, Ceiling, GrantedItem, NewGrant
from licenses.purposes import purposes
from portal.accounts.directory import clients, persons
from portal.accounts.models import Client
from portal.accounts.rights import ADMINISTRATORS
from portal.web import context
from portal.web.access import allow
from storage.clock import legal_date
from storage.errors import CunzhengError, InvalidInputError, NotFoundError
from storage.identity import Role

blueprint = APIBlueprint("grants", __name__, url_prefix="/rights/grants", enable_openapi=False)
_TERMS: Final = "shows which systems may ask what, nothing of holders, to who administers them"
_LONGEST: Final = 600
_EVERY, _CURRENT = "every", "current"
_USUAL: Final[Mapping[str, list[str]]] = {"quota": ["2000"], "editions": [_EVERY]}


@blueprint.get("")
@allow(*ADMINISTRATORS, unrecorded=_TERMS)
def home() -> str:
    """Show every grant with its terms, and how often it was used today."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        today = legal_date(uow.clock.now())
        return render_template(
            "grants.html",
            grants=[(one, standing(one.row, today)) for one in rooms.rights.grants(uow, who)],
            clients={one.id: one.name for one in clients(uow, who)},
            names={one.id: one.name for one in persons(uow, who, rooms.sign_ins)},
            items=_items(),
            purposes=purposes(),
            asks=who.has(Role.SYSTEM_ADMIN),
        )


def standing(grant: LicenseGrant, today: dt.date) -> str:
    """Give the word for how a grant stands on a day."""
    if grant.ended_at is not None:
        return "ended"
    if today < grant.valid_from:
        return "coming"
    return "running" if today <= grant.valid_until else "over"


@blueprint.get("/ask")
@allow(Role.SYSTEM_ADMIN, unrecorded="shows a form, filled in as the grant to be replaced if one is named")
def form() -> Response:
    """Show the form that asks for a grant."""
    replaced = request.args.get("of", "")[:26]
    with context.rooms().database.reading() as uow:
        sent = _as_sent(running_grant(uow, replaced)) if replaced else dict(_USUAL)
    return _form(sent, replaced)


@blueprint.post("/ask")
@allow(Role.SYSTEM_ADMIN, records=("right.requested",))
def ask() -> Response:
    """Ask for a grant, in the place of another one if that is named."""
    rooms, who = context.rooms(), context.identity()
    sent, replaced = request.form.to_dict(flat=False), request.form.get("of", "")[:26]
    if context.only_redisplays():
        return _form(sent, replaced)
    try:
        new = _sent_terms()
        rooms.database.write(
            lambda uow: rooms.rights.add_grant(uow, who, new, _text("reason"), replaced or None).id
        )
    except (InvalidInputError, NotFoundError) as problem:
        return _form(sent, replaced, problem)
    return redirect(url_for("rights.home"), 303)


@blueprint.post("/<grant>/end")
@allow(Role.SYSTEM_ADMIN, records=("right.requested",))
def end(grant: str) -> Response:
    """Ask for the end of a grant."""
    rooms, who = context.rooms(), context.identity()
    rooms.database.write(lambda uow: rooms.rights.end_grant(uow, who, grant, _text("reason")).id)
    return redirect(url_for("rights.home"), 303)


def _form(sent: Mapping[str, list[str]], replaced: str, problem: CunzhengError | None = None) -> Response:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        callers = clients(uow, who)
        today = legal_date(uow.clock.now())
    tree = organisations()
    page = render_template(
        "grants_ask.html",
        sent=sent,
        replaced=replaced,
        problem=problem,
        callers=_callers(callers),
        items=[one for one in rooms.items.current() if tree.get(one.department) is not None],
        purposes=purposes().values(),
        ceilings=list(Ceiling),
        today=today,
        most=MOST_A_DAY,
    )
    return make_response(page, 200 if problem is None else problem.status)


def _callers(found: list[Client]) -> list[tuple[str, str, str]]:
    """Give what may be chosen as caller: each organisation with systems, then each of these."""
    choices = []
    for code in dict.fromkeys(one.organisation for one in found):
        choices.append((code, code, ""))
        choices += [(f"{code}/{one.id}", code, one.name) for one in found if one.organisation == code]
    return choices


def _items() -> Mapping[str, Any]:
    return {one.code: one for one in context.rooms().items.current()}


def _as_sent(grant: LicenseGrant) -> dict[str, list[str]]:
    """Give a grant as the form would have sent it."""
    caller = grant.organisation if grant.client_id is None else f"{grant.organisation}/{grant.client_id}"
    return {
        "caller": [caller],
        "item": [str(one["code"]) for one in grant.items],
        "editions": [_EVERY if any(one["edition"] is None for one in grant.items) else _CURRENT],
        "requirements": [" ".join(grant.requirements)],
        "purpose": grant.purposes,
        "ceiling": [grant.ceiling],
        "quota": [str(grant.quota)],
        "valid_until": [grant.valid_until.isoformat()],
        "legal_basis": [grant.legal_basis],
    }


def _sent_terms() -> NewGrant:
    """Read the form.

    Raises:
        GrantTermsError: A field is not what it should be; what it means is checked when it is asked for.
    """
    organisation, _, client = _text("caller").partition("/")
    items, quota = _items(), _text("quota")
    chosen = request.form.getlist("item")
    if not set(chosen) <= set(items):
        raise GrantTermsError(field="items", rule="items of the catalogue")
    if _text("ceiling") not in list(Ceiling):
        raise GrantTermsError(field="ceiling", rule=" ".join(Ceiling))
    if not (quota.isascii() and quota.isdecimal() and len(quota) <= len(str(MOST_A_DAY))):
        raise GrantTermsError(field="quota", rule=f"1 to {MOST_A_DAY}")
    current = _text("editions") == _CURRENT
    return NewGrant(
        organisation=organisation,
        client_id=client or None,
        items=[GrantedItem(code, items[code].edition if current else None) for code in chosen],
        requirements=_text("requirements").split(),
        purposes=request.form.getlist("purpose"),
        ceiling=Ceiling(_text("ceiling")),
        quota=int(quota),
        valid_from=_day("valid_from"),
        valid_until=_day("valid_until"),
        legal_basis=_text("legal_basis"),
    )


def _day(field: str) -> dt.date:
    try:
        return dt.datetime.strptime(_text(field), "%Y-%m-%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        raise GrantTermsError(field=field, rule="YYYY-MM-DD") from None


def _text(field: str) -> str:
    return request.form.get(field, "").strip()[:_LONGEST]
