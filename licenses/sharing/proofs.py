# SPDX-License-Identifier: Apache-2.0
"""What became of a client's own decisions: rungs that they wait for or rest on, licences that recall them.

Guarantees: only decisions that the client itself asked for are named, only those that were given before what
happened, and nothing of a holder, a licence's number or an answer: whoever wants to know more asks again.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from licenses.ladder.models import DepartmentAssertion, LadderEvent, LadderRung
from licenses.ladder.states import RungEventKind
from licenses.models import Decision, DecisionReliance, LicenseEvent
from licenses.recall import recalling, told_as
from licenses.sharing.envelope import ProofChange
from licenses.sharing.feed import Place, Stretch, beyond, stretch_of, window
from licenses.sharing.models import LadderChange, LicenseChange
from storage.database import UnitOfWork
from storage.ledger.models import LedgerEntry

RESOLVED: Final = "proof.resolved"
CHECK_DUE: Final = "commitment.check_due"
RECALLED: Final = "proof.recalled"
TOLD_OF: Final[Mapping[RungEventKind, str]] = {
    RungEventKind.ANSWERED: RESOLVED,
    RungEventKind.UNANSWERABLE: RESOLVED,
    RungEventKind.DROPPED: RESOLVED,
    RungEventKind.ESCALATED: RESOLVED,
    RungEventKind.ACCEPTED_BEFORE_ANSWER: RESOLVED,
    RungEventKind.SUPPLIED: RESOLVED,
    RungEventKind.MISSED: RESOLVED,
    RungEventKind.CONFIRMED: RESOLVED,
    RungEventKind.FOUND_FALSE: RESOLVED,
    RungEventKind.RECTIFIED: RESOLVED,
    RungEventKind.REVOKED: RESOLVED,
    RungEventKind.CHECK_DUE: CHECK_DUE,
    RungEventKind.CORRECTED: RECALLED,
}
"""By event of a rung, what is told of it: how it ends and that its time is over, not that it goes on."""
MOST_NAMED: Final = 200
"""Decisions that an event names at most; it always says how many there are."""
RECALLS_FROM: Final = 500_000
"""Places of recalls lie behind those of the licences' own events, which may be told in one feed with them."""
_LICENCE: Final = "licence"
_ASSERTION: Final = "assertion"
_CORRECTED: Final = str(RungEventKind.CORRECTED)
_RUNG_KINDS: Final = sorted(str(kind) for kind in TOLD_OF)


def read_proofs(uow: UnitOfWork, client_id: str, start: int, after: Place, limit: int) -> Stretch:
    """Read what became of a client's decisions on from a place.

    Args:
        uow: Any unit of work.
        client_id: Who asked for the decisions.
        start: The first entry of the ledger that is told of.
        after: Where the stretch before ended.
        limit: Events at most.
    """
    end, top = window(uow, after)
    found: list[tuple[Place, ProofChange]] = []
    for ties, query, told, place in (
        (LadderChange, _rung_events(client_id), _of_rung, LadderChange.place + 0),
        (LicenseChange, _license_events(client_id), _of_license, LicenseChange.place + RECALLS_FROM),
    ):
        rows = uow.session.execute(
            query.add_columns(LedgerEntry.seq, place)
            .join(LedgerEntry, LedgerEntry.act_id == ties.act_id)
            .where(beyond(after, place), LedgerEntry.seq >= start, LedgerEntry.seq <= top)
            .order_by(LedgerEntry.seq, place)
            .limit(limit)
        ).all()
        found += [(Place(seq, place), told(uow, client_id, *what)) for *what, seq, place in rows]
    found.sort(key=lambda one: one[0])
    return stretch_of(found[:limit], after, top, end, limit)


def proofs_by_event(uow: UnitOfWork, client_id: str, events: Sequence[str]) -> dict[str, ProofChange]:
    """Give what a client is told by the id of the event."""
    rungs = _rung_events(client_id).where(LadderEvent.id.in_(events))
    licences = _license_events(client_id).where(LicenseEvent.id.in_(events))
    found = [_of_rung(uow, client_id, *row) for row in uow.session.execute(rungs)]
    found += [_of_license(uow, client_id, *row) for row in uow.session.execute(licences)]
    return {one.id: one for one in found}


def _rung_events(client_id: str) -> Select[LadderEvent, LadderRung]:
    own, rests = aliased(Decision), aliased(Decision)
    offered = exists().where(
        own.id == LadderRung.decision_id, own.actor_id == client_id, LadderEvent.kind != _CORRECTED
    )
    replaced = select(DepartmentAssertion.replaces).where(
        DepartmentAssertion.rung_id == LadderRung.id, DepartmentAssertion.answered_at == LadderEvent.at
    )
    rested = exists().where(
        or_(
            and_(DecisionReliance.object_id == LadderRung.id, DecisionReliance.kind == LadderRung.kind),
            and_(DecisionReliance.object_id.in_(replaced), DecisionReliance.kind == _ASSERTION),
        ),
        rests.id == DecisionReliance.decision_id,
        rests.actor_id == client_id,
        rests.at <= LadderEvent.at,
    )
    return (
        select(LadderEvent, LadderRung)
        .join(LadderChange, LadderChange.event_id == LadderEvent.id)
        .join(LadderRung, LadderRung.id == LadderEvent.rung_id)
        .where(LadderEvent.kind.in_(_RUNG_KINDS), or_(offered, rested))
    )


def _license_events(client_id: str) -> Select[LicenseEvent]:
    rested = exists().where(
        DecisionReliance.object_id == LicenseEvent.license_id,
        DecisionReliance.kind == _LICENCE,
        Decision.id == DecisionReliance.decision_id,
        Decision.actor_id == client_id,
        Decision.at < LicenseEvent.at,
    )
    return (
        select(LicenseEvent)
        .join(LicenseChange, LicenseChange.event_id == LicenseEvent.id)
        .where(recalling(), rested)
    )


def _of_rung(uow: UnitOfWork, client_id: str, event: LadderEvent, rung: LadderRung) -> ProofChange:
    concerned = or_(Decision.id == rung.decision_id, Decision.id.in_(_resting_on(rung.id, rung.kind)))
    if event.kind == _CORRECTED:
        # Whoever asked without relying on the mistaken answer has lost nothing.
        replaced = select(DepartmentAssertion.replaces).where(
            DepartmentAssertion.rung_id == rung.id, DepartmentAssertion.answered_at == event.at
        )
        concerned = Decision.id.in_(
            select(DecisionReliance.decision_id).where(
                DecisionReliance.object_id.in_(replaced), DecisionReliance.kind == _ASSERTION
            )
        )
    named, count = _named(uow, Decision.actor_id == client_id, Decision.at <= event.at, concerned)
    return ProofChange(
        id=event.id,
        kind=TOLD_OF[RungEventKind(event.kind)],
        decisions=named,
        count=count,
        change=event.kind,
        at=event.at,
        sequence=event.position,
        rung=rung.id,
        # Decisions of other cases relied on a corrected answer for requirements of their own rules.
        requirement=None if event.kind == _CORRECTED else rung.requirement,
    )


def _of_license(uow: UnitOfWork, client_id: str, event: LicenseEvent) -> ProofChange:
    rests = _resting_on(event.license_id, _LICENCE)
    named, count = _named(uow, Decision.actor_id == client_id, Decision.at < event.at, Decision.id.in_(rests))
    return ProofChange(
        id=event.id,
        kind=RECALLED,
        decisions=named,
        count=count,
        change=told_as(event),
        at=event.at,
        sequence=event.position,
        licence=event.license_id,
    )


def _resting_on(object_id: str, kind: str) -> Select[str]:
    return select(DecisionReliance.decision_id).where(
        DecisionReliance.object_id == object_id, DecisionReliance.kind == kind
    )


def _named(uow: UnitOfWork, *which: ColumnElement[bool]) -> tuple[tuple[str, ...], int]:
    """Give the newest decisions of which the conditions hold, and how many there are."""
    query = select(Decision.id).where(*which).order_by(Decision.at.desc(), Decision.id)
    named = tuple(uow.session.scalars(query.limit(MOST_NAMED)))
    if len(named) < MOST_NAMED:
        return named, len(named)
    return named, uow.session.scalar(select(func.count(Decision.id)).where(*which)) or 0
