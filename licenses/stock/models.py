# SPDX-License-Identifier: Apache-2.0
"""Tables of the import of stock: runs, what stood in the source beside each licence, what is quarantined."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, Index, Integer, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant

UNDER_WAY = text("state IN ('arriving', 'open') AND NOT trial")


class StockRun(Base):
    """One import of one file; ``read = accepted + quarantined + rejected`` at every commit.

    Attributes:
        profile: Id and version of the mapping profile.
        profile_sha256: Digest of what that version says; none for runs that began before it was kept.
        file_sha256: Digest of the file: a run goes on only with the same bytes.
        object_sha256: Where an uploaded file waits, encrypted under the run's key; none for a local one.
        trial: Whether nothing is taken over, only counted.
        state: ``arriving`` while its upload is stored, ``open``, ``done`` or ``failed``.
        read: Records read so far; where a resumed run goes on.
        report: Counts by reason, and by type.
        problem: Code of what made it fail.
    """

    __tablename__ = "stock_run"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    profile: Mapped[str] = mapped_column(String(60))
    profile_sha256: Mapped[str | None] = mapped_column(String(64))
    file_sha256: Mapped[str] = mapped_column(String(64))
    file_size: Mapped[int] = mapped_column(BigInteger)
    object_sha256: Mapped[str | None] = mapped_column(String(64))
    trial: Mapped[bool]
    organisation: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[str] = mapped_column(String(64))
    trust: Mapped[str] = mapped_column(String(1))
    state: Mapped[str] = mapped_column(String(8))
    read: Mapped[int] = mapped_column(Integer)
    accepted: Mapped[int] = mapped_column(Integer)
    quarantined: Mapped[int] = mapped_column(Integer)
    rejected: Mapped[int] = mapped_column(Integer)
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
    problem: Mapped[str | None] = mapped_column(String(64))
    started_at: Mapped[dt.datetime] = mapped_column(Instant)
    updated_at: Mapped[dt.datetime] = mapped_column(Instant)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Instant)

    __table_args__ = (
        Index("ix_stock_run_organisation", "organisation", "started_at"),
        # Of one file one run is under way at most, whoever asks at the same time.
        Index(
            "uq_stock_run_under_way",
            "organisation",
            "file_sha256",
            unique=True,
            sqlite_where=UNDER_WAY,
            postgresql_where=UNDER_WAY,
        ),
    )


class StockRecord(Base):
    """What stood in the source of a licence that was taken over.

    Attributes:
        row: Number of the record in its file; the unique pair makes taking it over twice impossible.
        reasons: Codes of the remarks, parted by blanks.
        number_key: Keyed digest of type, issuer and folded number: finds further versions and duplicates.
        original_cipher: The record as it was read, under the holder's key.
    """

    __tablename__ = "stock_record"

    license_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(26))
    row: Mapped[int] = mapped_column(Integer)
    reasons: Mapped[str] = mapped_column(String(400))
    number_key: Mapped[bytes] = mapped_column(LargeBinary(16), index=True)
    original_cipher: Mapped[bytes] = mapped_column(LargeBinary)

    __table_args__ = (UniqueConstraint("run_id", "row"),)


class StockQuarantine(Base):
    """A record that a person must look at.

    Its id is the subject of the key that protects it. When it becomes a licence, what is kept of it is
    encrypted anew under the holder's key, and its own is destroyed.

    Attributes:
        reason: The first reason that quarantines it; lists are filtered by it.
        reasons: All codes, parted by blanks.
        state: ``open``, ``corrected``, ``rejected`` or ``retried`` (taken over by a later profile).
        original_cipher: The record as it was read.
        read_cipher: What could be read of it.
        decision_cipher: Why it was corrected or rejected, with what was corrected.
        license_id: What became of it.
    """

    __tablename__ = "stock_quarantine"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    run_id: Mapped[str] = mapped_column(String(26))
    row: Mapped[int] = mapped_column(Integer)
    organisation: Mapped[str] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(40))
    reasons: Mapped[str] = mapped_column(String(400))
    state: Mapped[str] = mapped_column(String(10))
    original_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    read_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    decision_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    license_id: Mapped[str | None] = mapped_column(String(26))

    __table_args__ = (
        UniqueConstraint("run_id", "row"),
        Index("ix_stock_quarantine_waiting", "organisation", "state", "reason", "id"),
    )


class StockRejection(Base):
    """A record that was not taken over and is not kept: where it stood, and why."""

    __tablename__ = "stock_rejection"

    run_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    row: Mapped[int] = mapped_column(Integer, primary_key=True)
    line: Mapped[int] = mapped_column(Integer)
    column: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(String(40))
