# SPDX-License-Identifier: Apache-2.0
"""What lies in the bucket and no record needs: found, given up, and after a day removed with another key.

A crash between a put and its record leaves bytes that nothing names; filing leaves the first version of each
member; the lock's probe leaves its canaries. Two sweeps remove what the first one found: in between the
bytes are given up, so that whoever puts them again gets a version of their own, and the second sweep looks
for records that name them once more. What is younger than a day, or than the oldest try of a step that is
still under way, is left alone: its record may be about to be written.
"""

import datetime as dt
import enum
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby, islice

from sqlalchemy import func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from archive.models import Dossier, DossierMember, Filing, FilingMaterial
from archive.storing import SEAL_SUFFIX
from licenses.copies.models import LicenseCopy
from licenses.ladder.models import LadderRung
from licenses.models import License
from licenses.stock.models import StockRun
from portal.errors import SweepImpossibleError
from storage.clock import Clock
from storage.database import Database
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind
from storage.objects.leftovers import Destroyer, FolderInventory, Inventory, SeenVersion
from storage.objects.probe import PROBE_PREFIX
from storage.objects.versions import UNLOCKED, TableBook, Version
from storage.steps import UNFINISHED, StepRow

GRACE = dt.timedelta(days=1)
_BATCH = 500
_BYTES = "o/sha256/"
_MANIFESTS = "m/"
_PUBLISHED = ("a/", "d/", "k/")

NAMES_OBJECTS: tuple[InstrumentedAttribute[str] | InstrumentedAttribute[str | None], ...] = (
    DossierMember.sha256,
    Filing.metadata_sha256,
    Filing.checks_sha256,
    FilingMaterial.sha256,
    FilingMaterial.rendition_sha256,
    FilingMaterial.sealed_sha256,
    Dossier.catalogue_sha256,
    Dossier.manifest_sha256,
    Dossier.manifest_seal_sha256,
    License.object_sha256,
    LicenseCopy.object_sha256,
    LadderRung.form_sha256,
    LicenseCopy.original_sha256,
    StockRun.object_sha256,
)
"""Every column that names stored bytes: what none of them names, nobody can ask for."""


class Leftover(enum.StrEnum):
    """Why a version is not needed.

    ``orphan``: no record names its bytes. ``superseded``: another version of its key is the object.
    ``canary``: the lock's probe put it. ``stranger``: nothing of ours has such a name; it is only told.
    """

    ORPHAN = "orphan"
    SUPERSEDED = "superseded"
    CANARY = "canary"
    STRANGER = "stranger"


@dataclass
class Swept:
    """What a sweep came to, in versions.

    Attributes:
        needed: Versions that are the object of their key.
        recent: Leftovers that are too young to be judged.
        found: Leftovers by kind.
        given_up: Orphans that were given up now.
        removed: Versions that are gone.
        locked: Versions that the server did not let go yet.
    """

    needed: int = 0
    recent: int = 0
    found: Counter[Leftover] = field(default_factory=Counter)
    given_up: int = 0
    removed: int = 0
    locked: int = 0


@dataclass(frozen=True, slots=True)
class _Needed:
    """What is needed of some keys.

    Attributes:
        named: The keys that a record names.
        versions: Versions that are the object of their key, or that a manifest names.
        undecided: Keys of which no version is recorded: the bucket itself decides which is the object.
    """

    named: Collection[str]
    versions: Collection[tuple[str, str]]
    undecided: Collection[str]

    def judge(self, one: SeenVersion) -> Leftover | None:
        """Say why a version is not needed; ``None``: it is."""
        if one.key.startswith(PROBE_PREFIX):
            return Leftover.CANARY
        if one.key not in self.named:
            return Leftover.ORPHAN if one.key.startswith(_BYTES) else Leftover.STRANGER
        if (one.key, one.version_id) in self.versions or (one.key in self.undecided and not one.marker):
            return None
        return Leftover.SUPERSEDED


class ObjectKeeper:
    """Looks for leftovers in a bucket and removes them.

    Args:
        database: The records.
        inventory: Lists the bucket.
        destroyer: Removes versions; none: leftovers are found and given up only.
        clock: Tells when a day is over.
        grace: How old a leftover must be.
    """

    def __init__(
        self,
        database: Database,
        inventory: Inventory | FolderInventory,
        destroyer: Destroyer | None,
        clock: Clock,
        grace: dt.timedelta = GRACE,
    ) -> None:
        self._database = database
        self._inventory = inventory
        self._destroyer = destroyer
        self._book = TableBook(database)
        self._clock = clock
        self._grace = grace

    def survey(self, identity: Identity) -> Iterator[tuple[Leftover, SeenVersion]]:
        """Give every leftover that is old enough; nothing is changed.

        Raises:
            NotPermittedError: The identity is no system administrator.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        yield from self._leftovers(Swept(), self._before())

    def sweep(self, identity: Identity) -> Swept:
        """Give up what is found, and remove what an earlier sweep gave up and what never was an object.

        Raises:
            NotPermittedError: The identity is no system administrator.
            ObjectStoreUnusableError: The server does not answer or refuses.
            SweepImpossibleError: Objects lie in a folder.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        if isinstance(self._inventory, FolderInventory):
            raise SweepImpossibleError
        swept, before = Swept(), self._before()
        self._remove_given_up(identity, swept, before)
        leftovers = self._leftovers(swept, before)
        while some := list(islice(leftovers, _BATCH)):
            self._give_up(swept, [one for kind, one in some if kind is Leftover.ORPHAN])
            useless = [one for kind, one in some if kind in {Leftover.SUPERSEDED, Leftover.CANARY}]
            self._remove(identity, swept, [(one.key, one.version_id) for one in useless])
        return swept

    def _before(self) -> dt.datetime:
        """Give the instant before which nothing that is under way can have begun."""
        with self._database.reading() as uow:
            planned = uow.session.scalar(
                select(func.min(StepRow.created_at)).where(UNFINISHED, StepRow.plan.is_not(None))
            )
        before = self._clock.now() - self._grace
        return before if planned is None else min(before, planned)

    def _leftovers(self, swept: Swept, before: dt.datetime) -> Iterator[tuple[Leftover, SeenVersion]]:
        keys = (list(versions) for _, versions in groupby(self._inventory.versions(), lambda one: one.key))
        while some := list(islice(keys, _BATCH)):
            needed = self._needed([versions[0].key for versions in some])
            for one in (version for versions in some for version in versions):
                kind = needed.judge(one)
                if kind is None:
                    swept.needed += 1
                elif one.at >= before:
                    swept.recent += 1
                else:
                    swept.found[kind] += 1
                    yield kind, one

    def _needed(self, keys: Sequence[str]) -> _Needed:
        """Tell which of the keys records name, and which versions of them are the object."""
        with self._database.reading() as uow:
            named, filed = _named(uow.session, keys), _filed_versions(uow.session, keys)
        book = self._book.find_all(keys)
        named |= {key for key in book if key.startswith(_PUBLISHED)}
        recorded = {(key, one.version_id) for key, one in book.items()}
        return _Needed(named, recorded | filed, named - book.keys())

    def _give_up(self, swept: Swept, orphans: Iterable[SeenVersion]) -> None:
        by_key = {one.key: one for one in orphans if not one.marker}
        known = self._book.find_all(by_key)
        fresh = [
            known.get(key) or Version(key, one.version_id, key.rpartition("/")[2], one.size, UNLOCKED)
            for key, one in by_key.items()
            if key not in known or not known[key].given_up
        ]
        self._book.give_up(fresh, self._clock.now())
        swept.given_up += len(fresh)

    def _remove_given_up(self, identity: Identity, swept: Swept, before: dt.datetime) -> None:
        if self._destroyer is None:
            return
        after = ""
        while versions := self._book.given_up(before, after, _BATCH):
            after = versions[-1].key
            with self._database.reading() as uow:
                named = _named(uow.session, [one.key for one in versions])
            self._book.take_back(named)
            useless = [one for one in versions if one.key not in named]
            everything = [
                (one.key, one.version_id)
                for version in useless
                for one in self._inventory.versions(version.key)
                if one.key == version.key and one.at < before
            ]
            locked = {key for key, _ in self._remove(identity, swept, everything)}
            self._book.forget([one for one in useless if one.key not in locked])

    def _remove(
        self, identity: Identity, swept: Swept, versions: Sequence[tuple[str, str]]
    ) -> Sequence[tuple[str, str]]:
        """Remove what the lock lets go, having recorded it; give what stays."""
        if self._destroyer is None or not versions:
            return []
        with self._database.writing() as uow:
            uow.record(
                Act(
                    kind=ActKind.STORE_SWEPT,
                    actor=identity,
                    object_type="store",
                    object_id=self._inventory.bucket,
                    notes={"versions": [list(one) for one in versions]},
                )
            )
        locked = self._destroyer.remove(versions)
        swept.locked += len(locked)
        swept.removed += len(versions) - len(locked)
        return locked


def affected(session: Session, keys: Sequence[str]) -> list[str]:
    """Say of keys whose they are: the dossier's number for what is in one, else the key itself."""
    members = select(DossierMember.sha256, Dossier.archival_number).join(
        Dossier, Dossier.id == DossierMember.dossier_id
    )
    digests = {key.rpartition("/")[2] for key in keys}
    ids = {key.split("/")[3] for key in keys if key.startswith(_MANIFESTS) and key.count("/") == 4}
    dossiers = select(Dossier.id, Dossier.archival_number).where(Dossier.id.in_(ids))
    numbers: dict[str, str] = {}
    for query in (members.where(DossierMember.sha256.in_(digests)), dossiers):
        numbers |= {part: number for part, number in session.execute(query)}  # noqa: C416 - rows are no pairs to mypy
    found = (next((numbers[part] for part in key.split("/") if part in numbers), key) for key in keys)
    return list(dict.fromkeys(found))


def _filed_versions(session: Session, keys: Collection[str]) -> set[tuple[str, str]]:
    digests = {key.rpartition("/")[2]: key for key in keys if key.startswith(_BYTES)}
    rows = session.execute(
        select(DossierMember.sha256, DossierMember.version_id)
        .where(DossierMember.sha256.in_(digests), DossierMember.version_id.is_not(None))
        .distinct()
    )
    return {(digests[sha256], version_id or "") for sha256, version_id in rows}


def _named(session: Session, keys: Collection[str]) -> set[str]:
    """Give those of the keys that a record names."""
    unknown = {key.rpartition("/")[2]: key for key in keys if key.startswith(_BYTES)}
    named: set[str] = set()
    for column in NAMES_OBJECTS:
        # Most bytes are members of dossiers: the other columns are asked for what is left.
        for digest in session.scalars(select(column).where(column.in_(unknown)).distinct()).all():
            named.add(unknown.pop(str(digest)))
    manifests = [key for key in keys if key.startswith(_MANIFESTS) and key.count("/") == 4]
    dossiers = {key.split("/")[3] for key in manifests}
    known = set(session.scalars(select(Dossier.manifest_key).where(Dossier.id.in_(dossiers))))
    return named | {key for key in manifests if key.removesuffix(SEAL_SUFFIX) in known}
