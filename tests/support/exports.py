# SPDX-License-Identifier: Apache-2.0
"""An exported log as a forger works on it: entries, chain, tiles and list can be made to fit again."""

import hashlib
from pathlib import Path

from storage.ledger import tiles
from storage.ledger.entries import entry_bytes, entry_prefix, parse_entry
from storage.ledger.filelist import FILE_LIST, ExportFolder, file_list
from storage.ledger.proofs import leaf_hash


def size_of(folder: Path) -> int:
    """Give the number of entries that the export's checkpoint covers."""
    return int((folder / "checkpoint").read_text("utf-8").split("\n")[1])


def read_entries(folder: Path) -> list[bytes]:
    paths = [tiles.entries_path(index, width) for index, width in tiles.widths(size_of(folder))]
    return [entry for path in paths for entry in tiles.unpack_entries((folder / path).read_bytes())]


def write_entries(folder: Path, entries: list[bytes]) -> None:
    """Write entries over the bundles of the export; what is too many or too few goes to the last."""
    size = size_of(folder)
    for index, width in tiles.widths(size):
        last = (index + 1) * 256 >= size
        part = entries[index * 256 :] if last else entries[index * 256 : index * 256 + 256]
        (folder / tiles.entries_path(index, width)).write_bytes(tiles.pack_entries(part))


def rehash(entries: list[bytes], first: int) -> list[bytes]:
    """Give entries whose chain and numbers are right again from ``first`` on: what a forger would do."""
    made = entries[:first]
    for old in entries[first:]:
        entry = parse_entry(old)
        prev = leaf_hash(made[-1]) if made else entry.prev
        made.append(entry_bytes(entry.at, entry.core, entry_prefix(entry.log), prev, len(made)))
    return made


def write_tiles(folder: Path, entries: list[bytes]) -> None:
    row, size = [leaf_hash(entry) for entry in entries], size_of(folder)
    for level in tiles.levels(size):
        for index, width in tiles.widths(size, level):
            path = folder / tiles.tile_path(level, index, width)
            path.write_bytes(b"".join(row[index * 256 : index * 256 + width]))
        row = [tiles.full_tile_root(row[at : at + 256]) for at in range(0, len(row) // 256 * 256, 256)]


def forge(entry: bytes) -> bytes:
    return entry.replace(b'"outcome":"done"', b'"outcome":"lost"')


def relist(folder: Path) -> None:
    """Write the list of files anew: it is signed by nobody, so a forger does that."""
    export = ExportFolder(folder)
    sums = {path: hashlib.sha256(export.read(path) or b"").hexdigest() for path in export.files - {FILE_LIST}}
    (folder / FILE_LIST).write_bytes(file_list(sums))
