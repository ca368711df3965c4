# SPDX-License-Identifier: Apache-2.0
"""One writer; dense, chained, never back in time; whatever was recorded becomes an entry, once."""

import datetime as dt
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
from ledgers import act, later, open_ledger
from parts import allow_changes, servers
from sqlalchemy import delete, func, insert, select, text, update
from tooling import ROOT

from storage.errors import InvalidInputError
from storage.ledger.entries import FIRST_PREV, parse_entry
from storage.ledger.errors import (
    FencedError,
    LedgerCorruptError,
    LedgerFormatError,
    SequencerRunningError,
)
from storage.ledger.models import (
    LedgerAct,
    LedgerCheckpoint,
    LedgerEntry,
    LedgerPending,
    LedgerState,
    LedgerTile,
)
from storage.ledger.proofs import leaf_hash, tree_root
from storage.ledger.reading import receipt_for
from storage.ledger.receipts import verify_receipt
from storage.ledger.sequencer import Sequencer
from storage.ledger.tiles import full_tile_root, split_hashes

POINTS = [
    "sequencer.after-append",
    "sequencer.before-commit",
    "sequencer.before-checkpoint",
    "sequencer.after-checkpoint",
    "sequencer.before-anchor",
    "sequencer.after-anchor",
    "sequencer.after-put",
]


def check_log(folder: Path) -> int:
    """Reopen the ledger, finish its work, and give its size after checking that it is dense and chained."""
    ledger = open_ledger(folder, later(60))
    ledger.keeper.tick(hurry=True)
    with ledger.database.reading() as uow:
        rows = uow.session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
        acts = uow.session.scalar(select(func.count()).select_from(LedgerAct))
        pending = uow.session.scalar(select(func.count()).select_from(LedgerPending))
        heads = uow.session.scalars(select(LedgerCheckpoint)).all()
    prev, at = FIRST_PREV, ""
    for seq, row in enumerate(rows):
        entry = parse_entry(row.entry)
        assert (entry.seq, entry.prev, entry.act_id) == (seq, prev, row.act_id)
        assert entry.at >= at
        assert row.leaf == leaf_hash(row.entry)
        prev, at = row.leaf, entry.at
    assert (acts, pending) == (len(rows), 0)
    for head in heads:
        checkpoint, _ = ledger.policy.open(head.note)
        assert checkpoint.root == tree_root([row.leaf for row in rows[: head.size]])
    assert max(head.size for head in heads) == len(rows)
    ledger.close()
    return len(rows)


def test_the_log_opens_with_its_own_record_and_takes_acts_in_order(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ids = ledger.record(5)
    assert ledger.sequencer.drain() == 6
    with ledger.database.reading() as uow:
        rows = uow.session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
    assert orjson.loads(parse_entry(rows[0].entry).core)["kind"] == "ledger.opened"
    assert [row.act_id for row in rows[1:]] == ids
    ledger.close()
    assert check_log(tmp_path) == 6


def test_full_tiles_are_kept_at_every_level_and_reopening_continues_them(tmp_path: Path) -> None:
    for first in range(3):
        ledger = open_ledger(tmp_path)
        ledger.record(300, first * 300)
        while ledger.sequencer.drain():
            pass
        ledger.close()
    ledger = open_ledger(tmp_path)
    with ledger.database.reading() as uow:
        leaves = uow.session.scalars(select(LedgerEntry.leaf).order_by(LedgerEntry.seq)).all()
        stored = uow.session.scalars(select(LedgerTile).order_by(LedgerTile.level, LedgerTile.position)).all()
    assert [(tile.level, tile.position) for tile in stored] == [(0, 0), (0, 1), (0, 2)]
    for tile in stored:
        hashes = split_hashes(tile.data)
        assert hashes == list(leaves[tile.position * 256 : tile.position * 256 + 256])
        assert tile.root == full_tile_root(hashes)
    assert ledger.sequencer.head.root == tree_root(leaves)
    ledger.close()


def test_a_batch_is_bounded_and_a_tick_drains_many(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.record(2500)
    assert ledger.sequencer.drain() == 1000
    assert ledger.keeper.tick().sequenced == 1501
    ledger.close()


def test_acts_committed_late_below_others_are_not_passed_over(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ids = ledger.record(4)
    with ledger.database.writing() as uow:
        held = uow.session.execute(
            select(LedgerPending.position, LedgerPending.act_id).where(LedgerPending.act_id.in_(ids[:2]))
        ).all()
        uow.session.execute(delete(LedgerPending).where(LedgerPending.act_id.in_(ids[:2])))
    ledger.sequencer.drain()
    with ledger.database.writing() as uow:
        rows = [{"position": row.position, "act_id": row.act_id} for row in held]
        uow.session.execute(insert(LedgerPending), rows)
    assert ledger.sequencer.drain() == 2
    ledger.close()
    assert check_log(tmp_path) == 5


def test_an_act_that_no_bundle_could_hold_is_refused_when_it_is_recorded(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with pytest.raises(InvalidInputError), ledger.database.writing() as uow:
        uow.record(act(reasons=["x" * 60_000]))
    assert ledger.sequencer.drain() == 1
    ledger.close()


def test_acts_of_many_threads_are_all_sequenced_while_the_log_is_drained(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with ThreadPoolExecutor(16) as pool:
        made = [pool.submit(ledger.record, 1, number) for number in range(160)]
        while not all(one.done() for one in made):
            ledger.sequencer.drain()
    ids = {one.result()[0] for one in made}
    ledger.sequencer.drain()
    with ledger.database.reading() as uow:
        entries = set(uow.session.scalars(select(LedgerEntry.act_id)))
    assert len(ids) == 160
    assert ids < entries
    ledger.close()
    assert check_log(tmp_path) == 161


def test_a_second_sequencer_on_the_same_log_is_refused(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    with pytest.raises(SequencerRunningError):
        Sequencer(ledger.database, ledger.clock, tmp_path / "sequencer.lock")
    ledger.close()
    open_ledger(tmp_path).close()


def test_a_sequencer_that_was_replaced_writes_nothing_more(tmp_path: Path) -> None:
    old = open_ledger(tmp_path)
    old.grow(3)
    # Another host does not see the lock file: only the fencing number is left.
    new = Sequencer(old.database, old.clock, tmp_path / "elsewhere.lock")
    old.record(1)
    for write in (old.sequencer.drain, lambda: old.keeper.tick(hurry=True)):
        with pytest.raises(FencedError):
            write()
    assert new.drain() == 1
    new.close()
    old.close()
    assert check_log(tmp_path) == 5


def test_time_in_the_log_never_goes_back_and_a_step_is_an_entry_of_its_own(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.record(1)
    ledger.sequencer.drain()
    ledger.clock.at -= dt.timedelta(hours=1)
    ledger.record(1)
    ledger.sequencer.drain()
    ledger.clock.at += dt.timedelta(days=3650)
    ledger.record(1)
    ledger.sequencer.drain()
    with ledger.database.reading() as uow:
        rows = uow.session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq)).all()
        kinds = [orjson.loads(parse_entry(row.entry).core)["kind"] for row in rows]
        steps = uow.session.scalars(
            select(LedgerAct.detail).where(LedgerAct.kind == "clock.stepped").order_by(LedgerAct.recorded_at)
        ).all()
    notes = [orjson.loads(ledger.database.secrets.decrypt(step))["notes"] for step in steps]
    assert kinds.count("clock.stepped") == 2
    assert [note["milliseconds"] for note in notes] == [-3_600_000, 315_360_000_000]
    ledger.close()
    assert check_log(tmp_path) == len(rows) + 1, "the next start finds its clock behind the last entry"


def test_a_slow_clock_is_no_step(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    for _ in range(10):
        ledger.clock.at += dt.timedelta(seconds=10)
        ledger.clock.ticks += 6
        ledger.sequencer.drain()
    with ledger.database.reading() as uow:
        assert not uow.session.scalar(select(LedgerAct.act_id).where(LedgerAct.kind == "clock.stepped"))
    ledger.close()


@pytest.mark.sqlite
def test_an_idle_tick_writes_nothing(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.grow(2)
    with ledger.database.engine.connect() as connection:
        before = connection.execute(text("PRAGMA data_version")).scalar()
        for _ in range(5):
            ledger.clock.advance(100)
            tick = ledger.keeper.tick()
            assert (tick.sequenced, tick.checkpoint, tick.stamped) == (0, None, None)
        assert connection.execute(text("PRAGMA data_version")).scalar() == before
    ledger.close()


def test_an_act_altered_before_it_was_sequenced_stops_the_log(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    (changed,) = ledger.record(1)
    with ledger.database.writing() as uow:
        allow_changes(uow.session, "ledger_act")
        core = uow.session.scalar(select(LedgerAct.core).where(LedgerAct.act_id == changed))
        assert core is not None
        forged = core.replace(b"case-0", b"case-9")
        uow.session.execute(update(LedgerAct).where(LedgerAct.act_id == changed).values(core=forged))
    with pytest.raises(LedgerCorruptError):
        ledger.sequencer.drain()
    ledger.close()


@pytest.mark.parametrize(
    "values", [{"size": 2}, {"last_leaf": bytes(32)}, {"size": 9}, {"origin": "other.invalid"}]
)
def test_tables_that_contradict_each_other_are_not_continued(
    tmp_path: Path, values: dict[str, object]
) -> None:
    ledger = open_ledger(tmp_path)
    ledger.grow(3)
    with ledger.database.writing() as uow:
        uow.session.execute(update(LedgerState).values(values))
    ledger.close()
    with pytest.raises((LedgerCorruptError, LedgerFormatError)):
        open_ledger(tmp_path)


def test_a_root_that_was_signed_otherwise_is_not_continued(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.grow(3)
    with ledger.database.writing() as uow:
        uow.session.execute(update(LedgerState).values(frontier=bytes(32)))
    ledger.close()
    with pytest.raises(LedgerCorruptError):
        open_ledger(tmp_path)


def test_a_receipt_is_ready_once_a_checkpoint_covers_the_act(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path)
    ledger.record(300)
    ids = ledger.record(3, 300)
    ledger.keeper.tick(hurry=True)
    with ledger.database.reading() as uow:
        for act_id in ids:
            proved = verify_receipt(receipt_for(uow.session, act_id), ledger.policy, act_id)
            assert proved.checkpoint.size == 304
    ledger.close()


@pytest.mark.parametrize("point", POINTS)
def test_a_kill_at_any_point_loses_and_doubles_nothing(tmp_path: Path, point: str) -> None:
    ledger = open_ledger(tmp_path)
    ledger.grow(254)
    ledger.record(10)
    ledger.close()
    program = (
        "import ledgers, pathlib, sys;"
        "ledgers.open_ledger(pathlib.Path(sys.argv[1]), ledgers.later(5)).grow(5)"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    paths = os.pathsep.join([str(ROOT), str(ROOT / "tests" / "support")])
    environment = {"PYTHONPATH": paths, "PATH": os.environ["PATH"], "CUNZHENG_FAILPOINT": point} | servers()
    killed = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert check_log(tmp_path) == 255 + 10 + 5
