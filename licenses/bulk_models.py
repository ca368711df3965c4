# SPDX-License-Identifier: Apache-2.0
"""Tables of changes of many licences at once."""

import datetime as dt

from sqlalchemy import Date, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class BulkChange(Base):
    """A change of many licences that one manager proposed and another one decides.

    Attributes:
        kind: One of :class:`licenses.bulk_choosing.BulkKind`.
        status: Which status they had to have; none when any.
        count: How many licences were written down.
    """

    __tablename__ = "license_bulk"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    organisation: Mapped[str] = mapped_column(String(40))
    type_code: Mapped[str] = mapped_column(String(21))
    kind: Mapped[str] = mapped_column(String(16))
    status: Mapped[str | None] = mapped_column(String(20))
    until_before: Mapped[dt.date | None] = mapped_column(Date)
    reason: Mapped[str] = mapped_column(String(200))
    legal_basis: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(12))
    count: Mapped[int] = mapped_column(Integer)
    proposed_by: Mapped[str] = mapped_column(String(64))
    proposed_at: Mapped[dt.datetime] = mapped_column(Instant, index=True)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(64))
    decided_at: Mapped[dt.datetime | None] = mapped_column(Instant)


class BulkMember(Base):
    """A licence of such a change, and what became of it: ``waiting``, ``changed`` or ``left``."""

    __tablename__ = "license_bulk_member"

    bulk_id: Mapped[str] = mapped_column(String(26), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    license_id: Mapped[str] = mapped_column(String(26))
    outcome: Mapped[str] = mapped_column(String(8))

    __table_args__ = (Index("ix_license_bulk_member_outcome", "bulk_id", "outcome", "position"),)
