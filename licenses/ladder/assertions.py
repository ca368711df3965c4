# SPDX-License-Identifier: Apache-2.0
"""What departments answered: given, corrected, and whether it still serves.

A correction is a new answer that names the one it replaces and takes its place: it serves as long as that
one would have, and is as old against other answers. From then on nothing rests on that one any more;
decisions that do are recalled (:mod:`licenses.recall`).
"""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import aliased

from licenses.ladder.deadlines import Deadlines
from licenses.ladder.errors import RungEventError
from licenses.ladder.models import DepartmentAssertion, LadderEvent, LadderRung
from licenses.ladder.states import RungEventKind, RungState
from licenses.rule_definition import Requirement
from storage.clock import legal_date
from storage.database import UnitOfWork

GIVING = frozenset({RungEventKind.ANSWERED, RungEventKind.CORRECTED})
"""Events that bring an answer."""


def newest_answer(uow: UnitOfWork, row: LadderRung) -> DepartmentAssertion | None:
    """Give what the department says of a question now."""
    correction = aliased(DepartmentAssertion)
    stands = select(DepartmentAssertion).where(
        DepartmentAssertion.rung_id == row.id, ~exists().where(correction.replaces == DepartmentAssertion.id)
    )
    return uow.session.scalar(stands)


def given(
    uow: UnitOfWork,
    row: LadderRung,
    requirement: Requirement,
    deadlines: Deadlines,
    event: LadderEvent,
    *,
    holds: bool,
) -> DepartmentAssertion:
    """Make the answer that an event brings, given at its instant; the caller adds it.

    Raises:
        RungEventError: A correction says what was said already.
    """
    before = newest_answer(uow, row) if event.kind == RungEventKind.CORRECTED else None
    if before is not None and before.holds is holds:
        raise RungEventError
    return DepartmentAssertion(
        id=uow.ids.new_id(),
        rung_id=row.id,
        holder_id=row.holder_id,
        predicate=row.predicate,
        department=row.asked,
        holds=holds,
        answered_at=event.at,
        # Nobody was asked anew: what was to be known at that time is said again, and no longer than then.
        valid_until=before.valid_until if before else deadlines.serves_until(requirement, event.at),
        replaces=before.id if before is not None else None,
    )


def next_round(uow: UnitOfWork, case_id: str, requirement: str, kind: str) -> int | None:
    """Give which one the next rung of its kind is for a requirement; ``None`` where none may be taken.

    Only a department whose answer serves no more is asked again in the same case.
    """
    query = select(LadderRung).where(
        LadderRung.case_id == case_id, LadderRung.requirement == requirement, LadderRung.kind == kind
    )
    rows: Sequence[LadderRung] = uow.session.scalars(query.order_by(LadderRung.round)).all()
    if not rows:
        return 1
    last = rows[-1]
    answer = newest_answer(uow, last) if last.state == RungState.ANSWERED else None
    if answer is None or legal_date(uow.clock.now()) <= answer.valid_until:
        return None
    return last.round + 1
