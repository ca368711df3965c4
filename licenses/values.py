# SPDX-License-Identifier: Apache-2.0
"""Rules of single values of a licence: data types, lengths, ranges, and a closed set of forms.

There are no free patterns: an expression in data could be made to take for ever, and two readers of a
catalogue would read it in two ways.
"""

import datetime as dt
import enum
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from typing import Final, Protocol

from cases.identifiers import is_resident_id, is_uscc

Plain = str | int
"""One value; a decimal is a text, so that every machine writes the same digits."""


class FieldType(enum.StrEnum):
    """What an item holds; dates are ``YYYY-MM-DD``, decimals digits with at most one point."""

    TEXT = "text"
    DATE = "date"
    INTEGER = "integer"
    DECIMAL = "decimal"
    CHOICE = "choice"


class Pattern(enum.StrEnum):
    """Forms that a text may be held to."""

    USCC = "uscc"
    RESIDENT_ID = "resident-id"
    PERMIT_NUMBER = "permit-number"
    DIVISION = "division"
    YEAR = "year"
    PHONE = "phone"
    SHARE = "share"
    UNIT_NUMBER = "unit-number"


class Ruled(Protocol):
    """What the rules of a value are read from: an item of a type, or a column of a detail."""

    @property
    def type(self) -> FieldType:
        """Data type."""
        ...

    @property
    def max_length(self) -> int:
        """Characters of a text, digits of a number."""
        ...

    @property
    def precision(self) -> int:
        """Digits after the point."""
        ...

    @property
    def min(self) -> str | None:
        """Least value."""
        ...

    @property
    def max(self) -> str | None:
        """Greatest value."""
        ...

    @property
    def pattern(self) -> Pattern | None:
        """Form of a text."""
        ...

    @property
    def values(self) -> tuple[str, ...]:
        """What may be chosen."""
        ...


_DECIMAL: Final = re.compile(r"(?:0|[1-9][0-9]*)(?:\.([0-9]+))?")
_INTEGER: Final = re.compile(r"0|[1-9][0-9]*")
_FRACTION: Final = re.compile(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})")
_PERCENT: Final = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)%")


def _form(expression: str) -> Callable[[str], bool]:
    compiled = re.compile(expression)
    return lambda text: compiled.fullmatch(text) is not None


def share(text: str) -> Fraction | None:
    """Read a share: ``1/2`` or ``50%``, more than nothing and at most all; ``None`` when it is none."""
    part, percent = _FRACTION.fullmatch(text), _PERCENT.fullmatch(text)
    if part is not None:
        read = Fraction(int(part[1]), int(part[2]))
    elif percent is not None:
        read = Fraction(Decimal(percent[1])) / 100
    else:
        return None
    return read if 0 < read <= 1 else None


PATTERNS: Final[Mapping[Pattern, Callable[[str], bool]]] = {
    Pattern.USCC: is_uscc,
    Pattern.RESIDENT_ID: is_resident_id,
    Pattern.PERMIT_NUMBER: _form(r"[0-9A-Za-z\u4e00-\u9fff()（）〔〕\[\]［］【】\-－—/·.]{1,80}"),
    Pattern.DIVISION: _form(r"[1-9][0-9]{5}"),
    Pattern.YEAR: _form(r"(?:19|20)[0-9]{2}"),
    Pattern.PHONE: _form(r"\+?[0-9][0-9-]{4,18}[0-9]"),
    Pattern.SHARE: lambda text: share(text) is not None,
    Pattern.UNIT_NUMBER: _form(r"[0-9]{6}[0-9]{3}[0-9]{3}[A-Z]{2}[0-9]{5}[A-Z][0-9]{8}"),
}

_CONTROL: Final = re.compile(r"[\x00-\x1f\ud800-\udfff]")


def is_date(text: str) -> bool:
    """Tell whether a text is a date as it is stored."""
    try:
        return dt.date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def broken_rule(item: Ruled, value: object) -> str | None:
    """Give the rule that a value breaks; ``None`` when it is well."""
    if item.type is FieldType.INTEGER:
        if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**item.max_length:
            return "integer"
        return None if _within(item, Decimal(value)) else "range"
    if not isinstance(value, str):
        return "text"
    # What is printable holds none of them; most texts are.
    if len(value) > item.max_length or not (value.isprintable() or _CONTROL.search(value) is None):
        return "length-or-control-character"
    return _broken_text(item, value)


def _broken_text(item: Ruled, text: str) -> str | None:
    if item.type is FieldType.CHOICE:
        return None if text in item.values else "choice"
    if item.type is FieldType.DATE:
        return _broken_date(item, text)
    if item.type is FieldType.DECIMAL:
        return _broken_decimal(item, text)
    form = None if item.pattern is None else PATTERNS[item.pattern]
    return None if form is None or form(text) else "pattern"


def _broken_date(item: Ruled, text: str) -> str | None:
    if not is_date(text):
        return "date"
    return None if (item.min or text) <= text <= (item.max or text) else "range"


def _broken_decimal(item: Ruled, text: str) -> str | None:
    read = _DECIMAL.fullmatch(text)
    if read is None or len(read[1] or "") > item.precision:
        return "decimal"
    return None if _within(item, Decimal(text)) else "range"


def is_limit(kind: FieldType, text: str) -> bool:
    """Tell whether a text can be the least or greatest value of a data type."""
    if kind is FieldType.DATE:
        return is_date(text)
    expression = {FieldType.INTEGER: _INTEGER, FieldType.DECIMAL: _DECIMAL}.get(kind)
    return expression is not None and expression.fullmatch(text) is not None


def is_empty_range(kind: FieldType, least: str, greatest: str) -> bool:
    """Tell whether no value lies between two limits of a data type."""
    if kind is FieldType.DATE:
        return least > greatest
    return Decimal(least) > Decimal(greatest)


def from_text(item: Ruled, text: str) -> Plain:
    """Give the value that a text of a definition stands for, such as an example."""
    return int(text) if item.type is FieldType.INTEGER and _INTEGER.fullmatch(text) else text


def _within(item: Ruled, value: Decimal) -> bool:
    least, greatest = item.min, item.max
    return (least is None or value >= Decimal(least)) and (greatest is None or value <= Decimal(greatest))
