# SPDX-License-Identifier: Apache-2.0
"""Intake: a closed case arrives, its bytes become durable, and a receipt says so.

Order is the guarantee: bytes are in the object store and were read back before the transaction that
promises them. The same set again gives the same receipt; another set while the case is in progress or
filed is a conflict that names the difference; after a return it is the next attempt. Further material for a
case whose dossier is filed comes as a supplement, which becomes a sealed unit of its own.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from sqlalchemy import select

from archive.errors import (
    ClassifiedMaterialError,
    Difference,
    FilingConflictError,
    ReceiptGoneError,
    SupplementTooEarlyError,
)
from archive.models import (
    REPEATABLE,
    Filing,
    FilingMaterial,
    FilingReceipt,
    FilingState,
    MaterialOutcome,
)
from archive.names import SentNames, labels, protect
from archive.staging import Arrival
from archive.submission import Submission, SubmittedMaterial
from cases.items import Item
from cases.models import Case
from cases.permissions import may_file
from cases.ports import Items
from cases.services import Announcement, CaseService
from storage.clock import rfc3339
from storage.database import UnitOfWork
from storage.errors import ConflictError, NotPermittedError
from storage.identity import Identity
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.canonical import Json, canonical
from storage.ledger.kinds import ActKind
from storage.objects.ports import ObjectStore, StoredObject

METADATA_TYPE = "application/json"
_PUTS = 4
"""Objects of one filing that are stored at the same time."""


@dataclass(frozen=True, slots=True)
class StoredArrival:
    """An arrival whose bytes are durable and were read back."""

    arrival: Arrival
    metadata: StoredObject
    objects: dict[str, StoredObject]


@dataclass(frozen=True, slots=True)
class Received:
    """What a filer gets.

    Attributes:
        receipt: The receipt 收件回执, JSON bytes; the same for the same set.
        filing_id: The filing it belongs to.
        attempt: 1 for the first, more after a return.
        created: Whether this call created the filing.
    """

    receipt: bytes
    filing_id: str
    attempt: int
    created: bool


class IntakeService:
    """Receives filings. A caller goes ``admit`` (reading) → ``store`` (no transaction) → ``receive``.

    Args:
        objects: Where bytes become durable.
        cases: Creates the case of a filing that nobody announced.
        items: The catalogue of items.
    """

    def __init__(self, objects: ObjectStore, cases: CaseService, items: Items) -> None:
        self._objects = objects
        self._cases = cases
        self._items = items

    def require_store(self) -> None:
        """Refuse while the object store takes no bytes; a caller asks before it takes any itself.

        Raises:
            ObjectStoreUnusableError: It takes none now.
        """
        self._objects.probe()

    def admit(self, uow: UnitOfWork, identity: Identity, arrival: Arrival) -> Received | None:
        """Refuse before any byte is stored what :meth:`receive` would refuse anyway.

        Returns:
            The receipt that stands for this very set, if it was received before: nothing is to be stored.

        Raises:
            NotPermittedError: The identity may not file cases of this source or department.
            ClassifiedMaterialError: The submission says that it is classified.
            FilingConflictError: The case is in progress or filed with another set.
            SupplementTooEarlyError: It supplements a case that has no filed dossier.
            InvalidInputError: Nobody announced the case, and none can be made of the submission.
        """
        case = self._permitted_case(uow, identity, arrival.submission)
        if arrival.submission.classified:
            raise ClassifiedMaterialError(_refusal(identity, arrival, case))
        if case is not None:
            return self._standing(uow, case, arrival)
        if arrival.supplement:
            raise SupplementTooEarlyError
        self._cases.check(uow, announcement_of(arrival.submission))
        return None

    def store(self, arrival: Arrival) -> StoredArrival:
        """Make the bytes durable; no transaction is open.

        Raises:
            ConflictError: A staged file changed after it was hashed.
        """
        # Putting waits for the disk, and a disk makes several files durable in the time of one.
        with ThreadPoolExecutor(_PUTS, "intake") as pool:
            waiting = pool.submit(self._objects.put, arrival.metadata, METADATA_TYPE)
            puts = [pool.submit(self._put, arrival, material) for material in arrival.submission.materials]
            metadata = waiting.result()
            objects = {
                material.part: put.result()
                for material, put in zip(arrival.submission.materials, puts, strict=True)
            }
        return StoredArrival(arrival, metadata, objects)

    def _put(self, arrival: Arrival, material: SubmittedMaterial) -> StoredObject:
        file = arrival.files[material.part]
        stored = self._objects.put(file.path, material.media_type)
        if stored.sha256 != file.sha256:
            raise ConflictError(part=material.part, rule="changed-while-staged")
        return stored

    def receive(
        self, uow: UnitOfWork, identity: Identity, stored: StoredArrival, *, batch: str | None = None
    ) -> Received:
        """Register the filing and give the receipt, in one transaction.

        Args:
            uow: The unit of work.
            identity: Who files.
            stored: What :meth:`store` gave.
            batch: Opaque id of the run it belongs to, if it came with others.

        Raises:
            NotPermittedError, ClassifiedMaterialError, FilingConflictError, SupplementTooEarlyError: As
                :meth:`admit`.
            InvalidInputError: The case was never announced and cannot be created from the submission.
        """
        arrival = stored.arrival
        standing = self.admit(uow, identity, arrival)
        if standing is not None:
            return standing
        submission = arrival.submission
        case = self._cases.find(uow, submission.source, submission.number)
        if case is None:
            case = self._cases.ensure_case(uow, identity, announcement_of(submission))
        filing = _filing(uow, identity, stored, case, batch)
        materials = [
            _material(uow, case, filing, position, stored)
            for position in range(1, len(submission.materials) + 1)
        ]
        uow.session.add_all([filing, *materials])
        uow.session.flush()
        receipt_id = uow.ids.new_id()
        promise = uow.record(_received(identity, filing, materials, case, receipt_id))
        body = _receipt(receipt_id, filing, materials, stored, case, promise)
        cipher = uow.secrets.encrypt(case.holder_id, body)
        uow.session.add(
            FilingReceipt(id=receipt_id, filing_id=filing.id, act_id=promise.core_sha256, body_cipher=cipher)
        )
        uow.add_step("archive.accept", filing.id)
        return Received(body, filing.id, filing.attempt, created=True)

    def _permitted_case(self, uow: UnitOfWork, identity: Identity, submission: Submission) -> Case | None:
        _require_filer(identity, submission.source, submission.organisation)
        case = self._cases.find(uow, submission.source, submission.number)
        if case is not None:
            _require_filer(identity, case.source, case.organisation)
        return case

    def _standing(self, uow: UnitOfWork, case: Case, arrival: Arrival) -> Received | None:
        filings = uow.session.scalars(
            select(Filing).where(Filing.case_id == case.id).order_by(Filing.attempt.desc())
        ).all()
        for filing in filings:
            if filing.set_sha256 == arrival.set_sha256:
                return _standing_receipt(uow, filing)
        closing = next((filing for filing in filings if filing.supplement is None), None)
        if arrival.supplement:
            if closing is None or closing.state != FilingState.FILED:
                raise SupplementTooEarlyError
        elif closing is not None and FilingState(closing.state) not in REPEATABLE:
            raise FilingConflictError(closing.state, self._difference(uow, closing, arrival))
        return None

    def _difference(self, uow: UnitOfWork, filing: Filing, arrival: Arrival) -> Difference:
        item = self._items.get(filing.item_code, filing.item_edition)
        materials = uow.session.scalars(
            select(FilingMaterial)
            .where(FilingMaterial.filing_id == filing.id)
            .order_by(FilingMaterial.position)
        ).all()
        sent = arrival.submission.materials
        standing = _by_label(item, [(one.code, one.sha256) for one in materials])
        arriving = _by_label(item, [(one.code, arrival.files[one.part].sha256) for one in sent])
        both = arriving.keys() & standing.keys()
        return Difference(
            added=tuple(sorted(arriving.keys() - standing.keys())),
            removed=tuple(sorted(standing.keys() - arriving.keys())),
            changed=tuple(sorted(label for label in both if arriving[label] != standing[label])),
            metadata=filing.content_sha256 != arrival.content_sha256,
        )


def _require_filer(identity: Identity, source: str, organisation: str) -> None:
    if not may_file(identity, source, organisation):
        raise NotPermittedError


def announcement_of(submission: Submission) -> Announcement:
    """Give the case as its filing states it, closed."""
    return Announcement(
        source=submission.source,
        number=submission.number,
        item_code=submission.item.code,
        item_edition=submission.item.edition,
        holder_scheme=submission.holder.scheme,
        holder_code=submission.holder.code,
        holder_name=submission.holder.name,
        organisation=submission.organisation,
        accepted_at=submission.accepted_at,
        closed_at=submission.closed_at,
    )


def _filing(
    uow: UnitOfWork, identity: Identity, stored: StoredArrival, case: Case, batch: str | None
) -> Filing:
    arrival, submission = stored.arrival, stored.arrival.submission
    earlier = uow.session.scalars(
        select(Filing).where(Filing.case_id == case.id).order_by(Filing.attempt.desc())
    ).all()
    return Filing(
        id=uow.ids.new_id(),
        case_id=case.id,
        attempt=earlier[0].attempt + 1 if earlier else 1,
        supplement=_next_supplement(earlier) if arrival.supplement else None,
        set_sha256=arrival.set_sha256,
        content_sha256=arrival.content_sha256,
        state=str(FilingState.RECEIVED),
        organisation=case.organisation,
        item_code=case.item_code,
        item_edition=case.item_edition,
        result=str(submission.result),
        accepted_at=submission.accepted_at,
        closed_at=submission.closed_at,
        metadata_sha256=stored.metadata.sha256,
        metadata_sm3=stored.metadata.sm3,
        metadata_size=stored.metadata.size,
        findings=[],
        original_only=0,
        received_at=uow.clock.now(),
        received_by=identity.id,
        batch=batch,
    )


def _next_supplement(newest_first: Sequence[Filing]) -> int:
    """Give the number of the next supplement: that of one which was given back, or one more."""
    for filing in newest_first:
        if filing.supplement is not None:
            return filing.supplement + (FilingState(filing.state) not in REPEATABLE)
    return 1


def _material(
    uow: UnitOfWork, case: Case, filing: Filing, position: int, arrival: StoredArrival
) -> FilingMaterial:
    material = arrival.arrival.submission.materials[position - 1]
    stored = arrival.objects[material.part]
    return FilingMaterial(
        id=uow.ids.new_id(),
        filing_id=filing.id,
        position=position,
        code=material.code,
        group_code=str(material.group),
        names_cipher=protect(uow, case.holder_id, SentNames(material.name, material.file_name)),
        declared_type=material.media_type,
        declared_sha256=material.sha256,
        declared_size=material.size,
        sha256=stored.sha256,
        sm3=stored.sm3,
        size=stored.size,
        outcome=str(MaterialOutcome.RECEIVED),
        attempts=[],
    )


def _received(
    identity: Identity, filing: Filing, materials: Sequence[FilingMaterial], case: Case, receipt_id: str
) -> Act:
    return Act(
        kind=ActKind.FILING_RECEIVED,
        actor=identity,
        object_type="filing",
        object_id=filing.id,
        object_sha256=filing.set_sha256,
        case=case.id,
        subject=case.holder_id,
        rows=[filing, *materials],
        notes={"receipt": receipt_id},
    )


def _refusal(identity: Identity, arrival: Arrival, case: Case | None) -> Act:
    notes: dict[str, Json] = {"source": arrival.submission.source, "number": arrival.submission.number}
    return Act(
        kind=ActKind.FILING_REFUSED,
        actor=identity,
        object_type="filing",
        object_id="none",
        outcome=Outcome.REFUSED,
        case=case.id if case else None,
        reasons=[ClassifiedMaterialError.code],
        notes=notes,
    )


def _receipt(
    receipt_id: str,
    filing: Filing,
    materials: Sequence[FilingMaterial],
    stored: StoredArrival,
    case: Case,
    promise: Promise,
) -> bytes:
    return canonical(
        {
            "v": 1,
            "receipt": receipt_id,
            "case": {"source": case.source, "number": case.number},
            "filing": filing.id,
            "attempt": filing.attempt,
            **({} if filing.supplement is None else {"supplement": filing.supplement}),
            "set_sha256": filing.set_sha256,
            "metadata": {
                "sha256": filing.metadata_sha256,
                "sm3": filing.metadata_sm3,
                "size": filing.metadata_size,
            },
            "materials": [
                {
                    "file_name": sent.file_name,
                    "code": one.code,
                    "sha256": one.sha256,
                    "sm3": one.sm3,
                    "size": one.size,
                }
                for one, sent in zip(materials, stored.arrival.submission.materials, strict=True)
            ],
            "received_at": rfc3339(filing.received_at),
            "promise": promise.as_json(),
        }
    )


def _standing_receipt(uow: UnitOfWork, filing: Filing) -> Received:
    receipt = uow.session.scalar(select(FilingReceipt).where(FilingReceipt.filing_id == filing.id))
    if receipt is None:
        raise ReceiptGoneError
    return Received(uow.secrets.decrypt(receipt.body_cipher), filing.id, filing.attempt, created=False)


def _by_label(item: Item, materials: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Give the digest of each material by its label."""
    return dict(
        zip(labels(item, [code for code, _ in materials]), [sha for _, sha in materials], strict=True)
    )
