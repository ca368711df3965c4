# SPDX-License-Identifier: Apache-2.0
"""Read the seal register: events, effective states, and the register as verifiers need it."""

import datetime as dt
from collections import defaultdict
from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from seals.lifecycle import SealState, effective
from seals.models import Seal, SealEvent, Sealing
from seals.trust import RegisteredSeal, StateChange, load_certificate
from seals.verification import KnownDocument


def events_of(session: Session, seal_id: str) -> Sequence[SealEvent]:
    """Give a seal's events in order."""
    return session.scalars(
        select(SealEvent).where(SealEvent.seal_id == seal_id).order_by(SealEvent.number)
    ).all()


def state_of(events: Sequence[SealEvent]) -> SealState:
    """Give the effective state after some events."""
    return effective(events)


def registered_seals(session: Session) -> list[RegisteredSeal]:
    """Give every seal with its history, as a trust list takes it."""
    events: Mapping[str, list[StateChange]] = defaultdict(list)
    for event in session.scalars(select(SealEvent).order_by(SealEvent.seal_id, SealEvent.number)):
        events[event.seal_id].append(StateChange(event.at, event.state))
    return [
        RegisteredSeal(seal.id, seal.name, seal.department, seal.certificate, tuple(events[seal.id]))
        for seal in session.scalars(select(Seal).order_by(Seal.id))
    ]


def revoked_serials(session: Session) -> dict[int, dt.datetime]:
    """Give certificate serial numbers of revoked seals with the instant, for the revocation list."""
    return {
        load_certificate(seal.certificate).serial_number: revoked_at
        for seal in registered_seals(session)
        if (revoked_at := seal.revoked_at()) is not None
    }


def find_known(session: Session, signed_digests: Sequence[str]) -> tuple[Sealing, KnownDocument] | None:
    """Find the sealing whose protected ranges have one of these digests.

    Args:
        session: An open session.
        signed_digests: What :func:`seals.containers.signed_digests` gave for an uploaded file.
    """
    for digest in signed_digests:
        row = session.scalars(
            select(Sealing).where(Sealing.signed_sha256 == digest, Sealing.state == "sealed")
        ).first()
        if row is not None and row.after_sha256 is not None:
            return row, KnownDocument(row.after_sha256)
    return None
