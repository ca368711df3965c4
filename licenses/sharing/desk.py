# SPDX-License-Identifier: Apache-2.0
"""What administrators see of deliveries, and sending dead letters again; what clients fetch by themselves."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import func, select

from licenses.sharing.cursor import read_place, write_place
from licenses.sharing.envelope import Told, event_of
from licenses.sharing.errors import (
    DeadLetterUnknownError,
    SubscriptionNotRunningError,
    SubscriptionUnknownError,
)
from licenses.sharing.feed import start_of
from licenses.sharing.models import (
    Delivery,
    DeliveryState,
    Subscription,
    SubscriptionPlace,
    SubscriptionState,
)
from licenses.sharing.services import READERS, SubscriptionService, is_told, place_of
from licenses.sharing.telling import read_told
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind

_STRETCHES: Final = 10


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the feed as a client fetches it.

    Attributes:
        changes: What it holds, in order.
        next: Cursor of the page after it; it is given even when there is nothing yet.
        more: Whether the page after it holds something already.
    """

    changes: tuple[Told, ...]
    next: str
    more: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """How delivering to one subscription stands.

    Attributes:
        subscription: Its id.
        name: Its name.
        waiting: Events that wait.
        oldest: Since when the oldest of them waits.
        dead: Dead letters.
        problem: Code of the last failure, if it lasts.
    """

    subscription: str
    name: str
    waiting: int
    oldest: dt.datetime | None
    dead: int
    problem: str | None


class SharingDesk:
    """Reads the feed for clients, and looks after what did not arrive.

    Args:
        subscriptions: The client's own subscriptions.
    """

    def __init__(self, subscriptions: SubscriptionService) -> None:
        self._subscriptions = subscriptions

    def fetch(
        self,
        uow: UnitOfWork,
        identity: Identity,
        log: str,
        after: str | None,
        limit: int,
        subscription: str | None = None,
    ) -> Page:
        """Give the client what its approved subscriptions tell, on from a cursor; it is recorded.

        Args:
            uow: A writing unit of work.
            identity: The client.
            log: Name of the ledger's log: cursors of another one are none.
            after: Cursor of the page before; ``None`` for the beginning.
            limit: Changes at most.
            subscription: Only this one of the client's.

        Raises:
            NotPermittedError: The caller is no client that may subscribe.
            SubscriptionUnknownError: There is no such approved subscription of the client's.
            CursorError: The cursor was not given to this client for this log.
        """
        views = self._subscriptions.own(uow, identity)
        rows = [one.row for one in views if one.row.state == SubscriptionState.APPROVED]
        if subscription is not None:
            rows = [one for one in rows if one.id == subscription]
            if not rows:
                raise SubscriptionUnknownError
        starts = [start_of(one.start or 0) for one in rows]
        at = min(starts, default=start_of(0)) if after is None else read_place(uow, identity.id, log, after)
        changes: list[Told] = []
        more = bool(rows)
        for _ in range(_STRETCHES if rows else 0):
            stretch = read_told(uow, rows, at, limit - len(changes))
            changes += [change for _, change in stretch.changes]
            at, more = stretch.until, stretch.more
            if len(changes) == limit or not more:
                break
        if changes:
            uow.record(
                Act(
                    kind=ActKind.CHANGES_READ,
                    actor=identity,
                    object_type="feed",
                    object_id=log,
                    notes={"count": len(changes), "events": [one.id for one in changes]},
                )
            )
        return Page(tuple(changes), write_place(uow, identity.id, log, at), more)

    def ping(self, uow: UnitOfWork, identity: Identity, subscription_id: str) -> str:
        """Have the endpoint of the client's own subscription tested; give the id of the test's event.

        One test waits at a time: whoever asks again meanwhile is given that one.

        Raises:
            SubscriptionUnknownError: There is none of the caller's.
            SubscriptionNotRunningError: Nothing is sent for it.
        """
        row = self._subscriptions.own_one(uow, identity, subscription_id).row
        if not is_told(row):
            raise SubscriptionNotRunningError
        waits = select(Delivery.event_id).where(
            Delivery.subscription_id == row.id,
            Delivery.object_id.is_(None),
            Delivery.state == str(DeliveryState.WAITING),
        )
        if (waiting := uow.session.scalars(waits).first()) is not None:
            return waiting
        now, event = uow.clock.now(), uow.ids.new_id()
        uow.session.add(
            Delivery(
                id=uow.ids.new_id(),
                subscription_id=row.id,
                event_id=event,
                object_id=None,
                seq=0,
                place=0,
                state=DeliveryState.WAITING,
                failures=0,
                due_at=now,
                added_at=now,
            )
        )
        # Whoever tests an endpoint has mended it: it need not rest any longer.
        place_of(uow, row).rest_until = None
        uow.session.flush()
        return event

    def dead(self, uow: UnitOfWork, identity: Identity, most: int = 200) -> list[Delivery]:
        """Give dead letters, the oldest first.

        Raises:
            NotPermittedError: The caller neither administers nor supervises.
        """
        identity.demand(*READERS)
        query = select(Delivery).where(Delivery.state == DeliveryState.DEAD)
        return list(uow.session.scalars(query.order_by(Delivery.dead_at, Delivery.id).limit(most)))

    def resend(
        self,
        uow: UnitOfWork,
        identity: Identity,
        *,
        delivery_id: str | None = None,
        subscription_id: str | None = None,
    ) -> tuple[int, Promise]:
        """Have one dead letter sent again, or all of a subscription, or all there are.

        Raises:
            NotPermittedError: The caller is no system administrator.
            DeadLetterUnknownError: There is none to send: not dead, or its subscription has ended.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        query = select(Delivery).join(Subscription, Subscription.id == Delivery.subscription_id)
        query = query.where(
            Delivery.state == DeliveryState.DEAD, Subscription.state == SubscriptionState.APPROVED
        )
        if delivery_id is not None:
            query = query.where(Delivery.id == delivery_id)
        if subscription_id is not None:
            query = query.where(Delivery.subscription_id == subscription_id)
        rows = uow.session.scalars(query.order_by(Delivery.seq, Delivery.place)).all()
        if not rows:
            raise DeadLetterUnknownError
        now = uow.clock.now()
        for one in rows:
            one.state, one.failures, one.due_at, one.dead_at = DeliveryState.WAITING, 0, now, None
        told = {one.subscription_id for one in rows}
        for name in told:
            place = uow.session.get(SubscriptionPlace, name)
            if place is not None:
                place.rest_until = None
        uow.session.flush()
        act = Act(
            kind=ActKind.CHANGES_RESENT,
            actor=identity,
            object_type="subscription",
            object_id=told.pop() if len(told) == 1 else "all",
            notes={"count": len(rows), "events": [one.event_id for one in rows]},
        )
        return len(rows), uow.record(act)

    def skip(self, uow: UnitOfWork, identity: Identity, subscription_id: str, event_id: str) -> Promise:
        """Give up an event that waits, so that later ones of its object go on; it becomes a dead letter.

        Args:
            uow: A writing unit of work.
            identity: Who gives it up.
            subscription_id: The subscription.
            event_id: The event, as its message names it or as a dead letter does.

        Raises:
            NotPermittedError: The caller is no system administrator.
            DeadLetterUnknownError: No such event waits for this subscription.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        event_id = event_of(event_id)
        row = uow.session.scalar(
            select(Delivery).where(
                Delivery.subscription_id == subscription_id,
                Delivery.event_id == event_id,
                Delivery.state == str(DeliveryState.WAITING),
                Delivery.object_id.is_not(None),
            )
        )
        if row is None:
            raise DeadLetterUnknownError
        row.state, row.dead_at, row.problem = DeliveryState.DEAD, uow.clock.now(), "skipped"
        uow.session.flush()
        return uow.record(
            Act(
                kind=ActKind.CHANGES_UNDELIVERED,
                actor=identity,
                object_type="subscription",
                object_id=subscription_id,
                reasons=["skipped"],
                notes={"count": 1, "events": [event_id]},
            )
        )

    def figures(self, uow: UnitOfWork) -> list[Figures]:
        """Give how delivering to each approved subscription stands."""
        counts = uow.session.execute(
            select(Delivery.subscription_id, Delivery.state, func.count(), func.min(Delivery.added_at))
            .group_by(Delivery.subscription_id, Delivery.state)
            .order_by(Delivery.subscription_id)
        ).all()
        found = {(name, state): (count, since) for name, state, count, since in counts}
        places = {one.subscription_id: one for one in uow.session.scalars(select(SubscriptionPlace))}
        rows: Sequence[Subscription] = uow.session.scalars(
            select(Subscription)
            .where(Subscription.state == SubscriptionState.APPROVED, Subscription.endpoint.is_not(None))
            .order_by(Subscription.id)
        ).all()
        return [_figures(row, found, places.get(row.id)) for row in rows]


def _figures(
    row: Subscription,
    found: dict[tuple[str, str], tuple[int, dt.datetime]],
    place: SubscriptionPlace | None,
) -> Figures:
    waiting = found.get((row.id, DeliveryState.WAITING))
    dead = found.get((row.id, DeliveryState.DEAD))
    return Figures(
        subscription=row.id,
        name=row.name,
        waiting=waiting[0] if waiting else 0,
        oldest=waiting[1] if waiting else None,
        dead=dead[0] if dead else 0,
        problem=None if place is None else place.problem,
    )
