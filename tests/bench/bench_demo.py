# SPDX-License-Identifier: Apache-2.0
"""Starts of the demonstration: the first one plays every case, the second one finds them played."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from measuring import Measurement
from running import free_port, play_demo, serving_demo

from portal.demo.script import Script

ALLOWED_SECOND_START: Final = 10.0
ALLOWED_PER_CASE: Final = 4.0


def measure() -> Iterator[Measurement]:
    """Start on an empty folder, then again on what the first start left."""
    cases = len(Script.load().cases)
    with tempfile.TemporaryDirectory() as name:
        data, begun = Path(name) / "data", time.perf_counter()
        play_demo(data, f"http://127.0.0.1:{free_port()}")
        first, begun = time.perf_counter() - begun, time.perf_counter()
        with serving_demo(data):
            second = time.perf_counter() - begun
    wanted = f"allowed for {cases} cases"
    yield Measurement(f"first start, {cases} cases to the end", first, "s", wanted, cases * ALLOWED_PER_CASE)
    yield Measurement("second start, to the first page", second, "s", "allowed", ALLOWED_SECOND_START)
