# SPDX-License-Identifier: Apache-2.0
"""Unusual queries are looked for beside the requests: a supervisor's page must not read a city's week.

Each worker process looks; what another has looked through is not done again. A look takes its share of one
processor and no more: the next one waits fifty times as long as the last one took, a minute at least.
"""

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Select, delete, func, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from archive.unusual import LIMITS, Pattern, Query, Unusual, ordered, unusual
from cases.calendar import WorkingCalendar
from cases.models import Case
from cases.organisations import reached
from licenses.related import RelatedHolders
from portal.housekeeping import repeatedly
from portal.patterns.acquainted import close_look_ups
from portal.patterns.dossiers import dossier_look_ups
from portal.patterns.explaining import explained
from portal.patterns.look_ups import QUERIES, curious_look_ups, newest_look_ups, once, undecided_look_ups
from portal.patterns.models import PatternLook, UnusualQuery
from storage.clock import Clock
from storage.database import Database, UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Outcome
from storage.ledger.models import LedgerAct

WINDOW: Final = dt.timedelta(days=7)
"""How far back a look goes."""
MOSTQUERIES: Final = 100_000
"""Queries that one look goes through, the newest ones: they are held in memory."""
_LOOK_SECONDS: Final = 60.0
_REST: Final = 50
_ONLY: Final = 1


@dataclass(frozen=True, slots=True)
class Look:
    """What the newest look found.

    Attributes:
        at: When it began; ``None`` when there was none yet.
        queries: How many queries were looked through.
    """

    at: dt.datetime | None = None
    queries: int = 0

    @property
    def cut(self) -> bool:
        """Tell whether there were more queries than one look goes through."""
        return self.queries >= MOSTQUERIES


class PatternWatch:
    """Looks for unusual queries from time to time and keeps what it finds.

    Args:
        database: Where the acts are, and where the findings go.
        clock: Tells when a look is due.
        calendar: Tells on which days offices are open.
        related: Tells who is related to whom.
    """

    def __init__(
        self, database: Database, clock: Clock, calendar: WorkingCalendar, related: RelatedHolders
    ) -> None:
        self._database = database
        self._clock = clock
        self._calendar = calendar
        self._related = related

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look whenever it is due, in a thread of its own, while the block runs."""
        with repeatedly("patterns", _LOOK_SECONDS, self.look):
            yield

    def look(self) -> bool:
        """Look through the queries of the last seven days if that is due; tell whether it was."""
        now, began = self._clock.now(), self._clock.monotonic()
        with self._database.reading() as uow:
            if not _is_due(uow.session, now):
                return False
            asked = queries(uow.session, now - WINDOW)
            waited = now - dt.timedelta(days=LIMITS.undecided_days)
            newest = newest_look_ups(uow, now - WINDOW)
            looked = curious_look_ups(uow, newest) + undecided_look_ups(uow, waited - WINDOW, waited)
            opened = once(newest) + dossier_look_ups(uow, now - WINDOW)
            looked += close_look_ups(uow, self._related, sorted(opened, key=lambda one: one.look_up.at))
        found = ordered(unusual(asked, self._calendar) + looked)
        took = round((self._clock.monotonic() - began) * 1000)
        fresh = PatternLook(id=_ONLY, looked_at=now, queries=len(asked), milliseconds=took)
        try:
            self._database.write(lambda uow: _replace(uow, fresh, found))
        except IntegrityError:
            # Another worker's first look was quicker.
            return False
        return True


def last_look(session: Session) -> Look:
    """Give what is known of the newest look."""
    row = session.get(PatternLook, _ONLY)
    return Look() if row is None else Look(row.looked_at, row.queries)


def found_patterns(session: Session, who: Identity) -> list[Unusual]:
    """Give the patterns that the newest look found, of those that somebody who supervises sees."""
    rows = session.scalars(_seen(who).order_by(UnusualQuery.place))
    return [
        Unusual(
            pattern=Pattern(row.pattern),
            actor=row.actor,
            operator=row.operator,
            organisation=row.organisation,
            count=row.count,
            total=row.total,
            first_at=row.first_at,
            last_at=row.last_at,
            act=row.act,
            cases=tuple(row.cases),
            relations=tuple(row.relations),
        )
        for row in rows
    ]


def cases_of(uow: UnitOfWork, who: Identity, found: Iterable[Unusual]) -> Mapping[str, Case]:
    """Give the cases that patterns name, by id, of those that somebody who supervises may trace."""
    wanted = sorted({case for one in found for case in one.cases})
    within = true() if who.has(Role.AUDIT_ADMIN) else reached(Case.organisation, who)
    return {one.id: one for one in uow.session.scalars(select(Case).where(Case.id.in_(wanted), within))}


def count_patterns(session: Session, who: Identity) -> int:
    """Count what :func:`found_patterns` gives and nobody explained."""
    open_ones = _seen(who).where(~explained()).subquery()
    return session.scalar(select(func.count()).select_from(open_ones)) or 0


def count_by_pattern(session: Session) -> Mapping[Pattern, int]:
    """Count, for each pattern, what the newest look found anywhere and nobody explained."""
    counted = select(UnusualQuery.pattern, func.count()).where(~explained()).group_by(UnusualQuery.pattern)
    found: dict[str, int] = {row[0]: row[1] for row in session.execute(counted)}
    return {pattern: found.get(str(pattern), 0) for pattern in Pattern}


def queries(session: Session, since: dt.datetime) -> list[Query]:
    """Give who looked at licences and dossiers, asked for proofs or was refused, in order of time.

    Of officials and calling systems; the newest :data:`MOSTQUERIES` at most.
    """
    newest = (
        select(LedgerAct.act_id, LedgerAct.recorded_at, LedgerAct.outcome, LedgerAct.core)
        .where(LedgerAct.kind.in_(QUERIES), LedgerAct.recorded_at >= since)
        .order_by(LedgerAct.recorded_at.desc(), LedgerAct.act_id.desc())
        .limit(MOSTQUERIES)
        .execution_options(yield_per=1000)
    )
    found = []
    for act_id, at, outcome, core in session.execute(newest):
        actor = json.loads(core)["actor"]
        if actor["kind"] == "person" or actor.get("roles") == str(Role.CLIENT):
            refused = outcome == Outcome.REFUSED
            one = Query(at, actor["id"], actor.get("operator"), actor.get("org", ""), refused, act_id)
            found.append(one)
    return found[::-1]


def _is_due(session: Session, now: dt.datetime) -> bool:
    last = session.get(PatternLook, _ONLY)
    if last is None:
        return True
    rest = dt.timedelta(seconds=_LOOK_SECONDS / 2, milliseconds=_REST * last.milliseconds)
    return now - last.looked_at >= rest


def _replace(uow: UnitOfWork, fresh: PatternLook, found: list[Unusual]) -> None:
    last = uow.session.get(PatternLook, _ONLY, with_for_update=True)
    if last is not None and last.looked_at > fresh.looked_at:
        return
    uow.session.execute(delete(UnusualQuery))
    uow.session.merge(fresh)
    for place, one in enumerate(found):
        row = UnusualQuery(
            place=place,
            pattern=str(one.pattern),
            actor=one.actor,
            operator=one.operator,
            organisation=one.organisation,
            count=one.count,
            total=one.total,
            first_at=one.first_at,
            last_at=one.last_at,
            act=one.act,
            cases=list(one.cases),
            relations=list(one.relations),
        )
        uow.session.add(row)


def _seen(who: Identity) -> Select[UnusualQuery]:
    within = true() if who.has(Role.AUDIT_ADMIN) else reached(UnusualQuery.organisation, who)
    return select(UnusualQuery).where(within)
