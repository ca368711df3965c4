# SPDX-License-Identifier: Apache-2.0
"""Figures of no-proof handling for who asks often: of thirty days, counted every ten minutes at most."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from archive.figures.collected import OVER
from licenses.figures.answers import Came
from licenses.figures.period import Scope, last_days
from licenses.rules import RuleBook
from portal.effect import Effect, effect
from storage.clock import Clock, legal_date
from storage.database import Database

DAYS: Final = 30
_SECONDS: Final = 600.0
Values: TypeAlias = dict[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Series:
    """Values of one figure, by the values of its labels: codes of the catalogue, never of a person."""

    name: str
    words: str
    labels: tuple[str, ...]
    values: Mapping[tuple[str, ...], float]


class EffectWatch:
    """Counts the figures of all departments.

    Args:
        database: Where the records are.
        clock: Tells which thirty days, and when it is time to count again.
        rules: The rules.
    """

    def __init__(self, database: Database, clock: Clock, rules: RuleBook) -> None:
        self._database = database
        self._clock = clock
        self._rules = rules
        self._lock = threading.Lock()
        self._counted: tuple[float, Effect] | None = None

    def series(self) -> Iterator[Series]:
        """Give the figures, as they were when they were last counted."""
        found = self._effect()
        came: Values = {}
        for answers in found.answers:
            for one in Came:
                _add(came, (answers.item, str(one)), answers.came.get(one, 0))
        words = "Requirements of cases answered in 30 days, by their newest answer."
        yield Series("requirements_answered", words, ("item", "came"), came)
        judged: Values = {}
        over: Values = {}
        for item in found.collected:
            if item.judged:
                _add(judged, (item.item, "judged"), item.judged)
                _add(judged, (item.item, "without-proof"), item.without_proof)
                for why in OVER:
                    _add(over, (item.item, str(why)), item.proofs.get(why, 0))
        words = (
            "Filed cases with a rule that were closed in 30 days, and those in which no proof was collected."
        )
        yield Series("cases_judged", words, ("item", "which"), judged)
        words = "Proofs collected in cases closed in 30 days that should not have been asked for."
        yield Series("proofs_overcollected", words, ("item", "reason"), over)
        asked: Values = {}
        for department in found.cooperation:
            asked[department.asked, "in-time"] = department.in_time
            asked[department.asked, "late"] = department.late
            asked[department.asked, "waiting"] = department.waiting
        words = "Questions to departments of 30 days, by how they were answered."
        yield Series("cooperation_asked", words, ("department", "answer"), asked)
        words = "Commitments of 30 days whose check fell due and was not made."
        yield Series("commitments_overdue", words, (), {(): sum(one.overdue for one in found.commitments)})

    def _effect(self) -> Effect:
        with self._lock:
            now = self._clock.monotonic()
            if self._counted is None or now - self._counted[0] >= _SECONDS:
                with self._database.reading() as uow:
                    period = last_days(legal_date(uow.clock.now()), DAYS)
                    self._counted = now, effect(uow, period, Scope(), self._rules)
            return self._counted[1]


def _add(values: Values, place: tuple[str, ...], count: int) -> None:
    values[place] = values.get(place, 0) + count
