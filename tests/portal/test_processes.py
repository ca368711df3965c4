# SPDX-License-Identifier: Apache-2.0
"""Child processes: dead ones come back and are reported; one-of-a-kind locks hold; busy ports are named."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from fakes import HandClock

from portal.errors import AlreadyRunningError, PortBusyError
from portal.processes import Children, only_one, require_free_port

HOLDER = """
import sys
from pathlib import Path
from portal.processes import only_one
with only_one(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_dead_child_is_reported_and_started_again(tmp_path: Path) -> None:
    reports: list[tuple[str, str]] = []
    clock = HandClock()
    children = Children(
        {"version": ["--version"]}, {}, tmp_path, lambda name, what: reports.append((name, what))
    )
    children.start(clock.monotonic)
    try:
        first = children.pid("version")
        os.waitid(os.P_PID, first, os.WEXITED | os.WNOWAIT)
        clock.advance(5)
        children.watch(clock.monotonic)
        assert reports == [("version", "exit 0")]
        assert children.restarts == 1
        assert children.pid("version") != first
    finally:
        children.stop()
    assert b"cunzheng, version" in (tmp_path / "version.log").read_bytes()


def test_a_child_that_keeps_dying_at_once_waits_longer_each_time(tmp_path: Path) -> None:
    clock = HandClock()
    children = Children({"bad": ["no-such-command"]}, {}, tmp_path, lambda name, what: None)
    children.start(clock.monotonic)
    pauses = []
    try:
        for _ in range(3):
            os.waitid(os.P_PID, children.pid("bad"), os.WEXITED | os.WNOWAIT)
            children.watch(clock.monotonic)
            before = clock.monotonic()
            while children.restarts == len(pauses):
                clock.advance(0.25)
                children.watch(clock.monotonic)
            pauses.append(clock.monotonic() - before)
    finally:
        children.stop()
    assert pauses == sorted(set(pauses))


def test_only_one_process_holds_a_lock_and_death_frees_it(tmp_path: Path) -> None:
    lock = tmp_path / "worker.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunningError), only_one(lock):
            pass
        holder.send_signal(signal.SIGKILL)
        holder.wait()
        with only_one(lock):
            pass


def test_a_busy_port_is_refused_by_name() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortBusyError) as refused:
            require_free_port("127.0.0.1", port)
    assert refused.value.facts == {"port": port}
    assert "--port" in refused.value.remedy_en
