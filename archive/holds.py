# SPDX-License-Identifier: Apache-2.0
"""Legal holds 保全: a dossier that nobody may destroy or change until the hold is lifted.

Supervision places a hold, and nothing refuses that, also not a ledger that lags. Security administration
lifts it; no account holds both roles, and nobody lifts what they placed. Both need a reason and a legal
basis and are acts of the case. What a store can do to keep bytes from being removed is done by
:mod:`portal.holding`; the rows here are the truth, and a store follows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, true

from archive.errors import DossierNotFoundError, GroundsRequiredError, HoldNotFoundError
from archive.models import Dossier, DossierHold, DossierMember
from archive.numbering import normalise
from archive.permissions import dossiers_visible_to
from storage.database import UnitOfWork
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.kinds import ActKind

_TEXT_LIMIT = 200
SEAL_SUFFIX = ".p7s"


@dataclass(frozen=True, slots=True)
class HoldGrounds:
    """Why a hold is placed or lifted, and the provision or order that says so; both are mandatory."""

    reason: str
    legal_basis: str

    def checked(self) -> "HoldGrounds":
        """Give them without outer spaces; raises GroundsRequiredError."""
        for field, text in (("reason", self.reason), ("legal_basis", self.legal_basis)):
            if not 1 <= len(text.strip()) <= _TEXT_LIMIT:
                raise GroundsRequiredError(field=field)
        return HoldGrounds(self.reason.strip(), self.legal_basis.strip())


@dataclass(frozen=True, slots=True)
class HeldDossier:
    """A hold and the dossier it is on."""

    hold: DossierHold
    dossier: Dossier


class HoldService:
    """Places and lifts holds, and tells which stand."""

    def place(
        self, uow: UnitOfWork, identity: Identity, key: str, grounds: HoldGrounds
    ) -> tuple[DossierHold, Promise]:
        """Hold a dossier, named by its id or archival number; several holds may stand on one.

        Raises:
            NotPermittedError: The identity is not supervision.
            GroundsRequiredError: Reason or legal basis is missing.
            DossierNotFoundError: No dossier is filed under this key.
        """
        identity.demand(Role.SUPERVISOR)
        grounds = grounds.checked()
        named = or_(Dossier.id == key, Dossier.archival_number == normalise(key))
        seen = dossiers_visible_to(identity)
        dossier = uow.session.scalar(select(Dossier).where(named, Dossier.filed_at.is_not(None), seen))
        if dossier is None:
            raise DossierNotFoundError(_refusal(identity))
        hold = DossierHold(
            id=uow.ids.new_id(),
            dossier_id=dossier.id,
            reason=grounds.reason,
            legal_basis=grounds.legal_basis,
            placed_by=identity.id,
            placed_at=uow.clock.now(),
        )
        uow.session.add(hold)
        return hold, _record(uow, identity, ActKind.DOSSIER_HELD, HeldDossier(hold, dossier))

    def lift(
        self, uow: UnitOfWork, identity: Identity, hold_id: str, grounds: HoldGrounds
    ) -> tuple[DossierHold, Promise]:
        """Lift a hold.

        Raises:
            NotPermittedError: The identity is not security administration, or placed the hold.
            GroundsRequiredError: Reason or legal basis is missing.
            HoldNotFoundError: No such hold stands.
        """
        identity.demand(Role.SECURITY_ADMIN)
        grounds = grounds.checked()
        hold = uow.session.get(DossierHold, hold_id)
        if hold is None or hold.lifted_at is not None:
            raise HoldNotFoundError
        if hold.placed_by == identity.id:
            raise NotPermittedError
        hold.lifted_by, hold.lifted_at = identity.id, uow.clock.now()
        hold.lift_reason, hold.lift_legal_basis = grounds.reason, grounds.legal_basis
        held = HeldDossier(hold, uow.session.get_one(Dossier, hold.dossier_id))
        return hold, _record(uow, identity, ActKind.DOSSIER_RELEASED, held)

    def standing(self, uow: UnitOfWork, identity: Identity) -> Sequence[HeldDossier]:
        """Give every hold that stands, the oldest first.

        Raises:
            NotPermittedError: The identity is neither supervision nor security administration.
        """
        identity.demand(Role.SUPERVISOR, Role.SECURITY_ADMIN)
        seen = true() if identity.has(Role.SECURITY_ADMIN) else dossiers_visible_to(identity)
        rows = uow.session.execute(
            select(DossierHold, Dossier)
            .join(Dossier, Dossier.id == DossierHold.dossier_id)
            .where(DossierHold.lifted_at.is_(None), seen)
            .order_by(DossierHold.placed_at, DossierHold.id)
        )
        return [HeldDossier(hold, dossier) for hold, dossier in rows]


def standing_holds(uow: UnitOfWork, dossier_id: str) -> Sequence[DossierHold]:
    """Give the holds that stand on a dossier, the oldest first."""
    query = select(DossierHold).where(DossierHold.dossier_id == dossier_id, DossierHold.lifted_at.is_(None))
    return uow.session.scalars(query.order_by(DossierHold.placed_at, DossierHold.id)).all()


@dataclass(frozen=True, slots=True)
class HeldObjects:
    """What a dossier is made of in the store.

    Attributes:
        digests: Of members, manifest and its seal.
        names: Manifest and seal under their names.
    """

    digests: frozenset[str]
    names: frozenset[str]


def objects_of(uow: UnitOfWork, dossier: Dossier) -> HeldObjects:
    """Give everything that a hold on this dossier is on."""
    members = uow.session.scalars(select(DossierMember.sha256).where(DossierMember.dossier_id == dossier.id))
    digests = {*members, dossier.manifest_sha256, dossier.manifest_seal_sha256}
    key = dossier.manifest_key
    return HeldObjects(
        frozenset(one for one in digests if one), frozenset({key, key + SEAL_SUFFIX} if key else ())
    )


def held_elsewhere(uow: UnitOfWork, dossier_id: str, digests: frozenset[str]) -> frozenset[str]:
    """Give those of the digests that a hold on another dossier is on as well."""
    shared = (
        select(DossierMember.sha256)
        .join(DossierHold, DossierHold.dossier_id == DossierMember.dossier_id)
        .where(
            DossierMember.sha256.in_(digests),
            DossierMember.dossier_id != dossier_id,
            DossierHold.lifted_at.is_(None),
        )
    )
    return frozenset(uow.session.scalars(shared))


def _refusal(identity: Identity) -> Act:
    return Act(
        kind=ActKind.ACCESS_REFUSED,
        actor=identity,
        object_type="dossier",
        object_id="unknown",
        outcome=Outcome.REFUSED,
    )


def _record(uow: UnitOfWork, identity: Identity, kind: ActKind, held: HeldDossier) -> Promise:
    dossier = held.dossier
    return uow.record(
        Act(
            kind=kind,
            actor=identity,
            object_type="dossier",
            object_id=dossier.id,
            object_sha256=dossier.manifest_sha256,
            case=dossier.case_id,
            subject=dossier.holder_id,
            rows=[held.hold],
        )
    )
