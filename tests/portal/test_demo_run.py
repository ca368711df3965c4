# SPDX-License-Identifier: Apache-2.0
"""Starting the demonstration: never two on one data folder, never somebody else's folder removed."""

import threading
from pathlib import Path

import pytest

from portal.demo.driver import DemoFailedError
from portal.demo.run import Demonstration, Options
from portal.errors import AlreadyRunningError
from portal.processes import only_one
from portal.settings import Settings


def demonstration(folder: Path, *, reset: bool) -> Demonstration:
    options = Options(once=True, reset=reset)
    return Demonstration(Settings(data=folder), options, lambda line: None, threading.Event())


@pytest.mark.parametrize("reset", [False, True])
def test_a_second_demonstration_on_the_same_folder_is_refused_and_removes_nothing(
    tmp_path: Path, reset: bool
) -> None:
    (tmp_path / "cunzheng.db").write_bytes(b"")
    with only_one(tmp_path / "demo.lock"), pytest.raises(AlreadyRunningError):
        demonstration(tmp_path, reset=reset).run()
    assert (tmp_path / "cunzheng.db").exists()


def test_a_folder_that_holds_something_else_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(DemoFailedError):
        demonstration(tmp_path, reset=True).run()
    assert (tmp_path / "thesis.txt").read_text() == "years of work"
