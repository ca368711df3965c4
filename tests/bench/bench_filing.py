# SPDX-License-Identifier: Apache-2.0
"""Filing: receipts given, and cases taken from receipt to sealed dossier with every real part."""

import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from archive_line import GRANTED, Line, make_authority
from archive_world import World
from measuring import Measurement, percentile, rate

from storage.steps import StepRow

RECEIPTS = 60
CASES = 4
TARGET_CASES, TARGET_RECEIPT_P95 = 1000 / 3600, 2000.0
"""1,000 cases an hour on four workers at month's end; a receipt within two seconds."""


def measure() -> Iterator[Measurement]:
    """File with one worker process on SQLite with full fsync; five pictures and a licence per case."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("clock", "authority", "line"):
            (folder / part).mkdir()
        world = World(folder / "clock")
        line = Line(folder / "line", make_authority(folder / "authority", world))
        try:
            yield from _receipts(line)
            yield from _cases(line)
        finally:
            world.database.close()
            line.database.close()


def _granted(line: Line, number: int, prefix: str) -> float:
    license_ = GRANTED["license"] | {"number": f"JY{prefix}{number:08d}"}
    arrival = line.granted(number=f"{prefix}-{number}", license=license_)
    start = time.perf_counter()
    line.file(arrival)
    return (time.perf_counter() - start) * 1000


def _receipts(line: Line) -> Iterator[Measurement]:
    times = [_granted(line, number, "1") for number in range(RECEIPTS)]
    # A receipt cannot be faster than its six files become durable and are read back.
    blocks = itertools.count()
    puts = rate(lambda: line.objects.put(next(blocks).to_bytes(1000), "application/octet-stream"))
    yield Measurement(
        "receipts for five files", 1000 * RECEIPTS / sum(times), "1/s", "six durable objects", puts / 6
    )
    yield Measurement("receipt, p95", percentile(times, 0.95), "ms", "allowed", TARGET_RECEIPT_P95)


def _cases(line: Line) -> Iterator[Measurement]:
    with line.database.writing() as uow:
        uow.session.query(StepRow).delete()
    for number in range(CASES + 1):
        _granted(line, number, "2")
    line.run(9)
    start = time.perf_counter()
    line.run(1000)
    elapsed = time.perf_counter() - start
    yield Measurement(
        "cases filed, one worker", CASES / elapsed, "1/s", "wanted of four workers", TARGET_CASES
    )
