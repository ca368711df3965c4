# SPDX-License-Identifier: Apache-2.0
"""What an evaluation learns from the ladder, as of an instant: :class:`licenses.ports.Ladder`."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from sqlalchemy import and_, bindparam, exists, func, or_, select
from sqlalchemy.orm import aliased

from cases.items import ItemCatalogue
from cases.models import Case
from licenses.facts import AssertionFact, RungFact
from licenses.ladder.models import DepartmentAssertion, LadderEvent, LadderRung
from licenses.ladder.states import BAD_CREDIT, STANDING, Course, Happened, RungEventKind, course
from licenses.ladder.terms import LadderTerms
from licenses.ports import TakenOnCase
from storage.clock import legal_date
from storage.database import UnitOfWork

_CORRECTION: Final = aliased(DepartmentAssertion)
_FIRST: Final = aliased(DepartmentAssertion)
_ANSWERED: Final = (
    select(*DepartmentAssertion.__table__.columns)
    .where(
        DepartmentAssertion.holder_id.in_(bindparam("holders", expanding=True)),
        DepartmentAssertion.predicate.in_(bindparam("predicates", expanding=True)),
        DepartmentAssertion.answered_at <= bindparam("at", type_=DepartmentAssertion.answered_at.type),
        ~exists().where(
            _CORRECTION.replaces == DepartmentAssertion.id,
            _CORRECTION.answered_at <= bindparam("at", type_=DepartmentAssertion.answered_at.type),
        ),
    )
    .order_by(
        # All of a question are corrections of its first answer, and as old as that one.
        select(func.min(_FIRST.answered_at))
        .where(_FIRST.rung_id == DepartmentAssertion.rung_id)
        .correlate(DepartmentAssertion)
        .scalar_subquery(),
        DepartmentAssertion.answered_at,
        DepartmentAssertion.id,
    )
)
_TAKEN: Final = (
    select(
        LadderRung.id,
        LadderRung.case_id,
        LadderRung.holder_id,
        LadderRung.requirement,
        LadderRung.kind,
        select(func.max(DepartmentAssertion.valid_until))
        .where(
            DepartmentAssertion.rung_id == LadderRung.id,
            DepartmentAssertion.answered_at <= bindparam("at", type_=LadderRung.taken_at.type),
        )
        .correlate(LadderRung)
        .scalar_subquery()
        .label("serves_until"),
    )
    .where(
        or_(
            LadderRung.case_id.in_(bindparam("cases", expanding=True)),
            and_(
                LadderRung.holder_id.in_(bindparam("holders", expanding=True)),
                LadderRung.kind == "commitment",
            ),
        ),
        LadderRung.taken_at <= bindparam("at", type_=LadderRung.taken_at.type),
    )
    .order_by(LadderRung.taken_at, LadderRung.id)
)


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
        self, uow: UnitOfWork, holders: Collection[str], predicates: Collection[str], at: dt.datetime
    ) -> Mapping[str, Sequence[AssertionFact]]:
        """Give what departments had answered by an instant, by id of the holder, oldest first."""
        wanted = {"holders": sorted(holders), "predicates": sorted(predicates), "at": at}
        found: dict[str, list[AssertionFact]] = {}
        for row in uow.session.connection().execute(_ANSWERED, wanted):
            fact = AssertionFact(
                row.id,
                row.predicate,
                row.department,
                self._name(row.department),
                row.holds,
                row.answered_at,
                row.valid_until,
            )
            found.setdefault(row.holder_id, []).append(fact)
        return found

    def taken(self, uow: UnitOfWork, cases: Sequence[Case], at: dt.datetime) -> Mapping[str, TakenOnCase]:
        """Give what had been taken by an instant for each of some cases, by the case's id."""
        asked = {
            "cases": sorted({case.id for case in cases}),
            "holders": sorted({case.holder_id for case in cases}),
            "at": at,
        }
        rows = uow.session.connection().execute(_TAKEN, asked).all()
        rungs: dict[str, dict[str, list[RungFact]]] = {}
        bad_credit: set[str] = set()
        for row, stands in _courses(uow, rows, at):
            if row.serves_until is not None and row.serves_until < legal_date(at):
                # The answer's term is over: the department may be asked again.
                continue
            fact = RungFact(row.id, row.kind, STANDING[stands.state], stands.due)
            rungs.setdefault(row.case_id, {}).setdefault(row.requirement, []).append(fact)
            if row.kind == "commitment" and stands.state in BAD_CREDIT:
                bad_credit.add(row.holder_id)
        return {
            case.id: TakenOnCase(rungs.get(case.id, {}), self._barred(case, bad_credit)) for case in cases
        }

    def _barred(self, case: Case, bad_credit: Collection[str]) -> Collection[str]:
        barred = {"not_high_risk"} if case.item_code in self._terms.excluded else set()
        return barred | {"credit_ok"} if case.holder_id in bad_credit else barred

    def _name(self, code: str) -> str:
        return next((one.zh for one in self._items.departments if one.code == code), code)


def _courses(uow: UnitOfWork, rows: Sequence[Any], at: dt.datetime) -> Iterable[tuple[Any, Course]]:
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
