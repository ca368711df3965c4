# SPDX-License-Identifier: Apache-2.0
"""A department corrects a mistaken answer, and is asked again in the same case once its answer has ended."""

import datetime as dt
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from ladder_world import ASKED, ASKER, ELSEWHERE
from license_library import CLERK, FOOD
from proof_events import HEARING, ProofEvents
from sqlalchemy import select

from licenses.ladder.errors import RungEventError, RungNotOfferedError, RungUnknownError, RungWordsError
from licenses.ladder.listing import watched
from licenses.ladder.models import DepartmentAssertion, LadderRung
from licenses.ladder.states import BY_ASKED, RungEventKind, RungState
from licenses.recall import RecallService
from licenses.replay import ReplayState
from storage.identity import Identity, Role

E = RungEventKind
SUPERVISOR = Identity("person", "supervisor-1", "dsj", frozenset({Role.SUPERVISOR}))


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ProofEvents]:
    made = ProofEvents(tmp_path)
    yield made
    made.close()


def answered(world: ProofEvents, *, holds: bool = True) -> LadderRung:
    return world.happens(world.take("cooperation"), E.ANSWERED, ASKED, holds=holds)


def answers(world: ProofEvents) -> list[DepartmentAssertion]:
    with world.database.reading() as uow:
        query = select(DepartmentAssertion).order_by(DepartmentAssertion.answered_at)
        return list(uow.session.scalars(query))


def recalled(world: ProofEvents, who: Identity) -> list[tuple[str, str | None]]:
    with world.database.reading() as uow:
        return [(one.decision_id, one.rung_id) for one in RecallService().recalled(uow, who).rows]


def test_nobody_answers_their_own_question_whatever_department_they_act_for(world: ProofEvents) -> None:
    row = world.take("cooperation", who=replace(ASKER, operator=ASKED.id))
    assert not world.view(row, ASKED).can & BY_ASKED
    for kind, holds in ((E.ANSWERED, True), (E.UNANSWERABLE, None)):
        with pytest.raises(RungEventError):
            world.happens(row, kind, ASKED, holds=holds)
    colleague = replace(ASKED, id="clerk-10")
    world.happens(row, E.ANSWERED, colleague, holds=True)
    with pytest.raises(RungEventError):
        world.happens(row, E.CORRECTED, ASKED, holds=False)
    assert world.came_to()[0] == "MET"


@pytest.mark.parametrize("first", [True, False])
def test_a_correction_is_a_new_answer_that_names_the_one_it_replaces(world: ProofEvents, first: bool) -> None:
    row = answered(world, holds=first)
    assert world.came_to()[0] == ("MET" if first else "NOT_MET")
    world.happens(row, E.CORRECTED, ASKED, words="录入有误", holds=not first)
    assert world.came_to()[0] == ("NOT_MET" if first else "MET")
    assert world.came_to(world.library.announce(FOOD))[0] == ("NOT_MET" if first else "MET"), "everywhere"
    old, new = answers(world)
    assert (old.holds, old.replaces, new.holds, new.replaces) == (first, None, not first, old.id)
    seen = world.view(row, ASKED)
    assert seen.assertion is not None
    assert (seen.assertion.id, seen.row.state) == (new.id, RungState.ANSWERED)
    world.happens(row, E.CORRECTED, ASKED, words="复核无误", holds=first)
    assert world.came_to()[0] == ("MET" if first else "NOT_MET"), "a correction is corrected, too"


def test_only_the_asked_department_corrects_with_words_and_only_what_it_said_otherwise(
    world: ProofEvents,
) -> None:
    waiting = world.take("cooperation", world.library.announce(FOOD))
    with pytest.raises(RungEventError):
        world.happens(waiting, E.CORRECTED, ASKED, holds=False)
    row = world.happens(waiting, E.ANSWERED, ASKED, holds=True)
    for who, error in ((CLERK, RungEventError), (ELSEWHERE, RungUnknownError)):
        with pytest.raises(error):
            world.happens(row, E.CORRECTED, who, holds=False)
    for words, holds, wrong in ((" ", False, RungWordsError), ("误", None, RungWordsError)):
        with pytest.raises(wrong):
            world.happens(row, E.CORRECTED, ASKED, words, holds)
    with pytest.raises(RungEventError):
        world.happens(row, E.CORRECTED, ASKED, "误", holds=True)
    assert len(answers(world)) == 1


def test_an_answer_is_corrected_after_its_case_closed(world: ProofEvents) -> None:
    row = answered(world)
    world.library.close(world.case)
    world.happens(row, E.CORRECTED, ASKED, holds=False)
    assert world.came_to(world.library.announce(FOOD))[0] == "NOT_MET"


def test_a_correction_of_an_ended_answer_overrules_no_later_one(world: ProofEvents) -> None:
    first = answered(world)
    world.until(dt.datetime.combine(answers(world)[0].valid_until + dt.timedelta(days=2), dt.time(), dt.UTC))
    world.happens(world.take("cooperation"), E.ANSWERED, ASKED, holds=True)
    world.happens(first, E.CORRECTED, ASKED, holds=False)
    world.clock.advance(1)
    assert [world.came_to(one)[0] for one in (None, world.library.announce(FOOD))] == ["MET", "MET"]


def test_of_two_answers_that_serve_a_correction_of_the_older_one_overrules_not_the_newer(
    world: ProofEvents,
) -> None:
    older, newer = (world.take("cooperation", one) for one in (None, world.library.announce(FOOD)))
    for row in (older, newer):
        world.clock.advance(1)
        world.happens(row, E.ANSWERED, ASKED, holds=True)
    for row, holds, result in ((older, False, "MET"), (newer, False, "NOT_MET"), (older, True, "NOT_MET")):
        world.clock.advance(1)
        world.happens(row, E.CORRECTED, ASKED, holds=holds)
        assert world.came_to()[0] == result


def test_a_correction_serves_no_longer_than_the_answer_that_it_replaces(world: ProofEvents) -> None:
    row = answered(world, holds=False)
    world.library.close(world.case)
    world.clock.advance(700 * 86_400)
    world.happens(row, E.CORRECTED, ASKED, holds=True)
    old, new = answers(world)
    assert new.valid_until == old.valid_until
    assert world.came_to(world.library.announce(FOOD))[0] != "MET", "nobody was asked"


def test_decisions_that_relied_on_the_mistaken_answer_are_recalled_and_their_client_is_told(
    world: ProofEvents,
) -> None:
    world.subscribe()
    row = answered(world)
    world.clock.advance(1)
    relied = [world.ask(case, HEARING).decision.id for case in (None, world.library.announce(FOOD))]
    assert recalled(world, SUPERVISOR) == []
    world.happens(row, E.CORRECTED, ASKED, holds=False)
    world.clock.advance(1)
    world.ask(None, HEARING)
    for who in (SUPERVISOR, HEARING):
        assert sorted(recalled(world, who)) == sorted((one, row.id) for one in relied)
    with world.database.reading() as uow:
        assert RecallService().count(uow, SUPERVISOR, row.taken_at) == 2
    world.deliver()
    (event,) = (one for one in world.receiver.arrived if one["type"] == "proof.recalled")
    assert (sorted(event["data"]["decisions"]), event["data"]["count"]) == (sorted(relied), 2)
    assert (event["data"]["change"], event["data"]["rung"]) == ("corrected", row.id)
    assert "requirement" not in event["data"], "each decision has the one of its own rule"
    world.happens(row, E.CORRECTED, ASKED, holds=True)
    world.deliver()
    *_, event = world.receiver.arrived
    assert event["data"]["count"] == 1, "what relied on the correction, and not again on what that replaced"


@pytest.mark.parametrize(
    ("department", "sees"), [("dsj", True), ("scjg", True), ("jtys", True), ("zhzf", False)]
)
def test_supervision_is_led_to_a_corrected_answer_only_where_it_may_open_it(
    world: ProofEvents, department: str, sees: bool
) -> None:
    row, supervisor = answered(world), replace(SUPERVISOR, organisation=department)
    with world.database.reading() as uow:
        assert watched(uow, supervisor, {row.id, "unknown"}) == ({row.id} if sees else set())
    with nullcontext() if sees else pytest.raises(RungUnknownError):
        world.view(row, supervisor)


def test_what_was_answered_before_a_correction_replays_as_it_was(world: ProofEvents) -> None:
    row = answered(world)
    world.clock.advance(1)
    before = world.ask()
    world.happens(row, E.CORRECTED, ASKED, holds=False)
    world.clock.advance(1)
    after = world.ask()
    assert [one.body["result"] for one in (before, after)] == ["MET", "NOT_MET"]
    for one in (before, after):
        with world.database.writing() as uow:
            assert world.replays.replay(uow, SUPERVISOR, one.decision.id).state is ReplayState.SAME


def test_a_department_is_asked_again_in_the_same_case_once_its_answer_has_ended(world: ProofEvents) -> None:
    first = answered(world)
    world.clock.advance(1)
    while_good = world.ask()
    (good,) = answers(world)
    with pytest.raises(RungNotOfferedError), world.database.writing() as uow:
        world.ladder.take(uow, ASKER, while_good.decision.id, "R1", "cooperation")
    world.until(dt.datetime.combine(good.valid_until + dt.timedelta(days=2), dt.time(), dt.UTC))
    assert "cooperation" in world.next()
    again = world.take("cooperation")
    assert (again.round, again.case_id, again.id != first.id) == (2, first.case_id, True)
    assert world.came_to()[0] == "PENDING"
    assert "cooperation" not in world.next(), "once at a time"
    world.happens(again, E.ANSWERED, ASKED, holds=False)
    assert world.came_to()[0] == "NOT_MET"
    with world.database.writing() as uow:
        assert world.replays.replay(uow, SUPERVISOR, while_good.decision.id).state is ReplayState.SAME


def test_who_could_not_say_or_was_not_waited_for_is_not_asked_again(world: ProofEvents) -> None:
    for event, who in ((E.UNANSWERABLE, ASKED), (E.DROPPED, CLERK)):
        case = world.library.announce(FOOD)
        world.happens(world.take("cooperation", case), event, who)
        world.clock.advance(400 * 86_400)
        assert "cooperation" not in world.next(case)
