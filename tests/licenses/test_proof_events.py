# SPDX-License-Identifier: Apache-2.0
"""Who asked is told what became of the own answers: in order within a rung, at least once, no more."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from ladder_world import ASKED
from license_library import COMPANY
from proof_events import ProofEvents
from sharing_world import SOURCE

from licenses.ladder.models import LadderRung
from licenses.ladder.states import RungEventKind

E = RungEventKind


@pytest.fixture
def world(tmp_path: Path) -> Iterator[ProofEvents]:
    made = ProofEvents(tmp_path)
    yield made
    made.close()


def until_it_is_time(world: ProofEvents, row: LadderRung) -> None:
    """Let time pass until the clock has something to do for a rung, and let it."""
    wake = world.now(row).wake_at
    assert wake is not None
    world.until(wake)
    assert world.strikes() == [row.id]


def test_an_answer_of_the_asked_department_is_told(world: ProofEvents) -> None:
    world.subscribe()
    row = world.rung("cooperation")
    world.deliver()
    assert world.receiver.got == [], "of what the client did itself it is told nothing"
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
