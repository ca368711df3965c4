# SPDX-License-Identifier: Apache-2.0
"""A dossier and its files, for the archivist of its department and for supervision; each look is an act."""

from typing import Final

from apiflask import APIBlueprint
from flask import Response, render_template

from archive.catalogue import ROLE_TITLES
from archive.models import DossierMember
from archive.models import Role as MemberRole
from cases.items import Item
from portal.web import context
from portal.web.access import allow
from storage.identity import AccessBasis, Basis, Identity, Role

blueprint = APIBlueprint("dossiers", __name__, url_prefix="/dossiers", enable_openapi=False)
_RECORDS: Final = ("dossier.read", "access.refused")


@blueprint.get("/<dossier>")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=_RECORDS)
def show(dossier: str) -> str:
    """Open a dossier by its id or archival number."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        view = rooms.filings.dossier(uow, on_reading_basis(context.identity()), dossier)
    item = rooms.items.get(view.dossier.item_code, view.dossier.item_edition)
    english = {one.id: _english_title(one, item) for one in view.members}
    return render_template("dossier.html", view=view, item=item, english=english)


@blueprint.get("/<dossier>/members/<member>")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=_RECORDS)
def download(dossier: str, member: str) -> Response:
    """Give one file of a dossier, re-hashed while it is read from the object store."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        found = rooms.filings.member(uow, on_reading_basis(context.identity()), dossier, member)
    answer = Response(rooms.objects.read(found.sha256), mimetype=found.media_type)
    answer.headers.set("Content-Disposition", "attachment", filename=found.file_name)
    return answer


def _english_title(member: DossierMember, item: Item) -> str:
    """Give a member's title for English readers, from the data that named it."""
    types, material = context.rooms().license_types, item.material(member.code)
    if member.material_id is not None and material is not None:
        return material.en
    if member.code in types:
        return types.get(member.code).en
    return ROLE_TITLES[MemberRole(member.role)][1]


def on_reading_basis(who: Identity) -> Identity:
    """Give the identity on the basis of its office: supervision, or the filing it works on."""
    kind = Basis.SUPERVISION if who.has(Role.SUPERVISOR) else Basis.FILING
    return who.on(AccessBasis(kind))
