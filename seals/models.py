# SPDX-License-Identifier: Apache-2.0
"""The register: seals, what happened to them, and every use. Effective state is computed from events."""

import datetime as dt

from sqlalchemy import JSON, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class Seal(Base):
    """A registered seal (备案): what it is and what it may be used for."""

    __tablename__ = "seal"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    name: Mapped[str] = mapped_column(String(80))
    department: Mapped[str] = mapped_column(String(40), index=True)
    algorithm: Mapped[str] = mapped_column(String(16))
    key_reference: Mapped[str] = mapped_column(String(64))
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    certificate_sha256: Mapped[str] = mapped_column(String(64), unique=True)
    scope: Mapped[dict[str, list[str]]] = mapped_column(JSON)
    registered_at: Mapped[dt.datetime] = mapped_column(Instant)
    registered_by: Mapped[str] = mapped_column(String(64))


class SealEvent(Base):
    """A change of a seal's state; events are only added."""

    __tablename__ = "seal_event"

    seal_id: Mapped[str] = mapped_column(ForeignKey("seal.id"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(12))
    reason: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[str] = mapped_column(String(64))
    at: Mapped[dt.datetime] = mapped_column(Instant)


class Sealing(Base):
    """One use of a seal (用章), refused and abandoned ones included."""

    __tablename__ = "sealing"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    seal_id: Mapped[str | None] = mapped_column(ForeignKey("seal.id"), index=True)
    state: Mapped[str] = mapped_column(String(12))
    department: Mapped[str] = mapped_column(String(40))
    item: Mapped[str] = mapped_column(String(80))
    document_type: Mapped[str] = mapped_column(String(16))
    object_id: Mapped[str] = mapped_column(String(128))
    case_id: Mapped[str | None] = mapped_column(String(26), index=True)
    requested_by: Mapped[str] = mapped_column(String(64))
    requested_at: Mapped[dt.datetime] = mapped_column(Instant)
    stamp: Mapped[dict[str, str] | None] = mapped_column(JSON)
    before_sha256: Mapped[str | None] = mapped_column(String(64))
    after_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    after_sm3: Mapped[str | None] = mapped_column(String(64))
    signed_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    cms_sha256: Mapped[str | None] = mapped_column(String(64))
    token_serial: Mapped[str | None] = mapped_column(String(48))
    sealed_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    finished_at: Mapped[dt.datetime | None] = mapped_column(Instant)

    __table_args__ = (Index("ix_sealing_object_id", "object_id"),)
