# SPDX-License-Identifier: Apache-2.0
"""What the library holds, as of an instant: events, seal state, effective status, faces, facts.

Nothing here touches the index or the object store, so that decisions need neither.
"""

import datetime as dt
import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from sqlalchemy import bindparam, select

from licenses.catalogue import TypeCatalogue
from licenses.covering import covering, face_as
from licenses.faces import FaceValue
from licenses.facts import LicenseFact
from licenses.held import HeldLicense, held_by_each
from licenses.lifecycle import Process, SealState, Status, effective_status, life_after, status_of
from licenses.models import License, LicenseEvent
from licenses.ports import SealStandings
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.errors import CunzhengError

# Decisions run these by the hundred a second: building a statement costs more than running it.
_EVENTS = (
    select(LicenseEvent)
    .where(LicenseEvent.license_id.in_(bindparam("ids", expanding=True)))
    .order_by(LicenseEvent.position)
)


STOCK = "stock"
"""Origin of licences that were taken over from elsewhere."""


class Sealed(Protocol):
    """What the state of a licence's seal depends on; see :class:`licenses.models.License`."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def origin(self) -> str:
        """Where it comes from."""
        ...

    @property
    def object_sha256(self) -> str | None:
        """Its file."""
        ...

    @property
    def seal_id(self) -> str | None:
        """The seal that was used."""
        ...

    @property
    def issued_at(self) -> dt.datetime | None:
        """When its file was recorded."""
        ...

    @property
    def reserved_at(self) -> dt.datetime:
        """When it was made."""
        ...


class Holdings:
    """Reads licences with everything their status depends on.

    Args:
        types: The type catalogue.
        seals: The seal register's knowledge of seals that were used.
    """

    def __init__(self, types: TypeCatalogue, seals: SealStandings) -> None:
        self.types = types
        self._seals = seals

    def events(self, uow: UnitOfWork, ids: Collection[str]) -> Mapping[str, Sequence[LicenseEvent]]:
        """Give the history of licences, each in its order."""
        found: defaultdict[str, list[LicenseEvent]] = defaultdict(list)
        for event in uow.session.scalars(_EVENTS, {"ids": list(ids)}):
            found[event.license_id].append(event)
        return found

    def seal_state(self, uow: UnitOfWork, license_: License, at: dt.datetime) -> SealState:
        """Say what is known of the seal at an instant; see :meth:`seal_states`."""
        return self.seal_states(uow, [license_], at)[license_.id]

    def seal_states(
        self, uow: UnitOfWork, licenses: Sequence[Sealed], at: dt.datetime
    ) -> Mapping[str, SealState]:
        """Say what is known of seals at an instant; stock without a file rests on its source's word.

        A file is recorded as issued only after its seal was validated. A seal revoked afterwards leaves
        a file of the level B-T undetermined: its time stamp alone does not show that the seal's
        certificate was good then. One whose authority says that it was revoked before then is invalid.

        Returns:
            The state of the seal of each licence, by the licence's id.
        """
        seals = {one.seal_id for one in licenses if _is_sealed(one, at) and one.seal_id is not None}
        revoked = self._seals.revocations(uow, seals) if seals else {}
        return {one.id: _seal_state(one, revoked, at) for one in licenses}

    def revoked_seals(self, uow: UnitOfWork) -> Mapping[str, dt.datetime]:
        """Give every seal that was revoked, with the instant."""
        return self._seals.revocations(uow)

    def revoked_by(self, uow: UnitOfWork, at: dt.datetime) -> frozenset[str]:
        """Give the seals that are revoked by an instant: no licence that rests on one is valid then."""
        return frozenset(seal for seal, since in self.revoked_seals(uow).items() if since <= at)

    def status(self, uow: UnitOfWork, license_: License, at: dt.datetime) -> Status:
        """Compute the effective status of a licence at an instant."""
        return self.standing(uow, license_, at)[0]

    def standing(self, uow: UnitOfWork, license_: License, at: dt.datetime) -> tuple[Status, Process | None]:
        """Give the effective status at an instant, and the process that is pending on it."""
        life = life_after(self.events(uow, [license_.id]).get(license_.id, ()), at)
        return status_of(license_, life.state, at, self.seal_state(uow, license_, at)), life.pending

    def face(self, uow: UnitOfWork, license_: License) -> dict[str, FaceValue]:
        """Give the face in clear; raises ``ErasedError`` when the holder's key was destroyed."""
        face: dict[str, FaceValue] = json.loads(uow.secrets.decrypt(license_.face_cipher))
        return face

    def facts(
        self, uow: UnitOfWork, holder_id: str, types: Collection[str], at: dt.datetime
    ) -> list[LicenseFact]:
        """Give what was known at an instant of a holder's licences of some types, oldest first.

        A licence of a type that covers one of them counts as one of that type, too.

        Raises:
            ErasedError: The holder's key was destroyed.
        """
        (found,) = self.facts_each(uow, [(holder_id, types)], at)
        if isinstance(found, CunzhengError):
            raise found
        return found

    def facts_each(
        self, uow: UnitOfWork, asked: Sequence[tuple[str, Collection[str]]], at: dt.datetime
    ) -> list[list[LicenseFact] | CunzhengError]:
        """Give what :meth:`facts` gives of each holder and its types, or why nothing can be given."""
        all_types = self.types.all()
        kinds = {types: types | covering(all_types, types) for types in {frozenset(one) for _, one in asked}}
        wanted = [kinds[frozenset(types)] for _, types in asked]
        held = held_by_each(uow, {holder for holder, _ in asked}, frozenset().union(*kinds.values()), at)
        seals = self.seal_states(uow, list({one.id: one for of in held.values() for one in of}.values()), at)
        found: list[list[LicenseFact] | CunzhengError] = []
        for (holder, types), of_types in zip(asked, wanted, strict=True):
            of_kinds = [one for one in held.get(holder, ()) if one.type_code in of_types]
            try:
                found.append(self._facts(uow, of_kinds, types, seals, at))
            except CunzhengError as error:
                found.append(error)
        return found

    def _facts(
        self,
        uow: UnitOfWork,
        licenses: Sequence[HeldLicense],
        types: Collection[str],
        seals: Mapping[str, SealState],
        at: dt.datetime,
    ) -> list[LicenseFact]:
        found: list[LicenseFact] = []
        for license_ in licenses:
            fact = self._fact(uow, license_, seals[license_.id], at)
            if license_.type_code in types:
                found.append(fact)
            kind = self.types.as_issued(license_.type_code, license_.type_version)
            for cover in (one for one in kind.covers if one.type in types and one.type in self.types):
                face = face_as(kind, cover, self.types.get(cover.type), fact.face)
                found.append(replace(fact, stands_for=cover.type, face=face))
        return found

    def _fact(self, uow: UnitOfWork, license_: HeldLicense, seal: SealState, at: dt.datetime) -> LicenseFact:
        return LicenseFact(
            id=license_.id,
            type_code=license_.type_code,
            issuer_code=license_.issuer_code,
            issuer_zh=license_.issuer_name,
            status=effective_status(license_, license_.events, at, seal),
            valid_from=license_.valid_from,
            valid_until=license_.valid_until,
            face=json.loads(uow.secrets.decrypt(license_.face_cipher)),
            trust=license_.trust,
            copied_on=legal_date(license_.reserved_at) if license_.origin == STOCK else None,
        )


def _is_sealed(license_: Sealed, at: dt.datetime) -> bool:
    return license_.issued_at is not None and license_.seal_id is not None and license_.issued_at <= at


def _seal_state(license_: Sealed, revoked: Mapping[str, dt.datetime], at: dt.datetime) -> SealState:
    if license_.origin == STOCK and license_.object_sha256 is None:
        return SealState.DECLARED
    if not _is_sealed(license_, at):
        return SealState.NONE
    since = revoked.get(license_.seal_id or "")
    if since is not None and since < license_.reserved_at:
        return SealState.INVALID
    return SealState.UNDETERMINED if since is not None and since <= at else SealState.VERIFIED
