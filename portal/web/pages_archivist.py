# SPDX-License-Identifier: Apache-2.0
"""The archive desk: counts that add up, each a link to exactly those rows, and the page of a case."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from apiflask import APIBlueprint
from flask import render_template, request

from archive.errors import FilingNotFoundError
from archive.models import FilingState
from archive.narrowing import ALL, LISTS, Narrowing
from archive.views import AttemptView, CaseView
from cases.items import Item, MaterialRule
from portal.i18n import mark
from portal.web import context
from portal.web.access import allow
from storage.clock import SHANGHAI, legal_date
from storage.database import UnitOfWork
from storage.errors import InvalidInputError
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
LIST_QUERY: Final = ("list", "number", "item", "since", "until")
"""What the address of a list says about which cases it shows."""
_ROWS: Final = 50
_FIRST_YEAR, _LAST_YEAR = 1900, 9000


@blueprint.get("")
@allow(Role.ARCHIVIST, unrecorded="shows the own department's filings, holders masked")
def home() -> str:
    """Show counts and one list."""
    rooms, who = context.rooms(), context.identity()
    which, asked = request.args.get("list", ALL), _asked()
    narrowed = _narrowing(asked)
    with rooms.database.reading() as uow:
        counts = rooms.filings.counts(uow, who, narrowed)
        after = request.args.get("after") or None
        late = rooms.trace.late_count(uow, who)
        page = rooms.filings.worklist(uow, who, which, after=after, limit=_ROWS, narrowed=narrowed)
    items = {(one.code, one.edition): one for one in rooms.items.current()}
    return render_template(
        "archive.html",
        counts=counts,
        late=late,
        page=page,
        which=which,
        asked=asked,
        today=asked["since"] == legal_date(rooms.clock.now()).isoformat() and not asked["until"],
        tabs=[(name, _NAMES[name], _count(counts, name)) for name in LISTS],
        items=items,
        all=request.args.get("pick") == "all",
        now=rooms.clock.now(),
        list_query={name: value for name, value in (asked | {"list": which}).items() if value},
        choices={one.code: one for one in rooms.items.current() if one.department == who.organisation},
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
    return render_template("case.html", view=view, details=details, item=item, now=rooms.clock.now())


@blueprint.get("/cases/<source>/<number>/return-slip/<int:attempt>")
@allow(
    Role.ARCHIVIST,
    unrecorded="shows why the own department's case was returned: holder masked, no content",
)
def return_slip(source: str, number: str, attempt: int) -> str:
    """Show the slip of a returned attempt, for printing."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        slip = slip_of(uow, source, number, attempt)
    return render_template("return_slip.html", slip=slip, now=rooms.clock.now())


@dataclass(frozen=True, slots=True)
class Slip:
    """What a return slip says; ``materials`` by their code."""

    view: CaseView
    attempt: AttemptView
    item: Item
    materials: Mapping[str, MaterialRule]


def slip_of(uow: UnitOfWork, source: str, number: str, attempt: int) -> Slip:
    """Give the slip of a returned attempt.

    Raises:
        CaseNotFoundError: There is no such case, or the caller may not see it.
        FilingNotFoundError: It has no such attempt, or that was not returned.
    """
    rooms = context.rooms()
    view = rooms.filings.case_state(uow, context.identity(), source, number)
    found = [one for one in view.attempts if one.attempt == attempt and one.state == FilingState.RETURNED]
    if not found:
        raise FilingNotFoundError
    item = rooms.items.get(view.case.item_code, view.case.item_edition)
    return Slip(view, found[0], item, {one.code: one for one in item.materials})


def _count(counts: object, name: str) -> int:
    attribute = "received" if name == ALL else name.replace("-", "_")
    return int(getattr(counts, attribute))


def _asked() -> dict[str, str]:
    asked = {name: request.args.get(name, "").strip() for name in LIST_QUERY if name != "list"}
    if asked["since"] == "today":
        asked["since"] = legal_date(context.rooms().clock.now()).isoformat()
    return asked


def _narrowing(asked: Mapping[str, str]) -> Narrowing:
    since, until = _day("since", asked["since"]), _day("until", asked["until"])
    return Narrowing(
        since=_midnight(since) if since else None,
        before=_midnight(until + dt.timedelta(days=1)) if until else None,
        item=asked["item"] or None,
        number=asked["number"] or None,
    )


def _day(name: str, text: str) -> dt.date | None:
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise InvalidInputError(field=name, rule="YYYY-MM-DD")
    return day


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time.min, SHANGHAI).astimezone(dt.UTC)
