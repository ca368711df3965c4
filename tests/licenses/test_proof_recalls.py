# SPDX-License-Identifier: Apache-2.0
"""A licence that ends so that decisions lose their ground reaches each who relied on it, once."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from license_library import BUSINESS, FOOD
from proof_events import HEARING, OTHER_HEARING, Endpoints, ProofEvents
from sharing_world import ARRIVED, REFUSED, SOURCE, SYSTEM, HandReceiver

from licenses.lifecycle import EventKind
from licenses.sharing import proofs

FIRST, SECOND = "http://127.0.0.1:9/first", "http://127.0.0.1:9/second"


@pytest.fixture
def endpoints() -> Endpoints:
    return Endpoints({FIRST: HandReceiver(), SECOND: HandReceiver()})


@pytest.fixture
def world(tmp_path: Path, endpoints: Endpoints) -> Iterator[ProofEvents]:
    made = ProofEvents(tmp_path, endpoints)
    yield made
    made.close()


def named(receiver: HandReceiver) -> list[tuple[str, ...]]:
    return [tuple(sorted(one["data"]["decisions"])) for one in receiver.arrived]


def test_each_requester_is_told_once_and_of_the_own_decisions_only(
    world: ProofEvents, endpoints: Endpoints
) -> None:
    licence = world.library.issue(BUSINESS)
    world.subscribe(HEARING, endpoint=FIRST)
    world.subscribe(OTHER_HEARING, endpoint=SECOND)
    mine, theirs = sorted(world.relies() for _ in range(2)), world.relies(OTHER_HEARING)
    world.befalls(licence, EventKind.SUSPENDED)
    world.deliver()
    world.deliver()
    assert named(endpoints.receivers[FIRST]) == [tuple(mine)]
    assert named(endpoints.receivers[SECOND]) == [(theirs,)]
    ((headers, event),) = endpoints.receivers[SECOND].got
    assert event == {
        "specversion": "1.0",
        "id": headers["webhook-id"],
        "source": SOURCE,
        "type": "proof.recalled",
        "time": event["time"],
        "datacontenttype": "application/json",
        "data": {
            "decisions": [theirs],
            "count": 1,
            "licence": licence.id,
            "change": "suspended",
            "time": event["time"],
            "sequence": 2,
        },
    }


def test_what_recalls_nothing_or_came_before_the_decision_is_not_told(
    world: ProofEvents, endpoints: Endpoints
) -> None:
    licence, other = world.library.issue(BUSINESS), world.library.issue(FOOD)
    world.subscribe(HEARING, endpoint=FIRST)
    world.befalls(licence, EventKind.SUSPENDED)
    world.befalls(licence, EventKind.RESUMED)
    decision = world.relies()
    world.befalls(other, EventKind.REVOKED)
    world.deliver()
    assert endpoints.receivers[FIRST].got == []
    world.befalls(licence, EventKind.WITHDRAWN)
    world.deliver()
    assert named(endpoints.receivers[FIRST]) == [(decision,)]


def test_a_corrected_face_is_told_as_such_and_other_next_versions_are_not(
    world: ProofEvents, endpoints: Endpoints
) -> None:
    licence, receiver = world.library.issue(BUSINESS), endpoints.receivers[FIRST]
    world.subscribe(HEARING, endpoint=FIRST)
    world.relies()
    world.clock.advance(60)
    licence = world.library.issue(BUSINESS, replaces=licence.identifier, change="change")
    world.deliver()
    assert receiver.got == []
    world.clock.advance(1)
    decision = world.relies()
    world.clock.advance(60)
    world.library.issue(BUSINESS, replaces=licence.identifier, change="correction")
    world.deliver()
    (event,) = receiver.arrived
    assert (event["type"], event["data"]["decisions"], event["data"]["count"]) == (
        "proof.recalled",
        [decision],
        1,
    )
    assert (event["data"]["change"], event["data"]["licence"]) == ("corrected", licence.id)


def test_who_is_told_of_licences_too_can_tell_both_messages_apart(
    world: ProofEvents, endpoints: Endpoints
) -> None:
    """Receivers drop what bears an id that they have."""
    licence = world.library.issue(BUSINESS)
    world.subscribe(HEARING, endpoint=FIRST)
    world.sharing.subscribe(HEARING, types=[BUSINESS], endpoint=FIRST)
    world.relies()
    world.befalls(licence, EventKind.REVOKED)
    world.deliver()
    heard = endpoints.receivers[FIRST].arrived
    assert sorted(one["type"] for one in heard) == ["licence.revoked", "proof.recalled"]
    assert len({one["id"] for one in heard}) == 2
    assert not [one for one in heard if "." in one["id"]], "a point divides what is signed"


def test_an_event_names_the_newest_and_says_how_many_there_are(
    world: ProofEvents, endpoints: Endpoints, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(proofs, "MOST_NAMED", 2)
    licence = world.library.issue(BUSINESS)
    world.subscribe(HEARING, endpoint=FIRST)
    made = [world.relies() for _ in range(3)]
    world.befalls(licence, EventKind.REVOKED)
    world.deliver()
    (event,) = endpoints.receivers[FIRST].arrived
    assert (event["data"]["decisions"], event["data"]["count"]) == ([made[2], made[1]], 3)


def test_a_recall_that_is_refused_is_given_up_by_the_id_of_its_message(
    world: ProofEvents, endpoints: Endpoints
) -> None:
    licence, receiver = world.library.issue(BUSINESS), endpoints.receivers[FIRST]
    subscription = world.subscribe(HEARING, endpoint=FIRST).subscription.id
    world.relies()
    for kind in (EventKind.SUSPENDED, EventKind.RESUMED, EventKind.REVOKED):
        world.befalls(licence, kind)
    receiver.says = lambda event: REFUSED if event["data"]["change"] == "suspended" else ARRIVED
    world.deliver()
    assert receiver.arrived == [], "a later recall by a licence waits for the earlier one"
    refused = receiver.got[0][0]["webhook-id"]
    with world.database.writing() as uow:
        world.sharing.desk.skip(uow, SYSTEM, subscription, refused)
    world.deliver()
    assert receiver.order() == {licence.id: [4]}
    assert [one.problem for one in world.sharing.deliveries("dead")] == ["skipped"]


def test_all_that_a_client_is_told_is_fetched_in_one_order_wherever_it_is_cut(world: ProofEvents) -> None:
    licence = world.library.issue(BUSINESS)
    world.subscribe(HEARING, endpoint=None)
    world.sharing.subscribe(HEARING, types=[BUSINESS], endpoint=None)
    world.relies()
    for kind in (EventKind.SUSPENDED, EventKind.RESUMED, EventKind.REVOKED):
        world.befalls(licence, kind)
    world.sharing.settle()

    def pages(limit: int) -> list[tuple[str, str]]:
        seen, cursor, more = [], None, True
        while more:
            with world.database.writing() as uow:
                page = world.sharing.desk.fetch(uow, HEARING, "log", cursor, limit)
            seen += [(type(one).__name__, one.id) for one in page.changes]
            cursor, more = page.next, page.more
        return seen

    whole = pages(100)
    assert [name for name, _ in whole] == ["Change", "ProofChange", "Change", "Change", "ProofChange"]
    assert [pages(limit) for limit in (1, 2, 3)] == [whole] * 3
