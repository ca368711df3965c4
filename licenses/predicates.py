# SPDX-License-Identifier: Apache-2.0
"""The closed set of predicates on a licence's face, in three-valued (Kleene) logic.

``NOT_MET`` is said only where the face positively denies it; a value that the face does not hold, or holds as
another kind than is asked, is ``UNKNOWN``. There are no free expressions: a rule that needs another predicate
needs a release. Status, issuer and relation of the holder are conditions of the evidence, not predicates on
its face.
"""

import datetime as dt
import enum
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, StrictInt, StrictStr, model_validator

from licenses.faces import FaceValue
from licenses.periods import back_from, is_period
from licenses.values import Plain

CASE_DATE = "case.date"


class Truth(enum.StrEnum):
    """A three-valued answer."""

    MET = "MET"
    NOT_MET = "NOT_MET"
    UNKNOWN = "UNKNOWN"

    # As equal, so hashed: as its text, and not by a call of Python's own at each look into a table.
    __hash__ = str.__hash__


class Answer(enum.StrEnum):
    """What a requirement comes to, the weakest first; an item comes to its weakest requirement."""

    NOT_MET = "NOT_MET"
    UNKNOWN = "UNKNOWN"
    PENDING = "PENDING"
    PROVISIONAL = "PROVISIONAL"
    MET = "MET"

    __hash__ = str.__hash__


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

    __hash__ = str.__hash__


Wanted = str | int | tuple[str, ...] | None
"""What a rule compares with."""


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
        """Ask it of a value; ``None`` or a table without rows means that the face does not hold the field."""
        if value is None or value == []:
            # Faces of stock are incomplete: what they leave out, ``present`` included, they do not deny.
            return Truth.UNKNOWN
        if self.op is Op.PRESENT:
            return Truth.MET
        if isinstance(value, list):
            # Of a table it is asked whether any cell says so; a cell of another kind cannot.
            cells = [cell for row in value for cell in row.values()]
            like = [cell for cell in cells if self._is_like(cell)]
            return any_of(self.test(cell, case_date) for cell in like or cells) if cells else Truth.UNKNOWN
        if not self._is_like(value):
            return Truth.UNKNOWN
        return _ASKED[self.op](self.value, value, case_date)

    def _is_like(self, value: Plain) -> bool:
        """Tell whether a value is of the kind asked for: a number differs from no text, and holds none."""
        if self.op is Op.EQUALS:
            return isinstance(value, str) is isinstance(self.value, str)
        return isinstance(value, str) or self.op not in {Op.IN, Op.CONTAINS}


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


@lru_cache(maxsize=1024)
def _stated(limit: str) -> dt.date | None:
    # What a rule states is the same for everybody; a holder's dates are not remembered.
    return _date(limit)


def _not_before(wanted: Wanted, value: FaceValue, case_date: dt.date) -> Truth:
    day, limit = _date(value), case_date if wanted == CASE_DATE else _stated(str(wanted))
    return Truth.UNKNOWN if day is None or limit is None else _truth(day >= limit)


def _not_after(wanted: Wanted, value: FaceValue, case_date: dt.date) -> Truth:
    day, limit = _date(value), case_date if wanted == CASE_DATE else _stated(str(wanted))
    return Truth.UNKNOWN if day is None or limit is None else _truth(day <= limit)


def _within(wanted: Wanted, value: FaceValue, case_date: dt.date) -> Truth:
    day = _date(value)
    return Truth.UNKNOWN if day is None else _truth(back_from(case_date, str(wanted)) <= day <= case_date)


def _at_least(wanted: Wanted, value: FaceValue, _: dt.date) -> Truth:
    if isinstance(value, int) and isinstance(wanted, int):
        return _truth(value >= wanted)
    return Truth.UNKNOWN


def _at_most(wanted: Wanted, value: FaceValue, _: dt.date) -> Truth:
    if isinstance(value, int) and isinstance(wanted, int):
        return _truth(value <= wanted)
    return Truth.UNKNOWN


_ASKED: Mapping[Op, Callable[[Wanted, FaceValue, dt.date], Truth]] = {
    Op.EQUALS: lambda wanted, value, _: _truth(value == wanted),
    Op.IN: lambda wanted, value, _: _truth(isinstance(wanted, tuple) and value in wanted),
    Op.CONTAINS: lambda wanted, value, _: _truth(str(wanted) in str(value)),
    Op.NOT_BEFORE: _not_before,
    Op.NOT_AFTER: _not_after,
    Op.AT_LEAST: _at_least,
    Op.AT_MOST: _at_most,
    Op.WITHIN: _within,
}


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
