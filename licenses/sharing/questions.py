# SPDX-License-Identifier: Apache-2.0
"""Questions to a client's department 部门协查: that one was asked, that its time runs out, that it is over.

Guarantees: only questions asked of the client's own department, and nothing of the case, the holder or what
is asked: the client reads the question under its own scope, which is recorded.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import aliased

from cases.organisations import organisations
from licenses.ladder.models import LadderEvent, LadderRung
from licenses.ladder.states import RungEventKind
from licenses.ladder.terms import LadderTerms
from licenses.sharing.envelope import QuestionChange
from licenses.sharing.feed import Place, Stretch, beyond, stretch_of, window
from licenses.sharing.models import LadderChange
from storage.database import UnitOfWork
from storage.ledger.models import LedgerEntry

ASKED: Final = "cooperation.asked"
REMINDED: Final = "cooperation.reminded"
ESCALATED: Final = "cooperation.escalated"
TOLD_OF: Final[Mapping[RungEventKind, str]] = {
    RungEventKind.ASKED: ASKED,
    RungEventKind.REMINDED: REMINDED,
    RungEventKind.ESCALATED: ESCALATED,
    RungEventKind.ACCEPTED_BEFORE_ANSWER: ESCALATED,
}
"""By event of a question, what the asked department is told; what it does itself it knows."""
QUESTIONS_FROM: Final = 250_000
"""Their places lie behind those of the same event told to who asked: one feed may hold both."""
_KINDS: Final = sorted(str(kind) for kind in TOLD_OF)


def read_questions(uow: UnitOfWork, organisation: str, start: int, after: Place, limit: int) -> Stretch:
    """Read what an organisation's department is asked on from a place.

    Args:
        uow: Any unit of work.
        organisation: The client's own.
        start: The first entry of the ledger that is told of.
        after: Where the stretch before ended.
        limit: Events at most.
    """
    end, top = window(uow, after)
    place = LadderChange.place + QUESTIONS_FROM
    rows = uow.session.execute(
        _events(organisation)
        .join(LadderChange, LadderChange.event_id == LadderEvent.id)
        .join(LedgerEntry, LedgerEntry.act_id == LadderChange.act_id)
        .add_columns(LedgerEntry.seq, place)
        .where(beyond(after, place), LedgerEntry.seq >= start, LedgerEntry.seq <= top)
        .order_by(LedgerEntry.seq, place)
        .limit(limit)
    ).all()
    found = [(Place(seq, at), _told(*what)) for *what, seq, at in rows]
    return stretch_of(found, after, top, end, limit)


def questions_by_event(
    uow: UnitOfWork, organisation: str, events: Sequence[str]
) -> dict[str, QuestionChange]:
    """Give what an organisation's department is told by the id of the event."""
    rows = uow.session.execute(_events(organisation).where(LadderEvent.id.in_(events)))
    return {one.id: one for one in (_told(*row) for row in rows)}


def _events(organisation: str) -> Select[LadderEvent, int]:
    before, departments = aliased(LadderEvent), sorted(organisations().departments_of(organisation))
    reminders = (
        select(func.count(before.id))
        .where(
            and_(before.rung_id == LadderEvent.rung_id, before.position < LadderEvent.position),
            before.kind == str(RungEventKind.REMINDED),
        )
        .correlate(LadderEvent)
        .scalar_subquery()
    )
    return (
        select(LadderEvent, reminders)
        .join(LadderRung, LadderRung.id == LadderEvent.rung_id)
        .where(
            LadderEvent.kind.in_(_KINDS),
            LadderRung.asked.in_(departments),
        )
    )


def _told(event: LadderEvent, reminders: Any) -> QuestionChange:  # noqa: ANN401 - a counted column
    kind, shares = RungEventKind(event.kind), LadderTerms.load().remind_at
    reminds = kind is RungEventKind.REMINDED and reminders < len(shares)
    return QuestionChange(
        id=event.id,
        kind=TOLD_OF[kind],
        question=event.rung_id,
        change=event.kind,
        at=event.at,
        due=event.due,
        percent=shares[reminders] if reminds else None,
        sequence=event.position,
    )
