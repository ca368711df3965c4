# SPDX-License-Identifier: Apache-2.0
"""How requirements were answered, item by item: what evidence alone established, and what it did not.

A requirement of a case counts once, with its newest answer of the period, however often it was asked.
"""

import enum
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from cases.models import Case
from licenses.figures.period import Period, Scope
from licenses.models import LicenseUsage
from storage.database import UnitOfWork

_BY_RUNG: Final = frozenset(
    {"R.CONFIRMED_BY_DEPARTMENT", "R.COMMITMENT_CONFIRMED", "R.SUPPLIED", "R.COLLECTED"}
)
"""Reasons of what is met by a rung of the ladder, that is by somebody's work."""


class Came(enum.StrEnum):
    """What a requirement came to."""

    BY_EVIDENCE = "by-evidence"
    BY_RUNG = "by-rung"
    PROVISIONAL = "provisional"
    PENDING = "pending"
    UNKNOWN = "unknown"
    NOT_MET = "not-met"


@dataclass(frozen=True, slots=True)
class ItemAnswers:
    """How the requirements of an item were answered in a department.

    Attributes:
        item: Code of the item.
        organisation: Department of the cases.
        questions: Answered questions; one asks for several requirements.
        came: What the requirements came to.
    """

    item: str
    organisation: str
    questions: int
    came: Mapping[Came, int]

    @property
    def requirements(self) -> int:
        """Requirements that were asked for, each case's once."""
        return sum(self.came.values())

    def share(self, *came: Came) -> float | None:
        """Give the share, 0 to 1, that came to one of these; ``None`` when nothing was asked."""
        return sum(self.came.get(one, 0) for one in came) / self.requirements if self.requirements else None


def answered(uow: UnitOfWork, period: Period, scope: Scope) -> Sequence[ItemAnswers]:
    """Give how requirements were answered, by item and department.

    The database counts: n answers of the period are found by the index of their instants and sorted once,
    O(n log n); what comes here is a line for each item, department and reason.
    """
    asked = (
        select(
            LicenseUsage.item_code,
            Case.organisation,
            LicenseUsage.result,
            LicenseUsage.reason,
            LicenseUsage.decision_id,
            func.row_number()
            .over(
                partition_by=(LicenseUsage.case_id, LicenseUsage.asked),
                order_by=(LicenseUsage.at.desc(), LicenseUsage.id.desc()),
            )
            .label("place"),
        )
        .join(Case, Case.id == LicenseUsage.case_id)
        .where(LicenseUsage.action == "ask", LicenseUsage.decision_id.is_not(None))
        .where(period.holds(LicenseUsage.at), scope.holds(Case.organisation))
        .subquery()
    )
    places = (asked.c.item_code, asked.c.organisation)
    questions = uow.session.execute(
        select(*places, func.count(asked.c.decision_id.distinct())).group_by(*places)
    )
    counted = uow.session.execute(
        select(*places, asked.c.result, asked.c.reason, func.count())
        .where(asked.c.place == 1)
        .group_by(*places, asked.c.result, asked.c.reason)
    )
    came: dict[tuple[str, str], Counter[Came]] = {}
    for item, organisation, result, reason, count in counted:
        came.setdefault((item, organisation), Counter())[_came(result, reason)] += count
    return [
        ItemAnswers(item, organisation, count, came[item, organisation])
        for item, organisation, count in sorted(tuple(row) for row in questions)
    ]


def _came(result: str, reason: str | None) -> Came:
    if result == "MET":
        return Came.BY_RUNG if reason in _BY_RUNG else Came.BY_EVIDENCE
    return Came(result.lower().replace("_", "-"))
