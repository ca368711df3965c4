# SPDX-License-Identifier: Apache-2.0
"""``GET /api/v1/grants``: what a calling system may ask, and how much of it is left today."""

from typing import Any, Final

from apiflask import APIBlueprint

from licenses.grants.services import GrantView
from portal.web import context
from portal.web.access import allow
from portal.web.documented import answers, by_status

blueprint = APIBlueprint("own_grants", __name__, url_prefix="/api/v1/grants", tag="No-proof")
_GRANTS: Final[dict[str, Any]] = {
    "grants": [
        {
            "id": "2pzhja9ctv1fffpq9enrkxjdz6",
            "items": [{"code": "339999010002", "edition": "2026-03"}],
            "requirements": ["R1"],
            "purposes": ["accept"],
            "ceiling": "fields",
            "quota": 2000,
            "left_today": 1999,
            "valid_from": "2026-11-24",
            "valid_until": "2027-11-23",
        }
    ]
}


@blueprint.get("")
@blueprint.doc(
    summary="Own grants that are not over: items, requirements (none = every one), purposes, ceiling, quota",
    security="key",
    responses=by_status(
        {200: answers("The grants, the one that ends first coming first", _GRANTS, ("edition",))}
    ),
)
@allow(scopes=("ask", "read"), unrecorded="gives a system the terms on which it may ask, nothing of holders")
def own() -> dict[str, Any]:
    """Give the client's own grants."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        return {"grants": [_grant_json(one) for one in rooms.grants.own(uow, context.identity())]}


def _grant_json(view: GrantView) -> dict[str, Any]:
    row = view.row
    return {
        "id": row.id,
        "items": row.items,
        "requirements": row.requirements,
        "purposes": row.purposes,
        "ceiling": row.ceiling,
        "quota": row.quota,
        "left_today": row.quota - view.used,
        "valid_from": row.valid_from.isoformat(),
        "valid_until": row.valid_until.isoformat(),
    }
