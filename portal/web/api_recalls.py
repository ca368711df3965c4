# SPDX-License-Identifier: Apache-2.0
"""``GET /api/v1/proofs/recalled``: a calling system's own decisions whose ground is gone."""

from typing import Any, Final

from apiflask import APIBlueprint

from portal.web import context
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.schemas import CursorQuery
from storage.clock import rfc3339

blueprint = APIBlueprint("recalls", __name__, url_prefix="/api/v1/proofs", tag="Proofs")
_RECALLED: Final[dict[str, Any]] = {
    "recalled": [
        {
            "decision": "4h2n6v8k0m2p4r6t8w0y2a4c6e",
            "asked_at": "2026-11-20T03:00:00.000000Z",
            "case": {"source": "ycsl", "number": "YC-2026-000140"},
            "item": "339999010002",
            "result": "MET",
            "licence": {"id": "1h2n6v8k0m2p4r6t8w0y2a4c6e", "type": "11100000MB0143028R001"},
            "rung": "7k3q0c1v9m2xw4e8r5t6y7u0pa",
            "event": "revoked",
            "happened_at": "2026-11-25T03:00:00.000000Z",
        }
    ],
    "next": None,
}


@blueprint.get("/recalled")
@blueprint.input(CursorQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="Own decisions whose ground is gone: a licence was suspended, withdrawn or revoked, or its "
    "content or a department's answer corrected",
    security="key",
    responses=by_status({200: answers("A page, what happened last first", _RECALLED, ("licence", "rung"))}),
)
@allow(scopes=("ask",), unrecorded="gives the asker's own decisions and what befell the licences, no holder")
def recalled(query: CursorQuery) -> dict[str, Any]:
    """Give a page of the client's own."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        page = rooms.recalls.recalled(uow, context.identity(), query.after, query.limit)
    return {
        "recalled": [
            {
                "decision": one.decision_id,
                "asked_at": rfc3339(one.asked_at),
                "case": {"source": one.source, "number": one.number},
                "item": one.item_code,
                "result": one.answer,
                "licence": {"id": one.license_id, "type": one.type_code} if one.license_id else None,
                "rung": one.rung_id,
                "event": one.event,
                "happened_at": rfc3339(one.happened_at),
            }
            for one in page.rows
        ],
        "next": page.next_cursor,
    }
