# SPDX-License-Identifier: Apache-2.0
"""Unusual queries 异常模式: who asks at night, in a rush, one number after the other, about one's own.

A pattern is a reason to look, not a verdict: the page names who, how often and when, and leads to the acts.
Pure: queries in, patterns out.
"""

import datetime as dt
import enum
import json
from collections import defaultdict, deque
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from cases.calendar import WorkingCalendar
from storage.clock import legal_date, legal_time

Person: TypeAlias = tuple[str, str | None]
"""Who asks: an account or client, and the person that a client named."""
_FILE: Final = Path(__file__).parent / "data" / "unusual.json"
MOST_CASES: Final = 20
"""Cases that a pattern names, the last ones."""


class Pattern(enum.StrEnum):
    """What is unusual."""

    OUT_OF_HOURS = "out-of-hours"
    BURST = "burst"
    REFUSED_OFTEN = "refused-often"
    SEQUENCE = "sequence"
    UNDECIDED = "undecided"
    OWN_FILE = "own-file"
    RELATIVE = "relative"
    COLLEAGUE = "colleague"


CLOSE: Final = (Pattern.OWN_FILE, Pattern.RELATIVE, Pattern.COLLEAGUE)
"""Look-ups of one's own: they may well be lawful, and are to be explained."""


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
class LookUp:
    """A person looked up somebody's licences.

    Attributes:
        at: When.
        actor: Id of the account or client.
        operator: The person that a client named, if any.
        organisation: For which organisation.
        case: Id of the case that it was for, if any.
        series: Which numbers follow each other: those of one scheme of codes, or of one type of licence.
        number: Place of the holder's code, or of the licence's number, among them; none where it has none.
        close: How whoever was looked up stands to the person: the own file, a relative's, a colleague's.
        relations: Codes of the relations to a relative.
        act: Id of its act, where that is known.
    """

    at: dt.datetime
    actor: str
    operator: str | None
    organisation: str
    case: str | None
    series: str = ""
    number: int | None = None
    close: frozenset[Pattern] = frozenset()
    relations: frozenset[str] = frozenset()
    act: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is unusual: data, ``unusual.json``.

    Attributes:
        opens: When offices open, legal time.
        closes: When they close.
        out_of_hours: Queries outside these hours or on days nobody works.
        burst: Queries within ``window``.
        window: How long a rush lasts.
        refused: Refusals, if they are also ``refused_share`` of the queries.
        refused_share: Share of refusals, 0 to 1.
        sequence: Persons or licences whose numbers follow each other, looked up within ``sequence_window``.
        sequence_step: How far a number may be from the one before.
        sequence_window: How long such a walk lasts.
        undecided: Look-ups for cases in which nothing was decided or filed afterwards.
        undecided_days: How many days that may take.
        own_file: Look-ups of the own file.
        relative: Look-ups of holders to whom a proven relation leads.
        colleague: Look-ups of officials of the same organisation.
    """

    opens: dt.time
    closes: dt.time
    out_of_hours: int
    burst: int
    window: dt.timedelta
    refused: int
    refused_share: float
    sequence: int
    sequence_step: int
    sequence_window: dt.timedelta
    undecided: int
    undecided_days: int
    own_file: int
    relative: int
    colleague: int

    @classmethod
    def load(cls, file: Path = _FILE) -> Self:
        """Read the shipped limits, or those of another file."""
        raw = json.loads(file.read_bytes())
        return cls(
            opens=dt.time.fromisoformat(raw["opens"]),
            closes=dt.time.fromisoformat(raw["closes"]),
            out_of_hours=raw["out_of_hours"],
            burst=raw["burst"],
            window=dt.timedelta(minutes=raw["burst_minutes"]),
            refused=raw["refused"],
            refused_share=raw["refused_share"],
            sequence=raw["sequence"],
            sequence_step=raw["sequence_step"],
            sequence_window=dt.timedelta(minutes=raw["sequence_minutes"]),
            undecided=raw["undecided"],
            undecided_days=raw["undecided_days"],
            own_file=raw["own_file"],
            relative=raw["relative"],
            colleague=raw["colleague"],
        )


LIMITS: Final = Limits.load()


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
        act: Act of the last query; none for most look-ups, which the trace of their cases shows.
        cases: Ids of the cases that look-ups were for, the last ones.
        relations: Codes of the relations to relatives who were looked up.
    """

    pattern: Pattern
    actor: str
    operator: str | None
    organisation: str
    count: int
    total: int
    first_at: dt.datetime
    last_at: dt.datetime
    act: str | None
    cases: tuple[str, ...] = ()
    relations: tuple[str, ...] = ()


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
    return ordered(found)


def curious(look_ups: Iterable[LookUp], limits: Limits = LIMITS) -> list[Unusual]:
    """Give who looked up numbers that follow each other, of look-ups that come in order of time."""
    found = []
    for looked in _by_person(look_ups).values():
        series = {one.series for one in looked if one.number is not None}
        walks = [_longest_walk((one for one in looked if one.series == each), limits) for each in series]
        walk = max(walks, key=len, default=())
        if len(walk) >= limits.sequence:
            found.append(_looked(Pattern.SEQUENCE, walk, len(looked)))
    return ordered(found)


def undecided(
    look_ups: Iterable[LookUp], totals: Mapping[Person, int], limits: Limits = LIMITS
) -> list[Unusual]:
    """Give who looked up for cases in which nothing followed.

    Args:
        look_ups: Those after which nothing was decided or filed, in order of time.
        totals: How often each person looked up in that time at all.
        limits: From how many on that is unusual.
    """
    return ordered(
        _looked(Pattern.UNDECIDED, some, max(totals.get(person, 0), len(some)))
        for person, some in _by_person(look_ups).items()
        if len(some) >= limits.undecided
    )


def close(look_ups: Iterable[LookUp], totals: Mapping[Person, int], limits: Limits = LIMITS) -> list[Unusual]:
    """Give who looked up themselves, relatives or colleagues: to be explained, and often easily.

    Args:
        look_ups: Those that say how whoever was looked up stands to the person, in order of time.
        totals: How often each person looked up in that time at all.
        limits: From how many on that is unusual.
    """
    enough = {
        Pattern.OWN_FILE: limits.own_file,
        Pattern.RELATIVE: limits.relative,
        Pattern.COLLEAGUE: limits.colleague,
    }
    return ordered(
        _looked(pattern, of_kind, max(totals.get(person, 0), len(of_kind)))
        for person, some in _by_person(look_ups).items()
        for pattern, count in enough.items()
        if len(of_kind := [one for one in some if pattern in one.close]) >= count
    )


def ordered(found: Iterable[Unusual]) -> list[Unusual]:
    """Give patterns as they are listed, the most frequent first."""
    return sorted(found, key=lambda one: (-one.count, one.pattern, one.actor, one.operator or ""))


def _by_person(look_ups: Iterable[LookUp]) -> Mapping[Person, Sequence[LookUp]]:
    by_person: dict[Person, list[LookUp]] = defaultdict(list)
    for one in look_ups:
        by_person[one.actor, one.operator].append(one)
    return by_person


def _longest_walk(looked: Iterable[LookUp], limits: Limits) -> Sequence[LookUp]:
    """Give the longest run of different numbers, each close to the one before, within the window.

    Numbers are compared in their own order: whoever walks through them backwards or to and fro walks, too.
    """
    longest: Sequence[LookUp] = ()
    window: deque[LookUp] = deque()
    known: dict[int, LookUp] = {}
    for one in looked:
        if one.number is None:
            continue
        window.append(one)
        known[one.number] = one
        while one.at - window[0].at >= limits.sequence_window:
            gone = window.popleft()
            if gone.number is not None and known.get(gone.number) is gone:
                del known[gone.number]
        walk = [known[place] for place in _joined(known, one.number, limits.sequence_step)]
        if len(walk) > len(longest):
            longest = walk
    return sorted(longest, key=lambda one: one.at)


def _joined(known: Container[int], start: int, step: int) -> Iterator[int]:
    """Give the known numbers that are joined to one by steps, itself first."""
    yield start
    for direction in (1, -1):
        at = start
        while True:
            near = next(
                (at + direction * by for by in range(1, step + 1) if at + direction * by in known), None
            )
            if near is None:
                break
            yield near
            at = near


def _looked(pattern: Pattern, some: Sequence[LookUp], total: int) -> Unusual:
    last = some[-1]
    cases = dict.fromkeys(one.case for one in reversed(some) if one.case is not None)
    relations = {code for one in some for code in one.relations} if pattern is Pattern.RELATIVE else ()
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
        cases=tuple(cases)[:MOST_CASES],
        relations=tuple(sorted(relations)),
    )


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
