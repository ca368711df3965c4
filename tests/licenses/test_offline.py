# SPDX-License-Identifier: Apache-2.0
"""Judging a licence by file, directory and status list alone."""

import datetime as dt

import pytest

from licenses.identifiers import compose
from licenses.offline import BAD, GOOD, TITLES, OfflineStatus, judge_offline
from licenses.published import Directory, SealEntry
from licenses.status_list import ListedStatus, StatusList, pack

TYPE, ISSUER = "11100000MB0143028R001", "11330105002500287C"
URI = "https://cunzheng.invalid/status-lists/licences"
NOW = dt.datetime(2026, 11, 29, 4, 0, tzinfo=dt.UTC)
SEALS = {
    "ab": SealEntry("ab", (ISSUER,), ("licence",)),
    "cd": SealEntry("cd", (ISSUER,), ("copy",)),
    "ef": SealEntry("ef", ("11339999DEM0010178",), ("licence", "copy")),
}
DIRECTORY = Directory(
    "log", "version", NOW, NOW + dt.timedelta(days=30), {ISSUER: ("局", "Office")}, {TYPE: ("照", "Licence")},
    b"", {"keys": []}, URI, SEALS,
)  # fmt: skip
FILE = {
    "identifier": compose(TYPE, ISSUER, "N1"),
    "type_code": TYPE,
    "issuer_code": ISSUER,
    "issued_on": "2026-05-01",
    "valid_from": "2026-05-01",
    "valid_until": "2026-11-29",
    "status_list": URI,
    "status_index": "5",
}


def listed(status: ListedStatus = ListedStatus.VALID, *, uri: str = URI, days: int = 7) -> StatusList:
    return StatusList(uri, NOW, NOW + dt.timedelta(days=days), pack(8, [(5, status)]))


def judged(
    listing: StatusList | None, at: dt.datetime = NOW, sealed_by: str = "ab", **changes: str
) -> OfflineStatus:
    return judge_offline(FILE | changes, DIRECTORY, listing, at, [sealed_by]).status


def test_what_the_list_calls_valid_is_valid_through_its_last_day_in_shanghai() -> None:
    assert judged(listed()) is OfflineStatus.VALID
    last = dt.datetime(2026, 11, 29, 15, 59, 59, tzinfo=dt.UTC)
    assert judged(listed(), last) is OfflineStatus.VALID
    assert judged(listed(), last + dt.timedelta(seconds=1)) is OfflineStatus.EXPIRED


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        (ListedStatus.INVALID, OfflineStatus.ENDED),
        (ListedStatus.SUSPENDED, OfflineStatus.SUSPENDED),
        (ListedStatus.SUPERSEDED, OfflineStatus.SUPERSEDED),
    ],
)
def test_the_list_says_what_befell_it(entry: ListedStatus, status: OfflineStatus) -> None:
    assert judged(listed(entry)) is status


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"valid_from": "2026-12-01", "valid_until": "2027-12-01"}, OfflineStatus.NOT_ACTIVATED),
        ({"identifier": compose(TYPE, "11330105002500287C", "N1")[:-1] + "?"}, OfflineStatus.METADATA_BROKEN),
        ({"issued_on": ""}, OfflineStatus.METADATA_BROKEN),
        ({"identifier": compose("11100000MB0143028R002", ISSUER, "N1")}, OfflineStatus.FOREIGN),
        ({"issuer_code": "11339999DEM0010178"}, OfflineStatus.FOREIGN),
        ({"status_index": "8"}, OfflineStatus.NOT_LISTED),
        ({"status_index": ""}, OfflineStatus.NOT_LISTED),
        ({"status_index": "-1"}, OfflineStatus.NOT_LISTED),
        ({"status_index": "９"}, OfflineStatus.NOT_LISTED),
        ({"status_list": "https://other.invalid/list"}, OfflineStatus.LIST_FOREIGN),
    ],
)
def test_what_the_file_states_decides(changes: dict[str, str], status: OfflineStatus) -> None:
    assert judged(listed(), **changes) is status


def test_without_a_list_or_with_one_that_is_too_old_or_not_ours_nothing_is_valid() -> None:
    assert judged(None) is OfflineStatus.NOT_LISTED
    assert judged(listed(days=-1)) is OfflineStatus.LIST_TOO_OLD
    assert judged(listed(), NOW + dt.timedelta(days=31)) is OfflineStatus.LIST_TOO_OLD
    assert judged(listed(uri="https://other.invalid/list")) is OfflineStatus.LIST_FOREIGN


def test_every_status_has_words_and_one_of_three_meanings() -> None:
    assert set(TITLES) == set(OfflineStatus)
    assert not GOOD & BAD


@pytest.mark.parametrize("sealed_by", ["cd", "ef", "00", ""])
def test_a_seal_that_the_issuer_has_not_for_licences_makes_none_valid(sealed_by: str) -> None:
    assert judged(listed(), sealed_by=sealed_by) is OfflineStatus.SEAL_FOREIGN


def test_a_copy_is_said_to_be_one_and_ends_with_its_own_term() -> None:
    copy = {"copy_valid_until": "2026-11-28", "copy_purpose": "accept"}
    day = dt.datetime(2026, 11, 28, 15, 59, tzinfo=dt.UTC)
    assert judged(listed(), day, "cd", **copy) is OfflineStatus.COPY_VALID
    assert judged(listed(), day + dt.timedelta(minutes=1), "cd", **copy) is OfflineStatus.COPY_EXPIRED
    assert judged(listed(), day, "ab", **copy) is OfflineStatus.SEAL_FOREIGN
    assert judged(listed(ListedStatus.SUSPENDED), day, "cd", **copy) is OfflineStatus.SUSPENDED
