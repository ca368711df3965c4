# SPDX-License-Identifier: Apache-2.0
"""Checkpoints are stamped and published; nothing unverified is kept; no published log is cut short."""

from pathlib import Path

import pytest
from fakes import ORIGIN
from ledgers import SIGNER, Ledger, later, open_ledger
from parts import backup
from sqlalchemy import select

from storage.errors import ConflictError, NotFoundError
from storage.ledger import tiles
from storage.ledger.anchors import anchored_size
from storage.ledger.checkpoints import CheckpointWriter
from storage.ledger.errors import LedgerCorruptError, ReceiptNotReadyError
from storage.ledger.export import export_log
from storage.ledger.files import anchor_path, detail_prefix, log_prefix
from storage.ledger.models import LedgerAct, LedgerAnchor
from storage.ledger.notes import NoteSigner, parse_note
from storage.ledger.published import PublishedLog
from storage.ledger.reading import is_entries_path, read_checkpoint, read_status, read_tile, receipt_for
from storage.ledger.rebuild import fetch_published
from storage.ledger.verification import verify_log


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return open_ledger(tmp_path)


def tokens(ledger: Ledger) -> list[int]:
    with ledger.database.reading() as uow:
        query = select(LedgerAnchor.size).where(LedgerAnchor.kind == "tsr").order_by(LedgerAnchor.size)
        return list(uow.session.scalars(query))


def test_a_checkpoint_is_stamped_over_its_text_and_the_token_is_kept(ledger: Ledger) -> None:
    ledger.grow(3)
    with ledger.database.reading() as uow:
        anchor = uow.session.get_one(LedgerAnchor, (4, "tsr"))
        note = read_checkpoint(uow.session)
    assert ledger.authority.verify(anchor.data, parse_note(note).imprint()) == anchor.at
    ledger.close()


def test_anchors_keep_their_interval_while_the_log_grows(ledger: Ledger) -> None:
    for _ in range(20):
        ledger.record(1)
        ledger.clock.advance(10)
        ledger.keeper.tick()
    assert len(tokens(ledger)) == 7
    ledger.close()


def test_an_authority_that_is_down_or_wrong_is_reported_and_asked_again(ledger: Ledger) -> None:
    ledger.authority.down = True
    ledger.record(1)
    assert ledger.keeper.tick(hurry=True).problems == ("test-token-refused",)
    ledger.authority.down, ledger.authority.wrong = False, True
    assert ledger.keeper.tick(hurry=True).problems == ("test-token-refused",)
    assert tokens(ledger) == []
    ledger.authority.wrong = False
    ledger.clock.advance(10)
    assert ledger.keeper.tick().stamped is None, "not before the interval is over"
    ledger.clock.advance(30)
    assert ledger.keeper.tick().stamped is not None
    ledger.close()


def test_an_authority_whose_time_differs_is_noticed(ledger: Ledger) -> None:
    ledger.record(1)
    ledger.authority._clock = later(10)
    tick = ledger.keeper.tick(hurry=True)
    assert tick.stamped is not None
    assert tick.problems == ("clocks-disagree",)
    ledger.close()


def test_the_object_store_holds_tiles_bundles_details_checkpoint_and_token(ledger: Ledger) -> None:
    ledger.grow(299)
    ledger.grow(20)
    names = set(ledger.store.list_named(log_prefix(ORIGIN)))
    wanted = [tiles.tile_path(0, 0), tiles.tile_path(0, 1, 64), tiles.tile_path(1, 0, 1)]
    wanted += [tiles.entries_path(0), tiles.entries_path(1, 44), tiles.entries_path(1, 64)]
    wanted += [anchor_path(size, name) for size in (300, 320) for name in ("checkpoint", "tsr")]
    assert {log_prefix(ORIGIN) + path for path in wanted} <= names
    details = ledger.store.read_named(detail_prefix(ORIGIN) + "001.p/64")
    with ledger.database.reading() as uow:
        held = uow.session.scalars(select(LedgerAct.detail)).all()
    assert set(tiles.unpack_details(details)) <= set(held)
    ledger.close()


def test_publishing_goes_on_without_the_authority_and_the_token_follows(ledger: Ledger) -> None:
    ledger.authority.down = True
    ledger.grow(3)
    assert PublishedLog(ledger.store, ORIGIN).sizes() == [4]
    ledger.authority.down = False
    ledger.keeper.tick(hurry=True)
    assert ledger.store.read_named(log_prefix(ORIGIN) + anchor_path(4, "tsr"))
    ledger.close()


def test_what_was_published_is_a_sound_export(ledger: Ledger, tmp_path: Path) -> None:
    ledger.grow(299)
    ledger.grow(20)
    size = fetch_published(ledger.store, ORIGIN, tmp_path / "fetched")
    report = verify_log(tmp_path / "fetched", ledger.policy, ledger.authority)
    assert (size, report.findings, report.size, report.tokens, report.details) == (320, [], 320, 2, 320)
    ledger.close()


def test_a_database_older_than_what_was_published_is_not_continued(ledger: Ledger, tmp_path: Path) -> None:
    ledger.grow(300)
    ledger.database.close()
    put_back = backup(tmp_path)
    ledger.grow(1)
    ledger.close()
    ledger.database.close()
    put_back()
    with pytest.raises(LedgerCorruptError, match="below-published-size"):
        open_ledger(tmp_path)


def test_only_what_a_checkpoint_covers_is_served(ledger: Ledger) -> None:
    with ledger.database.reading() as uow, pytest.raises(NotFoundError):
        read_checkpoint(uow.session)
    ledger.grow(299)
    (late,) = ledger.record(1)
    ledger.sequencer.drain()
    with ledger.database.reading() as uow:
        session = uow.session
        assert len(read_tile(session, "tile/0/000")) == 8192
        assert len(read_tile(session, "tile/0/001.p/44")) == 44 * 32
        assert len(read_tile(session, "tile/0/001.p/7")) == 7 * 32, "partial tiles of older checkpoints stay"
        assert len(read_tile(session, "tile/1/000.p/1")) == 32
        assert len(list(tiles.unpack_entries(read_tile(session, "tile/entries/001.p/44")))) == 44
        for path in ("tile/0/001.p/45", "tile/0/001", "tile/1/000", "tile/2/000.p/1", "tile/0/999", "other"):
            with pytest.raises(NotFoundError):
                read_tile(session, path)
        with pytest.raises(ReceiptNotReadyError):
            receipt_for(session, late)
        with pytest.raises(NotFoundError):
            receipt_for(session, "00" * 32)
        status = read_status(session)
        assert (status.size, status.checkpoint_size, status.anchored_size, status.pending) == (
            301,
            300,
            300,
            0,
        )
        assert anchored_size(session, "bucket") == 300
    assert is_entries_path("tile/entries/000")
    assert not is_entries_path("tile/0/000")
    ledger.close()


def test_an_export_goes_into_an_empty_folder_only(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        export_log(ledger.database, tmp_path / "out", SIGNER.verifier, b"")
    ledger.grow(3)
    exported = export_log(ledger.database, tmp_path / "out", SIGNER.verifier, b"certificates")
    assert (exported.entries, exported.anchors) == (4, 1)
    with pytest.raises(ConflictError):
        export_log(ledger.database, tmp_path / "out", SIGNER.verifier, b"")
    ledger.close()


def test_the_signer_must_be_the_log(ledger: Ledger) -> None:

    other = NoteSigner("other.invalid", bytes(32))
    with pytest.raises(LedgerCorruptError):
        CheckpointWriter(ledger.database, ledger.clock, ledger.sequencer, other)
    ledger.close()
