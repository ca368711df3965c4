# SPDX-License-Identifier: Apache-2.0
"""Deadlines of rungs: when something is due, and when the clock has to look again."""

import datetime as dt
from dataclasses import dataclass

from licenses.ladder.models import LadderRung
from licenses.ladder.states import RungEventKind
from licenses.ladder.terms import LadderTerms
from licenses.periods import hours_of, on_from
from licenses.ports import WorkingTime
from licenses.rule_definition import Commitment, Cooperation, Requirement, SupplyLater
from storage.clock import legal_date, start_of_day

_DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Term:
    """A deadline and when to look.

    Attributes:
        due: The deadline; ``None`` where none runs.
        wake_at: When the clock looks again; ``None`` where it has nothing to do.
    """

    due: dt.datetime | None = None
    wake_at: dt.datetime | None = None


class Deadlines:
    """Counts terms.

    Args:
        calendar: Counts working days and office hours.
        terms: How long things take where the rule does not say.
    """

    def __init__(self, calendar: WorkingTime, terms: LadderTerms | None = None) -> None:
        self._calendar = calendar
        self._terms = terms or LadderTerms.load()

    def first(self, requirement: Requirement, kind: str, now: dt.datetime) -> Term:
        """Give the term with which a rung begins."""
        rung = requirement.rung(kind)
        if isinstance(rung, Cooperation):
            due = self._calendar.add_working_hours(now, hours_of(rung.deadline))
            return Term(due, self._calendar.add_working_hours(now, self._share(rung, 0)))
        if isinstance(rung, SupplyLater):
            due = _end_of(on_from(legal_date(now), rung.deadline))
            return Term(due, due)
        return Term()

    def then(
        self,
        requirement: Requirement,
        row: LadderRung,
        event: RungEventKind,
        now: dt.datetime,
        reminded: int = 0,
    ) -> Term:
        """Give the term after an event; a deadline that goes on is the row's.

        Args:
            requirement: What the rung is to establish.
            row: The rung.
            event: What happens.
            now: When.
            reminded: How many reminders there were before.
        """
        rung = requirement.rung(row.kind)
        match event:
            case RungEventKind.ACCEPTED if isinstance(rung, Commitment):
                due = _end_of(on_from(legal_date(now), rung.verify_within))
                return Term(due, max(now, due - _DAY * self._terms.check_notice_days))
            case RungEventKind.FOUND_FALSE:
                days = self._terms.rectify_working_days
                return Term(_end_of(self._calendar.add_working_days(legal_date(now), days)))
            case RungEventKind.REMINDED if isinstance(rung, Cooperation):
                return Term(row.due, self._next_reminder(rung, row, reminded + 1))
            case RungEventKind.CHECK_DUE | RungEventKind.ESCALATED | RungEventKind.ACCEPTED_BEFORE_ANSWER:
                return Term(row.due)
        return Term()

    def serves_until(self, requirement: Requirement, now: dt.datetime) -> dt.date:
        """Give the last legal date on which a department's answer serves."""
        rung = requirement.rung("cooperation")
        return on_from(legal_date(now), rung.valid_for) if isinstance(rung, Cooperation) else legal_date(now)

    def _next_reminder(self, rung: Cooperation, row: LadderRung, place: int) -> dt.datetime | None:
        """Give when the next share is over, even if it was while nobody looked: each is told by itself."""
        if place >= len(self._terms.remind_at):
            return row.due
        return self._calendar.add_working_hours(row.taken_at, self._share(rung, place))

    def _share(self, rung: Cooperation, place: int) -> float:
        if not self._terms.remind_at:
            return float(hours_of(rung.deadline))
        return hours_of(rung.deadline) * self._terms.remind_at[place] / 100


def _end_of(day: dt.date) -> dt.datetime:
    """Give the last second of a legal date, the last that counts."""
    return start_of_day(day + _DAY) - dt.timedelta(seconds=1)
