# SPDX-License-Identifier: Apache-2.0
"""Table of holders' web sessions. Nothing that an identity provider told stands in it."""

import datetime as dt

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class HolderSession(Base):
    """A browser in which a holder is signed in; officials have sessions of another kind.

    Attributes:
        holder_id: The holder; none when we hold nothing of whoever signed in.
        flow_hash: Digest of the sign-in that started it: each completes once.
        elder: Whether pages come in large print unless the person chose otherwise.
    """

    __tablename__ = "holder_session"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    holder_id: Mapped[str | None] = mapped_column(String(26), index=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    flow_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    elder: Mapped[bool]
    started_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)
