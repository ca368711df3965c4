# SPDX-License-Identifier: Apache-2.0
"""In which order test files are shared out among processes, and which tests run on the real servers."""

from pathlib import Path
from typing import Final

import pytest
from tooling import ROOT

LONGEST: Final = (
    "tests/e2e/test_city_line.py",
    "tests/e2e/test_parts_fail.py",
    "tests/e2e/test_kills.py",
    "tests/e2e/test_restart_while_filing.py",
    "tests/e2e/test_crashes.py",
    "tests/browser/test_appearances.py",
    "tests/conformance/test_interface.py",
    "tests/conformance/test_signed_interface.py",
    "tests/browser/test_pages.py",
    "tests/e2e/test_logs.py",
    "tests/browser/test_journeys.py",
    "tests/e2e/test_rolling_restart.py",
    "tests/contracts/test_driver_contract.py",
    "tests/portal/test_read_only_root.py",
    "tests/portal/test_key_marks.py",
    "tests/e2e/test_restore.py",
    "tests/e2e/test_concurrency.py",
    "tests/e2e/test_changes_told.py",
    "tests/contracts/test_index_orders_and_facets.py",
    "tests/contracts/test_index_contract.py",
    "tests/portal/test_object_keeping.py",
    "tests/storage/test_bucket_keys.py",
)
"""Files that keep a process busy for long, the longest first: begun last, they leave the others idle."""
_PORTS: Final = ("storage", "contracts")
_RECORDS: Final = ("portal", "licenses")
_ELSEWHERE: Final = {"sqlite", "conformance", "browser", "slow"}
_LOAD: Final = "tests/e2e/test_concurrency.py"


def longest_first(items: list[pytest.Item]) -> None:
    """Put the tests of the longest files before all others, each file's together."""
    place = {ROOT / name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path, len(place)))


def keep_what_servers_change(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what runs on no server and would do the same as before."""
    left = [item for item in items if not _on_servers(item)]
    items[:] = [item for item in items if _on_servers(item)]
    config.hook.pytest_deselected(items=left)


def _on_servers(item: pytest.Item) -> bool:
    marks = {mark.name for mark in item.iter_markers()}
    room = _room(item.path)
    if "services" in marks or item.path == ROOT / _LOAD:
        return True
    if room in _PORTS:
        return "sqlite" not in marks
    return room in _RECORDS and not marks & _ELSEWHERE


def _room(path: Path) -> str:
    return path.relative_to(ROOT / "tests").parts[0]
