# SPDX-License-Identifier: Apache-2.0
"""While a part is away its steps wait: none is tried in vain, and none needs anybody to go on."""

from pathlib import Path

import pytest
from fakes import HandClock, make_database
from stamping import StampStep, kinds, states

from portal.needs import LOOK_SECONDS, Need, Needs
from portal.worker import Worker
from storage.clock import RandomIds
from storage.database import Database
from storage.errors import CunzhengError
from storage.ledger.canonical import Json
from storage.objects.ports import ObjectStoreUnusableError
from storage.objects.server import ObjectsUnavailableError
from storage.steps import Staging


class Store:
    """A store that can be away."""

    away = True

    def ask(self) -> None:
        if self.away:
            raise ObjectsUnavailableError


class StoringStep(StampStep):
    """A step that needs the store."""

    kind = "test.store"

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store

    def perform(self, plan: Json, staging: Staging) -> Json:
        self._store.ask()
        return super().perform(plan, staging)


class Line:
    """A worker with one step that needs the store and one that does not."""

    def __init__(self, folder: Path) -> None:
        self.clock = HandClock()
        self.store = Store()
        self.database: Database = make_database(folder, self.clock)
        need = Need(ObjectStoreUnusableError, frozenset({"test.store"}), self.store.ask)
        self.needs = Needs([need], self.database, self.clock)
        steps = {one.kind: one for one in (StoringStep(self.store), StampStep())}
        self.worker = Worker(
            self.database, steps, folder / "staging", self.clock, RandomIds(), needs=self.needs
        )

    def add(self, *kinds_of_steps: str) -> None:
        for kind in kinds_of_steps:
            self.clock.advance(0.001)
            with self.database.writing() as uow:
                uow.add_step(kind, "x")

    def look(self, seconds: float = LOOK_SECONDS) -> None:
        self.clock.advance(seconds)
        self.needs.look()


@pytest.fixture
def line(tmp_path: Path) -> Line:
    return Line(tmp_path)


def test_after_one_vain_try_the_steps_of_an_absent_part_are_left_alone_and_others_run(line: Line) -> None:
    line.add("test.store", "test.store", "test.stamp")
    assert line.worker.run_one()
    assert line.worker.run_one()
    for _ in range(5):
        line.look()
        assert not line.worker.run_one()
    waiting = ("ready", "objects-unavailable")
    assert states(line.database) == [waiting, waiting, ("done", None)]
    assert kinds(line.database) == ["intended", "intended", "sealed"]


def test_when_the_part_is_back_every_step_goes_on_at_once(line: Line) -> None:
    line.add("test.store", "test.store")
    line.worker.run_one()
    line.store.away = False
    assert not line.worker.run_one()
    line.look()
    assert line.worker.run_one()
    assert line.worker.run_one()
    assert states(line.database) == [("done", None), ("done", None)]


def test_a_part_that_does_not_last_is_left_alone_longer_each_time(line: Line) -> None:
    line.add("test.store")
    looks = []
    for _ in range(8):
        line.clock.advance(1)
        assert line.worker.run_one()
        begin = line.clock.ticks
        while not line.needs.met(["test.store"]):
            line.store.away = False
            line.look(1)
            line.store.away = True
        looks.append(round(line.clock.ticks - begin))
    assert looks == [1, 2, 4, 8, 16, 32, 60, 60]


def test_errors_of_the_work_itself_keep_no_other_step_waiting(line: Line) -> None:
    line.needs.note(CunzhengError())
    assert line.needs.met(["test.store", "test.stamp"]) == ("test.store", "test.stamp")
