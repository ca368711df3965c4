# SPDX-License-Identifier: Apache-2.0
"""Import of stock: upload and trial, progress by looking again, reports, and what is quarantined."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.errors import StockStillUndecidedError, StockWordsError
from licenses.lifecycle import Process, Status, status_titles
from licenses.stock.profiles import Item, Profile
from licenses.stock.quarantine import LONGEST, STATES, Opened
from licenses.stock.reasons import Reason, stock_reasons
from licenses.stock.runs import SourceFile
from licenses.stock.titles import Title, item_titles, trust_levels
from portal.i18n import named
from portal.spreadsheet import spreadsheet
from portal.stock.driver import Figures
from portal.web import context
from portal.web.access import allow
from portal.web.uploads import stage, staged_file, staged_files
from storage.errors import ConflictError, CunzhengError, InvalidInputError, NotFoundError
from storage.identity import Role

blueprint = APIBlueprint("stock", __name__, url_prefix="/licences/stock", enable_openapi=False)
_SHOWN: Final = "shows counts and codes of the department's own imports, and nothing of their records"
_AGAIN: Final = 50
"""Most units of work of one bulk retry: ten thousand records."""
_CHANGE: Final = "change:"
_ACTIONS: Final = ("trial", "import")
_CHANGES: Final = (Process.RENEWAL, Process.CHANGE, Process.REISSUE, Process.CORRECTION)
"""Why the next version takes the place of the one that is held."""


@blueprint.get("")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def home() -> Response:
    """Show the form that imports, and the runs."""
    return _home()


@blueprint.post("")
@allow(Role.LICENSE_MANAGER, records=("stock.started",), upload="intake")
def begin() -> Response:
    """Take a file and let a worker import it, or only count."""
    try:
        run_id = _begun()
    except (InvalidInputError, ConflictError, NotFoundError) as problem:
        return _home(problem)
    return redirect(url_for("stock.run", run_id=run_id), 303)


def _begun() -> str:
    rooms, who = context.rooms(), context.identity()
    staged = staged_file("file")
    if staged is None or not staged.size or len(staged_files()) > 1:
        raise InvalidInputError(field="file", rule="one file")
    action = request.form.get("action", "")
    if action not in _ACTIONS:
        raise InvalidInputError(field="action", rule=" ".join(_ACTIONS))
    profile = context.rooms().books.profiles.get(request.form.get("profile", ""))
    trial = action == "trial"
    source = SourceFile(staged.sha256, staged.size)
    run_id = rooms.database.write(
        lambda uow: rooms.stock_runs.start(uow, who, profile, source, trial=trial, uploaded=True).id
    )
    rooms.stock_uploads.lay_by(who, run_id, staged.path, stage(b""))
    return run_id


@blueprint.get("/runs/<run_id>")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def run(run_id: str) -> str:
    """Show how far a run is, and what became of its records."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        found = rooms.stock_runs.get(uow, context.identity(), run_id)
        now = uow.clock.now()
    figures = Figures.of(found)
    return render_template(
        "stock_run.html",
        run=found,
        now=now,
        figures=figures,
        reasons=_reasons(figures),
        types=_types(figures),
    )


@blueprint.get("/runs/<run_id>/report.csv")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def report(run_id: str) -> Response:
    """Give the report as a table: counts by reason and type, and where each rejected record stood."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        found = rooms.stock_runs.get(uow, context.identity(), run_id)
        rejected = rooms.stock_runs.rejections(uow, found)
    figures = Figures.of(found)
    rows: list[Sequence[object]] = [("read", figures.read)]
    rows += [(name, getattr(figures, name)) for name in ("accepted", "quarantined", "rejected")]
    rows += [("reason", one.code, count, one.verdict, one.zh, one.en) for one, count in _reasons(figures)]
    rows += [
        ("type", code, *(f"{name}={count}" for name, count in counts.items()))
        for code, counts in _types(figures)
    ]
    rows += [("row", one.row, one.line, one.column, one.reason) for one in rejected]
    answer = make_response(spreadsheet(rows))
    answer.content_type = "text/csv; charset=utf-8"
    answer.headers["Content-Disposition"] = f'attachment; filename="stock-{found.id}.csv"'
    return answer


@blueprint.get("/quarantine")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def quarantine() -> str:
    """List quarantined records by state and reason."""
    return _listed(None)


@blueprint.post("/quarantine/retry")
@allow(Role.LICENSE_MANAGER, records=("stock.retried",))
def retry() -> Response:
    """Read waiting records again by what their profile says now."""
    rooms, who = context.rooms(), context.identity()
    profile = context.rooms().books.profiles.get(request.form.get("profile", ""))
    reason = request.form.get("reason") or None
    after: str | None = ""
    for _ in range(_AGAIN):
        if after is None:
            break
        work = partial(rooms.stock_desk.retry, identity=who, profile=profile, reason=reason, after=after)
        after = rooms.database.write(work)[2]
    return redirect(url_for("stock.quarantine", reason=reason), 303)


@blueprint.get("/quarantine/<record>")
@allow(Role.LICENSE_MANAGER, records=("stock.read",))
def show(record: str) -> Response:
    """Show a record as it was read, beside what could be read of it."""
    return _shown(record)


@blueprint.post("/quarantine/<record>/correction")
@allow(Role.LICENSE_MANAGER, records=("stock.corrected", "stock.imported"))
def correct(record: str) -> Response:
    """Take a record over with some columns corrected."""
    rooms, who = context.rooms(), context.identity()
    changes, reason = _changes(), request.form.get("reason", "")
    if context.only_redisplays():
        return _shown(record, None, changes, reason)
    try:
        rooms.database.write(lambda uow: rooms.stock_desk.correct(uow, who, record, changes, reason).id)
    except (StockWordsError, StockStillUndecidedError, ConflictError) as problem:
        return _shown(record, problem, changes, reason)
    return redirect(url_for("stock.show", record=record), 303)


@blueprint.post("/quarantine/<record>/following")
@allow(Role.LICENSE_MANAGER, records=("stock.corrected", "stock.imported"))
def follow(record: str) -> Response:
    """Follow what a later record tells of a licence that is held."""
    rooms, who = context.rooms(), context.identity()
    change, reason = request.form.get("change", ""), request.form.get("reason", "")
    if change not in _CHANGES:
        raise InvalidInputError(field="change", rule=" ".join(_CHANGES))
    if context.only_redisplays():
        return _shown(record, None, {}, reason)
    try:
        rooms.database.write(
            lambda uow: rooms.stock_desk.follow(uow, who, record, Process(change), reason).id
        )
    except (StockWordsError, StockStillUndecidedError, ConflictError) as problem:
        return _shown(record, problem, {}, reason)
    return redirect(url_for("stock.show", record=record), 303)


@blueprint.post("/quarantine/<record>/rejection")
@allow(Role.LICENSE_MANAGER, records=("stock.rejected",))
def reject(record: str) -> Response:
    """Leave a record out for good."""
    rooms, who = context.rooms(), context.identity()
    reason = request.form.get("reason", "")
    if context.only_redisplays():
        return _shown(record, None, {}, reason)
    try:
        rooms.database.write(lambda uow: rooms.stock_desk.reject(uow, who, record, reason).id)
    except (StockWordsError, ConflictError) as problem:
        return _shown(record, problem, {}, reason)
    return redirect(url_for("stock.show", record=record), 303)


def _home(problem: CunzhengError | None = None) -> Response:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.reading() as uow:
        runs = rooms.stock_runs.recent(uow, who)
        waiting = rooms.stock_desk.listed(uow, who, "open", None, None).states["open"]
    page = render_template(
        "stock.html",
        runs=runs,
        waiting=waiting,
        profiles=rooms.books.profiles.all(),
        levels=trust_levels(),
        chosen=request.form.get("profile", ""),
        problem=problem,
    )
    return make_response(page, 200 if problem is None else problem.status)


def _listed(problem: CunzhengError | None) -> str:
    rooms, who = context.rooms(), context.identity()
    state, reason = request.args.get("state", "open"), request.args.get("reason") or None
    if state not in STATES:
        raise InvalidInputError(field="state", rule=" ".join(STATES))
    with rooms.database.reading() as uow:
        page = rooms.stock_desk.listed(uow, who, state, reason, request.args.get("after"))
    return render_template(
        "stock_quarantine.html",
        page=page,
        state=state,
        reason=reason,
        states=STATES,
        profiles=rooms.books.profiles.all(),
        problem=problem,
    )


def _shown(
    record: str,
    problem: CunzhengError | None = None,
    changes: Mapping[str, str] | None = None,
    reason: str = "",
) -> Response:
    rooms, who = context.rooms(), context.identity()
    with rooms.database.writing() as uow:
        opened = rooms.stock_desk.read(uow, who, record)
    page = render_template(
        "stock_record.html",
        opened=opened,
        row=opened.row,
        pairs=_pairs(opened),
        others=_others(opened),
        held=opened.held,
        held_pairs=_held(opened),
        changes_of=_CHANGES,
        parties=opened.read.get("parties", ()),
        face=opened.read.get("face", {}),
        changes=changes or {},
        reason=reason,
        prefix=_CHANGE,
        longest=LONGEST,
        problem=problem,
    )
    return make_response(page, 200 if problem is None else problem.status)


def _pairs(opened: Opened) -> list[tuple[Title, str, str, str]]:
    """Give for each item its title, its column, what stood there and what was read."""
    found = []
    for item, column in opened.profile.columns.items():
        names = [name for name in (*column.names, *column.misspelt) if name in opened.original]
        name = names[0] if names else column.names[0]
        found.append((item_titles()[item], name, opened.original.get(name, ""), _read(opened, item)))
    return found


def _read(opened: Opened, item: Item) -> str:
    value = opened.read.get(str(item), "")
    if item is Item.STATUS and value in set(Status):
        return named(status_titles()[Status(str(value))])
    return value if isinstance(value, str) else ""


def _held(opened: Opened) -> list[tuple[Title, str, str]]:
    """Give the items of a record that are compared with what is held: title, what is held, what was read."""
    if opened.held is None:
        return []
    row, status = opened.held.license, status_titles()[opened.held.status]
    held = {
        Item.IDENTIFIER: row.identifier,
        Item.NUMBER: row.number,
        Item.ISSUER_NAME: row.issuer_name,
        Item.ISSUED_ON: str(row.issued_on),
        Item.VALID_FROM: str(row.valid_from or ""),
        Item.VALID_UNTIL: str(row.valid_until or ""),
        Item.STATUS: named(status),
    }
    return [(item_titles()[item], text, _read(opened, item)) for item, text in held.items()]


def _others(opened: Opened) -> list[tuple[str, str]]:
    known = _spelt(opened.profile)
    return [(name, text) for name, text in opened.original.items() if name not in known]


def _spelt(profile: Profile) -> frozenset[str]:
    columns = profile.columns.values()
    return frozenset(name for column in columns for name in (*column.names, *column.misspelt))


def _changes() -> dict[str, str]:
    return {
        name.removeprefix(_CHANGE): text.strip()
        for name, text in request.form.items()
        if name.startswith(_CHANGE)
    }


def _reasons(figures: Figures) -> list[tuple[Reason, int]]:
    table = stock_reasons()
    ordered = sorted(figures.reasons.items(), key=lambda one: (-one[1], one[0]))
    return [(table[code], count) for code, count in ordered]


def _types(figures: Figures) -> list[tuple[str, dict[str, int]]]:
    found: dict[str, dict[str, int]] = {}
    for name, count in sorted(figures.types.items()):
        code, _, verdict = name.partition(" ")
        found.setdefault(code, {})[verdict] = count
    return list(found.items())
