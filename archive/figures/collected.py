# SPDX-License-Identifier: Apache-2.0
"""What citizens brought to the cases of a period, and what of it should not have been asked for.

A *proof* is a material that the item's rule speaks of; the application itself is none. Judged is each proof
that was collected in a filed case: by the rule that was in force when the case was accepted, and by the last
answer that the office had before the case was closed. Collected is what the filed dossier holds as material
of the application, later supplements included, and what the ladder says was collected or is to be supplied.
"""

import datetime as dt
import enum
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    String,
    and_,
    column,
    distinct,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union,
    values,
)
from sqlalchemy import case as when
from sqlalchemy.orm import aliased

from archive.figures.duties import Duty
from archive.models import Filing, FilingMaterial, FilingState
from cases.items import Group
from cases.models import Case
from licenses.figures.period import Period, Scope, median
from licenses.ladder.models import LadderRung
from licenses.models import LicenseUsage
from licenses.negative_list import MayAsk
from storage.base import Instant
from storage.clock import start_of_day
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork

ROWS: Final = 100
"""Lines of one page of cases behind a number."""
_AT_ONCE: Final = 200
"""Duties that one statement names: some databases take 32,766 values at most."""
_DAY: Final = dt.timedelta(days=1)
_BROUGHT: Final = ("citizen_upload", "supply_later")
"""Rungs on which the citizen brings the material after all."""
_ESTABLISHED: Final = ("MET", "PROVISIONAL")


class Verdict(enum.StrEnum):
    """Whether a proof that was collected might be asked for."""

    ALLOWED = "allowed"
    ABOLISHED = "abolished"
    ESTABLISHED = "established"
    NOT_ASKED_FIRST = "not-asked-first"


OVER: Final = (Verdict.ABOLISHED, Verdict.ESTABLISHED, Verdict.NOT_ASKED_FIRST)
"""Verdicts that mean over-collection 超收."""


@dataclass(frozen=True, slots=True)
class ItemCollected:
    """What citizens brought to the cases of an item in a department.

    Attributes:
        item: Code of the item.
        organisation: Department of the cases.
        closed: Cases that were closed.
        filed: Of those, cases that are filed: what follows is about them.
        documents: Median of the documents of the application, the application form included.
        judged: Filed cases of a day on which the item had a rule.
        without_proof: Of those, cases in which no proof was collected.
        proofs: Proofs that were collected, by verdict.
    """

    item: str
    organisation: str
    closed: int
    filed: int
    documents: float | None
    judged: int
    without_proof: int
    proofs: Mapping[Verdict, int]

    @property
    def share_without_proof(self) -> float | None:
        """Share, 0 to 1, of cases without a collected proof; ``None`` where no case is judged."""
        return self.without_proof / self.judged if self.judged else None

    @property
    def collected(self) -> int:
        """Proofs that were collected."""
        return sum(self.proofs.values())

    @property
    def over(self) -> int:
        """Of those, proofs that should not have been asked for."""
        return sum(self.proofs.get(one, 0) for one in OVER)


@dataclass(frozen=True, slots=True)
class CollectedProof:
    """One collected proof, of a case that a supervisor may open."""

    case: Case
    material: str
    requirement: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class ProofPage:
    """A page of collected proofs, of the case that was closed last first."""

    rows: Sequence[CollectedProof]
    next_cursor: str | None


_Place = tuple[str, str]


def collected(
    uow: UnitOfWork, period: Period, scope: Scope, ground: Iterable[Duty]
) -> Sequence[ItemCollected]:
    """Give what was collected, by item and department.

    The database counts: the cases of the period are found by the indexes of their closing, those of an item
    for each of its requirements, and each looks up its own filings, rungs and answers: O(cases of the period
    times requirements of their items) look-ups. What comes here is a line for each item, department and
    verdict or number of documents.
    """
    closed = _by_place(uow, _cases(period, scope))
    filed = _by_place(uow, _cases(period, scope).where(_filed()))
    documents = _documents(uow, period, scope)
    judged: Counter[_Place] = Counter()
    bringing: Counter[_Place] = Counter()
    proofs: dict[_Place, Counter[Verdict]] = {}
    for some in _at_once(ground):
        judged += _by_place(uow, _judged(period, scope, some))
        bringing += _by_place(uow, _judged(period, scope, some, _collects(some)))
        for item, organisation, verdict, count in uow.session.execute(_verdicts(period, scope, some)):
            proofs.setdefault((item, organisation), Counter())[Verdict(verdict)] += count
    return [
        ItemCollected(
            *place,
            closed[place],
            filed[place],
            median(_with_none(documents.get(place, ()), filed[place])),
            judged[place],
            judged[place] - bringing[place],
            proofs.get(place, Counter()),
        )
        for place in sorted(closed)
    ]


def proofs_behind(
    uow: UnitOfWork,
    period: Period,
    scope: Scope,
    ground: Iterable[Duty],
    verdict: Verdict,
    after: str | None = None,
) -> ProofPage:
    """Give the collected proofs behind a number, a page of them.

    Args:
        uow: An open unit of work.
        period: When their cases were closed.
        scope: Whose cases.
        ground: The duties that count: those of one item, for the number of one item.
        verdict: The number's.
        after: Where the page begins.

    Raises:
        CursorError: No page gave ``after``.
    """
    found: list[CollectedProof] = []
    for some in _at_once(ground):
        judged = _verdict(some)
        query = _of_duties(select(Case, some.c.material, some.c.requirement), period, scope, some)
        query = query.where(_collects(some), judged == str(verdict))
        query = query.order_by(Case.closed_at.desc(), Case.id.desc(), some.c.requirement.desc())
        if after is not None:
            at, place = read_cursor(after)
            here = tuple_(literal(at, Instant), literal(place))
            row = tuple_(Case.closed_at, Case.id + literal(".") + some.c.requirement)
            query = query.where(row < here)
        rows = uow.session.execute(query.limit(ROWS + 1))
        found += [CollectedProof(case, material, name, verdict) for case, material, name in rows]
    found.sort(key=_order, reverse=True)
    last = found[ROWS - 1] if len(found) > ROWS else None
    return ProofPage(found[:ROWS], write_cursor(*_order(last)) if last is not None else None)


def _order(one: CollectedProof) -> tuple[dt.datetime, str]:
    assert one.case.closed_at is not None
    return one.case.closed_at, f"{one.case.id}.{one.requirement}"


def _at_once(ground: Iterable[Duty]) -> Iterator[CTE]:
    """Give the duties as tables, so many at once that an item's own are never parted."""
    columns = (
        column("item", String),
        column("edition", String),
        column("since", Instant),
        column("until", Instant),
        column("material", String),
        column("requirement", String),
        column("ask", String),
    )
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for one in ground:
        bounds = start_of_day(one.first), start_of_day(one.last + _DAY)
        row = (one.item, one.edition, *bounds, one.material, one.requirement, str(one.ask))
        groups.setdefault(one.item, []).append(row)
    some: list[tuple[Any, ...]] = []
    for rows in groups.values():
        if some and len(some) + len(rows) > _AT_ONCE:
            yield values(*columns).data(some).cte("duty")
            some = []
        some += rows
    if some:
        yield values(*columns).data(some).cte("duty")


def _cases(period: Period, scope: Scope) -> Select[str, str, int]:
    return (
        select(Case.item_code, Case.organisation, func.count())
        .where(period.holds(Case.closed_at), scope.holds(Case.organisation))
        .group_by(Case.item_code, Case.organisation)
    )


def _by_place(uow: UnitOfWork, query: Select[str, str, int]) -> Counter[_Place]:
    return Counter({(item, organisation): count for item, organisation, count in uow.session.execute(query)})


def _filed() -> ColumnElement[bool]:
    first = aliased(Filing)
    return exists().where(first.case_id == Case.id, _is_filed(first), first.supplement.is_(None))


def _is_filed(filing: type[Filing]) -> ColumnElement[bool]:
    """Give the condition on the state of a filing that its case leads to.

    The state stands in an expression: a database without statistics would else walk through all filings in
    that state, for each case.
    """
    return func.coalesce(filing.state, "") == str(FilingState.FILED)


def _documents(uow: UnitOfWork, period: Period, scope: Scope) -> Mapping[_Place, Sequence[tuple[int, int]]]:
    """Give how many cases had how many documents of the application; those without any are left out."""
    cases = (period.holds(Case.closed_at), scope.holds(Case.organisation), _filed())
    names = (Case.id, Case.item_code, Case.organisation)
    filed = (
        select(*names, FilingMaterial.code)
        .join(Filing, (Filing.case_id == Case.id) & _is_filed(Filing))
        .join(FilingMaterial, FilingMaterial.filing_id == Filing.id)
        .where(FilingMaterial.group_code == str(Group.APPLICATION), *cases)
    )
    rungs = (
        select(*names, LadderRung.material)
        .join(LadderRung, (LadderRung.case_id == Case.id) & LadderRung.kind.in_(_BROUGHT))
        .where(*cases)
    )
    one = union(filed, rungs).subquery()
    each = (
        select(one.c.item_code, one.c.organisation, func.count().label("documents"))
        .group_by(one.c.id, one.c.item_code, one.c.organisation)
        .subquery()
    )
    found: dict[_Place, list[tuple[int, int]]] = {}
    rows = uow.session.execute(select(*each.c, func.count()).group_by(*each.c))
    for item, organisation, documents, often in map(tuple, rows):
        found.setdefault((item, organisation), []).append((documents, often))
    return found


def _with_none(counted: Sequence[tuple[int, int]], cases: int) -> Sequence[tuple[int, int]]:
    return [*counted, (0, cases - sum(often for _, often in counted))]


def _of_duties(query: Any, period: Period, scope: Scope, some: CTE) -> Any:  # noqa: ANN401 - keeps the query's type
    duty = some.c
    return (
        query.select_from(Case)
        .join(
            some,
            and_(
                duty.item == Case.item_code,
                duty.edition == Case.item_edition,
                duty.since <= Case.accepted_at,
                Case.accepted_at < duty.until,
            ),
        )
        .where(period.holds(Case.closed_at), scope.holds(Case.organisation), _filed())
    )


def _judged(period: Period, scope: Scope, some: CTE, *more: ColumnElement[bool]) -> Any:  # noqa: ANN401 - as above
    query = select(Case.item_code, Case.organisation, func.count(distinct(Case.id)))
    return _of_duties(query, period, scope, some).where(*more).group_by(Case.item_code, Case.organisation)


def _verdicts(period: Period, scope: Scope, some: CTE) -> Any:  # noqa: ANN401 - as above
    query = select(Case.item_code, Case.organisation, _verdict(some).label("verdict"))
    each = _of_duties(query, period, scope, some).where(_collects(some)).subquery()
    return select(*each.c, func.count()).group_by(*each.c)


def _collects(some: CTE) -> ColumnElement[bool]:
    """Give the condition that a case's file holds the material, or the ladder says that it comes."""
    return or_(
        exists()
        .where(Filing.case_id == Case.id, _is_filed(Filing))
        .where(FilingMaterial.filing_id == Filing.id, FilingMaterial.code == some.c.material)
        .where(FilingMaterial.group_code == str(Group.APPLICATION)),
        _on_a_rung(some),
    )


def _on_a_rung(some: CTE) -> ColumnElement[bool]:
    return exists().where(
        LadderRung.case_id == Case.id,
        LadderRung.requirement == some.c.requirement,
        LadderRung.kind.in_(_BROUGHT),
    )


def _verdict(some: CTE) -> ColumnElement[str]:
    """Give what is to be said of a collected proof.

    A rung of collection is only ever taken from an answer that offered it, so what it brings is allowed.
    """
    duty = some.c
    named = duty.requirement + literal(" ")
    last = (
        select(LicenseUsage.result)
        .where(
            LicenseUsage.case_id == Case.id,
            LicenseUsage.action == "ask",
            LicenseUsage.decision_id.is_not(None),
            LicenseUsage.at <= Case.closed_at,
            func.substr(LicenseUsage.asked + literal(" "), 1, func.length(named)) == named,
        )
        .order_by(LicenseUsage.at.desc(), LicenseUsage.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return when(
        (duty.ask == str(MayAsk.NEVER), str(Verdict.ABOLISHED)),
        (duty.ask == str(MayAsk.YES), str(Verdict.ALLOWED)),
        (_on_a_rung(some), str(Verdict.ALLOWED)),
        (last.is_(None), str(Verdict.NOT_ASKED_FIRST)),
        (last.in_(_ESTABLISHED), str(Verdict.ESTABLISHED)),
        else_=str(Verdict.ALLOWED),
    )
