# SPDX-License-Identifier: Apache-2.0
"""From the register to the list of hits: events of a licence, and a day that passes, decide what is found."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from license_library import GROUNDS, MANAGER

from licenses.lifecycle import EventKind
from licenses.models import License
from portal.indexing import IndexStep
from portal.worker import Worker
from storage.clock import start_of_day
from storage.identity import Role
from storage.steps import Job, Staging

from .conftest import House
from .test_facades import issued

FOUND = {"q": "食品经营许可证", "kind": "licence"}


@pytest.fixture
def licence(house: House, tmp_path: Path) -> License:
    made = issued(house)
    with house.rooms.database.writing() as uow:
        uow.add_step("index.put", f"licence:{made.id}")
    index(house, tmp_path)
    return made


def index(house: House, folder: Path) -> None:
    """Do what waits to be indexed."""
    rooms = house.rooms
    step = IndexStep(rooms.index, rooms.holdings)
    worker = Worker(rooms.database, {step.kind: step}, folder / "jobs", house.clock, rooms.ids)
    while worker.run_one():
        pass


def hits(house: House, **more: str) -> list[dict[str, Any]]:
    answer = house.browser(Role.ARCHIVIST).get("/api/v1/search", query_string={**FOUND, **more}).json
    assert answer is not None
    assert answer["total"] == len(answer["hits"])
    found: list[dict[str, Any]] = answer["hits"]
    return found


def test_a_licence_is_found_from_its_issue_to_the_end_of_its_last_day(house: House, licence: License) -> None:
    (hit,) = hits(house)
    assert (hit["number"], hit["trust"], hit["valid"]) == (licence.identifier, "A", True)
    assert licence.valid_until is not None
    ends = start_of_day(licence.valid_until + dt.timedelta(days=1))
    house.clock.advance((ends - house.clock.now()).total_seconds() - 1)
    assert len(hits(house)) == 1
    house.clock.advance(1)
    assert hits(house) == []
    assert [one["valid"] for one in hits(house, ended="true")] == [False]


@pytest.mark.parametrize("kind", [EventKind.SUSPENDED, EventKind.REVOKED])
def test_an_event_takes_it_from_the_list_once_the_index_was_told(
    house: House, licence: License, tmp_path: Path, kind: EventKind
) -> None:
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.change(uow, MANAGER, licence.identifier, kind, GROUNDS)
    index(house, tmp_path)
    assert hits(house) == []
    assert [one["valid"] for one in hits(house, ended="true")] == [False]
    if kind is EventKind.SUSPENDED:
        with house.rooms.database.writing() as uow:
            house.rooms.licenses.change(uow, MANAGER, licence.identifier, EventKind.RESUMED, GROUNDS)
        index(house, tmp_path)
        assert [one["valid"] for one in hits(house)] == [True]


def test_what_was_planned_before_documents_said_so_does_not_hide_a_licence(
    house: House, licence: License, tmp_path: Path
) -> None:
    rooms = house.rooms
    rooms.index.forget(licence.id)
    step = IndexStep(rooms.index, rooms.holdings)
    with rooms.database.writing() as uow:
        plan = step.plan(uow, Job("s", step.kind, f"licence:{licence.id}", "j", 1, 0, None, "w"))
    assert isinstance(plan, dict)
    older = {name: value for name, value in plan.items() if name not in {"since", "until", "trust", "seal"}}
    step.perform(older, Staging(tmp_path, "j"))
    assert rooms.index.count() == 0
    step.perform(plan, Staging(tmp_path, "j"))
    assert len(hits(house)) == 1
