# SPDX-License-Identifier: Apache-2.0
"""The closed set of predicates on a licence's face, in three-valued (Kleene) logic.

``NOT_MET`` is said only where the face positively denies it; a value that the face does not hold is
``UNKNOWN``. There are no free expressions: a rule that needs another predicate needs a release.
Status, issuer and relation of the holder are conditions of the evidence, not predicates on its face.
"""

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from licenses.faces import FaceValue
from licenses.periods import back_from, is_period

CASE_DATE = "case.date"


class Truth(enum.StrEnum):
    """A three-valued answer."""

    MET = "MET"
    NOT_MET = "NOT_MET"
    UNKNOWN = "UNKNOWN"


class Answer(enum.StrEnum):
    """What a requirement comes to, the weakest first; an item comes to its weakest requirement."""

    NOT_MET = "NOT_MET"
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    PROVISIONAL = "PROVISIONAL"
    MET = "MET"


def all_of(values: Iterable[Truth]) -> Truth:
    """Kleene AND: one denial denies, one unknown leaves unknown."""
    seen = set(values)
    if Truth.NOT_MET in seen:
        return Truth.NOT_MET
    return Truth.UNKNOWN if Truth.UNKNOWN in seen else Truth.MET


def any_of(values: Iterable[Truth]) -> Truth:
    """Kleene OR: one confirmation confirms, one unknown leaves unknown."""
    seen = set(values)
    if Truth.MET in seen:
        return Truth.MET
    return Truth.UNKNOWN if Truth.UNKNOWN in seen else Truth.NOT_MET


class Op(enum.StrEnum):
    """What can be asked of a face field."""

    EQUALS = "equals"
    IN = "in"
    CONTAINS = "contains"
    NOT_BEFORE = "not_before"
    NOT_AFTER = "not_after"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    PRESENT = "present"
    WITHIN = "within"


_DATES = frozenset({Op.NOT_BEFORE, Op.NOT_AFTER})
_NUMBERS = frozenset({Op.AT_LEAST, Op.AT_MOST})


class Predicate(BaseModel):
    """One question on one face field.

    Attributes:
        value: A text, a number, a list of texts for ``in``, a date or ``case.date`` for the date
            comparisons, a period (``P3Y``, ``P30D``) before the case's date for ``within``.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    field: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")
    op: Op
    value: StrictStr | StrictInt | tuple[StrictStr, ...] | None = None

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not _VALUE_FITS[self.op](self.value):
            raise ValueError("value does not fit the predicate")
        return self

    def test(self, value: FaceValue | None, case_date: dt.date) -> Truth:
        """Ask it of a value; ``None`` means that the face does not hold the field."""
        if self.op is Op.PRESENT:
            return _truth(value is not None)
        if value is None:
            return Truth.UNKNOWN
        if isinstance(value, list):
            # Of a table it is asked whether any cell says so.
            return any_of(self.test(cell, case_date) for row in value for cell in row.values())
        if self.op in _DATES or self.op is Op.WITHIN:
            return self._test_date(value, case_date)
        if self.op in _NUMBERS:
            return self._test_number(value)
        return _truth(self._holds_for_text(value))

    def _holds_for_text(self, value: FaceValue) -> bool:
        if self.op is Op.IN:
            return isinstance(self.value, tuple) and value in self.value
        if self.op is Op.CONTAINS:
            return str(self.value) in str(value)
        return value == self.value

    def _test_date(self, value: FaceValue, case_date: dt.date) -> Truth:
        day = _date(value)
        if day is None:
            return Truth.UNKNOWN
        if self.op is Op.WITHIN:
            return _truth(back_from(case_date, str(self.value)) <= day <= case_date)
        limit = case_date if self.value == CASE_DATE else _date(str(self.value))
        if limit is None:
            return Truth.UNKNOWN
        return _truth(day >= limit if self.op is Op.NOT_BEFORE else day <= limit)

    def _test_number(self, value: FaceValue) -> Truth:
        if not (isinstance(value, int) and isinstance(self.value, int)):
            return Truth.UNKNOWN
        return _truth(value >= self.value if self.op is Op.AT_LEAST else value <= self.value)


def value_class(value: FaceValue | None) -> str:
    """Tell what kind of value a face holds, and nothing of the value itself."""
    if value is None:
        return "absent"
    if isinstance(value, list):
        return "table"
    if isinstance(value, int):
        return "number"
    return "text" if _date(value) is None else "date"


def _truth(holds: bool) -> Truth:
    return Truth.MET if holds else Truth.NOT_MET


def _date(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(str(value))
    except ValueError:
        return None


def _is_limit(value: object) -> bool:
    return value == CASE_DATE or (isinstance(value, str) and _date(value) is not None)


_VALUE_FITS: Mapping[Op, Callable[[object], bool]] = {
    Op.EQUALS: lambda value: isinstance(value, str | int),
    Op.IN: lambda value: isinstance(value, tuple) and bool(value),
    Op.CONTAINS: lambda value: isinstance(value, str) and bool(value),
    Op.NOT_BEFORE: _is_limit,
    Op.NOT_AFTER: _is_limit,
    Op.AT_LEAST: lambda value: isinstance(value, int),
    Op.AT_MOST: lambda value: isinstance(value, int),
    Op.PRESENT: lambda value: value is None,
    Op.WITHIN: lambda value: isinstance(value, str) and is_period(value),
}
