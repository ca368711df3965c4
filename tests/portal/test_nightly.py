# SPDX-License-Identifier: Apache-2.0
"""Every night one worker compares index and records, and what came of it stands where people look."""

import datetime as dt
import threading
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from prometheus_client import generate_latest
from sqlalchemy import select

from indexer.document import IndexDocument
from indexer.embedded import EmbeddedIndex
from portal.index_keeping import IndexKeeper
from portal.metrics import make_registry
from portal.nightly import KIND, Nightly, ReconcileStep, last_reconciled
from portal.readiness import Readiness
from portal.settings import Settings
from portal.worker import Worker
from storage.database import Database
from storage.identity import Role, system_identity
from storage.ledger.sequencer import Sequencer
from storage.steps import StepRow

from .conftest import House
from .test_index_keeping import file_dossiers

AT = dt.time(2, 30)


def opened_at(folder: Path, at: dt.datetime) -> tuple[Database, HandClock]:
    clock = HandClock(at)
    database = make_database(folder, clock)
    sequencer = Sequencer(database, clock, folder / "sequencer.lock")
    sequencer.drain()
    sequencer.close()
    return database, clock


def nights(database: Database) -> list[str]:
    with database.reading() as uow:
        found = uow.session.scalars(select(StepRow.subject).where(StepRow.kind == KIND))
        return sorted(found)


def test_a_step_is_added_once_a_night_when_its_hour_has_passed_in_shanghai(tmp_path: Path) -> None:
    # 02:00 in Shanghai.
    database, clock = opened_at(tmp_path, dt.datetime(2026, 11, 23, 18, 0, tzinfo=dt.UTC))
    nightly = Nightly(database, EmbeddedIndex(tmp_path / "index.db"), clock, AT)
    assert not nightly.look()
    clock.advance(31 * 60)
    assert nightly.look()
    assert not nightly.look()
    clock.advance(23 * 3600)
    assert not nightly.look()
    assert nights(database) == ["2026-11-24"]
    # Down for two nights: one comparison makes up for both.
    clock.advance(2 * 24 * 3600)
    assert nightly.look()
    assert nights(database) == ["2026-11-24", "2026-11-26"]


def test_a_new_installation_has_no_night_to_make_up_for(tmp_path: Path) -> None:
    database, clock = opened_at(tmp_path, dt.datetime(2026, 11, 24, 1, 0, tzinfo=dt.UTC))
    assert not Nightly(database, EmbeddedIndex(tmp_path / "index.db"), clock, AT).look()
    clock.advance(24 * 3600)
    assert Nightly(database, EmbeddedIndex(tmp_path / "index.db"), clock, AT).look()


def test_of_many_workers_that_look_at_once_one_adds_the_step(tmp_path: Path) -> None:
    database, clock = opened_at(tmp_path, dt.datetime(2026, 11, 23, 1, 0, tzinfo=dt.UTC))
    clock.advance(24 * 3600)
    added: list[bool] = []
    together = threading.Barrier(8)

    def look() -> None:
        together.wait()
        added.append(Nightly(database, EmbeddedIndex(tmp_path / "index.db"), clock, AT).look())

    workers = [threading.Thread(target=look) for _ in range(8)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(added) == 8
    assert nights(database) == ["2026-11-24"]


def test_an_index_that_lost_most_of_what_is_recorded_is_filled_at_once_and_not_again_within_the_hour(
    house: House,
) -> None:
    rooms = house.rooms
    nightly = Nightly(rooms.database, rooms.index, house.clock, AT)
    assert not nightly.look(), "nothing is recorded"
    file_dossiers(house, 3)
    with rooms.database.writing() as uow:
        uow.add_step("index.put", "dossier:d1", step_id="waits")
    house.clock.advance(3600)
    assert not nightly.look(), "what waits to be put is not lost"
    rooms.index.put(IndexDocument("new", "dossier", "经营", "", "scjg", "Z-9", house.clock.now()))
    with rooms.database.writing() as uow:
        uow.session.get_one(StepRow, "waits").state = "stuck"
    assert nightly.look(), "a stuck one does not keep the others away, nor does one that was put since"
    assert not nightly.look()
    house.clock.advance(3600)
    assert nightly.look()
    IndexKeeper(rooms.database, rooms.index, rooms.holdings).reconcile(system_identity("test"))
    house.clock.advance(3600)
    assert not nightly.look()


@pytest.fixture
def reconciled(house: House, tmp_path: Path) -> House:
    """Give a house whose worker has done a night's step: one dossier was missing, one document was stray."""
    rooms = house.rooms
    file_dossiers(house, 1)
    stray = IndexDocument("stray", "dossier", "经营", "", "scjg", "Z-9", house.clock.now())
    rooms.index.put(stray)
    step = ReconcileStep(IndexKeeper(rooms.database, rooms.index, rooms.holdings), rooms.index.engine)
    with rooms.database.writing() as uow:
        uow.add_step(KIND, "2026-11-24")
    assert Worker(rooms.database, {KIND: step}, tmp_path / "jobs", house.clock, rooms.ids).run_one()
    return house


def test_the_nights_step_repairs_both_ways_and_its_outcome_is_on_record(reconciled: House) -> None:
    assert dict(reconciled.rooms.index.versions()) == {"d1": 2}
    with reconciled.rooms.database.reading() as uow:
        last = last_reconciled(uow)
    assert last is not None
    assert last.repaired == {"missing": 1, "outdated": 0, "ahead": 0, "surplus": 1}
    assert (last.at, last.refused) == (reconciled.clock.now(), 0)


def test_supervisor_and_prometheus_see_the_last_night(reconciled: House) -> None:
    page = reconciled.browser(Role.SUPERVISOR).get("/supervision").text
    line = page.split("索引核对", 1)[1].split("</div>", 1)[0]
    assert "修复 2 件" in line
    rooms, settings = reconciled.rooms, Settings(data=reconciled.staging.parent)
    registry = make_registry(rooms, settings, Readiness(rooms))
    figures = generate_latest(registry).decode()
    assert 'cunzheng_index_repaired{way="missing"} 1.0' in figures
    assert 'cunzheng_index_repaired{way="surplus"} 1.0' in figures
    assert "cunzheng_index_reconciled_timestamp_seconds" in figures


def test_before_the_first_night_nothing_is_claimed(house: House) -> None:
    assert "索引核对" not in house.browser(Role.SUPERVISOR).get("/supervision").text
