# SPDX-License-Identifier: Apache-2.0
"""Runs every ``bench_*.py`` beside it, prints a table and writes ``build/bench.json``.

Usage: run.py [NAME …]: only the modules whose name contains one of the words. Exits 1 when one failed, after
having run the others: what is not in the table did not run. A module that says ``ON_SERVERS`` is run a second
time on the real servers when the environment names them (``scripts/services.sh environment``).
"""

import importlib
import json
import os
import platform
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
EMBEDDED, DISTRIBUTED = "embedded", "distributed"
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parent / "conformance")]

from measuring import Measurement  # noqa: E402 # the path above has to be set first
from parts import POSTGRESQL  # noqa: E402 # as above
from sqlalchemy import create_engine, text  # noqa: E402 # as above


def _row(name: str, value: str, unit: str, ratio: str, reference: str) -> str:
    return f"{name:<46} {value:>12} {unit:<6} {ratio:>9}  {reference}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _show(result: Measurement) -> None:
    compared = f"{result.reference} = {_number(result.reference_value)}"
    print(_row(result.name, _number(result.value), result.unit, f"{result.ratio:.3g}", compared), flush=True)


@contextmanager
def _servers(names: dict[str, str]) -> Iterator[None]:
    os.environ.update(names)
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]


def _run(name: str, parts: str) -> Iterator[Measurement]:
    start = time.perf_counter()
    for result in importlib.import_module(name).measure():
        yield result
        _show(result)
    print(f"  {name}, {parts}: {time.perf_counter() - start:.1f} s", flush=True)


def _rounds(chosen: list[str], servers: dict[str, str]) -> Iterator[tuple[str, str, dict[str, str]]]:
    for name in chosen:
        yield name, EMBEDDED, {}
        if servers and getattr(importlib.import_module(name), "ON_SERVERS", False):
            yield name, DISTRIBUTED, servers


def _keep_what_they_write(servers: dict[str, str]) -> bool:
    with create_engine(servers[POSTGRESQL]).connect() as connection:
        return connection.scalar(text("SHOW fsync")) == "on"


def main(words: list[str]) -> int:
    """Measure and report."""
    servers = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("CUNZHENG_TEST_")}
    if servers and not _keep_what_they_write(servers):
        print("PostgreSQL runs without fsync (make test-services does that): make services-stop, then again")
        return 1
    names = sorted(path.stem for path in HERE.glob("bench_*.py"))
    chosen = [name for name in names if not words or any(word in name for word in words)]
    load = os.getloadavg()
    results: list[tuple[str, Measurement]] = []
    failed: list[str] = []
    print(_row("measured", "value", "unit", "ratio", "reference of the same run"))
    for name, parts, variables in _rounds(chosen, servers):
        try:
            with _servers(variables):
                results.extend((parts, result) for result in _run(name, parts))
        except Exception:  # noqa: BLE001 # one broken measurement must not hide the others
            failed.append(f"{name}, {parts}")
            traceback.print_exc()
    report = {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
            "load": [round(one, 2) for one in load],
        },
        "ran": chosen,
        "failed": failed,
        "results": [{"parts": parts} | result.as_json() for parts, result in results],
    }
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    _side_by_side(results)
    # What the suites tidy up at exit lies on the servers.
    os.environ.update(servers)
    print(f"{len(results)} results of {len(chosen)} modules in {target.relative_to(ROOT)}")
    return 1 if failed or not chosen else 0


def _side_by_side(results: list[tuple[str, Measurement]]) -> None:
    """Print what was measured on both, each with its ratio."""
    first = {result.name: result for parts, result in results if parts == EMBEDDED}
    both = [
        (first[result.name], result)
        for parts, result in results
        if parts == DISTRIBUTED and result.name in first
    ]
    if both:
        print(f"{'measured on both':<46} {EMBEDDED:>12} {'ratio':>9} {DISTRIBUTED:>12} {'ratio':>9} unit")
    for one, other in both:
        values = f"{_number(one.value):>12} {one.ratio:>9.3g} {_number(other.value):>12} {other.ratio:>9.3g}"
        print(f"{one.name:<46} {values} {one.unit}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
