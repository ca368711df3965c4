# SPDX-License-Identifier: Apache-2.0
"""Tables of calling systems' own keys: public keys, and what they may send only once."""

import datetime as dt

from sqlalchemy import JSON, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class ClientKey(Base):
    """A public key of a client; its private half never left the client.

    ``kid`` is its thumbprint (RFC 7638), so one key belongs to one client and to no other, for ever.
    """

    __tablename__ = "client_key"

    kid: Mapped[str] = mapped_column(String(43), primary_key=True)
    client_id: Mapped[str] = mapped_column(String(26), index=True)
    jwk: Mapped[dict[str, str]] = mapped_column(JSON)
    added_at: Mapped[dt.datetime] = mapped_column(Instant)
    ended_at: Mapped[dt.datetime | None] = mapped_column(Instant)


class ClientNonce(Base):
    """Something that a client may send once: the id of an assertion, or the nonce of a signed call.

    ``digest`` covers kind, client and value; the row stands until whatever it belongs to is too old anyway.
    """

    __tablename__ = "client_nonce"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant, index=True)
