# SPDX-License-Identifier: Apache-2.0
"""Accepted records become licences, what cannot be decided is quarantined: one block of records at a time.

Stock has no file and no seal; its source vouches for it at a level of trust that is shown. The rows of a
block are written many at once and recorded in acts of a hundred records each, so that no bundle of the
published log grows beyond what a process can hold.
"""

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from cases.models import Holder
from licenses import identifiers
from licenses.catalogue import TypeCatalogue
from licenses.holdings import STOCK
from licenses.lifecycle import TERMINAL, EventKind, Process, State, move
from licenses.models import License, LicenseEvent, LicenseHolder
from licenses.positions import first_free_position
from licenses.stock.blocks import Blocks
from licenses.stock.chaining import Chains, Place, Version, data_digest, is_taken, keys_of, read_chains
from licenses.stock.holding import KnownHolders
from licenses.stock.marks import marked
from licenses.stock.models import StockQuarantine, StockRecord, StockRejection, StockRun
from licenses.stock.profiles import SourceStatus
from licenses.stock.reasons import Verdict, first_of, stock_reasons
from licenses.stock.records import Prepared, StockParty
from licenses.stock.telling import ENDINGS, Telling, Told, next_identifiers
from storage.base import Base
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.inserting import insert_many
from storage.ledger.rows import TableRows

RECORDS_OF_AN_ACT: Final = 100
_BASIS: Final = "来源系统登记"
_MODELS: Final[tuple[type[Base], ...]] = (
    *(Holder, License, LicenseEvent, LicenseHolder, StockRecord, StockQuarantine, StockRejection),
)
Rows = dict[type[Base], list[dict[str, Any]]]


@dataclass
class Batch:
    """The rows of some records, and counts of what became of them.

    Attributes:
        changed: Licences held already whose place in a chain changed.
        again: Those that the index must learn anew.
    """

    rows: Rows = field(default_factory=lambda: {model: [] for model in _MODELS})
    verdicts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)
    changed: dict[str, License] = field(default_factory=dict)
    again: list[str] = field(default_factory=list)

    def tables(self) -> list[TableRows]:
        """Give the rows as an act takes them."""
        return [TableRows(model, rows) for model, rows in self.rows.items() if rows]


class Adoption:
    """Takes over one block within one unit of work.

    Args:
        uow: The unit of work.
        identity: On whose behalf.
        run: The run.
        types: The type catalogue.
        blocks: Gives ids and subjects.
        block: The records, in their order.
        follow: Given by a person who decided that what a later record tells is followed: why another
            version takes the place of the held one.
        trust: Level of the profile that read the records, where it may be another than the run's: of the two
            the lower one counts.
    """

    def __init__(
        self,
        uow: UnitOfWork,
        identity: Identity,
        run: StockRun,
        types: TypeCatalogue,
        blocks: Blocks,
        block: Sequence[Prepared],
        follow: Process | None = None,
        trust: str | None = None,
    ) -> None:
        self._uow, self._identity = uow, identity
        # Asked of the row a million times, they cost more than the digest of a record.
        self._run_id, self._organisation = run.id, run.organisation
        # A stands before D.
        self._trust = max(run.trust, trust or run.trust)
        self._types, self._blocks = types, blocks
        self._now = uow.clock.now()
        self._block = block
        self._keys: dict[int, tuple[bytes, bytes]] = {}
        self._fresh: dict[str, dict[str, Any]] = {}
        drafts = [one for one in block if one.verdict is Verdict.ACCEPTED]
        for one in drafts:
            self._keys[one.row] = keys_of(uow, one)
        self._chains: Chains = read_chains(
            uow,
            {self._keys[one.row][0]: str(one.number_key) for one in drafts},
            (str(one.identifier) for one in drafts),
            run.organisation,
            run.id,
        )
        self._holders = KnownHolders(uow, blocks, (party for one in drafts for party in one.parties))
        self._position = first_free_position(uow)
        self._source = run.profile.partition("/")[0]
        self._telling = Telling(run.id, self._source, self._now, lambda read: data_digest(uow, read), follow)
        self._told_of: list[str] = []
        self.obstacle = ""

    def batches(self) -> list[Batch]:
        """Write everything of the block and give it in parts, each for an act of its own."""
        found: list[Batch] = []
        for start in range(0, len(self._block), RECORDS_OF_AN_ACT):
            batch = Batch()
            for one in self._block[start : start + RECORDS_OF_AN_ACT]:
                self._take(batch, one)
            found.append(batch)
        self._write(found)
        return found

    def problem(self) -> str:
        """Give why the first record of the block has no place among what is held; nothing is written.

        ``obstacle`` says then why nobody can follow what it tells, where that is so.
        """
        one = self._block[0]
        key, digest = self._keys[one.row]
        identifier, _ = self._identified(one, key, digest)
        place = self._chains.place(key, identifier, one.issued_on or dt.date.min, digest)
        told = self._told(place, key, one)
        if told is not None and stock_reasons()[told.reason].verdict is Verdict.ACCEPTED:
            return ""
        self.obstacle = told.obstacle if told is not None else ""
        return told.reason if told is not None else place.reason

    def only_license(self) -> tuple[str, str]:
        """Give the id of the only licence that was made or of which was told, and of its holder."""
        if not self._fresh:
            (license_id,) = self._told_of
            return license_id, self._uow.session.get_one(License, license_id).holder_id
        (row,) = self._fresh.values()
        return row["id"], row["holder_id"]

    def _take(self, batch: Batch, one: Prepared) -> None:
        reasons, verdict = list(one.reasons), one.verdict
        if verdict is Verdict.ACCEPTED:
            verdict = self._place(batch, one, reasons)
        if verdict is Verdict.QUARANTINED:
            self._quarantine(batch, one, reasons)
        elif verdict is Verdict.REJECTED:
            reason = first_of(reasons, Verdict.REJECTED)
            batch.rows[StockRejection].append(
                {
                    "run_id": self._run_id,
                    "row": one.row,
                    "line": one.line,
                    "column": one.column,
                    "reason": reason,
                }
            )
        batch.verdicts[str(verdict)] += 1
        batch.reasons.update(reasons)
        if one.type_code is not None:
            batch.types[f"{one.type_code} {verdict}"] += 1

    def _told(self, place: Place, key: bytes, one: Prepared) -> Told | None:
        """Give what a record tells of what is held under its identifier."""
        if place.reason not in {"identifier-taken", "duplicate"}:
            return None
        told = self._telling.tell(self._chains.open_chain(key), one, self._types.get(str(one.type_code)))
        if told is not None and told.change is not None and self._next_version(one) is None:
            return Told(told.held, "later-dates", obstacle="identifier")
        return told

    def _place(self, batch: Batch, one: Prepared, reasons: list[str]) -> Verdict:
        """Make a licence of a record, or an event of what is held, unless it has no place among that."""
        key, digest = self._keys[one.row]
        day = one.issued_on or dt.date.min
        identifier, number = self._identified(one, key, digest)
        place = self._chains.place(key, identifier, day, digest)
        told = self._told(place, key, one)
        refused = told.reason if told is not None else place.reason
        if refused and stock_reasons()[refused].verdict is not Verdict.ACCEPTED:
            reasons.insert(0, refused)
            return stock_reasons()[refused].verdict
        if told is not None:
            reasons.append(told.reason)
            self._told_of.append(told.held.id)
        if told is not None and told.event is not None:
            self._event(batch, told.held, told.event, day=self._telling.day(one))
            told.held.hear(told.event, self._source, self._telling.day(one))
            batch.again.append(told.held.id)
            return Verdict.ACCEPTED
        if told is not None:
            place = Place(earlier=[*self._chains.open_chain(key)])
            identifier, number = self._next_version(one) or (identifier, number)
        id_ = self._blocks.licenses.new_id()
        version = Version(id_, identifier, day, digest, None, one.valid_from, fresh=True, number=number)
        if place.earlier or place.later:
            reasons.append("version-chained")
        version.change = str(told.change) if told is not None else None
        self._license(batch, one, version, reasons)
        self._chain(batch, version, place)
        self._chains.add(key, version)
        return Verdict.ACCEPTED

    def _next_version(self, one: Prepared) -> tuple[str, int] | None:
        """Give identifier and version of what takes the place of a record under the same identifier."""
        known, found = self._chains.identifiers, next_identifiers(one)
        free = (one for one in found if str(one) not in known and not is_taken(self._uow, str(one)))
        first = next(iter(free), None)
        return None if first is None else (str(first), first.version)

    def _identified(self, one: Prepared, key: bytes, digest: bytes) -> tuple[str, int]:
        """Give identifier and version: a composed one counts on where its number has other records."""
        chain = self._chains.by_number.get(key, ())
        if "identifier-composed" not in one.reasons or not chain:
            return str(one.identifier), one.version
        for held in chain:
            if held.digest == digest or held.issued_on == one.issued_on:
                return held.identifier, one.version
        number = len(chain) + 1
        while number <= identifiers.LAST_VERSION:
            parts = (str(one.type_code), str(one.issuer_code), str(one.number_key))
            identifier = identifiers.compose(*parts, number)
            if identifier not in self._chains.identifiers and not is_taken(self._uow, identifier):
                return identifier, number
            number += 1
        return str(one.identifier), one.version

    def _license(self, batch: Batch, one: Prepared, version: Version, reasons: Sequence[str]) -> None:
        first, *more = one.parties
        values = [one.face, one.original]
        holder_id, (face, original) = self._holders.encrypted(batch.rows[Holder], first, values)
        others = [self._holders.encrypted(batch.rows[Holder], party, ())[0] for party in more]
        kind = self._types.get(str(one.type_code))
        key, digest = self._keys[one.row]
        row: dict[str, Any] = {
            "id": version.id,
            "identifier": version.identifier,
            "type_code": kind.code,
            "type_version": kind.version,
            "issuer_code": one.issuer_code,
            "issuer_name": one.issuer_name,
            "organisation": self._organisation,
            "holder_id": holder_id,
            "case_id": None,
            "item_code": None,
            "item_edition": None,
            "version": version.number,
            "previous_id": None,
            "change": version.change,
            "trust": self._trust,
            "origin": STOCK,
            "status_index": self._position,
            "number": one.number,
            "folded_number": None,
            "issued_on": one.issued_on,
            "valid_from": one.valid_from,
            "valid_until": one.valid_until,
            "face_cipher": face,
            "data_sha256": digest,
            "code": self._uow.ids.new_id(),
            "reserved_at": self._now,
            "issued_at": self._now,
            "object_sha256": None,
            "object_size": None,
            "seal_id": None,
            "sealing_act": None,
            "issue_step": "",
        }
        batch.rows[License].append(row)
        self._fresh[version.id] = row
        self._position += 1
        if others:
            batch.rows[LicenseHolder] += _together(version.id, one.parties, [holder_id, *others])
        batch.rows[StockRecord].append(
            {
                "license_id": version.id,
                "run_id": self._run_id,
                "row": one.row,
                "reasons": " ".join(reasons),
                "number_key": key,
                "original_cipher": original,
            }
        )
        self._event(batch, version, EventKind.ADOPTED, day=self._telling.day(one))
        ending = ENDINGS.get(one.status or SourceStatus.UNKNOWN)
        if ending is not None:
            self._event(batch, version, ending, day=self._telling.day(one))

    def _chain(self, batch: Batch, version: Version, place: Place) -> None:
        if place.earlier:
            self._link(batch, version, place.earlier[-1])
        if place.later:
            self._link(batch, place.later[0], version)
        replacing = [one for one in place.later if one.replaces]
        if replacing:
            self._supersede(batch, version, min(replacing, key=lambda one: one.starts(self._now)))
        for older in place.earlier if version.replaces else ():
            self._supersede(batch, older, version)

    def _link(self, batch: Batch, newer: Version, older: Version) -> None:
        newer.previous_id = older.id
        if newer.fresh:
            self._fresh[newer.id]["previous_id"] = older.id
            return
        held = self._uow.session.get_one(License, newer.id)
        held.previous_id = older.id
        batch.changed[newer.id] = held

    def _supersede(self, batch: Batch, older: Version, newer: Version) -> None:
        """End a version when another comes into force, unless it ends before."""
        starts = newer.starts(self._now)
        if older.ends is None or older.ends > starts:
            self._event(batch, older, EventKind.SUPERSEDED, newer.id, starts)
            batch.again.extend([] if older.fresh else [older.id])

    def _event(
        self,
        batch: Batch,
        version: Version,
        kind: EventKind,
        successor_id: str | None = None,
        at: dt.datetime | None = None,
        day: dt.date | None = None,
    ) -> None:
        at = at or self._now
        if version.state not in TERMINAL:
            version.state = move(version.state if version.events else State.RESERVED, kind)
        if version.state in TERMINAL:
            # Whose end lay ahead may end earlier.
            version.ends = at
        version.events += 1
        batch.rows[LicenseEvent].append(
            {
                "id": self._blocks.events.new_id(),
                "license_id": version.id,
                "position": version.events,
                "kind": str(kind),
                "at": at,
                "process": None,
                "successor_id": successor_id,
                "reason": marked(kind, self._run_id, day),
                "legal_basis": _BASIS,
                "actor_id": self._identity.id,
                "organisation": self._identity.organisation,
            }
        )

    def _quarantine(self, batch: Batch, one: Prepared, reasons: Sequence[str]) -> None:
        subject, key = self._blocks.new_subject()
        batch.rows[StockQuarantine].append(
            {
                "id": subject,
                "run_id": self._run_id,
                "row": one.row,
                "organisation": self._organisation,
                "reason": first_of(reasons, Verdict.QUARANTINED),
                "reasons": " ".join(reasons),
                "state": "open",
                "original_cipher": key.encrypt(one.original),
                "read_cipher": key.encrypt(one.read),
                "decision_cipher": None,
                "decided_by": None,
                "decided_at": None,
                "license_id": None,
            }
        )

    def _write(self, batches: Sequence[Batch]) -> None:
        self._uow.session.flush()
        connection = self._uow.session.connection()
        for model in _MODELS:
            insert_many(connection, model, [row for batch in batches for row in batch.rows[model]])


def _together(license_id: str, parties: Sequence[StockParty], holders: Sequence[str]) -> list[dict[str, Any]]:
    return [
        {
            "license_id": license_id,
            "position": position,
            "holder_id": holder_id,
            "share": None if party.share is None else str(party.share),
        }
        for position, (party, holder_id) in enumerate(zip(parties, holders, strict=True), 1)
    ]
