# SPDX-License-Identifier: Apache-2.0
"""The feed: in the order of the ledger, without gaps that fill later, and the same after a restore."""

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from license_library import FOOD, GROUNDS, MANAGER, OTHER
from sharing_world import TAX, SharingWorld
from sqlalchemy import delete, func, select, true

from licenses.models import LicenseEvent
from licenses.sharing.feed import Place, read_feed, start_of, tie_again
from licenses.sharing.models import LicenseChange
from licenses.sharing.queue import BATCH

BEGINNING = start_of(0)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SharingWorld]:
    made = SharingWorld(tmp_path)
    yield made
    made.close()


def feed(world: SharingWorld, after: Place = BEGINNING, limit: int = 1000) -> list[tuple[Place, int]]:
    with world.database.reading() as uow:
        stretch = read_feed(uow, true(), after, limit)
        return [(place, change.sequence) for place, change in stretch.changes]


def test_what_the_ledger_does_not_hold_yet_is_not_in_the_feed(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    world.change(licence)
    assert feed(world) == []
    world.settle()
    assert [sequence for _, sequence in feed(world)] == [2]


@pytest.mark.services
def test_what_commits_late_comes_later_and_is_not_passed_over(world: SharingWorld) -> None:
    """Only a server has several writers at a time."""
    slow, quick = world.licence(FOOD), world.licence(FOOD, OTHER, number="F2")
    world.subscribe(types=[FOOD])
    recorded, go_on = threading.Event(), threading.Event()

    def hesitate() -> None:
        with world.database.writing() as uow:
            manager = replace(MANAGER, organisation=slow.organisation)
            world.library.service.suspend(uow, manager, slow.identifier, GROUNDS)
            uow.session.flush()
            recorded.set()
            go_on.wait(30)

    late = threading.Thread(target=hesitate)
    late.start()
    assert recorded.wait(30)
    world.change(quick)
    world.deliver()
    assert world.receiver.order() == {quick.id: [2]}
    go_on.set()
    late.join()
    world.deliver()
    assert world.receiver.order() == {quick.id: [2], slow.id: [2]}


def test_a_cursor_cut_anywhere_gives_the_rest_and_nothing_twice(world: SharingWorld) -> None:
    licences = [world.licence(FOOD, number=f"F{number}") for number in range(3)]
    for licence in (*licences, *licences):
        world.change(licence)
        world.settle()
    whole = feed(world)
    assert len(whole) == 6
    for cut, (place, _) in enumerate(whole, 1):
        assert feed(world, place) == whole[cut:]
        assert feed(world, place, limit=1) == whole[cut : cut + 1]


def test_ties_that_a_restore_lost_are_made_again_at_the_same_places(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    world.subscribe(types=[FOOD])
    world.change(licence, 3)
    world.settle()
    whole = feed(world)
    with world.database.writing() as uow:
        last = select(LicenseEvent.id).where(LicenseEvent.position > 2)
        uow.session.execute(delete(LicenseChange).where(LicenseChange.event_id.in_(last)))
    assert len(feed(world)) == 1
    with world.database.writing() as uow:
        assert tie_again(uow) == 2
        assert tie_again(uow) == 0
    assert feed(world) == whole
    world.deliver()
    assert world.receiver.order() == {licence.id: [2, 3, 4]}


def test_a_subscription_whose_place_was_lost_begins_where_it_was_approved(world: SharingWorld) -> None:
    from licenses.sharing.models import SubscriptionPlace  # noqa: PLC0415 - the only test that loses one

    licence = world.licence(FOOD)
    world.subscribe(types=[FOOD])
    world.change(licence, 2)
    world.deliver()
    with world.database.writing() as uow:
        uow.session.execute(delete(SubscriptionPlace))
    world.deliver()
    assert world.receiver.order() == {licence.id: [2, 3, 2, 3]}
    first, again = world.receiver.got[:2], world.receiver.got[2:]
    assert [headers["webhook-id"] for headers, _ in first] == [headers["webhook-id"] for headers, _ in again]


def test_many_changes_at_once_cost_a_row_each_and_flow_in_batches(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    world.subscribe(types=[FOOD], name="甲")
    world.subscribe(types=[FOOD], name="乙")
    count = BATCH + 30
    world.change(licence, count)
    world.settle()
    with world.database.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(LicenseChange)) == count
    assert world.deliveries() == [], "nothing is fanned out when it happens"
    world.deliver()
    assert (
        world.receiver.order() == {licence.id: [*range(2, count + 2)] * 2}
        or len(world.receiver.arrived) == 2 * count
    )
    with world.database.reading() as uow:
        views = world.subscriptions.own(uow, TAX)
    assert [one.place.told for one in views if one.place] == [count, count]
