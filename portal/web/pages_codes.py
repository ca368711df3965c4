# SPDX-License-Identifier: Apache-2.0
"""The window takes an authorisation code that a holder gives: reads the licence or copies it for its file.

A code travels in forms alone, never in an address.
"""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from cases.identifiers import SCHEMES
from licenses.codes.errors import CodeRefusedError
from licenses.codes.services import CodeWish, Mode
from portal.refusals import record_apart
from portal.web import context
from portal.web.access import allow
from portal.web.pages_window import cases_of, decision_basis
from storage.identity import AccessBasis, Basis, Identity, Role

blueprint = APIBlueprint("codes_pages", __name__, url_prefix="/window", enable_openapi=False)


@blueprint.get("/code")
@allow(Role.CLERK, unrecorded="shows an empty form")
def form() -> str:
    """Show the form."""
    return render_template("window_code.html", schemes=_schemes(), refusal=None)


@blueprint.post("/decisions/<decision>/codes")
@allow(Role.CLERK, records=("code.made", "access.refused"))
def make(decision: str) -> str:
    """Make a code for a licence that the item of an answer uses, and show it this one time."""
    rooms, who = context.rooms(), context.identity().on(decision_basis(decision))
    wish = CodeWish(request.form.get("licence", "")[:130], Mode.FUNCTION)
    with rooms.database.writing() as uow:
        made = rooms.codes.make(uow, who, wish)
    return render_template("window_code_made.html", made=made, decision=decision)


@blueprint.post("/code")
@allow(Role.CLERK, records=("code.used", "license.read", "copy.ordered", "copy.refused", "access.refused"))
def use() -> Response | tuple[str, int] | str:
    """Read the licence that the code is for, or make a copy of it."""
    if context.only_redisplays():
        return form()
    rooms, sent = context.rooms(), request.form
    secret, who = sent.get("secret", "").strip()[:64], _for_case()
    document = sent.get("document", "").strip()[:40]
    party = (sent.get("scheme", "")[:3], document) if document else None
    try:
        with rooms.database.writing() as uow:
            if sent.get("do") == "copy":
                able, license_ = rooms.codes.redeem(uow, who, secret, party)
                copy = rooms.copies.order_for(uow, able, license_)
                address = url_for("copies_pages.show", copy_id=copy.id)
            else:
                view = rooms.codes.read(uow, who, secret, party)
                fields = [(one, view.face[one.name]) for one in view.kind.fields if one.name in view.face]
                return render_template("licence.html", view=view, fields=fields)
    except CodeRefusedError as refusal:
        record_apart(rooms.database, refusal)
        return render_template("window_code.html", schemes=_schemes(), refusal=refusal), refusal.status
    return redirect(address, 303)


def _for_case() -> Identity:
    """Give who asks, for the one open case that the form names, if any: the use is then noted for it."""
    who, number = context.identity(), request.form.get("number", "").strip()[:130]
    if not number:
        return who
    with context.rooms().database.reading() as uow:
        found = cases_of(uow, number)
    if len(found) != 1:
        return who
    return who.on(AccessBasis(Basis.CASE, found[0].id, found[0].item_code, "accept"))


def _schemes() -> dict[str, tuple[str, str]]:
    return {code: SCHEMES[code] for code in ("111", "001")}
