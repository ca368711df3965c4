# SPDX-License-Identifier: Apache-2.0
"""Import of stock: every record ends where it must, once, however often the import is interrupted."""

import itertools
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dirty_stock import BUSINESS, EARLIER_BY, FOOD, ISSUER_CODE, Dirty, csv_lines, dirty, in_columns
from sqlalchemy import event, func, select
from stock_import import CLERK, MANAGER, NEIGHBOUR, PROFILE, Stock, check, figures_of, two_rows_of_a_number

from cases.models import Holder
from documents.errors import FeedRefusedError
from licenses.errors import StockProfileUnfitError, StockRunBusyError, StockRunOverError, StockRunUnknownError
from licenses.holdings import STOCK
from licenses.lifecycle import SealState, State, Status, state_after
from licenses.models import License, LicenseEvent, LicenseHolder
from licenses.sharing.models import LicenseChange
from licenses.stock.models import StockQuarantine, StockRecord, StockRejection, StockRun
from licenses.stock.profiles import ProfileBook
from licenses.stock.records import unpacked
from portal.stock import driver
from portal.stock.driver import Figures, source_file
from portal.stock.indexing import stock_documents
from storage.errors import NotPermittedError
from storage.ledger.models import LedgerAct
from storage.secrets import ErasedError

COUNT = 400


@pytest.fixture
def stock(tmp_path: Path) -> Iterator[Stock]:
    made = Stock(tmp_path)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stock]:
    made = Stock(tmp_path_factory.mktemp("imported"))
    made.take_over(made.dirty(COUNT, malformed_every=100))
    yield made
    made.database.close()


RECORDS: list[Dirty] = [dirty(number) for number in range(COUNT)]


def test_every_record_ends_where_it_must(imported: Stock) -> None:
    (run,) = imported.rows(StockRun)
    expected = Counter(record.verdict for record in RECORDS)
    assert run["accepted"] == expected["accepted"] == imported.count(License) == imported.count(StockRecord)
    assert run["quarantined"] == expected["quarantined"] == imported.count(StockQuarantine)
    assert run["rejected"] == expected["rejected"] + COUNT // 100 == imported.count(StockRejection)
    assert run["read"] == run["accepted"] + run["quarantined"] + run["rejected"] == COUNT + COUNT // 100
    assert run["state"] == "done"
    reasons = Counter(record.reason for record in RECORDS if record.reason)
    counted = {code: run["report"]["reasons"][code] for code in reasons}
    # A record may have further reasons; each has at least the one that it was made with.
    assert all(counted[code] >= count for code, count in reasons.items())


def test_a_licence_of_the_stock_has_no_file_no_seal_and_the_trust_of_its_source(imported: Stock) -> None:
    for row in imported.rows(License):
        assert (row["origin"], row["trust"]) == (STOCK, PROFILE.trust)
        assert row["object_sha256"] is row["seal_id"] is row["case_id"] is None
    places = [row["status_index"] for row in imported.rows(License)]
    assert sorted(places) == list(range(len(places)))
    with imported.database.reading() as uow:
        clean = uow.session.scalars(
            select(License).where(License.number == RECORDS[13].cells[_number()])
        ).one()
        now = uow.clock.now()
        assert imported.holdings.seal_state(uow, clean, now) is SealState.DECLARED
        assert imported.holdings.status(uow, clean, now) in {Status.VALID, Status.EXPIRED}
        assert imported.holdings.face(uow, clean)["premises"] == RECORDS[13].face["premises"]


def _number() -> object:
    return next(item for item in RECORDS[0].cells if item == "number")


def test_the_original_stands_encrypted_beside_every_record_that_is_kept(imported: Stock) -> None:
    originals = {}
    with imported.database.reading() as uow:
        for model in (StockRecord, StockQuarantine):
            for row in uow.session.scalars(select(model)):
                assert "演示".encode() not in row.original_cipher
                originals[row.row] = unpacked(uow.secrets.decrypt(row.original_cipher))
    expected = {name: text for name, text in in_columns(RECORDS[1]).items() if text}
    assert originals[2] == expected


def test_every_event_of_the_stock_stands_in_the_feed_of_changes(imported: Stock) -> None:
    events = {row["id"] for row in imported.rows(LicenseEvent)}
    assert events
    assert {row["event_id"] for row in imported.rows(LicenseChange)} == events


def test_words_of_the_source_become_events_and_the_index_learns_the_state(imported: Stock) -> None:
    with imported.database.reading() as uow:
        ids = uow.session.scalars(select(License.id)).all()
        documents = {one.id: one for one in stock_documents(uow, imported.holdings, list(ids))}
        states = Counter(state_after(events) for events in imported.holdings.events(uow, ids).values())
        assert set(documents) == set(ids)
        for one, events in imported.holdings.events(uow, ids).items():
            assert documents[one].state == str(state_after(events))
            assert documents[one].version == 2 * len(events), "recorded and in force"
    ended = sum(record.kind == 8 for record in RECORDS)
    assert (
        sum(states[state] for state in (State.CANCELLED, State.REVOKED, State.WITHDRAWN))
        + states[State.SUSPENDED]
        == ended
    )
    assert states[State.SUPERSEDED] == sum(record.reason == "version-chained" for record in RECORDS)


def test_several_rows_of_a_number_are_a_chain(imported: Stock) -> None:
    chained = next(record for record in RECORDS if record.reason == "version-chained")
    newer = imported.licence(chained.cells["identifier"])  # type: ignore[index]  # items compare as texts
    older = imported.licence(RECORDS[chained.number - EARLIER_BY].cells["identifier"])  # type: ignore[index]  # as above
    assert newer.previous_id == older.id
    assert (older.version, newer.version) == (1, 2)
    with imported.database.reading() as uow:
        events = imported.holdings.events(uow, [older.id])[older.id]
    assert [(one.kind, one.successor_id) for one in events] == [("adopted", None), ("superseded", newer.id)]


def test_a_department_imports_nothing_in_the_name_of_another(stock: Stock) -> None:
    file = stock.dirty(20)
    source = source_file(file)
    run_id = stock.database.write(lambda uow: stock.runs.start(uow, NEIGHBOUR, PROFILE, source).id)
    run = stock.driver.work(NEIGHBOUR, run_id, file, check)
    assert (run.accepted, stock.count(License)) == (0, 0)
    # Rows without a code are not told apart by it, and excluded ones are rejected.
    assert run.report["reasons"]["issuer-foreign"] >= 18


def test_nobody_replaces_what_another_department_manages(stock: Stock) -> None:
    both = {"further_issuers": {"jtys": (ISSUER_CODE,)}, "legacy_types": {"jtys": (FOOD, BUSINESS)}}
    listed = PROFILE.model_copy(update=both)
    older, newer = two_rows_of_a_number(stock)
    stock.take_over(older)
    stock.driver.profiles = ProfileBook([listed])
    source = source_file(newer)
    run_id = stock.database.write(lambda uow: stock.runs.start(uow, NEIGHBOUR, listed, source).id)
    run = stock.driver.work(NEIGHBOUR, run_id, newer, check)
    assert (run.accepted, run.report["reasons"]) == (0, {"held-elsewhere": 1})
    assert [row["kind"] for row in stock.rows(LicenseEvent)] == ["adopted"]


def test_several_holders_are_structured(imported: Stock) -> None:
    together = imported.rows(LicenseHolder)
    assert together
    assert {row["share"] for row in together} == {"1/2"}
    for _, rows in itertools.groupby(together, key=lambda row: row["license_id"]):
        assert [row["position"] for row in rows] == [1, 2]


def test_a_second_import_of_the_same_file_takes_over_nothing_twice(imported: Stock) -> None:
    licences, holders = imported.count(License), imported.count(Holder)
    again = imported.take_over(imported.folder / "feed.csv")
    assert (imported.count(License), imported.count(Holder)) == (licences, holders)
    assert again.accepted == 0
    assert again.report["reasons"]["duplicate"] >= licences


def test_each_act_holds_every_row_and_replays(imported: Stock) -> None:
    found: dict[str, set[str]] = {}
    with imported.database.reading() as uow:
        for act in uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "stock.imported")):
            detail = json.loads(uow.secrets.decrypt(act.detail))
            assert act.subject == "system"
            for row in detail["rows"]:
                found.setdefault(row["table"], set()).add(str(row["values"].get("id")))
    assert {row["id"] for row in imported.rows(License)} == found["license"]
    assert {row["id"] for row in imported.rows(LicenseEvent)} == found["license_event"]
    assert {row["id"] for row in imported.rows(Holder)} == found["holder"]


def test_erasing_a_holder_erases_face_and_original_and_nobody_else_s(stock: Stock) -> None:
    stock.take_over(stock.dirty(30))
    with stock.database.reading() as uow:
        first, *others = uow.session.scalars(select(License).order_by(License.id)).all()
        record = uow.session.get_one(StockRecord, first.id)
        uow.secrets.destroy(first.holder_id)
        for blob in (first.face_cipher, record.original_cipher):
            with pytest.raises(ErasedError):
                uow.secrets.decrypt(blob)
        rest = [one for one in others if one.holder_id != first.holder_id]
        assert rest
        assert all(stock.holdings.face(uow, one) for one in rest)


class Killed(BaseException):
    """As a signal would end the process: nothing gets to clean up the database."""


def kill_after(blocks: int) -> object:
    turn = itertools.count(1)

    def watch(figures: Figures) -> None:
        check(figures)
        if next(turn) == blocks:
            raise Killed

    return watch


@pytest.mark.parametrize("kills", [(1,), (2, 3), (5, 1, 1)])
def test_a_killed_import_goes_on_without_loss_and_without_doubling(
    stock: Stock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kills: tuple[int, ...]
) -> None:
    monkeypatch.setattr(driver, "BLOCK", 30)
    file = stock.dirty(COUNT, malformed_every=100)
    run_id = stock.start(file)
    for blocks in kills:
        with pytest.raises(Killed):
            stock.driver.work(MANAGER, run_id, file, kill_after(blocks))  # type: ignore[arg-type]  # it is one
        (row,) = stock.rows(StockRun)
        assert row["read"] == row["accepted"] + row["quarantined"] + row["rejected"]
        assert row["accepted"] == stock.count(License)
    run = stock.driver.work(MANAGER, run_id, file, check)
    whole = Stock(tmp_path / "whole")
    straight = whole.take_over(whole.dirty(COUNT, malformed_every=100))
    assert figures_of(run) == figures_of(straight)
    assert stock.count(License) == whole.count(License)
    assert stock.count(Holder) == whole.count(Holder)
    assert numbers(stock) == numbers(whole)
    whole.database.close()


def numbers(stock: Stock) -> list[tuple[str, str]]:
    return sorted((row["identifier"], row["number"]) for row in stock.rows(License))


def test_a_unit_that_fails_half_way_leaves_nothing_and_the_cursor_where_it_was(
    stock: Stock, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = stock.dirty(20)
    run_id = stock.start(file)
    with monkeypatch.context() as patch:
        patch.setattr(stock.database.secrets, "key_of", lambda *_: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            stock.driver.work(MANAGER, run_id, file, check)
    assert stock.count(License) == stock.count(StockQuarantine) == 0
    assert stock.rows(StockRun)[0]["read"] == 0
    assert stock.driver.work(MANAGER, run_id, file, check).read == 20


def test_of_two_that_work_on_one_run_one_stops(stock: Stock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "BLOCK", 30)
    file = stock.dirty(90)
    run_id = stock.start(file)

    def overtake(figures: Figures) -> None:
        if figures.read == 30:
            stock.driver.work(MANAGER, run_id, file, check)

    with pytest.raises((StockRunBusyError, StockRunOverError)):
        stock.driver.work(MANAGER, run_id, file, overtake)
    (row,) = stock.rows(StockRun)
    assert (row["read"], row["state"]) == (90, "done")
    assert row["accepted"] == stock.count(License)


@pytest.mark.sqlite
def test_no_look_of_an_import_goes_through_a_whole_table(stock: Stock) -> None:
    stock.take_over(stock.dirty(60))
    asked: list[tuple[str, Any]] = []

    def hear(_c: object, _u: object, statement: str, given: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append((statement, given))

    event.listen(stock.database.engine, "before_cursor_execute", hear)
    stock.take_over(stock.file(csv_lines(60, seed=2), "other.csv"))
    event.remove(stock.database.engine, "before_cursor_execute", hear)
    assert any("FROM holder" in statement for statement, _ in asked)
    with stock.database.reading() as uow:
        connection = uow.session.connection()
        for statement, given in asked:
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given).all()
            grown = ("SCAN holder", "SCAN license", "SCAN stock_record", "SCAN license_event")
            assert not [step for *_, step in plan if str(step).startswith(grown)], statement


def test_a_trial_counts_and_writes_nothing(stock: Stock) -> None:
    file = stock.dirty(COUNT)
    figures = stock.driver.rehearse(MANAGER, file, PROFILE, check)
    assert figures.read == COUNT
    assert stock.count(LedgerAct) == stock.count(StockRun) == 0
    trial = stock.driver.work(MANAGER, stock.start(file, trial=True), file, check)
    assert (trial.read, trial.report) == (
        COUNT,
        {"reasons": dict(figures.reasons), "types": dict(figures.types)},
    )
    assert stock.count(License) == stock.count(StockQuarantine) == 0


def test_a_file_is_imported_by_one_run_at_a_time(stock: Stock) -> None:
    file = stock.dirty(20)
    stock.start(file)
    with pytest.raises(StockRunBusyError):
        stock.start(file)


def test_a_file_that_cannot_be_read_ends_its_run_with_a_code(stock: Stock) -> None:
    file = stock.file(["PK\x03\x04"])
    run_id = stock.start(file)
    with pytest.raises(FeedRefusedError):
        stock.driver.work(MANAGER, run_id, file, check)
    (row,) = stock.rows(StockRun)
    assert (row["state"], row["problem"]) == ("failed", "workbook-damaged")


def test_a_file_that_lacks_a_needed_column_is_refused_naming_the_items(stock: Stock) -> None:
    file = stock.file(["certificate_number,status\n1,有效\n"])
    with pytest.raises(StockProfileUnfitError) as caught:
        stock.driver.rehearse(MANAGER, file, PROFILE, check)
    assert "holder_code" in str(caught.value.facts["items"])


def test_only_a_licence_manager_imports_and_only_the_own_organisation_sees_the_run(stock: Stock) -> None:
    file = stock.dirty(5)
    run_id = stock.start(file)
    source = source_file(file)
    with pytest.raises(NotPermittedError):
        stock.database.write(lambda uow: stock.runs.start(uow, CLERK, PROFILE, source).id)
    with stock.database.reading() as uow:
        with pytest.raises(StockRunUnknownError):
            stock.runs.get(uow, NEIGHBOUR, run_id)
        assert stock.runs.recent(uow, NEIGHBOUR) == []
        assert [one.id for one in stock.runs.recent(uow, MANAGER)] == [run_id]


def test_blocks_of_two_thousand_are_acts_of_a_hundred(imported: Stock) -> None:
    with imported.database.reading() as uow:
        acts = uow.session.scalar(
            select(func.count()).select_from(LedgerAct).where(LedgerAct.kind == "stock.imported")
        )
    assert acts is not None
    assert acts >= (COUNT + COUNT // 100 + 99) // 100
