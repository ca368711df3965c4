# SPDX-License-Identifier: Apache-2.0
"""Recall: decisions that relied on a licence that ended afterwards, or on an answer that was corrected.

An answer says what was so when it was asked for and stays true as such; who relied on it is told that its
ground is gone. A licence that was cancelled, replaced or that expired was right while it lasted: its
decisions stand and are not recalled.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Subquery, func, literal, null, select, tuple_, union
from sqlalchemy.orm import aliased

from cases.models import Case
from cases.services import visible_to
from licenses.ladder.models import DepartmentAssertion
from licenses.lifecycle import EventKind
from licenses.models import Decision, DecisionReliance, License, LicenseEvent
from storage.base import Instant
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

RECALLING: Final = (EventKind.SUSPENDED, EventKind.WITHDRAWN, EventKind.REVOKED)
"""Events after which decisions that relied on the licence are told of."""
CORRECTED: Final = "corrected"
"""What befell a department's answer."""
MOST: Final = 200


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
        event: The kind of that event.
        happened_at: When.
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
        recalls = _joined(found_for)
        place = (recalls.c.happened_at, recalls.c.event_id, recalls.c.decision_id)
        query = select(recalls).order_by(*(one.desc() for one in place))
        if after is not None:
            at, row = read_cursor(after)
            event, _, decision = row.partition(".")
            query = query.where(
                tuple_(*place) < tuple_(literal(at, Instant), literal(event), literal(decision))
            )
        limit = max(1, min(limit, MOST))
        found = [Recalled(*row) for row in uow.session.execute(query.limit(limit + 1))]
        rows = found[:limit]
        if len(found) <= limit:
            return RecallPage(rows, None)
        last = rows[-1]
        return RecallPage(rows, write_cursor(last.happened_at, f"{last.event_id}.{last.decision_id}"))

    def count(self, uow: UnitOfWork, identity: Identity, since: dt.datetime) -> int:
        """Count the decisions that supervision sees and whose licence ended so after an instant."""
        recent = _joined(visible_to(identity))
        count = select(func.count(recent.c.decision_id.distinct())).where(recent.c.happened_at > since)
        return uow.session.scalar(count) or 0


def _joined(which: ColumnElement[bool]) -> Subquery:
    """Give the decisions of which a condition holds and whose ground is gone, as a table."""
    of_licences = (
        select(*_DECIDED, License.id.label("license_id"), License.type_code, null().label("rung_id"))
        .add_columns(
            LicenseEvent.id.label("event_id"), LicenseEvent.kind, LicenseEvent.at.label("happened_at")
        )
        .join(Decision, Decision.id == DecisionReliance.decision_id)
        .join(Case, Case.id == Decision.case_id)
        .join(License, License.id == DecisionReliance.object_id)
        .join(LicenseEvent, LicenseEvent.license_id == License.id)
        .where(
            DecisionReliance.kind == "licence",
            LicenseEvent.kind.in_([str(one) for one in RECALLING]),
            LicenseEvent.at > Decision.at,
            which,
        )
    )
    correction = aliased(DepartmentAssertion)
    of_answers = (
        select(*_DECIDED, null(), null(), correction.rung_id)
        .add_columns(correction.id, literal(CORRECTED), correction.answered_at)
        .join(Decision, Decision.id == DecisionReliance.decision_id)
        .join(Case, Case.id == Decision.case_id)
        .join(correction, correction.replaces == DecisionReliance.object_id)
        .where(DecisionReliance.kind == "assertion", correction.answered_at > Decision.at, which)
    )
    # Two requirements that rest on one licence are one decision.
    return union(of_licences, of_answers).subquery()
