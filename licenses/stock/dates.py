# SPDX-License-Identifier: Apache-2.0
"""Dates as old registers write them, read without guessing: one calendar day, or nothing.

Read are ``20200105``, ``2020-1-5`` with ``-``, ``/`` or ``.``, a left-over sign behind it, a time of day that
is midnight, ``2020年1月5日``, Chinese numerals, and milliseconds since 1970. Which of these forms a source
uses is data of its profile; a form that it does not name is not read.
"""

import datetime as dt
import enum
import re
import unicodedata
from collections.abc import Collection
from functools import lru_cache
from typing import Final, NamedTuple

from storage.clock import legal_date

_YEARS: Final = range(1900, 3000)
_DIGITS: Final = {char: str(value) for value, char in enumerate("零一二三四五六七八九")} | {
    "〇": "0",
    "○": "0",
}
_TENS: Final = {"十": 10, "廿": 20, "卅": 30}
_HAN: Final = "零〇○一二三四五六七八九十廿卅"
_MILLISECONDS: Final = re.compile(r"-?[0-9]{12,13}")
_COMPACT: Final = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_SEPARATED: Final = re.compile(r"([0-9]{4})([-/.])([0-9]{1,2})\2([0-9]{1,2})")
_WORDS: Final = re.compile(r"([0-9]{4})年([0-9]{1,2})月([0-9]{1,2})日?")
_NUMERALS: Final = re.compile(rf"([{_HAN}]{{4}})年([{_HAN}]{{1,3}})月([{_HAN}]{{1,4}})日?")
_MIDNIGHT: Final = re.compile(r"[T ]?00:00(:00(\.0+)?)?(Z|\+08:00)?$")
_INSTANT: Final = re.compile(
    r"([0-9]{8}|[^ T]{8,11})[ T]?[0-9]{1,2}:?[0-9]{2}(?::?[0-9]{2}(?:\.[0-9]+)?)?(?:Z|\+08:00)?"
)
_LEFT_OVER: Final = re.compile(r"[-/.]+$")
_ANY: Final = re.compile(
    rf"[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}|[0-9]{{8}}|[0-9]{{4}}年[0-9]{{1,2}}月[0-9]{{1,2}}日?"
    rf"|[{_HAN}]{{4}}年[{_HAN}]{{1,3}}月[{_HAN}]{{1,4}}日?"
)
_BETWEEN: Final = re.compile(r"\s*(至|到|—+|~|-+|–)\s*")
_AROUND: Final = re.compile(r"\s*(自|从|起|止|有效期:?)?\s*")


class DateForm(enum.StrEnum):
    """How a date is written; ``iso`` is how it is kept."""

    ISO = "iso"
    COMPACT = "compact"
    SEPARATED = "separated"
    WORDS = "words"
    NUMERALS = "numerals"
    MILLISECONDS = "milliseconds"


class ReadDate(NamedTuple):
    """A day, and the form in which it was written."""

    day: dt.date
    form: DateForm


class ReadRange(NamedTuple):
    """Two days that stood in one column."""

    start: ReadDate
    end: ReadDate


@lru_cache(maxsize=1 << 15)
def read_date(text: str) -> ReadDate | None:
    """Read a text that is one date; ``None`` when it is none or more than one."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if len(plain) > 40:
        return None
    if _MILLISECONDS.fullmatch(plain):
        return _from_milliseconds(int(plain))
    plain = _LEFT_OVER.sub("", _MIDNIGHT.sub("", plain)).rstrip()
    found = _COMPACT.fullmatch(plain)
    if found:
        return _day(found[1], found[2], found[3], DateForm.COMPACT)
    found = _SEPARATED.fullmatch(plain)
    if found:
        form = DateForm.ISO if plain == text and len(plain) == 10 and found[2] == "-" else DateForm.SEPARATED
        return _day(found[1], found[3], found[4], form)
    found = _WORDS.fullmatch(plain)
    if found:
        return _day(found[1], found[2], found[3], DateForm.WORDS)
    return _from_numerals(plain)


@lru_cache(maxsize=1 << 13)
def read_range(text: str) -> ReadRange | None:
    """Read a text that holds a first and a last day; ``None`` for anything that is not exactly that."""
    plain = unicodedata.normalize("NFKC", text).strip()
    spans = [found.span() for found in _ANY.finditer(plain)] if len(plain) <= 80 else []
    if len(spans) != 2:
        return None
    (first, second) = spans
    between, before, after = plain[first[1] : second[0]], plain[: first[0]], plain[second[1] :]
    between = between.removeprefix("起").removesuffix("自")
    if not (_BETWEEN.fullmatch(between) and _AROUND.fullmatch(before) and _AROUND.fullmatch(after)):
        return None
    start, end = (read_date(plain[slice(*span)]) for span in spans)
    return None if start is None or end is None else ReadRange(start, end)


def is_allowed(form: DateForm, forms: Collection[str]) -> bool:
    """Tell whether a profile that names these forms reads a date of this form."""
    return form is DateForm.ISO or form in forms


def _day(year: str, month: str, day: str, form: DateForm) -> ReadDate | None:
    if int(year) not in _YEARS:
        return None
    try:
        return ReadDate(dt.date(int(year), int(month), int(day)), form)
    except ValueError:
        return None


def _from_milliseconds(number: int) -> ReadDate | None:
    instant = dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(milliseconds=number)
    if instant.year + 1 not in _YEARS:
        return None
    return ReadDate(legal_date(instant), DateForm.MILLISECONDS)


def _from_numerals(plain: str) -> ReadDate | None:
    found = _NUMERALS.fullmatch(plain)
    if found is None or any(char in _TENS for char in found[1]):
        return None
    year = "".join(_DIGITS[char] for char in found[1])
    month, day = _numeral(found[2]), _numeral(found[3])
    if month is None or day is None:
        return None
    return _day(year, str(month), str(day), DateForm.NUMERALS)


def _numeral(text: str) -> int | None:
    """Read a numeral up to 39, with or without a leading zero; ``None`` for no numeral."""
    tens = [place for place, char in enumerate(text) if char in _TENS]
    if not tens:
        digits = "".join(_DIGITS[char] for char in text)
        return int(digits) if len(digits) <= 2 else None
    if len(tens) > 1:
        return None
    before, ten, after = text[: tens[0]], text[tens[0]], text[tens[0] + 1 :]
    if len(before) > 1 or len(after) > 1 or (before and ten != "十"):
        return None
    first = int(_DIGITS[before]) if before else 1
    value = first * 10 if ten == "十" else _TENS[ten]
    if before and not first:
        return None
    return value + (int(_DIGITS[after]) if after else 0)


def day_of_instant(text: str | None) -> dt.date | None:
    """Give the day of a date, with or without a time of day behind it; ``None`` when there is none."""
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text).strip()
    found = _INSTANT.fullmatch(plain)
    read = read_date(found[1] if found else plain)
    return read.day if read else None
