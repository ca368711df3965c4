# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/licences``: read a licence, on a stated basis, always recorded."""

from typing import Any, Final

from apiflask import APIBlueprint

from cases.holders import MaskedHolder
from licenses.lookup import Wanted
from licenses.relations import Relation
from licenses.views import LicenseView
from portal.web import context
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.examples import LICENCE, LICENCE_NULLABLE, LICENCES
from portal.web.schemas import LicenceQuery, LicencesQuery
from storage.clock import rfc3339

blueprint = APIBlueprint("licences_api", __name__, url_prefix="/api/v1/licences", tag="Licences")
_PAGE_NULLABLE: Final = (*LICENCE_NULLABLE, "holder", "reason")


def licence_json(view: LicenseView) -> dict[str, Any]:
    """Give a licence as its reader may see it."""
    return {
        "id": view.id,
        "identifier": view.identifier,
        "type": {"code": view.kind.code, "zh": view.kind.zh, "en": view.kind.en},
        "status": {"code": str(view.status.code), "zh": view.status.zh, "en": view.status.en},
        "ministry_status": view.ministry.model_dump() if view.ministry else None,
        "as_of": rfc3339(view.as_of) if view.as_of else None,
        "issuer": view.issuer,
        "holder": _holder(view.holder),
        "number": view.number,
        "issued_on": view.issued_on.isoformat(),
        "valid_from": view.valid_from.isoformat() if view.valid_from else None,
        "valid_until": view.valid_until.isoformat() if view.valid_until else None,
        "face": dict(view.face),
        "version": view.version,
        "trust": view.trust,
        "pending": str(view.pending) if view.pending else None,
        "holders": [{"holder": _holder(one.holder), "share": one.share} for one in view.together],
    }


def relation_json(relation: Relation) -> dict[str, Any]:
    """Give a relation with what it rests on; the other one is masked."""
    kind, source = relation.kind, relation.source
    return {
        "relation": {"code": kind.code, "zh": kind.zh, "en": kind.en},
        "direction": str(relation.direction),
        "result": str(relation.proof),
        "reason": relation.reason,
        "other": _holder(relation.other),
        "source": {
            "identifier": source.identifier,
            "type": {
                "code": relation.source_kind.code,
                "zh": relation.source_kind.zh,
                "en": relation.source_kind.en,
            },
            "issuer": source.issuer_name,
            "issued_on": source.issued_on.isoformat(),
            "age_days": relation.age_days,
            "trust": source.trust,
            "status": {
                "code": str(relation.status.code),
                "zh": relation.status.zh,
                "en": relation.status.en,
            },
        },
    }


def _holder(holder: MaskedHolder) -> dict[str, str]:
    return {"scheme": holder.scheme, "code": holder.code, "name": holder.name}


@blueprint.get("")
@blueprint.input(LicencesQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="Licences for the open case of the Access headers: of its holder, or over a proven relation",
    security="key",
    responses=by_status(
        {200: answers("A page, newest first; a short one may have a next", LICENCES, _PAGE_NULLABLE)}
    ),
)
@allow(scopes=("read",), records=("license.read", "access.refused"))
def find(query: LicencesQuery) -> dict[str, Any]:
    """Give a page of licences, without faces; each is a use that its holder sees."""
    rooms = context.rooms()
    wanted = Wanted(query.relation, query.type, query.history, query.at, query.after, query.limit)
    with rooms.database.writing() as uow:
        found = rooms.lookup.find(uow, context.identity(), wanted)
    return {
        "holder": _holder(found.holder) if found.holder is not None else None,
        "relations": [relation_json(one) for one in found.relations],
        "licences": [licence_json(one) for one in found.licenses],
        "next": found.next_cursor,
    }


@blueprint.get("/<identifier>")
@blueprint.input(LicenceQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="Read a licence for an open case, named in the Access headers",
    security="key",
    responses=by_status(
        {200: answers("The licence, sensitive fields masked", LICENCE, LICENCE_NULLABLE, ("face",))}
    ),
)
@allow(scopes=("read",), records=("license.read", "access.refused"))
def read(identifier: str, query: LicenceQuery) -> dict[str, Any]:
    """Read a licence; the holder sees that it was read, by whom and for which case."""
    rooms = context.rooms()
    with rooms.database.writing() as uow:
        if query.relation is not None:
            found = rooms.lookup.read(uow, context.identity(), identifier, query.relation, query.at)
        else:
            found = rooms.license_reader.read(uow, context.identity(), identifier, query.at)
        return licence_json(found)
