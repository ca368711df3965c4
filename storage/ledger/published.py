# SPDX-License-Identifier: Apache-2.0
"""What was published of a log: its checkpoints, tokens and bundles in the object store.

What lies there was signed before, so a log that is continued must hold all of it. Nothing here needs a
database.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from storage.ledger import tiles
from storage.ledger.errors import LedgerFormatError, ProofRefusedError
from storage.ledger.files import FileName, anchor_path, detail_prefix, log_prefix
from storage.ledger.notes import Checkpoint, VerifierKey, open_checkpoint
from storage.objects.ports import ObjectDamagedError, ObjectMissingError, ObjectStore

_GONE = (ObjectMissingError, ObjectDamagedError)


@dataclass(frozen=True, slots=True)
class PublishedHead:
    """A published checkpoint: what it says, its exact bytes, and its token if there is one."""

    checkpoint: Checkpoint
    note: bytes
    token: bytes | None

    @property
    def size(self) -> int:
        """Give the number of entries that it covers."""
        return self.checkpoint.size


class PublishedLog:
    """Reads one log in an object store.

    Args:
        store: Where it was published.
        origin: Its name.
    """

    def __init__(self, store: ObjectStore, origin: str) -> None:
        self._store = store
        self._origin = origin
        self._prefix = log_prefix(origin)

    def sizes(self) -> list[int]:
        """Give the sizes whose checkpoints lie there, ascending."""
        prefix = self._prefix + "anchor/"
        keys = [key.removeprefix(prefix).split("/") for key in self._store.list_named(prefix)]
        return sorted(int(parts[0]) for parts in keys if parts[1:] == ["checkpoint"])

    def head(self, size: int, key: VerifierKey) -> PublishedHead:
        """Give the checkpoint of a size, verified.

        Raises:
            ObjectMissingError: There is none.
            ProofRefusedError: The log's key did not sign it, or it is of another log or size.
        """
        note = self._store.read_named(self._prefix + anchor_path(size, "checkpoint"))
        checkpoint, _ = open_checkpoint(note, [key])
        if checkpoint.size != size or checkpoint.origin != self._origin:
            raise ProofRefusedError(rule="checkpoint-of-another-place")
        try:
            token = self._store.read_named(self._prefix + anchor_path(size, "tsr"))
        except ObjectMissingError:
            token = None
        return PublishedHead(checkpoint, note, token)

    def fetch(self, start: int, size: int, folder: Path) -> list[int]:
        """Write the bundles that hold entries ``start`` to ``size`` into a folder laid out as an export.

        Returns:
            The first entry of each bundle that is gone, or whose details are; empty when all were there.
        """
        gone = []
        for index, width in tiles.widths(size):
            if index * tiles.WIDTH + width <= start:
                continue
            try:
                for kind in ("entries", "details"):
                    name = FileName(kind, 0, index, width)
                    path = folder / name.path
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(self._store.read_named(self.key(name)))
            except _GONE:
                gone.append(index * tiles.WIDTH)
        return gone

    def key(self, name: FileName) -> str:
        """Give the key under which a file of the log lies."""
        if name.kind == "details":
            return detail_prefix(self._origin) + name.path.removeprefix("details/")
        return self._prefix + name.path

    def is_longer_than(self, size: int) -> bool:
        """Tell whether more than ``size`` entries were published, or had begun to be."""
        return any(self._holds(path) for path in _longer_tiles(size))

    def _holds(self, path: str) -> bool:
        try:
            self._store.read_named(self._prefix + path)
        except ObjectMissingError:
            return False
        except (ObjectDamagedError, LedgerFormatError):
            return True
        return True


def _longer_tiles(size: int) -> Iterator[str]:
    index, width = divmod(size, tiles.WIDTH)
    yield tiles.tile_path(0, index)
    for more in range(width + 1, tiles.WIDTH):
        yield tiles.tile_path(0, index, more)
