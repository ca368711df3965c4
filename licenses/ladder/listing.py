# SPDX-License-Identifier: Apache-2.0
"""Lists of rungs for desks: what other departments ask, what the own one has to do. No holder, no words."""

import datetime as dt
import enum
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, func, literal, select, tuple_

from cases.models import Case
from cases.organisations import reached
from licenses.ladder.models import LadderRung
from licenses.ladder.services import HANDLERS, answers_for
from licenses.ladder.states import WAITING, RungState
from storage.base import Instant
from storage.cursors import read_cursor, write_cursor
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

ROWS: Final = 50
WATCHERS: Final = (*HANDLERS, Role.SUPERVISOR)
"""Who sees which rungs there are."""
_OURS: Final = (
    *WAITING,
    RungState.TOLD,
    RungState.COMMITTED,
    RungState.ACCEPTED,
    RungState.CHECK_DUE,
    RungState.FALSE,
    RungState.ADMITTED,
    RungState.MISSED,
)


class RungListing(enum.StrEnum):
    """Which rungs a list shows."""

    ASKED = "asked"
    OURS = "ours"
    OVERDUE = "overdue"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class RungLine:
    """A rung as a list shows it.

    Attributes:
        late: Whether its deadline has passed while somebody still has to act.
    """

    row: LadderRung
    case: Case
    late: bool


@dataclass(frozen=True, slots=True)
class RungPage:
    """A page of a list, what was taken first first; of what is over the last first."""

    rows: Sequence[RungLine]
    counts: Mapping[RungListing, int]
    next_cursor: str | None


def listed(uow: UnitOfWork, identity: Identity, listing: RungListing, after: str | None = None) -> RungPage:
    """Give the rungs that an official sees.

    Raises:
        NotPermittedError: The caller has none of :data:`WATCHERS`' roles.
        CursorError: No page gave ``after``.
    """
    identity.demand(*WATCHERS)
    now = uow.clock.now()
    counts = {one: _count(uow, _is(one, identity, now)) for one in RungListing}
    rows, cursor = _page(
        uow, _is(listing, identity, now), after, ROWS, oldest=listing is not RungListing.OVER
    )
    return RungPage(rows, counts, cursor)


def waiting(uow: UnitOfWork, identity: Identity, after: str | None = None, rows: int = ROWS) -> RungPage:
    """Give the questions of open cases that wait for an answer of a system's department, without counts.

    Raises:
        NotPermittedError: The caller is no system that answers, or names nobody as operator.
        CursorError: No page gave ``after``.
    """
    if not answers_for(identity, identity.organisation):
        raise NotPermittedError
    asked = _is(RungListing.ASKED, identity, uow.clock.now()) & Case.closed_at.is_(None)
    found, cursor = _page(uow, asked, after, rows, oldest=True)
    return RungPage(found, {}, cursor)


def watched(uow: UnitOfWork, identity: Identity, rungs: Collection[str]) -> frozenset[str]:
    """Give which of some rungs supervision may open: those of departments that it covers, or asked of them.

    Raises:
        NotPermittedError: The caller is no supervisor.
    """
    identity.demand(Role.SUPERVISOR)
    concerned = reached(LadderRung.organisation, identity) | reached(LadderRung.asked, identity)
    query = select(LadderRung.id).where(LadderRung.id.in_(sorted(rungs)), concerned)
    return frozenset(uow.session.scalars(query))


def _page(
    uow: UnitOfWork, condition: ColumnElement[bool], after: str | None, rows: int, *, oldest: bool
) -> tuple[list[RungLine], str | None]:
    now, place = uow.clock.now(), (LadderRung.taken_at, LadderRung.id)
    query = select(LadderRung, Case).join(Case, Case.id == LadderRung.case_id).where(condition)
    if after is not None:
        at, row_id = read_cursor(after)
        here = tuple_(literal(at, Instant), literal(row_id))
        query = query.where(tuple_(*place) > here if oldest else tuple_(*place) < here)
    query = query.order_by(*(place if oldest else (one.desc() for one in place))).limit(rows + 1)
    found = [RungLine(row, case, _late(row, now)) for row, case in uow.session.execute(query)]
    last = found[rows - 1].row if len(found) > rows else None
    return found[:rows], write_cursor(last.taken_at, last.id) if last else None


def _late(row: LadderRung, now: dt.datetime) -> bool:
    return row.state in _OURS and row.due is not None and row.due <= now


def _is(listing: RungListing, identity: Identity, now: dt.datetime) -> ColumnElement[bool]:
    ours, asked = reached(LadderRung.organisation, identity), reached(LadderRung.asked, identity)
    waits = LadderRung.state.in_([str(one) for one in _OURS])
    match listing:
        case RungListing.ASKED:
            return asked & LadderRung.state.in_([str(one) for one in WAITING])
        case RungListing.OURS:
            return ours & waits
        case RungListing.OVERDUE:
            return (ours | asked) & waits & (LadderRung.due <= now)
    return ours & ~waits


def _count(uow: UnitOfWork, condition: ColumnElement[bool]) -> int:
    return uow.session.scalar(select(func.count()).select_from(LadderRung).where(condition)) or 0
