# SPDX-License-Identifier: Apache-2.0
"""Records of one number: what is held of it decides what becomes of the next."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from stock_import import Stock, two_rows_of_a_number

from licenses.models import License, LicenseEvent

ABANDONED = {"license_id": "n" * 26, "kind": "abandoned"}


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Stock]:
    made = Stock(tmp_path)
    yield made
    made.database.close()


def test_an_older_version_that_comes_later_takes_its_place_in_the_chain(stock: Stock) -> None:
    older, newer = two_rows_of_a_number(stock)
    stock.take_over(newer)
    stock.take_over(older)
    rows = sorted(stock.rows(License), key=lambda row: row["issued_on"])
    assert rows[1]["previous_id"] == rows[0]["id"]
    assert rows[0]["previous_id"] is None
    with stock.database.reading() as uow:
        events = stock.holdings.events(uow, [row["id"] for row in rows])
    assert [one.kind for one in events[rows[0]["id"]]] == ["adopted", "superseded"]
    assert [one.kind for one in events[rows[1]["id"]]] == ["adopted"]


def test_a_feed_adds_no_version_to_what_was_replaced_here(stock: Stock) -> None:
    older, newer = two_rows_of_a_number(stock)
    stock.take_over(older)
    (held,) = stock.rows(License)
    own = {"id": "n" * 26, "identifier": "issued here", "code": "n" * 26, "status_index": 1, "origin": "case"}
    with stock.database.writing() as uow:
        uow.session.add(License(**held | own | {"previous_id": held["id"]}))
    run = stock.take_over(newer)
    assert (run.accepted, run.report["reasons"]) == (0, {"issued-here": 1})


def test_a_record_of_a_number_that_was_issued_here_is_quarantined_however_it_is_spelt(stock: Stock) -> None:
    older, newer = two_rows_of_a_number(stock)
    stock.take_over(older)
    (held,) = stock.rows(License)
    own = {"id": "n" * 26, "identifier": "issued here", "code": "n" * 26, "status_index": 1, "origin": "case"}
    issued = held | own | {"number": held["number"].lower()}
    del issued["folded_number"]
    other = Stock(stock.folder / "other")
    with other.database.writing() as uow:
        uow.session.add(License(**issued))
    run = other.take_over(newer)
    assert (run.accepted, run.report["reasons"]) == (0, {"issued-here": 1})
    with other.database.writing() as uow:
        uow.session.add(LicenseEvent(**stock.rows(LicenseEvent)[0] | ABANDONED))
    # What came to nothing before it was issued holds no number.
    assert other.take_over(older).accepted == 1
    other.database.close()
