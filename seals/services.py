# SPDX-License-Identifier: Apache-2.0
"""The seal register: register, enable, suspend, resume, revoke, list.

Managing seals needs the seal manager's role; a person who registered a seal does not enable it.
Suspension and revocation work at once and are recorded even while the ledger is closed. Steps that were
refused a seal are woken when one is enabled or resumed.
"""

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from sqlalchemy import select

from seals.errors import SealRefusedError
from seals.lifecycle import Change, SealState, changed
from seals.models import Seal, SealEvent
from seals.orders import DOCUMENT_TYPES
from seals.register import events_of, state_of
from seals.trust import fingerprint
from storage.database import UnitOfWork
from storage.errors import InvalidInputError, NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind

_KINDS = {
    Change.ENABLE: ActKind.SEAL_ENABLED,
    Change.SUSPEND: ActKind.SEAL_SUSPENDED,
    Change.RESUME: ActKind.SEAL_RESUMED,
    Change.REVOKE: ActKind.SEAL_REVOKED,
}
_REASON = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Scope:
    """What a seal may be used for; everything is an allow-list.

    Attributes:
        departments: Department codes.
        items: Item codes, or ``*`` for all items of these departments.
        document_types: Document types.
    """

    departments: tuple[str, ...]
    items: tuple[str, ...] = ("*",)
    document_types: tuple[str, ...] = DOCUMENT_TYPES

    def as_json(self) -> dict[str, list[str]]:
        """Give the scope as the register stores it."""
        return {
            "departments": sorted(self.departments),
            "items": sorted(self.items),
            "document_types": sorted(self.document_types),
        }


@dataclass(frozen=True, slots=True)
class SealView:
    """A seal as lists show it.

    Attributes:
        id: Opaque id.
        name: Name in the ring.
        department: Owner.
        algorithm: Kind and size of the key.
        state: Effective state.
        since: When it reached that state.
        scope: Allow-lists.
        valid_until: End of the certificate.
        certificate_sha256: Fingerprint of the certificate.
    """

    id: str
    name: str
    department: str
    algorithm: str
    state: SealState
    since: dt.datetime
    scope: dict[str, list[str]]
    valid_until: dt.datetime
    certificate_sha256: str


class SealService:
    """Manages the register."""

    def register(
        self,
        uow: UnitOfWork,
        identity: Identity,
        *,
        name: str,
        department: str,
        key_reference: str,
        certificate: bytes,
        scope: Scope,
    ) -> tuple[Seal, Promise]:
        """Enter a seal; it cannot be used before somebody enables it.

        Raises:
            NotPermittedError: The identity is no seal manager.
            InvalidInputError: Certificate or scope cannot be used.
            SealRefusedError: The certificate is registered already.
        """
        _demand_manager(identity)
        algorithm = _algorithm(certificate)
        if not scope.departments or not scope.items or not set(scope.document_types) <= set(DOCUMENT_TYPES):
            raise InvalidInputError(field="scope")
        digest = fingerprint(certificate)
        if uow.session.scalars(select(Seal.id).where(Seal.certificate_sha256 == digest)).first():
            raise SealRefusedError(reason="already-registered")
        seal = Seal(
            id=uow.ids.new_id(),
            name=name,
            department=department,
            algorithm=algorithm,
            key_reference=key_reference,
            certificate=certificate,
            certificate_sha256=digest,
            scope=scope.as_json(),
            registered_at=uow.clock.now(),
            registered_by=identity.id,
        )
        uow.session.add(seal)
        act = Act(
            kind=ActKind.SEAL_REGISTERED,
            actor=identity,
            object_type="seal",
            object_id=seal.id,
            object_sha256=digest,
            rows=(seal,),
        )
        return seal, uow.record(act)

    def enable(self, uow: UnitOfWork, identity: Identity, seal_id: str) -> Promise:
        """Put a registered seal to use; a person cannot enable what he registered himself.

        Raises:
            NotPermittedError: No seal manager, or no such seal.
            SealStateError: It is not in state "registered".
            SealRefusedError: Registered by the same person.
        """
        seal = self._get(uow, identity, seal_id)
        if identity.kind == "person" and seal.registered_by == identity.id:
            raise SealRefusedError(reason="second-person-needed")
        return self._change(uow, identity, seal, Change.ENABLE, "approved")

    def suspend(self, uow: UnitOfWork, identity: Identity, seal_id: str, reason: str) -> Promise:
        """Stop new use at once; ``reason`` is a short code such as ``audit``.

        Raises:
            NotPermittedError: No seal manager, or no such seal.
            SealStateError: It is not enabled.
        """
        return self._change(uow, identity, self._get(uow, identity, seal_id), Change.SUSPEND, reason)

    def resume(self, uow: UnitOfWork, identity: Identity, seal_id: str, reason: str) -> Promise:
        """Allow use again.

        Raises:
            NotPermittedError: No seal manager, or no such seal.
            SealStateError: It is not suspended.
        """
        return self._change(uow, identity, self._get(uow, identity, seal_id), Change.RESUME, reason)

    def revoke(self, uow: UnitOfWork, identity: Identity, seal_id: str, reason: str) -> Promise:
        """End the seal for ever; the caller then publishes the revocation list anew.

        Raises:
            NotPermittedError: No seal manager, or no such seal.
            SealStateError: It is revoked already.
        """
        return self._change(uow, identity, self._get(uow, identity, seal_id), Change.REVOKE, reason)

    def list(self, uow: UnitOfWork, identity: Identity) -> Sequence[SealView]:
        """Give every seal with its effective state.

        Raises:
            NotPermittedError: The identity may not look into the register.
        """
        if not identity.has(Role.SEAL_MANAGER, Role.SUPERVISOR, Role.AUDIT_ADMIN, Role.SYSTEM):
            raise NotPermittedError
        seals = uow.session.scalars(select(Seal).order_by(Seal.department, Seal.registered_at)).all()
        return [_view(seal, events_of(uow.session, seal.id)) for seal in seals]

    def _get(self, uow: UnitOfWork, identity: Identity, seal_id: str) -> Seal:
        _demand_manager(identity)
        seal = uow.session.get(Seal, seal_id)
        if seal is None:
            raise NotPermittedError
        return seal

    def _change(
        self, uow: UnitOfWork, identity: Identity, seal: Seal, change: Change, reason: str
    ) -> Promise:
        if not _REASON.fullmatch(reason):
            raise InvalidInputError(field="reason")
        events = events_of(uow.session, seal.id)
        event = SealEvent(
            seal_id=seal.id,
            number=len(events) + 1,
            state=str(changed(state_of(events), change)),
            reason=reason,
            actor_id=identity.id,
            at=uow.clock.now(),
        )
        uow.session.add(event)
        if event.state == SealState.ENABLED:
            uow.wake(SealRefusedError.code)
        act = Act(
            kind=_KINDS[change],
            actor=identity,
            object_type="seal",
            object_id=seal.id,
            rows=(event,),
            reasons=(reason,),
        )
        return uow.record(act)


def _demand_manager(identity: Identity) -> None:
    if not identity.has(Role.SEAL_MANAGER, Role.SYSTEM):
        raise NotPermittedError


def _algorithm(certificate: bytes) -> str:
    try:
        public = x509.load_der_x509_certificate(certificate).public_key()
    except ValueError as error:
        raise InvalidInputError(field="certificate") from error
    return f"rsa-{public.key_size}" if isinstance(public, rsa.RSAPublicKey) else "p-256"


def _view(seal: Seal, events: Sequence[SealEvent]) -> SealView:
    return SealView(
        id=seal.id,
        name=seal.name,
        department=seal.department,
        algorithm=seal.algorithm,
        state=state_of(events),
        since=events[-1].at if events else seal.registered_at,
        scope=seal.scope,
        valid_until=x509.load_der_x509_certificate(seal.certificate).not_valid_after_utc,
        certificate_sha256=seal.certificate_sha256,
    )
