# SPDX-License-Identifier: Apache-2.0
"""Rows as they stand in an act's detail, complete, so that replaying the details rebuilds the tables.

JSON has no bytes and no dates: they are written as one-key objects ``{"$b": base64}``,
``{"$t": RFC 3339}``, ``{"$d": ISO date}``; a JSON column is written as ``{"$j": …}``.
"""

import base64
import datetime as dt
from collections.abc import Mapping
from functools import cache
from typing import Any

from sqlalchemy import JSON, inspect

from storage.base import Base
from storage.clock import parse_rfc3339, rfc3339
from storage.ledger.canonical import Json


def row_state(row: Base) -> dict[str, Json]:
    """Give ``{"table", "values"}`` of a flushed row: every column."""
    table, columns = _layout(type(row))
    return {"table": table, "values": {name: _encode(getattr(row, key), kind) for key, name, kind in columns}}


@cache
def _layout(mapped: type[Base]) -> tuple[str, tuple[tuple[str, str, Any], ...]]:
    """Give the table's name, and key, name and type of each column; asking the mapper is slow."""
    mapper = inspect(mapped)
    columns = tuple(
        (attribute.key, attribute.columns[0].name, attribute.columns[0].type)
        for attribute in mapper.column_attrs
    )
    return str(mapper.local_table.name), columns  # type: ignore[attr-defined]  # a mapped class has a Table


def row_values(values: Mapping[str, Json]) -> dict[str, Any]:
    """Read back the ``values`` of :func:`row_state`, as a Core insert takes them."""
    return {name: _decode(value) for name, value in values.items()}


def _encode(value: Any, kind: Any) -> Json:  # noqa: ANN401 - column values and types are of any kind
    if value is None:
        return None
    if isinstance(kind, JSON):
        return {"$j": value}
    if isinstance(value, bytes):
        return {"$b": base64.b64encode(value).decode()}
    if isinstance(value, dt.datetime):
        return {"$t": rfc3339(value)}
    if isinstance(value, dt.date):
        return {"$d": value.isoformat()}
    if isinstance(value, bool | int | str):
        return value
    raise TypeError(type(value).__name__)


def _decode(value: Json) -> Any:  # noqa: ANN401 - column values are of any kind
    if not isinstance(value, Mapping):
        return value
    ((tag, content),) = value.items()
    if tag == "$j":
        return content
    text = str(content)
    if tag == "$b":
        return base64.b64decode(text, validate=True)
    if tag == "$t":
        return parse_rfc3339(text)
    if tag == "$d":
        return dt.date.fromisoformat(text)
    raise ValueError(tag)
