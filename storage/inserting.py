# SPDX-License-Identifier: Apache-2.0
"""Many rows of one table at once, bound once for all: for tables that an import fills by the million.

SQLAlchemy looks at every value of every row. Here each column is looked at once: only instants, and days
where the driver knows none, are written in another way than they are held.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Date, Dialect, Integer, LargeBinary, String

from storage.base import Base, Instant
from storage.clock import rfc3339

_AS_THEY_ARE: Final = (String, Integer, LargeBinary)


class _Plan(NamedTuple):
    """How rows of a table go to a driver."""

    statement: str
    names: tuple[str, ...]
    written: tuple[tuple[int, Callable[[Any], str]], ...]


def insert_many(connection: Connection, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows by column name: every column of each but a number that the database counts itself.

    Raises:
        KeyError: A row lacks a column.
        TypeError: The table has a column of a type that must be looked at value by value.
    """
    if not rows:
        return
    plan = _plan(model, connection.dialect)
    columns: list[Iterable[Any]] = [tuple(map(itemgetter(name), rows)) for name in plan.names]
    for place, write in plan.written:
        # A block has few instants and few days.
        known = {value: None if value is None else write(value) for value in set(columns[place])}
        columns[place] = map(known.__getitem__, columns[place])
    connection.exec_driver_sql(plan.statement, list(zip(*columns, strict=True)))


def hold_pages(connection: Connection, kibibytes: int) -> None:
    """Let this connection hold so much of an embedded database's file.

    An import meets pages of large indexes at random: where they are not held, each record reads thirty.
    """
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(f"PRAGMA cache_size=-{kibibytes:d}")


@lru_cache(maxsize=64)
def _plan(model: type[Base], dialect: Dialect) -> _Plan:
    table = Base.metadata.tables[model.__tablename__]
    quote = dialect.identifier_preparer.quote
    sign = "?" if dialect.paramstyle == "qmark" else "%s"
    written: list[tuple[int, Callable[[Any], str]]] = []
    columns = [column for column in table.columns if column.autoincrement is not True]
    for place, column in enumerate(columns):
        if isinstance(column.type, Instant):
            written.append((place, rfc3339))
        elif isinstance(column.type, Date):
            written.extend([(place, dt.date.isoformat)] if dialect.name == "sqlite" else [])
        elif not isinstance(column.type, _AS_THEY_ARE):
            raise TypeError(column.name)
    names = tuple(column.name for column in columns)
    listed, signs = ", ".join(map(quote, names)), ", ".join([sign] * len(names))
    # Names are those of our own tables, quoted; values are bound.
    statement = f"INSERT INTO {quote(table.name)} ({listed}) VALUES ({signs})"  # noqa: S608 - see above
    return _Plan(statement, names, tuple(written))
