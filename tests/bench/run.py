# SPDX-License-Identifier: Apache-2.0
"""Runs every ``bench_*.py`` beside it, prints a table and writes ``build/bench.json``.

Usage: run.py [NAME …]: only the modules whose name contains one of the words. Exits 1 when one failed, after
having run the others: what is not in the table did not run.
"""

import importlib
import json
import os
import platform
import sys
import time
import traceback
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE), str(HERE.parent / "support"), str(HERE.parent / "conformance")]

from measuring import Measurement  # noqa: E402 # the path above has to be set first


def _row(name: str, value: str, unit: str, ratio: str, reference: str) -> str:
    return f"{name:<46} {value:>12} {unit:<6} {ratio:>9}  {reference}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _show(result: Measurement) -> None:
    compared = f"{result.reference} = {_number(result.reference_value)}"
    print(_row(result.name, _number(result.value), result.unit, f"{result.ratio:.3g}", compared), flush=True)


def main(words: list[str]) -> int:
    """Measure and report."""
    names = sorted(path.stem for path in HERE.glob("bench_*.py"))
    chosen = [name for name in names if not words or any(word in name for word in words)]
    load = os.getloadavg()
    results: list[Measurement] = []
    failed: list[str] = []
    print(_row("measured", "value", "unit", "ratio", "reference of the same run"))
    for name in chosen:
        start = time.perf_counter()
        try:
            for result in importlib.import_module(name).measure():
                results.append(result)
                _show(result)
        except Exception:  # noqa: BLE001 # one broken measurement must not hide the others
            failed.append(name)
            traceback.print_exc()
        print(f"  {name}: {time.perf_counter() - start:.1f} s", flush=True)
    report = {
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "system": platform.system(),
            "load": [round(one, 2) for one in load],
        },
        "ran": chosen,
        "failed": failed,
        "results": [result.as_json() for result in results],
    }
    target = ROOT / "build" / "bench.json"
    target.parent.mkdir(exist_ok=True)
    target.write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"{len(results)} results of {len(chosen)} modules in {target.relative_to(ROOT)}")
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
