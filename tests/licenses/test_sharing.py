# SPDX-License-Identifier: Apache-2.0
"""Changes are told to who subscribed: in order within a licence, at least once, nothing of who holds it."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from license_library import BUSINESS, COMPANY, FOOD, ITEM_OF, OTHER, PERSON, ROAD
from sharing_world import ARRIVED, DOWN, REFUSED, SYSTEM, TAX, SharingWorld
from standardwebhooks import Webhook

from licenses.sharing.ports import Answer
from licenses.sharing.schedule import RETRY_SECONDS, TRIES


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SharingWorld]:
    made = SharingWorld(tmp_path)
    yield made
    made.close()


def test_what_changes_after_the_approval_is_told_once_and_in_order(world: SharingWorld) -> None:
    licence, foreign = world.licence(FOOD), world.licence(ROAD)
    world.change(licence)
    world.subscribe(types=[FOOD])
    world.change(licence, 3)
    world.change(foreign)
    world.deliver()
    assert world.receiver.order() == {licence.id: [3, 4, 5]}
    assert world.deliveries() == []
    world.deliver()
    assert len(world.receiver.got) == 3


def test_an_event_tells_what_happened_and_nothing_of_who_holds_the_licence(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    world.subscribe(types=[FOOD])
    world.change(licence)
    world.deliver()
    ((headers, event),) = world.receiver.got
    assert event == {
        "specversion": "1.0",
        "id": headers["webhook-id"],
        "source": "https://cunzheng.example/api/v1/licence-events",
        "type": "licence.suspended",
        "time": "2026-11-24T01:00:00.000000Z",
        "datacontenttype": "application/json",
        "data": {
            "licence": licence.id,
            "type": FOOD,
            "change": "suspended",
            "time": "2026-11-24T01:00:00.000000Z",
            "sequence": 2,
            "successor": None,
        },
    }
    said = json.dumps(event, ensure_ascii=False)
    assert not any(part in said for part in (*COMPANY[1:], licence.number, licence.identifier))


def test_a_message_verifies_with_the_secret_and_with_the_published_key(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    asked = world.subscribe(types=[FOOD])
    world.change(licence)
    world.deliver()
    ((headers, event),) = world.receiver.got
    body = json.dumps(event, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    signatures = dict(one.split(",") for one in headers["webhook-signature"].split())
    hook = Webhook(asked.secret or "")
    # The library looks at the clock of the machine; the signature itself is what is compared.
    assert hook.sign(headers["webhook-id"], world.clock.now(), body) == f"v1,{signatures['v1']}"
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(world.keys.public.removeprefix("whpk_")))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.{body}".encode()
    public.verify(base64.b64decode(signatures["v1a"]), signed)


def test_a_holder_set_is_told_of_its_own_also_when_the_holder_comes_later(world: SharingWorld) -> None:
    world.subscribe(holders=[OTHER[:2], PERSON[:2]], types=[BUSINESS])
    licence, foreign = world.licence(BUSINESS, OTHER), world.licence(BUSINESS, COMPANY, number="B2")
    world.change(licence)
    world.change(foreign)
    world.deliver()
    assert world.receiver.order() == {licence.id: [2]}


def test_an_item_is_told_of_the_licences_that_it_gave(world: SharingWorld) -> None:
    world.subscribe(items=[ITEM_OF[FOOD]])
    licence, foreign = world.licence(FOOD), world.licence(BUSINESS)
    world.change(licence)
    world.change(foreign)
    world.deliver()
    assert world.receiver.order() == {licence.id: [2]}


def test_what_fails_is_tried_again_as_the_schedule_says_and_is_dead_at_last(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    world.subscribe(types=[FOOD])
    world.change(licence)
    world.receiver.says = lambda _: REFUSED
    world.deliver()
    for tries, pause in enumerate(RETRY_SECONDS, 1):
        assert len(world.receiver.got) == tries
        world.clock.advance(pause - 1)
        world.deliver()
        assert len(world.receiver.got) == tries, "not before its time"
        world.clock.advance(1)
        world.deliver()
    assert len(world.receiver.got) == TRIES
    (dead,) = world.deliveries("dead")
    assert (dead.failures, dead.problem) == (TRIES, "http-422")
    assert {headers["webhook-id"] for headers, _ in world.receiver.got} == {dead.event_id}


def test_a_later_event_of_a_licence_waits_for_the_earlier_one_and_others_do_not(world: SharingWorld) -> None:
    licence, other = world.licence(FOOD), world.licence(FOOD, OTHER, number="F2")
    world.subscribe(types=[FOOD])
    world.change(licence, 2)
    world.change(other, 2)
    world.receiver.says = lambda event: REFUSED if event["data"]["licence"] == licence.id else ARRIVED
    world.deliver()
    assert world.receiver.order() == {other.id: [2, 3]}
    assert [event["data"]["sequence"] for _, event in world.receiver.got].count(3) == 1
    world.receiver.says = lambda _: ARRIVED
    world.clock.advance(RETRY_SECONDS[0])
    world.deliver()
    assert world.receiver.order() == {licence.id: [2, 3], other.id: [2, 3]}


def test_a_dead_letter_no_longer_holds_back_what_came_later(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    world.subscribe(types=[FOOD])
    world.change(licence, 2)
    world.receiver.says = lambda event: REFUSED if event["data"]["sequence"] == 2 else ARRIVED
    world.deliver()
    for pause in RETRY_SECONDS:
        assert world.receiver.arrived == []
        world.clock.advance(pause)
        world.deliver()
    assert world.receiver.order() == {licence.id: [3]}


def test_an_endpoint_that_is_down_is_knocked_at_once_for_all_and_told_all_when_it_is_back(
    world: SharingWorld,
) -> None:
    licences = [world.licence(FOOD, number=f"F{number}") for number in range(10)]
    world.subscribe(types=[FOOD])
    world.receiver.says = lambda _: DOWN
    for licence in licences:
        world.change(licence)
    for _ in range(6):
        world.deliver()
        world.clock.advance(300)
    assert len(world.receiver.got) <= 7, "one try speaks for everything that was due"
    world.receiver.says = lambda _: ARRIVED
    world.change(world.licence(FOOD, number="F99"))
    world.clock.advance(300)
    world.deliver()
    assert {tuple(order) for order in world.receiver.order().values()} == {(2,)}
    assert len(world.receiver.order()) == 11, "one that is new finds it well again"


def test_a_failing_subscription_holds_up_no_other(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    failing = world.subscribe(types=[FOOD], name="不通").subscription
    well = world.subscribe(types=[FOOD], name="通").subscription
    endpoints = iter((DOWN, ARRIVED))
    world.receiver.says = lambda _: next(endpoints)
    world.change(licence)
    world.deliver()
    assert sorted([world.place(failing.id).told, world.place(well.id).told]) == [0, 1]


def test_who_asks_to_wait_is_left_alone_as_long_within_bounds(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    world.subscribe(types=[FOOD])
    world.change(licence)
    world.receiver.says = lambda _: Answer(429, "http-429", 120.0)
    world.deliver()
    world.clock.advance(119)
    world.deliver()
    assert len(world.receiver.got) == 1
    world.clock.advance(1)
    world.deliver()
    assert len(world.receiver.got) == 2
    world.receiver.says = lambda _: Answer(503, "http-503", 10.0 * 24 * 3600)
    world.clock.advance(300)
    world.deliver()
    world.clock.advance(24 * 3600)
    world.deliver()
    assert len(world.receiver.got) == 4


def test_an_endpoint_that_is_gone_ends_the_subscription(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    asked = world.subscribe(types=[FOOD])
    world.receiver.says = lambda _: Answer(410, "gone")
    world.change(licence, 2)
    world.deliver()
    assert len(world.receiver.got) == 1
    with world.database.reading() as uow:
        row = world.subscriptions.own_one(uow, TAX, asked.subscription.id).row
    assert (row.state, row.ended_because) == ("ended", "gone")


def test_what_changes_while_an_endpoint_rests_is_told_when_it_has_rested(world: SharingWorld) -> None:
    licence, other = world.licence(FOOD), world.licence(FOOD, OTHER, number="F2")
    world.subscribe(types=[FOOD])
    world.receiver.says = lambda _: DOWN
    world.change(licence)
    world.deliver()
    world.change(other)
    world.deliver()
    world.receiver.says = lambda _: ARRIVED
    world.clock.advance(RETRY_SECONDS[0])
    while world.announcer.look() or world.worker().run_one():
        pass
    assert world.receiver.order() == {licence.id: [2], other.id: [2]}


def test_a_client_whose_access_ended_is_told_nothing_more(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    asked = world.subscribe(types=[FOOD])
    world.clients.ended.add(TAX.id)
    world.change(licence)
    world.deliver()
    assert world.receiver.got == []
    with world.database.reading() as uow:
        row = world.subscriptions.own_one(uow, TAX, asked.subscription.id).row
    assert (row.state, row.ended_because) == ("ended", "client-ended")


def test_a_step_that_takes_long_leaves_the_rest_to_the_next_one(world: SharingWorld) -> None:
    licences = [world.licence(FOOD, number=f"F{number}") for number in range(6)]
    world.subscribe(types=[FOOD])
    for licence in licences:
        world.change(licence)

    def slowly(_: object) -> Answer:
        world.clock.advance(7)
        return ARRIVED

    world.receiver.says = slowly
    world.settle()
    world.announcer.look()
    assert world.worker().run_one()
    assert len(world.receiver.got) == 3, "nothing is begun after twenty seconds"
    world.deliver()
    assert len(world.receiver.order()) == 6


def test_an_event_that_is_skipped_lets_later_ones_go_and_can_be_sent_again(world: SharingWorld) -> None:
    licence = world.licence(FOOD)
    subscription = world.subscribe(types=[FOOD]).subscription.id
    world.change(licence, 2)
    world.receiver.says = lambda event: REFUSED if event["data"]["sequence"] == 2 else ARRIVED
    world.deliver()
    first, _ = world.deliveries("waiting")
    with world.database.writing() as uow:
        world.desk.skip(uow, SYSTEM, subscription, first.event_id)
    world.deliver()
    assert world.receiver.order() == {licence.id: [3]}
    world.receiver.says = lambda _: ARRIVED
    with world.database.writing() as uow:
        assert world.desk.resend(uow, SYSTEM)[0] == 1
    world.deliver()
    assert world.receiver.order() == {licence.id: [3, 2]}
