# SPDX-License-Identifier: Apache-2.0
"""Changes of many licences: preview, proposal, the second manager's decision, progress by looking again."""

import datetime as dt
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from apiflask import APIBlueprint
from flask import make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from licenses.bulk import Outcome
from licenses.bulk_choosing import MOST, BulkKind, Preview, Selection
from licenses.events import Grounds
from licenses.lifecycle import Status, status_titles
from portal.accounts.directory import names_of
from portal.web import context
from portal.web.access import allow
from storage.errors import ConflictError, CunzhengError, InvalidInputError, RefusedError
from storage.identity import Role

blueprint = APIBlueprint("bulk", __name__, url_prefix="/licences/bulk", enable_openapi=False)
_SHOWN: Final = "shows numbers and states of the department's own licences to who manages them, and no holder"
_LONGEST: Final = 400
_CHOICE: Final = ("type", "kind", "status", "until_before", "first", "after")
_STATUSES: Final = (Status.VALID, Status.SUSPENDED, Status.EXPIRED)


@blueprint.get("")
@allow(Role.LICENSE_MANAGER, unrecorded=_SHOWN)
def home() -> Response:
    """Show proposals and progress; with a type chosen, what the choice comes to."""
    if not request.args.get("type"):
        return make_response(_home())
    try:
        chosen = _selection(request.args)
        rooms = context.rooms()
        with rooms.database.reading() as uow:
            preview = rooms.bulk.preview(uow, context.identity(), chosen)
    except InvalidInputError as problem:
        return make_response(_home(problem), problem.status)
    return make_response(_home(preview=preview))


@blueprint.post("")
@allow(Role.LICENSE_MANAGER, records=("bulk.proposed",))
def propose() -> Response:
    """Propose a change for another manager to decide."""
    rooms, who = context.rooms(), context.identity()
    if context.only_redisplays():
        return make_response(_home())
    grounds = Grounds(*(request.form.get(name, "")[:_LONGEST] for name in ("reason", "legal_basis")))
    try:
        chosen = _selection(request.form)
        with rooms.database.reading() as uow:
            last = rooms.bulk.preview(uow, who, chosen).last
        rooms.database.write(lambda uow: rooms.bulk.propose(uow, who, chosen, grounds).id)
    except InvalidInputError as problem:
        return make_response(_home(problem), problem.status)
    if last is None:
        return redirect(url_for("bulk.home"), 303)
    # What did not go into this change is previewed at once.
    again = {name: request.form.get(name, "") for name in _CHOICE} | {"after": last}
    return redirect(f"{url_for('bulk.home')}?{urlencode(again)}", 303)


@blueprint.post("/<change>/decision")
@allow(Role.LICENSE_MANAGER, records=("bulk.approved", "bulk.refused", "bulk.withdrawn"))
def decide(change: str) -> Response:
    """Approve, refuse or withdraw a change."""
    rooms, who, decision = context.rooms(), context.identity(), request.form.get("decision", "")
    if decision not in {"approve", "refuse", "withdraw"}:
        raise InvalidInputError(field="decision", rule="approve refuse withdraw")
    try:
        if decision == "withdraw":
            rooms.database.write(lambda uow: rooms.bulk.withdraw(uow, who, change))
        else:
            approve = decision == "approve"
            rooms.database.write(lambda uow: rooms.bulk.decide(uow, who, change, approve=approve))
    except (ConflictError, RefusedError) as problem:
        return make_response(_home(problem), problem.status)
    return redirect(url_for("bulk.home"), 303)


def _selection(sent: Mapping[str, str]) -> Selection:
    """Read a choice.

    Raises:
        InvalidInputError: A value is none of those offered, or the day is none.
    """
    kind, status, day = sent.get("kind", ""), sent.get("status", ""), sent.get("until_before", "")
    types = {one.code for one in context.rooms().license_types.all()}
    if sent.get("type") not in types:
        raise InvalidInputError(field="type", rule="a licence type")
    if kind not in set(BulkKind):
        raise InvalidInputError(field="kind", rule=" ".join(BulkKind))
    if status and status not in {str(one) for one in _STATUSES}:
        raise InvalidInputError(field="status", rule=" ".join(_STATUSES))
    try:
        before = dt.date.fromisoformat(day) if day else None
    except ValueError:
        raise InvalidInputError(field="until_before", rule="a day") from None
    first, after = sent.get("first") == "yes", sent.get("after") or None
    return Selection(sent["type"], BulkKind(kind), Status(status) if status else None, before, first, after)


def _home(problem: CunzhengError | None = None, preview: Preview | None = None) -> str:
    rooms, who = context.rooms(), context.identity()
    source = request.form if request.method == "POST" else request.args
    with rooms.database.reading() as uow:
        changes = rooms.bulk.list(uow, who)
        people = {one.row.proposed_by for one in changes} | {one.row.decided_by for one in changes}
        names = names_of(uow, {one for one in people if one})
    return render_template(
        "bulk.html",
        problem=problem,
        preview=preview,
        changes=changes,
        names=names,
        types={one.code: one for one in rooms.license_types.all()},
        kinds=list(BulkKind),
        statuses=[status_titles()[one] for one in _STATUSES],
        titles=status_titles(),
        sent={name: source.get(name, "") for name in _CHOICE},
        outcomes=Outcome,
        most=MOST,
        choice=_CHOICE,
        now=rooms.clock.now(),
    )
