# SPDX-License-Identifier: Apache-2.0
"""A child that imports once and forks for each file: whatever a file makes its fork do, the next is right."""

import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from family import descendants

from documents.errors import ChildFailedError, SandboxUnavailableError
from documents.sandbox import Layer, Limits, Sandbox
from documents.zygotes import Trade, Zygotes

SMALL = Limits(
    address_space=1 << 30, cpu_seconds=2, wall_seconds=3.0, file_bytes=1 << 20, reply_bytes=1 << 16
)
ROOT = os.getuid() == 0
"""Whose processes the kernel does not count; anybody else's job cannot even fork."""
HOSTILE = """
import ctypes, gc, os, resource, signal, socket, time
from pathlib import Path

STARTED = time.monotonic_ns()
CLONE_NEWUSER = 0x10000000
kept = []


def sleepers(count):
    for _ in range(count):
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)


def reach(work):
    try:
        return work()
    except Exception as error:
        return type(error).__name__


def main(request):
    data = request["file"].read()
    kept.append(data)
    what = request["what"]
    if what == "kill everybody":
        reach(lambda: os.kill(-1, signal.SIGKILL))
        for pid in range(2, 200):
            reach(lambda: os.kill(pid, signal.SIGKILL))
        os.kill(0, signal.SIGKILL)
    if what == "fork without end":
        while os.fork():
            pass
        time.sleep(60)
    if what == "leave others behind":
        sleepers(20)
    if what == "hang":
        time.sleep(60)
    if what == "spin":
        while True:
            pass
    if what == "memory":
        return {"size": len(bytearray(3 << 30))}
    if what == "die":
        os.abort()
    if what == "leave at once":
        os._exit(0)
    if what == "raise":
        raise ValueError("the file's secret")
    if what == "flood":
        return {"much": "x" * (1 << 20)}
    if what in ("forge", "forge the ending"):
        words = [b'{"reply": {"seen": "forged"}}\\n'] if what == "forge" else [b"0", b"forks"]
        for handle in range(64):
            for word in words:
                reach(lambda: os.write(handle, word))
        os._exit(0)
    if what == "close and stay":
        os.closerange(0, 64)
        time.sleep(60)
    if what == "collect":
        found = [thing for thing in gc.get_objects() if isinstance(thing, bytes) and b"secret-of" in thing]
        return {"kept": len(kept), "found": len(found)}
    if what == "look around":
        parent = f"/proc/{os.getppid()}/mem"
        libc = ctypes.CDLL(None, use_errno=True)
        places = ["/x", "/tmp/x", "/dev/x", "/dev/shm/x", "/zygote/x", "/trade/x", "x"]
        return {
            "memory": [reach(lambda: open(f"/proc/{one}/mem").close()) for one in (os.getppid(), 1, 2, 3)],
            "traced": [libc.ptrace(16, one, 0, 0) for one in (os.getppid(), 2, 3)],
            "others": [one for one in range(2, 200) if reach(lambda: os.kill(one, 0)) is None],
            "parent": os.getppid(),
            "process": os.getpid(),
            "written": [place for place in places if reach(lambda: Path(place).write_bytes(b"")) == 0],
            "network": reach(lambda: socket.create_connection(("127.0.0.1", request["port"]), 1)),
            "environment": sorted(os.environ),
            "dumpable": libc.prctl(3, 0, 0, 0, 0),
            "handles": [one for one in range(64) if reach(lambda: os.fstat(one)) is not None
                        and not isinstance(reach(lambda: os.fstat(one)), str)],
            "limits": [resource.getrlimit(one)[1] for one in (
                resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE, resource.RLIMIT_NOFILE,
                resource.RLIMIT_CORE, resource.RLIMIT_NPROC)],
            "mounts": libc.mount(b"none", b"/dev", b"tmpfs", 0, None),
            "changed": reach(lambda: os.write(request["file"].fileno(), b"x")),
        }
    return {"seen": data.decode(), "imported": STARTED, "kept": len(kept)}
"""


class Family:
    """The processes that this test's children are; others of this process do not count."""

    def __init__(self) -> None:
        self._others = set(descendants(os.getpid()))

    def __call__(self) -> set[int]:
        return set(descendants(os.getpid())) - self._others

    def zygotes(self) -> list[int]:
        """Those that started nothing themselves."""
        return [pid for pid in self() if not descendants(pid)]


@pytest.fixture
def family() -> Family:
    return Family()


@pytest.fixture
def trade(tmp_path: Path) -> Trade:
    (tmp_path / "programs").mkdir()
    (tmp_path / "programs" / "hostile.py").write_text(HOSTILE)
    return Trade(tmp_path / "programs" / "hostile.py")


@pytest.fixture
def sandbox(family: Family) -> Iterator[Sandbox]:
    made = Sandbox(SMALL)
    if made.layer is not Layer.BUBBLEWRAP:
        pytest.skip("missing tool: bwrap")
    yield made
    made.close()
    assert not family()


@pytest.fixture
def zygotes(sandbox: Sandbox, trade: Trade) -> Zygotes:
    return sandbox.zygotes(trade)


class Asker:
    """Asks about files that hold their own names."""

    def __init__(self, folder: Path, zygotes: Zygotes) -> None:
        self.folder, self.zygotes = folder, zygotes

    def __call__(self, name: str = "good", what: str = "read", **more: object) -> dict[str, object]:
        path = self.folder / f"{name}-{threading.get_ident()}"
        path.write_text(name)
        return self.zygotes.ask(path, what=what, **more)


@pytest.fixture
def ask(tmp_path: Path, zygotes: Zygotes) -> Asker:
    return Asker(tmp_path, zygotes)


def test_the_imports_are_done_once_and_each_file_has_a_process_of_its_own(ask: Asker) -> None:
    first, second = ask("one"), ask("two")
    assert (first["seen"], second["seen"]) == ("one", "two")
    assert first["imported"] == second["imported"], "the second file met the same imports"
    assert second["kept"] == 1, "and nothing of the first"


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("kill everybody", None),
        ("fork without end", "timeout" if ROOT else "failed"),
        ("leave others behind", None if ROOT else "failed"),
        ("hang", "timeout"),
        ("spin", "killed"),
        ("memory", "memory"),
        ("die", "killed"),
        ("leave at once", "killed"),
        ("raise", "failed"),
        ("flood", "oversize"),
        ("forge", None),
        ("forge the ending", "failed"),
        ("close and stay", "timeout"),
    ],
)
def test_whatever_a_file_makes_its_fork_do_the_next_file_is_answered_rightly(
    sandbox: Sandbox, trade: Trade, family: Family, tmp_path: Path, what: str, reason: str | None
) -> None:
    wall = 0.7 if reason == "timeout" else 5.0
    ask = Asker(tmp_path, sandbox.zygotes(trade, replace(SMALL, cpu_seconds=1, wall_seconds=wall)))
    assert ask("before")["seen"] == "before"
    if reason is None:
        ask("bad", what)
    else:
        with pytest.raises(ChildFailedError) as caught:
            ask("bad", what)
        assert caught.value.reason == reason
        assert "secret" not in str(caught.value)
    assert ask("after")["seen"] == "after"
    assert len(family()) <= len(["bwrap", "bwrap inside", "zygote"]), "nothing was left over"


def test_a_fork_can_forge_its_own_answer_and_no_other(ask: Asker) -> None:
    assert ask("bad", "forge") == {"seen": "forged"}
    assert [ask(name)["seen"] for name in ("a", "b", "c")] == ["a", "b", "c"]


def test_a_fork_sees_nobody_reaches_nothing_and_changes_nothing(
    ask: Asker,
) -> None:
    ask("secret-of-another")
    assert ask("good", "collect") == {"kept": 1, "found": 0}
    found = ask("good", "look around", port=9)
    assert (found["process"], found["parent"], found["others"]) == (1, 0, [])
    assert found["memory"] == ["FileNotFoundError"] * 4, "there is no /proc"
    assert found["traced"] == [-1] * 3
    assert found["written"] == []
    assert found["mounts"] == -1, "no capability is left in its namespaces"
    assert found["network"] == "ConnectionRefusedError", "of a loopback without anybody"
    assert found["dumpable"] == 0
    assert found["changed"] in ("OSError", "PermissionError"), "the memory is sealed"
    assert set(found["environment"]) <= {"HOME", "LANG", "LC_CTYPE", "PATH", "PWD", "TMPDIR"}  # type: ignore[call-overload] # a list of names
    assert len(found["handles"]) <= 5, "standard ones, the file and the pipe of the answer"  # type: ignore[arg-type] # as above
    assert found["limits"] == [SMALL.address_space, SMALL.cpu_seconds, 0, SMALL.open_files, 0, 1]


def test_the_host_s_own_socket_is_not_reached(ask: Asker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        found = ask("good", "look around", port=listener.getsockname()[1])
    assert found["network"] == "ConnectionRefusedError"


def test_a_child_that_was_killed_while_idle_is_replaced(ask: Asker, family: Family) -> None:
    first = ask()
    for pid in family():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    second = ask()
    assert second["seen"] == "good"
    assert second["imported"] != first["imported"]


def test_a_job_whose_child_was_killed_under_it_is_done_again(
    sandbox: Sandbox, trade: Trade, family: Family, tmp_path: Path
) -> None:
    ask = Asker(tmp_path, sandbox.zygotes(trade, replace(SMALL, wall_seconds=2.0)))
    ask()
    (zygote,) = family.zygotes()
    with ThreadPoolExecutor(1) as other:
        waiting = other.submit(ask, "bad", "hang")
        while not descendants(zygote):
            time.sleep(0.01)
        os.kill(zygote, signal.SIGKILL)
        while not (again := family.zygotes()):
            time.sleep(0.01)
        assert again != [zygote]
        with pytest.raises(ChildFailedError) as caught:
            waiting.result()
    assert caught.value.reason == "timeout", "the second time it met its own end, within the first one's time"
    assert ask()["seen"] == "good"


def test_many_threads_get_their_own_answers(ask: Asker, family: Family) -> None:
    with ThreadPoolExecutor(6) as threads:
        names = [f"file {number}" for number in range(40)]
        assert [one["seen"] for one in threads.map(ask, names)] == names
    idle = family.zygotes()
    assert len(idle) <= 2, "no more children wait than are kept"


def test_a_process_that_was_forked_off_starts_children_of_its_own(ask: Asker, family: Family) -> None:
    ask()
    mine = family()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = b"bad"
        try:
            if ask("theirs")["seen"] == "theirs" and not mine & set(descendants(os.getpid())):
                said = b"good"
            ask.zygotes.close()
        finally:
            os.write(writing, said)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        assert pipe.read() == b"good"
    os.waitpid(pid, 0)
    assert ask("mine")["seen"] == "mine"
    assert family() == mine, "and its end left ours alone"


def test_who_asks_whether_files_are_worked_on_in_forks_starts_nothing_that_is_not_used(
    ask: Asker, family: Family
) -> None:
    assert ask.zygotes.can_fork()
    started = family()
    assert ask()["seen"] == "good"
    assert family() == started


def test_closing_ends_the_children_and_the_next_file_starts_new_ones(
    sandbox: Sandbox, ask: Asker, family: Family
) -> None:
    ask()
    assert family()
    sandbox.close()
    assert not family()
    assert ask()["seen"] == "good"


def test_children_end_with_the_thread_of_a_process_that_is_killed(trade: Trade, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            sandbox = Sandbox(SMALL)
            Asker(tmp_path, sandbox.zygotes(trade))()
            os.write(writing, " ".join(map(str, descendants(os.getpid()))).encode())
            signal.pause()
        finally:
            os._exit(1)
    os.close(writing)
    theirs = [int(one) for one in os.read(reading, 1 << 12).split()]
    os.close(reading)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    end = time.monotonic() + 10
    while any(Path(f"/proc/{one}").exists() for one in theirs) and time.monotonic() < end:
        time.sleep(0.01)
    assert theirs
    assert not [one for one in theirs if Path(f"/proc/{one}").exists()]


@pytest.mark.parametrize("layer", list(Layer))
def test_where_forks_cannot_be_confined_each_file_gets_a_child_of_its_own(
    trade: Trade, family: Family, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, layer: Layer
) -> None:
    command = Trade.command
    monkeypatch.setattr(
        Trade,
        "command",
        lambda self, *, confined: (
            [word if word != "fork" else "once" for word in command(self, confined=confined)[0]],
            command(self, confined=confined)[1],
        ),
    )
    sandbox = Sandbox(SMALL, bubblewrap=layer is Layer.BUBBLEWRAP)
    ask = Asker(tmp_path, sandbox.zygotes(trade))
    first, second = ask("one"), ask("two")
    assert (first["seen"], second["seen"]) == ("one", "two")
    assert first["imported"] != second["imported"]
    assert not ask.zygotes.can_fork()
    for what, reason in (("die", "killed"), ("memory", "memory"), ("raise", "failed"), ("hang", "timeout")):
        with pytest.raises(ChildFailedError) as caught:
            ask("bad", what)
        assert caught.value.reason == reason
    assert not family()


def test_a_program_that_cannot_be_imported_is_told_from_a_bad_file(sandbox: Sandbox, tmp_path: Path) -> None:
    program = tmp_path / "broken.py"
    program.write_text("raise ImportError")
    with pytest.raises(ChildFailedError) as caught:
        Asker(tmp_path, sandbox.zygotes(Trade(program)))()
    assert caught.value.reason == "killed"


def test_nothing_is_worked_on_where_isolation_is_demanded_and_missing(
    trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("documents.sandbox._bubblewrap_works", lambda: False)
    with pytest.raises(SandboxUnavailableError):
        Sandbox(bubblewrap=True).zygotes(trade)
