# SPDX-License-Identifier: Apache-2.0
"""What the licence room needs from others, stated so that tests and later releases can pass their own."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple, Protocol

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
        self, uow: UnitOfWork, holders: Collection[str], items: Collection[str], at: dt.datetime
    ) -> Mapping[str, Sequence[CaseFact]]:
        """Give the cases of some items that were filed by an instant, by id of the holder, oldest first."""
        ...


class TakenOnCase(NamedTuple):
    """What became of the ladder for a case.

    Attributes:
        rungs: The rungs that were taken for it, by requirement, oldest first.
        barred: Conditions of a commitment that did not hold then: ``not_high_risk``, ``credit_ok``.
    """

    rungs: Mapping[str, Sequence[RungFact]]
    barred: Collection[str]


class Ladder(Protocol):
    """What became of rungs of the ladder: commitments, cooperation of departments, later supply."""

    def assertions(
        self, uow: UnitOfWork, holders: Collection[str], predicates: Collection[str], at: dt.datetime
    ) -> Mapping[str, Sequence[AssertionFact]]:
        """Give what departments had answered by an instant, by id of the holder, oldest first.

        A correction is as old as what it corrects.
        """
        ...

    def taken(self, uow: UnitOfWork, cases: Sequence[Case], at: dt.datetime) -> Mapping[str, TakenOnCase]:
        """Give what had been taken by an instant for each of some cases, by the case's id."""
        ...
