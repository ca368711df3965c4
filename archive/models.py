# SPDX-License-Identifier: Apache-2.0
"""The archive's tables. A filing is one submission; a dossier is what a filed case became."""

import datetime as dt
import enum

from sqlalchemy import JSON, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant
from storage.ledger.canonical import Json


class FilingState(enum.StrEnum):
    """Where a filing stands; the last three are final."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    CHECKED = "checked"
    RENDERED = "rendered"
    ASSEMBLED = "assembled"
    SEALED = "sealed"
    FILED = "filed"
    RETURNED = "returned"
    QUARANTINED = "quarantined"


FINAL = frozenset({FilingState.FILED, FilingState.RETURNED, FilingState.QUARANTINED})
IN_PROGRESS = frozenset(FilingState) - FINAL
REPEATABLE = frozenset({FilingState.RETURNED, FilingState.QUARANTINED})
"""States after which another set is the next attempt rather than a conflict."""

_NEXT: dict[FilingState, frozenset[FilingState]] = {
    FilingState.RECEIVED: frozenset({FilingState.ACCEPTED, FilingState.RETURNED}),
    FilingState.ACCEPTED: frozenset({FilingState.CHECKED, FilingState.RETURNED, FilingState.QUARANTINED}),
    FilingState.CHECKED: frozenset({FilingState.RENDERED}),
    FilingState.RENDERED: frozenset({FilingState.ASSEMBLED}),
    FilingState.ASSEMBLED: frozenset({FilingState.SEALED}),
    FilingState.SEALED: frozenset({FilingState.FILED}),
}


def may_follow(before: FilingState, after: FilingState) -> bool:
    """Tell whether a filing may go from one state to the other."""
    return after in _NEXT.get(before, frozenset())


class MaterialOutcome(enum.StrEnum):
    """What became of a material: its PDF/A rendition, or why the original stands alone."""

    RECEIVED = "received"
    CONVERTED = "converted"
    KEPT = "kept"
    SEALED_KEPT = "sealed-kept"
    ORIGINAL_ONLY = "original-only"


class Role(enum.StrEnum):
    """What a member is to its dossier."""

    METADATA = "metadata"
    ORIGINAL = "original"
    RENDITION = "rendition"
    LICENCE = "licence"
    CALLED_UP = "called-up"
    DECISION = "decision"
    COMMITMENT = "commitment"
    CHECKS = "checks"
    CATALOGUE = "catalogue"


class Filing(Base):
    """One submission of a closed case.

    Attributes:
        attempt: 1, 2, 3 … within the case; the next one follows a return.
        set_sha256: Digest of the set, the key of idempotency.
        content_sha256: Digest of the metadata's content, formatting aside.
        result: How the case ended, ``approved`` or ``refused``.
        closed_at: When the case was closed, as the submission says.
        metadata_sha256: The metadata as received, an object.
        findings: Why it was returned or quarantined, sentences included.
        original_only: Materials without a rendition; a listed part of filed.
        batch: The folder run it came with, if any.
        supplement: Number of the supplement that it is to become; none for the filing that closes the case.
    """

    __tablename__ = "filing"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(26))
    attempt: Mapped[int] = mapped_column(Integer)
    set_sha256: Mapped[str] = mapped_column(String(64))
    content_sha256: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(12))
    organisation: Mapped[str] = mapped_column(String(40))
    item_code: Mapped[str] = mapped_column(String(40))
    item_edition: Mapped[str] = mapped_column(String(20))
    result: Mapped[str] = mapped_column(String(12))
    accepted_at: Mapped[dt.datetime] = mapped_column(Instant)
    closed_at: Mapped[dt.datetime] = mapped_column(Instant)
    metadata_sha256: Mapped[str] = mapped_column(String(64), index=True)
    metadata_sm3: Mapped[str] = mapped_column(String(64))
    metadata_size: Mapped[int] = mapped_column(Integer)
    checks_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    checks_sm3: Mapped[str | None] = mapped_column(String(64))
    checks_size: Mapped[int | None] = mapped_column(Integer)
    license_id: Mapped[str | None] = mapped_column(String(26))
    findings: Mapped[list[Json]] = mapped_column(JSON)
    original_only: Mapped[int] = mapped_column(Integer)
    received_at: Mapped[dt.datetime] = mapped_column(Instant)
    received_by: Mapped[str] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    dossier_id: Mapped[str | None] = mapped_column(String(26))
    batch: Mapped[str | None] = mapped_column(String(26), index=True)
    supplement: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        UniqueConstraint("case_id", "attempt"),
        Index("ix_filing_state", "state", "received_at", "id"),
        Index("ix_filing_organisation", "organisation", "received_at", "id"),
    )


class FilingMaterial(Base):
    """One file of a submission: as declared, as received, and what became of it.

    Attributes:
        names_cipher: Title and file name as sent, under the holder's key: they may name persons.
        rendition_sha256: The PDF/A rendition before our seal, an object; its bytes are the first
            revision of the sealed file, so the two can be compared for ever.
        sealed_sha256: The rendition as filed, with our seal.
        reason: Why there is no rendition (a stable code of ``documents``).
        verdict: Result of checking the seals that the material came with.
        attempts: Every route that was tried.
    """

    __tablename__ = "filing_material"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    filing_id: Mapped[str] = mapped_column(String(26))
    position: Mapped[int] = mapped_column(Integer)
    code: Mapped[str] = mapped_column(String(40))
    group_code: Mapped[str] = mapped_column(String(12))
    names_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    declared_type: Mapped[str] = mapped_column(String(100))
    declared_sha256: Mapped[str] = mapped_column(String(64))
    declared_size: Mapped[int] = mapped_column(Integer)
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    sm3: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str | None] = mapped_column(String(100))
    outcome: Mapped[str] = mapped_column(String(16))
    route: Mapped[str | None] = mapped_column(String(40))
    level: Mapped[str | None] = mapped_column(String(4))
    pages: Mapped[int | None] = mapped_column(Integer)
    reason: Mapped[str | None] = mapped_column(String(60))
    verdict: Mapped[Json | None] = mapped_column(JSON(none_as_null=True))
    attempts: Mapped[list[Json]] = mapped_column(JSON)
    rendition_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    rendition_sm3: Mapped[str | None] = mapped_column(String(64))
    rendition_size: Mapped[int | None] = mapped_column(Integer)
    sealed_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    sealed_sm3: Mapped[str | None] = mapped_column(String(64))
    sealed_size: Mapped[int | None] = mapped_column(Integer)
    sealing_act: Mapped[str | None] = mapped_column(String(64))

    __table_args__ = (UniqueConstraint("filing_id", "position"),)


class FilingReceipt(Base):
    """The receipt 收件回执 as it left. It holds the promise, so no act's detail can hold it.

    It names files as they were sent, so it is kept under the holder's key.
    """

    __tablename__ = "filing_receipt"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    filing_id: Mapped[str] = mapped_column(String(26), unique=True)
    act_id: Mapped[str] = mapped_column(String(64), unique=True)
    body_cipher: Mapped[bytes] = mapped_column(LargeBinary)


class NumberSeries(Base):
    """The counter of one series of archival numbers; ``last`` is the last serial given out."""

    __tablename__ = "number_series"

    series: Mapped[str] = mapped_column(String(120), primary_key=True)
    last: Mapped[int] = mapped_column(Integer)


class NumberReservation(Base):
    """An archival number 档号 and the case it was given to, for ever."""

    __tablename__ = "number_reservation"

    number: Mapped[str] = mapped_column(String(140), primary_key=True)
    series: Mapped[str] = mapped_column(String(120))
    serial: Mapped[int] = mapped_column(Integer)
    case_id: Mapped[str] = mapped_column(String(26), unique=True)
    reserved_at: Mapped[dt.datetime] = mapped_column(Instant)

    __table_args__ = (UniqueConstraint("series", "serial"),)


class Dossier(Base):
    """A filed case 案卷: its number, how long it is kept and why, its sealed catalogue and manifest.

    Attributes:
        supplement: 1, 2, 3 … for what was filed after the case's dossier was sealed; none for that dossier.
            A case has one dossier, and one of each supplement.
    """

    __tablename__ = "dossier"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    case_id: Mapped[str] = mapped_column(String(26))
    filing_id: Mapped[str] = mapped_column(String(26), unique=True)
    holder_id: Mapped[str] = mapped_column(String(26), index=True)
    organisation: Mapped[str] = mapped_column(String(40))
    item_code: Mapped[str] = mapped_column(String(40))
    item_edition: Mapped[str] = mapped_column(String(20))
    title: Mapped[str] = mapped_column(String(300))
    archival_number: Mapped[str] = mapped_column(String(140), unique=True)
    fonds: Mapped[str] = mapped_column(String(20))
    year: Mapped[int] = mapped_column(Integer)
    retention: Mapped[str] = mapped_column(String(4))
    retention_zh: Mapped[str] = mapped_column(String(200))
    retention_en: Mapped[str] = mapped_column(String(200))
    assembled_at: Mapped[dt.datetime] = mapped_column(Instant)
    filed_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    catalogue_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    manifest_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    manifest_seal_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    manifest_key: Mapped[str | None] = mapped_column(String(120))
    version: Mapped[int] = mapped_column(Integer)
    supplement: Mapped[int | None] = mapped_column(Integer)

    __table_args__ = (
        UniqueConstraint("case_id", "supplement"),
        Index(
            "ix_dossier_of_case",
            "case_id",
            unique=True,
            sqlite_where=text("supplement IS NULL"),
            postgresql_where=text("supplement IS NULL"),
        ),
        Index("ix_dossier_organisation", "organisation", "filed_at", "id"),
    )


class DossierHold(Base):
    """A legal hold 保全 on a dossier; it stands until it is lifted."""

    __tablename__ = "dossier_hold"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dossier_id: Mapped[str] = mapped_column(String(26), index=True)
    reason: Mapped[str] = mapped_column(String(200))
    legal_basis: Mapped[str] = mapped_column(String(200))
    placed_by: Mapped[str] = mapped_column(String(64))
    placed_at: Mapped[dt.datetime] = mapped_column(Instant)
    lifted_by: Mapped[str | None] = mapped_column(String(64))
    lifted_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    lift_reason: Mapped[str | None] = mapped_column(String(200))
    lift_legal_basis: Mapped[str | None] = mapped_column(String(200))


class DossierMember(Base):
    """A file of a dossier, with the digests under which it is stored.

    Attributes:
        title: Of a material the title by its item's catalogue, numbered where there are several.
        file_name: One that we gave; what was sent stands encrypted with the material.
        reference: Licence or decision it is a copy of.
        level: PDF/A level that was checked.
        version_id: The version that the manifest names; none before, and where the store keeps no versions.
    """

    __tablename__ = "dossier_member"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    dossier_id: Mapped[str] = mapped_column(String(26))
    position: Mapped[int] = mapped_column(Integer)
    role: Mapped[str] = mapped_column(String(12))
    code: Mapped[str] = mapped_column(String(40))
    title: Mapped[str] = mapped_column(String(200))
    file_name: Mapped[str] = mapped_column(String(200))
    sha256: Mapped[str] = mapped_column(String(64), index=True)
    sm3: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(Integer)
    media_type: Mapped[str] = mapped_column(String(100))
    pages: Mapped[int | None] = mapped_column(Integer)
    level: Mapped[str | None] = mapped_column(String(4))
    material_id: Mapped[str | None] = mapped_column(String(26))
    reference: Mapped[str | None] = mapped_column(String(26))
    sealing_act: Mapped[str | None] = mapped_column(String(64))
    version_id: Mapped[str | None] = mapped_column(String(128))

    __table_args__ = (UniqueConstraint("dossier_id", "position"),)
