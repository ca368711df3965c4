# SPDX-License-Identifier: Apache-2.0
"""The growing side of the log: what the next entry needs, and the rows of entries and tiles that it makes."""

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.ledger.entries import FIRST_PREV
from storage.ledger.errors import LedgerCorruptError
from storage.ledger.files import tile_hashes
from storage.ledger.models import LedgerCheckpoint, LedgerEntry, LedgerState
from storage.ledger.proofs import Frontier, leaf_hash
from storage.ledger.tiles import TILE_BITS, WIDTH, full_tile_root, levels

STATE_ID = 1
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


@dataclass(slots=True)
class Edge:
    """The growing side of the log: everything that the next batch needs, and the rows that it makes."""

    frontier: Frontier
    last_leaf: bytes
    last_at: dt.datetime
    rows: list[list[bytes]]
    entries: list[dict[str, Any]] = field(default_factory=list)
    full: list[dict[str, Any]] = field(default_factory=list)

    def next(self) -> "Edge":
        """Give a copy to work on, with nothing made yet."""
        return Edge(self.frontier.copy(), self.last_leaf, self.last_at, [list(row) for row in self.rows])

    def add_leaf(self, leaf: bytes) -> None:
        """Take one leaf into frontier and tiles."""
        self.frontier.append(leaf)
        self.last_leaf = leaf
        level, node = 0, leaf
        while True:
            if level == len(self.rows):
                self.rows.append([])
            row = self.rows[level]
            row.append(node)
            if len(row) < WIDTH:
                return
            node = full_tile_root(row)
            position = (self.frontier.size >> (TILE_BITS * (level + 1))) - 1
            self.full.append({"level": level, "position": position, "data": b"".join(row), "root": node})
            row.clear()
            level += 1


def fresh_state(origin: str, fence: int) -> LedgerState:
    """Give the state of a log without entries."""
    return LedgerState(
        id=STATE_ID,
        origin=origin,
        size=0,
        last_leaf=FIRST_PREV,
        frontier=b"",
        last_at=EPOCH,
        fence=fence,
    )


def state_values(edge: Edge) -> dict[str, Any]:
    """Give what the state's row says of an edge."""
    return {
        "size": edge.frontier.size,
        "last_leaf": edge.last_leaf,
        "frontier": edge.frontier.to_bytes(),
        "last_at": edge.last_at,
    }


def load_edge(session: Session, state: LedgerState) -> Edge:
    """Read the growing side back and refuse tables that contradict each other."""
    frontier = Frontier.from_bytes(state.size, state.frontier)
    last = session.scalars(select(LedgerEntry).order_by(LedgerEntry.seq.desc()).limit(1)).first()
    if (last.seq + 1 if last else 0) != state.size:
        raise LedgerCorruptError(seq=state.size, rule="state-size")
    if last and (last.leaf != state.last_leaf or leaf_hash(last.entry) != last.leaf):
        raise LedgerCorruptError(seq=last.seq, rule="last-leaf")
    newest = session.scalars(
        select(LedgerCheckpoint.size).order_by(LedgerCheckpoint.size.desc()).limit(1)
    ).first()
    if newest is not None and newest > state.size:
        raise LedgerCorruptError(seq=state.size, rule="below-published-size")
    rows = []
    for level in levels(state.size):
        hashes = state.size >> (TILE_BITS * level)
        width = hashes % WIDTH
        rows.append(tile_hashes(session, level, hashes // WIDTH, width) if width else [])
    return Edge(frontier, state.last_leaf, state.last_at, rows)
