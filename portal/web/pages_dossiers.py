# SPDX-License-Identifier: Apache-2.0
"""A dossier and its files, for the archivist of its department and for supervision; each look is an act."""

import hashlib
import tempfile
from contextlib import ExitStack
from functools import partial
from typing import IO, Final

from apiflask import APIBlueprint
from flask import Response, render_template, send_file

from archive.catalogue import ROLE_TITLES
from archive.models import DossierMember
from archive.models import Role as MemberRole
from archive.views import DossierView, has_pages
from cases.items import Item
from licenses.copies.terms import copy_terms
from portal.i18n import exact_moment
from portal.package import (
    AUTHORITY,
    MANIFEST,
    MANIFEST_SEAL,
    POLICY,
    SUMS,
    Package,
    compose,
    package_name,
)
from portal.settings import Environment
from portal.web import context
from portal.web.access import allow
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.notes import VerifierKey
from storage.ledger.policies import single_log_policy

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
    english = {one.id: english_title(one, item) for one in view.members}
    shown = {one.id for one in view.members if has_pages(one)}
    return render_template("dossier.html", view=view, item=item, english=english, shown=shown)


@blueprint.get("/<dossier>/package")
@allow(Role.ARCHIVIST, Role.SUPERVISOR, records=_RECORDS)
def package(dossier: str) -> Response:
    """Give the whole dossier as one ZIP with manifest, receipts, keys and instructions."""
    rooms, settings = context.rooms(), context.settings()
    with rooms.database.writing() as uow:
        view = rooms.filings.dossier(uow, on_reading_basis(context.identity()), dossier)
        packed = compose(uow, view, rooms.objects)
    with ExitStack() as kept:
        file = kept.enter_context(tempfile.TemporaryFile(dir=settings.staging))
        write_package(file, view, packed)
        file.seek(0)
        name = package_name(view.dossier)
        answer = send_file(file, "application/zip", as_attachment=True, download_name=name)
        answer.call_on_close(kept.pop_all().close)
    return answer


def write_package(file: IO[bytes], view: DossierView, packed: Package) -> None:
    """Write a dossier's package with this installation's keys and its instructions.

    Raises:
        ObjectDamagedError: A member's bytes are no longer those that were filed.
    """
    rooms = context.rooms()
    keys = {
        AUTHORITY: rooms.keys.ca_pem,
        POLICY: single_log_policy(VerifierKey.parse(rooms.keys.log_key)).encode(),
    }
    packed.write(file, rooms.objects, keys, partial(_instructions, view))


def _instructions(view: DossierView, packed: Package) -> str:
    rooms = context.rooms()
    return render_template(
        "package.txt",
        view=view,
        item=rooms.items.get(view.dossier.item_code, view.dossier.item_edition),
        package=packed,
        roles={str(role): titles for role, titles in ROLE_TITLES.items()},
        filed_at=exact_moment(packed.filed_at),
        demo=context.settings().environment is not Environment.PRODUCTION,
        log_key=rooms.keys.log_key,
        ca_sha256=hashlib.sha256(rooms.keys.ca_pem).hexdigest(),
        manifest_file=MANIFEST,
        seal_file=MANIFEST_SEAL,
        sums=SUMS,
        authority=AUTHORITY,
        policy=POLICY,
    )


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


def english_title(member: DossierMember, item: Item) -> str:
    """Give a member's title for English readers, from the data that named it."""
    types, material = context.rooms().license_types, item.material(member.code)
    if member.material_id is not None and material is not None:
        return material.en
    if member.code in types:
        return types.get(member.code).en
    return ROLE_TITLES[MemberRole(member.role)][1]


def on_reading_basis(who: Identity) -> Identity:
    """Give the identity on the basis of its office, supervision or filing, with that basis's purpose."""
    kind = Basis.SUPERVISION if who.has(Role.SUPERVISOR) else Basis.FILING
    return who.on(AccessBasis(kind, purpose=copy_terms().usual(kind)))
