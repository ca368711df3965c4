# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/search``: dossiers and licences by title, catalogue and face text."""

from typing import Any, Final

from apiflask import APIBlueprint

from indexer.document import FACETS
from indexer.query import Count, Highlight, Hit
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.examples import LICENCE
from portal.web.schemas import SearchQuery
from portal.web.searching import Asked, find
from storage.clock import rfc3339
from storage.identity import Role

SEARCH: Final[dict[str, Any]] = {
    "total": 1,
    "indexed_up_to": "2026-11-24T01:00:00.000000Z",
    "hits": [
        {
            "id": LICENCE["id"],
            "kind": "licence",
            "number": LICENCE["identifier"],
            "organisation": "scjg",
            "at": "2026-05-02T08:00:00.000000Z",
            "title": {"text": "食品经营许可证", "spans": [[0, 4]]},
            "snippet": {"text": "演示食品有限公司", "spans": [[2, 4]]},
            "trust": "A",
            "valid": True,
        }
    ],
    "facets": {
        "kind": [{"value": "licence", "count": 1}],
        "organisation": [{"value": "scjg", "count": 1}],
        "item": [{"value": "339999010002", "count": 1}],
        "year": [{"value": "2026", "count": 1}],
        "state": [{"value": "issued", "count": 1}],
        "type": [{"value": "11100000MB0143028R001", "count": 1}],
    },
    "next": None,
}
"""An answer: a licence has a trust level and says whether it is valid now, a dossier has neither."""

blueprint = APIBlueprint("search_api", __name__, url_prefix="/api/v1/search", tag="Search")


def _marked(part: Highlight) -> dict[str, Any]:
    return {"text": part.text, "spans": [list(span) for span in part.spans]}


def _hit(hit: Hit) -> dict[str, Any]:
    return {
        "id": hit.id,
        "kind": hit.kind,
        "number": hit.number,
        "organisation": hit.organisation,
        "at": rfc3339(hit.at),
        "title": _marked(hit.title),
        "snippet": _marked(hit.snippet),
        "trust": hit.trust or None,
        "valid": hit.valid,
    }


def _count(one: Count) -> dict[str, Any]:
    return {"value": one.value, "count": one.hits}


@blueprint.get("")
@blueprint.input(SearchQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="Find dossiers and licences",
    security="key",
    responses=by_status({200: answers("What was found", SEARCH, ("indexed_up_to", "trust", "valid"))}),
)
@allow(
    Role.ARCHIVIST,
    Role.CLERK,
    Role.SUPERVISOR,
    scopes=("read",),
    unrecorded="the index holds no personal identifiers and gives only what the caller's department filed",
)
def search(query: SearchQuery) -> dict[str, Any]:
    """Find what the caller may see, newest first unless asked otherwise; tell how far the index has come.

    Licences are those that are valid now, unless `ended` asks for the others, too; counts agree with that.
    """
    chosen = {name: value for name in FACETS if (value := getattr(query, name)) is not None}
    asked = Asked(query.q, query.sort, chosen, counted=query.facets, ended=query.ended)
    page = find(asked, after=query.after, limit=query.limit)
    return {
        "total": page.total,
        "indexed_up_to": rfc3339(page.indexed_up_to) if page.indexed_up_to else None,
        "hits": [_hit(hit) for hit in page.hits],
        "facets": {name: [_count(one) for one in page.facets.get(name, ())] for name in FACETS},
        "next": page.next_cursor,
    }
