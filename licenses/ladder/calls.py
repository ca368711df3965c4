# SPDX-License-Identifier: Apache-2.0
"""Signed calls by which systems said what happened to rungs: kept beside the event, filed without words.

Our signed statement names key and digest of what was signed; the call with its public key stands beside it in
the dossier. Its signature base holds the caller's token, so nobody is given it before that one is over.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Sequence

from sqlalchemy import func, select

from licenses.ladder.models import LadderEvent, LadderRung, RungRequest
from licenses.requests import TOKEN_LIFE, SignedRequest
from storage.database import UnitOfWork
from storage.ledger.canonical import Json, canonical


def kept_calls(
    uow: UnitOfWork, row: LadderRung, event: LadderEvent, call: SignedRequest | None
) -> list[RungRequest]:
    """Keep the call that a system signed for an event, under the holder's key; a person signs none."""
    if call is None:
        return []
    kept = RungRequest(
        id=uow.ids.new_id(),
        event_id=event.id,
        rung_id=row.id,
        client_id=call.client_id,
        kid=call.kid,
        base_sha256=hashlib.sha256(call.base).hexdigest(),
        call_cipher=uow.secrets.encrypt(row.holder_id, call.kept_with_key()),
    )
    uow.session.add(kept)
    return [kept]


def calls_of(uow: UnitOfWork, case_id: str, held: Collection[str]) -> Sequence[RungRequest]:
    """Give the signed calls about rungs of a case, oldest first, without those that are held already."""
    rows = uow.session.scalars(
        select(RungRequest)
        .join(LadderEvent, LadderEvent.id == RungRequest.event_id)
        .join(LadderRung, LadderRung.id == RungRequest.rung_id)
        .where(LadderRung.case_id == case_id)
        .order_by(LadderEvent.at, RungRequest.id)
    )
    return [one for one in rows if one.id not in held]


def filed_call(uow: UnitOfWork, kept: RungRequest) -> str:
    """Give a call as it is filed: what was said stays under the holder's key, the base holds its digest."""
    call: dict[str, Json] = json.loads(uow.secrets.decrypt(kept.call_cipher))
    return canonical(call | {"body": None}).decode()


def token_is_good_for(uow: UnitOfWork, case_id: str) -> float:
    """Give for how many seconds the token in one of the calls of a case may still be good; 0 when none is."""
    newest: dt.datetime | None = uow.session.scalar(
        select(func.max(LadderEvent.at))
        .join(RungRequest, RungRequest.event_id == LadderEvent.id)
        .join(LadderRung, LadderRung.id == RungRequest.rung_id)
        .where(LadderRung.case_id == case_id)
    )
    if newest is None:
        return 0.0
    return max(0.0, (newest + TOKEN_LIFE - uow.clock.now()).total_seconds())
