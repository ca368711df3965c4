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

from licenses.sharing.feed import feed_end
from licenses.sharing.models import Subscription, SubscriptionPlace, SubscriptionState
from licenses.sharing.queue import go_on, has_work
from licenses.sharing.services import place_of
from portal.housekeeping import repeatedly
from storage.database import Database, UnitOfWork
from storage.steps import UNFINISHED, StepRow

LOOK_SECONDS: Final = 1.0


class Announcer:
    """Adds steps that deliver.

    Args:
        database: Where everything stands.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look every second, in a thread of its own, while the block runs."""
        with repeatedly("announcer", LOOK_SECONDS, self.look):
            yield

    def look(self) -> int:
        """Add a step for every subscription with something to send and none under way; give their number."""
        with self._database.reading() as uow:
            wanting = [row.id for row in _told(uow) if self._wants(uow, row)]
        return sum(self._database.write(partial(_start, name)) for name in wanting)

    @staticmethod
    def _wants(uow: UnitOfWork, row: Subscription) -> bool:
        place = uow.session.get(SubscriptionPlace, row.id)
        if place is None:
            return feed_end(uow) > (row.start or 0)
        return not _under_way(uow, place) and has_work(uow, row, place)


def _told(uow: UnitOfWork) -> list[Subscription]:
    told = select(Subscription).where(
        Subscription.state == SubscriptionState.APPROVED, Subscription.endpoint.is_not(None)
    )
    return list(uow.session.scalars(told.order_by(Subscription.id)))


def _under_way(uow: UnitOfWork, place: SubscriptionPlace) -> bool:
    return bool(uow.session.scalar(select(exists().where(StepRow.id == place.step_id, UNFINISHED))))


def _start(subscription_id: str, uow: UnitOfWork) -> bool:
    row = uow.session.get(Subscription, subscription_id)
    if row is None or row.state != SubscriptionState.APPROVED:
        return False
    place = place_of(uow, row)
    return not _under_way(uow, place) and go_on(uow, row, place)
