# SPDX-License-Identifier: Apache-2.0
"""Adds and removes many rows at once: on PostgreSQL as one binary COPY, and by one array of keys."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    LargeBinary,
    String,
    Table,
    TypeDecorator,
    any_,
    delete,
    insert,
    literal,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from storage.base import Base

_TYPES: tuple[tuple[type[TypeEngine[Any]], str], ...] = (
    (BigInteger, "int8"),
    (Integer, "int4"),
    (LargeBinary, "bytea"),
    (String, "varchar"),
)


def append(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Add rows in the session's transaction.

    Args:
        session: On SQLite or PostgreSQL.
        model: The table; its columns are integers, bytes, texts or instants.
        rows: Column name → value, the same columns in each.
    """
    table = Base.metadata.tables[model.__tablename__]
    driver = session.connection().connection.driver_connection
    if not isinstance(driver, psycopg.Connection):
        session.execute(insert(table), list(rows))
        return
    names = list(rows[0])
    binds = [_bind(session, table, name) for name in names]
    columns = ", ".join(names)
    with (
        driver.cursor() as cursor,
        # Names of our own tables and columns; nothing comes from outside.
        cursor.copy(f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)".encode()) as copy,
    ):
        copy.set_types([_type(table, name) for name in names])
        for row in rows:
            copy.write_row([bind(row[name]) for name, bind in zip(names, binds, strict=True)])


def remove(session: Session, key: InstrumentedAttribute[int], values: Sequence[int]) -> None:
    """Remove the rows with these keys in the session's transaction."""
    if session.get_bind().dialect.name == "postgresql":
        # A thousand parameters of their own would cost more than the removal.
        which = key == any_(literal(list(values), ARRAY(BigInteger)))
    else:
        which = key.in_(values)
    session.execute(delete(key.class_).where(which), execution_options={"synchronize_session": False})


def _bind(session: Session, table: Table, name: str) -> Callable[[Any], Any]:
    kind, dialect = table.c[name].type, session.get_bind().dialect
    if isinstance(kind, TypeDecorator):
        return lambda value: kind.process_bind_param(value, dialect)
    return lambda value: value


def _type(table: Table, name: str) -> str:
    kind = table.c[name].type
    kind = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    return next(known for base, known in _TYPES if isinstance(kind, base))
