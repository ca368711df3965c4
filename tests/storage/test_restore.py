# SPDX-License-Identifier: Apache-2.0
"""A restored backup catches up with what was published, or another log begins; it never forks."""

import datetime as dt
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import ORIGIN, make_database
from ledgers import SIGNER, Ledger, act, later, open_ledger
from parts import backup
from sqlalchemy import func, select

from storage.base import Base
from storage.database import Database
from storage.ledger.acts import Act
from storage.ledger.edge import load_edge
from storage.ledger.entries import parse_entry
from storage.ledger.errors import (
    HistoryDiffersError,
    LedgerCorruptError,
    ProofRefusedError,
    RebuildError,
    ReceiptNotReadyError,
)
from storage.ledger.export import export_log
from storage.ledger.files import anchor_path, detail_prefix, log_prefix
from storage.ledger.findings import Verdict
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerEntry, LedgerPending, LedgerState
from storage.ledger.notes import Checkpoint, parse_note, sign_note
from storage.ledger.published import PublishedHead, PublishedLog
from storage.ledger.reading import receipt_for
from storage.ledger.receipts import verify_receipt
from storage.ledger.restore import (
    HALF_PUBLISHED,
    Broken,
    Caught,
    Survey,
    catch_up,
    require_published_history,
    restart_log,
    survey,
)
from storage.ledger.sequencer import Sequencer
from storage.ledger.tiles import details_path, tile_path
from storage.ledger.verification import verify_log
from storage.objects.folder import FolderStore
from storage.steps import StepRow

STEPS = {"step": Base.metadata.tables["step"]}
BEFORE, SINCE = 150, 250


def keep(ledger: Ledger, count: int, first: int = 0) -> list[str]:
    """Insert rows, each with its act; steps stand for any holding."""
    ids = []
    with ledger.database.writing() as uow:
        for number in range(first, first + count):
            row = uow.session.get_one(StepRow, uow.add_step("test.step", f"subject-{number}"))
            ids.append(uow.record(act(number, rows=[row], subject=f"holder-{number % 3}")).core_sha256)
    return ids


def publish(ledger: Ledger) -> None:
    ledger.clock.advance(60)
    ledger.keeper.tick(hurry=True)


@dataclass
class Lost:
    """A ledger whose database went back to an earlier day.

    Attributes:
        receipts: Handed out since.
        holdings: Rows as they stood when all was published.
        ledger_rows: The ledger as it stood then.
        size: Published size.
    """

    folder: Path
    receipts: dict[str, bytes]
    holdings: list[str]
    ledger_rows: list[str]
    size: int


def open_database(folder: Path) -> Database:
    return make_database(folder, later(600))


def holdings(database: Database) -> list[str]:
    with database.reading() as uow:
        return [str(row) for row in uow.session.execute(select(STEPS["step"]).order_by(STEPS["step"].c.id))]


def ledger_rows(database: Database) -> list[str]:
    """Give everything that the ledger's tables say of numbered acts, in order."""
    acts, entries = Base.metadata.tables["ledger_act"], Base.metadata.tables["ledger_entry"]
    query = select(acts, entries).join(entries, entries.c.act_id == acts.c.act_id).order_by(entries.c.seq)
    tiles = Base.metadata.tables["ledger_tile"]
    with database.reading() as uow:
        found = [str(row) for row in uow.session.execute(query)]
        return found + [str(row) for row in uow.session.execute(select(tiles).order_by(*tiles.primary_key))]


def lose(folder: Path, *, pending: int = 0) -> Lost:
    """Play a ledger, back it up in the middle, go on, and put the backup back."""
    ledger = open_ledger(folder)
    keep(ledger, BEFORE)
    publish(ledger)
    waiting = keep(ledger, pending, 10_000)
    ledger.close()
    put_back = backup(folder)
    ledger = open_ledger(folder, later(5))
    ids = [*waiting, *keep(ledger, SINCE, BEFORE)]
    with ledger.database.writing() as uow:
        row = uow.session.scalars(select(StepRow).where(StepRow.subject == "subject-7")).one()
        row.state, row.finished_at = "done", uow.clock.now()
        ids.append(uow.record(act(7, rows=[row], subject="holder-1")).core_sha256)
        ids.append(uow.record(act(8, ActKind.VERIFICATION_DONE)).core_sha256)
    publish(ledger)
    held, rows = holdings(ledger.database), ledger_rows(ledger.database)
    size = ledger.sequencer.head.size
    with ledger.database.reading() as uow:
        receipts = {one: receipt_for(uow.session, one) for one in ids[-40:]}
    ledger.close()
    put_back()
    return Lost(folder, receipts, held, rows, size)


def look(database: Database, folder: Path) -> Survey:
    with database.reading() as uow:
        edge = load_edge(uow.session, uow.session.scalars(select(LedgerState)).one())
    log = PublishedLog(FolderStore(folder / "objects"), ORIGIN)
    return survey(log, SIGNER.verifier, edge, database.secrets.decrypt, folder / "fetched")


class NoTokens:
    """Tells no time; catching up keeps tokens whatever it says."""

    def verify(self, token: bytes, imprint: bytes) -> dt.datetime:
        raise LedgerCorruptError(seq=0)


def restore(lost: Lost) -> tuple[Survey, Caught]:
    database = open_database(lost.folder)
    found = look(database, lost.folder)
    with database.writing() as uow:
        caught = catch_up(uow.session, found, database.secrets.decrypt, STEPS, NoTokens())
    database.close()
    return found, caught


def test_the_log_goes_on_where_it_was_published_and_every_row_is_the_same(tmp_path: Path) -> None:
    lost = lose(tmp_path)
    found, caught = restore(lost)
    assert (found.start, found.until, found.broken) == (BEFORE + 1, lost.size, None)
    assert (caught.rebuilt.acts, caught.known) == (SINCE + 2, 0)
    assert caught.rebuilt.rowless == {"verification.done": 1}
    database = open_database(tmp_path)
    assert holdings(database) == lost.holdings
    assert ledger_rows(database) == lost.ledger_rows
    database.close()


def test_it_continues_without_a_fork_against_receipts_that_were_handed_out(tmp_path: Path) -> None:
    lost = lose(tmp_path)
    restore(lost)
    ledger = open_ledger(tmp_path, later(700))
    keep(ledger, 30, 50_000)
    publish(ledger)
    export_log(ledger.database, tmp_path / "export", SIGNER.verifier, b"")
    for receipt in lost.receipts.values():
        report = verify_log(tmp_path / "export", ledger.policy, ledger.authority, receipt)
        assert report.verdict is Verdict.VALID, report.findings
    with ledger.database.reading() as uow:
        for one in lost.receipts:
            verify_receipt(receipt_for(uow.session, one), ledger.policy, one)
    assert ledger.sequencer.head.size == lost.size + 30
    ledger.close()


def test_acts_that_waited_in_the_backup_are_taken_over_once_and_not_replayed(tmp_path: Path) -> None:
    lost = lose(tmp_path, pending=20)
    _, caught = restore(lost)
    assert caught.known == 20
    database = open_database(tmp_path)
    assert ledger_rows(database) == lost.ledger_rows
    with database.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LedgerPending)) == 0
    database.close()


def test_no_receipt_is_handed_out_before_its_checkpoint_is_published(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    publish(ledger)
    (early,) = keep(ledger, 1)
    ledger.clock.advance(2)
    assert ledger.keeper.tick().checkpoint is not None
    with ledger.database.reading() as uow, pytest.raises(ReceiptNotReadyError):
        receipt_for(uow.session, early)
    publish(ledger)
    with ledger.database.reading() as uow:
        verify_receipt(receipt_for(uow.session, early), ledger.policy, early)
    ledger.close()


def test_a_backup_that_is_ahead_of_what_was_published_goes_on_from_itself(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    keep(ledger, 5)
    publish(ledger)
    keep(ledger, 5)
    ledger.sequencer.drain()
    found = look(ledger.database, tmp_path)
    with ledger.database.reading() as uow:
        newest = found.newest
        require_published_history(uow.session, newest)
    assert (found.start, found.until, found.broken) == (11, 11, None)
    other = Checkpoint(ORIGIN, 6, bytes(32))
    bad = PublishedHead(other, sign_note(other.text(), [SIGNER]), None)
    with ledger.database.reading() as uow, pytest.raises(HistoryDiffersError):
        require_published_history(uow.session, bad)
    ledger.close()


def test_a_bundle_that_is_gone_ends_the_log_and_entry_0_of_the_next_commits_to_it(tmp_path: Path) -> None:
    lost = lose(tmp_path)
    gone = detail_prefix(ORIGIN) + details_path(1, lost.size - 256).removeprefix("details/")
    (tmp_path / "objects" / gone).unlink()
    found, caught = restore(lost)
    assert (found.gone, found.broken) == ((256,), Broken(256, "bundle-missing"))
    assert caught.rebuilt.acts == 256 - found.start
    database = open_database(tmp_path)
    database.origin = "second.cunzheng.invalid/log"
    assert found.newest is not None
    imprint = parse_note(found.newest.note).imprint().hex()
    with database.writing() as uow:
        opened = Act(
            kind=ActKind.LEDGER_OPENED,
            actor=act().actor,
            object_type="ledger",
            object_id=database.origin,
            object_sha256=imprint,
        )
        promised = uow.record(opened).core_sha256
        assert restart_log(uow.session, database.origin) == 256
    sequencer = Sequencer(database, later(700), tmp_path / "sequencer.lock")
    while sequencer.drain():
        pass
    with database.reading() as uow:
        first = uow.session.get_one(LedgerEntry, 0)
        assert first.act_id == promised
        assert imprint.encode() in parse_entry(first.entry).core
        acts = uow.session.scalar(select(func.count()).select_from(LedgerAct))
        assert acts == sequencer.head.size == 257
        carried = uow.session.scalars(select(LedgerEntry.act_id).where(LedgerEntry.seq == 1)).one()
        assert uow.session.get_one(LedgerAct, carried).kind == ActKind.LEDGER_OPENED
    sequencer.close()
    database.close()


def test_what_had_begun_to_be_published_and_was_not_signed_there_ends_the_log(tmp_path: Path) -> None:
    lost = lose(tmp_path)
    longer = tmp_path / "objects" / (log_prefix(ORIGIN) + tile_path(0, 1, lost.size - 256 + 3))
    longer.write_bytes(bytes(32))
    found, _ = restore(lost)
    assert found.broken == Broken(lost.size, HALF_PUBLISHED)


def test_a_backup_of_another_history_is_refused(tmp_path: Path) -> None:
    lost = lose(tmp_path)
    (tmp_path / "other").mkdir()
    ledger = open_ledger(tmp_path / "other")
    keep(ledger, 20)
    ledger.sequencer.drain()
    with ledger.database.reading() as uow:
        edge = load_edge(uow.session, uow.session.scalars(select(LedgerState)).one())
    log = PublishedLog(FolderStore(lost.folder / "objects"), ORIGIN)
    with pytest.raises(HistoryDiffersError):
        survey(log, SIGNER.verifier, edge, ledger.database.secrets.decrypt, tmp_path / "fetched")
    ledger.close()


def test_the_keys_of_those_whose_data_came_since_must_be_there(tmp_path: Path) -> None:
    lost = lose(tmp_path)
    shutil.rmtree(tmp_path / "keys" / "subjects")
    database = open_database(lost.folder)
    with pytest.raises(RebuildError, match="undecipherable"):
        look(database, tmp_path)
    database.close()


def test_erased_acts_stay_erased_and_keep_their_places(tmp_path: Path) -> None:
    lost = lose(tmp_path)
    database = open_database(lost.folder)
    database.secrets.destroy("holder-2")
    database.close()
    found, caught = restore(lost)
    assert found.broken is None
    assert caught.rebuilt.erased > 50
    database = open_database(lost.folder)
    with database.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LedgerEntry)) == lost.size
    database.close()


def test_a_checkpoint_that_our_key_did_not_sign_is_refused(tmp_path: Path) -> None:
    lost = lose(tmp_path)
    path = tmp_path / "objects" / (log_prefix(ORIGIN) + anchor_path(lost.size, "checkpoint"))
    data = path.read_bytes()
    path.chmod(0o600)
    # Another letter of base64, so that the note can still be read.
    path.write_bytes(data[:-10] + (b"A" if data[-10:-9] != b"A" else b"B") + data[-9:])
    database = open_database(lost.folder)
    with pytest.raises(ProofRefusedError):
        look(database, tmp_path)
    database.close()
