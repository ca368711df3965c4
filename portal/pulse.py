# SPDX-License-Identifier: Apache-2.0
"""A sign of life of processes that listen on no port: a file, touched as long as the process goes on."""

import os
import socket
from pathlib import Path
from typing import Final

from storage.clock import Clock

PROCESSES: Final = ("worker", "sequencer")
SILENT_SECONDS: Final = 60.0
"""After so long without a sign a process is taken for hung; each gives one every ten seconds or sooner."""


class Pulse:
    """The signs of one kind of process on this machine (in a container: of the container's own).

    Args:
        staging: The installation's folder for bytes that are no holdings.
        process: One of :data:`PROCESSES`.
        clock: Where time comes from.
    """

    def __init__(self, staging: Path, process: str, clock: Clock) -> None:
        self._path = staging / "alive" / f"{process}@{socket.gethostname()}"
        self._clock = clock

    def beat(self) -> None:
        """Give a sign."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        now = self._clock.now().timestamp()
        self._path.touch()
        os.utime(self._path, (now, now))

    def silent_since(self) -> float | None:
        """Give the seconds since the last sign; ``None`` when there never was one."""
        try:
            last = self._path.stat().st_mtime
        except FileNotFoundError:
            return None
        return self._clock.now().timestamp() - last
