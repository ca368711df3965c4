# SPDX-License-Identifier: Apache-2.0
"""Records of one number: what is held of it decides what becomes of the next."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dirty_stock import dirty, in_columns
from license_library import FOOD, GROUNDS, MANAGER, Library
from stock_import import Stock, two_rows_of_a_number
from stock_record import NUMBER, StockDesk

from licenses.errors import LicenseExistsError
from licenses.lifecycle import Status
from licenses.models import License, LicenseEvent
from licenses.stock.models import StockRun
from licenses.stock.profiles import SourceStatus

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
    # A number of its own: what tells is that it took the other one's place.
    replacing = {"previous_id": held["id"], "number": "NEW-NUMBER-1"}
    with stock.database.writing() as uow:
        uow.session.add(License(**held | own | replacing))
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


OLD, NEW, NEWEST = dt.date(2026, 1, 1), dt.date(2026, 10, 1), dt.date(2026, 11, 1)
END = dt.date(2030, 1, 1)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


def taken(
    desk: StockDesk, issued_on: dt.date, status: SourceStatus = SourceStatus.VALID, ahead: int = 0
) -> License:
    made = desk.take_over(issued_on, END, status, ahead=ahead)
    assert made is not None
    return made


def test_a_licence_of_a_number_that_stock_holds_names_what_it_replaces(library: Library) -> None:
    """Else both would be valid at once."""
    held = taken(StockDesk(library), OLD)
    with pytest.raises(LicenseExistsError) as refused:
        library.reserve(FOOD, number=NUMBER, serial="OTHER1")
    assert refused.value.facts == {"rule": "stock-holds-number"}
    with library.database.writing() as uow:
        library.service.revoke(uow, MANAGER, held.identifier, GROUNDS)
    library.clock.advance(1)
    assert library.reserve(FOOD, number=NUMBER, serial="OTHER1").number == NUMBER


@pytest.mark.parametrize("newer_first", [False, True])
def test_until_a_renewal_of_the_stock_is_in_force_what_it_renews_stays_valid(
    library: Library, newer_first: bool
) -> None:
    desk = StockDesk(library)
    first = taken(desk, NEW, ahead=90) if newer_first else taken(desk, OLD)
    second = taken(desk, OLD) if newer_first else taken(desk, NEW, ahead=90)
    older, newer = (second, first) if newer_first else (first, second)
    assert [library.status(one) for one in (older, newer)] == [Status.VALID, Status.NOT_ACTIVATED]
    library.clock.advance(90 * 86_400)
    assert [library.status(one) for one in (older, newer)] == [Status.SUPERSEDED, Status.VALID]


def test_what_was_withdrawn_at_its_source_replaces_nothing(library: Library) -> None:
    desk = StockDesk(library)
    older, withdrawn = taken(desk, OLD), taken(desk, NEW, SourceStatus.WITHDRAWN)
    assert [library.status(one) for one in (older, withdrawn)] == [Status.VALID, Status.WITHDRAWN]
    newest = taken(desk, NEWEST)
    assert [library.status(one) for one in (older, newest)] == [Status.SUPERSEDED, Status.VALID]


def test_what_was_cancelled_after_it_came_into_force_has_replaced_what_it_renewed(library: Library) -> None:
    desk = StockDesk(library)
    older = taken(desk, OLD)
    taken(desk, NEW, SourceStatus.CANCELLED)
    assert library.status(older) is Status.SUPERSEDED


def test_of_two_that_lie_ahead_the_one_in_force_first_ends_what_is_before_both(library: Library) -> None:
    desk = StockDesk(library)
    older, late, soon = taken(desk, OLD), taken(desk, NEW, ahead=200), taken(desk, NEWEST, ahead=60)
    library.clock.advance(60 * 86_400)
    assert [library.status(one) for one in (older, late, soon)] == [
        Status.SUPERSEDED,
        Status.SUPERSEDED,
        Status.VALID,
    ]


def told(stock: Stock, name: str, **changes: str) -> StockRun:
    """Take over the file of one record with some of its cells changed."""
    cells = in_columns(dirty(13)) | changes
    file = stock.folder / name
    file.write_text(json.dumps([cells], ensure_ascii=False), "utf-8")
    return stock.take_over(file)


@pytest.mark.parametrize(
    ("words", "kinds"),
    [
        (["注销"], ["cancelled"]),
        (["暂停", "吊销"], ["suspended", "revoked"]),
        (["撤销"], ["withdrawn"]),
    ],
)
def test_what_a_later_feed_tells_of_a_licence_becomes_its_events(
    stock: Stock, words: list[str], kinds: list[str]
) -> None:
    assert told(stock, "first.json").accepted == 1
    for place, word in enumerate(words):
        run = told(stock, f"{place}.json", status=word)
        assert (run.accepted, run.report["reasons"]["status-told"]) == (1, 1)
    assert stock.count(License) == 1
    events = stock.rows(LicenseEvent)
    assert [row["kind"] for row in sorted(events, key=lambda row: row["position"])] == ["adopted", *kinds]
    # Who tells it again tells nothing new, and nobody is brought back to life.
    assert told(stock, "again.json", status=words[-1]).report["reasons"]["duplicate"] == 1
    assert told(stock, "back.json").accepted == 0
    assert stock.count(LicenseEvent) == 1 + len(kinds)


def test_a_later_feed_with_another_content_changes_nothing_and_waits_for_a_person(stock: Stock) -> None:
    told(stock, "first.json")
    run = told(stock, "other.json", status="注销", certificate_holder="演示另一家餐饮有限公司")
    assert (run.quarantined, run.report["reasons"]["identifier-taken"]) == (1, 1)
    assert stock.count(LicenseEvent) == 1


def test_of_two_rows_of_one_file_none_ends_the_other(stock: Stock) -> None:
    cells = in_columns(dirty(13))
    file = stock.folder / "both.json"
    file.write_text(json.dumps([cells, cells | {"status": "注销"}], ensure_ascii=False), "utf-8")
    assert stock.take_over(file).report["reasons"]["identifier-taken"] == 1
    assert [row["kind"] for row in stock.rows(LicenseEvent)] == ["adopted"]


@pytest.mark.parametrize("days", [("2020-01-05", "2021-01-05"), ("2021-01-05", "2020-01-05")])
def test_rows_of_a_number_without_identifiers_are_versions_of_one_licence(
    stock: Stock, days: tuple[str, str]
) -> None:
    rows = [in_columns(dirty(13)) | {"issue_date": day} for day in days]
    for row in rows:
        del row["certificate_source_id"]
    file = stock.folder / "bare.json"
    file.write_text(json.dumps(rows, ensure_ascii=False), "utf-8")
    assert stock.take_over(file).accepted == 2
    made = sorted(stock.rows(License), key=lambda row: row["version"])
    assert [row["version"] for row in made] == [1, 2]
    assert [row["identifier"].split(".")[-2] for row in made] == ["001", "002"]
    older, newer = sorted(made, key=lambda row: row["issued_on"])
    assert newer["previous_id"] == older["id"]
    assert stock.take_over(file).report["reasons"]["duplicate"] == 2
