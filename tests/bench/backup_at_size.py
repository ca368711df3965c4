# SPDX-License-Identifier: Apache-2.0
"""Backup and restore of a large ledger on the parts that the environment names: seconds and memory.

A fiftieth of the acts is published after the backup, so that the restore has something to catch up with. The
commands run as an operator runs them, as processes of their own.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from itertools import count
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

from bench_lag import TOGETHER, batch  # noqa: E402 # the path above has to be set first
from installation import Installation, installed  # noqa: E402 # as above
from parts import POSTGRESQL, drop_database  # noqa: E402 # as above
from running import COMMAND, environment_of  # noqa: E402 # as above
from sqlalchemy import insert, select  # noqa: E402 # as above

from portal.bootstrap import open_foundation, open_keeper  # noqa: E402 # as above
from storage.ledger.models import LedgerAct, LedgerPending, LedgerState  # noqa: E402 # as above

_AFTER = 50
"""One act in so many is published after the backup."""
_COMMIT = 50


def _say(what: str, value: str) -> None:
    print(f"{what:45} {value}", flush=True)


def _grow(site: Installation, acts: int) -> float:
    """Record acts, number and publish them; give the seconds that numbering and publishing took."""
    numbers = count()
    for _ in range(0, acts, TOGETHER * _COMMIT):
        rows = [row for number in range(_COMMIT) for row in batch(site, next(numbers) * _COMMIT + number)]
        with site.rooms.database.claiming() as session:
            session.execute(insert(LedgerAct), rows)
            session.execute(insert(LedgerPending), [{"act_id": row["act_id"]} for row in rows])
    foundation = open_foundation(site.settings, site.settings.sequencer_database_url)
    keeper = open_keeper(foundation, site.settings)
    began = time.perf_counter()
    while _pending(site):
        assert keeper.tick(hurry=True).problems == ()
    took = time.perf_counter() - began
    keeper.close()
    foundation.database.close()
    return took


def _pending(site: Installation) -> bool:
    with site.rooms.database.reading() as uow:
        return uow.session.scalars(select(LedgerPending.act_id).limit(1)).first() is not None


def _run(site: Installation, *arguments: str) -> None:
    """Run a command; say its seconds, and the most memory that it and its children took, each alone."""
    environment = environment_of(site.settings.data, site.settings.public_url) | site.parts
    began = time.perf_counter()
    process = subprocess.Popen([COMMAND, *arguments], env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    seconds, processor = time.perf_counter() - began, usage.ru_utime + usage.ru_stime
    told = f"{seconds:.1f} s, {processor:.1f} s of processor, {usage.ru_maxrss >> 10} MB"
    _say(f"cunzheng {arguments[0]}", told)


def _measure(site: Installation, folder: Path, acts: int) -> None:
    with site.rooms.database.reading() as uow:
        before = uow.session.scalar(select(LedgerState.size)) or 0
    _say("numbered and published", f"{acts / _grow(site, acts):,.0f} acts/s")
    with site.rooms.database.reading() as uow:
        _say("entries", f"{(uow.session.scalar(select(LedgerState.size)) or 0) - before:,}")
    _run(site, "backup", str(folder / "backup"))
    held = sum(path.stat().st_size for path in (folder / "backup").rglob("*") if path.is_file())
    _say("backup on disk", f"{held / 1e6:.1f} MB")
    _grow(site, acts // _AFTER)
    site.rooms.close()
    if POSTGRESQL in os.environ:
        drop_database(site.settings.data)
    for path in site.settings.data.glob("cunzheng.db*"):
        path.unlink()
    _run(site, "restore", str(folder / "backup"))


def main() -> int:
    """Measure with as many acts as are asked for."""
    parser = argparse.ArgumentParser(description="Backup and restore of a large ledger, measured.")
    parser.add_argument("--acts", type=int, default=100_000)
    acts = parser.parse_args().acts
    _say("load before", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory() as name,
        installed(Path(name) / "data", anchor_limit=24 * 3600) as site,
    ):
        _measure(site, Path(name), acts)
    _say("load after", f"{os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
