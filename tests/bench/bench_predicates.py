# SPDX-License-Identifier: Apache-2.0
"""Six predicates of six kinds on one face, as every decision asks them."""

import datetime as dt
from collections.abc import Iterator
from typing import Final

from measuring import Measurement, rate

from licenses.faces import FaceValue
from licenses.predicates import Op, Predicate, Truth, all_of

ALLOWED: Final = 10.0
"""Microseconds for the six."""
TURNS: Final = 1000
DAY: Final = dt.date(2026, 11, 30)
FACE: Final[dict[str, FaceValue]] = {
    "category": "普通货运",
    "scope": "热食类食品制售；冷食类食品制售",
    "level": "B2",
    "capital": 1_000_000,
    "valid_until": "2028-05-31",
    "issued_on": "2025-06-01",
}
PREDICATES: Final = (
    Predicate(field="category", op=Op.EQUALS, value="普通货运"),
    Predicate(field="scope", op=Op.CONTAINS, value="冷食类"),
    Predicate(field="level", op=Op.IN, value=("A2", "B2")),
    Predicate(field="capital", op=Op.AT_LEAST, value=500_000),
    Predicate(field="valid_until", op=Op.NOT_BEFORE, value="case.date"),
    Predicate(field="issued_on", op=Op.WITHIN, value="P3Y"),
)


def measure() -> Iterator[Measurement]:
    """Ask all six of a face that meets them, so that none is passed over."""
    assert _asked() is Truth.MET

    def work() -> None:
        for _ in range(TURNS):
            _asked()

    yield Measurement("six predicates of six kinds", 1e6 / (rate(work) * TURNS), "µs", "allowed", ALLOWED)


def _asked() -> Truth:
    return all_of(one.test(FACE.get(one.field), DAY) for one in PREDICATES)
