# SPDX-License-Identifier: Apache-2.0
"""The ladder: what may be done where nothing establishes a proof, and what then becomes of it."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ladder_world import ASKED, ASKER, COLLEAGUE, COOPERATES, ELSEWHERE, LADDER, LadderWorld
from license_library import CLERK, FOOD, OTHER
from rule_world import AT, COMMITMENT, UPLOAD, assertion, facts, licence, requirement, rule
from sqlalchemy import select

from licenses.answers import verify_signed
from licenses.evaluation import evaluate
from licenses.ladder.errors import RungEventError, RungNotOfferedError, RungUnknownError, RungWordsError
from licenses.ladder.models import DepartmentAssertion
from licenses.ladder.statements import TYPE, newest_statements
from licenses.ladder.states import ANSWERING, BY_CLOCK, RungEventKind, RungState
from licenses.models import Decision, LicenseUsage
from licenses.reason_table import ReasonTable
from licenses.replay import ReplayState
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct

E = RungEventKind
TABLE = ReasonTable.load()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LadderWorld]:
    made = LadderWorld(tmp_path)
    yield made
    made.database.close()


def acts(world: LadderWorld, kind: ActKind) -> int:
    with world.database.reading() as uow:
        return len(uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == str(kind))).all())


def test_a_commitment_is_told_made_accepted_and_confirmed(world: LadderWorld) -> None:
    assert world.came_to() == ("UNKNOWN", "R.NO_ALTERNATIVE")
    row = world.take("commitment")
    assert (row.state, world.came_to()[0]) == ("told", "UNKNOWN"), "what is only told establishes nothing"
    assert "commitment" not in world.next(), "it has begun, and the answer leads to it"
    answers: Any = world.ask().body["requirements"]
    assert answers[0]["standing"] == {"kind": "commitment", "id": row.id, "due": None}
    world.happens(row, E.COMMITTED)
    assert world.came_to()[0] == "UNKNOWN"
    accepted = world.happens(row, E.ACCEPTED)
    assert world.came_to() == ("PROVISIONAL", "R.COMMITTED")
    assert accepted.due is not None
    world.happens(row, E.CONFIRMED)
    assert world.came_to() == ("MET", "R.COMMITMENT_CONFIRMED")
    assert acts(world, ActKind.RUNG_TAKEN) == 1
    assert acts(world, ActKind.RUNG_CHANGED) == 3


def test_a_check_falls_due_before_its_term_ends(world: LadderWorld) -> None:
    row = world.committed()
    assert row.due is not None
    assert world.strikes() == []
    world.until(row.due - dt.timedelta(days=5))
    assert world.strikes() == [row.id]
    assert world.now(row).state == RungState.CHECK_DUE
    assert world.strikes() == [], "once"
    assert world.now(row).due == row.due


def test_who_committed_falsely_is_denied_and_not_offered_it_again_until_made_good(world: LadderWorld) -> None:
    other = world.library.announce(FOOD)
    row = world.committed()
    case = world.view(row).case
    false = world.happens(row, E.FOUND_FALSE)
    assert world.came_to(case) == ("NOT_MET", "R.COMMITMENT_FALSE")
    assert "commitment" not in world.next(other)
    with pytest.raises(RungNotOfferedError):
        world.take("commitment", other)
    assert "commitment" in world.next(world.library.announce(FOOD, OTHER)), "others are not barred"
    assert false.due is not None
    world.happens(row, E.RECTIFIED)
    assert world.came_to(case) == ("MET", "R.COMMITMENT_CONFIRMED")
    assert "commitment" in world.next(other)


def test_a_cooperation_is_answered_and_serves_every_other_case(world: LadderWorld) -> None:
    row = world.take("cooperation")
    assert world.came_to() == ("PENDING", "R.ASKED_DEPARTMENT")
    seen = world.view(row, ASKED)
    assert seen.can == ANSWERING
    assert seen.requirement.zh
    world.happens(row, E.ANSWERED, ASKED, holds=True)
    assert world.came_to() == ("MET", "R.CONFIRMED_BY_DEPARTMENT")
    assert world.came_to(world.library.announce(FOOD)) == ("MET", "R.CONFIRMED_BY_DEPARTMENT")
    assert world.came_to(world.library.announce(FOOD, OTHER))[0] == "UNKNOWN"
    with world.database.reading() as uow:
        answer = uow.session.scalars(select(DepartmentAssertion)).one()
    world.until(dt.datetime.combine(answer.valid_until + dt.timedelta(days=2), dt.time(), dt.UTC))
    assert world.came_to(world.library.announce(FOOD))[0] == "UNKNOWN", "its term is over"


@pytest.mark.parametrize("ways", [[], [[licence()]]])
def test_a_department_s_no_denies_whatever_else_cannot_tell(tmp_path: Path, ways: Any) -> None:
    world = LadderWorld(tmp_path, ways=ways)
    world.happens(world.take("cooperation"), E.ANSWERED, ASKED, holds=False)
    assert world.came_to() == ("NOT_MET", "R.DENIED_BY_DEPARTMENT")
    assert world.next(world.library.announce(FOOD)) == ["resolve"], "no promise outweighs a denial"


def test_an_answer_serves_only_where_the_same_department_would_be_asked() -> None:
    made = rule(requirement(fallback=[COOPERATES, UPLOAD]))
    for department, expected in (("jtys", "MET"), ("zjj", "UNKNOWN")):
        body: Any = evaluate(made, facts(assertions=[assertion(department=department)]), AT, TABLE).body
        assert body["requirements"][0]["result"] == expected


def test_a_question_ends_with_its_case_and_can_be_dropped_before(world: LadderWorld) -> None:
    row = world.take("cooperation")
    world.happens(row, E.DROPPED)
    assert world.next() == ["commitment", "supply_later", "citizen_upload"]
    closed = world.library.announce(FOOD)
    waiting, promised = world.take("cooperation", closed), world.take("commitment", closed)
    world.library.close(closed)
    assert world.view(waiting, ASKED).can == frozenset()
    for one, event, who in ((waiting, E.ANSWERED, ASKED), (promised, E.COMMITTED, CLERK)):
        with pytest.raises(RungEventError):
            world.happens(one, event, who, holds=True if event is E.ANSWERED else None)
    assert waiting.wake_at is not None
    world.until(waiting.wake_at)
    world.strikes()
    assert world.now(waiting).state == RungState.DROPPED


def test_what_the_clock_brings_about_is_stated_and_signed_one_rung_at_a_time(world: LadderWorld) -> None:
    rows = [world.take("supply_later", world.library.announce(FOOD)) for _ in range(2)]
    assert rows[-1].due is not None
    world.until(rows[-1].due)
    assert [world.strikes() for _ in range(3)] == [[rows[0].id], [rows[1].id], []]
    with world.database.reading() as uow:
        newest = newest_statements(uow, rows[0].case_id, ())
        jws = uow.secrets.decrypt(newest[0][0].jws_cipher).decode()
    stated = verify_signed(jws, world.library.keys.jwks(), TYPE)["rung"]
    assert (stated["state"], [one["kind"] for one in stated["events"]]) == ("missed", ["admitted", "missed"])


def test_what_is_made_good_too_late_is_not_made_good_in_time(world: LadderWorld) -> None:
    false = world.happens(world.committed(), E.FOUND_FALSE)
    assert false.due is not None
    world.until(false.due + dt.timedelta(seconds=1))
    with pytest.raises(RungEventError):
        world.happens(false, E.RECTIFIED)
    world.happens(false, E.REVOKED)


def test_a_client_that_lost_the_item_acts_no_more(world: LadderWorld) -> None:
    row = world.take("supply_later")
    lost = replace(ASKER, items=frozenset())
    with pytest.raises(RungUnknownError):
        world.happens(row, E.SUPPLIED, lost)
    decision = world.ask().decision
    with pytest.raises(NotPermittedError), world.database.writing() as uow:
        world.ladder.take(uow, lost, decision.id, "R1", "citizen_upload")


def test_a_department_that_cannot_say_establishes_nothing_and_is_not_asked_again(world: LadderWorld) -> None:
    row = world.take("cooperation")
    with pytest.raises(RungWordsError):
        world.happens(row, E.UNANSWERABLE, ASKED, words=" ")
    world.happens(row, E.UNANSWERABLE, ASKED, words="本部门无此项登记")
    assert world.came_to()[0] == "UNKNOWN"
    assert world.next() == ["commitment", "supply_later", "citizen_upload"]


def test_an_asked_department_is_reminded_at_half_and_four_fifths_and_then_supervision_is_told(
    world: LadderWorld,
) -> None:
    row = world.take("cooperation")
    count = world.calendar.add_working_hours
    for hours in (4.0, 6.4):
        world.until(count(row.taken_at, hours) - dt.timedelta(seconds=1))
        assert world.strikes() == []
        world.until(count(row.taken_at, hours))
        assert world.strikes() == [row.id]
        assert world.strikes() == []
    assert row.due == count(row.taken_at, 8)
    world.until(row.due)
    assert world.strikes() == [row.id]
    assert world.now(row).state == RungState.ESCALATED
    kinds = [one.kind for one in world.view(row).events]
    assert kinds == [E.ASKED, E.REMINDED, E.REMINDED, E.ESCALATED]
    assert world.came_to()[0] == "PENDING"
    world.happens(row, E.ANSWERED, ASKED, holds=True)
    assert world.came_to()[0] == "MET"


def test_where_the_rule_says_so_a_late_department_does_not_hold_the_case_up(tmp_path: Path) -> None:
    world = LadderWorld(tmp_path, [COOPERATES | {"on_timeout": "accept_and_check"}, UPLOAD])
    row = world.take("cooperation")
    assert row.due is not None
    world.until(row.due)
    for _ in range(3):
        world.strikes()
    assert world.now(row).state == RungState.ACCEPTED_BEFORE_ANSWER
    assert world.came_to() == ("PROVISIONAL", "R.ACCEPTED_BEFORE_CHECK")
    world.happens(row, E.ANSWERED, ASKED, holds=False)
    assert world.came_to() == ("NOT_MET", "R.DENIED_BY_DEPARTMENT")


def test_what_is_supplied_later_counts_until_its_day_and_not_after(world: LadderWorld) -> None:
    row = world.take("supply_later")
    assert world.came_to() == ("PROVISIONAL", "R.TO_BE_SUPPLIED")
    assert row.due is not None
    world.until(row.due - dt.timedelta(seconds=3))
    assert world.strikes() == []
    world.until(row.due)
    world.strikes()
    assert world.came_to()[0] == "UNKNOWN"
    world.happens(row, E.SUPPLIED)
    assert world.came_to() == ("MET", "R.SUPPLIED"), "late is better than never"


def test_what_is_collected_is_written_down_as_such(world: LadderWorld) -> None:
    world.take("citizen_upload")
    assert world.came_to() == ("MET", "R.COLLECTED")


@pytest.mark.parametrize("kind", [one["kind"] for one in LADDER])
def test_a_rung_is_taken_once(world: LadderWorld, kind: str) -> None:
    decision = world.ask().decision
    with world.database.writing() as uow:
        world.ladder.take(uow, ASKER, decision.id, "R1", kind)
    with pytest.raises(RungNotOfferedError), world.database.writing() as uow:
        world.ladder.take(uow, ASKER, decision.id, "R1", kind)


def test_a_rung_that_the_rule_does_not_name_or_the_case_no_longer_needs_is_not_taken(tmp_path: Path) -> None:
    world = LadderWorld(tmp_path, [COMMITMENT, UPLOAD])
    decision = world.ask().decision
    for name, kind in (("R1", "cooperation"), ("R9", "commitment"), ("R1", "resolve"), ("R1", "")):
        with pytest.raises(RungNotOfferedError), world.database.writing() as uow:
            world.ladder.take(uow, ASKER, decision.id, name, kind)
    world.take("citizen_upload")
    with pytest.raises(RungNotOfferedError), world.database.writing() as uow:
        world.ladder.take(uow, ASKER, decision.id, "R1", "commitment")


def test_only_who_asked_and_the_own_department_take_rungs(world: LadderWorld) -> None:
    decision = world.ask(who=CLERK).decision
    unnamed = Identity("system", "client-1", "scjg", frozenset({Role.CLIENT}), scopes=frozenset({"ask"}))
    holder = Identity("holder", world.case.holder_id, "", frozenset({Role.HOLDER}))
    for who in (unnamed, holder):
        with pytest.raises(NotPermittedError), world.database.writing() as uow:
            world.ladder.take(uow, who, decision.id, "R1", "commitment")
    for who in (ELSEWHERE, ASKER):
        with pytest.raises(RungUnknownError), world.database.writing() as uow:
            world.ladder.take(uow, who, decision.id, "R1", "commitment")
    with world.database.writing() as uow:
        world.ladder.take(uow, COLLEAGUE, decision.id, "R1", "commitment")


def test_everybody_does_only_what_is_theirs(world: LadderWorld) -> None:
    asked, commitment = world.take("cooperation"), world.take("commitment")
    for who, row, kind, error in (
        (CLERK, asked, E.ANSWERED, RungEventError),
        (ELSEWHERE, asked, E.ANSWERED, RungUnknownError),
        (ASKED, commitment, E.COMMITTED, RungUnknownError),
        (ASKED, asked, E.CONFIRMED, RungEventError),
        *((CLERK, asked, kind, RungEventError) for kind in BY_CLOCK),
    ):
        with pytest.raises(error):
            world.happens(row, kind, who, holds=True if kind is E.ANSWERED else None)
    holder = Identity("holder", world.case.holder_id, "", frozenset({Role.HOLDER}))
    assert world.view(commitment, holder).can == {E.COMMITTED, E.DROPPED}
    world.happens(commitment, E.COMMITTED, holder)
    with pytest.raises(RungEventError):
        world.happens(commitment, E.ACCEPTED, holder)
    with pytest.raises(RungUnknownError):
        world.view(commitment, Identity("holder", "somebody-else", "", frozenset({Role.HOLDER})))


def test_the_holder_sees_that_a_department_was_asked_and_what_it_said(world: LadderWorld) -> None:
    world.happens(world.take("cooperation"), E.ANSWERED, ASKED, holds=True)
    with world.database.reading() as uow:
        query = select(LicenseUsage).where(LicenseUsage.action == "cooperation").order_by(LicenseUsage.at)
        uses = uow.session.scalars(query).all()
    assert [(one.organisation, one.result) for one in uses] == [("scjg", "ASKED"), ("jtys", "MET")]
    assert {one.holder_id for one in uses} == {world.case.holder_id}


def test_an_answer_of_any_day_replays_whatever_happened_since(world: LadderWorld) -> None:
    answers = [world.ask()]
    row = world.committed()
    case = world.view(row).case
    for step in (E.FOUND_FALSE, E.RECTIFIED):
        world.clock.advance(1)
        answers.append(world.ask(case))
        world.happens(row, step)
    world.clock.advance(1)
    answers.append(world.ask(case))
    results = [json.loads(json.dumps(dict(one.body)))["result"] for one in answers]
    assert results == ["UNKNOWN", "PROVISIONAL", "NOT_MET", "MET"]
    supervisor = Identity("person", "supervisor-1", "dsj", frozenset({Role.SUPERVISOR}))
    for one in answers:
        with world.database.writing() as uow:
            decision = uow.session.get_one(Decision, one.decision.id)
            assert world.replays.replay(uow, supervisor, decision.id).state is ReplayState.SAME
