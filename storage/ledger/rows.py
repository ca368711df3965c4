# SPDX-License-Identifier: Apache-2.0
"""Rows as they stand in an act's detail, complete, so that replaying the details rebuilds the tables.

JSON has no bytes and no dates: they are written as one-key objects ``{"$b": base64}``,
``{"$t": RFC 3339}``, ``{"$d": ISO date}``; a JSON column is written as ``{"$j": …}``.
"""

import base64
import binascii
import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import JSON, Integer, String, inspect

from storage.base import Base
from storage.clock import parse_rfc3339, rfc3339
from storage.ledger.canonical import Json, canonical

_CANONICAL = orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of one table that were inserted many at once, by column: every column of each.

    Attributes:
        model: Whose table it is.
        rows: Values by column name.
    """

    model: type[Base]
    rows: Sequence[Mapping[str, Any]]

    def encoded(self) -> Iterator[bytes]:
        """Give what :func:`row_state` gives of each, as canonical JSON.

        A million rows: only columns that JSON has no form for are looked at one by one.

        Raises:
            ValueError: A row lacks a column, or has one that the table has not.
        """
        table, columns = _layout(self.model)
        names = {name for _, name, _ in columns}
        special = [(name, kind) for _, name, kind in columns if type(kind) not in {String, Integer}]
        head = b'{"table":' + canonical(table) + b',"values":'
        days: dict[dt.date, orjson.Fragment] = {}
        for row in self.rows:
            if row.keys() != names:
                raise ValueError(table)
            values = dict(row)
            for name, kind in special:
                value = values[name]
                if type(value) is bytes:
                    values[name] = orjson.Fragment(
                        b'{"$b":"' + binascii.b2a_base64(value, newline=False) + b'"}'
                    )
                elif type(value) is dt.datetime or type(value) is dt.date:
                    # Rows of one block have one instant, and few days.
                    if value not in days:
                        days[value] = orjson.Fragment(canonical(_encode(value, kind)))
                    values[name] = days[value]
                elif value is not None:
                    values[name] = _encode(value, kind)
            yield head + orjson.dumps(values, option=_CANONICAL) + b"}"


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
