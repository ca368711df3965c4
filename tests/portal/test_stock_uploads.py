# SPDX-License-Identifier: Apache-2.0
"""Uploads of stock: whoever is killed leaves nothing that can be read and nothing that nobody names."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from fakes import HandClock
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from stamping import KilledError
from stock_import import ISSUERS, MANAGER, PROFILE, Stock, check

from documents.errors import FeedRefusedError
from licenses.errors import StockProfileChangedError, StockRunBusyError, StockRunOverError
from licenses.models import License
from licenses.stock.models import StockQuarantine, StockRejection, StockRun
from licenses.stock.profiles import ProfileBook
from licenses.stock.quarantine import QuarantineDesk
from licenses.stock.runs import STOCK_FORGET_STEP, StockRuns
from portal.forgetting import ForgetStep
from portal.stock import driver, steps, uploads
from portal.stock.driver import source_file
from portal.stock.steps import PATIENCE, StockImportStep
from portal.stock.uploads import Uploads
from portal.worker import LEASE, Worker
from storage.clock import RandomIds
from storage.engines import WriteConflictError
from storage.failpoints import FAILPOINTS
from storage.objects.folder import FolderStore
from storage.objects.leftovers import FolderInventory
from storage.objects.server import ObjectsUnavailableError
from storage.secrets import ErasedError, UndecipherableError
from storage.steps import StepRow

STORING = tuple(one for one in FAILPOINTS if one.startswith("stock.upload."))
ENDING = tuple(one for one in FAILPOINTS if one.startswith("stock.import."))


class Sealed:
    """Where the encrypted copy is on its way; a killed process leaves it to the sweep of uploads."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.write_bytes(b"")

    @property
    def sha256(self) -> str:
        return source_file(self.path).sha256

    def write(self, data: bytes) -> int:
        with self.path.open("ab") as file:
            return file.write(data)


class Desk(Stock):
    """A registry with an object store and a worker."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.clock = HandClock()
        self.database._clock = self.clock
        self.objects = FolderStore(folder / "objects")
        self.uploads = Uploads(self.database, self.objects, self.runs)

    def upload(self, file: Path) -> str:
        source = source_file(file)
        run = self.database.write(
            lambda uow: self.runs.start(uow, MANAGER, PROFILE, source, uploaded=True).id
        )
        self.uploads.lay_by(MANAGER, run, file, Sealed(self.folder / "upload-sealed"))
        return run

    def work(self) -> None:
        """Let a worker do what it can, and another one what it left."""
        steps_ = (
            StockImportStep(self.database, self.objects, self.driver),
            ForgetStep(STOCK_FORGET_STEP, self.database.secrets),
        )
        worker = Worker(
            self.database,
            {one.kind: one for one in steps_},
            self.folder / "staging",
            self.clock,
            RandomIds(),
        )
        while worker.run_one():
            pass

    def digests(self) -> list[str]:
        kept = FolderInventory(self.folder / "objects").versions()
        return [one.key.rpartition("/")[2] for one in kept]

    def stored(self) -> list[bytes]:
        return [self.objects.read(sha256) for sha256 in self.digests()]

    def nothing_is_left(self) -> None:
        """Nothing stored can be read, every stored object is named, nothing lies in clear."""
        for blob in self.stored():
            with pytest.raises((ErasedError, UndecipherableError)):
                self.database.secrets.decrypt(blob[4:])
        assert set(self.digests()) <= {row["object_sha256"] for row in self.rows(StockRun)}
        assert not list((self.folder / "staging").rglob("feed*"))
        with self.database.reading() as uow:
            assert set(uow.session.scalars(select(StepRow.state).where(StepRow.kind.like("stock%")))) == {
                "done"
            }


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.database.close()


def dying(point: str) -> Callable[[str], None]:
    died: list[str] = []

    def die(name: str) -> None:
        assert name in FAILPOINTS
        if name == point and not died:
            died.append(name)
            raise KilledError

    return die


def test_an_upload_is_imported_and_its_key_is_gone(desk: Desk) -> None:
    run = desk.upload(desk.dirty(40))
    assert desk.database.secrets.decrypt(desk.stored()[0][4:])
    desk.work()
    (row,) = desk.rows(StockRun)
    assert (row["id"], row["state"], row["read"]) == (run, "done", 40)
    desk.nothing_is_left()


@pytest.mark.parametrize("point", STORING)
def test_an_upload_that_was_killed_is_given_up_and_erased(
    desk: Desk, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = desk.dirty(40)
    with monkeypatch.context() as patch:
        patch.setattr(uploads, "failpoint", dying(point))
        with pytest.raises(KilledError):
            desk.upload(file)
    desk.work()
    (row,) = desk.rows(StockRun)
    assert row["state"] == "arriving"
    with pytest.raises(StockRunBusyError):
        desk.upload(file)
    desk.clock.advance(PATIENCE.total_seconds() + 60)
    desk.work()
    (row,) = desk.rows(StockRun)
    assert (row["state"], row["problem"], row["read"]) == ("failed", "upload-lost", 0)
    desk.nothing_is_left()
    desk.upload(file)
    desk.work()
    assert {row["state"] for row in desk.rows(StockRun)} == {"failed", "done"}


def test_who_was_thought_dead_stores_nothing_that_is_read(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def late(name: str) -> None:
        if name == "stock.upload.after-put":
            desk.clock.advance(PATIENCE.total_seconds() + 60)
            desk.work()

    monkeypatch.setattr(uploads, "failpoint", late)
    with pytest.raises(StockRunOverError):
        desk.upload(desk.dirty(5))
    desk.nothing_is_left()


def test_an_upload_that_the_store_does_not_take_ends_its_run_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise ObjectsUnavailableError

    monkeypatch.setattr(desk.objects, "put", away)
    with pytest.raises(ObjectsUnavailableError):
        desk.upload(desk.dirty(5))
    assert [row["problem"] for row in desk.rows(StockRun)] == ["upload-lost"]
    desk.work()
    desk.nothing_is_left()


@pytest.mark.parametrize("point", ENDING)
def test_a_run_whose_worker_was_killed_at_its_end_leaves_nothing_readable(
    desk: Desk, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.upload(desk.dirty(40))
    monkeypatch.setattr(steps, "failpoint", dying(point))
    with pytest.raises(KilledError):
        desk.work()
    desk.clock.advance(LEASE.total_seconds() + 1)
    desk.work()
    (row,) = desk.rows(StockRun)
    assert (row["state"], row["read"]) == ("done", 40)
    assert row["accepted"] == desk.count(License)
    desk.nothing_is_left()


def test_a_worker_that_was_killed_in_the_middle_leaves_the_file_in_clear_to_nobody(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "BLOCK", 10)
    desk.upload(desk.dirty(40))

    remove = Path.unlink

    def die(path: Path, **given: bool) -> None:
        if path.name == "feed":
            raise KilledError
        remove(path, **given)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", die)
        with pytest.raises(KilledError):
            desk.work()
    assert list((desk.folder / "staging").rglob("feed"))
    desk.clock.advance(LEASE.total_seconds() + 1)
    desk.work()
    desk.nothing_is_left()


def test_an_array_that_breaks_ends_its_run_as_failed_and_keeps_what_was_whole(desk: Desk) -> None:
    file = desk.file(['[{"certificate_number":"1"},{"certificate_number":"2""},{"certificate_number":"3"}]'])
    run_id = desk.start(file)
    with pytest.raises(FeedRefusedError) as caught:
        desk.driver.work(MANAGER, run_id, file, check)
    assert caught.value.facts == {"rule": "file-broken", "line": 1, "column": 54}
    (row,) = desk.rows(StockRun)
    assert (row["state"], row["problem"]) == ("failed", "file-broken")
    assert (row["read"], row["quarantined"], row["rejected"]) == (2, 1, 1)
    (lost,) = desk.rows(StockRejection)
    assert (lost["line"], lost["column"], lost["reason"]) == (1, 54, "row-json")


def test_a_run_ends_when_its_profile_has_another_version(desk: Desk) -> None:
    file = desk.dirty(20)
    run_id = desk.start(file)
    with desk.database.writing() as uow:
        uow.session.execute(update(StockRun).values(profile="provincial-exchange/2025-01"))
    with pytest.raises(StockProfileChangedError):
        desk.driver.work(MANAGER, run_id, file, check)
    (row,) = desk.rows(StockRun)
    assert (row["state"], row["problem"], row["read"]) == ("failed", "stock-profile-changed", 0)
    assert desk.take_over(file).state == "done"


def test_a_decided_record_is_erased_with_its_holder(desk: Desk) -> None:
    desk.take_over(desk.dirty(60))
    with desk.database.reading() as uow:
        waiting = select(StockQuarantine).where(StockQuarantine.reason == "name-masked")
        before = uow.session.scalars(waiting).first()
        assert before is not None
    quarantine = QuarantineDesk(desk.types, ISSUERS, ProfileBook.load())
    changes = {"certificate_holder": "演示已核对餐饮有限公司"}
    row = desk.database.write(lambda uow: quarantine.correct(uow, MANAGER, before.id, changes, "核对"))
    secrets = desk.database.secrets
    opened = desk.database.write(lambda uow: quarantine.read(uow, MANAGER, row.id))
    assert opened.decision == {"reason": "核对", "changes": changes}
    assert "*" in opened.original["certificate_holder"] or "＊" in opened.original["certificate_holder"]
    desk.work()
    # What the ledger holds of the record as it waited is gone with the record's own key …
    with pytest.raises(ErasedError):
        secrets.decrypt(before.original_cipher)
    # … and what is kept goes with the holder's.
    with desk.database.reading() as uow:
        holder = uow.session.get_one(License, row.license_id).holder_id
    secrets.destroy(holder)
    for blob in (row.original_cipher, row.read_cipher, row.decision_cipher):
        with pytest.raises(ErasedError):
            secrets.decrypt(blob or b"")


def test_of_uploads_of_one_file_at_the_same_time_one_begins(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = source_file(desk.dirty(5))
    both, look = threading.Barrier(2), StockRuns.open_run

    def together(*given: Any) -> StockRun | None:
        found = look(desk.runs, *given)
        # Both have looked before either writes, where the database lets them.
        with suppress(threading.BrokenBarrierError):
            both.wait(0.5)
        return found

    def begin(_: int) -> str:
        try:
            return desk.database.write(
                lambda uow: desk.runs.start(uow, MANAGER, PROFILE, source, uploaded=True).id
            )
        except StockRunBusyError as error:
            return error.code

    monkeypatch.setattr(desk.runs, "open_run", together)
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(begin, range(2)))
    assert ended.count("stock-run-busy") == 1
    assert desk.count(StockRun) == 1


def test_no_second_run_of_a_file_can_be_under_way(desk: Desk) -> None:
    desk.start(desk.dirty(5))
    (row,) = desk.rows(StockRun)
    for state, trial in (("open", True), ("failed", False), ("done", False)):
        with desk.database.writing() as uow:
            uow.session.add(StockRun(**row | {"id": RandomIds().new_id(), "state": state, "trial": trial}))
    with pytest.raises((IntegrityError, WriteConflictError)), desk.database.writing() as uow:
        uow.session.add(StockRun(**row | {"id": RandomIds().new_id(), "state": "arriving"}))
