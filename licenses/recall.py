# SPDX-License-Identifier: Apache-2.0
"""Recall: decisions that relied on a licence or an answer that ended, or was found false, afterwards.

An answer says what was so when it was asked for and stays true as such; who relied on it is told that its
ground is gone. A licence that was cancelled, renewed, changed or that expired was right while it lasted: its
decisions stand and are not recalled. One whose next version corrects it never was.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Subquery, and_, exists, func, literal, null, or_, select, tuple_, union
from sqlalchemy.orm import aliased

from cases.models import Case
from cases.services import visible_to
from licenses.ladder.models import DepartmentAssertion
from licenses.lifecycle import EventKind, Process
from licenses.models import Decision, DecisionReliance, License, LicenseEvent
from storage.base import Instant
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

RECALLING: Final = (EventKind.SUSPENDED, EventKind.WITHDRAWN, EventKind.REVOKED)
"""Events after which decisions that relied on the licence are told of."""
CORRECTED: Final = "corrected"
"""What befell a department's answer, or a version of a licence whose face was found false."""
MOST: Final = 200
_SUCCESSOR: Final = aliased(License)
_CORRECTS: Final = and_(
    _SUCCESSOR.id == LicenseEvent.successor_id,
    # A next version replaces all that came before it and corrects only the one that it was made from.
    _SUCCESSOR.previous_id == LicenseEvent.license_id,
    # Written out, as the condition of the index over corrections is.
    _SUCCESSOR.change == literal(str(Process.CORRECTION), literal_execute=True),
    LicenseEvent.kind == str(EventKind.SUPERSEDED),
)
"""What holds of the event by which a correction takes the place of the version that it corrects."""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A decision whose ground is gone; nothing of its holder.

    Attributes:
        decision_id: The decision.
        asked_at: When it was given.
        source: Source of its case.
        number: The case's number there.
        item_code: The case's item.
        organisation: Department that handles the case.
        actor_id: Who asked.
        operator: The person who was named as asking.
        answer: What the whole decision came to.
        license_id: The licence, by its opaque id; ``None`` where a department corrected its answer.
        type_code: Its type.
        rung_id: The question whose answer was corrected, by its opaque id.
        event_id: What befell it.
        event: The kind of that event, or :data:`CORRECTED`.
        happened_at: When; that may lie ahead where the version that corrects is not in force yet.
        rule_digest: SHA-256 of the rule by which the decision was given.
        closed_at: When its case was closed; ``None`` while it is open.
    """

    decision_id: str
    asked_at: dt.datetime
    source: str
    number: str
    item_code: str
    organisation: str
    actor_id: str
    operator: str
    answer: str
    license_id: str | None
    type_code: str | None
    rung_id: str | None
    event_id: str
    event: str
    happened_at: dt.datetime
    rule_digest: str
    closed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class RecallPage:
    """Recalled decisions, what befell their licences newest first.

    Attributes:
        rows: The page.
        next_cursor: Where the next one begins; none on the last.
    """

    rows: Sequence[Recalled]
    next_cursor: str | None


_DECIDED: Final = (
    DecisionReliance.decision_id.label("decision_id"),
    Decision.at,
    Case.source,
    Case.number,
    Case.item_code,
    Case.organisation,
    Decision.actor_id,
    Decision.operator,
    Decision.result,
)
_NOW: Final = (Decision.rule_digest, Case.closed_at)


class RecallService:
    """Finds recalled decisions."""

    def recalled(
        self, uow: UnitOfWork, identity: Identity, after: str | None = None, limit: int = 50
    ) -> RecallPage:
        """Give a page: to supervision those of the departments that it covers, to a client its own.

        Raises:
            NotPermittedError: Neither supervision nor a client that may ask.
            CursorError: No page gave ``after``.
        """
        if identity.has(Role.SUPERVISOR):
            found_for = visible_to(identity)
        elif identity.has(Role.CLIENT) and "ask" in identity.scopes:
            found_for = Decision.actor_id == identity.id
        else:
            raise NotPermittedError
        return _page(uow, found_for, after, limit)

    def own(
        self, uow: UnitOfWork, identity: Identity, after: str | None = None, limit: int = 50
    ) -> RecallPage:
        """Give a page of what a clerk asked for, of cases that the clerk may still see.

        Raises:
            NotPermittedError: No clerk.
            CursorError: No page gave ``after``.
        """
        if not identity.has(Role.CLERK):
            raise NotPermittedError
        return _page(uow, and_(Decision.actor_id == identity.id, visible_to(identity)), after, limit)

    def requirements(self, uow: UnitOfWork, rows: Sequence[Recalled]) -> dict[Recalled, list[str]]:
        """Give the requirements, by id, whose answers rested on what befell; the caller may see the rows."""
        ground = func.coalesce(DepartmentAssertion.rung_id, DecisionReliance.object_id)
        query = (
            select(DecisionReliance.decision_id, ground, DecisionReliance.requirement)
            .outerjoin(DepartmentAssertion, DepartmentAssertion.id == DecisionReliance.object_id)
            .where(DecisionReliance.decision_id.in_({one.decision_id for one in rows}))
            .order_by(DecisionReliance.requirement)
            .distinct()
        )
        found: dict[tuple[str, str], list[str]] = {}
        for decision, on, requirement in uow.session.execute(query):
            found.setdefault((decision, on), []).append(requirement)
        return {one: found.get((one.decision_id, one.rung_id or one.license_id or ""), []) for one in rows}

    def count(self, uow: UnitOfWork, identity: Identity, since: dt.datetime) -> int:
        """Count the decisions that supervision sees and whose ground has gone after an instant."""
        recent = _joined(visible_to(identity))
        count = select(func.count(recent.c.decision_id.distinct())).where(recent.c.happened_at > since)
        return uow.session.scalar(count) or 0


def _page(uow: UnitOfWork, which: ColumnElement[bool], after: str | None, limit: int) -> RecallPage:
    recalls = _joined(which)
    place = (recalls.c.happened_at, recalls.c.event_id, recalls.c.decision_id)
    query = select(recalls).order_by(*(one.desc() for one in place))
    if after is not None:
        at, row = read_cursor(after)
        event, _, decision = row.partition(".")
        query = query.where(tuple_(*place) < tuple_(literal(at, Instant), literal(event), literal(decision)))
    limit = max(1, min(limit, MOST))
    found = [Recalled(*row) for row in uow.session.execute(query.limit(limit + 1))]
    rows = found[:limit]
    if len(found) <= limit:
        return RecallPage(rows, None)
    last = rows[-1]
    return RecallPage(rows, write_cursor(last.happened_at, f"{last.event_id}.{last.decision_id}"))


def recalling() -> ColumnElement[bool]:
    """Give the condition on events of licences that decisions which relied on the licence are told of."""
    return or_(LicenseEvent.kind.in_([str(one) for one in RECALLING]), exists().where(_CORRECTS))


def told_as(event: LicenseEvent) -> str:
    """Give the word for what such an event did to the ground of decisions."""
    return CORRECTED if event.kind == EventKind.SUPERSEDED else event.kind


def _joined(which: ColumnElement[bool]) -> Subquery:
    """Give the decisions of which a condition holds and whose ground is gone, as a table."""
    of_licences = (
        select(*_DECIDED, License.id.label("license_id"), License.type_code, null().label("rung_id"))
        .join(Decision, Decision.id == DecisionReliance.decision_id)
        .join(Case, Case.id == Decision.case_id)
        .join(License, License.id == DecisionReliance.object_id)
        .join(LicenseEvent, LicenseEvent.license_id == License.id)
        .where(DecisionReliance.kind == "licence", LicenseEvent.at > Decision.at, which)
    )
    ended = of_licences.add_columns(
        LicenseEvent.id.label("event_id"), LicenseEvent.kind, LicenseEvent.at.label("happened_at"), *_NOW
    ).where(LicenseEvent.kind.in_([str(one) for one in RECALLING]))
    corrected = of_licences.add_columns(LicenseEvent.id, literal(CORRECTED), LicenseEvent.at, *_NOW).join(
        _SUCCESSOR, _CORRECTS
    )
    correction = aliased(DepartmentAssertion)
    of_answers = (
        select(*_DECIDED, null(), null(), correction.rung_id)
        .add_columns(correction.id, literal(CORRECTED), correction.answered_at, *_NOW)
        .join(Decision, Decision.id == DecisionReliance.decision_id)
        .join(Case, Case.id == Decision.case_id)
        .join(correction, correction.replaces == DecisionReliance.object_id)
        .where(DecisionReliance.kind == "assertion", correction.answered_at > Decision.at, which)
    )
    # Two requirements that rest on one licence are one decision.
    return union(ended, corrected, of_answers).subquery()
