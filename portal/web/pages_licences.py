# SPDX-License-Identifier: Apache-2.0
"""A licence with its face, for the archivist of the issuing department and for supervision; copies for both.

A copy for the file or for supervision is made of a licence that ended, too; each of its pages then says so.
"""

from apiflask import APIBlueprint
from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from licenses.copies.terms import copy_terms
from portal.web import context
from portal.web.access import allow
from portal.web.api_copies import handed_out
from portal.web.asked_days import end_of
from portal.web.pages_copies import copy_page
from portal.web.pages_dossiers import on_reading_basis
from storage.clock import legal_date
from storage.identity import AccessBasis, Basis, Role

blueprint = APIBlueprint("licences", __name__, enable_openapi=False)


@blueprint.get("/licences/<identifier>")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=("license.read", "access.refused"))
def show(identifier: str) -> str:
    """Show a licence, as of a day if one is asked for; the holder sees that it was read."""
    rooms, who = context.rooms(), context.identity()
    now = rooms.clock.now()
    at = end_of(request.args.get("on", ""), now)
    kind = _basis()
    with rooms.database.writing() as uow:
        view = rooms.license_reader.read(uow, on_reading_basis(who), identifier, at)
    fields = [(field, view.face[field.name]) for field in view.kind.fields if field.name in view.face]
    return render_template(
        "licence.html",
        view=view,
        fields=fields,
        today=legal_date(now),
        on=legal_date(at) if at else None,
        purposes=list(copy_terms().purposes[kind].values()),
    )


@blueprint.post("/licences/<identifier>/copies")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=("copy.ordered", "copy.refused", "access.refused"))
def order_copy(identifier: str) -> AnyResponse:
    """Order a copy for the file or for supervision; its page is shown."""
    rooms, who = context.rooms(), context.identity()
    basis = AccessBasis(_basis(), purpose=request.form.get("purpose", "")[:40])
    with rooms.database.writing() as uow:
        copy = rooms.copies.order(uow, who.on(basis), identifier)
        address = url_for("licences.copy", copy_id=copy.id)
    return redirect(address, 303)


@blueprint.get("/licences/copies/<copy_id>")
@allow(
    Role.ARCHIVIST,
    Role.SUPERVISOR,
    unrecorded="tells of a copy that was ordered for the office, and nothing of the licence's face",
)
def copy(copy_id: str) -> str:
    """Show how far a copy is."""
    again, fetch = (url_for(f"licences.{name}", copy_id=copy_id) for name in ("copy", "copy_file"))
    return copy_page(copy_id, again, fetch, with_case=False)


@blueprint.post("/licences/copies/<copy_id>/file")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=("copy.handed-out",))
def copy_file(copy_id: str) -> AnyResponse:
    """Give the file to who ordered it."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        token, _ = rooms.copies.link(uow, context.identity(), copy_id)
    return handed_out(copy_id, token)


def _basis() -> Basis:
    return Basis.SUPERVISION if context.identity().has(Role.SUPERVISOR) else Basis.FILING
