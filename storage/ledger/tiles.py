# SPDX-License-Identifier: Apache-2.0
"""Static log files (C2SP tlog-tiles): paths, tiles of 256 hashes, entry bundles, detail bundles beside them.

Encrypted details are longer than an entry may be: their bundles frame each with a big-endian uint32 length.
"""

import re
import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from storage.ledger.errors import LedgerFormatError
from storage.ledger.proofs import HASH_SIZE, Nodes, leaf_nodes, node_hash, range_root

WIDTH = 256
TILE_BITS = 8
ENTRIES = "entries"
_PATH = re.compile(
    r"tile/(?P<level>entries|[0-7])/(?P<index>(?:x[0-9]{3}/){0,5}[0-9]{3})(?:\.p/(?P<width>[1-9][0-9]{0,2}))?"
)


def index_path(index: int) -> str:
    """Write a tile number in groups of three digits, all but the last marked with ``x``."""
    groups = [f"{index % 1000:03d}"]
    while index := index // 1000:
        groups.append(f"x{index % 1000:03d}")
    return "/".join(reversed(groups))


def _with_width(path: str, width: int) -> str:
    return path if width == WIDTH else f"{path}.p/{width}"


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Give the path of a hash tile."""
    return _with_width(f"tile/{level}/{index_path(index)}", width)


def entries_path(index: int, width: int = WIDTH) -> str:
    """Give the path of an entry bundle."""
    return _with_width(f"tile/{ENTRIES}/{index_path(index)}", width)


def details_path(index: int, width: int = WIDTH) -> str:
    """Give the path of a bundle of encrypted details in an export."""
    return _with_width(f"details/{index_path(index)}", width)


@dataclass(frozen=True, slots=True)
class TileName:
    """A tile or entry bundle by coordinates; ``level`` is None for an entry bundle."""

    level: int | None
    index: int
    width: int


def parse_tile_path(path: str) -> TileName:
    """Read a path; refuses every spelling but the one the writers above give."""
    match = _PATH.fullmatch(path)
    if not match:
        raise LedgerFormatError(rule="tile-path")
    level = None if match["level"] == ENTRIES else int(match["level"])
    index = int(match["index"].replace("x", "").replace("/", ""))
    name = TileName(level, index, int(match["width"] or WIDTH))
    spelled = entries_path(index, name.width) if level is None else tile_path(level, index, name.width)
    if spelled != path:
        raise LedgerFormatError(rule="tile-path")
    return name


def widths(size: int, level: int = 0) -> Iterator[tuple[int, int]]:
    """Give (index, width) of every tile at a level of a tree of ``size`` leaves; the last may be partial."""
    hashes = size >> (TILE_BITS * level)
    for index in range(hashes // WIDTH):
        yield index, WIDTH
    if hashes % WIDTH:
        yield hashes // WIDTH, hashes % WIDTH


def levels(size: int) -> Iterator[int]:
    """Give the levels that hold at least one hash in a tree of ``size`` leaves."""
    level = 0
    while size >> (TILE_BITS * level):
        yield level
        level += 1


def split_hashes(data: bytes) -> list[bytes]:
    """Give the hashes of a tile."""
    if len(data) % HASH_SIZE:
        raise LedgerFormatError(rule="tile-length", length=len(data))
    return [data[at : at + HASH_SIZE] for at in range(0, len(data), HASH_SIZE)]


def full_tile_root(hashes: Sequence[bytes]) -> bytes:
    """Give the root of a full tile: the one hash that stands for it a level higher."""
    if len(hashes) != WIDTH:
        raise LedgerFormatError(rule="tile-length", length=len(hashes))
    row = list(hashes)
    while len(row) > 1:
        row = [node_hash(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def tile_nodes(read: Callable[[int, int], Sequence[bytes]]) -> Nodes:
    """Give a node source over tiles; ``read(level, index)`` gives a tile's hashes, partial ones included."""
    sources: dict[tuple[int, int], Nodes] = {}

    def node(level: int, index: int) -> bytes:
        tile_level, height = divmod(level, TILE_BITS)
        start = index << height
        place = (tile_level, start // WIDTH)
        if place not in sources:
            sources[place] = leaf_nodes(read(*place))
        within = start % WIDTH
        return range_root(sources[place], within, within + (1 << height))

    return node


def pack_entries(entries: Sequence[bytes]) -> bytes:
    """Write an entry bundle: each entry after its big-endian uint16 length."""
    return b"".join(struct.pack(">H", len(entry)) + entry for entry in entries)


def unpack_entries(data: bytes) -> Iterator[bytes]:
    """Read an entry bundle one by one; raises :class:`LedgerFormatError` where the framing breaks."""
    return _unpack(data, struct.Struct(">H"))


def pack_details(details: Sequence[bytes]) -> bytes:
    """Write a detail bundle: each encrypted detail after its big-endian uint32 length."""
    return b"".join(struct.pack(">I", len(detail)) + detail for detail in details)


def unpack_details(data: bytes) -> Iterator[bytes]:
    """Read a detail bundle one by one; raises :class:`LedgerFormatError` where the framing breaks."""
    return _unpack(data, struct.Struct(">I"))


def _unpack(data: bytes, length: struct.Struct) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        start = at + length.size
        if start > len(data):
            raise LedgerFormatError(rule="bundle-framing")
        (size,) = length.unpack_from(data, at)
        at = start + size
        if at > len(data):
            raise LedgerFormatError(rule="bundle-framing")
        yield data[start:at]
