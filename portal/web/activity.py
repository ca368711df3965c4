# SPDX-License-Identifier: Apache-2.0
"""Numbers of the ledger for supervision: acts per day and department, refusals, what is not sequenced."""

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, String, Tuple, func, literal, select, true, tuple_, type_coerce
from sqlalchemy.orm import Session

from cases.organisations import reached
from portal.accounts.models import Client
from storage.base import Instant
from storage.clock import legal_date, parse_rfc3339
from storage.cursors import read_cursor, write_cursor
from storage.identity import Identity, Role
from storage.ledger.acts import Outcome
from storage.ledger.kinds import TITLES, ActKind
from storage.ledger.models import LedgerAct, LedgerPending

ROWS = 100
"""Rows of one page of a list of acts."""
ALL: ColumnElement[bool] = true()
"""Every act."""
_HOUR_LENGTH = len("2026-11-24T01")


@dataclass(frozen=True, slots=True)
class DayOfActs:
    """Acts of one legal date; ``share`` is the part of the busiest day, 0 to 100."""

    day: dt.date
    by_department: Mapping[str, int]
    total: int
    share: int


@dataclass(frozen=True, slots=True)
class ListedAct:
    """One act of a list, as its core tells it."""

    act_id: str
    titles: tuple[str, str]
    at: dt.datetime
    actor: Mapping[str, str]
    object_type: str
    object_id: str
    outcome: str
    reasons: Sequence[str]
    case_id: str | None


@dataclass(frozen=True, slots=True)
class ActPage:
    """A page of a list of acts.

    Attributes:
        total: Rows of the whole list.
        next_cursor: Where the next page begins; ``None`` on the last one.
    """

    rows: Sequence[ListedAct]
    total: int
    next_cursor: str | None


def seen_by(who: Identity) -> ColumnElement[bool]:
    """Give the condition on acts that somebody who supervises sees: those of the own subtree, or all."""
    return true() if who.has(Role.AUDIT_ADMIN) else reached(LedgerAct.organisation, who)


def days_of_acts(
    session: Session, now: dt.datetime, days: int, seen: ColumnElement[bool] = ALL
) -> list[DayOfActs]:
    """Count acts per legal date and department, newest date first, days without acts included.

    Args:
        session: An open session.
        now: The present.
        days: How many legal dates, today included.
        seen: Which acts are counted.
    """
    today = legal_date(now)
    dates = [today - dt.timedelta(days=back) for back in range(days)]
    # Instants are text that sorts by time: hours are counted in the database, legal dates made of them here.
    written = type_coerce(LedgerAct.recorded_at, String)
    hour = func.substr(written, 1, _HOUR_LENGTH)
    found = session.execute(
        select(hour, LedgerAct.organisation, func.count())
        .where(LedgerAct.recorded_at >= now - dt.timedelta(days=days + 1), seen)
        .group_by(hour, LedgerAct.organisation)
    )
    counted: dict[dt.date, Counter[str]] = {date: Counter() for date in dates}
    for hour_text, department, count in found:
        date = legal_date(parse_rfc3339(f"{hour_text}:00:00Z"))
        if date in counted:
            counted[date][department] += count
    busiest = max((counts.total() for counts in counted.values()), default=0)
    return [
        DayOfActs(date, counts, counts.total(), round(100 * counts.total() / busiest) if busiest else 0)
        for date, counts in counted.items()
    ]


def refused_acts(
    session: Session, since: dt.datetime, after: str | None = None, seen: ColumnElement[bool] = ALL
) -> ActPage:
    """Give refusals since an instant, newest first.

    Raises:
        CursorError: No page gave ``after``.
    """
    place = tuple_(LedgerAct.recorded_at, LedgerAct.act_id)
    refused = select(LedgerAct).where(
        LedgerAct.outcome == str(Outcome.REFUSED), LedgerAct.recorded_at >= since, seen
    )
    rest = refused.where(place < _place(after)) if after else refused
    newest = rest.order_by(LedgerAct.recorded_at.desc(), LedgerAct.act_id.desc())
    return _page(session, refused, newest)


def acts_of(session: Session, actor: str, after: str | None = None) -> ActPage:
    """Give what one account did or was refused, newest first.

    Raises:
        CursorError: No page gave ``after``.
    """
    place = tuple_(LedgerAct.recorded_at, LedgerAct.act_id)
    own = select(LedgerAct).where(LedgerAct.actor_id == actor)
    rest = own.where(place < _place(after)) if after else own
    return _page(session, own, rest.order_by(LedgerAct.recorded_at.desc(), LedgerAct.act_id.desc()))


def pending_acts(session: Session, after: str | None = None, seen: ColumnElement[bool] = ALL) -> ActPage:
    """Give acts that are recorded and not yet in the ledger, oldest first.

    Raises:
        CursorError: No page gave ``after``.
    """
    place = tuple_(LedgerAct.recorded_at, LedgerAct.act_id)
    # Few are pending and many recorded: named one by one, they are not looked for among all acts.
    pending = select(LedgerAct).where(LedgerAct.act_id.in_(select(LedgerPending.act_id)), seen)
    rest = pending.where(place > _place(after)) if after else pending
    return _page(session, pending, rest.order_by(LedgerAct.recorded_at, LedgerAct.act_id))


def client_names(session: Session) -> dict[str, str]:
    """Give the names of calling systems by their ids, ended ones too."""
    return {row.id: row.name for row in session.execute(select(Client.id, Client.name))}


def _page(session: Session, every: Select[LedgerAct], rest: Select[LedgerAct]) -> ActPage:
    total = session.scalar(select(func.count()).select_from(every.subquery())) or 0
    found = session.scalars(rest.limit(ROWS + 1)).all()
    last = found[ROWS - 1] if len(found) > ROWS else None
    cursor = write_cursor(last.recorded_at, last.act_id) if last is not None else None
    return ActPage([_listed(act) for act in found[:ROWS]], total, cursor)


def _place(cursor: str) -> Tuple:
    at, act_id = read_cursor(cursor)
    return tuple_(literal(at, Instant), literal(act_id))


def _listed(act: LedgerAct) -> ListedAct:
    core = json.loads(act.core)
    return ListedAct(
        act.act_id,
        TITLES[ActKind(act.kind)],
        act.recorded_at,
        core["actor"],
        act.object_type,
        act.object_id,
        act.outcome,
        core["reasons"],
        act.case_id,
    )
