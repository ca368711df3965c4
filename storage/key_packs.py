# SPDX-License-Identifier: Apache-2.0
"""Keys of many subjects in one file, made durable at once (docs/decisions/0035-key-packs.md).

A pack is a file of records ``key id (16 bytes) | key (32)``, sorted by key id, written whole before anybody
sees it. Records are never moved, added or removed; a destroyed one keeps its place and holds zeros. Who
misses a key lists the folder again: another process may have made a pack meanwhile.
"""

import mmap
import os
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import accumulate
from pathlib import Path
from typing import Final

from storage.files import create_once

ID_SIZE: Final = 16
KEY_SIZE: Final = 32
_RECORD: Final = ID_SIZE + KEY_SIZE
_DESTROYED: Final = bytes(KEY_SIZE)
_STRETCHES: Final = 4096
_SUFFIX: Final = ".pack"


class KeyPacks:
    """A folder of packs; safe to share between threads and processes.

    Args:
        folder: Made when the first pack is.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._packs: dict[str, _Pack] = {}

    def write(self, keys: Mapping[bytes, bytes]) -> None:
        """Write one pack of these keys by their ids; durable, directory entry included, when this returns."""
        if not keys:
            return
        self._folder.mkdir(mode=0o700, exist_ok=True)
        data = b"".join(key_id + keys[key_id] for key_id in sorted(keys))
        # Whoever destroys a key writes into the file, so its owner may.
        create_once(self._folder / f"{os.urandom(16).hex()}{_SUFFIX}", data, 0o600)

    def find(self, key_id: bytes) -> Iterator[bytes]:
        """Give the keys of this id that are not destroyed: one, or one of each process that made one."""
        met = False
        for pack in reversed(list(self._packs.values())):
            for key in pack.find(key_id):
                met = True
                yield key
        if not met:
            for pack in self._unknown():
                yield from pack.find(key_id)

    def destroy(self, key_id: bytes) -> None:
        """Overwrite every key of this id; durable when this returns."""
        list(self._unknown())
        for pack in list(self._packs.values()):
            pack.destroy(key_id)

    def _unknown(self) -> Iterator["_Pack"]:
        """Open the packs that were made since the folder was last listed."""
        try:
            names = sorted(name for name in os.listdir(self._folder) if name.endswith(_SUFFIX))
        except FileNotFoundError:
            return
        for name in names:
            if name not in self._packs:
                self._packs[name] = pack = _Pack(self._folder / name)
                yield pack


class _Pack:
    """One pack, looked into where it lies."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            # Shared with those who write: what they destroy is gone from here, too.
            self._records = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        # Ids are digests, so that each stretch holds about as many: of 50,000 a dozen.
        stretches = Counter(map(_stretch, self._records[::_RECORD], self._records[1::_RECORD]))
        self._ends = [0, *accumulate(stretches[one] * _RECORD for one in range(_STRETCHES))]

    def find(self, key_id: bytes) -> Iterator[bytes]:
        start = self._start(key_id)
        if start is not None:
            key = self._records[start + ID_SIZE : start + _RECORD]
            if key != _DESTROYED:
                yield key

    def destroy(self, key_id: bytes) -> None:
        start = self._start(key_id)
        if start is None:
            return
        with self._path.open("r+b", buffering=0) as file:
            os.pwrite(file.fileno(), _DESTROYED, start + ID_SIZE)
            os.fsync(file.fileno())

    def _start(self, key_id: bytes) -> int | None:
        """Give where the record of an id begins; a large import leaves dozens of packs to look into."""
        stretch = _stretch(key_id[0], key_id[1])
        start, end = self._ends[stretch], self._ends[stretch + 1]
        while (start := self._records.find(key_id, start, end)) % _RECORD:
            if start < 0:
                return None
            start += 1
        return start


def _stretch(first: int, second: int) -> int:
    """Give the part of a pack in which ids lie that begin with these bytes."""
    return first << 4 | second >> 4
