# SPDX-License-Identifier: Apache-2.0
"""Restores a backup and catches up with what was published since (docs/operations.md).

Before the database is touched everything is verified: the backup against its digests, the key folder, and
what was published since against the backup's log. The application gets its rights, or the file its place,
when all is done: a restore that fails leaves nothing that a process would work with.
"""

import secrets as random_source
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from dataclasses import replace as replace_fields
from pathlib import Path
from typing import Protocol

from sqlalchemy import make_url, select
from sqlalchemy.orm import Session

from licenses.sharing.feed import tie_again
from portal.backup.dumps import Dumper, dumper_of
from portal.backup.errors import (
    BackupForeignError,
    BackupMalformedError,
    NewLogNeededError,
)
from portal.backup.manifest import Manifest, read_manifest
from portal.backup.objects import relearn
from portal.backup.saving import KEY_CHECK
from portal.bootstrap import object_store
from portal.indexing import KIND as INDEX_STEP
from portal.key_marks.services import LEDGER, marks_of, read_marks, require_same, write_marks
from portal.migrations.upgrading import grant, is_known, upgrade
from portal.settings import Settings
from storage.clock import Clock, IdSource
from storage.database import Database, UnitOfWork
from storage.files import create_once, sync_folder, write_durably
from storage.identity import system_identity
from storage.ledger.acts import Act
from storage.ledger.canonical import Json
from storage.ledger.edge import STATE_ID, fresh_state
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct, LedgerState
from storage.ledger.notes import NoteSigner, VerifierKey, parse_note
from storage.ledger.ports import TokenVerifier
from storage.ledger.published import PublishedLog
from storage.ledger.restore import Caught, Survey, catch_up, require_published_history, restart_log, survey
from storage.objects.ports import ObjectStore
from storage.objects.versions import MemoryBook
from storage.secrets import Secrets
from storage.step_recovery import forget_tries

RESTORE = system_identity("restore")
_INDEXED = frozenset({"dossier", "licence"})


class Resume(Protocol):
    """Makes the work of one room go on after a restore; gives how much there was."""

    def __call__(self, uow: UnitOfWork) -> int:
        """Add missing steps, or close what was left open."""
        ...


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did.

    Attributes:
        manifest: The backup.
        found: What was published since.
        caught: What of it was caught up with.
        confirmed: Whether the ledger names this backup with this digest.
        steps: Unfinished steps that are planned anew, or were added.
        intents: Uses of seals closed as abandoned.
        new_log: Name of the log that begins, if the old one could not go on.
        carried: Acts that the new log takes over.
        lost_objects: Files of dossiers filed since the backup that are gone or damaged.
    """

    manifest: Manifest
    found: Survey
    caught: Caught
    confirmed: bool
    steps: int
    intents: int
    new_log: str | None = None
    carried: int = 0
    lost_objects: int = 0

    @property
    def rowless(self) -> Counter[str]:
        """Give the kinds of acts of which the ledger alone was restored, with their numbers."""
        return self.caught.rebuilt.rowless


@dataclass(frozen=True, slots=True)
class Means:
    """What a restore works with besides the settings.

    Attributes:
        clock: The time.
        ids: New ids.
        tokens: Judges time-stamp tokens.
        close_intents: Closes uses of seals whose outcome is lost.
        resume: Adds the steps that are missing, licences before filings.
    """

    clock: Clock
    ids: IdSource
    tokens: Callable[[], TokenVerifier]
    close_intents: Resume
    resume: Sequence[Resume]


class Restoration:
    """Restores one backup into one installation.

    Args:
        settings: Where everything is; its log's name is the backup's unless a new log is to begin.
        folder: The backup.
        means: What it works with.
    """

    def __init__(self, settings: Settings, folder: Path, means: Means) -> None:
        self._settings = settings
        self._folder = folder
        self._means = means
        self._book = MemoryBook()

    def run(self, *, replace: bool = False, new_log: bool = False) -> Restored:
        """Restore; the caller holds the locks of sequencer and worker.

        Args:
            replace: Take the place of what stands in the database.
            new_log: Begin a log of the name that is set now, if the published one cannot be continued.

        Raises:
            BackupMalformedError: The backup is incomplete or altered.
            BackupForeignError: It is of another installation, kind of database or version.
            KeysMissingError: A key is not there.
            KeysForeignError: A key is another than that of the backup.
            DatabaseNotEmptyError: Something stands in the database.
            HistoryDiffersError: What was published is no continuation of the backup's log.
            NewLogNeededError: The log cannot be continued.
            RebuildError: The keys do not open what was recorded since.
        """
        # Whoever opens keys makes what is missing: new ones would open nothing and sign another log.
        marks_of(self._settings)
        manifest = read_manifest(self._folder)
        secrets = Secrets(self._settings.keys)
        self._require_ours(manifest, secrets, new_log=new_log)
        dumper = dumper_of(self._settings)
        if not replace:
            dumper.require_empty()
        store = object_store(self._settings, self._book, self._means.clock)
        fetched = self._settings.staging / "restore"
        shutil.rmtree(fetched, ignore_errors=True)
        try:
            found = self._survey(manifest, secrets, store, fetched)
            if found.broken is not None and not new_log:
                raise NewLogNeededError(seq=found.broken.seq, rule=found.broken.rule, gone=len(found.gone))
            return self._load(manifest, found, secrets, dumper)
        finally:
            shutil.rmtree(fetched, ignore_errors=True)

    def _require_ours(self, manifest: Manifest, secrets: Secrets, *, new_log: bool) -> None:
        log = manifest.log
        if manifest.engine != dumper_of(self._settings).engine:
            raise BackupForeignError(rule="engine")
        if not is_known(manifest.revision):
            raise BackupForeignError(rule="revision")
        if secrets.lookup_hash(KEY_CHECK, manifest.id).hex() != manifest.key_check:
            raise BackupForeignError(rule="keys")
        if str(_signer(self._settings).verifier) != log.key:
            raise BackupForeignError(rule="ledger-key")
        if (log.origin == self._settings.log_origin) is new_log:
            raise BackupForeignError(rule="new-log-needs-another-name" if new_log else "log-origin")

    def _survey(self, manifest: Manifest, secrets: Secrets, store: ObjectStore, fetched: Path) -> Survey:
        log = PublishedLog(store, manifest.log.origin)
        key = VerifierKey.parse(manifest.log.key)
        return survey(log, key, manifest.log.edge(), secrets.decrypt, fetched)

    def _load(self, manifest: Manifest, found: Survey, secrets: Secrets, dumper: Dumper) -> Restored:
        dumper.clear()
        try:
            url = dumper.load(self._folder / manifest.dump.file)
            upgrade(url)
            origin = self._settings.log_origin
            database = Database(url, self._means.clock, self._means.ids, secrets, origin)
            try:
                with database.writing() as uow:
                    restored = self._catch_up(uow, manifest, found)
                    signer = self._keep_keys(uow.session, new_log=restored.new_log is not None)
                filed = [thing for kind, thing in sorted(restored.caught.changed) if kind == "dossier"]
                lost = relearn(database, self._settings, self._means.clock, self._book, filed)
            finally:
                database.close()
            if signer is not None:
                write_durably(_next_key(self._settings), signer.private_text().encode(), 0o400)
        except BaseException:
            dumper.abort()
            raise
        dumper.finish(f"replaced-{self._means.clock.now():%Y%m%dT%H%M%SZ}")
        if signer is not None:
            # Until it is in its place nobody works: the records know the new key already.
            _change_key(self._settings)
        self._grant()
        return replace_fields(restored, lost_objects=lost)

    def _keep_keys(self, session: Session, *, new_log: bool) -> NoteSigner | None:
        """Leave the marks of the keys that are there; give the key of a new log, which has its own."""
        found = marks_of(self._settings)
        require_same(read_marks(session), found)
        if not new_log:
            write_marks(session, found)
            return None
        signer = NoteSigner(self._settings.log_origin, random_source.token_bytes(32))
        write_marks(session, found | {LEDGER: str(signer.verifier)})
        return signer

    def _catch_up(self, uow: UnitOfWork, manifest: Manifest, found: Survey) -> Restored:
        session = uow.session
        if found.newest is not None and found.newest.size < found.start:
            require_published_history(session, found.newest)
        if session.get(LedgerState, STATE_ID) is None:
            # Backed up before a sequencer ever ran: the log is named by the backup alone.
            session.add(fresh_state(manifest.log.origin, fence=0))
            session.flush()
        tables = {table.name: table for table in LedgerAct.metadata.sorted_tables}
        caught = catch_up(session, found, uow.secrets.decrypt, tables, self._means.tokens())
        tie_again(uow)
        confirmed = _confirmed(session, manifest)
        new_log = found.broken is not None or manifest.log.origin != self._settings.log_origin
        carried = self._begin_log(uow, manifest, found) if new_log else 0
        forget_tries(session, self._means.ids)
        intents = self._means.close_intents(uow)
        steps = sum(resume(uow) for resume in self._means.resume)
        for kind, thing in sorted(caught.changed):
            if kind in _INDEXED:
                uow.add_step(INDEX_STEP, f"{kind}:{thing}")
        name = self._settings.log_origin if new_log else None
        restored = Restored(manifest, found, caught, confirmed, steps, intents, name, carried)
        uow.record(_restored_act(restored))
        return restored

    def _begin_log(self, uow: UnitOfWork, manifest: Manifest, found: Survey) -> int:
        origin = self._settings.log_origin
        note = found.newest.note.decode() if found.newest else manifest.log.checkpoint
        head: dict[str, Json] = {
            "origin": manifest.log.origin,
            "size": manifest.log.size,
            "root": manifest.log.root,
        }
        uow.record(
            Act(
                kind=ActKind.LEDGER_OPENED,
                actor=RESTORE,
                object_type="ledger",
                object_id=origin,
                # Who holds the old checkpoint finds its text's digest here, in clear.
                object_sha256=parse_note(note.encode()).imprint().hex() if note else None,
                reasons=["follows-another-log"],
                notes={"backup": head, "checkpoint": note},
            )
        )
        return restart_log(uow.session, origin)

    def _grant(self) -> None:
        settings = self._settings
        if settings.database is not None:
            application, sequencer = (
                make_url(settings.database_url),
                make_url(settings.sequencer_database_url),
            )
            grant(settings.owner_database_url, str(application.username), str(sequencer.username))


def _signer(settings: Settings) -> NoteSigner:
    return NoteSigner.parse((settings.keys / "ledger.key").read_text())


def _next_key(settings: Settings) -> Path:
    return settings.keys / "ledger.key.next"


def _change_key(settings: Settings) -> None:
    """Put the new log's key in the place of the old one, which is kept: its log has ended.

    There is a key at every moment; after a crash before the change the restore is run again.
    """
    path = settings.keys / "ledger.key"
    create_once(
        settings.keys / f"ledger.{_signer(settings).verifier.id.hex()}.ended.key", path.read_bytes(), 0o400
    )
    _next_key(settings).replace(path)
    sync_folder(settings.keys)


def _confirmed(session: Session, manifest: Manifest) -> bool:
    """Tell whether the ledger names this backup.

    Raises:
        BackupMalformedError: It names it with another digest.
    """
    act = session.scalars(
        select(LedgerAct).where(
            LedgerAct.kind == str(ActKind.BACKUP_MADE),
            LedgerAct.object_type == "backup",
            LedgerAct.object_id == manifest.id,
        )
    ).first()
    if act is None:
        return False
    if f'"sha256":"{manifest.dump.sha256}"'.encode() not in act.core:
        raise BackupMalformedError(rule="ledger-names-another-digest")
    return True


def _restored_act(restored: Restored) -> Act:
    manifest, found, rebuilt = restored.manifest, restored.found, restored.caught.rebuilt
    return Act(
        kind=ActKind.BACKUP_RESTORED,
        actor=RESTORE,
        object_type="backup",
        object_id=manifest.id,
        object_sha256=manifest.dump.sha256,
        reasons=["new-log"] if restored.new_log else ["continued"],
        notes={
            "from": manifest.log.size,
            "to": found.until,
            "published": found.newest.size if found.newest else 0,
            "replayed": rebuilt.acts,
            "erased": rebuilt.erased,
            "rows": dict(rebuilt.rows),
            "not_rebuilt": dict(rebuilt.rowless),
            "gone": list(found.gone),
            "broken": found.broken.rule if found.broken else None,
            "confirmed": restored.confirmed,
            "carried": restored.carried,
            "intents": restored.intents,
        },
    )
