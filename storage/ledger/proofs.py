# SPDX-License-Identifier: Apache-2.0
"""Merkle tree of RFC 9162 §2.1, pure: hashes in, hashes out.

Guarantees: the same roots, inclusion paths and consistency proofs as RFC 6962 and RFC 9162. Refuses hashes
that are not 32 bytes and consistency from size 0, where the proof is empty by rule and proves nothing.
Proofs are computed as ranges of leaves first, so that the same code serves leaf lists and stored tiles.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence

from storage.ledger.errors import LedgerFormatError

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
_LEAF = b"\x00"
_NODE = b"\x01"

Range = tuple[int, int]
"""Leaves ``start`` up to, not including, ``end``."""

Nodes = Callable[[int, int], bytes]
"""Gives the root of the complete subtree of 2**level leaves that begins at leaf index * 2**level."""


def leaf_hash(entry: bytes) -> bytes:
    """Give SHA-256(0x00 ‖ entry)."""
    return hashlib.sha256(_LEAF + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Give SHA-256(0x01 ‖ left ‖ right)."""
    return hashlib.sha256(_NODE + left + right).digest()


def require_hash(value: bytes) -> bytes:
    """Give the value back; refuse anything that is not 32 bytes."""
    if len(value) != HASH_SIZE:
        raise LedgerFormatError(rule="hash-size", length=len(value))
    return value


def _split(size: int) -> int:
    """Give the largest power of two smaller than ``size`` (size ≥ 2)."""
    return 1 << ((size - 1).bit_length() - 1)


class Frontier:
    """The right edge of a growing tree: roots of its complete subtrees, the largest first.

    Appending costs amortised one node hash; the root costs at most 63.
    """

    __slots__ = ("_nodes", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        self.size = size
        self._nodes = [require_hash(node) for node in nodes]
        if size < 0 or len(self._nodes) != size.bit_count():
            raise LedgerFormatError(rule="frontier-size", size=size)

    @classmethod
    def from_bytes(cls, size: int, data: bytes) -> "Frontier":
        """Read what :meth:`to_bytes` wrote for a tree of that size."""
        if len(data) % HASH_SIZE:
            raise LedgerFormatError(rule="hash-size", length=len(data) % HASH_SIZE)
        return cls(size, (data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)))

    def to_bytes(self) -> bytes:
        """Write the nodes one after the other, the largest subtree first."""
        return b"".join(self._nodes)

    def copy(self) -> "Frontier":
        """Give an independent frontier of the same tree."""
        return Frontier(self.size, self._nodes)

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash at the right."""
        self.append_complete(0, leaf)

    def append_complete(self, level: int, root: bytes) -> None:
        """Add the root of 2**level leaves at once; the size must be a multiple of that number."""
        if self.size & ((1 << level) - 1):
            raise LedgerFormatError(rule="frontier-alignment", size=self.size)
        node = require_hash(root)
        remaining = self.size >> level
        while remaining & 1:
            node = node_hash(self._nodes.pop(), node)
            remaining >>= 1
        self._nodes.append(node)
        self.size += 1 << level

    def root(self) -> bytes:
        """Give the tree's root; H("") for the empty tree."""
        if not self._nodes:
            return EMPTY_ROOT
        root = self._nodes[-1]
        for node in self._nodes[-2::-1]:
            root = node_hash(node, root)
        return root


def tree_root(leaves: Iterable[bytes]) -> bytes:
    """Give the root over leaf hashes in order."""
    frontier = Frontier()
    for leaf in leaves:
        frontier.append(leaf)
    return frontier.root()


def leaf_nodes(leaves: Sequence[bytes]) -> Nodes:
    """Give a node source over a list of leaf hashes; complete subtrees are remembered."""
    known: dict[tuple[int, int], bytes] = {}

    def node(level: int, index: int) -> bytes:
        if level == 0:
            return require_hash(leaves[index])
        if (level, index) not in known:
            known[level, index] = node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))
        return known[level, index]

    return node


def range_root(nodes: Nodes, start: int, end: int) -> bytes:
    """Give the root over a range of leaves whose start is a multiple of its complete subtrees' sizes."""
    size = end - start
    if size & (size - 1) == 0:
        level = size.bit_length() - 1
        return nodes(level, start >> level)
    middle = start + _split(size)
    return node_hash(range_root(nodes, start, middle), range_root(nodes, middle, end))


def inclusion_ranges(index: int, size: int) -> list[Range]:
    """Give the ranges whose roots are the inclusion path of a leaf, the leaf's sibling first (§2.1.3.1)."""
    if not 0 <= index < size:
        raise LedgerFormatError(rule="index-outside-tree", index=index, size=size)
    ranges: list[Range] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    return ranges[::-1]


def consistency_ranges(old: int, size: int) -> list[Range]:
    """Give the ranges whose roots prove that the tree of ``size`` extends the one of ``old`` (§2.1.4.1)."""
    if not 0 < old <= size:
        raise LedgerFormatError(rule="consistency-sizes", old=old, size=size)
    ranges: list[Range] = []
    start, end = 0, size
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            ranges.append((middle, end))
            end = middle
        else:
            ranges.append((start, middle))
            start = middle
    if start:
        ranges.append((start, end))
    return ranges[::-1]


def inclusion_path(nodes: Nodes, index: int, size: int) -> list[bytes]:
    """Give the inclusion path of leaf ``index`` in the tree of ``size`` leaves."""
    return [range_root(nodes, start, end) for start, end in inclusion_ranges(index, size)]


def consistency_proof(nodes: Nodes, old: int, size: int) -> list[bytes]:
    """Give the consistency proof between the trees of ``old`` and ``size`` leaves."""
    return [range_root(nodes, start, end) for start, end in consistency_ranges(old, size)]


def verify_inclusion(leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the path leads from the leaf at ``index`` to the root (§2.1.3.2).

    Raises:
        LedgerFormatError: A hash is not 32 bytes long, or the index lies outside the tree.
    """
    require_hash(root)
    current = require_hash(leaf)
    ranges = inclusion_ranges(index, size)
    if len(path) != len(ranges):
        return False
    for (start, _end), sibling in zip(ranges, path, strict=True):
        require_hash(sibling)
        current = node_hash(current, sibling) if index < start else node_hash(sibling, current)
    return current == root


def verify_consistency(old: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    """Tell whether the tree of ``size`` leaves extends the tree of ``old`` leaves (§2.1.4.2).

    Raises:
        LedgerFormatError: A hash is not 32 bytes long, ``old`` is 0 or larger than ``size``.
    """
    require_hash(old_root)
    require_hash(root)
    if not 0 < old <= size:
        raise LedgerFormatError(rule="consistency-sizes", old=old, size=size)
    for sibling in proof:
        require_hash(sibling)
    if old == size:
        return not proof and old_root == root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    inner, last = old - 1, size - 1
    while inner & 1:
        inner, last = inner >> 1, last >> 1
    return _fold_consistency(inner, last, path) == (old_root, root)


def _fold_consistency(inner: int, last: int, path: list[bytes]) -> tuple[bytes, bytes] | None:
    old_side = new_side = path[0]
    for sibling in path[1:]:
        if last == 0:
            return None
        if inner & 1 or inner == last:
            old_side, new_side = node_hash(sibling, old_side), node_hash(sibling, new_side)
            while not inner & 1 and inner:
                inner, last = inner >> 1, last >> 1
        else:
            new_side = node_hash(new_side, sibling)
        inner, last = inner >> 1, last >> 1
    return (old_side, new_side) if last == 0 else None
