# SPDX-License-Identifier: Apache-2.0
"""Folders that one test run makes once for all its worker processes; tests work on copies of them."""

import atexit
import fcntl
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import IO, Final

from tooling import ROOT

from portal.initialise import initialise
from portal.settings import Settings

_PREPARED: Final = ROOT / "build" / "prepared"
_MADE: Final = "made"


@contextmanager
def once_per_run(base: Path, run: str, make: Callable[[Path], None]) -> Iterator[Path]:
    """Give the folder that this test run has made.

    Whoever comes first makes it, the others wait; what earlier runs left is removed.

    Args:
        base: Where the folders of all runs lie.
        run: The test run; every worker process of it gives the same.
        make: Fills the new, empty folder.
    """
    base.mkdir(parents=True, exist_ok=True)
    folder = base / run
    # Shared, and held for as long as anybody reads, so that no later run removes the folder.
    with (base / f"{run}.lock").open("w") as reading, (base / "making").open("w") as making:
        fcntl.flock(reading, fcntl.LOCK_SH)
        fcntl.flock(making, fcntl.LOCK_EX)
        if not (folder / _MADE).exists():
            _remove_earlier(base, run)
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            (folder / _MADE).touch()
        fcntl.flock(making, fcntl.LOCK_UN)
        yield folder


def copy_prepared(folder: Path) -> None:
    """Fill a data folder as ``cunzheng init`` leaves it under default settings, on embedded parts.

    Making the keys of the authorities is the slow part; nobody else has this copy.
    """
    shutil.copytree(_prepared(), folder, dirs_exist_ok=True)


@cache
def _prepared() -> Path:
    held = ExitStack()
    atexit.register(held.close)
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or uuid.uuid4().hex
    return held.enter_context(once_per_run(_PREPARED, run, _prepare)) / "data"


def _prepare(folder: Path) -> None:
    initialise(Settings(data=folder / "data"))


def _remove_earlier(base: Path, run: str) -> None:
    for path in base.glob("*.lock"):
        if path.stem != run:
            with path.open("w") as lock:
                if _free(lock):
                    shutil.rmtree(path.with_suffix(""), ignore_errors=True)
                    path.unlink()


def _free(lock: IO[str]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
