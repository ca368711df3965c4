# SPDX-License-Identifier: Apache-2.0
"""What is compared, never what is kept: folded permit numbers, masks, and what looks like what."""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

_FOLDED: Final = str.maketrans(
    dict.fromkeys("〔【［[﹝｢《<{", "(")
    | dict.fromkeys("〕】］]﹞｣》>}", ")")
    | dict.fromkeys("—–‐‑−－", "-")
)
_BRACKETS: Final = frozenset("（）〔〕【】［］[]﹝﹞")
_MASKS: Final = frozenset("*＊")
_BLANKS: Final = re.compile(r"\s+")
_HOUSE: Final = re.compile(r"[0-9０-９一二三四五六七八九十]+\s*(号|室|幢|栋|弄|层|单元)")


def folded_number(text: str) -> str:
    """Give a permit number as it is compared: half width, capitals, one kind of bracket, no blanks."""
    if text.isascii() and text.isalnum():
        return text.upper()
    once = _fold(text)
    while (again := _fold(once)) != once:
        # A sign that stood after a blank may join the one before it.
        once = again
    return once


def _fold(text: str) -> str:
    return _BLANKS.sub("", unicodedata.normalize("NFKC", text).translate(_FOLDED).upper())


def has_other_brackets(text: str) -> bool:
    """Tell whether a number is written with brackets that others write in another way."""
    return not _BRACKETS.isdisjoint(text)


def is_masked(text: str) -> bool:
    """Tell whether somebody has put stars over a part of it."""
    return not _MASKS.isdisjoint(text)


@lru_cache(maxsize=1 << 13)
def looks_like_address(text: str, signs: tuple[str, ...]) -> bool:
    """Tell whether a text reads as a place: a house number, or at least two of the profile's signs."""
    return _HOUSE.search(text) is not None or sum(sign in text for sign in signs) > 1


def looks_like_agency(text: str, endings: Sequence[str]) -> bool:
    """Tell whether a text ends as names of authorities do."""
    return text.rstrip(")） ").endswith(tuple(endings))
