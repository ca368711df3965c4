# SPDX-License-Identifier: Apache-2.0
"""Canonical JSON: the subset of RFC 8785 that the ledger writes.

ASCII keys, no floats, integers below 2^53 in size: within these limits sorted compact JSON is
byte-identical to JCS. What lies outside is refused rather than written differently.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

_INTEGER_LIMIT = 2**53

Json = None | bool | int | str | Sequence["Json"] | Mapping[str, "Json"]


def canonical(value: Json) -> bytes:
    """Write canonical JSON; raises ``ValueError`` for what the subset excludes."""
    if type(value) is not str:
        _check(value)
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def parse_canonical(data: bytes) -> Json:
    """Read JSON and refuse (``ValueError``) anything that :func:`canonical` would write differently."""
    value: Any = orjson.loads(data)
    # Re-encoding settles everything but floats and, where there can be any, keys that are not ASCII.
    if not data.isascii():
        _check(value)
    elif isinstance(value, float) or (isinstance(value, dict | list) and _holds_float(value)):
        raise ValueError("float")
    try:
        again = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_STRICT_INTEGER)
    except orjson.JSONEncodeError as error:
        raise ValueError("integer too large") from error
    if again != data:
        raise ValueError("not canonical")
    read: Json = value
    return read


def _holds_float(value: dict[str, Any] | list[Any]) -> bool:
    for item in value.values() if isinstance(value, dict) else value:
        kind = type(item)
        if kind is float or ((kind is dict or kind is list) and _holds_float(item)):
            return True
    return False


def _check(value: Json) -> None:
    # Each act and each decision comes by here several times: the usual types first, by what they are.
    kind = type(value)
    items: Iterable[Json]
    if kind is list or kind is tuple:
        items = value  # type: ignore[assignment]  # a list or tuple by its type
    elif isinstance(value, dict) or isinstance(value, Mapping):  # noqa: SIM101 - the second costs ten times the first
        if not all(map(str.isascii, value)):
            raise ValueError("key not ASCII")
        items = value.values()
    else:
        _check_single(value)
        return
    for item in items:
        kind = type(item)
        if (
            kind is str
            or item is None
            or kind is bool
            or (kind is int and -_INTEGER_LIMIT < item < _INTEGER_LIMIT)  # type: ignore[operator]  # an int by its type
        ):
            continue
        _check(item)


def _check_single(value: Json) -> None:
    if value is None or isinstance(value, (bool, str)):
        return
    if isinstance(value, int):
        if abs(value) >= _INTEGER_LIMIT:
            raise ValueError("integer too large")
        return
    if not isinstance(value, (list, tuple)):
        raise TypeError(type(value).__name__)
    for item in value:
        _check(item)
