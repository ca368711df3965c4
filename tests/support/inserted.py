# SPDX-License-Identifier: Apache-2.0
"""The order in which rows were inserted, for tests whose clock stands still between two acts."""

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles


class _InsertionOrder(ColumnElement[str]):
    """Where a row lies: rows of a table that only grows lie in the order of their insertion."""

    inherit_cache = True


@compiles(_InsertionOrder, "sqlite")
def _on_sqlite(*_: object, **__: object) -> str:
    return "rowid"


@compiles(_InsertionOrder, "postgresql")
def _on_postgresql(*_: object, **__: object) -> str:
    return "ctid"


rowid = _InsertionOrder()
