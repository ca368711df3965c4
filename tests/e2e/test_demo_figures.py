# SPDX-License-Identifier: Apache-2.0
"""``cunzheng demo --once`` ends well only when every figure closes."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from demonstration import copy_of, opened
from sqlalchemy import select

from archive.models import Filing, FilingMaterial
from archive.names import sent_names
from portal.demo.figures import gather
from portal.demo.script import Script
from portal.rooms import Rooms

pytestmark = pytest.mark.slow

SCRIPT = Script.load()


@pytest.fixture(scope="module")
def rooms(demo_data: Path) -> Iterator[Rooms]:
    with opened(demo_data) as rooms:
        yield rooms


def test_received_is_the_sum_of_what_became_of_it(rooms: Rooms) -> None:
    with rooms.database.reading() as uow:
        states = Counter(uow.session.scalars(select(Filing.state)))
    assert states == {"filed": SCRIPT.counts["filed"], "returned": SCRIPT.counts["returned"]}
    assert states.total() == SCRIPT.counts["received"]


def test_original_only_materials_are_listed_with_their_reason(rooms: Rooms) -> None:
    query = select(FilingMaterial).join(Filing, Filing.id == FilingMaterial.filing_id)
    with rooms.database.reading() as uow:
        only = uow.session.scalars(
            query.where(FilingMaterial.outcome == "original-only", Filing.state == "filed")
        ).all()
        found = {sent_names(uow, material).file_name for material in only}
    expected = {name for case in SCRIPT.cases for name in case.expect.get("original_only", ())}
    assert found == expected
    assert {material.reason for material in only} == {
        "damaged",
        "encrypted",
        "fonts-not-embedded",
        "cell-display",
    }


def test_the_command_said_so_and_ended_with_zero(demo_data: Path, rooms: Rooms) -> None:
    said = json.loads((demo_data.parent / "result.json").read_bytes())
    figures = gather(rooms, SCRIPT)
    assert (said["code"], figures.problems) == (0, [])
    assert figures.acts == figures.entries > figures.intents > 0
    numbers = [line.split() for line in said["output"].splitlines()]
    for name, number in (("received", 29), ("filed", 28), ("issued", 17), ("entries", figures.entries)):
        assert any(name in words and str(number) in words for words in numbers), name


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        ("UPDATE filing SET state = 'accepted' WHERE state = 'filed'", "in_progress: expected 0"),
        ("UPDATE filing_material SET outcome = 'original-only' WHERE outcome = 'kept'", "original_only"),
        ("DELETE FROM license_event WHERE kind = 'suspended'", "expected licence suspended"),
        ("UPDATE step SET state = 'ready' WHERE kind = 'index.put'", "steps "),
        (
            "DROP TRIGGER ledger_entry_no_delete; DELETE FROM ledger_entry WHERE seq = 9",
            "the ledger is not dense",
        ),
        (
            "DROP TRIGGER ledger_act_no_delete; DELETE FROM ledger_act WHERE kind = 'sealing.sealed'",
            "intent without one outcome",
        ),
    ],
    ids=["lost filing", "lost rendition", "lost event", "lost step", "lost entry", "lost outcome"],
)
def test_a_figure_that_does_not_close_is_named(
    demo_data: Path, tmp_path: Path, damage: str, problem: str
) -> None:
    data = copy_of(demo_data, tmp_path / "data")
    with closing(sqlite3.connect(data / "cunzheng.db")) as database:
        database.executescript(damage)
    with opened(data) as rooms:
        assert [one for one in gather(rooms, SCRIPT).problems if problem in one]
