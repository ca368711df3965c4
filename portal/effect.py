# SPDX-License-Identifier: Apache-2.0
"""What no-proof handling achieves 免证成效: the figures of a period, for page, tables and metrics alike."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from archive.figures.collected import ItemCollected, Verdict, collected
from archive.figures.duties import duties
from licenses.figures.answers import Came, ItemAnswers, answered
from licenses.figures.period import Period, Scope
from licenses.figures.rungs import Commitments, Cooperation, commitments, cooperation
from licenses.rules import RuleBook
from portal.proving import working_calendar
from storage.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Effect:
    """The figures of a period.

    Attributes:
        answers: How requirements were answered.
        collected: What citizens brought.
        cooperation: How departments answered.
        commitments: Whether commitments were kept.
    """

    answers: Sequence[ItemAnswers]
    collected: Sequence[ItemCollected]
    cooperation: Sequence[Cooperation]
    commitments: Sequence[Commitments]

    @property
    def came(self) -> Mapping[Came, int]:
        """What the requirements of all items came to."""
        return {one: sum(item.came.get(one, 0) for item in self.answers) for one in Came}

    @property
    def by_evidence(self) -> float | None:
        """Share of all requirements that evidence alone established."""
        return _share(self.came[Came.BY_EVIDENCE], sum(self.came.values()))

    @property
    def without_proof(self) -> float | None:
        """Share of the judged cases in which no proof was collected."""
        judged = sum(one.judged for one in self.collected)
        return _share(sum(one.without_proof for one in self.collected), judged)

    @property
    def over(self) -> int:
        """Proofs that should not have been asked for."""
        return sum(one.over for one in self.collected)

    @property
    def in_time(self) -> float | None:
        """Share of the departments' answers that came in time."""
        in_time = sum(one.in_time for one in self.cooperation)
        return _share(in_time, in_time + sum(one.late for one in self.cooperation))

    def proofs(self, verdict: Verdict) -> int:
        """Give how many collected proofs of all items have a verdict."""
        return sum(one.proofs.get(verdict, 0) for one in self.collected)


def effect(uow: UnitOfWork, period: Period, scope: Scope, rules: RuleBook) -> Effect:
    """Give the figures of a period, of the departments that somebody supervises."""
    return Effect(
        answered(uow, period, scope),
        collected(uow, period, scope, duties(rules.all())),
        cooperation(uow, period, scope, working_calendar()),
        commitments(uow, period, scope),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
