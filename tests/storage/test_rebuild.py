# SPDX-License-Identifier: Apache-2.0
"""Holdings come back from what was published and the key folder alone; what was erased stays erased."""

from pathlib import Path

import pytest
from fakes import ORIGIN, HandClock, make_database
from ledgers import Ledger, act, open_ledger
from sqlalchemy import Table, select

from storage.base import Base
from storage.database import Database
from storage.ledger.errors import RebuildError
from storage.ledger.rebuild import fetch_published, read_items, replay
from storage.steps import StepRow

STEPS = Base.metadata.tables["step"]
TABLES: dict[str, Table] = {"step": STEPS}
COUNT = 300


def fill(ledger: Ledger) -> None:
    """Insert and change rows, each with its act; steps stand for any table."""
    with ledger.database.writing() as uow:
        for number in range(COUNT):
            step = uow.add_step("test.step", f"subject-{number}")
            row = uow.session.get_one(StepRow, step)
            uow.record(act(number, rows=[row], subject=f"holder-{number % 3}"))
    with ledger.database.writing() as uow:
        row = uow.session.scalars(select(StepRow).where(StepRow.subject == "subject-7")).one()
        row.state, row.finished_at = "done", uow.clock.now()
        uow.record(act(rows=[row], subject="holder-1"))
    ledger.clock.advance(60)
    ledger.keeper.tick(hurry=True)


def dump(database: Database) -> list[str]:
    with database.reading() as uow:
        return [str(row) for row in uow.session.execute(select(STEPS).order_by(STEPS.c.id))]


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    folder = tmp_path / "first"
    folder.mkdir()
    opened = open_ledger(folder)
    fill(opened)
    return opened


@pytest.fixture
def fresh(tmp_path: Path) -> Database:
    folder = tmp_path / "second"
    folder.mkdir()
    return make_database(folder, HandClock())


def test_replaying_the_published_details_gives_the_same_rows(
    ledger: Ledger, fresh: Database, tmp_path: Path
) -> None:
    size = fetch_published(ledger.store, ORIGIN, tmp_path / "fetched")
    with fresh.writing() as uow:
        items = read_items(tmp_path / "fetched", size)
        rebuilt = replay(uow.session, items, ledger.database.secrets.decrypt, TABLES)
    assert dump(fresh) == dump(ledger.database)
    assert (rebuilt.acts, rebuilt.erased, rebuilt.rows) == (COUNT + 2, 0, {"step": COUNT + 1})
    ledger.close()
    fresh.close()


def test_what_was_erased_is_counted_and_not_rebuilt(ledger: Ledger, fresh: Database, tmp_path: Path) -> None:
    ledger.database.secrets.destroy("holder-1")
    size = fetch_published(ledger.store, ORIGIN, tmp_path / "fetched")
    with fresh.writing() as uow:
        items = read_items(tmp_path / "fetched", size)
        rebuilt = replay(uow.session, items, ledger.database.secrets.decrypt, TABLES)
    assert rebuilt.erased == COUNT // 3 + 1
    assert len(dump(fresh)) == COUNT - COUNT // 3
    ledger.close()
    fresh.close()


def test_a_foreign_key_folder_and_an_unknown_table_stop_the_rebuild(
    ledger: Ledger, fresh: Database, tmp_path: Path
) -> None:
    size = fetch_published(ledger.store, ORIGIN, tmp_path / "fetched")
    for decrypt, tables, rule in (
        (fresh.secrets.decrypt, TABLES, "undecipherable"),
        (ledger.database.secrets.decrypt, {}, "table-unknown"),
    ):
        with pytest.raises(RebuildError, match=rule), fresh.writing() as uow:
            replay(uow.session, read_items(tmp_path / "fetched", size), decrypt, tables)
    assert dump(fresh) == []
    ledger.close()
    fresh.close()


def test_a_bundle_that_is_gone_or_altered_stops_the_rebuild(ledger: Ledger, tmp_path: Path) -> None:
    folder = tmp_path / "fetched"
    size = fetch_published(ledger.store, ORIGIN, folder)
    bundle = folder / "details" / "000"
    data = bundle.read_bytes()
    bundle.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    with pytest.raises(RebuildError, match="detail-digest"):
        list(read_items(folder, size))
    bundle.unlink()
    with pytest.raises(RebuildError, match="bundle-missing"):
        list(read_items(folder, size))
    ledger.close()
