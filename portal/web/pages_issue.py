# SPDX-License-Identifier: Apache-2.0
"""An office issues a licence by itself: choose the type, type the data, look at a preview, issue.

The preview is a page that nobody can take for a licence; nothing of it is kept. What is issued is reserved
here and made by a worker within seconds; the list below the form shows how far it is.
"""

from typing import Final

from apiflask import APIBlueprint
from flask import Response, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as AnyResponse

from cases.identifiers import SCHEMES
from licenses.definition import LicenseType
from licenses.errors import UnknownTypeError
from licenses.lifecycle import Process, status_titles
from licenses.models import License
from licenses.preview import draft_preview
from licenses.services import OFFICE
from portal.web import context
from portal.web.access import allow
from portal.web.issue_forms import MOST_ROWS, ROWS, data_of, grounds_of, party_of
from storage.errors import ConflictError, CunzhengError, InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("issue", __name__, url_prefix="/licences/issue", enable_openapi=False)
_SHOWN: Final = "shows numbers and states of the department's own licences to who manages them, and no holder"
_RECENT: Final = 10
_CHANGES: Final = (Process.RENEWAL, Process.CHANGE, Process.REISSUE, Process.CORRECTION)


@blueprint.get("")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def home() -> str:
    """Show the types of the department, the form of the chosen one, and what was issued last."""
    return _page(_chosen(request.args.get("type", "")))


@blueprint.post("/preview")
@allow(Role.LICENSE_MANAGER, unrecorded="sets what the manager typed, and nothing of the register")
def preview() -> Response:
    """Set what was typed as a page that is no licence."""
    rooms, kind = context.rooms(), _required(request.form.get("type", ""))
    try:
        data = data_of(kind, request.form)
        issuer, face = rooms.licenses.draft(context.identity(), party_of(request.form), data)
    except InvalidInputError as problem:
        return make_response(_page(kind, problem), problem.status)
    answer = make_response(draft_preview(kind, data, face, issuer, rooms.typesetter))
    answer.content_type = "application/pdf"
    answer.headers["Content-Disposition"] = 'inline; filename="preview.pdf"'
    return answer


@blueprint.post("")
@allow(Role.LICENSE_MANAGER, records=("license.reserved",))
def issue() -> AnyResponse:
    """Reserve the licence; a worker makes and seals it."""
    rooms, who, kind = context.rooms(), context.identity(), _required(request.form.get("type", ""))
    if context.only_redisplays() or "more" in request.form:
        return make_response(_page(kind))
    try:
        data, party, grounds = data_of(kind, request.form), party_of(request.form), grounds_of(request.form)
        rooms.licenses.draft(who, party, data)
        with rooms.database.writing() as uow:
            holder = rooms.holders.find_or_add(uow, party.scheme, party.code, party.name)
            made = rooms.licenses.reserve_by_office(uow, who, holder, data, grounds)
            place = url_for("issue.home", _anchor=f"licence-{made.id}")
    except (InvalidInputError, ConflictError) as problem:
        return make_response(_page(kind, problem), problem.status)
    return redirect(place, 303)


def _kinds() -> list[LicenseType]:
    rooms = context.rooms()
    own = rooms.licenses.types_of(context.identity().organisation)
    return [one for one in rooms.license_reader.types if one.code in own]


def _chosen(code: str) -> LicenseType | None:
    return next((one for one in _kinds() if one.code == code), None)


def _required(code: str) -> LicenseType:
    found = _chosen(code)
    if found is None:
        raise UnknownTypeError
    return found


def _page(kind: LicenseType | None, problem: CunzhengError | None = None) -> str:
    rooms = context.rooms()
    rows = request.form.get("rows", "")
    shown = min(int(rows), MOST_ROWS) if rows.isdecimal() and len(rows) < 4 else ROWS
    if "more" in request.form:
        shown = min(shown + ROWS, MOST_ROWS)
    query = (
        select(License)
        .where(License.organisation == context.identity().organisation, License.origin == OFFICE)
        .order_by(License.reserved_at.desc(), License.id.desc())
        .limit(_RECENT)
    )
    with rooms.database.reading() as uow:
        now = rooms.clock.now()
        recent = [(one, rooms.holdings.status(uow, one, now)) for one in uow.session.scalars(query)]
    return render_template(
        "issue.html",
        kinds=_kinds(),
        kind=kind,
        problem=problem,
        sent=request.form,
        rows=shown,
        schemes=SCHEMES,
        changes=_CHANGES,
        recent=recent,
        titles=status_titles(),
        types={one.code: one for one in rooms.license_types.all()},
        now=now,
    )
