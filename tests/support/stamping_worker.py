# SPDX-License-Identifier: Apache-2.0
"""A worker process for tests: drives the stamping steps as ``cunzheng worker`` drives the product's.

Arguments: folder, prefix of the queues, the broker's address (none: the embedded worker).
"""

import fcntl
import os
import sys
from collections.abc import Callable
from pathlib import Path

from fakes import make_database
from stamping import StampStep

from portal.doorbell import CeleryDoorbell, Listener
from portal.logs import configure
from portal.processes import Colleagues, stop_on_signals
from portal.queues import QUEUES
from portal.worker import Worker
from storage.clock import RandomIds, SystemClock
from storage.ledger.canonical import Json
from storage.steps import Staging

THREADS = 2


class HeldStep(StampStep):
    """A step that does not end while the test holds the gate."""

    kind = "test.held"

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def perform(self, plan: Json, staging: Staging) -> Json:
        (self._folder / f"at-work-{os.getpid()}").touch()
        with (self._folder / "gate").open("r") as gate:
            fcntl.flock(gate, fcntl.LOCK_SH)
        return super().perform(plan, staging)


def main(folder: Path, prefix: str, broker: str | None) -> int:
    configure("worker")
    doorbell = CeleryDoorbell(broker, prefix) if broker else None
    database = make_database(folder, SystemClock(), doorbell=doorbell)
    steps = {step.kind: step for step in (StampStep(), HeldStep(folder))}
    colleagues = Colleagues(folder / "workers")
    with colleagues.join() as name:
        dead: Callable[[], object] = colleagues.dead
        worker = Worker(database, steps, folder / "staging", SystemClock(), RandomIds(), name, THREADS, dead)
        worker.take_over()
        if broker is None:
            worker.run(stop_on_signals())
            return 0
        return Listener(broker, prefix, worker, QUEUES, THREADS).run()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2], *(sys.argv[3:] or [None])))
