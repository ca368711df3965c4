# SPDX-License-Identifier: Apache-2.0
"""The walk over an export's entries, tiles and details, one bundle of 256 at a time.

Two roots are computed side by side, from the entries and from the level-0 tiles. Whichever equals the
signed one is trusted, and the first place where the other differs is where somebody changed something.
"""

import hashlib
from dataclasses import dataclass

from storage.ledger import tiles
from storage.ledger.entries import FIRST_PREV, parse_entry
from storage.ledger.errors import LedgerFormatError
from storage.ledger.filelist import ExportFolder
from storage.ledger.findings import LogReport, Rule
from storage.ledger.notes import Checkpoint
from storage.ledger.proofs import HASH_SIZE, Frontier, leaf_hash


@dataclass(frozen=True, slots=True)
class SignedHead:
    """A root that the log must have at some size, where it stands, and what it means when it differs."""

    checkpoint: Checkpoint
    file: str
    rule: Rule


class LeafWalk:
    """Checks everything below a checkpoint.

    Args:
        export: The folder.
        checkpoint: The signed head of the export.
        heads: Further signed heads, none larger than the checkpoint.
        report: Where findings go.
    """

    def __init__(
        self, export: ExportFolder, checkpoint: Checkpoint, heads: list[SignedHead], report: LogReport
    ) -> None:
        self._export = export
        self._checkpoint = checkpoint
        self._report = report
        self._heads: dict[int, list[SignedHead]] = {}
        for head in heads:
            self._heads.setdefault(head.checkpoint.size, []).append(head)
        self._entries = Frontier()
        self._claimed = Frontier()
        self._has_entries = export.holds("tile/entries/") or checkpoint.size == 0
        self._has_tiles = export.holds("tile/0/")
        self._has_details = export.holds("details/")
        self._prev, self._at, self._agrees = FIRST_PREV, "", False
        self._faults = False
        self._differs: tuple[int, str] | None = None
        self._good_size = 0

    def run(self) -> None:
        """Walk, then compare the roots and name who is wrong."""
        if not self._has_entries:
            self._report.add(Rule.ENTRIES_NOT_INCLUDED, "tile/entries")
        self._report.details = 0 if self._has_details else None
        upper: list[bytes] = []
        self._compare_heads()
        for index, width in tiles.widths(self._checkpoint.size):
            claimed = self._tile(0, index, width) if self._has_tiles else None
            leaves = self._bundle(index, width, claimed) if self._has_entries else claimed or []
            root = tiles.full_tile_root(claimed) if claimed is not None and width == tiles.WIDTH else None
            if claimed is not None:
                self._compare_tile(index, width, leaves, claimed, root)
            self._grow(leaves, root if leaves == claimed else None)
            if root is not None:
                upper.append(root)
        signed = (self._checkpoint.size, self._checkpoint.root)
        claimed_hold = self._has_tiles and (self._claimed.size, self._claimed.root()) == signed
        if claimed_hold:
            self._upper_tiles(upper)
        self._judge(claimed_hold)

    def _grow(self, leaves: list[bytes], root: bytes | None) -> None:
        """Add a bundle's leaves, at once when its root is known and no signed head falls inside."""
        start = self._entries.size
        inside = any(start < size < start + len(leaves) for size in self._heads)
        if root is not None and not inside and start % tiles.WIDTH == 0:
            self._entries.append_complete(tiles.TILE_BITS, root)
            self._compare_heads()
            return
        for leaf in leaves:
            self._entries.append(leaf)
            self._compare_heads()

    def _compare_tile(
        self, index: int, width: int, leaves: list[bytes], claimed: list[bytes], root: bytes | None
    ) -> None:
        """Follow the tree that the tiles claim, and note the first place where entries differ from it."""
        if root is not None and self._claimed.size % tiles.WIDTH == 0:
            self._claimed.append_complete(tiles.TILE_BITS, root)
        else:
            for leaf in claimed:
                self._claimed.append(leaf)
        if leaves != claimed and self._differs is None:
            pairs = enumerate(zip(leaves, claimed, strict=False))
            at = next((at for at, (leaf, other) in pairs if leaf != other), None)
            if at is not None:
                self._differs = (index * tiles.WIDTH + at, tiles.tile_path(0, index, width))

    def _compare_heads(self) -> None:
        size = self._entries.size
        if size not in self._heads or self._faults:
            return
        root = self._entries.root()
        for head in self._heads.pop(size):
            if head.checkpoint.root == root:
                self._good_size = size
                self._report.anchors += head.rule is Rule.ANCHOR_REFUSED
            else:
                self._report.add(head.rule, head.file, self._good_size)

    def _tile(self, level: int, index: int, width: int) -> list[bytes] | None:
        path = tiles.tile_path(level, index, width)
        data = self._export.read(path)
        seq = (index * tiles.WIDTH) << (tiles.TILE_BITS * level)
        if data is None:
            self._report.add(Rule.TILE_MISSING, path, seq)
        elif len(data) != HASH_SIZE * width:
            self._report.add(Rule.TILE_DIFFERS, path, seq)
        else:
            return tiles.split_hashes(data)
        return None

    def _bundle(self, index: int, width: int, claimed: list[bytes] | None) -> list[bytes]:
        path, start = tiles.entries_path(index, width), index * tiles.WIDTH
        details = self._details(index, width)
        leaves: list[bytes] = []
        try:
            for data in tiles.unpack_entries(self._export.read(path) or b""):
                count = len(leaves)
                if count == width:
                    self._fault(Rule.ENTRY_ADDED, path, start + width)
                    return leaves
                self._entry(data, path, start + count, details[count] if details else None)
                leaves.append(leaf_hash(data))
                self._prev = leaves[-1]
                self._agrees = claimed is not None and claimed[count] == self._prev
        except LedgerFormatError:
            self._fault(Rule.ENTRY_MALFORMED, path, start + len(leaves))
            return leaves
        if len(leaves) < width:
            self._fault(Rule.ENTRY_REMOVED, path, start + len(leaves))
        return leaves

    def _entry(self, data: bytes, path: str, seq: int, detail: bytes | None) -> None:
        try:
            entry = parse_entry(data)
        except LedgerFormatError:
            self._fault(Rule.ENTRY_MALFORMED, path, seq)
            return
        if entry.seq != seq:
            self._fault(Rule.ENTRY_SEQUENCE, path, seq)
        elif entry.prev != self._prev:
            # Either this entry or the one before was changed; a tile that agrees with the latter decides.
            self._fault(Rule.ENTRY_CHAIN, path, seq if self._agrees or seq == 0 else seq - 1)
        elif entry.log != self._checkpoint.origin:
            self._fault(Rule.ENTRY_LOG, path, seq)
        elif entry.at < self._at:
            self._fault(Rule.ENTRY_TIME, path, seq)
        self._at = max(self._at, entry.at)
        if detail is not None:
            self._detail(detail, entry.detail_sha256, seq)

    def _detail(self, detail: bytes, digest: str, seq: int) -> None:
        if hashlib.sha256(detail).hexdigest() == digest:
            self._report.details = (self._report.details or 0) + 1
            return
        index = seq // tiles.WIDTH
        width = min(tiles.WIDTH, self._checkpoint.size - index * tiles.WIDTH)
        self._report.add(Rule.DETAIL_DIFFERS, tiles.details_path(index, width), seq)

    def _details(self, index: int, width: int) -> list[bytes] | None:
        if not self._has_details:
            return None
        path, start = tiles.details_path(index, width), index * tiles.WIDTH
        details: list[bytes] = []
        try:
            details.extend(tiles.unpack_details(self._export.read(path) or b""))
        except LedgerFormatError:
            self._report.add(Rule.DETAIL_DIFFERS, path, start)
            return None
        if len(details) != width:
            self._report.add(Rule.DETAIL_MISSING, path, start + min(len(details), width))
            return None
        return details

    def _fault(self, rule: Rule, path: str, seq: int) -> None:
        self._faults = True
        self._report.add(rule, path, seq)
        self._report.blame(seq)

    def _upper_tiles(self, hashes: list[bytes]) -> None:
        level = 1
        while hashes:
            above: list[bytes] = []
            for index, width in tiles.widths(self._checkpoint.size, level):
                held = self._tile(level, index, width)
                computed = hashes[index * tiles.WIDTH : index * tiles.WIDTH + width]
                if held is not None and held != computed:
                    seq = (index * tiles.WIDTH) << (tiles.TILE_BITS * level)
                    self._report.add(Rule.TILE_DIFFERS, tiles.tile_path(level, index, width), seq)
                if len(computed) == tiles.WIDTH:
                    above.append(tiles.full_tile_root(computed))
            hashes, level = above, level + 1

    def _judge(self, claimed_hold: bool) -> None:
        signed = (self._checkpoint.size, self._checkpoint.root)
        entries_hold = not self._faults and (self._entries.size, self._entries.root()) == signed
        if self._differs is not None:
            seq, path = self._differs
            if entries_hold:
                self._report.add(Rule.TILE_DIFFERS, path, seq)
            else:
                self._report.add(Rule.ENTRY_DIFFERS, path.replace("tile/0/", "tile/entries/"), seq)
                self._report.blame(seq, exact=claimed_hold)
        elif not entries_hold and not self._faults:
            self._report.add(Rule.HISTORY_REWRITTEN, "", self._good_size)
            self._report.blame(self._good_size, exact=False)
