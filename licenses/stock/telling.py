# SPDX-License-Identifier: Apache-2.0
"""What a later feed tells of a licence that is held: an end, that it is valid again, other dates, or nothing.

Compared are keyed digests: a record that would have been the held one, had it named that one's dates and
another status, tells of these alone. Whoever says anything else under the same identifier contradicts, and a
person looks. What the machine of events does not allow never happens, whoever tells it.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from licenses import identifiers
from licenses.definition import LicenseType, Source
from licenses.errors import LicenseDataError
from licenses.lifecycle import TERMINAL, EventKind, Process, State, move
from licenses.stock.chaining import Version
from licenses.stock.profiles import Operation, SourceStatus
from licenses.stock.records import Prepared
from storage.clock import legal_date

ENDINGS: Final[Mapping[SourceStatus, EventKind]] = {
    SourceStatus.SUSPENDED: EventKind.SUSPENDED,
    SourceStatus.CANCELLED: EventKind.CANCELLED,
    SourceStatus.WITHDRAWN: EventKind.WITHDRAWN,
    SourceStatus.REVOKED: EventKind.REVOKED,
    SourceStatus.SUPERSEDED: EventKind.SUPERSEDED,
}
_DATES: Final = ("issued_on", "valid_from", "valid_until")
_SOURCES: Final = {
    Source.ISSUED_ON: "issued_on",
    Source.VALID_FROM: "valid_from",
    Source.VALID_UNTIL: "valid_until",
}
Digest = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Told:
    """What a record says of a version that is held.

    Attributes:
        held: The version.
        reason: ``duplicate``, ``status-told``, ``resume-told``, ``change-told``, ``valid-again``,
            ``later-dates``, ``content-told`` or ``end-told``.
        event: What happens to the version.
        change: Why the next version takes its place.
        obstacle: Why a person cannot follow it either: ``ended``, ``suspended``, ``ahead``, ``pending``,
            ``backwards``, ``identifier`` or ``older``.
    """

    held: Version
    reason: str
    event: EventKind | None = None
    change: Process | None = None
    obstacle: str = ""


@dataclass(frozen=True, slots=True)
class Telling:
    """Judges what records tell.

    Attributes:
        run_id: The import at hand: rows of one file tell nothing of what it brought, unless a person decides.
        source: Id of its profile.
        now: The time.
        digest: Gives the keyed digest of what was read of a record.
        follow: Whether a person decided that the record is followed, and why the next version takes the
            place of the held one.
    """

    run_id: str
    source: str
    now: dt.datetime
    digest: Digest
    follow: Process | None = None

    def tell(self, chain: Sequence[Version], one: Prepared, kind: LicenseType) -> Told | None:
        """Give what a record tells of the versions of its number; none where it says something else.

        Args:
            chain: What is held of the number, the oldest first.
            one: The record.
            kind: Its type.
        """
        digest = self.digest(one.read)
        own = {""} if self.follow is not None else {"", self.run_id}
        earlier = [version for version in chain if version.run_id not in own]
        same = next((version for version in reversed(earlier) if version.digest == digest), None)
        fitting = (version for version in reversed(earlier) if self._fits(version, one, kind))
        held = same or next(fitting, None)
        if held is None:
            return self._contents(earlier, chain, one)
        if any(version.digest == digest for version in chain if version not in earlier):
            # This very import told it already.
            return Told(held, "duplicate")
        if held is not chain[-1]:
            return Told(held, "duplicate") if same else Told(held, "later-dates", obstacle="older")
        other = any(getattr(held, name) != getattr(one, name) for name in _DATES)
        if one.status in ENDINGS:
            return self._ended(held, one, other=other)
        return self._dated(held, one) if other else self._alive(held, one)

    def day(self, one: Prepared) -> dt.date | None:
        """Give the day on which the source changed a record; none where it names none, or one to come."""
        day = one.operated_on
        return day if day is not None and day <= legal_date(self.now) else None

    def _contents(self, earlier: Sequence[Version], chain: Sequence[Version], one: Prepared) -> Told | None:
        """Tell of other content that the source shows to be newer: a person decides whether to follow it."""
        held = chain[-1] if chain else None
        if held is None or held not in earlier or held.identifier != one.identifier or one.status in ENDINGS:
            return None
        if self.follow is None and not self._is_newer(held, one):
            return None
        obstacle = self._obstacle(held, one)
        if obstacle or self.follow is None:
            return Told(held, "content-told", obstacle=obstacle)
        return Told(held, "change-told", change=self.follow)

    def _ended(self, held: Version, one: Prepared, *, other: bool) -> Told:
        event = ENDINGS[one.status or SourceStatus.UNKNOWN]
        if held.state is move(State.ISSUED, event):
            # What was told before is a repetition.
            return Told(held, "later-dates", obstacle="ended") if other else Told(held, "duplicate")
        if held.starts(self.now) > self.now or held.ends is not None:
            # The end of what lies ahead concerns what it replaces, too: a person decides.
            return Told(held, "end-told", obstacle="ended" if held.state in TERMINAL else "ahead")
        taken = self.follow is not None or self._ends(held, one, event, other=other)
        return Told(held, "status-told", event) if taken else Told(held, "end-told")

    def _ends(self, held: Version, one: Prepared, event: EventKind, *, other: bool) -> bool:
        """Tell whether an end is taken at once.

        What ended for good at its source never comes back there, so that an old file tells the truth, too. A
        suspension may be over since: only the first one that is known of is believed without a later day.
        """
        day, known = self.day(one), held.known
        if not other and event is not EventKind.SUSPENDED:
            return True
        if day is None or known is None:
            return not other and not held.resumed
        return day > known or (day == known and not other and not held.resumed)

    def _alive(self, held: Version, one: Prepared) -> Told:
        if held.state is State.ISSUED or one.status is not SourceStatus.VALID:
            # Whoever calls it expired tells what its last day tells already.
            return Told(held, "duplicate")
        told = held.suspended_by == self.source and self._is_newer(held, one)
        if held.state is State.SUSPENDED and (self.follow is not None or told):
            return Told(held, "resume-told", EventKind.RESUMED)
        return Told(held, "valid-again", obstacle="ended" if held.state in TERMINAL else "")

    def _dated(self, held: Version, one: Prepared) -> Told:
        obstacle = self._obstacle(held, one)
        if obstacle:
            return Told(held, "later-dates", obstacle=obstacle)
        if self.follow is not None:
            return Told(held, "change-told", change=self.follow)
        if not self._is_newer(held, one):
            return Told(held, "later-dates")
        later = held.valid_until is not None and (one.valid_until or dt.date.max) > held.valid_until
        return Told(held, "change-told", change=Process.RENEWAL if later else Process.CHANGE)

    def _obstacle(self, held: Version, one: Prepared) -> str:
        """Give why other dates cannot become the next version; nothing where they can."""
        if held.state in TERMINAL or held.ends is not None:
            return "ended"
        if held.state is not State.ISSUED:
            return "suspended"
        if held.pending:
            return "pending"
        if held.starts(self.now) > self.now:
            return "ahead"
        if one.issued_on is None or one.issued_on < held.issued_on:
            return "backwards"
        return "" if next_identifiers(one) else "identifier"

    def _is_newer(self, held: Version, one: Prepared) -> bool:
        """Tell whether the source changed the record on a day after the last one on which we learned of it.

        An old file that comes again brings nobody back to life. What the same file told before counts by the
        day that it named, wherever its blocks fall.
        """
        day = self.day(one)
        if one.operation is not Operation.CHANGE or day is None or held.learned is None:
            return False
        return held.learned < day and all(told is not None and told < day for told in held.told)

    def _fits(self, held: Version, one: Prepared, kind: LicenseType) -> bool:
        """Tell whether a record differs from a version in dates and status alone."""
        return any(self.digest(data) == held.digest for data in _as_before(held, one, kind))


def _as_before(held: Version, one: Prepared, kind: LicenseType) -> Iterator[bytes]:
    """Give what would have been read, had the record named the held dates: for every status."""
    read: dict[str, Any] = orjson.loads(one.read)
    days = {name: getattr(held, name) for name in _DATES}
    # A day that is not held is stored as the first there is.
    texts = {name: day.isoformat() for name, day in days.items() if day not in {None, dt.date.min}}
    read = {name: value for name, value in read.items() if name not in _DATES} | texts
    face = dict(read.get("face", {}))
    for field in kind.fields:
        name = _SOURCES.get(field.source) if field.source is not None else None
        if name is not None:
            face.pop(field.name, None)
            face |= {field.name: texts[name]} if name in texts else {}
    read.pop("face", None)
    read |= {"face": face} if face else {}
    for status in SourceStatus:
        yield orjson.dumps(read | {"status": str(status)}, option=orjson.OPT_SORT_KEYS)


def next_identifiers(one: Prepared) -> list[identifiers.Identifier]:
    """Give the identifiers of later versions of a record; none where its own does not conform.

    A foreign identifier is kept byte for byte: nobody knows what its next one would be.
    """
    try:
        first = identifiers.parse(str(one.identifier))
    except LicenseDataError:
        return []
    parts = (first.type_code, first.issuer_code, first.serial)
    return [
        identifiers.Identifier(*parts, number)
        for number in range(first.version + 1, identifiers.LAST_VERSION + 1)
    ]
