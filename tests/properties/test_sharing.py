# SPDX-License-Identifier: Apache-2.0
"""Whatever a receiver answers when: nothing of a licence comes before what is older, and nothing is lost."""

import random
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from license_library import FOOD
from sharing_world import ARRIVED, DOWN, REFUSED, SYSTEM, SharingWorld
from sqlalchemy import select

from licenses.models import LicenseEvent
from licenses.sharing.models import Delivery
from licenses.sharing.ports import Answer
from licenses.sharing.schedule import LONGEST_WAIT_SECONDS, TRIES

BUSY, BROKEN = Answer(429, "http-429", 7.0), Answer(500, "http-500")
FIRST = 2
"""The first event that is told: the licence's issuing came before the subscription."""
moments = st.tuples(st.lists(st.integers(0, 1), max_size=3), st.sampled_from((0, 1, 5, 300, 1800, 86_400)))
"""Which licences change, and how long it is then until the next look."""


class _Moody:
    """A receiver whose answers are drawn; it notes whatever comes before something older."""

    def __init__(self, world: SharingWorld, seed: int, ill: float) -> None:
        self._world = world
        self._chance = random.Random(seed)
        self.ill = ill
        self.has: dict[str, set[int]] = {}
        self.overtakers: list[tuple[str, int]] = []

    def says(self, event: Mapping[str, Any]) -> Answer:
        licence, sequence = event["data"]["licence"], event["data"]["sequence"]
        has = self.has.setdefault(licence, set())
        older = set(range(FIRST, sequence)) - has
        if older - self._dead(licence):
            self.overtakers.append((licence, sequence))
        if self._chance.random() < self.ill:
            return self._chance.choice((DOWN, REFUSED, BUSY, BROKEN))
        has.add(sequence)
        return ARRIVED

    def _dead(self, licence: str) -> set[int]:
        of_licence = (Delivery.object_id == licence, Delivery.state == "dead")
        query = select(LicenseEvent.position).join(Delivery, Delivery.event_id == LicenseEvent.id)
        with self._world.database.reading() as uow:
            return set(uow.session.scalars(query.where(*of_licence)))


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(moments, min_size=3, max_size=12), st.integers(0, 2**16), st.sampled_from((0.2, 0.5, 0.9)))
def test_order_and_completeness_hold_for_any_answers(
    course: list[tuple[list[int], int]], seed: int, ill: float
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        world = SharingWorld(Path(folder))
        try:
            _live(world, course, _Moody(world, seed, ill))
        finally:
            world.close()


def _live(world: SharingWorld, course: list[tuple[list[int], int]], receiver: _Moody) -> None:
    licences = [world.licence(FOOD, number=f"F{number}") for number in range(2)]
    world.subscribe(types=[FOOD])
    world.receiver.says = receiver.says
    counts = dict.fromkeys((one.id for one in licences), 0)
    for changed, pause in course:
        for number in changed:
            world.change(licences[number])
            counts[licences[number].id] += 1
        world.deliver()
        world.clock.advance(pause)
    for _ in range(TRIES):
        world.deliver()
        world.clock.advance(LONGEST_WAIT_SECONDS)
    assert receiver.overtakers == []
    receiver.ill = 0.0
    if world.deliveries("dead"):
        with world.database.writing() as uow:
            world.desk.resend(uow, SYSTEM)
    world.deliver()
    assert world.deliveries() == []
    told = {licence: set(range(FIRST, FIRST + count)) for licence, count in counts.items() if count}
    assert receiver.has == told
