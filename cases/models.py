# SPDX-License-Identifier: Apache-2.0
"""Tables of the room: holders and cases."""

import datetime as dt
import enum

from sqlalchemy import Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class HolderKind(enum.StrEnum):
    """Whether a holder is a natural person or an organisation."""

    PERSON = "person"
    ORGANISATION = "organisation"


class CaseState(enum.StrEnum):
    """Whether a case is still being handled; derived, never stored."""

    OPEN = "open"
    CLOSED = "closed"


class Holder(Base):
    """Who holds licences and files cases (持证主体). Code and name are encrypted under the holder's key."""

    __tablename__ = "holder"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    scheme: Mapped[str] = mapped_column(String(3))
    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32))
    code_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    name_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    kind: Mapped[str] = mapped_column(String(12))

    __table_args__ = (UniqueConstraint("scheme", "code_hash", name="uq_holder_code"),)


class Case(Base):
    """A case (办件) as its source system announced it; ``source`` and ``number`` name it."""

    __tablename__ = "case_record"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    source: Mapped[str] = mapped_column(String(64))
    number: Mapped[str] = mapped_column(String(64))
    item_code: Mapped[str] = mapped_column(String(40))
    item_edition: Mapped[str] = mapped_column(String(20))
    holder_id: Mapped[str] = mapped_column(String(26), index=True)
    organisation: Mapped[str] = mapped_column(String(40))
    accepted_at: Mapped[dt.datetime] = mapped_column(Instant)
    closed_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    announced_at: Mapped[dt.datetime] = mapped_column(Instant)

    __table_args__ = (
        UniqueConstraint("source", "number", name="uq_case_record_number"),
        Index("ix_case_record_order", "announced_at", "id"),
        Index("ix_case_record_number", "number"),
        Index("ix_case_record_organisation", "organisation", "announced_at"),
        Index("ix_case_record_closed", "closed_at", "item_code"),
        Index("ix_case_record_item_closed", "item_code", "closed_at"),
    )

    @property
    def state(self) -> CaseState:
        """Tell whether the case is open or closed."""
        return CaseState.OPEN if self.closed_at is None else CaseState.CLOSED
