# SPDX-License-Identifier: Apache-2.0
"""Annotated copies at the window: ordered from the list of an applicant's licences, printed by the office.

A copy is ordered for the case and the purpose of the answer that the clerk has open. Its page shows how far
it is whenever it is loaded; the file is given by a form, each time by a link of its own that is used at once.
"""

from apiflask import APIBlueprint
from flask import Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from licenses.copies.checking import purpose_of
from licenses.copies.services import ended
from licenses.models import License
from portal.web import context
from portal.web.access import allow
from portal.web.api_copies import handed_out
from portal.web.pages_window import decision_basis
from storage.identity import Role

blueprint = APIBlueprint("copies_pages", __name__, url_prefix="/window", enable_openapi=False)


@blueprint.post("/decisions/<decision>/copies")
@allow(Role.CLERK, records=("copy.ordered", "copy.refused", "access.refused"))
def order(decision: str) -> AnyResponse:
    """Order a copy for the decision's case; its page is shown."""
    rooms, who = context.rooms(), context.identity()
    basis = decision_basis(decision)
    identifier = request.form.get("licence", "")[:130]
    with rooms.database.writing() as uow:
        copy = rooms.copies.order(uow, who.on(basis), identifier)
        address = url_for("copies_pages.show", copy_id=copy.id)
    return redirect(address, 303)


@blueprint.get("/copies/<copy_id>")
@allow(Role.CLERK, unrecorded="tells the clerk of the clerk's own order, and nothing of the licence's face")
def show(copy_id: str) -> str:
    """Show how far a copy is."""
    again, fetch = (url_for(f"copies_pages.{name}", copy_id=copy_id) for name in ("show", "file"))
    return copy_page(copy_id, again, fetch, with_case=True)


def copy_page(copy_id: str, again: str, fetch: str, *, with_case: bool) -> str:
    """Give the page of a copy that the caller may see.

    Args:
        copy_id: The copy.
        again: Address of the page.
        fetch: Where who ordered it fetches the file.
        with_case: Whether the page names the case that the copy is for.
    """
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        copy = rooms.copies.get(uow, who, copy_id)
        license_ = uow.session.get_one(License, copy.license_id)
        kind = rooms.license_types.as_issued(license_.type_code, license_.type_version)
        case = rooms.cases.get_by_id(uow, who, copy.case_id) if with_case and copy.case_id else None
        over = ended(uow, copy)
    return render_template(
        "copy.html",
        copy=copy,
        kind=kind,
        case=case,
        purpose=purpose_of(copy),
        over=over,
        again=again,
        fetch=fetch if copy.actor_id == who.id else None,
    )


@blueprint.post("/copies/<copy_id>/file")
@allow(Role.CLERK, records=("copy.handed-out",))
def file(copy_id: str) -> Response:
    """Give the file, to be printed or kept by the department."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        token, _ = rooms.copies.link(uow, context.identity(), copy_id)
    return handed_out(copy_id, token)
