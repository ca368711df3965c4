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
from licenses.lifecycle import TERMINAL, EventKind, State, state_after
from licenses.models import License, LicenseEvent
from licenses.stock.models import StockRecord
from storage.clock import start_of_day
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
    )
    .where(LicenseEvent.license_id.in_(bindparam("ids", expanding=True)))
    .order_by(LicenseEvent.position)
)
_PART = 500
"""Most values that one statement compares with."""


class Moment(NamedTuple):
    """An event as replaying needs it."""

    kind: str
    at: dt.datetime
    process: str | None
    successor_id: str | None


@dataclass(slots=True)
class Version:
    """A licence of a chain, as far as placing another one needs it.

    Attributes:
        closed: Why nothing is added to its chain by an import: it is another department's, or was replaced
            by what is issued here.
        state: What it comes to once all of its history took effect.
        ends: From when on it is ended, which may lie ahead.
        run_id: The import that brought it; none while it is fresh.
        number: Which version it is, while it is fresh.
    """

    id: str
    identifier: str
    issued_on: dt.date
    digest: bytes
    previous_id: str | None
    valid_from: dt.date | None
    closed: str = ""
    state: State = State.ISSUED
    events: int = 0
    fresh: bool = False
    ends: dt.datetime | None = None
    run_id: str = ""
    number: int = 1

    def starts(self, now: dt.datetime) -> dt.datetime:
        """Give from when on it takes the place of another: its first day, now at the earliest."""
        return now if self.valid_from is None else max(now, start_of_day(self.valid_from))

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

    def held(self, number: bytes, identifier: str, run_id: str) -> Version | None:
        """Give what another import brought under this number and identifier, where the chain is open."""
        chain = self.by_number.get(number, ())
        if number in self.issued_here or any(one.closed for one in chain):
            return None
        return next(
            (one for one in chain if one.identifier == identifier and one.run_id not in {"", run_id}), None
        )

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
        chain.insert(bisect_left([one.issued_on for one in chain], version.issued_on), version)


def read_chains(
    uow: UnitOfWork, numbers: Mapping[bytes, str], identifiers: Iterable[str], organisation: str
) -> Chains:
    """Read what is held of these numbers and identifiers; only the organisation's own chains grow.

    Args:
        uow: The unit of work.
        numbers: Keyed digest → folded number.
        identifiers: Identifiers of the records.
        organisation: Whose import it is.
    """
    chains = Chains()
    for part in parts(list(dict.fromkeys(identifiers))):
        for identifier, digest in uow.session.execute(_TAKEN, {"identifiers": part}):
            chains.identifiers[identifier] = digest
    known: dict[str, Version] = {}
    for some in parts(list(dict.fromkeys(numbers.values()))):
        for type_code, issuer_code, folded in uow.session.execute(_ISSUED_HERE, {"numbers": some}):
            chains.issued_here.add(number_key(uow, type_code, issuer_code, str(folded)))
    for keys in parts(list(numbers)):
        for row in uow.session.execute(_KNOWN, {"keys": keys}):
            closed = "" if row.organisation == organisation else "held-elsewhere"
            version = Version(
                row.id,
                row.identifier,
                row.issued_on,
                row.data_sha256,
                row.previous_id,
                row.valid_from,
                closed,
                run_id=row.run_id,
            )
            known[version.id] = version
            chains.add(row.number_key, version)
    for ids in parts(list(known)):
        for replaced in uow.session.scalars(_REPLACED_HERE, {"ids": ids}):
            known[str(replaced)].closed = "issued-here"
    _states(uow, known)
    return chains


def is_taken(uow: UnitOfWork, identifier: str) -> bool:
    """Tell whether a licence has this identifier."""
    return uow.session.execute(_TAKEN, {"identifiers": [identifier]}).first() is not None


def number_key(uow: UnitOfWork, type_code: str, issuer_code: str, folded: str) -> bytes:
    """Give the keyed digest by which a number of a type and an issuer is found again."""
    return uow.secrets.lookup_hash("stock-number", f"{type_code} {issuer_code} {folded}")[:16]


def _states(uow: UnitOfWork, known: Mapping[str, Version]) -> None:
    histories: defaultdict[str, list[Moment]] = defaultdict(list)
    for part in parts(list(known)):
        for row in uow.session.execute(_EVENTS, {"ids": part}):
            histories[row.license_id].append(Moment(row.kind, row.at, row.process, row.successor_id))
    for license_id, events in histories.items():
        version = known[license_id]
        version.events, version.state = len(events), state_after(events)
        if version.state in TERMINAL:
            instants = sorted({one.at for one in events})
            version.ends = next(at for at in instants if state_after(events, at) in TERMINAL)


def parts(values: list[_Value]) -> Iterator[list[_Value]]:
    """Give values in parts that one statement can compare with."""
    return (values[start : start + _PART] for start in range(0, len(values), _PART))
