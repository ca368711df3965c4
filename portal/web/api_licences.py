# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/licences``: read a licence, on a stated basis, always recorded."""

from typing import Any

from apiflask import APIBlueprint

from licenses.reading import LicenseView
from portal.web import context
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.examples import LICENCE, LICENCE_NULLABLE

blueprint = APIBlueprint("licences_api", __name__, url_prefix="/api/v1/licences", tag="Licences")


def licence_json(view: LicenseView) -> dict[str, Any]:
    """Give a licence as its reader may see it."""
    return {
        "id": view.id,
        "identifier": view.identifier,
        "type": {"code": view.kind.code, "zh": view.kind.zh, "en": view.kind.en},
        "status": {"code": str(view.status.code), "zh": view.status.zh, "en": view.status.en},
        "issuer": view.issuer,
        "holder": {"scheme": view.holder.scheme, "code": view.holder.code, "name": view.holder.name},
        "number": view.number,
        "issued_on": view.issued_on.isoformat(),
        "valid_from": view.valid_from.isoformat() if view.valid_from else None,
        "valid_until": view.valid_until.isoformat() if view.valid_until else None,
        "face": dict(view.face),
    }


@blueprint.get("/<identifier>")
@blueprint.doc(
    summary="Read a licence for an open case, named in the Access headers",
    security="key",
    responses=by_status(
        {200: answers("The licence, sensitive fields masked", LICENCE, LICENCE_NULLABLE, ("face",))}
    ),
)
@allow(scopes=("read",), records=("license.read", "access.refused"))
def read(identifier: str) -> dict[str, Any]:
    """Read a licence; the holder sees that it was read, by whom and for which case."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        return licence_json(rooms.license_reader.read(uow, context.identity(), identifier))
