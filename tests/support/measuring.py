# SPDX-License-Identifier: Apache-2.0
"""What a measurement is, and the references that ours are compared with.

A module ``tests/bench/bench_<name>.py`` has ``measure()``, which yields :class:`Measurement` values. A number
without a reference of the same run says little about a machine, so each names one.
"""

import hashlib
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number.

    Attributes:
        name: What was measured, in a few words.
        value: The number.
        unit: Its unit, ``1/s`` or ``ms`` for instance.
        reference: What it is compared with.
        reference_value: That number, in the same unit and of the same run.
    """

    name: str
    value: float
    unit: str
    reference: str
    reference_value: float

    @property
    def ratio(self) -> float:
        """Value divided by reference."""
        return self.value / self.reference_value if self.reference_value else math.nan

    def as_json(self) -> dict[str, str | float | None]:
        """Give the record that ``build/bench.json`` holds."""
        ratio = None if math.isnan(self.ratio) else round(self.ratio, 4)
        return {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "reference": self.reference,
            "reference_value": round(self.reference_value, 3),
            "ratio": ratio,
        }


def rate(work: Callable[[], object], *, seconds: float = 1.0, at_least: int = 3) -> float:
    """Give how often per second ``work`` can be done, after one run that is not counted."""
    work()
    count, start = 0, time.perf_counter()
    while count < at_least or time.perf_counter() - start < seconds:
        work()
        count += 1
    return count / (time.perf_counter() - start)


def timed(work: Callable[[], object]) -> float:
    """Give the seconds that one run takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def percentile(values: Sequence[float], share: float) -> float:
    """Give the value below which ``share`` (0 to 1) of the values lie, by nearest rank."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def sha256_rate(size: int = 1024, seconds: float = 0.5) -> float:
    """Give how many blocks of ``size`` bytes this machine hashes per second in one thread, in Python."""
    block, blocks = bytes(size), 1000

    def work() -> None:
        for _ in range(blocks):
            hashlib.sha256(block).digest()

    return rate(work, seconds=seconds) * blocks


def sync_rate(folder: Path, size: int = 4096) -> float:
    """Give how often per second a file in this folder can be made longer and durable, one after the other."""
    block = bytes(size)
    with (folder / "synced").open("wb", buffering=0) as file:

        def work() -> None:
            file.write(block)
            os.fdatasync(file.fileno())

        return rate(work)
