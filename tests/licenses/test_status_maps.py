# SPDX-License-Identifier: Apache-2.0
"""A status in a ministry's own codes: data, and none where the ministry has none."""

import pytest
from license_library import FOOD

from licenses.catalogue import TypeCatalogue
from licenses.lifecycle import Status
from licenses.status_maps import ministry_code, status_map_of, status_maps

ROAD = "11100000000019713D008"
BUILDING = "11100000000013338W001"
ESTATE = "11100000MB03271699001"


@pytest.mark.parametrize(
    ("type_code", "codes"),
    [
        (BUILDING, {"valid": "01", "suspended": "02", "withdrawn": "03", "cancelled": "04", "revoked": "07"}),
        (ROAD, {"valid": "10", "superseded": "01", "expired": "02", "cancelled": "03", "revoked": "05"}),
        (ESTATE, {"valid": "1", "cancelled": "2"}),
    ],
)
def test_each_ministry_reads_its_own_codes(type_code: str, codes: dict[str, str]) -> None:
    for status, code in codes.items():
        found = ministry_code(type_code, Status(status))
        assert found is not None
        assert found.code == code


def test_what_a_ministry_has_no_code_for_has_none_and_never_a_similar_one() -> None:
    assert ministry_code(ROAD, Status.SUSPENDED) is None
    assert ministry_code(ESTATE, Status.REVOKED) is None
    for one in status_maps().values():
        codes = [code.code for code in one.codes.values()]
        assert len(set(codes)) == len(codes)
        for unsure in (Status.SEAL_UNDETERMINED, Status.SEAL_INVALID, Status.IN_PREPARATION):
            assert unsure not in one.codes


def test_types_of_a_ministry_without_a_map_have_none() -> None:
    assert status_map_of(FOOD) is None
    assert ministry_code(FOOD, Status.VALID) is None
    mapped = {one.code for one in TypeCatalogue.load().all() if status_map_of(one.code)}
    assert {ROAD, ESTATE} <= mapped
