# SPDX-License-Identifier: Apache-2.0
"""The search page: what was found, counted by facet, sorted, and to take away as a list.

Licences are those that are valid now, unless somebody asks for the others, too.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from apiflask import APIBlueprint
from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from indexer.document import FACETS
from indexer.query import Hit, Sort
from licenses.stock.titles import trust_levels
from portal.i18n import gettext, mark, moment, named
from portal.search_lists import EXPORT_ROLES, MOST_ROWS, export_list
from portal.web import context
from portal.web.access import allow
from portal.web.facets import facets_of, title_of
from portal.web.searching import Asked, find, query_of
from storage.errors import InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("search", __name__, enable_openapi=False)
_LONGEST: Final = 200
_LONGEST_CODE: Final = 64
_SORTS: Final[Mapping[Sort, str]] = {
    Sort.RELEVANCE: mark("Best match"),
    Sort.NEWEST: mark("Newest"),
    Sort.NUMBER: mark("Number"),
}


@blueprint.get("/search")
@allow(
    Role.ARCHIVIST,
    Role.CLERK,
    Role.SUPERVISOR,
    unrecorded="the index holds no personal identifiers and gives only what the caller's department filed",
)
def results() -> str:
    """Show what was found."""
    asked, who = _asked(request.args), context.identity()
    page = find(asked, after=request.args.get("after") or None) if asked.text else None
    return render_template(
        "search.html",
        asked=asked,
        page=page,
        facets=facets_of(page, asked.chosen) if page is not None else [],
        sorts=_SORTS,
        # A clerk finds that something exists; opening it needs a case, at the window.
        opens=who.has(Role.ARCHIVIST, Role.SUPERVISOR),
        exports=who.has(*EXPORT_ROLES),
        most=MOST_ROWS,
    )


@blueprint.post("/search/export")
@allow(*EXPORT_ROLES, records=("search.exported",))
def export() -> Response:
    """Give the whole list as CSV; that it was taken is recorded."""
    rooms = context.rooms()
    query = query_of(_asked(request.form))
    heads = ("Title", "Kind", "Number", "Department", "Date", "Trust level", "Status")
    table = ([gettext(one) for one in heads], _cells)
    taken = export_list(rooms.database, rooms.index, context.identity(), query, table)
    answer = make_response(taken.content)
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="search.csv"'
    return answer


def _cells(hit: Hit) -> Sequence[str]:
    return (
        hit.title.text,
        title_of("kind", hit.kind),
        hit.number,
        title_of("organisation", hit.organisation),
        moment(hit.at),
        named(trust_levels()[hit.trust]) if hit.trust else "",
        {True: gettext("Valid"), False: gettext("Not valid now"), None: ""}[hit.valid],
    )


def _asked(sent: Mapping[str, str]) -> Asked:
    """Read what is looked for; the best match comes first unless another order is chosen.

    Raises:
        InvalidInputError: There is no such order.
    """
    sort = sent.get("sort") or str(Sort.RELEVANCE)
    if sort not in set(Sort):
        raise InvalidInputError(field="sort", rule=", ".join(Sort))
    chosen = {name: sent[name].strip()[:_LONGEST_CODE] for name in FACETS if sent.get(name, "").strip()}
    text = sent.get("q", "").strip()[:_LONGEST]
    return Asked(text, Sort(sort), chosen, counted=True, ended=sent.get("ended") == "1")
