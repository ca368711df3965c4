# SPDX-License-Identifier: Apache-2.0
"""Whatever happens to rungs and whatever a receiver answers: all that is told comes, in order, to its own."""

import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ladder_world import ASKED
from license_library import CLERK
from proof_events import HEARING, OTHER_HEARING, ProofEvents
from sharing_world import ARRIVED, DOWN, REFUSED, SYSTEM
from sqlalchemy import select

from licenses.ladder.assertions import GIVING, newest_answer
from licenses.ladder.models import LadderEvent, LadderRung
from licenses.ladder.states import BY_ASKED, BY_CLOCK, RungEventKind, RungState, possible
from licenses.sharing.ports import Answer
from licenses.sharing.proofs import TOLD_OF
from licenses.sharing.schedule import LONGEST_WAIT_SECONDS, TRIES

KINDS = ("commitment", "cooperation", "supply_later")
moments = st.tuples(st.integers(0, 5), st.sampled_from((0, 1, 300, 7200, 86_400, 40 * 86_400)))
"""Which rung goes on, and how long it is then until the next look."""


class _Moody:
    """A receiver whose answers are drawn; it notes what it has, by rung."""

    def __init__(self, seed: int, ill: float) -> None:
        self.chance, self.ill = random.Random(seed), ill
        self.has: dict[str, list[int]] = {}
        self.decisions: set[str] = set()

    def says(self, event: Mapping[str, Any]) -> Answer:
        if self.chance.random() < self.ill:
            return self.chance.choice((DOWN, REFUSED, Answer(429, "http-429", 7.0)))
        data = event["data"]
        self.has.setdefault(data["rung"], []).append(data["sequence"])
        self.decisions.update(data["decisions"])
        return ARRIVED


def _goes_on(world: ProofEvents, row: LadderRung, chance: random.Random) -> None:
    """Let something happen that can: what time brings first, else what persons do."""
    while world.strikes():
        pass
    now = world.now(row)
    kinds = sorted(possible(RungState(now.state)) - BY_CLOCK)
    if now.due is not None and world.clock.now() > now.due:
        kinds = [one for one in kinds if one is not RungEventKind.RECTIFIED]
    if kinds:
        kind = chance.choice(kinds)
        answers = _said(world, row) if kind in GIVING else None
        world.happens(row, kind, ASKED if kind in BY_ASKED else CLERK, holds=answers)


def _said(world: ProofEvents, row: LadderRung) -> bool:
    """Give what the department says: yes at first, then the opposite of what it said."""
    with world.database.reading() as uow:
        before = newest_answer(uow, row)
    return before is None or not before.holds


def _wanted(world: ProofEvents, client: str, rungs: list[LadderRung]) -> dict[str, list[int]]:
    # A correction is told of to whose decisions rest on the answer, and none is made here after an answer.
    told = [str(kind) for kind in TOLD_OF if kind is not RungEventKind.CORRECTED]
    query = select(LadderEvent.rung_id, LadderEvent.position).where(LadderEvent.kind.in_(told))
    own = {row.id for row in rungs if row.taken_by == client}
    found: dict[str, list[int]] = {}
    with world.database.reading() as uow:
        for rung, position in uow.session.execute(query.order_by(LadderEvent.rung_id, LadderEvent.position)):
            if rung in own:
                found.setdefault(rung, []).append(position)
    return found


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(moments, min_size=4, max_size=14), st.integers(0, 2**16), st.sampled_from((0.0, 0.4, 0.8)))
def test_what_is_told_comes_complete_and_in_order_to_who_asked(
    course: list[tuple[int, int]], seed: int, ill: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = ProofEvents(Path(folder))
        try:
            _live(world, course, _Moody(seed, ill))
        finally:
            world.close()


def _live(world: ProofEvents, course: list[tuple[int, int]], receiver: _Moody) -> None:
    world.subscribe()
    world.receiver.says = receiver.says
    rungs = [world.rung(kind, who) for who in (HEARING, OTHER_HEARING) for kind in KINDS]
    for number, pause in course:
        _goes_on(world, rungs[number], receiver.chance)
        world.deliver()
        world.clock.advance(pause)
    for _ in range(TRIES):
        world.deliver()
        world.clock.advance(LONGEST_WAIT_SECONDS)
    receiver.ill = 0.0
    dead = {one.event_id for one in world.sharing.deliveries("dead")}
    if dead:
        with world.database.writing() as uow:
            world.sharing.desk.resend(uow, SYSTEM)
    world.deliver()
    assert world.sharing.deliveries() == []
    wanted = _wanted(world, HEARING.id, rungs)
    assert {rung: sorted(has) for rung, has in receiver.has.items()} == wanted
    if not dead:
        assert receiver.has == wanted, "nothing overtook what is older"
    assert receiver.decisions <= {row.decision_id for row in rungs if row.taken_by == HEARING.id}
