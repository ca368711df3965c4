# SPDX-License-Identifier: Apache-2.0
"""Export of a log to a folder that ``cunzheng-verify`` judges with public keys alone.

Layout: ``checkpoint``, ``tile/…``, ``tile/entries/…``, ``details/…`` (encrypted),
``anchor/<size>/{checkpoint,tsr}``, ``vkey``, ``policy``, ``ca.pem``, and ``files.sha256``, which lists every
other file as ``sha256sum -c`` reads it.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import select

from storage.database import Database
from storage.ledger.checkpoints import newest_published
from storage.ledger.errors import ExportFolderError, NothingSignedError
from storage.ledger.filelist import FILE_LIST, file_list
from storage.ledger.files import LogFile, anchor_path, new_files
from storage.ledger.models import LedgerAnchor, LedgerCheckpoint
from storage.ledger.notes import VerifierKey
from storage.ledger.policies import single_log_policy


@dataclass(frozen=True, slots=True)
class Exported:
    """What was written: entries, time-stamped checkpoints, files."""

    entries: int
    anchors: int
    files: int


def export_log(database: Database, folder: Path, key: VerifierKey, ca_pem: bytes) -> Exported:
    """Write the log up to its newest checkpoint into a new or empty folder.

    Args:
        database: The log's database; read in short units.
        folder: Created when missing.
        key: The log's public key.
        ca_pem: Certificates under which the anchors' tokens verify.

    Raises:
        ExportFolderError: The folder is not empty.
        NothingSignedError: Nothing was signed yet.
    """
    if folder.exists() and any(folder.iterdir()):
        raise ExportFolderError
    sums: dict[str, str] = {}
    anchors = 0
    with database.reading() as uow:
        newest = newest_published(uow.session)
    if newest is None:
        raise NothingSignedError
    for file in _all_files(database, newest, key, ca_pem):
        anchors += file.path.startswith("anchor/") and file.path.endswith("/tsr")
        target = folder / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(file.data)
        sums[file.path] = hashlib.sha256(file.data).hexdigest()
    (folder / FILE_LIST).write_bytes(file_list(sums))
    return Exported(newest.size, anchors, len(sums) + 1)


def _all_files(
    database: Database, newest: LedgerCheckpoint, key: VerifierKey, ca_pem: bytes
) -> Iterator[LogFile]:
    yield LogFile("checkpoint", newest.note)
    yield LogFile("vkey", f"{key}\n".encode())
    yield LogFile("policy", single_log_policy(key).encode())
    yield LogFile("ca.pem", ca_pem)
    for name in new_files(0, newest.size):
        with database.reading() as uow:
            file = name.read(uow.session)
        yield file
    with database.reading() as uow:
        query = (
            select(LedgerAnchor, LedgerCheckpoint)
            .join(LedgerCheckpoint, LedgerCheckpoint.size == LedgerAnchor.size)
            .where(LedgerAnchor.kind == "tsr", LedgerAnchor.size <= newest.size)
            .order_by(LedgerAnchor.size)
        )
        for anchor, checkpoint in uow.session.execute(query):
            yield LogFile(anchor_path(anchor.size, "checkpoint"), checkpoint.note)
            yield LogFile(anchor_path(anchor.size, "tsr"), anchor.data)
