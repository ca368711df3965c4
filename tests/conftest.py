# SPDX-License-Identifier: Apache-2.0
"""What every suite shares: hypothesis settings, tools, and the rule that a required tool is never skipped."""

import os
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from fakes import close_databases
from parts import drop_databases
from sharing_out import keep_what_servers_change, longest_first
from tooling import require_tool as find_or_skip
from tooling import tools_required

if TYPE_CHECKING:
    from playwright.sync_api import Browser
    from running import Site

hypothesis.settings.register_profile(
    "cunzheng",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    suppress_health_check=[hypothesis.HealthCheck.too_slow, hypothesis.HealthCheck.function_scoped_fixture],
)
hypothesis.settings.load_profile("cunzheng")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--on-servers", action="store_true", help="only what runs on the real servers")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    longest_first(items)
    if config.getoption("on_servers"):
        keep_what_servers_change(config, items)


@pytest.fixture(scope="session")
def require_tool() -> Callable[[str], str]:
    """Give ``require_tool(name)``: the program's path, or a skip (a failure where tools are required)."""
    return find_or_skip


@pytest.fixture(scope="session")
def browser() -> "Generator[Browser]":
    """Give Debian's Chromium; one for all suites, since two cannot run in one process."""
    # Loaded by who needs it: it takes a while.
    from browsing import chromium  # noqa: PLC0415

    with chromium() as running:
        yield running


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Generator[None]:
    """Keep the developer's own settings out of the tests."""
    kept = {"CUNZHENG_REQUIRE_TOOLS"}
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("CUNZHENG_") and name not in kept]:
            # CUNZHENG_TEST_…: the servers on which the same suites run (tests/support/parts.py).
            if not name.startswith("CUNZHENG_TEST_"):
                patch.delenv(name)
        yield


@pytest.fixture(autouse=True)
def _no_database_left_open() -> Generator[None]:
    yield
    close_databases()


@pytest.fixture(scope="session")
def demo_data(testrun_uid: str, _no_settings_from_outside: None) -> Generator[Path]:
    """Give the data folder of the demonstration, played once per test run; only to be read."""
    # Imported here: it opens every room, which most suites have no need of.
    from demonstration import played_demo  # noqa: PLC0415

    with played_demo(testrun_uid) as data:
        yield data


@pytest.fixture(scope="module")
def site(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Generator["Site"]:
    """Serve a copy of the demonstration: visitors write, for every look and every question is an act."""
    from demonstration import copy_of  # noqa: PLC0415 - as above
    from running import serving_demo  # noqa: PLC0415 - as above

    own = tmp_path_factory.mktemp("demo") / "data"
    copy_of(demo_data, own)
    with serving_demo(own) as running:
        yield running


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None]:
    """Remove the databases of a test from the server, and those of a module after its last test."""
    yield
    if not isinstance(nextitem, pytest.Item) or nextitem.path != item.path:
        drop_databases()
    elif own := getattr(item, "funcargs", {}).get("tmp_path"):
        drop_databases(own)


def _forbid_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    if report.outcome == "skipped" and tools_required() and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else report.longrepr
        report.outcome = "failed"
        report.longrepr = f"CUNZHENG_REQUIRE_TOOLS=1 allows no skip: {reason}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one where tools are required."""
    report = yield
    _forbid_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Turn a skipped module into a failed one where tools are required."""
    report = yield
    _forbid_skip(report)
    return report
