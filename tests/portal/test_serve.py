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


@pytest.mark.skipif(len(ALL) < 2, reason="this machine has one processor")
def test_it_keeps_to_one_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Web processes of other tests keep to theirs by the usual name.
    monkeypatch.setattr(
        "portal.serve.keep_to_one", lambda name: keep_to_one(f"{name}-{tmp_path.name}-{os.getpid()}")
    )
    assert len(serving_on(tmp_path, one_processor=True)) == 1


def test_it_runs_where_the_system_wants_when_told_so(tmp_path: Path) -> None:
    assert serving_on(tmp_path, one_processor=False) == ALL


def test_what_it_began_with_is_not_looked_through_again(tmp_path: Path) -> None:
    serving_on(tmp_path, one_processor=False)
    assert gc.get_freeze_count() > 0
