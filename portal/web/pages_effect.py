# SPDX-License-Identifier: Apache-2.0
"""What no-proof handling achieves, for supervision: tables with bars, CSV, the cases behind a number."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from apiflask import APIBlueprint
from flask import make_response, render_template, request
from werkzeug.wrappers import Response

from archive.figures.collected import OVER, ItemCollected, Verdict, proofs_behind
from archive.figures.duties import duties
from archive.unusual import Pattern
from licenses.figures.answers import Came, ItemAnswers
from licenses.figures.period import Period, Scope, last_days, scope_of
from licenses.figures.rungs import Commitments, Cooperation
from portal.effect import Effect, effect
from portal.i18n import gettext, named
from portal.i18n import mark as _
from portal.patterns.explaining import explanations
from portal.patterns.services import found_patterns
from portal.spreadsheet import spreadsheet
from portal.web import context
from portal.web.access import allow
from portal.web.pattern_words import TITLES
from portal.web.render import organisation_title
from storage.clock import legal_date
from storage.errors import InvalidInputError
from storage.identity import Role

blueprint = APIBlueprint("effect", __name__, url_prefix="/supervision/effect", enable_openapi=False)
_ROLES: Final = (Role.SUPERVISOR, Role.AUDIT_ADMIN)
_DAYS: Final = 30
_CASES: Final = "shows case numbers and codes of materials, no holders and nothing that they hand in"
CAME: Final = {
    Came.BY_EVIDENCE: _("Established by evidence alone"),
    Came.BY_RUNG: _("Established otherwise"),
    Came.PROVISIONAL: _("Provisional"),
    Came.PENDING: _("A department is asked"),
    Came.UNKNOWN: _("Not established"),
    Came.NOT_MET: _("Denied"),
}
VERDICTS: Final = {
    Verdict.ALLOWED: _("Allowed"),
    Verdict.ABOLISHED: _("Abolished"),
    Verdict.ESTABLISHED: _("Already established"),
    Verdict.NOT_ASKED_FIRST: _("Library not asked first"),
}


@blueprint.get("")
@allow(*_ROLES, unrecorded="shows counts")
def home() -> str:
    """Show the figures of a period."""
    period = _period()
    return render_template(
        "effect.html",
        period=period,
        patterns=_patterns(),
        titles=TITLES,
        effect=_effect(period),
        came=CAME,
        verdicts=VERDICTS,
        over=OVER,
        items=_items(),
        percent=_percent,
    )


@blueprint.get("/proofs")
@allow(Role.SUPERVISOR, unrecorded=_CASES)
def proofs() -> str:
    """List the collected proofs behind a number."""
    period, item, organisation = _period(), _asked("item"), _asked("organisation")
    verdict = next((one for one in Verdict if str(one) == request.args.get("verdict")), None)
    if verdict is None:
        raise InvalidInputError(field="verdict", rule="one of the published ones")
    scope = scope_of(context.identity())
    if organisation and (scope.organisations is None or organisation in scope.organisations):
        scope = Scope(frozenset({organisation}))
    ground = [one for one in duties(context.rooms().rules.all()) if not item or one.item == item]
    with context.rooms().database.reading() as uow:
        page = proofs_behind(uow, period, scope, ground, verdict, request.args.get("after") or None)
    return render_template(
        "effect_proofs.html", period=period, page=page, verdict=verdict, verdicts=VERDICTS, items=_items()
    )


@blueprint.get("/answers.csv")
@allow(*_ROLES, unrecorded="gives counts")
def answers() -> Response:
    """Give how requirements were answered, for a spreadsheet."""
    heads = [_("Questions"), _("Requirements"), _("Share by evidence alone"), *CAME.values()]

    def cells(one: ItemAnswers) -> Sequence[object]:
        share = one.share(Came.BY_EVIDENCE)
        counts = (one.came.get(came, 0) for came in CAME)
        return one.questions, one.requirements, "" if share is None else f"{share:.3f}", *counts

    return _table("answers", heads, cells, lambda found: found.answers)


@blueprint.get("/collected.csv")
@allow(*_ROLES, unrecorded="gives counts")
def collected() -> Response:
    """Give what citizens brought, for a spreadsheet."""
    heads = [
        _("Closed"),
        _("Filed"),
        _("Documents per case (median)"),
        _("Cases with a rule"),
        _("Without a proof"),
        _("Proofs collected"),
        *VERDICTS.values(),
    ]

    def cells(one: ItemCollected) -> Sequence[object]:
        documents = "" if one.documents is None else one.documents
        counts = (one.closed, one.filed, documents, one.judged, one.without_proof, one.collected)
        return *counts, *(one.proofs.get(verdict, 0) for verdict in VERDICTS)

    return _table("collected", heads, cells, lambda found: found.collected)


@blueprint.get("/commitments.csv")
@allow(*_ROLES, unrecorded="gives counts")
def commitments() -> Response:
    """Give what became of commitments, for a spreadsheet."""
    heads = [_("Holders told"), _("Commitments made"), _("Confirmed"), _("Found false"), _("Check overdue")]

    def cells(one: Commitments) -> Sequence[object]:
        return one.told, one.made, one.confirmed, one.untrue, one.overdue

    return _table("commitments", heads, cells, lambda found: found.commitments)


@blueprint.get("/cooperation.csv")
@allow(*_ROLES, unrecorded="gives counts")
def cooperation() -> Response:
    """Give how departments answered, for a spreadsheet."""
    heads = (
        _("Department asked"),
        _("Questions put"),
        _("In time"),
        _("Late"),
        _("Without an answer yet"),
        _("Not needed any more"),
        _("Accepted before the answer"),
        _("Office hours (median)"),
    )
    rows = map(_answering, _effect(_period()).cooperation)
    return _download("cooperation", [[gettext(head) for head in heads], *rows])


@blueprint.get("/patterns.csv")
@allow(*_ROLES, unrecorded="gives counts")
def patterns() -> Response:
    """Give how many unusual queries the newest look found, for a spreadsheet."""
    heads = [gettext(head) for head in (_("Pattern"), _("Found"), _("Explained"))]
    return _download(
        "patterns", [heads, *([gettext(TITLES[one]), *counts] for one, counts in _patterns().items())]
    )


def _patterns() -> Mapping[Pattern, tuple[int, int]]:
    """Give, by pattern, how many the newest look found for this person, and how many are explained."""
    with context.rooms().database.reading() as uow:
        found = found_patterns(uow.session, context.identity())
        known = explanations(uow, found)
    every = Counter(one.pattern for one in found)
    explained = Counter(pattern for pattern, _actor, _operator in known)
    return {one: (every[one], explained[one]) for one in Pattern}


def _answering(one: Cooperation) -> list[object]:
    counts = (one.total, one.in_time, one.late, one.waiting, one.dropped, one.before_answer)
    hours = "" if one.median_hours is None else round(one.median_hours, 1)
    return [organisation_title(one.asked), *counts, hours]


def _table(
    name: str,
    heads: Iterable[str],
    cells: Callable[[Any], Sequence[object]],
    lines: Callable[[Effect], Sequence[Any]],
) -> Response:
    first = [gettext(head) for head in (_("Item code"), _("Item"), _("Department"), *heads)]
    items, found = _items(), lines(_effect(_period()))
    rows = [
        [one.item, _title(items, one.item), organisation_title(one.organisation), *cells(one)]
        for one in found
    ]
    return _download(name, [first, *rows])


def _title(items: dict[str, Any], code: str) -> str:
    return named(items[code]) if code in items else code


def _download(name: str, rows: Iterable[Iterable[object]]) -> Response:
    answer = make_response(spreadsheet(rows))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="no-proof-{name}.csv"'
    return answer


def _effect(period: Period) -> Effect:
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        return effect(uow, period, scope_of(context.identity()), rooms.rules)


def _period() -> Period:
    """Give the period that is asked for; thirty days that end today when none is.

    Raises:
        InvalidInputError: What is asked for is no period.
    """
    stated = _asked("from"), _asked("until")
    if stated == ("", ""):
        return last_days(legal_date(context.rooms().clock.now()), _DAYS)
    try:
        first, last = map(dt.date.fromisoformat, stated)
    except ValueError:
        raise InvalidInputError(field="from", rule="a date, as until") from None
    return Period(first, last)


def _asked(name: str) -> str:
    return request.args.get(name, "").strip()


def _items() -> dict[str, Any]:
    return {one.code: one for one in context.rooms().items.current()}


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.1f}%"
