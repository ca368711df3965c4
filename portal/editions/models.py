# SPDX-License-Identifier: Apache-2.0
"""Table of proposed and approved editions of data."""

import datetime as dt
from typing import Any

from sqlalchemy import JSON, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class CatalogueEdition(Base):
    """An edition of the items or of the number templates that one person proposed and a second one decides.

    ``digest`` is the SHA-256 of the body's canonical form; ``number`` counts approvals, so that the newest
    edition is known and two approvals never pass each other; it is empty until then.
    """

    __tablename__ = "catalogue_edition"

    id: Mapped[str] = mapped_column(String(26), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    version: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(16), index=True)
    number: Mapped[int | None] = mapped_column(Integer, unique=True)
    body: Mapped[dict[str, Any]] = mapped_column(JSON)
    digest: Mapped[str] = mapped_column(String(64))
    reason_cipher: Mapped[bytes] = mapped_column(LargeBinary)
    proposed_by: Mapped[str] = mapped_column(String(26))
    proposed_at: Mapped[dt.datetime] = mapped_column(Instant)
    expires_at: Mapped[dt.datetime] = mapped_column(Instant)
    decided_by: Mapped[str | None] = mapped_column(String(26))
    decided_at: Mapped[dt.datetime | None] = mapped_column(Instant)
    decision_cipher: Mapped[bytes | None] = mapped_column(LargeBinary)
