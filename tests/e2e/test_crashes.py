# SPDX-License-Identifier: Apache-2.0
"""SIGKILL of worker and sequencer, at every named point and at seeded times: nothing lost, nothing doubled.

``CUNZHENG_CRASHES=full`` plays the whole demonstration, with 50 kills at seeded times; without it one
case is played, with every named point and a few seeded times.
"""

import os
from collections.abc import Sequence
from itertools import zip_longest
from pathlib import Path

import pytest
from crashes import Kills, part_of, play, template

from portal.demo.script import Script
from storage.failpoints import FAILPOINTS

pytestmark = pytest.mark.slow

FULL = os.environ.get("CUNZHENG_CRASHES") == "full"
SEEDS: Sequence[int] = range(10) if FULL else range(3)
KILLS_A_RUN = 5 if FULL else 3
RUN_SECONDS = 30.0 if FULL else 6.0
PART = ("02-firm-copy-tampered",)
SEQUENCER = [point for point in FAILPOINTS if point.startswith("sequencer.")]
# What is played subscribes to nothing, copies nothing and imports no stock: the tests test_sharing_wire.py,
# test_copies.py and test_stock_uploads.py kill a worker that does.
OTHERS = ("sequencer.", "share.", "license.copy.", "stock.")
WORKER = [point for point in FAILPOINTS if not point.startswith(OTHERS)]


def script() -> Script | None:
    return None if FULL else part_of(Script.load(), PART)


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return template(tmp_path_factory.mktemp("template"))


@pytest.mark.parametrize(("worker", "sequencer"), list(zip_longest(WORKER, SEQUENCER)))
def test_children_killed_at_named_points_are_followed_by_ones_that_close_every_figure(
    worker: str | None, sequencer: str | None, empty: Path, tmp_path: Path
) -> None:
    points = {name: point for name, point in (("worker", worker), ("sequencer", sequencer)) if point}
    figures, demonstration, _ = play(empty, tmp_path / "data", script=script(), failpoints=points)
    assert figures.problems == []
    assert demonstration.restarts == len(points), "a point was never passed"


@pytest.mark.parametrize("seed", SEEDS)
def test_children_killed_at_seeded_times_lose_and_double_nothing(
    seed: int, empty: Path, tmp_path: Path
) -> None:
    kills = Kills.seeded(seed, KILLS_A_RUN, RUN_SECONDS)
    figures, demonstration, killed = play(empty, tmp_path / "data", script=script(), kills=kills)
    assert figures.problems == []
    # The part that is played outside the full run may be over before the last kill's time.
    assert killed == KILLS_A_RUN if FULL else killed > 0
    # A kill near the end is followed by no new life.
    assert 0 < demonstration.restarts <= killed
