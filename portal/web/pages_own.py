# SPDX-License-Identifier: Apache-2.0
"""What holders do with an own licence: show it 亮证 by a code that changes, and authorise others to use it.

The pages belong to the holders' blueprint. A code to authorise is shown once, in the answer to its form.
"""

import base64
from typing import Final

from flask import Response, g, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from cases.identifiers import SCHEMES
from licenses.codes.errors import CodeTermsError
from licenses.codes.services import CodeWish, MadeCode, Mode
from licenses.copies.terms import copy_terms
from licenses.errors import CodeUnknownError
from licenses.layout import qr_svg
from licenses.views import LicenseView
from portal.web import context, pages_citizen
from portal.web.access import allow
from storage.identity import Basis, Role

blueprint = pages_citizen.blueprint
MINUTES: Final = (15, 60, 1440, 10080)
"""Times that the page offers; the shortest first."""
_MOST_TURNS: Final = 10


@blueprint.get("/licences/<license_id>")
@allow(Role.HOLDER, records=("holder.looked",))
def licence(license_id: str) -> str:
    """Show an own licence with the code of this minute."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        rooms.own_records.looked(uow, who, request.args.get("purpose") or None)
        shown = rooms.showing.code(uow, who, license_id)
    address = f"{context.settings().public_url.rstrip('/')}{url_for('checks.shown', token=shown.token)}"
    turn = request.args.get("turn", "0")
    turn_number = int(turn) if turn.isascii() and turn.isdecimal() and len(turn) < 3 else 0
    g.form_target = context.citizens().provider.sign_out_origin()
    return render_template(
        "mine_licence.html",
        view=shown.view,
        until=shown.until,
        address=address,
        image=base64.b64encode(qr_svg(address).encode()).decode(),
        fresh_in=shown.fresh_in if turn_number < _MOST_TURNS else None,
        turn=turn_number + 1,
        problem=None,
        **_choices(),
    )


@blueprint.post("/licences/<license_id>/codes")
@allow(Role.HOLDER, records=("code.made",))
def make_code(license_id: str) -> Response:
    """Make an authorisation code and show it, this one time."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        view = next((one for one in rooms.license_reader.own(uow, who) if one.id == license_id), None)
        if view is None:
            raise CodeUnknownError
        try:
            made = rooms.codes.make(uow, who, _wish(view))
        except CodeTermsError as mistake:
            problem: CodeTermsError = mistake
        else:
            return _page(view, made)
    g.form_target = context.citizens().provider.sign_out_origin()
    page = render_template("mine_code.html", view=view, made=None, problem=problem, **_choices())
    return make_response(page, problem.status)


@blueprint.post("/codes/<code_id>/revocation")
@allow(Role.HOLDER, records=("code.revoked",))
def revoke_code(code_id: str) -> AnyResponse:
    """Revoke a code, at once and for good."""
    rooms, who = context.rooms(), context.identity()
    rooms.database.write(lambda uow: rooms.codes.revoke(uow, who, code_id))
    return redirect(url_for("mine.show", _anchor="codes"), 303)


def _wish(view: LicenseView) -> CodeWish:
    form = request.form
    scheme, code = form.get("scheme", "")[:3], form.get("code", "").strip()[:40]
    minutes = form.get("minutes", "")
    return CodeWish(
        identifier=view.identifier,
        mode=Mode.DELEGATED if code else Mode.OWN,
        purpose=form.get("purpose", "")[:40],
        minutes=int(minutes) if minutes.isascii() and minutes.isdecimal() and len(minutes) < 6 else None,
        party=(scheme, code) if code else None,
    )


def _page(view: LicenseView, made: MadeCode) -> Response:
    g.form_target = context.citizens().provider.sign_out_origin()
    answer = make_response(render_template("mine_code.html", view=view, made=made, problem=None), 201)
    answer.headers["Cache-Control"] = "no-store"
    return answer


def _choices() -> dict[str, object]:
    return {
        "purposes": list(copy_terms().purposes[Basis.HOLDER].values()),
        "minutes": MINUTES,
        "schemes": {code: SCHEMES[code] for code in ("111", "001")},
    }
