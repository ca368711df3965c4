# SPDX-License-Identifier: Apache-2.0
"""A later feed under an identifier that is held: it tells of a change, brings back, or a person decides."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from dirty_stock import dirty, in_columns
from stock_import import ISSUERS, MANAGER, Stock

from cases.holders import HolderService
from licenses.errors import StockRecordDecidedError, StockStillUndecidedError, StockWordsError
from licenses.identifiers import parse
from licenses.information import InformationService
from licenses.lifecycle import EventKind, Process, Status
from licenses.models import License, LicenseEvent
from licenses.registered import in_force_under
from licenses.stock.models import StockQuarantine, StockRecord, StockRun
from licenses.stock.quarantine import QuarantineDesk
from storage.clock import legal_date
from storage.identity import PUBLIC

CHANGED = {"cd_operation": "变更", "cd_time": "2026-11-26 10:15:00"}
RENEWED = {"certificate_validate_end": "2030-10-16"}
DAY = 86_400


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Stock]:
    made = Stock(tmp_path)
    assert told(made, "first.json").accepted == 1
    made.clock.advance(3 * DAY)
    yield made
    made.database.close()


@pytest.fixture
def desk(stock: Stock) -> QuarantineDesk:
    return QuarantineDesk(stock.types, ISSUERS, stock.profiles)


def told(stock: Stock, name: str, **changes: str) -> StockRun:
    """Take over the file of one record with some of its cells changed."""
    file = stock.folder / name
    file.write_text(json.dumps([in_columns(dirty(13)) | changes], ensure_ascii=False), "utf-8")
    return stock.take_over(file)


def reasons(run: StockRun) -> set[str]:
    return set(run.report["reasons"])


def kinds(stock: Stock) -> list[str]:
    events = sorted(stock.rows(LicenseEvent), key=lambda row: (row["license_id"], row["position"]))
    return [row["kind"] for row in events]


def versions(stock: Stock) -> list[dict[str, object]]:
    return sorted(stock.rows(License), key=lambda row: row["version"])


@pytest.mark.parametrize(
    ("dates", "change"),
    [
        (RENEWED, "renewal"),
        ({"certificate_validate_end": "2025-04-16"}, "change"),
        ({"issue_date": "2025-10-10", "certificate_validate_start": "2025-10-17", **RENEWED}, "renewal"),
    ],
)
def test_a_change_told_by_its_operation_is_the_next_version(
    stock: Stock, dates: dict[str, str], change: str
) -> None:
    run = told(stock, "changed.json", **CHANGED, **dates)
    assert (run.accepted, reasons(run) >= {"change-told", "version-chained"}) == (1, True)
    older, newer = versions(stock)
    assert (newer["previous_id"], newer["change"]) == (older["id"], change)
    assert parse(str(newer["identifier"])).version == parse(str(older["identifier"])).version + 1 == 2
    assert sorted(kinds(stock)) == ["adopted", "adopted", "superseded"]
    # Who tells it again tells nothing new, and what was told before is old news.
    assert reasons(told(stock, "again.json", **CHANGED, **dates)) >= {"duplicate"}
    assert reasons(told(stock, "old.json")) == {"duplicate"}
    assert len(versions(stock)) == 2


def test_the_information_check_knows_both_versions_by_the_identifier_of_their_source(stock: Stock) -> None:
    """The paper of either bears it."""
    told(stock, "changed.json", **CHANGED, **RENEWED)
    checks = InformationService(stock.holdings, HolderService())
    stated = {
        "identifier": str(versions(stock)[0]["identifier"]),
        "holder_scheme": "001",
        "holder_code": in_columns(dirty(13))["certificate_holder_code"],
    }

    def check(**dates: str) -> int:
        return stock.database.write(lambda uow: checks.check(uow, PUBLIC, stated | dates)).code

    assert check() == check(valid_until="2030-10-16") == 0
    assert check(valid_until="2025-10-16") == 3
    assert check(valid_until="2031-10-16") == 6


def test_an_identifier_of_the_source_leads_to_the_version_in_force(stock: Stock) -> None:
    """So a façade gives the licence that the information check calls valid."""
    told(stock, "changed.json", **CHANGED, **RENEWED)
    older, newer = (str(one["identifier"]) for one in versions(stock))
    begun = versions(stock)[1]["valid_from"] or legal_date(stock.clock.now())
    assert isinstance(begun, dt.date)
    with stock.database.reading() as uow:
        assert in_force_under(uow, older, begun) == newer
        assert in_force_under(uow, older, begun - dt.timedelta(days=1)) == older
        assert in_force_under(uow, newer, begun) == newer
        assert in_force_under(uow, "made-up", begun) == "made-up"


def test_the_next_change_follows_the_last_version(stock: Stock) -> None:
    told(stock, "second.json", **CHANGED, **RENEWED)
    stock.clock.advance(3 * DAY)
    third = {"cd_operation": "U", "cd_time": "20261129080000", "certificate_validate_end": "2035-10-16"}
    assert told(stock, "third.json", **third).accepted == 1
    first, second, last = versions(stock)
    assert [one["version"] for one in (first, second, last)] == [1, 2, 3]
    assert [second["previous_id"], last["previous_id"]] == [first["id"], second["id"]]


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"cd_operation": "新增", "cd_time": "2026-11-26"},
        {"cd_operation": "变更"},
        {"cd_operation": "变更", "cd_time": "when it was"},
        # On the day on which we learned of it, or before: an old file may have come again.
        {"cd_operation": "变更", "cd_time": "2026-11-24 23:59:59"},
        {"cd_operation": "变更", "cd_time": "2026-11-28"},
    ],
)
def test_other_dates_that_nothing_shows_to_be_newer_wait_for_a_person(
    stock: Stock, said: dict[str, str]
) -> None:
    run = told(stock, "other.json", **said, **RENEWED)
    assert (run.quarantined, reasons(run) & {"later-dates", "identifier-taken"}) == (1, {"later-dates"})
    assert kinds(stock) == ["adopted"]


@pytest.mark.parametrize(
    "dates",
    [
        {"issue_date": "2019-10-17"},
        {"certificate_source_id": "JY33990000000014-X", **RENEWED},
    ],
)
def test_what_does_not_go_forward_waits_whatever_operation_is_named(
    stock: Stock, dates: dict[str, str]
) -> None:
    if "certificate_source_id" in dates:
        # What is kept byte for byte has no next version that anybody knows.
        told(stock, "foreign.json", certificate_source_id="JY33990000000014-X", issue_date="2020-11-01")
        stock.clock.advance(DAY)
        dates = {**dates, "issue_date": "2020-11-01"}
    before = stock.count(LicenseEvent)
    run = told(stock, "other.json", **{**CHANGED, "cd_time": "2026-11-28"}, **dates)
    assert (run.accepted, run.quarantined) == (0, 1)
    run = told(stock, "another.json", **CHANGED, **dates)
    assert (run.accepted, run.quarantined) == (0, 1)
    assert stock.count(LicenseEvent) == before


def test_of_two_rows_of_one_file_that_tell_the_same_the_second_is_a_repetition(stock: Stock) -> None:
    cells = in_columns(dirty(13)) | CHANGED | RENEWED
    other = cells | {"certificate_validate_end": "2031-10-16"}
    file = stock.folder / "twice.json"
    file.write_text(json.dumps([cells, cells, other], ensure_ascii=False), "utf-8")
    run = stock.take_over(file)
    assert (run.accepted, run.rejected, run.quarantined) == (1, 1, 1)
    assert reasons(run) >= {"change-told", "duplicate", "later-dates"}


def test_what_is_suspended_resumes_when_its_source_says_so_on_a_later_day(stock: Stock) -> None:
    told(stock, "suspended.json", status="暂停")
    old = told(stock, "old.json", cd_operation="变更", cd_time="2026-11-26")
    assert (old.quarantined, reasons(old)) == (1, {"valid-again"})
    stock.clock.advance(2 * DAY)
    run = told(stock, "resumed.json", cd_operation="变更", cd_time="2026-11-28")
    assert (run.accepted, reasons(run)) == (1, {"resume-told"})
    assert kinds(stock) == ["adopted", "suspended", "resumed"]
    assert reasons(told(stock, "again.json", cd_operation="变更", cd_time="2026-11-28")) == {"duplicate"}


@pytest.mark.parametrize("word", ["注销", "吊销", "撤销"])
def test_what_ended_for_good_is_never_brought_back(stock: Stock, desk: QuarantineDesk, word: str) -> None:
    told(stock, "ended.json", status=word)
    stock.clock.advance(2 * DAY)
    run = told(stock, "back.json", cd_operation="变更", cd_time="2026-11-28")
    assert (run.quarantined, reasons(run)) == (1, {"valid-again"})
    record = waiting(stock)
    with pytest.raises(StockStillUndecidedError):
        stock.database.write(lambda uow: desk.follow(uow, MANAGER, record, Process.CORRECTION, "误传").id)
    assert len(kinds(stock)) == 2


def test_what_is_called_expired_after_its_last_day_tells_nothing_new(stock: Stock) -> None:
    assert reasons(told(stock, "expired.json", status="已过期")) == {"duplicate"}


def test_the_operation_is_read_by_the_words_of_the_source(stock: Stock) -> None:
    assert reasons(told(stock, "word.json", cd_operation="合并")) == {"operation-word"}
    assert reasons(told(stock, "cancel.json", cd_operation="注销")) == {"operation-contradicts"}


def waiting(stock: Stock) -> str:
    (row,) = [row for row in stock.rows(StockQuarantine) if row["state"] == "open"]
    return str(row["id"])


@pytest.mark.parametrize("change", [Process.RENEWAL, Process.CORRECTION])
def test_a_person_follows_other_dates(stock: Stock, desk: QuarantineDesk, change: Process) -> None:
    told(stock, "other.json", **RENEWED)
    record = waiting(stock)
    opened = stock.database.write(lambda uow: desk.read(uow, MANAGER, record))
    assert opened.held is not None
    assert opened.held.license.id == versions(stock)[0]["id"]
    assert (opened.held.status, opened.held.same_holder) == (Status.EXPIRED, True)
    row = stock.database.write(lambda uow: desk.follow(uow, MANAGER, record, change, "来源函告延续"))
    assert row.state == "corrected"
    older, newer = versions(stock)
    assert (row.license_id, newer["previous_id"], newer["change"]) == (newer["id"], older["id"], str(change))
    assert stock.count(StockRecord) == 2
    with stock.database.reading() as uow:
        held = uow.session.get_one(License, newer["id"])
        events = stock.holdings.events(uow, [str(newer["id"]), str(older["id"])])
        assert [one.kind for one in events[str(older["id"])]] == ["adopted", "superseded"]
        assert held.valid_until is not None
        assert held.valid_until > legal_date(uow.clock.now())
    with pytest.raises(StockRecordDecidedError):
        stock.database.write(lambda uow: desk.follow(uow, MANAGER, record, change, "再来"))


def test_a_person_follows_what_resumes(stock: Stock, desk: QuarantineDesk) -> None:
    told(stock, "suspended.json", status="暂停")
    told(stock, "back.json")
    record = waiting(stock)
    with pytest.raises(StockWordsError):
        stock.database.write(lambda uow: desk.follow(uow, MANAGER, record, Process.CHANGE, " ").id)
    row = stock.database.write(lambda uow: desk.follow(uow, MANAGER, record, Process.CHANGE, "已恢复"))
    assert (row.state, row.license_id) == ("corrected", versions(stock)[0]["id"])
    assert kinds(stock) == ["adopted", "suspended", str(EventKind.RESUMED)]


def test_another_content_is_compared_and_followed_by_nobody(stock: Stock, desk: QuarantineDesk) -> None:
    told(stock, "other.json", certificate_holder_code="91339999D00000090P", **RENEWED)
    record = waiting(stock)
    opened = stock.database.write(lambda uow: desk.read(uow, MANAGER, record))
    assert opened.row.reason in {"identifier-taken", "holder-code-invalid"}
    with pytest.raises(StockStillUndecidedError):
        stock.database.write(lambda uow: desk.follow(uow, MANAGER, record, Process.RENEWAL, "延续").id)
