# SPDX-License-Identifier: Apache-2.0
"""Import of stock at size: dirty records, killed and resumed, with the rate, the memory and the figures.

Usage: import_at_size.py [--records N] [--kills N] [--folder PATH]. The import runs in a process of its own,
which is killed at so many places and started again; at the end the figures must be those with which the
records were made. Exits 1 when they are not.
"""

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parents[1])]

from dirty_stock import csv_lines, dirty  # noqa: E402 # the path above has to be set first
from measuring import sha256_rate  # noqa: E402 # as above
from stock_import import ISSUERS, MANAGER, PROFILE, figures_of  # noqa: E402 # as above

from documents.feeds import LIMITS  # noqa: E402 # as above
from documents.sandbox import Sandbox  # noqa: E402 # as above
from licenses.catalogue import TypeCatalogue  # noqa: E402 # as above
from licenses.models import License  # noqa: E402 # as above
from licenses.stock.profiles import ProfileBook  # noqa: E402 # as above
from portal.stock.driver import Figures, ImportDriver, source_file  # noqa: E402 # as above
from portal.tables import all_tables  # noqa: E402 # as above
from storage.clock import RandomIds, SystemClock  # noqa: E402 # as above
from storage.database import Database  # noqa: E402 # as above
from storage.secrets import Secrets  # noqa: E402 # as above

MALFORMED_EVERY = 1_000


def _say(name: str, value: str) -> None:
    print(f"{name:<44} {value}", flush=True)


def _database(folder: Path) -> Database:
    all_tables()
    secrets = Secrets(folder / "keys")
    url = f"sqlite:///{folder / 'cunzheng.db'}"
    return Database(url, SystemClock(), RandomIds(), secrets, "bench.invalid/log")


def _write(file: Path, records: int) -> Counter[str]:
    """Write the file; give how many records must end in which way."""
    expected: Counter[str] = Counter()
    with file.open("w", encoding="utf-8") as out:
        out.writelines(csv_lines(records, malformed_every=MALFORMED_EVERY))
    for number in range(records):
        expected[dirty(number).verdict] += 1
    expected["rejected"] += records // MALFORMED_EVERY
    return expected


def _work(folder: Path, file: Path) -> None:
    """Import in this process: begin a run or go on with the open one, and tell of each block."""
    database = _database(folder)
    database.create_tables()
    types, profiles = TypeCatalogue.load(), ProfileBook.load()
    driver = ImportDriver(database, RandomIds(), types, ISSUERS, profiles, Sandbox(LIMITS))
    source = source_file(file)
    with database.reading() as uow:
        open_run = driver.runs.open_run(uow, MANAGER, source)
        run_id = None if open_run is None else open_run.id
    run_id = run_id or database.write(lambda uow: driver.runs.start(uow, MANAGER, PROFILE, source).id)

    def watch(figures: Figures) -> None:
        if not figures.closes:
            raise SystemExit("figures do not close")
        print(figures.read, time.monotonic(), flush=True)

    run = driver.work(MANAGER, run_id, file, watch)
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    beside = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024
    cpu = time.process_time()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    reading = children.ru_utime + children.ru_stime
    told = {"own": own, "beside": beside, "cpu": cpu, "reading": reading}
    print(json.dumps(figures_of(run) | told), flush=True)
    database.close()


def _run(folder: Path, file: Path, stop_at: int | None) -> tuple[list[tuple[int, float]], str]:
    """Let another process work; kill it once it has read so many records."""
    command = [sys.executable, str(Path(__file__)), "--work", str(folder), str(file)]
    child = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    seen: list[tuple[int, float]] = []
    last = ""
    assert child.stdout is not None
    for line in child.stdout:
        last = line
        if line.startswith("{"):
            continue
        read, at = line.split()
        seen.append((int(read), float(at)))
        if stop_at is not None and int(read) >= stop_at:
            os.killpg(child.pid, signal.SIGKILL)
            break
    child.wait()
    return seen, last


def _rate(seen: list[tuple[int, float]]) -> float:
    (first, began), (last, ended) = seen[0], seen[-1]
    return (last - first) / (ended - began) if ended > began else 0.0


def _measure(folder: Path, records: int, kills: int) -> int:
    file = folder / "stock.csv"
    expected = _write(file, records)
    _say("records, and bytes of the file", f"{records:,}, {file.stat().st_size / 1e6:.0f} MB")
    stops = [records * (turn + 1) // (kills + 1) for turn in range(kills)]
    for stop in stops:
        seen, _ = _run(folder, file, stop)
        _say(f"killed at {seen[-1][0]:,}", f"{_rate(seen):,.0f} records/s")
    seen, last = _run(folder, file, None)
    told = json.loads(last)
    _say("rate of the last run", f"{_rate(seen):,.0f} records/s")
    quarter = max(1, len(seen) // 4)
    _say(
        "its first and last quarter",
        f"{_rate(seen[:quarter]):,.0f} and {_rate(seen[-quarter:]):,.0f} records/s",
    )
    _say(
        "processor of the writing process",
        f"{told['cpu'] / max(1, records - (stops or [0])[-1]) * 1e6:,.0f} µs each",
    )
    # It passes over what was read before, which is parsed and nothing else.
    _say("processor of reading and parsing, in all", f"{told['reading'] / records * 1e6:,.0f} µs each")
    _say("memory: writing, and the largest beside", f"{told['own']} MB, {told['beside']} MB")
    held = sum(path.stat().st_size for path in folder.iterdir() if path.name.startswith("cunzheng.db"))
    packs = list((folder / "keys" / "subjects" / "packs").iterdir())
    _say("records in the database, files of keys", f"{held / 1e6:,.0f} MB, {len(packs)}")
    found = {name: told[name] for name in ("accepted", "quarantined", "rejected")}
    _say(
        "read = accepted + quarantined + rejected",
        f"{told['read']:,} = {' + '.join(f'{n:,}' for n in found.values())}",
    )
    database = _database(folder)
    with database.reading() as uow:
        licenses = uow.session.query(License).count()
    database.close()
    same = found == {name: expected[name] for name in found} and licenses == found["accepted"]
    _say("the figures are those of the records", "yes" if same else f"NO: {dict(expected)}")
    return 0 if same else 1


def main() -> int:
    """Measure, or do the work that is measured."""
    parser = argparse.ArgumentParser(description="Import of stock, measured.")
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--kills", type=int, default=2)
    parser.add_argument(
        "--folder", type=Path, default=None, help="where to work; a temporary folder by default"
    )
    parser.add_argument("--work", nargs=2, type=Path, help=argparse.SUPPRESS)
    wanted = parser.parse_args()
    if wanted.work:
        _work(*wanted.work)
        return 0
    _say("load before", f"{os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    _say("SHA-256 of 1 KiB, one thread", f"{sha256_rate():,.0f} 1/s")
    with tempfile.TemporaryDirectory(dir=wanted.folder) as folder:
        code = _measure(Path(folder), wanted.records, wanted.kills)
    _say("load after", f"{os.getloadavg()[0]:.1f}")
    return code


if __name__ == "__main__":
    sys.exit(main())
