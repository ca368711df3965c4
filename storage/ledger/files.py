# SPDX-License-Identifier: Apache-2.0
"""The log's static files, made from the tables: what is served, exported and put into the object store.

All of them are pure functions of a tree size: made again they have the same bytes, so that publishing may
be repeated after a crash.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.ledger import tiles
from storage.ledger.errors import LedgerCorruptError
from storage.ledger.models import LedgerAct, LedgerEntry, LedgerTile


@dataclass(frozen=True, slots=True)
class LogFile:
    """One static file: its path in the log and its bytes."""

    path: str
    data: bytes


def origin_hash(origin: str) -> str:
    """Give the hex SHA-256 of the origin, under which the object store keeps a log."""
    return hashlib.sha256(origin.encode()).hexdigest()


def log_prefix(origin: str) -> str:
    """Give the object store's prefix for tiles, entry bundles and anchors of a log."""
    return f"a/{origin_hash(origin)}/"


def detail_prefix(origin: str) -> str:
    """Give the object store's prefix for the encrypted details of a log."""
    return f"d/{origin_hash(origin)}/"


def anchor_path(size: int, name: str) -> str:
    """Give the path of a checkpoint (``checkpoint``) or its token (``tsr``) among the anchors."""
    return f"anchor/{size:020d}/{name}"


def tile_hashes(session: Session, level: int, index: int, width: int) -> list[bytes]:
    """Give the hashes of a tile, full or partial.

    Raises:
        LedgerCorruptError: The tables hold fewer hashes.
    """
    if width == tiles.WIDTH:
        row = session.get(LedgerTile, (level, index))
        if row is None:
            raise LedgerCorruptError(seq=(index * tiles.WIDTH) << (tiles.TILE_BITS * level))
        return tiles.split_hashes(row.data)
    start = index * tiles.WIDTH
    if level == 0:
        query = select(LedgerEntry.leaf).where(LedgerEntry.seq >= start, LedgerEntry.seq < start + width)
        hashes = session.scalars(query.order_by(LedgerEntry.seq)).all()
    else:
        below = LedgerTile.position
        query = select(LedgerTile.root).where(LedgerTile.level == level - 1)
        query = query.where(below >= start, below < start + width)
        hashes = session.scalars(query.order_by(below)).all()
    if len(hashes) != width:
        raise LedgerCorruptError(seq=(start + len(hashes)) << (tiles.TILE_BITS * level))
    return list(hashes)


def tile_file(session: Session, level: int, index: int, width: int) -> bytes:
    """Give the bytes of a tile."""
    return b"".join(tile_hashes(session, level, index, width))


def entry_bundle(session: Session, index: int, width: int) -> bytes:
    """Give the bytes of an entry bundle."""
    start = index * tiles.WIDTH
    query = select(LedgerEntry.entry).where(LedgerEntry.seq >= start, LedgerEntry.seq < start + width)
    entries = session.scalars(query.order_by(LedgerEntry.seq)).all()
    if len(entries) != width:
        raise LedgerCorruptError(seq=start + len(entries))
    return tiles.pack_entries(entries)


def detail_bundle(session: Session, index: int, width: int) -> bytes:
    """Give the bytes of a bundle of encrypted details."""
    start = index * tiles.WIDTH
    query = (
        select(LedgerAct.detail)
        .join(LedgerEntry, LedgerEntry.act_id == LedgerAct.act_id)
        .where(LedgerEntry.seq >= start, LedgerEntry.seq < start + width)
        .order_by(LedgerEntry.seq)
    )
    details = session.scalars(query).all()
    if len(details) != width:
        raise LedgerCorruptError(seq=start + len(details))
    return tiles.pack_details(details)


@dataclass(frozen=True, slots=True)
class FileName:
    """One static file of the log by kind (``tile``, ``entries``, ``details``) and place."""

    kind: str
    level: int
    index: int
    width: int

    @property
    def path(self) -> str:
        """Give the path in the log."""
        if self.kind == "tile":
            return tiles.tile_path(self.level, self.index, self.width)
        if self.kind == "entries":
            return tiles.entries_path(self.index, self.width)
        return tiles.details_path(self.index, self.width)

    def read(self, session: Session) -> LogFile:
        """Make the file from the tables."""
        if self.kind == "tile":
            return LogFile(self.path, tile_file(session, self.level, self.index, self.width))
        bundle = entry_bundle if self.kind == "entries" else detail_bundle
        return LogFile(self.path, bundle(session, self.index, self.width))


def new_files(old: int, size: int) -> Iterator[FileName]:
    """Give tiles, entry and detail bundles that a tree of ``size`` has and one of ``old`` had not."""
    for level in tiles.levels(size):
        before, now = (one >> (tiles.TILE_BITS * level) for one in (old, size))
        for index, width in tiles.widths(size, level):
            if before != now and index >= before // tiles.WIDTH:
                yield FileName("tile", level, index, width)
    for index, width in tiles.widths(size):
        if old != size and index >= old // tiles.WIDTH:
            yield FileName("entries", 0, index, width)
            yield FileName("details", 0, index, width)
