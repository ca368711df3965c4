# SPDX-License-Identifier: Apache-2.0
"""Finds text that is shown as nothing.

Makers of reports write what their font lacks as code 0 of a TrueType font. The validator takes that for a
glyph; other judges, and readers, do not.
"""

from typing import Any

import pikepdf
from pikepdf import Array, Dictionary, Name, String

RULE = "ISO_19005_3:6.2.11.8-1"
_SHOWS = {"Tj", "TJ", "'", '"'}


def main(request: dict[str, Any]) -> dict[str, Any]:
    """Look through ``file``; give ``rules``, empty when every shown code can be a glyph."""
    with pikepdf.open(request["file"], suppress_warnings=True) as pdf:
        for scope in pdf.content_scopes():
            names = _suspects(scope.resources)
            if names and _shows_nothing(scope.content, names):
                return {"rules": [RULE]}
    return {"rules": []}


def _suspects(resources: pikepdf.Object | None) -> set[str]:
    fonts = resources.get(Name.Font) if isinstance(resources, Dictionary) else None
    if not isinstance(fonts, Dictionary):
        return set()
    return {
        str(name)
        for name, font in fonts.items()
        if isinstance(font, Dictionary)
        and font.get(Name.Subtype) == Name.TrueType
        and int(font.get(Name.FirstChar, 0)) == 0
    }


def _shows_nothing(content: pikepdf.Object, names: set[str]) -> bool:
    current, outer = False, []
    for instruction in pikepdf.parse_content_stream(content):
        operator = str(instruction.operator)
        if operator == "Tf":
            current = str(instruction.operands[0]) in names
        elif operator == "q":
            outer.append(current)
        elif operator == "Q":
            current = outer.pop() if outer else False
        elif operator in _SHOWS and current and _has_zero(instruction.operands[-1]):
            return True
    return False


def _has_zero(shown: Any) -> bool:  # noqa: ANN401 - a string, or an array of strings and numbers
    parts = list(shown) if isinstance(shown, Array) else [shown]
    return any(isinstance(part, String) and 0 in bytes(part) for part in parts)
