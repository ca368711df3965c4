# SPDX-License-Identifier: Apache-2.0
"""Plays the demonstration while worker and sequencer are killed, and gives what it came to."""

import os
import random
import shutil
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from once import copy_prepared

from portal.demo.figures import Figures
from portal.demo.run import Demonstration, Options
from portal.demo.script import Script
from portal.processes import Children
from portal.settings import Settings
from storage.clock import SystemClock

FILED_OR_RETURNED = ("filed", "returned")


@dataclass(frozen=True)
class Kills:
    """Seconds after the start at which a child is killed, in order."""

    times: Sequence[tuple[float, str]]

    @classmethod
    def seeded(cls, seed: int, number: int, within: float) -> "Kills":
        chance = random.Random(seed)
        times = [(chance.uniform(1.0, within), chance.choice(("worker", "sequencer"))) for _ in range(number)]
        return cls(sorted(times))


class Killer:
    """Kills children when their time has come, each life once: a child between two lives is waited for."""

    def __init__(self, kills: Kills) -> None:
        self._left = list(kills.times)
        self._clock = SystemClock()
        self._start: float | None = None
        self._ended: set[int] = set()

    @property
    def killed(self) -> int:
        return len(self._ended)

    def watch(self, children: Children) -> None:
        now = self._clock.monotonic()
        self._start = self._start or now
        while self._left and now - self._start >= self._left[0][0]:
            pid = children.pid_if_running(self._left[0][1])
            if pid is None or pid in self._ended:
                return
            os.kill(pid, signal.SIGKILL)
            self._ended.add(pid)
            self._left.pop(0)


def part_of(script: Script, names: Sequence[str]) -> Script:
    """Give the script with some of its cases only."""
    cases = tuple(case for case in script.cases if case.name in names)
    states = [case.expect["state"] for case in cases if case.expect["state"] in FILED_OR_RETURNED]
    counts = {
        "received": len(states),
        "filed": states.count("filed"),
        "returned": states.count("returned"),
        "quarantined": 0,
        "in_progress": 0,
        "original_only": sum(len(case.expect.get("original_only", ())) for case in cases),
        "licences": len({case.data()["number"] for case in cases if case.expect.get("licence")}),
    }
    steps = tuple(step for step in script.steps if step.get("case", names[0]) in names and "seal" not in step)
    return replace(script, cases=cases, counts=counts, steps=steps)


def template(folder: Path) -> Path:
    """Make a data folder that is set up and holds nothing yet."""
    copy_prepared(folder)
    return folder


def play(
    template_folder: Path,
    folder: Path,
    *,
    script: Script | None = None,
    kills: Kills | None = None,
    failpoints: Mapping[str, str] | None = None,
) -> tuple[Figures, Demonstration, int]:
    """Play in a copy of the template; give the figures, the demonstration and the number of kills.

    Args:
        template_folder: What :func:`template` made.
        folder: Where the copy goes.
        script: What to play; the whole script when missing.
        kills: When to kill whom.
        failpoints: Child → failpoint of its first life.
    """
    shutil.copytree(template_folder, folder, dirs_exist_ok=True)
    killer = Killer(kills or Kills(()))
    first = {child: {"CUNZHENG_FAILPOINT": point} for child, point in (failpoints or {}).items()}
    demonstration = Demonstration(
        Settings(data=folder),
        Options(once=True, first_environment=first, script=script),
        lambda line: None,
        threading.Event(),
        killer.watch,
    )
    return demonstration.run(), demonstration, killer.killed
