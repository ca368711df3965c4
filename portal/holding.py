# SPDX-License-Identifier: Apache-2.0
"""Placing and lifting legal holds: recorded first, then set in the bucket with the holder's key.

The record is the truth, so a server that is away refuses no hold: :meth:`HoldKeeper.apply` sets later what
stands. In a folder there is nothing to set: the product removes nothing there.
"""

from dataclasses import dataclass

from sqlalchemy import select

from archive.holds import (
    HeldDossier,
    HeldObjects,
    HoldGrounds,
    HoldService,
    held_elsewhere,
    objects_of,
    standing_holds,
)
from archive.models import Dossier, DossierHold
from storage.database import Database, UnitOfWork
from storage.identity import Identity
from storage.ledger.acts import Promise
from storage.objects.holds import BucketHolds
from storage.objects.ports import ObjectMissingError, ObjectStoreUnusableError, object_key


@dataclass(frozen=True, slots=True)
class Done:
    """What came of placing or lifting.

    Attributes:
        hold: Id of the hold.
        promise: Of its act.
        in_store: Objects whose hold was set or lifted in the bucket; ``None`` when the server did not do it
            now, or when objects lie in a folder.
    """

    hold: str
    promise: Promise
    in_store: int | None


@dataclass(frozen=True, slots=True)
class Standing:
    """A hold that stands: how many objects it is on, and how many of them the bucket holds."""

    held: HeldDossier
    objects: int
    in_store: int | None


class HoldKeeper:
    """Places, lifts and lists holds, in records and bucket.

    Args:
        database: The records.
        holds: Sets holds in the bucket; none where objects lie in a folder.
    """

    def __init__(self, database: Database, holds: BucketHolds | None) -> None:
        self._database = database
        self._holds = holds
        self._service = HoldService()

    @property
    def in_bucket(self) -> bool:
        """Tell whether there is a bucket that can hold objects."""
        return self._holds is not None

    def place(self, identity: Identity, dossier: str, grounds: HoldGrounds) -> Done:
        """Place a hold; errors as :meth:`archive.holds.HoldService.place`."""

        def write(uow: UnitOfWork) -> tuple[str, Promise, frozenset[str]]:
            hold, promise = self._service.place(uow, identity, dossier, grounds)
            keys = _keys(objects_of(uow, uow.session.get_one(Dossier, hold.dossier_id)))
            return hold.id, promise, keys

        hold, promise, keys = self._database.write(write)
        return Done(hold, promise, self._set(keys))

    def lift(self, identity: Identity, hold_id: str, grounds: HoldGrounds) -> Done:
        """Lift a hold; what another hold is on stays held. Errors as the archive's."""

        def write(uow: UnitOfWork) -> tuple[str, Promise]:
            hold, promise = self._service.lift(uow, identity, hold_id, grounds)
            return hold.dossier_id, promise

        dossier, promise = self._database.write(write)
        return Done(hold_id, promise, self._release(dossier))

    def standing(self, identity: Identity) -> list[Standing]:
        """Give every hold that stands, and ask the bucket what it holds."""
        with self._database.reading() as uow:
            held = self._service.standing(uow, identity)
            keys = [_keys(objects_of(uow, one.dossier)) for one in held]
        return [Standing(one, len(those), self._count(those)) for one, those in zip(held, keys, strict=True)]

    def apply(self, identity: Identity) -> list[Standing]:
        """Make the bucket follow the records, both ways, and list what stands."""
        with self._database.reading() as uow:
            standing = {one.dossier.id for one in self._service.standing(uow, identity)}
            ended = set(uow.session.scalars(select(DossierHold.dossier_id))) - standing
        for dossier in sorted(ended):
            self._release(dossier)
        for dossier in sorted(standing):
            self._set(self._keys_of(dossier))
        return self.standing(identity)

    def _keys_of(self, dossier_id: str) -> frozenset[str]:
        with self._database.reading() as uow:
            return _keys(objects_of(uow, uow.session.get_one(Dossier, dossier_id)))

    def _free(self, dossier_id: str) -> frozenset[str]:
        """Give what no hold that stands is on any more."""
        with self._database.reading() as uow:
            if standing_holds(uow, dossier_id):
                return frozenset()
            objects = objects_of(uow, uow.session.get_one(Dossier, dossier_id))
            shared = held_elsewhere(uow, dossier_id, objects.digests)
        return _keys(HeldObjects(objects.digests - shared, objects.names))

    def _release(self, dossier_id: str) -> int | None:
        if self._holds is None:
            return None
        free = self._free(dossier_id)
        try:
            self._holds.lift(free)
            # A hold that was placed meanwhile must not be lost.
            self._holds.hold(free - self._free(dossier_id))
        except (ObjectMissingError, ObjectStoreUnusableError):
            return None
        return len(free)

    def _set(self, keys: frozenset[str]) -> int | None:
        if self._holds is None:
            return None
        try:
            self._holds.hold(keys)
        except (ObjectMissingError, ObjectStoreUnusableError):
            return None
        return len(keys)

    def _count(self, keys: frozenset[str]) -> int | None:
        if self._holds is None:
            return None
        try:
            return len(self._holds.held(keys))
        except (ObjectMissingError, ObjectStoreUnusableError):
            return None


def _keys(objects: HeldObjects) -> frozenset[str]:
    return frozenset(map(object_key, objects.digests)) | objects.names
