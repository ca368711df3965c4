# SPDX-License-Identifier: Apache-2.0
"""``/api/v1/cases``: announce, look up, list."""

from typing import Any

from apiflask import APIBlueprint

from archive.views import AttemptView, Waiting
from cases.models import Case
from cases.services import Announcement
from portal.web import context
from portal.web.access import allow
from portal.web.documented import answers, by_status
from portal.web.examples import CASE, CASE_PAGE, CASE_STATE, CASE_STATE_NULLABLE
from portal.web.schemas import CASE_EXAMPLE, CaseBody, CursorQuery
from storage.clock import rfc3339
from storage.database import UnitOfWork
from storage.identity import Role

blueprint = APIBlueprint("cases", __name__, url_prefix="/api/v1/cases", tag="Cases")
_READERS = (Role.ARCHIVIST, Role.CLERK, Role.SUPERVISOR)


def case_json(uow: UnitOfWork, case: Case) -> dict[str, Any]:
    """Give a case as callers see it: the holder masked."""
    rooms = context.rooms()
    holder = rooms.holders.masked(uow, rooms.cases.holder(uow, case))
    return {
        "id": case.id,
        "source": case.source,
        "number": case.number,
        "item": {"code": case.item_code, "edition": case.item_edition},
        "holder": {"scheme": holder.scheme, "code": holder.code, "name": holder.name},
        "organisation": case.organisation,
        "state": str(case.state),
        "accepted_at": rfc3339(case.accepted_at),
        "closed_at": rfc3339(case.closed_at) if case.closed_at else None,
    }


def waiting_json(wait: Waiting | None) -> dict[str, Any] | None:
    """Give the step that a filing or licence is at, and what keeps it."""
    if wait is None:
        return None
    return {"step": wait.step, "state": wait.state, "problem": wait.problem, "since": rfc3339(wait.since)}


def attempt_json(attempt: AttemptView) -> dict[str, Any]:
    """Give one filing of a case: its state, and why it was returned."""
    return {
        "filing": attempt.id,
        "attempt": attempt.attempt,
        "supplement": attempt.supplement,
        "state": str(attempt.state),
        "received_at": rfc3339(attempt.received_at),
        "decided_at": rfc3339(attempt.decided_at) if attempt.decided_at else None,
        "original_only": attempt.original_only,
        "findings": [
            {
                "code": one.code,
                "material": one.material,
                "zh": one.zh,
                "en": one.en,
                "remedy_zh": one.remedy_zh,
                "remedy_en": one.remedy_en,
            }
            for one in attempt.findings
        ],
        "waiting": waiting_json(attempt.waiting),
    }


@blueprint.put("/<source>/<number>")
@blueprint.input(CaseBody, arg_name="body", example=CASE_EXAMPLE)
@blueprint.doc(
    summary="Announce a case, or report its closing",
    security="key",
    responses=by_status(
        {
            200: answers("The case stands as announced", CASE),
            201: answers("The case was created", CASE),
        }
    ),
)
@allow(scopes=("announce",), records=("case.announced", "case.closed"))
def announce(source: str, number: str, body: CaseBody) -> tuple[dict[str, Any], int]:
    """Announce a case; the same again changes nothing."""
    rooms = context.rooms()
    announcement = Announcement(
        source=source,
        number=number,
        item_code=body.item.code,
        item_edition=body.item.edition,
        holder_scheme=body.holder.scheme,
        holder_code=body.holder.code,
        holder_name=body.holder.name,
        organisation=body.organisation,
        accepted_at=body.accepted_at,
        closed_at=body.closed_at,
    )
    with rooms.database.writing() as uow:
        case, created = rooms.cases.announce(uow, context.identity(), announcement)
        return case_json(uow, case), 201 if created else 200


@blueprint.get("")
@blueprint.input(CursorQuery, location="query", arg_name="query")
@blueprint.doc(
    summary="List cases in the order of their announcement",
    security="key",
    responses=by_status({200: answers("A page of cases", CASE_PAGE)}),
)
@allow(
    *_READERS,
    scopes=("announce", "file", "read"),
    unrecorded="a list of the caller's own cases, holders masked",
)
def list_cases(query: CursorQuery) -> dict[str, Any]:
    """List the cases that the caller may see."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        page = rooms.cases.list_after(uow, context.identity(), query.after, query.limit)
        return {"cases": [case_json(uow, case) for case in page.cases], "next": page.next_cursor}


@blueprint.get("/<source>/<number>")
@blueprint.doc(
    summary="Look a case up: its state, its filings and why one was returned",
    security="key",
    responses=by_status({200: answers("The case", CASE_STATE, CASE_STATE_NULLABLE)}),
)
@allow(*_READERS, scopes=("announce", "file", "read"), unrecorded="the caller's own case, holder masked")
def show(source: str, number: str) -> dict[str, Any]:
    """Give a case."""
    rooms = context.rooms()
    with rooms.database.reading() as uow:
        view = rooms.filings.case_state(uow, context.identity(), source, number)
        return case_json(uow, view.case) | {
            "state": view.state,
            "due": view.due.isoformat() if view.due else None,
            "attempts": [attempt_json(attempt) for attempt in view.attempts],
            "licence_waiting": waiting_json(view.license_waiting),
            "dossier": view.dossier_id,
            "archival_number": view.archival_number,
            "supplements": [
                {"number": one.supplement, "dossier": one.id, "archival_number": one.archival_number}
                for one in view.supplements
            ],
        }
