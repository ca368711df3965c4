# SPDX-License-Identifier: Apache-2.0
"""Who is barred from commitments makes none and has none accepted, whoever is first."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from ladder_world import LadderWorld
from license_library import CLERK, FOOD, OTHER
from sqlalchemy import select

from licenses.ladder import barring
from licenses.ladder.errors import CommitmentBarredError
from licenses.ladder.models import LadderEvent, LadderRung
from licenses.ladder.services import Happening
from licenses.ladder.states import RungEventKind, RungState
from licenses.ladder.terms import LadderTerms
from storage.engines import WriteConflictError
from storage.identity import Identity, Role

E = RungEventKind
PROMISED = [E.COMMITTED, E.ACCEPTED]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[LadderWorld]:
    made = LadderWorld(tmp_path)
    yield made
    made.database.close()


def waiting(world: LadderWorld, *events: RungEventKind) -> LadderRung:
    """Give a commitment of a case of its own to which something happened already."""
    row = world.take("commitment", world.library.announce(FOOD))
    for event in events:
        world.happens(row, event)
    return row


@pytest.mark.parametrize("position", [0, 1])
def test_a_false_commitment_bars_the_making_and_the_acceptance_of_another_until_it_is_made_good(
    world: LadderWorld, position: int
) -> None:
    row = waiting(world, *PROMISED[:position])
    false = world.happens(world.committed(), E.FOUND_FALSE)
    holder = Identity("holder", row.holder_id, "", frozenset({Role.HOLDER}))
    for who in (CLERK, holder) if position == 0 else (CLERK,):
        with pytest.raises(CommitmentBarredError) as refused:
            world.happens(row, PROMISED[position], who)
        assert (refused.value.act.object_id, refused.value.act.reasons) == (row.id, ["commitment-untrue"])
        assert refused.value.act.actor.id == who.id
    assert world.now(row).state == ["told", "committed"][position]
    world.happens(false, E.RECTIFIED)
    world.happens(row, PROMISED[position])


def test_a_commitment_whose_decision_was_revoked_bars_for_good(world: LadderWorld) -> None:
    row, false = waiting(world), world.happens(world.committed(), E.FOUND_FALSE)
    world.happens(false, E.REVOKED)
    with pytest.raises(CommitmentBarredError):
        world.happens(row, E.COMMITTED)


def test_nobody_is_barred_by_somebody_else_and_nobody_from_bringing_the_proof(world: LadderWorld) -> None:
    row = waiting(world)
    world.happens(world.committed(OTHER), E.FOUND_FALSE)
    world.happens(row, E.COMMITTED)
    world.happens(world.committed(), E.FOUND_FALSE)
    world.happens(row, E.DROPPED)


def test_an_item_that_takes_no_commitment_any_more_takes_none_that_was_offered(
    world: LadderWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    row, terms = waiting(world, E.COMMITTED), LadderTerms.load()
    without = LadderTerms(3, 5, terms.remind_at, {row.item_code: ("涉及公共安全", "public safety")})
    monkeypatch.setattr(barring.LadderTerms, "load", lambda: without)
    with pytest.raises(CommitmentBarredError) as refused:
        world.happens(row, E.ACCEPTED)
    assert refused.value.act.reasons == ["commitment-excluded"]


@pytest.mark.services
@pytest.mark.parametrize("other", [E.ACCEPTED, E.FOUND_FALSE])
def test_of_two_units_that_change_commitments_of_one_holder_the_later_one_looks_again(
    world: LadderWorld, other: RungEventKind
) -> None:
    """The snapshot of the one was taken before the other found that the holder committed falsely."""
    false = world.committed()
    row = waiting(world, E.COMMITTED) if other is E.ACCEPTED else world.committed()

    def late() -> None:
        with ThreadPoolExecutor(1) as elsewhere, world.database.writing() as uow:
            assert len(uow.session.scalars(select(LadderRung)).all()) == 2
            elsewhere.submit(world.happens, false, E.FOUND_FALSE).result(60)
            world.ladder.happen(uow, CLERK, row.id, Happening(other, "说明"))

    with pytest.raises(WriteConflictError):
        late()
    if other is E.ACCEPTED:
        with pytest.raises(CommitmentBarredError):
            world.happens(row, other)
        return
    world.happens(row, other)
    with world.database.reading() as uow:
        found = uow.session.scalars(select(LadderEvent.kind).where(LadderEvent.kind == E.FOUND_FALSE)).all()
    assert len(found) == 2
    assert {world.now(one).state for one in (row, false)} == {RungState.FALSE}


@pytest.mark.services
def test_commitments_that_are_accepted_and_found_false_at_once_end_all_the_same(world: LadderWorld) -> None:
    """Whatever the order: nothing is lost, nobody waits for ever, nothing is accepted of who is barred."""
    rows = [waiting(world, E.COMMITTED) for _ in range(6)]
    false = world.committed()

    def say(row: LadderRung, kind: RungEventKind) -> str:
        def work(uow: object) -> None:
            world.ladder.happen(uow, CLERK, row.id, Happening(kind, "说明"))  # type: ignore[arg-type] # a unit

        try:
            world.database.write(work)
        except CommitmentBarredError:
            return "barred"
        return "done"

    with ThreadPoolExecutor(7) as desks:
        told = [desks.submit(say, row, E.ACCEPTED) for row in rows]
        found = desks.submit(say, false, E.FOUND_FALSE)
        outcomes = [one.result(120) for one in told]
    assert found.result() == "done"
    states = [world.now(row).state for row in rows]
    assert states == [{"done": "accepted", "barred": "committed"}[one] for one in outcomes]
