# SPDX-License-Identifier: Apache-2.0
"""What the log serves from its tables: checkpoint, tiles, entry bundles, receipts.

Only what a published checkpoint covers is served. Permission is the caller's.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.errors import NotFoundError
from storage.ledger import tiles
from storage.ledger.checkpoints import newest_checkpoint, newest_published
from storage.ledger.errors import LedgerFormatError, ReceiptNotReadyError
from storage.ledger.files import entry_bundle, tile_file, tile_hashes
from storage.ledger.models import (
    LedgerAct,
    LedgerAnchor,
    LedgerCheckpoint,
    LedgerEntry,
    LedgerPending,
    LedgerState,
)
from storage.ledger.proofs import Nodes, inclusion_path
from storage.ledger.receipts import Receipt


@dataclass(frozen=True, slots=True)
class LedgerStatus:
    """Sizes and times for status pages: entries, newest checkpoint, newest token, pending acts."""

    size: int
    pending: int
    checkpoint_size: int
    checkpoint_at: dt.datetime | None
    anchored_size: int
    anchored_at: dt.datetime | None


def read_status(session: Session) -> LedgerStatus:
    """Give the log's sizes as the tables hold them."""
    checkpoint = newest_checkpoint(session)
    anchor = session.scalars(
        select(LedgerAnchor).where(LedgerAnchor.kind == "tsr").order_by(LedgerAnchor.size.desc()).limit(1)
    ).first()
    return LedgerStatus(
        size=session.scalar(select(LedgerState.size)) or 0,
        pending=session.scalar(select(func.count()).select_from(LedgerPending)) or 0,
        checkpoint_size=checkpoint.size if checkpoint else 0,
        checkpoint_at=checkpoint.at if checkpoint else None,
        anchored_size=anchor.size if anchor else 0,
        anchored_at=anchor.at if anchor else None,
    )


def read_checkpoint(session: Session) -> bytes:
    """Give the newest published checkpoint; raises :class:`NotFoundError` before the first."""
    newest = newest_published(session)
    if newest is None:
        raise NotFoundError
    return newest.note


def read_tile(session: Session, path: str) -> bytes:
    """Give the file at a ``tile/…`` path, entry bundles included.

    Raises:
        NotFoundError: Not a path of the log, or not covered by the newest published checkpoint.
    """
    try:
        name = tiles.parse_tile_path(path)
    except LedgerFormatError as error:
        raise NotFoundError from error
    newest = newest_published(session)
    level = name.level or 0
    hashes = (newest.size if newest else 0) >> (tiles.TILE_BITS * level)
    if not 0 < name.width <= tiles.WIDTH or name.index * tiles.WIDTH + name.width > hashes:
        raise NotFoundError
    if name.level is None:
        return entry_bundle(session, name.index, name.width)
    return tile_file(session, level, name.index, name.width)


def is_entries_path(path: str) -> bool:
    """Tell whether a tile path names an entry bundle, which is served to auditors only."""
    return path.startswith(f"tile/{tiles.ENTRIES}/")


def stored_nodes(session: Session, size: int) -> Nodes:
    """Give a node source over the stored tree of ``size`` leaves."""

    def read(level: int, index: int) -> list[bytes]:
        hashes = size >> (tiles.TILE_BITS * level)
        return tile_hashes(session, level, index, min(tiles.WIDTH, hashes - index * tiles.WIDTH))

    return tiles.tile_nodes(read)


def receipt_for(session: Session, act_id: str) -> bytes:
    """Give the receipt of an act, under the newest published checkpoint.

    Raises:
        NotFoundError: No such act.
        ReceiptNotReadyError: Recorded, but not yet covered by a published checkpoint.
    """
    entry = session.scalars(select(LedgerEntry).where(LedgerEntry.act_id == act_id)).first()
    newest = newest_published(session)
    if entry is None or newest is None or newest.size <= entry.seq:
        raise ReceiptNotReadyError if session.get(LedgerAct, act_id) else NotFoundError
    return _receipt(session, entry, newest)


def _receipt(session: Session, entry: LedgerEntry, checkpoint: LedgerCheckpoint) -> bytes:
    path = inclusion_path(stored_nodes(session, checkpoint.size), entry.seq, checkpoint.size)
    return Receipt(entry.entry, entry.seq, tuple(path), checkpoint.note).to_bytes()
