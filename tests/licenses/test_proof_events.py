# SPDX-License-Identifier: Apache-2.0
"""Who asked is told what became of the own answers: of each rung in order, of others' answers nothing."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from ladder_world import ASKED
from license_library import CLERK, COMPANY, FOOD
from proof_events import HEARING, OTHER_HEARING, Endpoints, ProofEvents
from sharing_world import ARRIVED, REFUSED, SECURITY, SOURCE
from sqlalchemy import delete, select

from licenses.ladder.models import LadderEvent, LadderRung
from licenses.ladder.services import Happening
from licenses.ladder.states import RungEventKind
from licenses.sharing.errors import SubscriptionTermsError
from licenses.sharing.feed import Place, start_of, tie_again
from licenses.sharing.models import LadderChange
from licenses.sharing.proofs import TOLD_OF, read_proofs
from licenses.sharing.schedule import RETRY_SECONDS
from storage.errors import NotPermittedError

E, BEGINNING = RungEventKind, start_of(0)
GOES_ON = {E.TOLD, E.COMMITTED, E.ACCEPTED, E.ASKED, E.REMINDED, E.ADMITTED, E.COLLECTED}
"""That a rung was taken and goes on, or that the asked department was reminded."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ProofEvents]:
    made = ProofEvents(tmp_path)
    yield made
    made.close()


def time_brings(world: ProofEvents, row: LadderRung, *kinds: E) -> None:
    """Let time pass until the clock has done so many things to a rung."""
    for _ in kinds:
        wake = world.now(row).wake_at
        assert wake is not None
        world.until(wake)
        assert world.strikes() == [row.id]
    with world.database.reading() as uow:
        query = select(LadderEvent.kind).where(LadderEvent.rung_id == row.id).order_by(LadderEvent.position)
        assert uow.session.scalars(query).all()[-len(kinds) :] == [str(one) for one in kinds]


def feed(world: ProofEvents, after: Place = BEGINNING, limit: int = 1000) -> list[tuple[Place, str]]:
    with world.database.reading() as uow:
        stretch = read_proofs(uow, HEARING.id, 0, after, limit)
        return [(place, change.id) for place, change in stretch.changes]


def test_an_answer_of_the_asked_department_is_told(world: ProofEvents) -> None:
    world.subscribe()
    row = world.rung("cooperation")
    world.deliver()
    assert world.receiver.got == [], "that it was taken is known to who took it"
    world.happens(row, E.ANSWERED, ASKED, holds=True)
    world.deliver()
    ((headers, event),) = world.receiver.got
    assert event == {
        "specversion": "1.0",
        "id": headers["webhook-id"],
        "source": SOURCE,
        "type": "proof.resolved",
        "time": event["time"],
        "datacontenttype": "application/json",
        "data": {
            "decisions": [row.decision_id],
            "count": 1,
            "rung": row.id,
            "requirement": "R1",
            "change": "answered",
            "time": event["time"],
            "sequence": 2,
        },
    }
    world.deliver()
    assert len(world.receiver.got) == 1


def test_what_a_department_said_and_about_whom_is_not_told(world: ProofEvents) -> None:
    world.subscribe()
    row = world.rung("cooperation")
    world.happens(row, E.ANSWERED, ASKED, words="该户已登记在册", holds=True)
    world.deliver()
    said = json.dumps([event for _, event in world.receiver.got], ensure_ascii=False)
    hidden = (*COMPANY[1:], "该户已登记在册", row.holder_id, row.case_id, "jtys", row.predicate or "-")
    assert said != "[]"
    assert not [one for one in hidden if one in said]
    assert "holds" not in said


def test_every_event_of_a_rung_is_told_or_only_says_that_it_goes_on() -> None:
    assert set(TOLD_OF) | GOES_ON == set(E)
    assert not set(TOLD_OF) & GOES_ON


def test_a_question_that_is_late_is_told_when_its_time_is_over_and_when_it_is_answered(
    world: ProofEvents,
) -> None:
    world.subscribe()
    row = world.rung("cooperation")
    time_brings(world, row, E.REMINDED, E.REMINDED, E.ESCALATED)
    world.happens(row, E.UNANSWERABLE, ASKED)
    world.deliver()
    assert world.told() == [("proof.resolved", "escalated"), ("proof.resolved", "unanswerable")]
    assert world.receiver.order() == {row.id: [4, 5]}, "not every number of a rung is told, and they grow"


def test_a_question_that_is_withdrawn_is_told(world: ProofEvents) -> None:
    world.subscribe()
    row = world.rung("cooperation")
    world.happens(row, E.DROPPED)
    world.deliver()
    assert world.told() == [("proof.resolved", "dropped")]


def test_a_commitment_is_told_from_the_day_of_its_check_on(world: ProofEvents) -> None:
    world.subscribe()
    row = world.rung("commitment")
    world.happens(row, E.COMMITTED)
    world.happens(row, E.ACCEPTED)
    world.deliver()
    assert world.told() == []
    time_brings(world, row, E.CHECK_DUE)
    world.happens(row, E.FOUND_FALSE)
    world.happens(row, E.RECTIFIED)
    world.deliver()
    assert world.told() == [
        ("commitment.check_due", "check-due"),
        ("proof.resolved", "found-false"),
        ("proof.resolved", "rectified"),
    ]
    assert world.receiver.order() == {row.id: [4, 5, 6]}


def test_a_later_supply_is_told_when_it_was_missed_and_when_it_came(world: ProofEvents) -> None:
    world.subscribe()
    row = world.rung("supply_later")
    time_brings(world, row, E.MISSED)
    world.happens(row, E.SUPPLIED)
    world.deliver()
    assert world.told() == [("proof.resolved", "missed"), ("proof.resolved", "supplied")]


def test_nobody_is_told_of_anothers_answers(tmp_path: Path) -> None:
    endpoints = Endpoints()
    world = ProofEvents(tmp_path, endpoints)
    for number, client in enumerate((HEARING, OTHER_HEARING)):
        world.subscribe(client, endpoint=f"http://127.0.0.1:9/{number}")
    rows = [world.rung("supply_later", who) for who in (HEARING, OTHER_HEARING)]
    for row in (*rows, world.rung("supply_later", CLERK)):
        world.happens(row, E.SUPPLIED)
    world.deliver()
    heard = [endpoints.receivers[f"http://127.0.0.1:9/{number}"].arrived for number in range(2)]
    assert [[one["data"]["decisions"] for one in events] for events in heard] == [
        [[row.decision_id]] for row in rows
    ]
    world.close()


def test_who_asked_about_a_case_is_told_of_a_rung_that_somebody_else_took(world: ProofEvents) -> None:
    """The window asked the department; the client's answer waits for it all the same."""
    world.subscribe()
    case = world.library.announce(FOOD)
    row = world.rung("cooperation", CLERK, case)
    world.clock.advance(1)
    waits = [world.ask(case, HEARING).decision, world.ask(case, OTHER_HEARING).decision]
    assert [one.result for one in waits] == ["PENDING"] * 2
    world.happens(row, E.ANSWERED, ASKED, holds=False)
    world.clock.advance(1)
    world.ask(case, HEARING)
    world.deliver()
    (event,) = world.receiver.arrived
    assert event["data"]["decisions"] == [waits[0].id], "neither another's nor what was asked afterwards"


def test_what_happened_before_the_approval_is_not_told(world: ProofEvents) -> None:
    early, late = world.rung("supply_later"), world.rung("supply_later")
    asked = world.subscribe(approve=False)
    world.happens(early, E.SUPPLIED)
    world.deliver()
    with world.database.writing() as uow:
        world.sharing.subscriptions.approve(uow, SECURITY, asked.subscription.id, "同意")
    world.happens(late, E.SUPPLIED)
    world.deliver()
    assert list(world.receiver.order()) == [late.id]


def test_a_later_event_of_a_rung_waits_for_the_earlier_one_and_others_do_not(world: ProofEvents) -> None:
    world.subscribe()
    row, other = world.rung("commitment"), world.rung("supply_later")
    for kind in (E.COMMITTED, E.ACCEPTED, E.FOUND_FALSE, E.RECTIFIED):
        world.happens(row, kind)
    world.happens(other, E.SUPPLIED)
    world.receiver.says = lambda event: REFUSED if event["data"]["change"] == "found-false" else ARRIVED
    world.deliver()
    assert world.receiver.order() == {other.id: [2]}
    world.receiver.says = lambda _: ARRIVED
    world.clock.advance(RETRY_SECONDS[0])
    world.deliver()
    assert world.receiver.order() == {other.id: [2], row.id: [4, 5]}


def test_ties_that_a_restore_lost_are_made_again_at_the_same_places(world: ProofEvents) -> None:
    world.subscribe()
    row, other = world.rung("cooperation"), world.rung("supply_later")
    world.happens(row, E.ANSWERED, ASKED, holds=True)
    world.happens(other, E.SUPPLIED)
    world.sharing.settle()
    whole = feed(world)
    assert len(whole) == 2
    with world.database.writing() as uow:
        events = len(uow.session.scalars(select(LadderEvent.id)).all())
        uow.session.execute(delete(LadderChange))
    assert feed(world) == []
    with world.database.writing() as uow:
        assert (tie_again(uow), tie_again(uow)) == (events, 0)
    assert feed(world) == whole
    assert [feed(world, place, 1) for place, _ in whole] == [whole[1:], []]
    world.deliver()
    assert world.receiver.order() == {row.id: [2], other.id: [2]}


def test_an_act_that_failed_leaves_no_event_and_one_that_stands_is_told(world: ProofEvents) -> None:
    world.subscribe()
    row = world.rung("supply_later")

    def broken_off() -> None:
        with world.database.writing() as uow:
            world.ladder.happen(uow, CLERK, row.id, Happening(E.SUPPLIED))
            raise InterruptedError

    with pytest.raises(InterruptedError):
        broken_off()
    world.deliver()
    assert world.receiver.got == []
    world.happens(row, E.SUPPLIED)
    world.deliver()
    assert world.receiver.order() == {row.id: [2]}


def test_a_wish_about_proofs_names_nothing_further_and_is_for_who_asks(world: ProofEvents) -> None:
    for more in ({"types": [FOOD]}, {"items": ["339999010002"]}, {"holders": [COMPANY[:2]]}):
        with pytest.raises(SubscriptionTermsError):
            world.subscribe(**more)
    with pytest.raises(SubscriptionTermsError):
        world.sharing.subscribe(HEARING, about="everything")
    with pytest.raises(NotPermittedError):
        world.subscribe(replace(HEARING, scopes=frozenset({"subscribe"})))
