# SPDX-License-Identifier: Apache-2.0
"""Several records of one permit number: a chain by date of issue, a duplicate, or something to look at."""

import datetime as dt
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from sqlalchemy import bindparam, exists, select

from licenses.holdings import STOCK
from licenses.lifecycle import TERMINAL, EventKind, State, life_after, state_after
from licenses.models import License, LicenseEvent
from licenses.stock.marks import Mark, mark_of
from licenses.stock.models import StockRecord, StockRun
from licenses.stock.records import Prepared
from storage.clock import legal_date, start_of_day
from storage.database import UnitOfWork

_Value = TypeVar("_Value")
_KNOWN = (
    select(
        StockRecord.number_key,
        License.id,
        License.identifier,
        License.issued_on,
        License.data_sha256,
        License.previous_id,
        License.organisation,
        License.valid_from,
        License.valid_until,
        License.version,
        StockRecord.run_id,
    )
    .join(License, License.id == StockRecord.license_id)
    .where(StockRecord.number_key.in_(bindparam("keys", expanding=True)))
)
_TAKEN = select(License.identifier, License.data_sha256).where(
    License.identifier.in_(bindparam("identifiers", expanding=True))
)
_ISSUED_HERE = select(License.type_code, License.issuer_code, License.folded_number).where(
    License.folded_number.in_(bindparam("numbers", expanding=True)),
    License.origin != STOCK,
    ~exists().where(LicenseEvent.license_id == License.id, LicenseEvent.kind == str(EventKind.ABANDONED)),
)
_REPLACED_HERE = select(License.previous_id).where(
    License.previous_id.in_(bindparam("ids", expanding=True)), License.origin != STOCK
)
_EVENTS = (
    select(
        LicenseEvent.license_id,
        LicenseEvent.kind,
        LicenseEvent.at,
        LicenseEvent.process,
        LicenseEvent.successor_id,
        LicenseEvent.reason,
    )
    .where(LicenseEvent.license_id.in_(bindparam("ids", expanding=True)))
    .order_by(LicenseEvent.position)
)
_RUNS = select(StockRun.id, StockRun.profile).where(StockRun.id.in_(bindparam("ids", expanding=True)))
_PART = 500
"""Most values that one statement compares with."""


class Moment(NamedTuple):
    """An event as replaying needs it."""

    kind: str
    at: dt.datetime
    process: str | None
    successor_id: str | None
    mark: Mark


@dataclass(slots=True)
class Version:
    """A licence of a chain, as far as placing another one needs it.

    Attributes:
        closed: Why nothing is added to its chain by an import: it is another department's, or was replaced
            by what is issued here.
        state: What it comes to once all of its history took effect.
        ends: From when on it is ended, which may lie ahead.
        run_id: The import that brought it; none while it is fresh.
        number: Which version it is.
        pending: Whether a process is open on it.
        learned: The last day on which something of it became known here, but by the import at hand.
        known: The last day of which something is known: what the source named, or else when we learned of it.
        resumed: Whether a suspension of it was lifted ever.
        suspended_by: Id of the profile by which an import suspended it last; empty where a person did.
        told: The days that the import at hand named with what it told of it; ``None`` where it named none.
        change: Why it takes the place of the one before, where its source told of that; while it is fresh.
    """

    id: str
    identifier: str
    issued_on: dt.date
    digest: bytes
    previous_id: str | None
    valid_from: dt.date | None
    valid_until: dt.date | None = None
    closed: str = ""
    state: State = State.ISSUED
    events: int = 0
    fresh: bool = False
    ends: dt.datetime | None = None
    run_id: str = ""
    number: int = 1
    pending: bool = False
    learned: dt.date | None = None
    known: dt.date | None = None
    resumed: bool = False
    suspended_by: str = ""
    told: list[dt.date | None] = field(default_factory=list)
    change: str | None = None

    def starts(self, now: dt.datetime) -> dt.datetime:
        """Give from when on it takes the place of another: its first day, now at the earliest."""
        return now if self.valid_from is None else max(now, start_of_day(self.valid_from))

    def hear(self, kind: EventKind, source: str, day: dt.date | None) -> None:
        """Note what the import at hand tells of it, as it will be read back."""
        self.told.append(day)
        self.note(kind, source, day)

    def note(self, kind: EventKind, source: str, day: dt.date | None) -> None:
        """Note an event, of which profile an import told it, and of which day it is."""
        if day is not None:
            self.known = max(self.known or day, day)
        if kind is EventKind.SUSPENDED:
            self.suspended_by = source
        self.resumed = self.resumed or kind is EventKind.RESUMED

    @property
    def replaces(self) -> bool:
        """Tell whether it takes the place of those before it.

        What was withdrawn counts as never given, and what ended before its first day was never in force.
        """
        if self.state is State.WITHDRAWN:
            return False
        return self.ends is None or self.valid_from is None or self.ends >= start_of_day(self.valid_from)


@dataclass(slots=True)
class Place:
    """Where a new version stands.

    Attributes:
        reason: Why it has no place: ``duplicate``, ``identifier-taken``, ``version-unordered``,
            ``held-elsewhere`` or ``issued-here``.
        earlier: The versions before it, the oldest first.
        later: Those after it.
    """

    reason: str = ""
    earlier: Sequence[Version] = ()
    later: Sequence[Version] = ()


@dataclass
class Chains:
    """What is held of the numbers and identifiers of a block."""

    by_number: dict[bytes, list[Version]] = field(default_factory=dict)
    identifiers: dict[str, bytes] = field(default_factory=dict)
    issued_here: set[bytes] = field(default_factory=set)

    def place(self, number: bytes, identifier: str, issued_on: dt.date, digest: bytes) -> Place:
        """Find the place of a record; nothing changes."""
        reason = self._refused(number, identifier, digest)
        if reason:
            return Place(reason)
        chain = self.by_number.get(number, [])
        days = [one.issued_on for one in chain]
        at = bisect_left(days, issued_on)
        if at < len(days) and days[at] == issued_on:
            return Place("version-unordered")
        return Place(earlier=chain[:at], later=chain[at:])

    def open_chain(self, number: bytes) -> Sequence[Version]:
        """Give the versions of a number, the oldest first; none where an import adds nothing to them."""
        chain = self.by_number.get(number, ())
        return () if number in self.issued_here or any(one.closed for one in chain) else chain

    def _refused(self, number: bytes, identifier: str, digest: bytes) -> str:
        taken = self.identifiers.get(identifier)
        if taken == digest:
            return "duplicate"
        if number in self.issued_here:
            return "issued-here"
        if taken is not None:
            return "identifier-taken"
        return next((one.closed for one in self.by_number.get(number, ()) if one.closed), "")

    def add(self, number: bytes, version: Version) -> None:
        """Take a placed version into its chain."""
        self.identifiers[version.identifier] = version.digest
        chain = self.by_number.setdefault(number, [])
        places = [(one.issued_on, one.number) for one in chain]
        chain.insert(bisect_left(places, (version.issued_on, version.number)), version)


def read_chains(
    uow: UnitOfWork,
    numbers: Mapping[bytes, str],
    identifiers: Iterable[str],
    organisation: str,
    run_id: str,
) -> Chains:
    """Read what is held of these numbers and identifiers; only the organisation's own chains grow.

    Args:
        uow: The unit of work.
        numbers: Keyed digest → folded number.
        identifiers: Identifiers of the records.
        organisation: Whose import it is.
        run_id: The import.
    """
    chains = Chains()
    connection = uow.session.connection()
    for part in parts(list(dict.fromkeys(identifiers))):
        for identifier, digest in connection.execute(_TAKEN, {"identifiers": part}):
            chains.identifiers[identifier] = digest
    known: dict[str, Version] = {}
    for some in parts(list(dict.fromkeys(numbers.values()))):
        for type_code, issuer_code, folded in connection.execute(_ISSUED_HERE, {"numbers": some}):
            chains.issued_here.add(number_key(uow, type_code, issuer_code, str(folded)))
    for keys in parts(list(numbers)):
        for row in connection.execute(_KNOWN, {"keys": keys}):
            closed = "" if row.organisation == organisation else "held-elsewhere"
            version = Version(
                row.id,
                row.identifier,
                row.issued_on,
                row.data_sha256,
                row.previous_id,
                row.valid_from,
                row.valid_until,
                closed,
                run_id=row.run_id,
                number=row.version,
            )
            known[version.id] = version
            chains.add(row.number_key, version)
    for ids in parts(list(known)):
        for replaced in uow.session.scalars(_REPLACED_HERE, {"ids": ids}):
            known[str(replaced)].closed = "issued-here"
    _states(uow, known, run_id)
    return chains


def is_taken(uow: UnitOfWork, identifier: str) -> bool:
    """Tell whether a licence has this identifier."""
    return uow.session.execute(_TAKEN, {"identifiers": [identifier]}).first() is not None


def number_key(uow: UnitOfWork, type_code: str, issuer_code: str, folded: str) -> bytes:
    """Give the keyed digest by which a number of a type and an issuer is found again."""
    return uow.secrets.lookup_hash("stock-number", f"{type_code} {issuer_code} {folded}")[:16]


def keys_of(uow: UnitOfWork, one: Prepared) -> tuple[bytes, bytes]:
    """Give the keyed digests by which a number is found again, and by which two records are the same."""
    number = number_key(uow, str(one.type_code), str(one.issuer_code), str(one.number_key))
    return number, data_digest(uow, one.read)


def data_digest(uow: UnitOfWork, read: bytes) -> bytes:
    """Give the keyed digest of what was read of a record."""
    return uow.secrets.lookup_hash("license-data", read.decode())


def _states(uow: UnitOfWork, known: Mapping[str, Version], run_id: str) -> None:
    histories: defaultdict[str, list[Moment]] = defaultdict(list)
    for part in parts(list(known)):
        for row in uow.session.execute(_EVENTS, {"ids": part}):
            mark = mark_of(row.kind, row.reason)
            histories[row.license_id].append(Moment(row.kind, row.at, row.process, row.successor_id, mark))
    named = {one.mark.run_id for events in histories.values() for one in events if one.mark.run_id}
    profiles = {
        str(row.id): str(row.profile).partition("/")[0]
        for part in parts(sorted(named))
        for row in uow.session.execute(_RUNS, {"ids": part})
    }
    now = uow.clock.now()
    for license_id, events in histories.items():
        version = known[license_id]
        life = life_after(events)
        version.events, version.state, version.pending = len(events), life.state, life.pending is not None
        for one in events:
            if one.at <= now:
                _learn(version, one, run_id, profiles)
        if version.state in TERMINAL:
            instants = sorted({one.at for one in events})
            version.ends = next(at for at in instants if state_after(events, at) in TERMINAL)


def _learn(version: Version, event: Moment, run_id: str, profiles: Mapping[str, str]) -> None:
    kind, mark = EventKind(event.kind), event.mark
    source = profiles.get(mark.run_id, "")
    if source and mark.run_id == run_id:
        version.hear(kind, source, mark.day)
        return
    day = legal_date(event.at)
    version.learned = max(version.learned or day, day)
    version.note(kind, source, mark.day or day)


def parts(values: list[_Value]) -> Iterator[list[_Value]]:
    """Give values in parts that one statement can compare with."""
    return (values[start : start + _PART] for start in range(0, len(values), _PART))
