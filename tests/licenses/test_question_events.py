# SPDX-License-Identifier: Apache-2.0
"""An asked department's system is told what is asked of its department, and of nobody else's questions."""

import base64
import datetime as dt
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from event_receiver import Receiver, serving
from granting import grant
from ladder_world import ASKED, COOPERATES
from license_library import BUSINESS, COMPANY
from proof_events import HEARING, Endpoints, ProofEvents
from rule_world import UPLOAD
from sharing_world import REFUSED, SOURCE, SYSTEM
from sqlalchemy import delete
from standardwebhooks import Webhook

from licenses.ladder.models import LadderRung
from licenses.ladder.states import RungEventKind
from licenses.ladder.terms import LadderTerms
from licenses.sharing.errors import SubscriptionTermsError
from licenses.sharing.feed import tie_again
from licenses.sharing.models import LadderChange, Subscription
from licenses.sharing.services import Asked
from portal.sharing.addresses import Reach
from portal.sharing.posting import HttpSender
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

E = RungEventKind
TRANSPORT = Identity(
    "system",
    "client-9",
    "jtys",
    frozenset({Role.CLIENT}),
    operator="operator-9",
    scopes=frozenset({"answer", "subscribe"}),
)
HEALTH = replace(TRANSPORT, id="client-8", organisation="wjw")
COURSE = [
    ("cooperation.asked", "asked", None),
    ("cooperation.reminded", "reminded", 50),
    ("cooperation.reminded", "reminded", 80),
    ("cooperation.escalated", "escalated", None),
]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ProofEvents]:
    made = ProofEvents(tmp_path / "world")
    yield made
    made.close()


def subscribed(world: ProofEvents, client: Identity = TRANSPORT, **wish: Any) -> Asked:
    return world.sharing.subscribe(client, about="questions", purpose="serve", **wish)


def time_passes(world: ProofEvents, row: LadderRung) -> None:
    """Let the clock do everything that it does to a question that nobody answers."""
    while (wake := world.now(row).wake_at) is not None:
        world.until(wake)
        world.strikes()


def told(events: Sequence[Any]) -> list[tuple[str, str, int | None]]:
    return [(one["type"], one["data"]["change"], one["data"].get("percent")) for one in events]


def test_a_question_is_told_when_asked_at_half_and_four_fifths_and_when_its_time_is_over(
    world: ProofEvents,
) -> None:
    subscribed(world)
    row = world.rung("cooperation")
    world.deliver()
    ((headers, event),) = world.receiver.got
    assert event == {
        "specversion": "1.0",
        "id": headers["webhook-id"],
        "source": SOURCE,
        "type": "cooperation.asked",
        "time": event["time"],
        "datacontenttype": "application/json",
        "data": {
            "question": row.id,
            "change": "asked",
            "time": event["time"],
            "due": event["data"]["due"],
            "sequence": 1,
        },
    }
    assert dt.datetime.fromisoformat(event["data"]["due"]) == row.due
    time_passes(world, row)
    world.deliver()
    assert told(world.receiver.arrived) == COURSE
    assert LadderTerms.load().remind_at == (50, 80)
    assert [one["data"]["sequence"] for one in world.receiver.arrived] == [1, 2, 3, 4]
    world.happens(row, E.ANSWERED, ASKED, holds=True)
    world.deliver()
    assert len(world.receiver.got) == 4, "what the department did itself it knows"


def test_who_looks_late_tells_both_reminders_each_with_its_own_share(world: ProofEvents) -> None:
    subscribed(world)
    row = world.rung("cooperation")
    assert row.due is not None
    world.until(row.due - dt.timedelta(minutes=1))
    world.strikes()
    world.strikes()
    assert world.now(row).wake_at == row.due
    world.deliver()
    assert told(world.receiver.arrived) == COURSE[:3]
    time_passes(world, row)
    world.deliver()
    assert told(world.receiver.arrived) == COURSE


def test_where_the_rule_does_not_wait_the_department_is_told_that_the_case_went_on(tmp_path: Path) -> None:
    world = ProofEvents(tmp_path, fallback=[COOPERATES | {"on_timeout": "accept_and_check"}, UPLOAD])
    subscribed(world)
    time_passes(world, world.rung("cooperation"))
    world.deliver()
    assert told(world.receiver.arrived)[-1] == ("cooperation.escalated", "before-answer", None)
    world.close()


def test_what_is_told_says_nothing_of_case_holder_and_question(world: ProofEvents) -> None:
    subscribed(world)
    row = world.rung("cooperation")
    world.deliver()
    said = json.dumps([event for _, event in world.receiver.got], ensure_ascii=False)
    hidden = (*COMPANY[1:], row.holder_id, row.case_id, row.decision_id, row.predicate or "-", "jtys", "scjg")
    assert said != "[]"
    assert not [one for one in hidden if one in said]


def test_nobody_is_told_of_what_others_are_asked_and_of_no_other_rung(tmp_path: Path) -> None:
    ends = Endpoints()
    world = ProofEvents(tmp_path, ends)
    for client, where in ((TRANSPORT, "own"), (HEALTH, "other")):
        subscribed(world, client, endpoint=f"http://127.0.0.1:9/{where}")
    for kind in ("commitment", "cooperation", "supply_later"):
        world.rung(kind)
    world.deliver()
    assert {where: len(one.got) for where, one in ends.receivers.items()} == {"http://127.0.0.1:9/own": 1}
    world.close()


def test_only_who_may_answer_subscribes_and_names_nothing_further(world: ProofEvents) -> None:
    with pytest.raises(NotPermittedError):
        subscribed(world, replace(TRANSPORT, scopes=frozenset({"subscribe", "ask"})))
    with pytest.raises(SubscriptionTermsError):
        subscribed(world, types=[world.library.types.all()[0].code])


def test_nothing_that_was_asked_before_the_approval_is_told(world: ProofEvents) -> None:
    row = world.rung("cooperation")
    subscribed(world)
    world.deliver()
    assert world.receiver.got == []
    time_passes(world, row)
    world.deliver()
    assert told(world.receiver.arrived) == COURSE[1:]


def test_who_asked_and_who_is_asked_may_be_one_client_and_gets_two_messages(world: ProofEvents) -> None:
    """A feed of both holds each event once for each; cut anywhere it gives the rest and nothing twice."""
    both = replace(HEARING, organisation="jtys", scopes=HEARING.scopes | {"answer"})
    with world.database.writing() as uow:
        grant(uow, organisation="jtys")
    subscribed(world, both)
    world.subscribe(both)
    time_passes(world, world.rung("cooperation", both))
    world.sharing.settle()

    def page(after: str | None, limit: int) -> Any:
        with world.database.writing() as uow:
            return world.sharing.desk.fetch(uow, both, "log", after, limit)

    whole = [(one.kind, one.id) for one in page(None, 100).changes]
    assert [kind for kind, _ in whole].count("proof.resolved") == 1
    assert [kind for kind, _ in whole if kind != "proof.resolved"] == [kind for kind, _, _ in COURSE]
    piece, cursor = [], None
    for _ in whole:
        got = page(cursor, 1)
        piece += [(one.kind, one.id) for one in got.changes]
        cursor = got.next
    assert piece == whole
    world.deliver()
    assert len({one["id"] for one in world.receiver.arrived}) == len(whole)


def test_events_that_were_told_are_tied_again_after_a_restore_under_the_same_ids(world: ProofEvents) -> None:
    subscribed(world)
    world.rung("cooperation")
    world.deliver()
    with world.database.writing() as uow:
        uow.session.execute(delete(LadderChange))
    with world.database.writing() as uow:
        assert tie_again(uow) == 1
    with world.database.writing() as uow:
        (again,) = world.sharing.desk.fetch(uow, TRANSPORT, "log", None, 10).changes
    assert f"{again.id}-question" == world.receiver.arrived[0]["id"]


def test_about_what_this_release_does_not_know_nothing_is_told(world: ProofEvents) -> None:
    asked = subscribed(world)
    with world.database.writing() as uow:
        uow.session.get_one(Subscription, asked.subscription.id).about = "later"
    world.rung("cooperation")
    world.sharing.licence(BUSINESS)
    world.deliver()
    assert world.receiver.got == []


def test_an_operator_skips_a_message_by_the_id_that_it_bears(world: ProofEvents) -> None:
    asked = subscribed(world)
    world.receiver.says = lambda _: REFUSED
    world.rung("cooperation")
    world.deliver()
    ((headers, _),) = world.receiver.got
    with world.database.writing() as uow:
        world.sharing.desk.skip(uow, SYSTEM, asked.subscription.id, headers["webhook-id"])
    assert [one.problem for one in world.sharing.deliveries("dead")] == ["skipped"]


@pytest.mark.parametrize("mood", ["", "fail", "slow", "cut"])
def test_a_real_receiver_gets_it_signed_and_once_more_under_the_same_id_when_it_was_ill(
    tmp_path: Path, mood: str
) -> None:
    world, receiver = ProofEvents(tmp_path / "world"), Receiver(tmp_path / "received")
    world.clock.at = dt.datetime.now(dt.UTC)
    world.sharing.sender = HttpSender(Reach(production=False), world.clock, seconds=0.5)
    receiver.moods = [mood] if mood else []
    with serving(receiver) as address:
        made = subscribed(world, endpoint=address)
        row = world.rung("cooperation")
        world.clock.at = dt.datetime.now(dt.UTC)
        world.deliver()
        world.clock.advance(60)
        world.deliver()
    ids = [headers["webhook-id"] for _, headers in receiver.seen]
    assert (len(ids), len(set(ids))) == (2 if mood else 1, 1)
    event = Webhook(made.secret or "").verify(receiver.kept()[-1]["body"], receiver.kept()[-1]["headers"])
    assert (event["type"], event["data"]["question"]) == ("cooperation.asked", row.id)
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + base64.b64encode(bytes(32)).decode()).verify(
            receiver.kept()[-1]["body"], receiver.kept()[-1]["headers"]
        )
    world.close()
