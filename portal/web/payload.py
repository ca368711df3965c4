# SPDX-License-Identifier: Apache-2.0
"""How JSON of callers is read: as RFC 8259 and RFC 7493 say, and no more leniently than any other reader.

What two programs could read differently is refused: a key twice, ``NaN``, another encoding than UTF-8.
"""

import json
from typing import Any, Final, NoReturn

from flask import request
from flask.json.provider import DefaultJSONProvider

from portal.errors import UnsupportedMediaError
from portal.web.access import Rule
from storage.errors import InvalidInputError

JSON: Final = "application/json"
_WITH_BODY: Final = frozenset({"POST", "PUT"})


class StrictJson(DefaultJSONProvider):
    """Reads strictly; writes Chinese as such, in the order in which the fields stand."""

    ensure_ascii = False
    sort_keys = False

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:  # noqa: ANN401 - JSON is anything
        """Read a text, or bytes in UTF-8 without a byte order mark.

        Raises:
            ValueError: It is no such JSON, or too deep or too large a number to be anybody's data.
        """
        text = s.decode("utf-8") if isinstance(s, bytes) else s
        try:
            return json.loads(text, object_pairs_hook=_each_key_once, parse_constant=_refuse, **kwargs)
        except RecursionError:
            raise ValueError("nested too deeply") from None


def require_json(rule: Rule) -> None:
    """Refuse a body that does not call itself JSON where the interface takes nothing else.

    Raises:
        UnsupportedMediaError: It calls itself something else, or nothing.
    """
    if request.method in _WITH_BODY and rule.upload is None and request.mimetype != JSON:
        raise UnsupportedMediaError


def require_each_once() -> None:
    """Refuse a query that names something twice: which of them counts would be anybody's guess.

    Raises:
        InvalidInputError: It does.
    """
    if request.query_string and any(len(values) > 1 for _, values in request.args.lists()):
        raise InvalidInputError(field="query", rule="each name once")


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def _refuse(_name: str) -> NoReturn:
    raise ValueError("no JSON number")
