# SPDX-License-Identifier: Apache-2.0
"""A resident number is no licence number: number and serial stand in clear in identifiers and addresses."""

from typing import Any

import pytest
from license_library import FOOD, PERSON, Library
from sqlalchemy import func, select

from licenses.errors import LicenseDataError
from licenses.models import License

RESIDENT = PERSON[1]
OTHER_CHECK = RESIDENT[:-1] + "X0123456789"["X0123456789".index(RESIDENT[-1]) - 1]


def reserved(library: Library) -> int:
    with library.database.reading() as uow:
        return uow.session.scalar(select(func.count()).select_from(License)) or 0


@pytest.mark.parametrize(
    ("field", "stated"),
    [
        ("number", {"number": RESIDENT}),
        ("number", {"number": " ".join((RESIDENT[:6], RESIDENT[6:14], RESIDENT[14:])), "serial": "1"}),
        (
            "number",
            {
                "number": RESIDENT.translate(str.maketrans("0123456789", "０１２３４５６７８９")),
                "serial": "1",
            },
        ),
        ("serial", {"number": "N1", "serial": RESIDENT}),
    ],
    ids=["number", "parted", "full width", "serial"],
)
def test_a_resident_number_is_refused_as_number_and_as_serial(
    library: Library, field: str, stated: dict[str, Any]
) -> None:
    with pytest.raises(LicenseDataError) as refused:
        library.reserve(FOOD, **stated)
    assert refused.value.facts == {"field": field, "rule": "resident-number"}
    assert RESIDENT not in str(refused.value)
    assert reserved(library) == 0


def test_eighteen_digits_with_another_check_character_are_a_number(library: Library) -> None:
    assert library.reserve(FOOD, number=OTHER_CHECK).number == OTHER_CHECK
