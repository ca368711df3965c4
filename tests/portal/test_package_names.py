# SPDX-License-Identifier: Apache-2.0
"""What a dossier's package is called, and the time that its files bear."""

import datetime as dt

import pytest

from archive.models import Dossier
from portal.package import entry_time, package_name


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("Z901-ZY·XK·2026·D30-00004", "Z901-ZY.XK.2026.D30-00004.zip"),
        ("Z902-ZY·2026·Y-0001-B1", "Z902-ZY.2026.Y-0001-B1.zip"),
        ("Z901-文书/2026", "3x166fshrhykfr8emq62894pm0.zip"),
        ("../../Z901", "3x166fshrhykfr8emq62894pm0.zip"),
    ],
)
def test_a_package_bears_the_number_that_people_know_or_the_id(number: str, name: str) -> None:
    dossier = Dossier(id="3x166fshrhykfr8emq62894pm0", archival_number=number)
    assert package_name(dossier) == name


def test_files_bear_the_time_that_clocks_in_china_show() -> None:
    assert entry_time(dt.datetime(2026, 12, 31, 16, 30, 5, tzinfo=dt.UTC)) == (2027, 1, 1, 0, 30, 5)
