# SPDX-License-Identifier: Apache-2.0
"""Which step of how many a filing is at: the same steps that the archive takes, in their order."""

from pathlib import Path

import pytest
from archive_line import Line, Unconvertible
from archive_world import ARCHIVIST

from archive.assembly import AssembleStep
from archive.checking import CheckStep
from archive.closure import AcceptStep
from archive.models import FINAL, IN_PROGRESS, FilingState
from archive.queries import FilingQueries
from archive.rendering import RenderStep
from archive.sealing import SealStep
from archive.stepping import FILING_STEPS, progress_of
from archive.storing import ManifestStep, StoreStep
from cases.calendar import WorkingCalendar


def test_the_steps_are_those_that_the_archive_takes() -> None:
    taken = (AcceptStep, CheckStep, RenderStep, AssembleStep, SealStep, ManifestStep, StoreStep)
    assert tuple(step.kind for step in taken) == FILING_STEPS


@pytest.mark.parametrize("state", sorted(IN_PROGRESS))
def test_a_filing_without_a_step_of_its_own_is_placed_by_its_state(state: FilingState) -> None:
    for at in (None, "license.issue", "index.put"):
        found = progress_of(state, at)
        assert found is not None
        assert found.place == list(FilingState).index(state) + 1
        assert found.step == FILING_STEPS[found.place - 1]


@pytest.mark.parametrize("state", sorted(FINAL))
def test_what_is_decided_is_at_no_step(state: FilingState) -> None:
    assert progress_of(state, None) is None


def test_a_filing_goes_through_all_places_and_ends_at_none(tmp_path: Path, authority_folder: Path) -> None:
    line = Line(tmp_path, authority_folder, Unconvertible())
    line.file(line.arrival(line.content(), dict.fromkeys(line.content(), "image/png")))
    queries = FilingQueries(line.cases, line.holders, line.items, WorkingCalendar.load())
    seen = []
    while True:
        with line.database.reading() as uow:
            attempt = queries.case_state(uow, ARCHIVIST, "yctb", "ZJ-2026-000131").attempts[0]
        if attempt.progress is None:
            break
        assert attempt.progress.of == len(FILING_STEPS)
        seen.append(attempt.progress.place)
        line.run(1)
    assert seen == list(range(1, len(FILING_STEPS) + 1))
    assert attempt.state == FilingState.FILED
