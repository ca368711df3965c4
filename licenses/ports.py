# SPDX-License-Identifier: Apache-2.0
"""What the licence room needs from others, stated so that tests and later releases can pass their own."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from cases.models import Case
from licenses.facts import AssertionFact, CaseFact, RungFact
from storage.database import UnitOfWork


class SealStandings(Protocol):
    """What the seal register knows of seals that were used."""

    def revocations(self, uow: UnitOfWork, seals: Collection[str] | None = None) -> Mapping[str, dt.datetime]:
        """Give which of these seals, or of all, were revoked, and when; the others are left out."""
        ...


class WorkingDays(Protocol):
    """How working days are counted: :class:`cases.calendar.WorkingCalendar`, or a site's own."""

    def add_working_days(self, day: dt.date, count: int) -> dt.date:
        """Give the ``count``-th working day after ``day``; the day itself does not count."""
        ...


class WorkingTime(WorkingDays, Protocol):
    """How office hours are counted beside working days: :class:`cases.calendar.WorkingCalendar`."""

    def add_working_hours(self, at: dt.datetime, hours: float) -> dt.datetime:
        """Give the instant that lies so many office hours after ``at``, in UTC."""
        ...


class PriorCases(Protocol):
    """The archive's knowledge of cases that were closed and filed."""

    def filed(
        self, uow: UnitOfWork, holder_id: str, items: Collection[str], at: dt.datetime
    ) -> Sequence[CaseFact]:
        """Give the cases of a holder and of some items that were filed by an instant, oldest first."""
        ...


class Ladder(Protocol):
    """What became of rungs of the ladder: commitments, cooperation of departments, later supply."""

    def assertions(
        self, uow: UnitOfWork, holder_id: str, predicates: Collection[str], at: dt.datetime
    ) -> Sequence[AssertionFact]:
        """Give what departments had answered by an instant about a holder, oldest first."""
        ...

    def rungs(self, uow: UnitOfWork, case_id: str, at: dt.datetime) -> Mapping[str, Sequence[RungFact]]:
        """Give the rungs that had been taken for a case by an instant, by requirement, oldest first."""
        ...

    def barred(self, uow: UnitOfWork, case: Case, at: dt.datetime) -> Collection[str]:
        """Give the conditions of a commitment that did not hold then: ``not_high_risk``, ``credit_ok``."""
        ...
