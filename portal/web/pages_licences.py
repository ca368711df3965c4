# SPDX-License-Identifier: Apache-2.0
"""A licence with its face, for the archivist of the issuing department and for supervision."""

from apiflask import APIBlueprint
from flask import render_template, request

from portal.web import context
from portal.web.access import allow
from portal.web.asked_days import end_of
from portal.web.pages_dossiers import on_reading_basis
from storage.clock import legal_date
from storage.identity import Role

blueprint = APIBlueprint("licences", __name__, enable_openapi=False)


@blueprint.get("/licences/<identifier>")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=("license.read", "access.refused"))
def show(identifier: str) -> str:
    """Show a licence, as of a day if one is asked for; the holder sees that it was read."""
    rooms, who = context.rooms(), context.identity()
    now = rooms.clock.now()
    at = end_of(request.args.get("on", ""), now)
    with rooms.database.writing() as uow:
        view = rooms.license_reader.read(uow, on_reading_basis(who), identifier, at)
    fields = [(field, view.face[field.name]) for field in view.kind.fields if field.name in view.face]
    return render_template(
        "licence.html", view=view, fields=fields, today=legal_date(now), on=legal_date(at) if at else None
    )
