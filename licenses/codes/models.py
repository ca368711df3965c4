# SPDX-License-Identifier: Apache-2.0
"""The table of authorisation codes 用证码."""

import datetime as dt

from sqlalchemy import Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class AuthorisationCode(Base):
    """A code by which one licence may be used for one purpose, a few times, for a short time.

    Attributes:
        secret_hash: SHA-256 of the 128-bit secret, which stands nowhere else.
        mode: ``own``, ``online``, ``delegated`` or ``function``.
        purpose: Published code of what it is for.
        case_id: The open case that it is for, for ``online`` and ``function``.
        delegate_hash: Keyed hash of the scheme and code of whom the holder named, for ``delegated``.
        actor_id: Who had it made; for ``online`` and ``function`` nobody else may use it, neither another
            operator of the same system nor the same person for another office.
        uses: How often it was used.
        revoked_at: When its holder revoked it.
    """

    __tablename__ = "license_code"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    mode: Mapped[str] = mapped_column(String(10))
    license_id: Mapped[str] = mapped_column(String(26))
    holder_id: Mapped[str] = mapped_column(String(26), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    case_id: Mapped[str | None] = mapped_column(String(26))
    item_code: Mapped[str | None] = mapped_column(String(64))
    delegate_hash: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    actor_id: Mapped[str] = mapped_column(String(64))
    operator: Mapped[str | None] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(40))
    made_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    uses: Mapped[int] = mapped_column(Integer)
    revoked_at: Mapped[dt.datetime | None] = mapped_column(Instant)
