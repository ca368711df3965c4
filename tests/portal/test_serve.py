# SPDX-License-Identifier: Apache-2.0
"""How the web process is set up to serve: on one processor, unless the operator says otherwise."""

import gc
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from portal.serve import WebServer
from portal.settings import Settings
from storage.processors import keep_to_one

ALL = os.sched_getaffinity(0)


@pytest.fixture(autouse=True)
def looked_through_as_before() -> Iterator[None]:
    """What is made to serve is not looked through again; the tests' own process goes on as it did."""
    young = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*young)


def serving_on(folder: Path, *, one_processor: bool) -> set[int]:
    """Give where a thread may run that makes the application, and whatever it starts afterwards."""
    server = WebServer(Settings(data=folder, one_processor=one_processor), lambda _leaving: Flask("served"))

    def load() -> set[int]:
        server.load()
        server.claim.release()
        return os.sched_getaffinity(0)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(load).result(30)


def test_it_keeps_to_one_processor_as_long_as_there_is_one_that_no_other_keeps_to(tmp_path: Path) -> None:
    found = serving_on(tmp_path, one_processor=True)
    with ThreadPoolExecutor(1) as pool:
        left = pool.submit(keep_to_one, "web").result(30)
    left.release()
    assert len(found) == 1 or left.processor is None


def test_it_runs_where_the_system_wants_when_told_so(tmp_path: Path) -> None:
    assert serving_on(tmp_path, one_processor=False) == ALL


def test_what_it_began_with_is_not_looked_through_again(tmp_path: Path) -> None:
    serving_on(tmp_path, one_processor=False)
    assert gc.get_freeze_count() > 0
