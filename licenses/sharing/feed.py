# SPDX-License-Identifier: Apache-2.0
"""The feed of changes: what happened in the order of the ledger, which has no gaps that fill later.

An event has no number of its own: numbers that transactions take are seen in another order than they were
taken in, and whoever reads up to a number loses what commits late. The ledger's sequencer has solved that
already, so an event stands where its act stands. What is told to others therefore stands in the ledger first.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, exists, or_, select

from cases.models import Holder
from licenses.ladder.models import LadderEvent
from licenses.models import License, LicenseEvent, LicenseHolder
from licenses.sharing.envelope import Change, Told
from licenses.sharing.models import LadderChange, LicenseChange, Subscription, SubscriptionHolder
from storage.database import UnitOfWork
from storage.inserting import insert_many
from storage.ledger.acts import Act, Promise
from storage.ledger.models import LedgerAct, LedgerEntry, LedgerState
from storage.secrets import ErasedError

_TIES: Final = (
    (LicenseEvent, LicenseChange, ("license.", "stock.")),
    (LadderEvent, LadderChange, ("rung.",)),
)
"""Events that stand in the feed, what ties them to their acts, and how the kinds of those acts begin."""
WINDOW: Final = 5_000
"""Entries of the ledger that one look goes through at most: a filter that finds little must end, too."""


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A place in the feed: entry of the ledger, event of that entry. Both count from 0."""

    seq: int
    place: int


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the feed.

    Attributes:
        changes: What it holds, in order.
        until: Up to where it goes, inclusive: where the next one begins.
        more: Whether the feed goes on after it.
    """

    changes: tuple[tuple[Place, Told], ...]
    until: Place
    more: bool


def record_change(uow: UnitOfWork, act: Act) -> Promise:
    """Record an act and put the events among its rows into the feed, in the same transaction."""
    promise = uow.record(act)
    for model, ties, _ in _TIES:
        events = [row.id for row in act.rows if isinstance(row, model)]
        events += [row["id"] for table in act.tables if table.model is model for row in table.rows]
        _tie(uow, ties, promise.core_sha256, events)
    return promise


def _tie(
    uow: UnitOfWork, ties: type[LicenseChange | LadderChange], act_id: str, events: Sequence[str]
) -> None:
    if events:
        rows = [{"event_id": event, "act_id": act_id, "place": place} for place, event in enumerate(events)]
        insert_many(uow.session.connection(), ties, rows)


def feed_end(uow: UnitOfWork) -> int:
    """Give the number of entries of the ledger: the feed goes up to the last one."""
    return uow.session.scalar(select(LedgerState.size)) or 0


def read_feed(uow: UnitOfWork, which: ColumnElement[bool], after: Place, limit: int) -> Stretch:
    """Read what happened to licences on from a place.

    Args:
        uow: Any unit of work.
        which: Condition on the licences, see :func:`told_from`.
        after: Where the stretch before ended.
        limit: Events at most.
    """
    end, top = window(uow, after)
    rows = uow.session.execute(
        select(LedgerEntry.seq, LicenseChange.place, LicenseEvent, License.type_code)
        .join(LicenseChange, LicenseChange.act_id == LedgerEntry.act_id)
        .join(LicenseEvent, LicenseEvent.id == LicenseChange.event_id)
        .join(License, License.id == LicenseEvent.license_id)
        .where(beyond(after, LicenseChange.place), LedgerEntry.seq <= top, which)
        .order_by(LedgerEntry.seq, LicenseChange.place)
        .limit(limit)
    ).all()
    changes = [(Place(seq, place), _change(event, type_code)) for seq, place, event, type_code in rows]
    return stretch_of(changes, after, top, end, limit)


def window(uow: UnitOfWork, after: Place) -> tuple[int, int]:
    """Give the number of entries of the ledger, and the last one that a look from a place goes through."""
    end = feed_end(uow)
    return end, min(end - 1, after.seq + WINDOW)


def stretch_of(
    changes: Sequence[tuple[Place, Told]], after: Place, top: int, end: int, limit: int
) -> Stretch:
    """Give the stretch that a look came to.

    Args:
        changes: What it found, in order, at most ``limit``; all there is up to the last entry if fewer.
        after: Where it began.
        top: The last entry that it went through.
        end: The number of entries.
        limit: Events at most.
    """
    if len(changes) == limit:
        return Stretch(tuple(changes), changes[-1][0], more=True)
    until = max(after, Place(top, _LAST))
    return Stretch(tuple(changes), until, more=until.seq < end - 1)


_LAST: Final = 1_000_000
"""A place behind every event of an entry."""


def start_of(size: int) -> Place:
    """Give the place behind everything that a ledger of this size holds."""
    return Place(size - 1, _LAST)


def beyond(after: Place, place: SQLColumnExpression[int]) -> ColumnElement[bool]:
    """Give the condition on what comes after a place; ``place`` is the event's within its entry."""
    return or_(LedgerEntry.seq > after.seq, and_(LedgerEntry.seq == after.seq, place > after.place))


def told_to(subscription: Subscription) -> ColumnElement[bool]:
    """Give the condition on licences whose changes a subscription is about."""
    parts: list[ColumnElement[bool]] = []
    if subscription.types:
        parts.append(License.type_code.in_(subscription.types))
    if subscription.items:
        parts.append(License.item_code.in_(subscription.items))
    if subscription.holders:
        sharing = select(LicenseHolder.holder_id).where(LicenseHolder.license_id == License.id)
        parts.append(
            exists().where(
                or_(Holder.id == License.holder_id, Holder.id.in_(sharing.correlate(License))),
                SubscriptionHolder.subscription_id == subscription.id,
                SubscriptionHolder.scheme == Holder.scheme,
                SubscriptionHolder.code_hash == Holder.code_hash,
            )
        )
    return and_(*parts)


def told_from(subscription: Subscription) -> ColumnElement[bool]:
    """Give the condition of :func:`told_to`, on what came after the subscription was approved."""
    return and_(LedgerEntry.seq >= (subscription.start or 0), told_to(subscription))


def changes_by_event(uow: UnitOfWork, events: Sequence[str]) -> dict[str, Change]:
    """Give changes by the id of their event."""
    rows = uow.session.execute(
        select(LicenseEvent, License.type_code)
        .join(License, License.id == LicenseEvent.license_id)
        .where(LicenseEvent.id.in_(events))
    ).all()
    return {event.id: _change(event, type_code) for event, type_code in rows}


def tie_again(uow: UnitOfWork) -> int:
    """Tie events to their acts anew where the tie is missing, as after a restore; give how many were.

    No act can hold its own id, so replaying brings events back and not their ties.
    """
    return sum(_tie_again(uow, model, ties, kinds) for model, ties, kinds in _TIES)


def _tie_again(
    uow: UnitOfWork,
    model: type[LicenseEvent | LadderEvent],
    ties: type[LicenseChange | LadderChange],
    kinds: Sequence[str],
) -> int:
    tied = exists().where(ties.event_id == model.id)
    wanted = set(uow.session.scalars(select(model.id).where(~tied)))
    count = 0
    if not wanted:
        return count
    telling = or_(*(LedgerAct.kind.startswith(kind) for kind in kinds))
    acts = select(LedgerAct.act_id, LedgerAct.detail).where(telling).execution_options(yield_per=500)
    for act_id, detail in uow.session.execute(acts):
        try:
            opened = json.loads(uow.secrets.decrypt(detail))
        except ErasedError:
            continue
        rows = [row["values"] for row in opened["rows"] if row["table"] == model.__tablename__]
        events = [row["id"] for row in rows]
        if events and wanted.issuperset(events):
            _tie(uow, ties, act_id, events)
            count += len(events)
    return count


def _change(event: LicenseEvent, type_code: str) -> Change:
    return Change(
        event.id, event.license_id, type_code, event.kind, event.at, event.position, event.successor_id
    )
