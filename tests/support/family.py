# SPDX-License-Identifier: Apache-2.0
"""The processes that a process started, and the processor time that they took."""

import os
from collections.abc import Container
from pathlib import Path


def _stats() -> dict[int, tuple[int, float]]:
    """Give each living process's parent and seconds of processor, those of its reaped children included."""
    found = {}
    ticks = os.sysconf("SC_CLK_TCK")
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            fields = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        if fields[0] != "Z":
            found[int(folder.name)] = (int(fields[1]), sum(map(int, fields[11:15])) / ticks)
    return found


def descendants(pid: int) -> dict[int, float]:
    """Give all living processes that a process started, and those that they started, with their seconds."""
    stats, found, looked_at = _stats(), {}, [pid]
    while looked_at:
        parent = looked_at.pop()
        for child, (above, seconds) in stats.items():
            if above == parent and child not in found:
                found[child] = seconds
                looked_at.append(child)
    return found


def processor_seconds(apart: Container[int] = ()) -> float:
    """Give the seconds of processor of this process and of all that it started, living or reaped.

    Args:
        apart: Processes that do not count.
    """
    living = descendants(os.getpid()).items()
    return sum(os.times()[:4]) + sum(seconds for pid, seconds in living if pid not in apart)
