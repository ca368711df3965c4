# SPDX-License-Identifier: Apache-2.0
"""Objects after a restore: which versions they are, and whether all that is filed is there."""

from collections.abc import Iterable

from sqlalchemy import delete, select

from archive.models import Dossier, DossierMember
from portal.bootstrap import object_store
from portal.publishing import PREFIX as PUBLIC_KEYS
from portal.settings import Settings
from storage.clock import Clock
from storage.database import Database
from storage.objects.ports import ObjectDamagedError, ObjectMissingError, ObjectStore
from storage.objects.versions import LockMode, MemoryBook, ObjectVersion, TableBook


def relearn(
    database: Database, settings: Settings, clock: Clock, seen: MemoryBook, dossiers: Iterable[str]
) -> int:
    """Make the book of versions true again, and read what was filed since the backup.

    A version under GOVERNANCE may have been replaced by one under COMPLIANCE since, and its row would keep
    the wrong one locked: the bucket says it again. What has a name and was put since has no row, and a lock
    without one is renewed by nobody: it is read, which notes it.

    Args:
        database: The restored records.
        settings: Where the objects are.
        clock: Where locks are counted from.
        seen: Versions that the restore has read already.
        dossiers: What was filed since the backup.

    Returns:
        How many members of those dossiers are gone or damaged.
    """
    book = TableBook(database)
    with database.claiming() as session:
        uncertain = select(ObjectVersion.key, ObjectVersion.sha256).where(
            ObjectVersion.mode == str(LockMode.GOVERNANCE), ObjectVersion.key.like("o/%")
        )
        digests = [sha256 for _, sha256 in session.execute(uncertain)]
        session.execute(delete(ObjectVersion).where(ObjectVersion.mode == str(LockMode.GOVERNANCE)))
    for version in seen:
        book.note(version)
    store = object_store(settings, book, clock)
    for sha256 in digests:
        store.has(sha256)
    _note(store, PUBLIC_KEYS)
    return sum(_lost(database, store, dossier) for dossier in dossiers)


def _note(store: ObjectStore, prefix: str) -> None:
    for key in store.list_named(prefix):
        store.read_named(key)


def _lost(database: Database, store: ObjectStore, dossier: str) -> int:
    with database.reading() as uow:
        members = uow.session.execute(
            select(DossierMember.sha256, DossierMember.sealing_act).where(DossierMember.dossier_id == dossier)
        ).all()
        manifest = uow.session.scalar(select(Dossier.manifest_key).where(Dossier.id == dossier))
    if manifest is not None:
        _note(store, manifest.rpartition("/")[0] + "/")
    lost = 0
    for sha256, sealing in members:
        try:
            # What bears a seal of ours still gets its long-term form: its lock is the short one.
            if sealing is None:
                store.keep(sha256)
            else:
                store.read(sha256)
        except (ObjectMissingError, ObjectDamagedError):
            lost += 1
    return lost
