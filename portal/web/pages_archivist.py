# SPDX-License-Identifier: Apache-2.0
"""The archive desk: counts that add up, each a link to exactly those rows, and the page of a case."""

import datetime as dt
from typing import Final

from apiflask import APIBlueprint
from flask import render_template, request

from archive.queries import ALL, LISTS
from portal.i18n import mark
from portal.web import context
from portal.web.access import allow
from storage.clock import SHANGHAI, legal_date
from storage.identity import Role

blueprint = APIBlueprint("archivist", __name__, url_prefix="/archive", enable_openapi=False)
_NAMES: Final = {
    "all": mark("All"),
    "in-progress": mark("In progress"),
    "returned": mark("Returned"),
    "quarantined": mark("Quarantined"),
    "original-only": mark("Original only"),
    "filed": mark("Filed"),
}
_ROWS: Final = 50


@blueprint.get("")
@allow(Role.ARCHIVIST, unrecorded="shows the own department's filings, holders masked")
def home() -> str:
    """Show counts and one list."""
    rooms, who = context.rooms(), context.identity()
    which = request.args.get("list", ALL)
    today = request.args.get("since") == "today"
    since = _midnight() if today else None
    with rooms.database.reading() as uow:
        counts = rooms.filings.counts(uow, who, since=since)
        after = request.args.get("after") or None
        page = rooms.filings.worklist(uow, who, which, after=after, limit=_ROWS, since=since)
    items = {(one.code, one.edition): one for one in rooms.items.items}
    tabs = [(name, _NAMES[name], _count(counts, name)) for name in LISTS]
    return render_template(
        "archive.html", counts=counts, page=page, which=which, today=today, tabs=tabs, items=items
    )


@blueprint.get("/cases/<source>/<number>")
@allow(
    Role.ARCHIVIST,
    unrecorded="shows the own department's case: holder masked, names of files as sent, no content",
)
def case(source: str, number: str) -> str:
    """Show a case with its filings, their materials and why one was returned."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        view = rooms.filings.case_state(uow, who, source, number)
        details = [rooms.filings.filing(uow, who, attempt.id) for attempt in reversed(view.attempts)]
    item = rooms.items.get(view.case.item_code, view.case.item_edition)
    return render_template("case.html", view=view, details=details, item=item)


def _count(counts: object, name: str) -> int:
    attribute = "received" if name == ALL else name.replace("-", "_")
    return int(getattr(counts, attribute))


def _midnight() -> dt.datetime:
    today = legal_date(context.rooms().clock.now())
    return dt.datetime.combine(today, dt.time.min, SHANGHAI).astimezone(dt.UTC)
