# SPDX-License-Identifier: Apache-2.0
"""The order in which rows were inserted, for tests whose clock stands still between two acts."""

from sqlalchemy import ColumnElement
from sqlalchemy.ext.compiler import compiles


class _InsertionOrder(ColumnElement[str]):
    """The order in which the rows of a table that only grows were inserted."""

    inherit_cache = True


@compiles(_InsertionOrder, "sqlite")
def _on_sqlite(*_: object, **__: object) -> str:
    return "rowid"


@compiles(_InsertionOrder, "postgresql")
def _on_postgresql(*_: object, **__: object) -> str:
    # By transaction and command: where a row lies depends on which connection found room for it.
    return "(xmin::text::bigint, cmin::text::bigint)"


rowid = _InsertionOrder()
