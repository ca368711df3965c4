# SPDX-License-Identifier: Apache-2.0
"""What waits for a subscription: taken from the feed, due or not, arrived, tried again, dead.

Guarantees: an event is taken from the feed in the transaction that moves the subscription's place, so none is
lost or taken twice; what failed as often as the schedule says is a dead letter, never dropped. While an
endpoint is down one try speaks for everything that was due then: each event keeps its schedule, and a
thousand of them do not knock a thousand times.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, func, select, update
from sqlalchemy.orm import aliased

from licenses.sharing.feed import Place
from licenses.sharing.models import Delivery, DeliveryState, Subscription, SubscriptionPlace
from licenses.sharing.ports import Answer
from licenses.sharing.schedule import pause_after, rest_after
from licenses.sharing.services import WORKER, end_subscription, is_told
from licenses.sharing.telling import read_told
from storage.database import UnitOfWork
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind

KIND: Final = "notify.deliver"
BATCH: Final = 200
"""Messages of one step at most."""
MOST_WAITING: Final = 1_000
"""Events that wait for one subscription; the others stay in the feed, which is the queue."""
DOWN_AFTER: Final = 3
"""So many tries in a row without an answer as it should be, and the endpoint counts as down."""
_STRETCHES: Final = 20
_STANDS: Final = str(DeliveryState.WAITING)
"""As a plain text: the library takes milliseconds over an enumeration's member in a condition."""


def take_new(uow: UnitOfWork, row: Subscription, place: SubscriptionPlace) -> int:
    """Take events that are new to a subscription from the feed; give their number."""
    waiting = select(func.count()).where(*_waiting(row.id))
    room = min(BATCH, MOST_WAITING - (uow.session.scalar(waiting) or 0))
    if room <= 0:
        return 0
    for _ in range(_STRETCHES):
        stretch = read_told(uow, [row], Place(place.seq, place.place), room)
        place.seq, place.place = stretch.until.seq, stretch.until.place
        if stretch.changes or not stretch.more:
            break
    now = uow.clock.now()
    uow.session.add_all(
        Delivery(
            id=uow.ids.new_id(),
            subscription_id=row.id,
            event_id=change.id,
            object_id=change.object_id,
            seq=at.seq,
            place=at.place,
            state=DeliveryState.WAITING,
            failures=0,
            due_at=now,
            added_at=now,
        )
        for at, change in stretch.changes
    )
    uow.session.flush()
    return len(stretch.changes)


def due_deliveries(
    uow: UnitOfWork, subscription_id: str, now: dt.datetime, limit: int = BATCH
) -> Sequence[Delivery]:
    """Give what is to be sent now, in order: nothing of an object of which something earlier waits longer."""
    before = aliased(Delivery)
    blocked = exists().where(
        before.subscription_id == Delivery.subscription_id,
        before.state == _STANDS,
        before.object_id == Delivery.object_id,
        before.due_at > now,
        (before.seq < Delivery.seq) | ((before.seq == Delivery.seq) & (before.place < Delivery.place)),
    )
    query = select(Delivery).where(*_waiting(subscription_id), Delivery.due_at <= now, ~blocked)
    return uow.session.scalars(query.order_by(Delivery.seq, Delivery.place).limit(limit)).all()


def something_is_due(uow: UnitOfWork) -> bool:
    """Tell whether any subscription's delivery is due now."""
    due = select(Delivery.id).where(Delivery.state == _STANDS, Delivery.due_at <= uow.clock.now())
    return uow.session.scalar(due.limit(1)) is not None


def is_resting(uow: UnitOfWork, place: SubscriptionPlace) -> bool:
    """Tell whether the endpoint is left alone now."""
    return place.rest_until is not None and place.rest_until > uow.clock.now()


def has_work(uow: UnitOfWork, row: Subscription, place: SubscriptionPlace) -> bool:
    """Tell whether something is to be sent or taken for a subscription now."""
    if is_resting(uow, place):
        return False
    if due_deliveries(uow, row.id, uow.clock.now(), 1):
        return True
    waiting = uow.session.scalar(select(func.count()).where(*_waiting(row.id))) or 0
    return waiting < MOST_WAITING and has_new(uow, row, place)


def has_new(uow: UnitOfWork, row: Subscription, place: SubscriptionPlace) -> bool:
    """Tell whether the feed holds something new for a subscription, or more than one look goes through."""
    stretch = read_told(uow, [row], Place(place.seq, place.place), 1)
    return bool(stretch.changes) or stretch.more


def go_on(uow: UnitOfWork, row: Subscription, place: SubscriptionPlace) -> bool:
    """Add the step that delivers next, if there is something for it to do; tell whether there is."""
    if not has_work(uow, row, place):
        return False
    place.step_id = uow.add_step(KIND, row.id)
    return True


def note_answers(
    uow: UnitOfWork, row: Subscription, place: SubscriptionPlace, answers: Mapping[str, Answer]
) -> None:
    """Write down what an endpoint answered, by delivery, in the order of sending."""
    rows = uow.session.scalars(select(Delivery).where(Delivery.id.in_(answers))).all()
    known = {one.id: one for one in rows}
    arrived = [known[name] for name, answer in answers.items() if answer.arrived and name in known]
    failed = [(known[name], answer) for name, answer in answers.items() if name in known]
    failed = [(one, answer) for one, answer in failed if not answer.arrived]
    if arrived:
        _note_arrived(uow, row, place, arrived)
    if any(answer.gone for _, answer in failed):
        place.problem, place.problem_at = "gone", uow.clock.now()
        if is_told(row):
            end_subscription(uow, WORKER, row, "gone")
    elif failed:
        _note_failed(uow, row, place, failed)


def _note_arrived(
    uow: UnitOfWork, row: Subscription, place: SubscriptionPlace, arrived: Sequence[Delivery]
) -> None:
    now = uow.clock.now()
    if place.streak >= DOWN_AFTER:
        # It is up again: what waited for that waits no longer.
        uow.session.execute(update(Delivery).where(*_waiting(row.id)).values(due_at=now))
    place.streak, place.rest_until, place.problem, place.problem_at = 0, None, None, None
    place.told, place.told_at = place.told + len(arrived), now
    uow.session.execute(delete(Delivery).where(Delivery.id.in_([one.id for one in arrived])))
    record_about(uow, ActKind.CHANGES_SENT, row, Outcome.DONE, arrived)


def _note_failed(
    uow: UnitOfWork,
    row: Subscription,
    place: SubscriptionPlace,
    failed: Sequence[tuple[Delivery, Answer]],
) -> None:
    now, last = uow.clock.now(), failed[-1][1]
    place.problem, place.problem_at = last.problem, now
    dead = [one for one, answer in failed if not _try_again(uow, one, answer, now)]
    if last.about_endpoint:
        place.streak += 1
        place.rest_until = now + rest_after(place.streak, last.wait)
    else:
        place.streak = 0
    if place.streak >= DOWN_AFTER:
        tried = [one.id for one, _ in failed]
        others = select(Delivery).where(*_waiting(row.id), Delivery.due_at <= now, Delivery.id.not_in(tried))
        dead += [one for one in uow.session.scalars(others) if not _try_again(uow, one, last, now)]
    if dead:
        record_about(uow, ActKind.CHANGES_UNDELIVERED, row, Outcome.FAILED, dead)


def _try_again(uow: UnitOfWork, one: Delivery, answer: Answer, now: dt.datetime) -> bool:
    """Set when a delivery is tried next; tell whether it is. A test is tried once only."""
    one.failures, one.problem = one.failures + 1, answer.problem
    if one.object_id is None:
        uow.session.delete(one)
        return True
    pause = pause_after(one.failures, answer.wait)
    if pause is None:
        one.state, one.dead_at = DeliveryState.DEAD, now
        return False
    one.due_at = now + pause
    return True


def record_about(
    uow: UnitOfWork, kind: ActKind, row: Subscription, outcome: Outcome, about: Sequence[Delivery]
) -> None:
    """Record what became of deliveries: how many, and of which events; who holds the licences is not told."""
    uow.record(
        Act(
            kind=kind,
            actor=WORKER,
            object_type="subscription",
            object_id=row.id,
            outcome=outcome,
            notes={"count": len(about), "events": [one.event_id for one in about]},
        )
    )


def _waiting(subscription_id: str) -> tuple[ColumnElement[bool], ...]:
    return (Delivery.subscription_id == subscription_id, Delivery.state == _STANDS)
