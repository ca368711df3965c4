# SPDX-License-Identifier: Apache-2.0
"""What a backup says of itself: ``backup.json`` beside the dump, written last: it is there when all is."""

import datetime as dt
import hashlib
import json
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from portal.backup.errors import BackupMalformedError
from storage.files import write_durably
from storage.ledger.edge import Edge
from storage.ledger.errors import LedgerFormatError
from storage.ledger.proofs import Frontier

NAME = "backup.json"
FORMAT = "cunzheng-backup/1"
_CHUNK = 1 << 20
_MOST = 1 << 20


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dump(_Frozen):
    """The database's dump: file, digest, bytes."""

    file: str
    sha256: str
    size: int


class LogState(_Frozen):
    """Where the backup's log stands.

    Attributes:
        origin: Its name.
        key: Its public key.
        size: Entries.
        root: Root of their tree, hex.
        frontier: Roots of the tree's complete subtrees, hex: a continuation is verified from them.
        last_leaf: Leaf hash of the last entry, hex.
        last_at: Time of the last entry.
        pending: Acts that had no number yet.
        checkpoint: Newest signed checkpoint, if any.
    """

    origin: str
    key: str
    size: int
    root: str
    frontier: str
    last_leaf: str
    last_at: dt.datetime
    pending: int
    checkpoint: str | None

    def edge(self) -> Edge:
        """Give the growing side of the log; tiles are not part of it.

        Raises:
            BackupMalformedError: Root and frontier contradict each other.
        """
        try:
            frontier = Frontier.from_bytes(self.size, bytes.fromhex(self.frontier))
            last_leaf = bytes.fromhex(self.last_leaf)
        except (ValueError, LedgerFormatError) as error:
            raise BackupMalformedError(rule="frontier") from error
        if frontier.root().hex() != self.root:
            raise BackupMalformedError(rule="root")
        return Edge(frontier, last_leaf, self.last_at, [])


class Manifest(_Frozen):
    """A backup.

    Attributes:
        format: Name and version of this form.
        id: Of the backup; its act in the ledger names it.
        made_at: When.
        product: Version that made it.
        engine: ``sqlite`` or ``postgresql``.
        revision: Of the tables.
        dump: The dump.
        log: Where the log stands.
        key_check: Tells the key folder that belongs to it; says nothing about any key.
        needs: What a restore needs besides, which is kept apart.
    """

    format: str
    id: str
    made_at: dt.datetime
    product: str
    engine: str
    revision: str
    dump: Dump
    log: LogState
    key_check: str
    needs: tuple[str, ...]

    def write(self, folder: Path) -> None:
        """Write it durably, readable by the owner only."""
        text = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, indent=2, sort_keys=True)
        write_durably(folder / NAME, text.encode() + b"\n", 0o600)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a backup and check its dump against it.

    Raises:
        BackupMalformedError: Something is missing or not as it says.
    """
    try:
        data = (folder / NAME).read_bytes()[:_MOST]
        manifest = Manifest.model_validate_json(data)
    except (OSError, ValidationError) as error:
        raise BackupMalformedError(rule="manifest") from error
    if manifest.format != FORMAT:
        raise BackupMalformedError(rule="format")
    if Path(manifest.dump.file).name != manifest.dump.file:
        raise BackupMalformedError(rule="dump-name")
    manifest.log.edge()
    path = folder / manifest.dump.file
    if not path.is_file() or path.stat().st_size != manifest.dump.size:
        raise BackupMalformedError(rule="dump-size")
    if digest(path) != manifest.dump.sha256:
        raise BackupMalformedError(rule="dump-digest")
    return manifest


def digest(path: Path) -> str:
    """Give the SHA-256 of a file, hex."""
    with path.open("rb") as data:
        return hashlib.file_digest(data, "sha256").hexdigest()
