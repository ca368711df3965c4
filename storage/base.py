# SPDX-License-Identifier: Apache-2.0
"""What all tables share: the declarative base with its naming convention, and the type of instants."""

import datetime as dt
from typing import Any

from sqlalchemy import Dialect, MetaData, String, TypeDecorator
from sqlalchemy.orm import DeclarativeBase

from storage.clock import parse_rfc3339, rfc3339


class Instant(TypeDecorator[dt.datetime]):
    """A timezone-aware UTC instant with microseconds, stored as RFC 3339 text that sorts by time."""

    impl = String(27)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - signature given
        """Refuse naive instants."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("instant without a zone")
        return rfc3339(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ANN401, ARG002 - signature given
        """Give the instant in UTC."""
        return None if value is None else parse_rfc3339(str(value))


class Base(DeclarativeBase):
    """The declarative base of every table of every room."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_label)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
