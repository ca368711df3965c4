# SPDX-License-Identifier: Apache-2.0
"""Which steps belong to a case: those of its filings, of its licence, and of what is indexed of it."""

import datetime as dt
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import literal, select, union_all

from archive.models import Dossier, Filing, FilingState
from licenses.models import License
from storage.database import UnitOfWork
from storage.steps import BY_NEED, STANDING, UNFINISHED, StepRow

_SUBJECTS = ((Filing, ""), (License, ""), (License, "licence:"), (Dossier, "dossier:"))
"""What a step may work on, and what stands before its id in the step's subject."""


FILING_STEPS = (
    "archive.accept",
    "archive.check",
    "archive.render",
    "archive.assemble",
    "archive.seal",
    "archive.manifest",
    "archive.store",
)
"""The steps of a filing in their order; after the last one it is filed."""
_FIRST_OF_STATE = {
    FilingState.RECEIVED: "archive.accept",
    FilingState.ACCEPTED: "archive.check",
    FilingState.CHECKED: "archive.render",
    FilingState.RENDERED: "archive.assemble",
    FilingState.ASSEMBLED: "archive.seal",
    FilingState.SEALED: "archive.manifest",
}


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a filing that is not decided yet stands.

    Attributes:
        step: Kind of the step that it is at.
        place: Which step that is, from 1.
        of: How many steps there are.
    """

    step: str
    place: int
    of: int = len(FILING_STEPS)


def progress_of(state: FilingState, at: str | None) -> Progress | None:
    """Tell which step of how many a filing is at; ``None`` once it is filed, returned or quarantined.

    Args:
        state: Of the filing.
        at: Kind of its unfinished step; of another's (its licence's), or none, the state alone tells.
    """
    if state not in _FIRST_OF_STATE:
        return None
    step = at if at in FILING_STEPS else _FIRST_OF_STATE[state]
    return Progress(step, FILING_STEPS.index(step) + 1)


@dataclass(frozen=True, slots=True)
class StepOfCase:
    """An unfinished step of a case.

    Attributes:
        subject: Id of the filing or licence it works on, or ``licence:ID`` or ``dossier:ID`` of what is
            indexed.
        state: Its standing, one of ``storage.steps.STANDINGS``.
        problem: Stable code of what keeps it, if anything.
        since: Since when the problem keeps it; without one, when the step was added.
    """

    case_id: str
    subject: str
    kind: str
    state: str
    problem: str | None
    since: dt.datetime
    created_at: dt.datetime


def unfinished_steps(uow: UnitOfWork, case_ids: Collection[str]) -> Sequence[StepOfCase]:
    """Give the unfinished steps of some cases: the stuck first, then those that wait, oldest first."""
    parts = (
        select(literal(before) + table.id, table.case_id).where(table.case_id.in_(case_ids))
        for table, before in _SUBJECTS
    )
    if not case_ids:
        return []
    # A licence without a case is none that was asked for.
    cases = {subject: case_id for subject, case_id in uow.session.execute(union_all(*parts)) if case_id}
    query = select(StepRow, STANDING).where(StepRow.subject.in_(cases), UNFINISHED)
    return [
        StepOfCase(
            case_id=cases[step.subject],
            subject=step.subject,
            kind=step.kind,
            state=state,
            problem=step.problem,
            since=step.problem_since or step.created_at,
            created_at=step.created_at,
        )
        for step, state in uow.session.execute(query.order_by(*BY_NEED))
    ]


def case_of(uow: UnitOfWork, subject: str) -> str | None:
    """Give the id of the case that a step with this subject belongs to."""
    parts = (
        select(table.case_id).where(table.id == subject.removeprefix(before))
        for table, before in _SUBJECTS
        if subject.startswith(before)
    )
    return uow.session.scalar(union_all(*parts))
