# SPDX-License-Identifier: Apache-2.0
"""Takes a backup of the records while work goes on; keys and objects are kept apart and not part of it."""

import datetime as dt
import os
from pathlib import Path

from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from portal.backup.dumps import dumper_of
from portal.backup.errors import BackupFolderError
from portal.backup.manifest import FORMAT, Dump, LogState, Manifest, digest
from portal.bootstrap import ledger_signer
from portal.migrations.upgrading import revision_of
from portal.settings import Settings
from portal.version import VERSION
from storage.clock import Clock, IdSource
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.files import sync_folder
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.checkpoints import newest_checkpoint
from storage.ledger.edge import EPOCH
from storage.ledger.entries import FIRST_PREV
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerPending, LedgerState
from storage.ledger.proofs import Frontier
from storage.secrets import Secrets

NEEDS = ("keys/", "pki/", "objects")
KEY_CHECK = "backup"
"""Scheme under which the key folder is recognised; no person has such a code."""


def make_backup(settings: Settings, folder: Path, clock: Clock, ids: IdSource) -> Manifest:
    """Write a backup into a new folder.

    Raises:
        BackupFolderError: The folder holds something.
        BackupProgramError: PostgreSQL's program is missing or failed.
    """
    if folder.exists() and any(folder.iterdir()):
        raise BackupFolderError
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    dumper, made_at, key = dumper_of(settings), clock.now(), str(ledger_signer(settings).verifier)

    def look(connection: Connection) -> tuple[str, LogState]:
        with Session(bind=connection) as session:
            return str(revision_of(connection)), _log_state(session, settings.log_origin, key)

    path = folder / dumper.file
    revision, log = dumper.dump(path, look)
    with path.open("rb") as written:
        os.fsync(written.fileno())
    sync_folder(folder)
    backup_id = ids.new_id()
    manifest = Manifest(
        format=FORMAT,
        id=backup_id,
        made_at=made_at,
        product=VERSION,
        engine=dumper.engine,
        revision=revision,
        dump=Dump(file=dumper.file, sha256=digest(path), size=path.stat().st_size),
        log=log,
        key_check=Secrets(settings.keys).lookup_hash(KEY_CHECK, backup_id).hex(),
        needs=NEEDS,
    )
    manifest.write(folder)
    return manifest


def record_backup(uow: UnitOfWork, identity: Identity, manifest: Manifest) -> None:
    """Record that a backup was made: its digest in the ledger tells it from an altered one.

    Raises:
        NotPermittedError: The identity administers nothing.
    """
    if not identity.has(Role.SYSTEM_ADMIN):
        raise NotPermittedError
    uow.record(
        Act(
            kind=ActKind.BACKUP_MADE,
            actor=identity,
            object_type="backup",
            object_id=manifest.id,
            object_sha256=manifest.dump.sha256,
            notes={"size": manifest.log.size, "root": manifest.log.root, "bytes": manifest.dump.size},
        )
    )


def last_backup(session: Session) -> dt.datetime | None:
    """Give when the newest recorded backup was made."""
    kind = LedgerAct.kind == str(ActKind.BACKUP_MADE)
    return session.scalar(select(func.max(LedgerAct.recorded_at)).where(kind))


def _log_state(session: Session, origin: str, key: str) -> LogState:
    state = session.scalars(select(LedgerState)).first()
    size, nodes = (state.size, state.frontier) if state else (0, b"")
    newest = newest_checkpoint(session)
    return LogState(
        origin=state.origin if state else origin,
        key=key,
        size=size,
        root=Frontier.from_bytes(size, nodes).root().hex(),
        frontier=nodes.hex(),
        last_leaf=(state.last_leaf if state else FIRST_PREV).hex(),
        last_at=state.last_at if state else EPOCH,
        pending=session.scalar(select(func.count()).select_from(LedgerPending)) or 0,
        checkpoint=newest.note.decode() if newest else None,
    )
