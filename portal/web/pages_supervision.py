# SPDX-License-Identifier: Apache-2.0
"""The supervisor's desk: numbers, each a link to exactly those rows, the ledger, traces."""

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from archive.supervision import Trace, TraceNotFoundError
from archive.unusual import CLOSE, LIMITS
from cases.models import Case
from cases.organisations import covers, organisations
from licenses.ladder.listing import watched
from licenses.related import BACK
from portal.accounts.documents import coverage
from portal.clients.bundles import signed_decisions
from portal.housekeeping import last_said, standing_verdict
from portal.i18n import gettext
from portal.i18n import mark as _
from portal.nightly import last_reconciled
from portal.patterns.explaining import LONGEST, explain, explanations
from portal.patterns.services import cases_of, count_patterns, found_patterns, last_look
from portal.spreadsheet import spreadsheet
from portal.web import context
from portal.web.access import allow
from portal.web.activity import client_names, days_of_acts, pending_acts, refused_acts, seen_by
from portal.web.api_ledger import receipt_file
from portal.web.pages_receipts import POLICY_FILE
from portal.web.render import organisation_title
from storage.database import UnitOfWork
from storage.identity import Role
from storage.ledger.reading import read_status

blueprint = APIBlueprint("supervision", __name__, url_prefix="/supervision", enable_openapi=False)
_ROLES: Final = (Role.SUPERVISOR, Role.AUDIT_ADMIN)
_WINDOW: Final = dt.timedelta(hours=24)
_DAYS: Final = 7
_QUARTER: Final = 92
_LONGEST: Final = 150
_CORES: Final = "shows cores of acts, which hold no personal data of holders"
_NOTHING_OPENED: Final = (
    "shows cores of acts and, by identifier and code, uses of licences and decisions: nothing is decrypted, "
    "and nobody's name, code or face is shown"
)


@blueprint.get("")
@allow(*_ROLES, unrecorded="shows counts")
def home() -> str:
    """Show the numbers."""
    rooms, who = context.rooms(), context.identity()
    now = rooms.clock.now()
    with rooms.database.reading() as uow:
        numbers = {
            "late": rooms.trace.late_count(uow, who),
            "refused": refused_acts(uow.session, now - _WINDOW, seen=seen_by(who)).total,
            "intents": len(rooms.trace.open_intents(uow, who)),
            "patterns": count_patterns(uow.session, who),
            "objections": rooms.objections.overdue(uow, who),
            "pending": pending_acts(uow.session, seen=seen_by(who)).total,
        }
        status = read_status(uow.session)
        days = days_of_acts(uow.session, now, _DAYS, seen_by(who))
        lock, lock_at = standing_verdict(uow.session, now)
        probe = last_said(uow)
        reconciled = last_reconciled(uow)
        month = now - dt.timedelta(days=30)
        recalled = rooms.recalls.count(uow, who, month) if who.has(Role.SUPERVISOR) else None
    departments = sorted({name for day in days for name in day.by_department})
    return render_template(
        "supervision.html",
        numbers=numbers,
        recalled=recalled,
        status=status,
        lag=rooms.gate.lag(),
        lock=str(lock) if rooms.lock_probe is not None else "",
        lock_at=lock_at,
        probe=probe,
        reconciled=reconciled,
        warns=rooms.gate.warns,
        days=days,
        departments=departments,
        names=_department_names(),
        counts=context.counters().read(),
    )


@blueprint.get("/late")
@allow(*_ROLES, Role.ARCHIVIST, unrecorded="shows case numbers and dates, no holders")
def late() -> str:
    """List cases that are past their deadline for filing."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        found = rooms.trace.late_filings(uow, who)
    return render_template("late.html", found=found, items=_items(), names=_department_names())


@blueprint.get("/refusals")
@allow(*_ROLES, unrecorded=_CORES)
def refusals() -> str:
    """List the refusals of the last 24 hours."""
    rooms = context.rooms()
    since = rooms.clock.now() - _WINDOW
    with rooms.database.reading() as uow:
        page = refused_acts(uow.session, since, _after(), seen_by(context.identity()))
        clients = client_names(uow.session)
    return render_template("refusals.html", page=page, names=_department_names(), clients=clients)


@blueprint.get("/recalls")
@allow(Role.SUPERVISOR, unrecorded="shows decisions and case numbers, no holders and nothing of a face")
def recalls() -> str:
    """List decisions that relied on licences or answers which ended, or were found false, afterwards."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        page = rooms.recalls.recalled(uow, who, _after())
        rungs = watched(uow, who, {one.rung_id for one in page.rows if one.rung_id is not None})
        clients = client_names(uow.session)
    types = {one.code: one for one in rooms.license_types.all()}
    items = {one.code: one for one in rooms.items.current()}
    return render_template(
        "recalls.html",
        page=page,
        rungs=rungs,
        names=_department_names(),
        items=items,
        types=types,
        clients=clients,
    )


@blueprint.get("/patterns")
@allow(*_ROLES, unrecorded=_CORES)
def patterns() -> str:
    """List the unusual queries of seven days that the newest look found."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        found, look = found_patterns(uow.session, who), last_look(uow.session)
        clients, cases = client_names(uow.session), cases_of(uow, who, found)
        explained, covered = explanations(uow, found), coverage(uow, who)
    kinds = {one.code: one for one in rooms.books.relations.newest().relations}
    shown = {"names": _department_names(), "clients": clients, "cases": cases, "explained": explained}
    shown |= {"coverage": covered, "kinds": kinds, "close_ones": CLOSE, "back": BACK}
    return render_template("patterns.html", found=found, look=look, limits=LIMITS, longest=LONGEST, **shown)


@blueprint.post("/patterns")
@allow(Role.SUPERVISOR, records=("pattern.explained",))
def explain_pattern() -> Response:
    """Say what an unusual query was."""
    rooms, who, form = context.rooms(), context.identity(), request.form
    named = form.get("pattern", "")[:16], form.get("actor", "")[:64], form.get("operator", "")[:64] or None
    rooms.database.write(lambda uow: explain(uow, who, *named, form.get("reason", "")))
    return redirect(url_for("supervision.patterns"), 303)


@blueprint.get("/days.csv")
@allow(*_ROLES, unrecorded="gives counts")
def days() -> Response:
    """Give the acts per day and department of a quarter, for a spreadsheet."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        found = days_of_acts(uow.session, rooms.clock.now(), _QUARTER, seen_by(context.identity()))
    codes = sorted({code for day in found for code in day.by_department})
    heads = [gettext(_("Date")), gettext(_("All")), *map(_department_title, codes)]
    rows = ([day.day, day.total, *(day.by_department[code] for code in codes)] for day in found)
    answer = make_response(spreadsheet([heads, *rows]))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = 'attachment; filename="acts-by-day.csv"'
    return answer


@blueprint.get("/intents")
@allow(*_ROLES, unrecorded=_CORES)
def intents() -> str:
    """List intents that have no outcome."""
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        found = rooms.trace.open_intents(uow, who)
        clients = client_names(uow.session)
    return render_template("intents.html", found=found, names=_department_names(), clients=clients)


@blueprint.get("/pending")
@allow(*_ROLES, unrecorded=_CORES)
def pending() -> str:
    """List acts that are recorded and not yet in the ledger."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        page = pending_acts(uow.session, _after(), seen_by(context.identity()))
        clients = client_names(uow.session)
    return render_template("pending.html", page=page, names=_department_names(), clients=clients)


@blueprint.get("/trace")
@allow(*_ROLES, Role.ARCHIVIST, unrecorded=_NOTHING_OPENED)
def trace() -> str:
    """Trace a case by its number, archival number, licence identifier, decision or act."""
    rooms, who = context.rooms(), context.identity()
    key = request.args.get("q", "").strip()[:_LONGEST]
    source = request.args.get("source", "").strip()[:_LONGEST] or None
    if not key:
        return render_template("trace.html", key="", trace=None, choice=())
    with rooms.database.reading() as uow:
        found = rooms.trace.find(uow, who, key, source)
        if not found:
            raise TraceNotFoundError
        if len(found) > 1:
            return _choice(key, found)
        return _traced(uow, key, rooms.trace.trace(uow, who, found[0]))


def _choice(key: str, found: Sequence[Case]) -> str:
    """Let the person choose among the cases that have the number and are visible."""
    shown = {"items": _items(), "names": _department_names()}
    return render_template("trace.html", key=key, trace=None, choice=found, **shown)


def _traced(uow: UnitOfWork, key: str, found: Trace) -> str:
    rooms, who = context.rooms(), context.identity()
    return render_template(
        "trace.html",
        key=key,
        trace=found,
        choice=(),
        item=_items()[(found.case.item_code, found.case.item_edition)],
        names=_department_names(),
        clients=client_names(uow.session),
        types={kind.code: kind for kind in rooms.license_types.all()},
        requirements={one.id: rooms.proofs.requirements(one) for one in found.decisions},
        signed=signed_decisions(uow, [one.id for one in found.decisions]),
        may_open=lambda used: covers(who, used.organisation),
        receipt_file=receipt_file,
        policy_file=POLICY_FILE,
    )


def _department_title(code: str) -> str:
    return organisation_title(code) if code else gettext(_("no department"))


def _after() -> str | None:
    return request.args.get("after") or None


def _department_names() -> dict[str, Any]:
    return {one.code: one for one in organisations().all()}


def _items() -> dict[tuple[str, str], Any]:
    return {(one.code, one.edition): one for one in context.rooms().items.current()}
