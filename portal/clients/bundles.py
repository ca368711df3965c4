# SPDX-License-Identifier: Apache-2.0
"""Gathers the evidence bundle of a decision, for who asked and for supervision; that it left is recorded."""

from collections.abc import Sequence

from sqlalchemy import select

from licenses.bundle import Evidence
from licenses.models import Decision, LicenseRequest, LicenseUsage, SignedAnswer
from licenses.requests import TOKEN_LIFE
from licenses.usage import Use, usage_row
from portal.clients.errors import BundleHeldError
from portal.clients.models import ClientKey
from portal.rooms import Rooms
from storage.database import UnitOfWork
from storage.errors import NotFoundError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.acts import Act
from storage.ledger.kinds import ActKind
from storage.ledger.reading import receipt_for


def signed_decisions(uow: UnitOfWork, ids: Sequence[str]) -> set[str]:
    """Give those of some decisions that a client asked for by a signed call."""
    return set(
        uow.session.scalars(select(LicenseRequest.decision_id).where(LicenseRequest.decision_id.in_(ids)))
    )


def bundle(rooms: Rooms, uow: UnitOfWork, identity: Identity, decision_id: str) -> bytes:
    """Give the bundle of a decision that a client asked for.

    Raises:
        NotFoundError: Unknown, not this identity's, or asked by a person, who signs nothing.
        BundleHeldError: Supervision asks while the token in it may still be good.
        ReceiptNotReadyError: The answer stands in no published checkpoint yet.
    """
    jws = rooms.proofs.answer(uow, identity, decision_id)
    decision = uow.session.get_one(Decision, decision_id)
    call = uow.session.get(LicenseRequest, decision_id)
    key = uow.session.get(ClientKey, call.kid) if call is not None else None
    rule = rooms.rules.of_digest(decision.rule_digest)
    if call is None or key is None or rule is None:
        raise NotFoundError
    _hold_back(uow, identity, decision)
    act_id = uow.session.get_one(SignedAnswer, decision_id).act_id
    evidence = Evidence(
        kept=uow.secrets.decrypt(call.call_cipher),
        client_key=key.jwk,
        jws=jws,
        receipt=receipt_for(uow.session, act_id),
        jwks=rooms.keys.jwks,
        rule=rule.document,
    )
    uses = [_seen_by_holder(uow, identity, decision)] if identity.has(Role.SUPERVISOR) else []
    uow.session.add_all(uses)
    uow.session.flush()
    uow.record(
        Act(
            kind=ActKind.PROOF_EVIDENCED,
            actor=identity,
            object_type="decision",
            object_id=decision.id,
            case=decision.case_id,
            subject=decision.holder_id,
            object_sha256=decision.body_sha256,
            rows=uses,
        )
    )
    return evidence.write()


def _hold_back(uow: UnitOfWork, identity: Identity, decision: Decision) -> None:
    """Keep the bundle from everybody but who asked until the token in its signature base is over.

    Raises:
        BundleHeldError: The token may still be good.
    """
    left = decision.at + TOKEN_LIFE - uow.clock.now()
    if identity.id != decision.actor_id and left.total_seconds() > 0:
        raise BundleHeldError(left)


def _seen_by_holder(uow: UnitOfWork, identity: Identity, decision: Decision) -> LicenseUsage:
    who = identity.on(AccessBasis(Basis.SUPERVISION, decision.case_id, decision.item_code))
    use = Use(action="evidence", holder_id=decision.holder_id, result="READ", decision_id=decision.id)
    return usage_row(uow, who, use)
