# SPDX-License-Identifier: Apache-2.0
"""What became of rungs of the ladder: how departments cooperated, and whether commitments were kept."""

import datetime as dt
import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import case, exists, func, or_, select

from licenses.figures.period import Period, Scope
from licenses.ladder.models import LadderEvent, LadderRung
from licenses.ladder.states import WAITING, RungEventKind, RungState
from storage.database import UnitOfWork

_ANSWERS: Final = (str(RungEventKind.ANSWERED), str(RungEventKind.UNANSWERABLE))
_UNTRUE: Final = (str(RungState.FALSE), str(RungState.RECTIFIED), str(RungState.REVOKED))
_NOT_MADE: Final = (str(RungState.TOLD), str(RungState.DROPPED))
_TO_CHECK: Final = (str(RungState.ACCEPTED), str(RungState.CHECK_DUE))
_BATCH: Final = 1000


class OfficeHours(Protocol):
    """How office hours between two instants are counted: :class:`cases.calendar.WorkingCalendar`."""

    def working_hours(self, start: dt.datetime, end: dt.datetime) -> float:
        """Give the office hours between two instants."""
        ...


@dataclass(slots=True)
class Cooperation:
    """How a department answered what others asked in the period.

    Attributes:
        asked: Code of the department.
        total: What it was asked.
        in_time: Answered by the deadline.
        late: Answered after it, or not yet although it has passed.
        waiting: Not answered, and the deadline has not passed.
        dropped: Nobody needed the answer any more.
        before_answer: Of all, cases that were accepted because the answer did not come in time.
        hours: Office hours that each answer took.
    """

    asked: str
    total: int = 0
    in_time: int = 0
    late: int = 0
    waiting: int = 0
    dropped: int = 0
    before_answer: int = 0
    hours: list[float] = field(default_factory=list)

    @property
    def share_in_time(self) -> float | None:
        """Share, 0 to 1, answered in time of what had to be answered by now; ``None`` when nothing had."""
        due = self.in_time + self.late
        return self.in_time / due if due else None

    @property
    def median_hours(self) -> float | None:
        """Median of the office hours that answers took; ``None`` without answers."""
        return statistics.median(self.hours) if self.hours else None


@dataclass(frozen=True, slots=True)
class Commitments:
    """What became of the commitments of an item that holders were told of in the period.

    Attributes:
        item: Code of the item.
        organisation: Department of the cases.
        told: Holders who were told of what a commitment means.
        made: Commitments that were made and not dropped.
        confirmed: Checked and true.
        untrue: Found false, rectified and revoked ones included.
        overdue: To be checked by now, and not checked.
    """

    item: str
    organisation: str
    told: int
    made: int
    confirmed: int
    untrue: int
    overdue: int


def cooperation(
    uow: UnitOfWork, period: Period, scope: Scope, calendar: OfficeHours
) -> Sequence[Cooperation]:
    """Give how each asked department answered, of what was asked in the period.

    Seen are questions of the own departments and those that they were asked. People answer each of them, so
    they are few: each is one line, O(rungs of the period), and one number of each answer is kept.
    """
    answer = select(func.min(LadderEvent.at)).where(
        LadderEvent.rung_id == LadderRung.id, LadderEvent.kind.in_(_ANSWERS)
    )
    due = select(LadderEvent.due).where(LadderEvent.rung_id == LadderRung.id, LadderEvent.position == 1)
    accepted = exists().where(
        LadderEvent.rung_id == LadderRung.id,
        LadderEvent.kind == str(RungEventKind.ACCEPTED_BEFORE_ANSWER),
    )
    lines = uow.session.execute(
        select(
            LadderRung.asked,
            LadderRung.taken_at,
            LadderRung.state,
            due.scalar_subquery(),
            answer.scalar_subquery(),
            accepted,
        )
        .where(LadderRung.kind == "cooperation", period.holds(LadderRung.taken_at))
        .where(or_(scope.holds(LadderRung.organisation), scope.holds(LadderRung.asked)))
        .execution_options(yield_per=_BATCH)
    )
    rows: Iterable[tuple[Any, ...]] = map(tuple, lines)
    found: dict[str, Cooperation] = {}
    now = uow.clock.now()
    for asked, taken_at, state, until, at, before in rows:
        one = found.setdefault(asked, Cooperation(asked))
        one.total += 1
        one.before_answer += bool(before)
        if at is not None:
            one.hours.append(calendar.working_hours(taken_at, at))
        if at is None and state not in WAITING:
            one.dropped += 1
        elif (at or now) > until:
            one.late += 1
        elif at is None:
            one.waiting += 1
        else:
            one.in_time += 1
    return [found[asked] for asked in sorted(found)]


def commitments(uow: UnitOfWork, period: Period, scope: Scope) -> Sequence[Commitments]:
    """Give what became of commitments, by item and department; the database counts."""
    state, places = LadderRung.state, (LadderRung.item_code, LadderRung.organisation)
    overdue = state.in_(_TO_CHECK) & (LadderRung.due < uow.clock.now())
    rows = uow.session.execute(
        select(
            *places,
            func.count(),
            *(
                func.sum(case((condition, 1), else_=0))
                for condition in (
                    state.not_in(_NOT_MADE),
                    state == str(RungState.CONFIRMED),
                    state.in_(_UNTRUE),
                    overdue,
                )
            ),
        )
        .where(LadderRung.kind == "commitment", period.holds(LadderRung.taken_at))
        .where(scope.holds(LadderRung.organisation))
        .group_by(*places)
        .order_by(*places)
    )
    return [Commitments(*row) for row in rows]
