# SPDX-License-Identifier: Apache-2.0
"""Unusual queries 异常模式: who asks at night, in a rush, or is refused again and again.

A pattern is a reason to look, not a verdict: the page names who, how often and when, and leads to the acts.
Pure: queries in, patterns out.
"""

import datetime as dt
import enum
from collections import defaultdict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from cases.calendar import WorkingCalendar
from storage.clock import legal_date, legal_time


class Pattern(enum.StrEnum):
    """What is unusual."""

    OUT_OF_HOURS = "out-of-hours"
    BURST = "burst"
    REFUSED_OFTEN = "refused-often"


@dataclass(frozen=True, slots=True)
class Query:
    """Somebody looked at a licence or dossier, asked for a proof, or was refused.

    Attributes:
        at: When.
        actor: Id of the account or client.
        operator: The person that a client named, if any.
        organisation: For which organisation.
        refused: Whether it was refused.
        act: Id of its act.
    """

    at: dt.datetime
    actor: str
    operator: str | None
    organisation: str
    refused: bool
    act: str


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is unusual.

    Attributes:
        opens: When offices open, legal time.
        closes: When they close.
        out_of_hours: Queries outside these hours or on days nobody works.
        burst: Queries within ``window``.
        window: How long a rush lasts.
        refused: Refusals, if they are also ``refused_share`` of the queries.
        refused_share: Share of refusals, 0 to 1.
    """

    opens: dt.time = dt.time(7)
    closes: dt.time = dt.time(20)
    out_of_hours: int = 5
    burst: int = 30
    window: dt.timedelta = dt.timedelta(minutes=10)
    refused: int = 5
    refused_share: float = 0.2


LIMITS: Final = Limits()


@dataclass(frozen=True, slots=True)
class Unusual:
    """A pattern that somebody's queries show.

    Attributes:
        pattern: Which.
        actor: Id of the account or client.
        operator: The person that a client named, if any.
        organisation: For which organisation the last one was.
        count: Queries that make the pattern.
        total: All queries of this person in the time looked at.
        first_at: When the first of them was.
        last_at: When the last was.
        act: Act of the last one.
    """

    pattern: Pattern
    actor: str
    operator: str | None
    organisation: str
    count: int
    total: int
    first_at: dt.datetime
    last_at: dt.datetime
    act: str


def unusual(queries: Iterable[Query], calendar: WorkingCalendar, limits: Limits = LIMITS) -> list[Unusual]:
    """Give the patterns in queries that come in order of time, the most frequent first."""
    by_person: dict[tuple[str, str | None], list[Query]] = defaultdict(list)
    for query in queries:
        by_person[query.actor, query.operator].append(query)
    found = []
    for asked in by_person.values():
        late = [one for one in asked if _is_out_of_hours(one.at, calendar, limits)]
        rush = _densest(asked, limits.window)
        refused = [one for one in asked if one.refused]
        often = len(refused) >= limits.refused_share * len(asked)
        for pattern, some, enough in (
            (Pattern.OUT_OF_HOURS, late, len(late) >= limits.out_of_hours),
            (Pattern.BURST, rush, len(rush) >= limits.burst),
            (Pattern.REFUSED_OFTEN, refused, often and len(refused) >= limits.refused),
        ):
            if enough:
                found.append(_shown(pattern, some, len(asked)))
    return sorted(found, key=lambda one: (-one.count, one.pattern, one.actor, one.operator or ""))


def _is_out_of_hours(at: dt.datetime, calendar: WorkingCalendar, limits: Limits) -> bool:
    working = calendar.is_working(legal_date(at))
    return not working or not limits.opens <= legal_time(at) < limits.closes


def _densest(asked: Sequence[Query], window: dt.timedelta) -> Sequence[Query]:
    """Give the longest run of queries that lies within a window."""
    run: deque[Query] = deque()
    densest: Sequence[Query] = ()
    for query in asked:
        run.append(query)
        while query.at - run[0].at >= window:
            run.popleft()
        if len(run) > len(densest):
            densest = tuple(run)
    return densest


def _shown(pattern: Pattern, some: Sequence[Query], total: int) -> Unusual:
    last = some[-1]
    return Unusual(
        pattern=pattern,
        actor=last.actor,
        operator=last.operator,
        organisation=last.organisation,
        count=len(some),
        total=total,
        first_at=some[0].at,
        last_at=last.at,
        act=last.act,
    )
