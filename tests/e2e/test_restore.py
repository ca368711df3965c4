# SPDX-License-Identifier: Apache-2.0
"""Backup in the middle of the line, loss of the database, restore: nothing published is lost, no fork."""

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from archive_line import shared_converter
from installation import Installation, Submissions, installed
from parts import POSTGRESQL, drop_database
from sqlalchemy import select

from archive.models import Dossier, Filing
from licenses.answers import AnswerKeys
from portal import bootstrap
from portal.bootstrap import ledger_signer, make_worker, open_foundation, open_keeper, open_rooms
from portal.cli import run
from portal.rooms import Rooms
from portal.settings import Settings
from portal.verifier import main as verify
from seals.models import Sealing
from storage.base import Base
from storage.errors import EXIT_DONE, EXIT_INVALID, EXIT_REFUSED
from storage.ledger.export import export_log
from storage.ledger.files import detail_prefix
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerEntry, LedgerState
from storage.ledger.notes import parse_note
from storage.ledger.published import PublishedLog
from storage.ledger.reading import receipt_for
from storage.objects.folder import FolderStore
from storage.steps import unfinished

NOT_REBUILT = {
    "client_nonce",
    "filing_receipt",
    "key_mark",
    "license_answer",
    "rule_simulation",
    "license_change",
    "license_grant_use",
    "ladder_change",
    "ladder_statement",
    "login_link",
    "object_version",
    "step",
    "subscription_delivery",
    "subscription_place",
    "web_session",
}
"""As tests/e2e/test_demo_rebuild.py says why."""
HOLDINGS = sorted(
    name for name in Base.metadata.tables if name not in NOT_REBUILT and not name.startswith("ledger_")
)
SECOND = "second.cunzheng.invalid/log"


def work(settings: Settings, steps: int = 10_000) -> None:
    """Do steps, as the worker does."""
    worker, database, _ = make_worker(settings, "test", tuple)
    while steps and worker.run_one():
        steps -= 1
    database.close()


def publish(settings: Settings) -> None:
    """Sequence, sign, stamp and publish what is recorded, as the sequencer does when it ends."""
    foundation = open_foundation(settings, settings.sequencer_database_url)
    keeper = open_keeper(foundation, settings)
    assert keeper.tick(hurry=True).problems == ()
    keeper.close()
    foundation.database.close()


def dump(rooms: Rooms) -> dict[str, list[dict[str, Any]]]:
    """Give every row of every holding."""
    held = {}
    with rooms.database.reading() as uow:
        for name in HOLDINGS:
            table = Base.metadata.tables[name]
            rows = uow.session.execute(select(table).order_by(*table.primary_key)).mappings()
            held[name] = [dict(row) for row in rows]
    return held


@dataclass
class Played:
    """What stood when the database was lost."""

    site: Installation
    backup: Path
    holdings: dict[str, list[dict[str, Any]]]
    receipts: list[bytes]
    size: int
    folder: Path


def play(site: Installation, folder: Path) -> Played:
    """File cases, back up while some are under way, file more, publish, and leave one waiting."""
    made = Submissions(folder / "files")
    site.file(made.business("A-1"))
    work(site.settings)
    site.file(made.make("A-2"))
    work(site.settings, 3)
    publish(site.settings)
    assert run(["backup", str(folder / "backup")]) == 0
    site.file(made.make("A-3"))
    work(site.settings)
    publish(site.settings)
    site.file(made.make("A-4"))
    publish(site.settings)
    with site.rooms.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerEntry.act_id).order_by(LedgerEntry.seq.desc()).limit(20))
        receipts = [receipt_for(uow.session, one) for one in acts]
        size = uow.session.scalars(select(LedgerState.size)).one()
    return Played(site, folder / "backup", dump(site.rooms), receipts, size, folder)


def lose_database(site: Installation) -> None:
    """Take the database away; the keys, the certificates and the objects stay."""
    site.rooms.close()
    data = site.settings.data
    if POSTGRESQL in os.environ:
        drop_database(data)
    for path in data.glob("cunzheng.db*"):
        path.unlink()
    shutil.rmtree(site.settings.staging)


@contextmanager
def played(folder: Path) -> Iterator[Played]:
    """Play the line; commands of the test work on its data folder."""
    data = folder / "data"
    with installed(data) as site, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CUNZHENG_DATA", str(data))
        # The cases share their materials: each is converted once.
        patch.setattr(bootstrap, "Converter", lambda _sandbox: shared_converter())
        for name, value in site.parts.items():
            patch.setenv(name, value)
        yield play(site, folder)


@pytest.fixture(scope="module")
def lost(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """Give an installation whose database file is gone; tests work on copies of it."""
    with played(tmp_path_factory.mktemp("played")) as one:
        assert run(["restore", str(one.backup)]) == EXIT_REFUSED, "the database is not empty"
        lose_database(one.site)
        yield one


@pytest.fixture
def copy(lost: Played, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    data = tmp_path / "data"
    shutil.copytree(lost.site.settings.data, data)
    shutil.copytree(lost.backup, tmp_path / "backup")
    monkeypatch.setenv("CUNZHENG_DATA", str(data))
    site = replace(lost.site, settings=lost.site.settings.model_copy(update={"data": data}))
    return replace(lost, site=site, backup=tmp_path / "backup", folder=tmp_path)


def check_line(settings: Settings, rooms: Rooms, dossiers: int) -> None:
    """Finish what is under way: one dossier per case, no step left, intents closed, everything sequenced."""
    work(settings)
    publish(settings)
    with rooms.database.reading() as uow:
        assert unfinished(uow.session) == {}
        assert set(uow.session.scalars(select(Filing.state))) == {"filed"}
        cases = list(uow.session.scalars(select(Dossier.case_id)))
        assert len(cases) == len(set(cases)) == dossiers
        assert "intended" not in set(uow.session.scalars(select(Sealing.state)))
        intents = set(uow.session.scalars(select(LedgerAct.act_id).where(LedgerAct.outcome == "intended")))
        closed = set(uow.session.scalars(select(LedgerAct.intent).where(LedgerAct.intent.is_not(None))))
        assert intents == closed
        entries = set(uow.session.scalars(select(LedgerEntry.act_id)))
        assert entries == set(uow.session.scalars(select(LedgerAct.act_id)))


def verified(rooms: Rooms, settings: Settings, folder: Path, known: bytes) -> int:
    """Export the log and judge it with public keys alone, against a receipt that was handed out earlier."""
    shutil.rmtree(folder, ignore_errors=True)
    export_log(rooms.database, folder, ledger_signer(settings).verifier, rooms.trust_pem())
    receipt = folder.with_suffix(".tlog-proof")
    receipt.write_bytes(known)
    policy, certificate = str(folder / "policy"), str(folder / "ca.pem")
    return verify([str(folder), "--policy", policy, "--ca", certificate, "--known", str(receipt)])


def check_continued(lost: Played, said: str) -> None:
    settings = lost.site.settings
    assert "原链接续" in said
    assert "● 审计链载有该备份的摘要" in said
    rooms = open_rooms(settings)
    try:
        after = dump(rooms)
        for name in HOLDINGS:
            assert after[name] == lost.holdings[name], name
        with rooms.database.reading() as uow:
            (act,) = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == ActKind.BACKUP_RESTORED))
            assert b'"reasons":["continued"]' in act.core
        check_line(settings, rooms, 4)
        with rooms.database.reading() as uow:
            assert uow.session.scalars(select(LedgerState.size)).one() > lost.size
        for number in (0, -1):
            assert verified(rooms, settings, lost.folder / "export", lost.receipts[number]) == EXIT_DONE
    finally:
        rooms.close()


def test_the_line_goes_on_after_a_restore_and_the_same_log_continues(
    copy: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["restore", str(copy.backup)]) == EXIT_DONE
    check_continued(copy, capsys.readouterr().out)


def test_a_backup_from_before_the_log_s_first_entry_is_restored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CUNZHENG_DATA", str(tmp_path / "data"))
    assert run(["init"]) == EXIT_DONE
    assert run(["backup", str(tmp_path / "backup")]) == EXIT_DONE
    capsys.readouterr()
    assert run(["restore", str(tmp_path / "backup"), "--replace"]) == EXIT_DONE
    assert "由 from 0 至 to 0" in capsys.readouterr().out
    publish(Settings())
    assert run(["status"]) == EXIT_DONE


@pytest.mark.services
@pytest.mark.skipif(POSTGRESQL not in os.environ, reason="names no PostgreSQL server")
def test_so_it_does_on_real_servers(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with played(tmp_path) as one:
        assert run(["restore", str(one.backup)]) == EXIT_REFUSED, "the database is not empty"
        lose_database(one.site)
        assert run(["restore", str(one.backup)]) == EXIT_DONE
        check_continued(one, capsys.readouterr().out)


def test_a_backup_that_was_altered_is_refused_and_nothing_is_written(
    copy: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    path = copy.backup / "records.sqlite"
    whole = path.read_bytes()
    path.write_bytes(whole[:5000] + bytes([whole[5000] ^ 1]) + whole[5001:])
    assert run(["restore", str(copy.backup)]) == EXIT_INVALID
    assert "rule=dump-digest" in capsys.readouterr().err
    path.write_bytes(whole)
    with closing(sqlite3.connect(path)) as database:
        database.execute("UPDATE dossier SET title = 'forged'")
        database.commit()
    # Whoever can write the dump can write its digest as well; but the ledger names the true one.
    manifest = copy.backup / "backup.json"
    stated = json.loads(manifest.read_text())
    stated["dump"] |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), "size": path.stat().st_size}
    manifest.write_text(json.dumps(stated))
    assert run(["restore", str(copy.backup)]) == EXIT_INVALID
    assert "ledger-names-another-digest" in capsys.readouterr().err
    assert list(copy.site.settings.data.glob("cunzheng.db*")) == []


def test_foreign_keys_and_missing_keys_are_refused(copy: Played, capsys: pytest.CaptureFixture[str]) -> None:
    keys = copy.site.settings.keys
    keys.rename(keys.with_name("elsewhere"))
    assert run(["restore", str(copy.backup)]) == EXIT_REFUSED
    assert "keys-missing" in capsys.readouterr().err
    assert not keys.exists(), "no new keys are made in the place of lost ones"
    shutil.copytree(keys.with_name("elsewhere"), keys)
    (keys / "index.key").chmod(0o600)
    (keys / "index.key").write_bytes(bytes(32))
    assert run(["restore", str(copy.backup)]) == EXIT_REFUSED
    assert "rule=keys" in capsys.readouterr().err
    shutil.copy(keys.with_name("elsewhere") / "index.key", keys / "index.key.new")
    (keys / "index.key.new").replace(keys / "index.key")
    answers = keys / "answer-0001.jwk"
    AnswerKeys(copy.folder / "others")
    shutil.copy(copy.folder / "others" / "answer-0001.jwk", keys / "answer.new")
    (keys / "answer.new").replace(answers)
    assert run(["restore", str(copy.backup)]) == EXIT_REFUSED
    assert "keys=answers" in capsys.readouterr().err
    assert list(copy.site.settings.data.glob("cunzheng.db*")) == []


def test_without_a_published_bundle_a_new_log_begins_and_commits_to_the_old_head(
    copy: Played, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = copy.site.settings
    newest = PublishedLog(FolderStore(settings.objects), settings.log_origin).head(
        copy.size, ledger_signer(settings).verifier
    )
    gone = settings.objects / detail_prefix(settings.log_origin) / f"000.p/{copy.size}"
    gone.unlink()
    assert run(["restore", str(copy.backup)]) == EXIT_REFUSED
    assert "new-log-needed" in capsys.readouterr().err
    assert run(["restore", "--new-log", str(copy.backup)]) == EXIT_REFUSED, "under a new name only"
    monkeypatch.setenv("CUNZHENG_LOG_ORIGIN", SECOND)
    assert run(["restore", str(copy.backup)]) == EXIT_REFUSED, "only when asked for"
    assert run(["restore", "--new-log", str(copy.backup)]) == EXIT_DONE
    said = capsys.readouterr().out
    assert f"a new log begins: {SECOND}" in said
    assert "bundle gone: 0…255" in said
    assert run(["step", "list"]) == EXIT_DONE, "the records know the new log's key"
    second = settings.model_copy(update={"log_origin": SECOND})
    rooms = open_rooms(second)
    try:
        check_line(second, rooms, 2)
        with rooms.database.reading() as uow:
            entry = uow.session.get_one(LedgerEntry, 0)
            opened = uow.session.get_one(LedgerAct, entry.act_id)
            receipt = receipt_for(uow.session, opened.act_id)
        assert opened.kind == ActKind.LEDGER_OPENED
        assert parse_note(newest.note).imprint().hex().encode() in opened.core
        assert verified(rooms, second, copy.folder / "export", receipt) == EXIT_DONE
    finally:
        rooms.close()
