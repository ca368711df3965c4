# SPDX-License-Identifier: Apache-2.0
"""Looks every second for subscriptions with something to send, and adds the step that sends it.

Each worker process looks. One step at a time delivers for a subscription: the subscription's place names it,
and of two processes that add one at the same time the second begins anew and sees the first one's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Final

from sqlalchemy import exists, select

from licenses.sharing.feed import Place, feed_end
from licenses.sharing.models import Subscription, SubscriptionPlace, SubscriptionState
from licenses.sharing.queue import due_deliveries, go_on, is_resting, something_is_due
from licenses.sharing.services import place_of
from licenses.sharing.telling import read_told
from portal.housekeeping import repeatedly
from storage.database import Database, UnitOfWork
from storage.steps import UNFINISHED, StepRow

LOOK_SECONDS: Final = 1.0
_RUNS: Final = str(SubscriptionState.APPROVED)


class Announcer:
    """Adds steps that deliver.

    Args:
        database: Where everything stands.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._seen: dict[str, Place] = {}
        self._quiet_at: int | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look every second, in a thread of its own, while the block runs."""
        with repeatedly("announcer", LOOK_SECONDS, self.look):
            yield

    def look(self) -> int:
        """Add a step for every subscription with something to send and none under way; give their number."""
        with self._database.reading() as uow:
            end = feed_end(uow)
            if end == self._quiet_at and not something_is_due(uow):
                return 0
            wants = {row.id: self._wants(uow, row) for row in _told(uow)}
        # Whoever rests, or is being told, may find something new without another entry of the ledger.
        self._quiet_at = None if any(one is not False for one in wants.values()) else end
        wanting = [name for name, wants_now in wants.items() if wants_now]
        return sum(self._database.write(partial(_start, name)) for name in wanting)

    def _wants(self, uow: UnitOfWork, row: Subscription) -> bool | None:
        """Tell whether a step is to be added; ``None`` when that cannot be told before something ends."""
        place = uow.session.get(SubscriptionPlace, row.id)
        if place is None:
            return feed_end(uow) > (row.start or 0)
        if _under_way(uow, place) or is_resting(uow, place):
            return None
        return bool(due_deliveries(uow, row.id, uow.clock.now(), 1)) or self._finds_new(uow, row, place)

    def _finds_new(self, uow: UnitOfWork, row: Subscription, place: SubscriptionPlace) -> bool:
        """Tell whether the feed holds something new; what was looked through is not looked through again."""
        taken = Place(place.seq, place.place)
        stretch = read_told(uow, [row], max(taken, self._seen.get(row.id, taken)), 1)
        if not stretch.changes:
            self._seen[row.id] = stretch.until
        return bool(stretch.changes) or stretch.more


def _told(uow: UnitOfWork) -> list[Subscription]:
    told = select(Subscription).where(Subscription.state == _RUNS, Subscription.endpoint.is_not(None))
    return list(uow.session.scalars(told.order_by(Subscription.id)))


def _under_way(uow: UnitOfWork, place: SubscriptionPlace) -> bool:
    return bool(uow.session.scalar(select(exists().where(StepRow.id == place.step_id, UNFINISHED))))


def _start(subscription_id: str, uow: UnitOfWork) -> bool:
    row = uow.session.get(Subscription, subscription_id)
    if row is None or row.state != SubscriptionState.APPROVED:
        return False
    place = place_of(uow, row)
    return not _under_way(uow, place) and go_on(uow, row, place)
