# SPDX-License-Identifier: Apache-2.0
"""A feed against what was decided here, against its own rows, and against older files of its source."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dirty_stock import dirty, in_columns
from stock_import import ISSUERS, MANAGER, PROFILE, Stock

from licenses.errors import StockStillUndecidedError
from licenses.events import Grounds, history_of, new_event, record_event
from licenses.lifecycle import EventKind, Process
from licenses.models import License, LicenseEvent
from licenses.stock.models import StockQuarantine, StockRun
from licenses.stock.profiles import Profile, ProfileBook
from licenses.stock.quarantine import QuarantineDesk
from storage.database import UnitOfWork

RENEWED = {"certificate_validate_end": "2030-10-16"}
SUSPENDED = {"status": "暂停"}
DAY = 86_400
BLOCKS = pytest.mark.parametrize("block", [1, 2_000])


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Stock]:
    made = Stock(tmp_path)
    # It becomes known on 24 November.
    assert told(made, {}).accepted == 1
    made.clock.advance(7 * DAY)
    yield made
    made.database.close()


@pytest.fixture
def desk(stock: Stock) -> QuarantineDesk:
    return QuarantineDesk(stock.types, ISSUERS, stock.profiles)


def changed(day: int, **cells: str) -> dict[str, str]:
    """Give what a row says that its source changed on a day of November."""
    return {"cd_operation": "变更", "cd_time": f"2026-11-{day:02}", **cells}


def told(stock: Stock, *rows: dict[str, str]) -> StockRun:
    """Take over a file of rows that differ from one record in these cells."""
    file = stock.folder / f"{len(list(stock.folder.glob('*.json')))}.json"
    cells = [in_columns(dirty(13)) | row for row in rows]
    file.write_text(json.dumps(cells, ensure_ascii=False), "utf-8")
    return stock.take_over(file)


def reasons(run: StockRun) -> set[str]:
    return set(run.report["reasons"]) - {"ended-in-source"}


def kinds(stock: Stock) -> list[str]:
    events = sorted(stock.rows(LicenseEvent), key=lambda row: (row["license_id"], row["position"]))
    return [row["kind"] for row in events]


def decided_here(stock: Stock, kind: EventKind, reason: str = "现场检查发现问题") -> None:
    def decide(uow: UnitOfWork) -> None:
        (row,) = stock.rows(License)
        held = uow.session.get_one(License, row["id"])
        history = history_of(uow, held.id)
        event = new_event(uow, MANAGER, held, history, kind, Grounds(reason, "条例第四十条"))
        record_event(uow, MANAGER, held, event)

    stock.database.write(decide)


@pytest.mark.parametrize("reason", ["现场检查发现问题", "存量导入", "存量导入 2026-11-25"])
def test_no_feed_lifts_a_suspension_that_was_decided_here(
    stock: Stock, desk: QuarantineDesk, reason: str
) -> None:
    decided_here(stock, EventKind.SUSPENDED, reason)
    stock.clock.advance(2 * DAY)
    run = told(stock, {"cd_operation": "变更", "cd_time": "2026-12-02"})
    assert (run.quarantined, reasons(run)) == (1, {"valid-again"})
    assert kinds(stock) == ["adopted", "suspended"]


def test_whoever_suspends_anew_here_what_the_source_had_suspended_keeps_it_suspended(stock: Stock) -> None:
    told(stock, changed(25, **SUSPENDED))
    decided_here(stock, EventKind.RESUMED)
    decided_here(stock, EventKind.SUSPENDED)
    stock.clock.advance(2 * DAY)
    assert reasons(told(stock, {"cd_operation": "变更", "cd_time": "2026-12-02"})) == {"valid-again"}


@BLOCKS
def test_rows_of_one_file_are_judged_by_the_days_that_they_name(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("portal.stock.driver.BLOCK", block)
    newest_first = told(stock, changed(28, **SUSPENDED), changed(26))
    assert (newest_first.accepted, newest_first.quarantined) == (1, 1)
    assert reasons(newest_first) == {"status-told", "valid-again"}
    assert kinds(stock) == ["adopted", "suspended"]


@BLOCKS
def test_a_file_that_suspends_and_resumes_in_the_order_of_its_days_is_followed(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("portal.stock.driver.BLOCK", block)
    run = told(stock, changed(26, **SUSPENDED), changed(28))
    assert (run.accepted, reasons(run)) == (2, {"status-told", "resume-told"})
    assert kinds(stock) == ["adopted", "suspended", "resumed"]


@BLOCKS
@pytest.mark.parametrize("rows", [(SUSPENDED, changed(28)), (changed(28, **SUSPENDED), changed(28))])
def test_a_row_that_its_file_does_not_show_to_be_newer_resumes_nothing(
    stock: Stock, monkeypatch: pytest.MonkeyPatch, block: int, rows: tuple[dict[str, str], ...]
) -> None:
    monkeypatch.setattr("portal.stock.driver.BLOCK", block)
    assert reasons(told(stock, *rows)) == {"status-told", "valid-again"}
    assert kinds(stock) == ["adopted", "suspended"]


@pytest.mark.parametrize("old", [SUSPENDED, changed(26, **SUSPENDED), changed(28, **SUSPENDED)])
def test_an_old_file_suspends_nothing_again(stock: Stock, old: dict[str, str]) -> None:
    told(stock, changed(26, **SUSPENDED), changed(28))
    stock.clock.advance(DAY)
    run = told(stock, old)
    assert (run.quarantined, reasons(run)) == (1, {"end-told"})
    assert kinds(stock) == ["adopted", "suspended", "resumed"]
    assert reasons(told(stock, changed(29, **SUSPENDED))) == {"status-told"}


def test_a_file_from_before_what_we_know_suspends_nothing(stock: Stock) -> None:
    assert reasons(told(stock, changed(20, **SUSPENDED))) == {"end-told"}
    # On the very day either may be the later: what is suspended wrongly is the smaller harm.
    assert reasons(told(stock, changed(24, **SUSPENDED))) == {"status-told"}


@pytest.mark.parametrize("word", ["注销", "吊销", "撤销", "暂停"])
def test_an_end_that_is_newer_is_taken_whatever_dates_come_with_it(stock: Stock, word: str) -> None:
    run = told(stock, changed(28, status=word, **RENEWED))
    assert (run.accepted, reasons(run)) == (1, {"status-told"})
    assert len(kinds(stock)) == 2
    assert stock.count(License) == 1


def test_a_cancellation_by_its_operation_is_newer_as_well(stock: Stock) -> None:
    said = changed(28, status="注销", issue_date="2019-10-17") | {"cd_operation": "注销"}
    assert reasons(told(stock, said)) == {"status-told"}
    assert kinds(stock) == ["adopted", "cancelled"]


@pytest.mark.parametrize("said", [{}, changed(20)])
def test_an_end_with_other_dates_that_is_not_shown_to_be_newer_is_followed_by_a_person(
    stock: Stock, desk: QuarantineDesk, said: dict[str, str]
) -> None:
    run = told(stock, {"status": "注销"} | said | RENEWED)
    assert (run.quarantined, reasons(run)) == (1, {"end-told"})
    (waiting,) = stock.rows(StockQuarantine)
    row = stock.database.write(
        lambda uow: desk.follow(uow, MANAGER, waiting["id"], Process.CHANGE, "来源函告已注销")
    )
    (held,) = stock.rows(License)
    assert (row.state, row.license_id) == ("corrected", held["id"])
    assert kinds(stock) == ["adopted", "cancelled"]


def waiting(stock: Stock) -> str:
    (row,) = [row for row in stock.rows(StockQuarantine) if row["state"] == "open"]
    return str(row["id"])


@pytest.mark.parametrize(
    ("before", "said", "obstacle"),
    [
        ({}, RENEWED, ""),
        ({}, {"issue_date": "2019-10-17"}, "backwards"),
        (SUSPENDED, RENEWED, "suspended"),
        (SUSPENDED, {}, ""),
        ({"status": "注销"}, {}, "ended"),
        ({"status": "注销"}, RENEWED, "ended"),
        ({"status": "注销"}, {"status": "吊销"}, "ended"),
    ],
)
def test_following_is_offered_where_it_works_and_else_it_is_said_why_not(
    stock: Stock, desk: QuarantineDesk, before: dict[str, str], said: dict[str, str], obstacle: str
) -> None:
    if before:
        told(stock, before)
    told(stock, said)
    record = waiting(stock)
    held = stock.database.write(lambda uow: desk.read(uow, MANAGER, record)).held
    assert held is not None
    assert (held.obstacle, held.may_follow) == (obstacle, not obstacle)

    def follow() -> str:
        return stock.database.write(
            lambda uow: desk.follow(uow, MANAGER, record, Process.CHANGE, "来源函告").state
        )

    if obstacle:
        with pytest.raises(StockStillUndecidedError):
            follow()
    else:
        assert follow() == "corrected"
        after = stock.database.write(lambda uow: desk.read(uow, MANAGER, record)).held
        assert after is not None
        assert not after.may_follow


@pytest.mark.parametrize(("trust", "kept"), [("B", "C"), ("C", "C"), ("D", "D")])
def test_of_the_levels_of_trust_of_run_and_profile_the_lower_counts(
    stock: Stock, trust: str, kept: str
) -> None:
    unread = {"status": "在业"}
    told(stock, in_columns(dirty(14)) | unread, in_columns(dirty(15)) | unread)
    words = {str(status): list(of) for status, of in PROFILE.status.items()}
    words["valid"].append("在业")
    newer = Profile.model_validate(PROFILE.model_dump() | {"trust": trust, "status": words})
    desk = QuarantineDesk(stock.types, ISSUERS, ProfileBook([newer]))
    first, _ = (row["id"] for row in stock.rows(StockQuarantine))

    def decide(uow: UnitOfWork) -> None:
        desk.correct(uow, MANAGER, first, {"status": "有效"}, "来源函告")
        desk.retry(uow, MANAGER, newer, None, "")

    stock.database.write(decide)
    assert [row["trust"] for row in stock.rows(License)].count(kept) == (3 if kept == "C" else 2)
    assert {row["state"] for row in stock.rows(StockQuarantine)} == {"corrected", "retried"}


def test_other_content_that_is_newer_is_followed_by_a_person_as_the_next_version(
    stock: Stock, desk: QuarantineDesk
) -> None:
    moved = {"certificate_holder": "演示第8号餐饮管理有限公司"}
    assert reasons(told(stock, changed(20, **moved))) == {"identifier-taken"}
    old = waiting(stock)
    stock.database.write(lambda uow: desk.reject(uow, MANAGER, old, "旧数据").id)
    assert reasons(told(stock, changed(28, **moved))) == {"content-told"}
    record = waiting(stock)
    held = stock.database.write(lambda uow: desk.read(uow, MANAGER, record)).held
    assert held is not None
    assert held.may_follow
    stock.database.write(lambda uow: desk.follow(uow, MANAGER, record, Process.CHANGE, "来源函告").id)
    older, newer = sorted(stock.rows(License), key=lambda row: row["version"])
    assert (newer["previous_id"], newer["change"]) == (older["id"], "change")
    assert sorted(kinds(stock)) == ["adopted", "adopted", "superseded"]
    assert reasons(told(stock, changed(28, **moved))) == {"duplicate"}
