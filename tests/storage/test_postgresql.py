# SPDX-License-Identifier: Apache-2.0
"""PostgreSQL: each role has its rights and no more, one sequencer writes, and silence is never success."""

import datetime as dt
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import ORIGIN, HandClock
from ledgers import act
from parts import POSTGRESQL, create_role, database_url, servers
from racing import race
from sqlalchemy import func, make_url, select, text
from sqlalchemy.exc import ProgrammingError
from tooling import ROOT

from portal.migrations.upgrading import differences, grant, is_current, upgrade
from storage import engines
from storage.clock import RandomIds, SystemClock
from storage.database import Database, repeated
from storage.engines import RecordsUnavailableError, WriteConflictError
from storage.ledger.errors import FencedError, SequencerRunningError
from storage.ledger.models import APPEND_ONLY, LedgerEntry, LedgerPending, LedgerState
from storage.ledger.proofs import leaf_hash
from storage.ledger.rights import LEDGER_TABLES
from storage.ledger.sequencer import Sequencer
from storage.secrets import Secrets
from storage.steps import Claimer, StepRow, claim

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(POSTGRESQL not in os.environ, reason="names no PostgreSQL server"),
]
LEASE = dt.timedelta(seconds=15)


@dataclass
class City:
    """One migrated database, opened in each of its three roles."""

    folder: Path
    owner: Database
    application: Database
    sequencer: Database

    def open(self, role: str, clock: HandClock | SystemClock | None = None) -> Database:
        url = getattr(self, role).engine.url.render_as_string(hide_password=False)
        return Database(url, clock or HandClock(), RandomIds(), Secrets(self.folder / "keys"), ORIGIN)

    def drain(self, sequencer: Sequencer) -> int:
        return repeated(sequencer.drain)


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    owner_url = database_url(tmp_path)
    upgrade(owner_url)
    urls = {"owner": owner_url}
    for role in ("application", "sequencer"):
        urls[role] = create_role(owner_url, role)
    names = [str(make_url(urls[role]).username) for role in ("application", "sequencer")]
    grant(owner_url, *names)
    opened = {
        role: Database(url, HandClock(), RandomIds(), Secrets(tmp_path / "keys"), ORIGIN)
        for role, url in urls.items()
    }
    yield City(tmp_path, **opened)
    for database in opened.values():
        database.close()


def test_the_migrations_make_the_tables_of_the_models(city: City) -> None:
    url = city.owner.engine.url.render_as_string(hide_password=False)
    assert is_current(url)
    assert differences(url) == []


def test_who_refuses_while_the_ledger_is_closed_may_count_and_change_nothing_else(city: City) -> None:
    with city.application.writing() as uow:
        uow.session.execute(text("INSERT INTO ledger_closed_refusal VALUES (1, 1)"))
        uow.session.execute(text("UPDATE ledger_closed_refusal SET count = count + 1"))
    with pytest.raises(ProgrammingError, match="permission denied"), city.application.writing() as uow:
        uow.session.execute(text("UPDATE ledger_closed_refusal SET id = 2"))


@pytest.mark.parametrize("role", ["application", "sequencer"])
@pytest.mark.parametrize(
    "attack",
    [
        "INSERT INTO key_mark VALUES ('ledger', 'x')",
        "UPDATE key_mark SET value = 'x'",
        "DELETE FROM key_mark",
        "TRUNCATE key_mark",
    ],
)
def test_who_works_cannot_make_foreign_keys_pass_for_its_own(city: City, role: str, attack: str) -> None:
    database: Database = getattr(city, role)
    with database.reading() as uow:
        uow.session.execute(text("SELECT * FROM key_mark"))
    with pytest.raises(ProgrammingError, match="permission denied"), database.writing() as uow:
        uow.session.execute(text(attack))


@pytest.mark.parametrize("role", ["application", "sequencer"])
@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE catalogue_edition SET body = '{}'",
        "UPDATE catalogue_edition SET digest = 'x', proposed_by = 'x'",
        "UPDATE catalogue_edition SET expires_at = now()",
        "DELETE FROM catalogue_edition",
        "TRUNCATE catalogue_edition",
    ],
)
def test_who_works_cannot_alter_what_was_proposed(city: City, role: str, attack: str) -> None:
    database: Database = getattr(city, role)
    with pytest.raises(ProgrammingError, match="permission denied"), database.writing() as uow:
        uow.session.execute(text(attack))


def test_the_application_decides_about_what_was_proposed(city: City) -> None:
    decide = "UPDATE catalogue_edition SET state = 'x', number = 1, decided_by = 'x' WHERE id = 'none'"
    with city.application.writing() as uow:
        uow.session.execute(text(decide))


@pytest.mark.parametrize("table", LEDGER_TABLES)
@pytest.mark.parametrize("attack", ["DELETE FROM {}", "TRUNCATE {} CASCADE", "DROP TABLE {} CASCADE"])
def test_the_application_cannot_take_anything_from_the_ledger(city: City, table: str, attack: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        city.application.writing() as uow,
    ):
        uow.session.execute(text(attack.format(table)))


@pytest.mark.parametrize("table", [name for name in LEDGER_TABLES if name != "ledger_closed_refusal"])
def test_the_application_cannot_change_what_stands_in_the_ledger(city: City, table: str) -> None:
    with city.application.reading() as uow:
        column = uow.session.execute(text(f"SELECT * FROM {table} LIMIT 0")).keys()
    with pytest.raises(ProgrammingError, match="permission denied"), city.application.writing() as uow:
        uow.session.execute(text(f"UPDATE {table} SET {next(iter(column))} = NULL"))


@pytest.mark.parametrize(
    "attack",
    [
        "INSERT INTO ledger_entry VALUES (0, 'x', '', '', '')",
        "UPDATE ledger_state SET fence = fence + 1",
        "ALTER TABLE ledger_act DISABLE TRIGGER ALL",
        "DROP TRIGGER ledger_act_append_only ON ledger_act",
        "CREATE TABLE public.mine (x int)",
        "SET ROLE postgres",
        "SET session_replication_role = replica",
    ],
)
def test_the_application_cannot_give_itself_the_log(city: City, attack: str) -> None:
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        city.application.writing() as uow,
    ):
        uow.session.execute(text(attack))


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("attack", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_even_the_owner_is_refused_by_the_triggers(city: City, table: str, attack: str) -> None:
    with city.owner.reading() as uow:
        column = next(iter(uow.session.execute(text(f"SELECT * FROM {table} LIMIT 0")).keys()))
    statement = attack.format(table, column, column)
    with pytest.raises(Exception, match="append-only"), city.owner.writing() as uow:
        uow.session.execute(text(statement))


def test_an_act_of_the_application_becomes_an_entry_by_the_sequencer(city: City) -> None:
    with city.application.writing() as uow:
        promise = uow.record(act(1))
    sequencer = Sequencer(city.sequencer, HandClock(), city.folder / "lock", LEASE)
    city.drain(sequencer)
    with city.application.reading() as uow:
        entry = uow.session.scalars(
            select(LedgerEntry).where(LedgerEntry.act_id == promise.core_sha256)
        ).one()
        assert entry.leaf == leaf_hash(entry.entry)
        assert uow.session.scalar(select(func.count()).select_from(LedgerPending)) == 0
    sequencer.close()


def test_two_that_read_and_then_write_never_lose_an_update(city: City) -> None:
    with city.application.writing() as uow:
        step = uow.add_step("count.up", "x")
    with city.application.writing() as first:
        row = first.session.get_one(StepRow, step)
        with city.application.writing() as second:
            other = second.session.get_one(StepRow, step)
            other.attempts = other.attempts + 1
        row.attempts = row.attempts + 1
        with pytest.raises(Exception, match="could not serialize"):
            first.session.flush()
        first.session.rollback()
    with city.application.reading() as uow:
        assert uow.session.get_one(StepRow, step).attempts == 1


def test_workers_of_many_machines_never_claim_the_same_step(city: City) -> None:
    with city.application.writing() as uow:
        for number in range(60):
            uow.add_step("work", str(number))
    now = HandClock().now()
    barrier = threading.Barrier(8)

    def take(owner: int) -> list[str]:
        taken = []
        barrier.wait()
        while True:
            with city.application.claiming() as session:
                job = claim(session, now, Claimer(f"worker-{owner}", dt.timedelta(minutes=1), ("work",)))
            if job is None:
                return taken
            taken.append(job.subject)

    with ThreadPoolExecutor(8) as pool:
        taken = [subject for subjects in pool.map(take, range(8)) for subject in subjects]
    assert sorted(taken, key=int) == [str(number) for number in range(60)]


def test_of_thirty_two_sequencers_that_start_at_once_one_wins_and_numbers_every_act(city: City) -> None:
    with city.application.writing() as uow:
        uow.record(act(1))
    url = city.sequencer.engine.url.render_as_string(hide_password=False)
    finishes = race(url, ORIGIN, city.folder, 32, LEASE)
    assert len({one.process for one in finishes} - {os.getpid()}) == 32
    drained = [one.drained for one in finishes if one.drained is not None]
    with city.sequencer.reading() as uow:
        entries = list(uow.session.scalars(select(LedgerEntry.seq).order_by(LedgerEntry.seq)))
        assert uow.session.scalar(select(func.count()).select_from(LedgerPending)) == 0
        assert uow.session.get_one(LedgerState, 1).size == len(entries)
    assert entries == list(range(len(entries)))
    assert drained == [len(entries)]


def test_a_stopped_sequencer_writes_nothing_when_it_goes_on(city: City) -> None:
    url = city.sequencer.engine.url.render_as_string(hide_password=False)
    program = (
        "import datetime as dt, pathlib, sys, time\n"
        "from fakes import ORIGIN\n"
        "from storage.clock import RandomIds, SystemClock\n"
        "from storage.database import Database\n"
        "from storage.ledger.sequencer import Sequencer\n"
        "from storage.secrets import Secrets\n"
        "url, folder, clock = sys.argv[1], pathlib.Path(sys.argv[2]), SystemClock()\n"
        "database = Database(url, clock, RandomIds(), Secrets(folder / 'keys'), ORIGIN)\n"
        "sequencer = Sequencer(database, clock, folder / 'old', dt.timedelta(seconds=2))\n"
        "print('started', flush=True)\n"
        "while True:\n"
        "    sequencer.drain()\n"
        "    time.sleep(0.02)\n"
    )
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    environment = {"PYTHONPATH": paths, "PATH": os.environ["PATH"]} | servers()
    old = subprocess.Popen(
        [sys.executable, "-c", program, url, str(city.folder)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert old.stdout is not None
    assert old.stdout.readline() == b"started\n"
    os.kill(old.pid, signal.SIGSTOP)
    database = city.open("sequencer", SystemClock())
    new = _started(database, city.folder)
    with city.application.writing() as uow:
        uow.record(act(1))
    os.kill(old.pid, signal.SIGCONT)
    _, errors = old.communicate(timeout=30)
    assert b"FencedError" in errors
    with pytest.raises(SequencerRunningError):
        Sequencer(database, SystemClock(), city.folder / "third", LEASE)
    repeated(new.drain)
    with database.reading() as uow:
        entries = list(uow.session.scalars(select(LedgerEntry.seq).order_by(LedgerEntry.seq)))
        assert entries == list(range(len(entries)))
        assert uow.session.get_one(LedgerState, 1).size == len(entries) == 2
    new.close()
    database.close()


def _started(database: Database, folder: Path) -> Sequencer:
    """Start a sequencer as soon as the stopped one's lease has ended."""
    waited = threading.Event()
    for _ in range(200):
        try:
            return Sequencer(database, SystemClock(), folder / "new", LEASE)
        except (SequencerRunningError, WriteConflictError):
            waited.wait(0.1)
    raise AssertionError("the lease of a stopped sequencer never ended")


def test_a_fenced_sequencer_raises_and_writes_nothing(city: City) -> None:
    old = Sequencer(city.sequencer, HandClock(), city.folder / "a", dt.timedelta(0))
    other = city.open("sequencer")
    new = Sequencer(other, HandClock(), city.folder / "b", LEASE)
    with city.application.writing() as uow:
        uow.record(act(1))
    with pytest.raises(FencedError):
        old.drain()
    assert city.drain(new) == 2
    new.close()
    other.close()


def test_a_database_that_is_not_there_is_told_as_such(city: City) -> None:
    url = city.application.engine.url.set(port=1).render_as_string(hide_password=False)
    gone = Database(url, HandClock(), RandomIds(), Secrets(city.folder / "keys"), ORIGIN)
    with pytest.raises(RecordsUnavailableError), gone.writing() as uow:
        uow.record(act(1))
    with pytest.raises(RecordsUnavailableError), gone.reading() as uow:
        uow.session.execute(text("SELECT 1"))
    gone.close()


def test_a_connection_that_the_server_ended_is_told_and_the_next_unit_works(city: City) -> None:
    def lose_the_connection() -> None:
        with city.application.writing() as uow:
            backend = uow.session.scalar(text("SELECT pg_backend_pid()"))
            with city.owner.writing() as killer:
                killer.session.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": backend})
            uow.record(act(1))

    with pytest.raises(RecordsUnavailableError):
        lose_the_connection()
    with city.application.writing() as uow:
        uow.record(act(2))
    with city.application.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LedgerPending)) == 1


def test_a_server_that_falls_silent_is_given_up_and_nothing_is_recorded(
    city: City, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_ANSWER_SECONDS", 1.0)

    def ask_a_stopped_server() -> None:
        with city.application.writing() as uow:
            backend = uow.session.scalar(text("SELECT pg_backend_pid()"))
            assert isinstance(backend, int)
            os.kill(backend, signal.SIGSTOP)
            try:
                uow.record(act(1))
            finally:
                os.kill(backend, signal.SIGCONT)

    with pytest.raises(RecordsUnavailableError):
        ask_a_stopped_server()
    with city.application.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LedgerPending)) == 0
