# SPDX-License-Identifier: Apache-2.0
"""Quarantined records: read by their own department, corrected, rejected, tried again; every act recorded."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from dirty_stock import dirty
from inserted import rowid
from sqlalchemy import select
from stock_import import CLERK, ISSUERS, MANAGER, NEIGHBOUR, PROFILE, Stock

from licenses.errors import (
    StockRecordDecidedError,
    StockRecordUnknownError,
    StockStillUndecidedError,
    StockWordsError,
)
from licenses.models import License
from licenses.stock.models import StockQuarantine
from licenses.stock.profiles import SourceStatus
from licenses.stock.quarantine import QuarantineDesk
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.ledger.models import LedgerAct

COUNT = 80
STATUS_WORD = next(number for number in range(400) if dirty(number).reason == "status-word")


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Stock]:
    made = Stock(tmp_path)
    made.take_over(made.dirty(max(COUNT, STATUS_WORD + 1)))
    yield made
    made.database.close()


@pytest.fixture
def desk(stock: Stock) -> QuarantineDesk:
    return QuarantineDesk(stock.types, ISSUERS, stock.profiles)


def one(uow: UnitOfWork, reason: str) -> StockQuarantine:
    query = select(StockQuarantine).where(StockQuarantine.reason == reason, StockQuarantine.state == "open")
    found = uow.session.scalars(query.order_by(StockQuarantine.row)).first()
    assert found is not None
    return found


def id_of(stock: Stock, reason: str) -> str:
    with stock.database.reading() as uow:
        return one(uow, reason).id


def kinds(stock: Stock) -> list[str]:
    with stock.database.reading() as uow:
        return list(uow.session.scalars(select(LedgerAct.kind).order_by(LedgerAct.recorded_at, rowid)))


def test_the_list_counts_by_state_and_reason_and_shows_no_content(stock: Stock, desk: QuarantineDesk) -> None:
    with stock.database.reading() as uow:
        page = desk.listed(uow, MANAGER, "open", None, None)
        masked = desk.listed(uow, MANAGER, "open", "name-masked", None)
    assert page.states["open"] == sum(page.reasons.values()) == stock.count(StockQuarantine)
    assert len(masked.rows) == page.reasons["name-masked"]
    assert {row.reason for row in masked.rows} == {"name-masked"}


def test_reading_is_recorded_and_shows_original_and_reading_side_by_side(
    stock: Stock, desk: QuarantineDesk
) -> None:
    record = id_of(stock, "name-masked")
    opened = stock.database.write(lambda uow: desk.read(uow, MANAGER, record))
    assert "*" in opened.original["certificate_holder"] or "＊" in opened.original["certificate_holder"]
    assert "parties" not in opened.read
    assert opened.read["number"] == opened.original["certificate_number"]
    assert kinds(stock)[-1] == "stock.read"


def test_a_correction_takes_the_record_over_and_keeps_what_stood_there(
    stock: Stock, desk: QuarantineDesk
) -> None:
    record, before = id_of(stock, "name-masked"), stock.count(License)
    changes = {"certificate_holder": "演示已核对餐饮有限公司"}
    row = stock.database.write(lambda uow: desk.correct(uow, MANAGER, record, changes, "与企业核对"))
    assert (row.state, row.decided_by) == ("corrected", MANAGER.id)
    assert stock.count(License) == before + 1
    assert kinds(stock)[-2:] == ["stock.imported", "stock.corrected"]
    opened = stock.database.write(lambda uow: desk.read(uow, MANAGER, record))
    assert opened.decision == {"reason": "与企业核对", "changes": changes}
    assert opened.original["certificate_holder"] != changes["certificate_holder"]
    with stock.database.reading() as uow:
        licence = uow.session.get_one(License, row.license_id)
        assert stock.holdings.face(uow, licence)["operator"] == changes["certificate_holder"]


@pytest.mark.parametrize(
    ("changes", "reason", "error"),
    [
        ({"certificate_holder": "演*"}, "核对", StockStillUndecidedError),
        ({"certificate_holder": "演示公司", "status": "待定"}, "核对", StockStillUndecidedError),
        ({"certificate_holder": "演示公司"}, " ", StockWordsError),
        ({"certificate_holder": "演示公司"}, "长" * 201, StockWordsError),
        ({}, "核对", StockWordsError),
    ],
)
def test_a_correction_that_decides_nothing_changes_nothing(
    stock: Stock, desk: QuarantineDesk, changes: dict[str, str], reason: str, error: type[Exception]
) -> None:
    record, before = id_of(stock, "name-masked"), (stock.rows(StockQuarantine), stock.rows(License))
    with pytest.raises(error):
        stock.database.write(lambda uow: desk.correct(uow, MANAGER, record, changes, reason))
    assert (stock.rows(StockQuarantine), stock.rows(License)) == before


def test_a_correction_to_what_is_held_already_is_refused(stock: Stock, desk: QuarantineDesk) -> None:
    record = id_of(stock, "name-masked")
    with stock.database.reading() as uow:
        held = uow.session.scalars(select(License)).first()
        assert held is not None
    changes = {"certificate_holder": "演示公司", "certificate_source_id": held.identifier}
    with pytest.raises(StockStillUndecidedError) as caught:
        stock.database.write(lambda uow: desk.correct(uow, MANAGER, record, changes, "核对"))
    assert str(caught.value.facts["reasons"]) in {"identifier-contradicts", "identifier-taken"}


def test_a_rejection_is_final(stock: Stock, desk: QuarantineDesk) -> None:
    record = id_of(stock, "status-unknown")
    stock.database.write(lambda uow: desk.reject(uow, MANAGER, record, "来源确认无效").id)
    assert kinds(stock)[-1] == "stock.rejected"
    with pytest.raises(StockRecordDecidedError):
        stock.database.write(lambda uow: desk.correct(uow, MANAGER, record, {"status": "有效"}, "核对"))


def test_after_the_profile_learned_a_word_the_records_are_taken_over_in_bulk(
    stock: Stock, desk: QuarantineDesk
) -> None:
    with stock.database.reading() as uow:
        waiting = desk.listed(uow, MANAGER, "open", None, None).reasons["status-word"]
    same = stock.database.write(lambda uow: desk.retry(uow, MANAGER, PROFILE, "status-word", ""))
    assert same == (0, waiting, None)
    suspended = SourceStatus.SUSPENDED
    taught = {**PROFILE.status, suspended: (*PROFILE.status[suspended], "待定")}
    learned = PROFILE.model_copy(update={"status": taught})
    taken = stock.database.write(lambda uow: desk.retry(uow, MANAGER, learned, "status-word", ""))
    assert taken == (waiting, 0, None)
    with stock.database.reading() as uow:
        page = desk.listed(uow, MANAGER, "retried", None, None)
        assert page.states["retried"] == waiting
        assert {uow.session.get_one(License, row.license_id).origin for row in page.rows} == {"stock"}


def test_only_a_licence_manager_of_the_department_sees_and_decides(
    stock: Stock, desk: QuarantineDesk
) -> None:
    record = id_of(stock, "name-masked")
    for who in (NEIGHBOUR, CLERK):
        with pytest.raises(StockRecordUnknownError):
            stock.database.write(lambda uow, who=who: desk.read(uow, who, record))
        with pytest.raises(StockRecordUnknownError):
            stock.database.write(lambda uow, who=who: desk.reject(uow, who, record, "无权").id)
    with stock.database.reading() as uow:
        assert desk.listed(uow, NEIGHBOUR, "open", None, None).rows == []
        with pytest.raises(NotPermittedError):
            desk.listed(uow, CLERK, "open", None, None)
