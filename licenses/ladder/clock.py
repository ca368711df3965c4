# SPDX-License-Identifier: Apache-2.0
"""What only time brings about: reminders, escalation, checks that fall due, supplies that were missed."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from sqlalchemy import func, select

from cases.models import Case, CaseState
from licenses.answers import AnswerKeys
from licenses.ladder.deadlines import Deadlines
from licenses.ladder.errors import RungUnknownError
from licenses.ladder.events import act_of, added
from licenses.ladder.models import LadderEvent, LadderRung
from licenses.ladder.services import LadderService
from licenses.ladder.statements import state_signed
from licenses.ladder.states import RungEventKind, RungState, after
from licenses.rule_definition import Cooperation, Requirement
from licenses.sharing.feed import record_change
from storage.database import UnitOfWork
from storage.identity import system_identity
from storage.ledger.kinds import ActKind

_ONE: Final = 1
"""An act in its own transaction: one rung for each unit."""


class LadderClock:
    """Looks at the rungs whose hour has come.

    Args:
        ladder: Knows what a rung is to establish.
        deadlines: How long things take.
        keys: Sign statements.
    """

    def __init__(self, ladder: LadderService, deadlines: Deadlines, keys: AnswerKeys) -> None:
        self._keys = keys
        self._ladder = ladder
        self._deadlines = deadlines

    def strike(self, uow: UnitOfWork) -> Sequence[str]:
        """Record what has become due for the rung that waits longest; give its id, or nothing."""
        now = uow.clock.now()
        rows = uow.session.scalars(
            select(LadderRung)
            .where(LadderRung.wake_at <= now)
            .order_by(LadderRung.wake_at)
            .limit(_ONE)
            .with_for_update(skip_locked=True)
        ).all()
        for row in rows:
            self._strike_one(uow, row)
        return [row.id for row in rows]

    def _strike_one(self, uow: UnitOfWork, row: LadderRung) -> None:
        now = uow.clock.now()
        try:
            requirement = self._ladder.requirement(row)
        except RungUnknownError:
            # Its rule is gone; one rung must not keep the clock from all others.
            row.wake_at = None
            return
        kind = _event(row, requirement, now)
        if row.kind == "cooperation" and uow.session.get_one(Case, row.case_id).state is not CaseState.OPEN:
            # Nobody waits for the answer any more.
            kind = RungEventKind.DROPPED
        state = after(row.kind, RungState(row.state), kind)
        if state is None:
            row.wake_at = None
            return
        who = system_identity("housekeeping", row.organisation)
        term = self._deadlines.then(requirement, row, kind, now, _reminders(uow, row))
        event = added(uow, row, kind, who, state, term if term.due else replace(term, due=row.due))
        promise = record_change(
            uow, act_of(ActKind.RUNG_CHANGED, who, row, [row, event], [row.kind, str(kind)])
        )
        state_signed(uow, self._keys, row, event, promise)


def _reminders(uow: UnitOfWork, row: LadderRung) -> int:
    query = select(func.count(LadderEvent.id)).where(
        LadderEvent.rung_id == row.id, LadderEvent.kind == str(RungEventKind.REMINDED)
    )
    return uow.session.scalar(query) or 0


def _event(row: LadderRung, requirement: Requirement, now: dt.datetime) -> RungEventKind:
    """Give what the hour brings to a rung."""
    if row.kind == "commitment":
        return RungEventKind.CHECK_DUE
    if row.kind == "supply_later":
        return RungEventKind.MISSED
    if row.due is not None and now < row.due:
        return RungEventKind.REMINDED
    rung = requirement.rung("cooperation")
    accepts = isinstance(rung, Cooperation) and rung.on_timeout == "accept_and_check"
    return RungEventKind.ACCEPTED_BEFORE_ANSWER if accepts else RungEventKind.ESCALATED
