# SPDX-License-Identifier: Apache-2.0
"""Steps as their operator sees them: which do not go on and why, and trying a stuck one again.

A step's subject is an opaque id, its problem a stable code: nothing here tells anybody's name.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from archive.stepping import case_of
from portal.errors import StepNotStuckError, StepUnknownError
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind
from storage.steps import BY_NEED, STANDING, UNFINISHED, StepRow, retry


@dataclass(frozen=True, slots=True)
class StepView:
    """An unfinished step.

    Attributes:
        state: ``stuck`` (needs the operator), ``waiting`` (goes on by itself), ``running`` or ``ready``.
        problem: Stable code of what keeps it, if anything.
        since: Since when the problem keeps it; without one, when the step was added.
        attempts: Counted tries since it was added or tried again by hand.
        next_at: When it is tried again by itself at the latest; ``None`` for a stuck or running one.
    """

    id: str
    kind: str
    state: str
    problem: str | None
    since: dt.datetime
    attempts: int
    next_at: dt.datetime | None


class StepDesk:
    """Lists unfinished steps and tries stuck ones again, for the system administrator."""

    def list(self, uow: UnitOfWork, identity: Identity, limit: int) -> Sequence[StepView]:
        """Give unfinished steps: the stuck first, then those that wait, the oldest of each first.

        Raises:
            NotPermittedError: The identity is no system administrator.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        rows = uow.session.execute(
            select(StepRow, STANDING).where(UNFINISHED).order_by(*BY_NEED).limit(limit)
        )
        return [_view(row, state) for row, state in rows]

    def retry(self, uow: UnitOfWork, identity: Identity, step_id: str) -> Promise:
        """Put a stuck step back to ready with fresh attempts.

        Raises:
            NotPermittedError: The identity is no system administrator.
            StepUnknownError: There is no such step.
            StepNotStuckError: It is not stuck.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        row = uow.session.get(StepRow, step_id)
        if row is None:
            raise StepUnknownError
        if row.state != "stuck":
            raise StepNotStuckError(state=row.state)
        return _retry(uow, identity, row)

    def retry_all(self, uow: UnitOfWork, identity: Identity) -> Sequence[str]:
        """Put every stuck step back to ready; give their ids, the oldest first.

        Raises:
            NotPermittedError: The identity is no system administrator.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        stuck = select(StepRow).where(StepRow.state == "stuck").order_by(StepRow.created_at, StepRow.id)
        rows = uow.session.scalars(stuck).all()
        for row in rows:
            _retry(uow, identity, row)
        return [row.id for row in rows]


def _retry(uow: UnitOfWork, identity: Identity, row: StepRow) -> Promise:
    act = Act(
        kind=ActKind.STEP_RETRIED,
        actor=identity,
        object_type="step",
        object_id=row.id,
        case=case_of(uow, row.subject),
        reasons=(row.problem,) if row.problem else (),
        notes={"step": row.kind, "attempts": row.attempts},
    )
    retry(row, uow.clock.now(), uow.ids)
    uow.announce([(row.kind, row.id)])
    return uow.record(act)


def _view(row: StepRow, state: str) -> StepView:
    return StepView(
        id=row.id,
        kind=row.kind,
        state=state,
        problem=row.problem,
        since=row.problem_since or row.created_at,
        attempts=row.attempts,
        next_at=row.run_after if row.state == "ready" else None,
    )
