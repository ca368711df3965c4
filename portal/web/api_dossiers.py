# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/dossiers``: the dossier that a filed case became."""

from typing import Any

from apiflask import APIBlueprint

from archive.views import DossierView
from portal.web import context
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.examples import DOSSIER, DOSSIER_NULLABLE
from portal.web.pages_dossiers import on_reading_basis
from storage.clock import rfc3339
from storage.identity import Role

blueprint = APIBlueprint("dossiers_api", __name__, url_prefix="/api/v1/dossiers", tag="Dossiers")


def dossier_json(view: DossierView) -> dict[str, Any]:
    """Give a dossier as callers see it: holder masked, members by digest."""
    dossier = view.dossier
    return {
        "id": dossier.id,
        "archival_number": dossier.archival_number,
        "title": dossier.title,
        "case": {"source": view.case.source, "number": view.case.number},
        "item": {"code": dossier.item_code, "edition": dossier.item_edition},
        "holder": {"scheme": view.holder.scheme, "code": view.holder.code, "name": view.holder.name},
        "organisation": dossier.organisation,
        "retention": {"code": dossier.retention, "zh": dossier.retention_zh, "en": dossier.retention_en},
        "filed_at": rfc3339(dossier.filed_at) if dossier.filed_at else None,
        "version": dossier.version,
        "manifest": {"sha256": dossier.manifest_sha256, "seal_sha256": dossier.manifest_seal_sha256},
        "members": [
            {
                "position": one.position,
                "role": one.role,
                "code": one.code,
                "title": one.title,
                "sha256": one.sha256,
                "sm3": one.sm3,
                "size": one.size,
                "media_type": one.media_type,
                "pages": one.pages,
                "level": one.level,
            }
            for one in view.members
        ],
    }


@blueprint.get("/<dossier>")
@blueprint.doc(
    summary="Open a dossier by its id or archival number; the look is recorded",
    security="key",
    responses=by_status({200: answers("The dossier", DOSSIER, DOSSIER_NULLABLE)}),
)
@allow(Role.ARCHIVIST, Role.SUPERVISOR, scopes=("read",), records=("dossier.read", "access.refused"))
def show(dossier: str) -> dict[str, Any]:
    """Open a dossier."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        return dossier_json(rooms.filings.dossier(uow, on_reading_basis(context.identity()), dossier))
