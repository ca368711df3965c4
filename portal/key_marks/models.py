# SPDX-License-Identifier: Apache-2.0
"""Table of the marks by which records know the keys that they were made with."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class KeyMark(Base):
    """What one key of the installation is recognised by; it tells nothing of the key itself.

    Attributes:
        name: Which key.
        value: A public key, a digest of one, or a keyed digest of a fixed text.
    """

    __tablename__ = "key_mark"

    name: Mapped[str] = mapped_column(String(16), primary_key=True)
    value: Mapped[str] = mapped_column(String(200))
