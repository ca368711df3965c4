# SPDX-License-Identifier: Apache-2.0
"""One processor for a process of one interpreter: claimed once, given back, and not for what it starts."""

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import pytest

from documents.channel import spawn
from storage import processors
from storage.processors import keep_to_one, on_all

ALL = os.sched_getaffinity(0)
SHOW = [sys.executable, "-c", "import os; print(sorted(os.sched_getaffinity(0)))"]
_Answer = TypeVar("_Answer")
several = pytest.mark.skipif(len(ALL) < 2, reason="this machine has one processor")


@pytest.fixture
def name(tmp_path: Path) -> str:
    return f"test-{os.getpid()}-{tmp_path.name}"


def in_thread(work: Callable[[], _Answer]) -> _Answer:
    """Work in a thread that ends: what a thread keeps to is its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result(30)


@several
def test_threads_started_afterwards_keep_to_the_claimed_processor_too(name: str) -> None:
    def work() -> tuple[int | None, set[int], set[int]]:
        claim = keep_to_one(name)
        try:
            return claim.processor, os.sched_getaffinity(0), in_thread(lambda: os.sched_getaffinity(0))
        finally:
            claim.release()

    processor, own, started = in_thread(work)
    assert own == started == {processor}
    assert os.sched_getaffinity(0) == ALL


@several
def test_each_processor_is_claimed_once_and_can_be_claimed_again_once_it_was_released(name: str) -> None:
    claims = [in_thread(lambda: keep_to_one(name)) for _ in ALL]
    assert {one.processor for one in claims} == ALL

    def beyond() -> tuple[int | None, set[int]]:
        return keep_to_one(name).processor, os.sched_getaffinity(0)

    assert in_thread(beyond) == (None, ALL)
    claims[0].release()
    again = in_thread(lambda: keep_to_one(name))
    assert again.processor == claims[0].processor
    for one in (*claims[1:], again):
        one.release()


@several
def test_a_claim_ends_with_the_process_that_made_it(name: str) -> None:
    program = (
        f"from storage.processors import keep_to_one; kept = keep_to_one({name!r}); print(kept.processor)"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    claim = in_thread(lambda: keep_to_one(name))
    assert claim.processor == int(told)
    claim.release()


@several
def test_a_child_runs_on_every_processor_and_its_parent_goes_on_keeping_to_one(
    name: str, tmp_path: Path
) -> None:
    def work() -> tuple[bytes, set[int]]:
        claim = keep_to_one(name)
        try:
            child = spawn(SHOW, tmp_path, {}, subprocess.DEVNULL, subprocess.PIPE)
            return child.communicate(timeout=30)[0], os.sched_getaffinity(0) ^ {claim.processor}
        finally:
            claim.release()

    told, differing = in_thread(work)
    assert told.decode().strip() == str(sorted(ALL))
    assert not differing


def test_with_one_processor_nothing_is_claimed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "_ALLOWED", frozenset({0}))
    assert keep_to_one(name).processor is None
    assert os.sched_getaffinity(0) == ALL


@several
@pytest.mark.parametrize("refused", ["sched_setaffinity", "socket"])
def test_a_system_that_does_not_allow_it_keeps_nothing_from_starting(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: str
) -> None:
    def refuse(*_given: object) -> None:
        raise PermissionError

    monkeypatch.setattr(processors.socket if refused == "socket" else os, refused, refuse)
    assert keep_to_one(name).processor is None
    child = spawn(SHOW, tmp_path, {}, subprocess.DEVNULL, subprocess.PIPE)
    assert child.communicate(timeout=30)[0].decode().strip() == str(sorted(ALL))
    monkeypatch.undo()
    again = in_thread(lambda: keep_to_one(name))
    assert again.processor is not None
    again.release()


def test_where_the_system_keeps_no_thread_to_a_processor_children_start_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(processors, "_KNOWN", False)
    monkeypatch.delattr(os, "sched_setaffinity")
    with on_all():
        assert os.sched_getaffinity(0) == ALL
