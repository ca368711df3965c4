# SPDX-License-Identifier: Apache-2.0
"""Tables of annotated copies 加注件 and of the links by which they are handed out."""

import datetime as dt

from sqlalchemy import Date, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class LicenseCopy(Base):
    """A copy of a licence for one purpose; it is kept whatever becomes of the licence.

    Attributes:
        code: The 128-bit verification code of the copy's QR link, 26 characters.
        state: ``ordered``, ``made`` or ``refused``.
        basis: Kind of access basis on which it was ordered.
        purpose: Published code of what it is for.
        organisation: Who ordered it; empty for the holder.
        valid_until: Last legal date on which it may be relied on.
        status: Status of the licence when the copy was made; other than ``valid`` in archive use only.
        reason: Stable code of why it was refused.
        original_sha256: The sealed file of the licence from which it was made.
        object_sha256: The sealed copy, once made.
        sealing_act: Act id of the sealing.
        usage_id: The record of use that the holder sees.
        step: Id of the step that makes it.
    """

    __tablename__ = "license_copy"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    license_id: Mapped[str] = mapped_column(String(26), index=True)
    holder_id: Mapped[str] = mapped_column(String(26), index=True)
    code: Mapped[str] = mapped_column(String(26), unique=True)
    state: Mapped[str] = mapped_column(String(8))
    basis: Mapped[str] = mapped_column(String(16))
    case_id: Mapped[str | None] = mapped_column(String(26), index=True)
    item_code: Mapped[str | None] = mapped_column(String(64))
    purpose: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[str] = mapped_column(String(64))
    operator: Mapped[str | None] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(40))
    ordered_at: Mapped[dt.datetime] = mapped_column(Instant)
    valid_until: Mapped[dt.date] = mapped_column(Date)
    made_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    status: Mapped[str | None] = mapped_column(String(24))
    reason: Mapped[str | None] = mapped_column(String(40))
    original_sha256: Mapped[str] = mapped_column(String(64))
    object_sha256: Mapped[str | None] = mapped_column(String(64), index=True)
    object_size: Mapped[int | None] = mapped_column(Integer)
    seal_id: Mapped[str | None] = mapped_column(String(26))
    sealing_act: Mapped[str | None] = mapped_column(String(64))
    usage_id: Mapped[str] = mapped_column(String(26))
    step: Mapped[str] = mapped_column(String(26))


class CopyLink(Base):
    """A link by which a copy is handed out once; links end with the installation.

    Attributes:
        secret_hash: SHA-256 of the 128-bit secret, which stands nowhere else.
        actor_id: Who asked for it.
        used_at: When it was used; it is never good again.
    """

    __tablename__ = "license_copy_link"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    copy_id: Mapped[str] = mapped_column(String(26), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    actor_id: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    used_at: Mapped[dt.datetime | None] = mapped_column(Instant)
