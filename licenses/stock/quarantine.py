# SPDX-License-Identifier: Apache-2.0
"""What of the stock waits for a person: seen side by side, corrected, rejected, or tried again in bulk.

A correction changes columns of the original and reads it again by the profile: a person decides what stands
there, never what becomes of it. Original and correction both stay.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from cases.organisations import covers
from licenses.catalogue import TypeCatalogue
from licenses.errors import (
    StockRecordDecidedError,
    StockRecordUnknownError,
    StockStillUndecidedError,
    StockWordsError,
)
from licenses.events import INDEX_STEP
from licenses.lifecycle import Process
from licenses.sharing.feed import record_change
from licenses.stock.adoption import Adoption, Batch
from licenses.stock.blocks import Blocks
from licenses.stock.comparing import FOLLOWED, Held, held_of
from licenses.stock.issuers import OwnIssuers
from licenses.stock.models import StockQuarantine, StockRun
from licenses.stock.normaliser import Normaliser
from licenses.stock.profiles import Profile, ProfileBook
from licenses.stock.reasons import Verdict
from licenses.stock.records import Normalised, prepared, unpacked
from licenses.stock.runs import STOCK_FORGET_STEP
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

STATES: Final = ("open", "corrected", "rejected", "retried")
LONGEST: Final = 200
PAGE: Final = 30
AT_ONCE: Final = 200
"""Records that are tried again in one unit of work."""
_COLUMNS: Final = 100
_STATES: Final = {
    ActKind.STOCK_CORRECTED: "corrected",
    ActKind.STOCK_REJECTED: "rejected",
    ActKind.STOCK_RETRIED: "retried",
}


@dataclass(frozen=True, slots=True)
class Waiting:
    """A page of records: rows, counts by state and by reason of the state that is listed, what follows."""

    rows: Sequence[StockQuarantine]
    states: Mapping[str, int]
    reasons: Mapping[str, int]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Opened:
    """A record in clear, for one page: as it was read, what could be read of it, what is held already."""

    row: StockQuarantine
    profile: Profile
    original: Mapping[str, str]
    read: Mapping[str, object]
    decision: Mapping[str, object] | None
    held: Held | None = None


class QuarantineDesk:
    """What a licence manager does about quarantined records of the own organisation.

    Args:
        types: The type catalogue.
        issuers: In whose name the records of a department may be.
        profiles: How sources spell what we hold.
    """

    def __init__(self, types: TypeCatalogue, issuers: OwnIssuers, profiles: ProfileBook) -> None:
        self._types, self._issuers, self._profiles = types, issuers, profiles

    def listed(
        self, uow: UnitOfWork, identity: Identity, state: str, reason: str | None, after: str | None
    ) -> Waiting:
        """Give a page of records; nothing of their content."""
        identity.demand(Role.LICENSE_MANAGER)
        own = StockQuarantine.organisation == identity.organisation
        counted = select(StockQuarantine.state, func.count()).where(own).group_by(StockQuarantine.state)
        states = dict.fromkeys(STATES, 0)
        states.update((state_, number) for state_, number in uow.session.execute(counted))
        chosen = (own, StockQuarantine.state == state)
        by_reason = select(StockQuarantine.reason, func.count()).where(*chosen)
        reasons = uow.session.execute(by_reason.group_by(StockQuarantine.reason)).all()
        query = select(StockQuarantine).where(*chosen, StockQuarantine.id > (after or ""))
        if reason is not None:
            query = query.where(StockQuarantine.reason == reason)
        rows = uow.session.scalars(query.order_by(StockQuarantine.id).limit(PAGE + 1)).all()
        cursor = rows[PAGE - 1].id if len(rows) > PAGE else None
        ordered = sorted(reasons, key=lambda one: (-one[1], one[0]))
        return Waiting(rows[:PAGE], states, {one[0]: one[1] for one in ordered}, cursor)

    def read(self, uow: UnitOfWork, identity: Identity, record_id: str) -> Opened:
        """Give a record in clear; the reading is recorded.

        Raises:
            StockRecordUnknownError: There is none that this identity may see.
            ErasedError: Its key was destroyed.
        """
        row, profile = self._own(uow, identity, record_id)
        decrypt = uow.secrets.decrypt
        decision = None if row.decision_cipher is None else json.loads(decrypt(row.decision_cipher))
        read = json.loads(decrypt(row.read_cipher))
        original = unpacked(decrypt(row.original_cipher))
        held = held_of(uow, row, read, self._obstacle(uow, identity, row, profile, original))
        opened = Opened(row, profile, original, read, decision, held)
        uow.record(Act(kind=ActKind.STOCK_READ, actor=identity, object_type="stock-record", object_id=row.id))
        return opened

    def correct(
        self, uow: UnitOfWork, identity: Identity, record_id: str, changes: Mapping[str, str], reason: str
    ) -> StockQuarantine:
        """Take a record over with some of its columns changed.

        Args:
            uow: The unit of work.
            identity: A licence manager of the organisation.
            record_id: The record.
            changes: Column → what stands there in truth; an empty text removes it.
            reason: How that is known.

        Raises:
            StockRecordUnknownError: There is none that this identity may see.
            StockRecordDecidedError: It was decided already.
            StockWordsError: The reason says nothing, or too much; or nothing is changed.
            StockStillUndecidedError: Even so it cannot be taken over; ``reasons`` names why.
        """
        row, profile = self._open(uow, identity, record_id)
        original = unpacked(uow.secrets.decrypt(row.original_cipher))
        changed = {name: text for name, text in changes.items() if text != original.get(name, "")}
        if not 1 <= len(changed) <= _COLUMNS:
            raise StockWordsError(field="changes")
        cells = {name: text for name, text in (original | changed).items() if text}
        found = self._normaliser(uow, profile, row.organisation).read(row.row, cells)
        holder = self._adopt(uow, identity, row, profile, found, Blocks(uow.ids, uow.secrets, 1))
        decision = {"reason": reason, "changes": changed}
        return self._decide(uow, identity, row, ActKind.STOCK_CORRECTED, decision, holder)

    def follow(
        self, uow: UnitOfWork, identity: Identity, record_id: str, change: Process, reason: str
    ) -> StockQuarantine:
        """Follow what a later record tells of a licence that is held, as far as its state allows.

        What is suspended resumes; other dates become its next version.

        Args:
            uow: The unit of work.
            identity: A licence manager of the organisation.
            record_id: The record.
            change: Why the next version takes the place of the held one.
            reason: How that is known.

        Raises:
            As :meth:`correct`.
        """
        row, profile = self._open(uow, identity, record_id)
        if row.reason not in FOLLOWED:
            raise StockStillUndecidedError(reasons=row.reason)
        original = unpacked(uow.secrets.decrypt(row.original_cipher))
        found = self._normaliser(uow, profile, row.organisation).read(row.row, original)
        blocks = Blocks(uow.ids, uow.secrets, 1)
        holder = self._adopt(uow, identity, row, profile, found, blocks, change)
        decision = {"reason": reason, "followed": str(change)}
        return self._decide(uow, identity, row, ActKind.STOCK_CORRECTED, decision, holder)

    def reject(self, uow: UnitOfWork, identity: Identity, record_id: str, reason: str) -> StockQuarantine:
        """Leave a record out for good; it stays as it is.

        Raises:
            As :meth:`correct`.
        """
        row, _ = self._open(uow, identity, record_id)
        return self._decide(uow, identity, row, ActKind.STOCK_REJECTED, {"reason": reason}, row.id)

    def retry(
        self, uow: UnitOfWork, identity: Identity, profile: Profile, reason: str | None, after: str
    ) -> tuple[int, int, str | None]:
        """Read records again by what the profile says now, some at a time.

        Returns:
            How many were taken over, how many stay, and where to go on; ``None`` at the end.
        """
        identity.demand(Role.LICENSE_MANAGER)
        query = (
            select(StockQuarantine)
            .join(StockRun, StockRun.id == StockQuarantine.run_id)
            .where(
                StockQuarantine.organisation == identity.organisation,
                StockQuarantine.state == "open",
                StockQuarantine.id > after,
                StockRun.profile.startswith(f"{profile.id}/", autoescape=True),
            )
        )
        if reason is not None:
            query = query.where(StockQuarantine.reason == reason)
        rows = uow.session.scalars(query.order_by(StockQuarantine.id).limit(AT_ONCE)).all()
        normaliser, taken = self._normaliser(uow, profile, identity.organisation), 0
        blocks = Blocks(uow.ids, uow.secrets, AT_ONCE)
        for row in rows:
            cells = unpacked(uow.secrets.decrypt(row.original_cipher))
            found = normaliser.read(row.row, cells)
            if found.verdict is not Verdict.ACCEPTED:
                continue
            try:
                holder = self._adopt(uow, identity, row, profile, found, blocks)
            except StockStillUndecidedError:
                continue
            self._decide(uow, identity, row, ActKind.STOCK_RETRIED, {"reason": profile.label}, holder)
            taken += 1
        return taken, len(rows) - taken, rows[-1].id if len(rows) == AT_ONCE else None

    def _obstacle(
        self,
        uow: UnitOfWork,
        identity: Identity,
        row: StockQuarantine,
        profile: Profile,
        original: Mapping[str, str],
    ) -> str:
        """Give why a record cannot be followed, by what following it would say; nothing is written."""
        if row.state != "open" or row.reason not in FOLLOWED:
            return "none"
        found = self._normaliser(uow, profile, row.organisation).read(row.row, original)
        if found.verdict is not Verdict.ACCEPTED:
            return "unread"
        run = uow.session.get_one(StockRun, row.run_id)
        blocks = Blocks(uow.ids, uow.secrets, 1)
        adoption = Adoption(uow, identity, run, self._types, blocks, [prepared(found)], Process.CHANGE)
        problem = adoption.problem()
        return (adoption.obstacle or "unread") if problem else ""

    def _normaliser(self, uow: UnitOfWork, profile: Profile, organisation: str) -> Normaliser:
        remit = self._issuers.of(organisation, profile)
        return Normaliser(profile, self._types, remit, legal_date(uow.clock.now()))

    def _adopt(
        self,
        uow: UnitOfWork,
        identity: Identity,
        row: StockQuarantine,
        profile: Profile,
        found: Normalised,
        blocks: Blocks,
        follow: Process | None = None,
    ) -> str:
        """Take a record over; give the id of its holder."""
        run = uow.session.get_one(StockRun, row.run_id)
        if found.verdict is not Verdict.ACCEPTED:
            raise StockStillUndecidedError(reasons=" ".join(found.reasons))
        adoption = Adoption(uow, identity, run, self._types, blocks, [prepared(found)], follow, profile.trust)
        problem = adoption.problem()
        if problem:
            raise StockStillUndecidedError(reasons=problem)
        (batch,) = adoption.batches()
        row.license_id, holder_id = adoption.only_license()
        self._hand_over(uow, row, holder_id)
        self._record_adoption(uow, identity, run, batch)
        for license_id in {row.license_id, *batch.again}:
            uow.add_step(INDEX_STEP, f"licence:{license_id}")
        return holder_id

    @staticmethod
    def _hand_over(uow: UnitOfWork, row: StockQuarantine, holder_id: str) -> None:
        """Put what is kept of a record under the holder's key; its own key is destroyed by a step."""
        kept = [uow.secrets.decrypt(blob) for blob in (row.original_cipher, row.read_cipher)]
        row.original_cipher, row.read_cipher = uow.secrets.encrypt_all(holder_id, kept)
        uow.add_step(STOCK_FORGET_STEP, row.id)

    @staticmethod
    def _record_adoption(uow: UnitOfWork, identity: Identity, run: StockRun, batch: Batch) -> None:
        record_change(
            uow,
            Act(
                kind=ActKind.STOCK_IMPORTED,
                actor=identity,
                object_type="stock-run",
                object_id=run.id,
                object_sha256=run.file_sha256,
                rows=list(batch.changed.values()),
                tables=batch.tables(),
            ),
        )

    def _decide(
        self,
        uow: UnitOfWork,
        identity: Identity,
        row: StockQuarantine,
        kind: ActKind,
        decision: Mapping[str, object],
        subject: str,
    ) -> StockQuarantine:
        """Decide about a record; ``subject`` is whose key protects the words from now on."""
        if not 1 <= len(str(decision["reason"]).strip()) <= LONGEST:
            raise StockWordsError(field="reason")
        row.state, row.decided_by, row.decided_at = _STATES[kind], identity.id, uow.clock.now()
        row.decision_cipher = uow.secrets.encrypt(subject, json.dumps(decision, ensure_ascii=False).encode())
        uow.session.flush()
        uow.record(Act(kind=kind, actor=identity, object_type="stock-record", object_id=row.id, rows=[row]))
        return row

    def _own(self, uow: UnitOfWork, identity: Identity, record_id: str) -> tuple[StockQuarantine, Profile]:
        row = uow.session.get(StockQuarantine, record_id)
        if row is None or not (identity.has(Role.LICENSE_MANAGER) and covers(identity, row.organisation)):
            raise StockRecordUnknownError
        run = uow.session.get_one(StockRun, row.run_id)
        return row, self._profiles.get(run.profile.partition("/")[0])

    def _open(self, uow: UnitOfWork, identity: Identity, record_id: str) -> tuple[StockQuarantine, Profile]:
        row, profile = self._own(uow, identity, record_id)
        if row.state != "open":
            raise StockRecordDecidedError
        return row, profile
