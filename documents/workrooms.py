# SPDX-License-Identifier: Apache-2.0
"""Folders in which files from outside lie while they are worked on, and what killed processes left of them.

Whoever works in a folder holds a lock on it, which ends with the process, however that ends. So a folder that
nobody holds is what a killed process left, and is removed: what lies in it is in clear.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from storage.clock import SystemClock

PREFIX: Final = "cunzheng-"
_YOUNG_SECONDS: Final = 60.0
"""A younger folder may belong to somebody who has made it and not locked it yet."""


@contextmanager
def opened(scratch: Path | None) -> Iterator[Path]:
    """Give a new folder, which is gone afterwards.

    Args:
        scratch: Where it is made; the system's place for temporary files when ``None``.
    """
    with tempfile.TemporaryDirectory(prefix=PREFIX, dir=scratch, ignore_cleanup_errors=True) as name:
        held = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(held, fcntl.LOCK_SH)
            yield Path(name)
        finally:
            os.close(held)


def sweep(scratch: Path) -> int:
    """Remove the folders that killed processes left; gives how many there were."""
    removed = 0
    for folder in scratch.glob(f"{PREFIX}*"):
        with suppress(OSError):
            removed += _abandoned(folder)
    return removed


def _abandoned(folder: Path) -> bool:
    """Remove a folder that nobody holds.

    Raises:
        OSError: Somebody holds it, or it is gone or another's.
    """
    held = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if SystemClock().now().timestamp() - os.fstat(held).st_mtime < _YOUNG_SECONDS:
            return False
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder)
    finally:
        os.close(held)
    return True
