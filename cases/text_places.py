# SPDX-License-Identifier: Apache-2.0
"""On which line and in which column of a JSON text a value stands, by its JSON pointer.

A person mends a file in an editor: that shows lines, not pointers. The text was read strictly before.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

_SPACE: Final = re.compile(r"[ \t\r\n]*")
_TEXT: Final = re.compile(r'"(?:[^"\\]|\\.)*"')
_REST: Final = re.compile(r"[^\s,\]}]*")


class Place(NamedTuple):
    """Line and column, from 1 on; 0 where nobody can tell."""

    line: int = 0
    column: int = 0


def places_of(text: str) -> Mapping[str, Place]:
    """Give where each value of a JSON document begins, by its pointer; nothing for what is none."""
    scanner = _Scanner(text)
    try:
        scanner.value(0, "")
    except (IndexError, ValueError, RecursionError):
        return {}
    return {pointer: place_at(text, at) for pointer, at in scanner.found.items()}


NOWHERE: Final = Place()


def nearest(places: Mapping[str, Place], pointer: str) -> Place:
    """Give where a value stands, or what would hold it where it is missing."""
    while pointer not in places and pointer:
        pointer = pointer.rpartition("/")[0]
    return places.get(pointer, NOWHERE)


def place_at(text: str, at: int) -> Place:
    """Give line and column of an offset."""
    return Place(text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at))


def pointer(path: Sequence[str | int]) -> str:
    """Write a place as a JSON pointer (RFC 6901)."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)


class _Scanner:
    """Notes where values begin."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.found: dict[str, int] = {}

    def value(self, at: int, path: str) -> int:
        """Note a value and everything in it; give the offset behind it."""
        at = self._space(at)
        self.found[path] = at
        match self._text[at]:
            case "{":
                return self._members(at + 1, path)
            case "[":
                return self._elements(at + 1, path)
            case '"':
                return self._string(at)[1]
            case _:
                return self._end(_REST, at)

    def _members(self, at: int, path: str) -> int:
        at = self._space(at)
        while self._text[at] != "}":
            name, at = self._string(at)
            at = self._space(self.value(self._space(at) + 1, path + pointer([name])))
            if self._text[at] == ",":
                at = self._space(at + 1)
        return at + 1

    def _elements(self, at: int, path: str) -> int:
        at, number = self._space(at), 0
        while self._text[at] != "]":
            at = self._space(self.value(at, f"{path}/{number}"))
            number += 1
            if self._text[at] == ",":
                at = self._space(at + 1)
        return at + 1

    def _string(self, at: int) -> tuple[str, int]:
        end = self._end(_TEXT, at)
        return json.loads(self._text[at:end]), end

    def _space(self, at: int) -> int:
        return self._end(_SPACE, at)

    def _end(self, pattern: re.Pattern[str], at: int) -> int:
        found = pattern.match(self._text, at)
        if found is None:
            raise ValueError("no JSON")
        return found.end()
