# SPDX-License-Identifier: Apache-2.0
"""Explaining unusual queries: a supervisor looked, and says what it was; an act, and seen by all who look.

What is found is replaced at each look, so an explanation names the pattern, who asked, and up to when: a
later query of the same kind stands unexplained again. So do look-ups of one's own where more of them are
known than were explained: a relation that is proven later makes one of an earlier look-up.
"""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import ColumnElement, exists, func, or_, select

from archive.unusual import CLOSE, Pattern, Unusual
from cases.identifiers import is_plain
from cases.organisations import reached
from portal.patterns.errors import PatternReasonError, PatternUnknownError
from portal.patterns.models import PatternExplanation, UnusualQuery
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind

LONGEST: Final = 200


def explain(
    uow: UnitOfWork, identity: Identity, pattern: str, actor: str, operator: str | None, words: str
) -> Promise:
    """Say what an unusual query was.

    Args:
        uow: A writing unit of work.
        identity: A supervisor.
        pattern: Which pattern.
        actor: Id of the account or client that showed it.
        operator: The person that a client named, if any.
        words: What it was.

    Raises:
        NotPermittedError: The caller does not supervise.
        PatternUnknownError: Nothing of the kind is in the caller's list, or it is the caller's own.
        PatternReasonError: Nothing is said, or too much.
    """
    identity.demand(Role.SUPERVISOR)
    reason = " ".join(words.split())
    found = uow.session.scalars(
        select(UnusualQuery).where(
            UnusualQuery.pattern == pattern,
            UnusualQuery.actor == actor,
            func.coalesce(UnusualQuery.operator, "") == (operator or ""),
            reached(UnusualQuery.organisation, identity),
        )
    ).first()
    if found is None or identity.id in {found.actor, found.operator}:
        raise PatternUnknownError
    if not 1 <= len(reason) <= LONGEST or not is_plain(reason):
        raise PatternReasonError
    row = PatternExplanation(
        id=uow.ids.new_id(),
        pattern=found.pattern,
        actor=found.actor,
        operator=found.operator or "",
        until=found.last_at,
        count=found.count,
        reason=reason,
        explained_by=identity.id,
        explained_at=uow.clock.now(),
    )
    uow.session.add(row)
    uow.session.flush()
    return uow.record(
        Act(
            kind=ActKind.PATTERN_EXPLAINED,
            actor=identity,
            object_type="pattern",
            object_id=row.id,
            rows=[row],
            reasons=[row.pattern],
        )
    )


def explained() -> ColumnElement[bool]:
    """Give the condition that somebody explained an unusual query: all of it that is known."""
    return exists().where(
        PatternExplanation.pattern == UnusualQuery.pattern,
        PatternExplanation.actor == UnusualQuery.actor,
        PatternExplanation.operator == func.coalesce(UnusualQuery.operator, ""),
        PatternExplanation.until >= UnusualQuery.last_at,
        or_(UnusualQuery.pattern.not_in(CLOSE), PatternExplanation.count >= UnusualQuery.count),
    )


def explanations(
    uow: UnitOfWork, found: list[Unusual]
) -> Mapping[tuple[Pattern, str, str | None], PatternExplanation]:
    """Give the newest explanation of each pattern that is explained."""
    actors = {one.actor for one in found}
    query = select(PatternExplanation).where(PatternExplanation.actor.in_(actors))
    rows = uow.session.scalars(query.order_by(PatternExplanation.explained_at, PatternExplanation.id))
    newest = {(row.pattern, row.actor, row.operator): row for row in rows}
    return {
        (one.pattern, one.actor, one.operator): row
        for one in found
        if (row := newest.get((str(one.pattern), one.actor, one.operator or ""))) is not None
        and _covers(row, one)
    }


def _covers(row: PatternExplanation, one: Unusual) -> bool:
    counted = one.pattern not in CLOSE or (row.count is not None and row.count >= one.count)
    return counted and row.until >= one.last_at
