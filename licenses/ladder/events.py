# SPDX-License-Identifier: Apache-2.0
"""Events of rungs: how they are added, told and recorded."""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select

from licenses.ladder.deadlines import Term
from licenses.ladder.models import LadderEvent, LadderRung, RungRequest
from licenses.ladder.states import RungEventKind, RungState
from licenses.usage import operator_of
from storage.base import Base
from storage.database import UnitOfWork
from storage.identity import Identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind


@dataclass(frozen=True, slots=True)
class Spoken:
    """An event with what was said.

    Attributes:
        signed: Key and digest of the signature base, where a system signed the call that told of it.
    """

    kind: RungEventKind
    at: dt.datetime
    due: dt.datetime | None
    organisation: str
    actor_id: str
    operator: str | None
    words: str
    signed: tuple[str, str] | None = None


def took(uow: UnitOfWork, person: str | None, row: LadderRung) -> bool:
    """Tell whether a person took a rung, at a desk or named by a system."""
    first = select(LadderEvent.operator).where(LadderEvent.rung_id == row.id, LadderEvent.position == 1)
    return person is not None and uow.session.scalar(first) == person


def added(
    uow: UnitOfWork,
    row: LadderRung,
    kind: RungEventKind,
    who: Identity,
    state: RungState,
    term: Term,
    words: str = "",
) -> LadderEvent:
    """Add an event to a rung and bring the rung's own line up to date; the caller records both."""
    count = select(func.count()).select_from(LadderEvent).where(LadderEvent.rung_id == row.id)
    event = LadderEvent(
        id=uow.ids.new_id(),
        rung_id=row.id,
        position=1 + (uow.session.scalar(count) or 0),
        kind=str(kind),
        at=uow.clock.now(),
        due=term.due,
        actor_id=who.id,
        operator=operator_of(who),
        organisation=who.organisation,
        words_cipher=uow.secrets.encrypt(row.holder_id, words.encode()) if words else None,
    )
    row.state, row.due, row.wake_at = str(state), term.due, term.wake_at
    uow.session.add(event)
    uow.session.flush()
    return event


def events_of(uow: UnitOfWork, row: LadderRung) -> Iterator[Spoken]:
    """Give what happened to a rung, oldest first, with what was said; the caller has permitted it."""
    calls = uow.session.scalars(select(RungRequest).where(RungRequest.rung_id == row.id))
    signed = {one.event_id: (one.kid, one.base_sha256) for one in calls}
    rows = uow.session.scalars(
        select(LadderEvent).where(LadderEvent.rung_id == row.id).order_by(LadderEvent.position)
    )
    for one in rows:
        words = uow.secrets.decrypt(one.words_cipher).decode() if one.words_cipher is not None else ""
        yield Spoken(
            RungEventKind(one.kind),
            one.at,
            one.due,
            one.organisation,
            one.actor_id,
            one.operator,
            words,
            signed.get(one.id),
        )


def act_of(
    kind: ActKind,
    who: Identity,
    row: LadderRung,
    rows: Sequence[Base] = (),
    reasons: Sequence[str] = (),
    file: str | None = None,
    outcome: Outcome = Outcome.DONE,
) -> Act:
    """Make an act about a rung; what was said stands in the encrypted detail only."""
    return Act(
        kind=kind,
        actor=who,
        object_type="rung",
        object_id=row.id,
        case=row.case_id,
        object_sha256=file,
        outcome=outcome,
        subject=row.holder_id,
        rows=rows,
        reasons=reasons,
    )
