# SPDX-License-Identifier: Apache-2.0
"""What lies in an embedded database's log of writes comes into its file, and is there once."""

import resource
import shutil
import sqlite3
from pathlib import Path

import pytest
from fakes import make_database
from sqlalchemy import event, text

from storage import engines
from storage.engines import LOGGED_PAGES, RecordsUnavailableError
from storage.identity import system_identity
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind

pytestmark = pytest.mark.sqlite


def act(number: int) -> Act:
    kind, actor = ActKind.CASE_ANNOUNCED, system_identity("test")
    return Act(kind=kind, actor=actor, object_type="case", object_id=f"case-{number}")


def in_the_file_alone(folder: Path, aside: Path) -> int:
    """Count the acts that the file holds without its log."""
    shutil.copy(folder / "cunzheng.db", aside)
    connection = sqlite3.connect(aside)
    try:
        return int(connection.execute("SELECT count(*) FROM ledger_act").fetchone()[0])
    finally:
        connection.close()


def test_what_was_committed_is_brought_into_the_file(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    database.write_back()
    for number in range(20):
        with database.writing() as uow:
            uow.record(act(number))
    assert in_the_file_alone(tmp_path, tmp_path / "before.db") == 0
    database.write_back()
    assert in_the_file_alone(tmp_path, tmp_path / "after.db") == 20
    database.close()


def test_nobody_who_writes_waits_for_it_or_is_waited_for(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with database.writing() as uow:
        uow.record(act(1))
    with database.writing() as uow:
        uow.record(act(2))
        database.write_back()
        assert in_the_file_alone(tmp_path, tmp_path / "meanwhile.db") == 1
    with database.reading() as uow:
        assert uow.session.scalar(text("SELECT count(*) FROM ledger_act")) == 2
    database.close()


def test_what_is_committed_meanwhile_is_brought_along_once_the_log_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = make_database(tmp_path)
    with database.writing() as uow:
        uow.record(act(1))

    def commit_meanwhile(*told: object) -> None:
        if told[2] == "PRAGMA wal_checkpoint(FULL)":
            with database.writing() as uow:
                uow.record(act(2))

    event.listen(database.engine, "before_cursor_execute", commit_meanwhile)
    monkeypatch.setattr(engines, "LOGGED_PAGES", 2)
    database.write_back()
    assert in_the_file_alone(tmp_path, tmp_path / "after.db") == 2
    database.close()


def test_a_long_log_waits_for_a_writer_not_for_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = make_database(tmp_path)
    with database.writing() as uow:
        uow.record(act(1))
    monkeypatch.setattr(engines, "LOGGED_PAGES", 2)
    with database.writing() as uow:
        uow.record(act(2))
        database.write_back()
    with database.reading() as uow:
        assert uow.session.scalar(text("PRAGMA busy_timeout")) == 30_000
        assert uow.session.scalar(text("SELECT count(*) FROM ledger_act")) == 2
    database.close()


def test_a_file_that_takes_nothing_is_told_and_what_was_committed_stays(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    database.write_back()
    for number in range(50):
        with database.writing() as uow:
            uow.record(act(number))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, ((tmp_path / "cunzheng.db").stat().st_size, before[1]))
    try:
        with pytest.raises(RecordsUnavailableError):
            database.write_back()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    with database.reading() as uow:
        assert uow.session.scalar(text("SELECT count(*) FROM ledger_act")) == 50
    database.write_back()
    assert in_the_file_alone(tmp_path, tmp_path / "after.db") == 50
    database.close()


def test_a_writer_of_another_process_that_is_never_done_is_told_as_a_database_without_an_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, other = make_database(tmp_path), sqlite3.connect(tmp_path / "cunzheng.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    monkeypatch.setattr(engines, "_BUSY_MILLISECONDS", 5)
    with pytest.raises(RecordsUnavailableError), database.writing():
        pytest.fail("two writers at once")
    other.execute("ROLLBACK")
    other.close()
    with database.writing() as uow:
        uow.record(act(1))
    with database.reading() as uow:
        assert uow.session.scalar(text("SELECT count(*) FROM ledger_act")) == 1
    database.close()


def test_without_a_sequencer_a_commit_does_it_in_the_end(tmp_path: Path) -> None:
    database = make_database(tmp_path)
    with database.engine.connect() as connection:
        assert connection.scalar(text("PRAGMA wal_autocheckpoint")) == LOGGED_PAGES
    database.close()
