# SPDX-License-Identifier: Apache-2.0
"""What an evaluation learns from the ladder, as of an instant: :class:`licenses.ports.Ladder`."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from sqlalchemy import select

from cases.items import ItemCatalogue
from cases.models import Case
from licenses.facts import AssertionFact, RungFact
from licenses.ladder.models import DepartmentAssertion, LadderEvent, LadderRung
from licenses.ladder.states import STANDING, Course, Happened, RungEventKind, RungState, course
from licenses.ladder.terms import LadderTerms
from storage.database import UnitOfWork

_BAD_CREDIT = frozenset({RungState.FALSE, RungState.REVOKED})


class TakenRungs:
    """Reads rungs, their events and departments' answers.

    Args:
        items: Names of departments.
        terms: What no commitment is taken for.
    """

    def __init__(self, items: ItemCatalogue, terms: LadderTerms | None = None) -> None:
        self._items = items
        self._terms = terms or LadderTerms.load()

    def assertions(
        self, uow: UnitOfWork, holder_id: str, predicates: Collection[str], at: dt.datetime
    ) -> Sequence[AssertionFact]:
        """Give what departments had answered by an instant about a holder, oldest first."""
        rows = uow.session.scalars(
            select(DepartmentAssertion)
            .where(
                DepartmentAssertion.holder_id == holder_id,
                DepartmentAssertion.predicate.in_(sorted(predicates)),
                DepartmentAssertion.answered_at <= at,
            )
            .order_by(DepartmentAssertion.answered_at, DepartmentAssertion.id)
        )
        return [
            AssertionFact(
                row.id,
                row.predicate,
                row.department,
                self._name(row.department),
                row.holds,
                row.answered_at,
                row.valid_until,
            )
            for row in rows
        ]

    def rungs(self, uow: UnitOfWork, case_id: str, at: dt.datetime) -> Mapping[str, Sequence[RungFact]]:
        """Give the rungs that had been taken for a case by an instant, by requirement, oldest first."""
        query = select(LadderRung).where(LadderRung.case_id == case_id, LadderRung.taken_at <= at)
        rows = uow.session.scalars(query.order_by(LadderRung.taken_at, LadderRung.id)).all()
        found: dict[str, list[RungFact]] = {}
        for row, stands in _courses(uow, rows, at):
            fact = RungFact(row.id, row.kind, STANDING[stands.state], stands.due)
            found.setdefault(row.requirement, []).append(fact)
        return found

    def barred(self, uow: UnitOfWork, case: Case, at: dt.datetime) -> Collection[str]:
        """Give the conditions of a commitment that did not hold then."""
        barred = {"not_high_risk"} if case.item_code in self._terms.excluded else set()
        query = select(LadderRung).where(
            LadderRung.holder_id == case.holder_id,
            LadderRung.kind == "commitment",
            LadderRung.taken_at <= at,
        )
        rows = uow.session.scalars(query).all()
        if any(stands.state in _BAD_CREDIT for _, stands in _courses(uow, rows, at)):
            barred.add("credit_ok")
        return barred

    def _name(self, code: str) -> str:
        return next((one.zh for one in self._items.departments if one.code == code), code)


def _courses(
    uow: UnitOfWork, rows: Sequence[LadderRung], at: dt.datetime
) -> Iterable[tuple[LadderRung, Course]]:
    happened = happenings(uow, [row.id for row in rows])
    for row in rows:
        stands = course(row.kind, happened.get(row.id, ()), at)
        if stands is not None:
            yield row, stands


def happenings(uow: UnitOfWork, rung_ids: Collection[str]) -> Mapping[str, Sequence[Happened]]:
    """Give the events of rungs, by rung, in their order."""
    if not rung_ids:
        return {}
    rows = uow.session.scalars(
        select(LadderEvent)
        .where(LadderEvent.rung_id.in_(sorted(rung_ids)))
        .order_by(LadderEvent.rung_id, LadderEvent.position)
    )
    return {
        rung: [Happened(RungEventKind(row.kind), row.at, row.due) for row in events]
        for rung, events in groupby(rows, key=lambda row: row.rung_id)
    }
