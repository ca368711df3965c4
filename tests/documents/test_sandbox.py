# SPDX-License-Identifier: Apache-2.0
"""The sandbox: what a child cannot do, and that whatever it does the parent gets an answer."""

import shutil
import socket
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from documents.errors import ChildFailedError, SandboxUnavailableError
from documents.sandbox import PROGRAMS, Layer, Limits, Sandbox

SMALL = Limits(
    address_space=1 << 30, cpu_seconds=2, wall_seconds=1.0, file_bytes=1 << 20, reply_bytes=1 << 16
)
HOSTILE = """
import os, sys, time
from pathlib import Path

def main(request):
    what = request["what"]
    if what == "sleep":
        time.sleep(60)
    if what == "memory":
        return {"size": len(bytearray(3 << 30))}
    if what == "die":
        os.abort()
    if what == "flood":
        return {"much": "x" * (1 << 20)}
    if what == "raise":
        raise ValueError("the material's secret")
    if what == "no-object":
        return 7
    if what == "print":
        print("noise"); os.system("echo noise")
        return {"ok": True}
    if what == "link":
        os.symlink("/etc/passwd", "out")
    if what == "pipe":
        os.mkfifo("out")
    if what == "big":
        Path("out").write_bytes(b"x" * (2 << 20))
    return {"environment": sorted(os.environ), "home": os.environ["HOME"]}
"""


@pytest.fixture
def hostile(tmp_path: Path) -> Callable[[Layer], Sandbox]:
    folder = tmp_path / "programs"
    folder.mkdir()
    shutil.copy(PROGRAMS / "host.py", folder)
    (folder / "hostile.py").write_text(HOSTILE)
    return lambda layer: Sandbox(SMALL, bubblewrap=layer is Layer.BUBBLEWRAP, programs=folder)


@pytest.mark.parametrize("layer", list(Layer))
@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("sleep", "timeout"),
        ("memory", "memory"),
        ("die", "killed"),
        ("flood", "oversize"),
        ("raise", "failed"),
        ("no-object", "failed"),
        ("big", "failed"),
    ],
)
def test_every_misbehaviour_has_a_stable_reason(
    hostile: Callable[[Layer], Sandbox], layer: Layer, what: str, reason: str
) -> None:
    with hostile(layer).workroom() as room:
        with pytest.raises(ChildFailedError) as caught:
            room.call("hostile", what=what)
        assert caught.value.reason == reason
        assert "secret" not in str(caught.value)
        assert room.call("hostile", what="print") == {"ok": True}, "the room goes on with a new child"


@pytest.mark.parametrize("what", ["link", "pipe"])
def test_only_regular_files_are_taken_over(
    hostile: Callable[[Layer], Sandbox], what: str, tmp_path: Path
) -> None:
    with hostile(Layer.LIMITS).workroom() as room:
        room.call("hostile", what=what)
        with pytest.raises(ChildFailedError) as caught:
            room.take("out", tmp_path / "taken")
    assert caught.value.reason == "no-output"
    assert not (tmp_path / "taken").exists()


def test_the_environment_is_empty_and_home_is_thrown_away(
    hostile: Callable[[Layer], Sandbox], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("A_SECRET", "x")
    with hostile(Layer.LIMITS).workroom() as room:
        reply = room.call("hostile", what="nothing")
        home = Path(str(reply["home"]))
        assert home.is_dir()
    assert not home.exists()
    assert set(reply["environment"]) <= {"HOME", "LANG", "LC_CTYPE", "PATH", "PWD", "TMPDIR"}  # type: ignore[arg-type]


def run_python(sandbox: Sandbox, source: str, limits: Limits = SMALL) -> int:
    with sandbox.workroom() as room:
        return room.run([sys.executable, "-I", "-S", "-c", source], limits)


def test_limits_stand_before_the_child_runs(each_sandbox: Sandbox) -> None:
    source = (
        "import resource as r, sys; sys.exit(0 if (r.getrlimit(r.RLIMIT_AS)[0], r.getrlimit(r.RLIMIT_CPU)[0],"
        " r.getrlimit(r.RLIMIT_FSIZE)[0], r.getrlimit(r.RLIMIT_NOFILE)[0], r.getrlimit(r.RLIMIT_CORE)[0])"
        f" == ({SMALL.address_space}, {SMALL.cpu_seconds}, {SMALL.file_bytes}, {SMALL.open_files}, 0) else 1)"
    )
    assert run_python(each_sandbox, source) == 0


def test_the_whole_group_dies_at_the_wall_limit(each_sandbox: Sandbox, tmp_path: Path) -> None:
    started = time.monotonic()
    with each_sandbox.workroom() as room, pytest.raises(ChildFailedError) as caught:
        room.run(["sh", "-c", "sleep 60 & sleep 60"], replace(SMALL, wall_seconds=0.3))
    assert caught.value.reason == "timeout"
    assert time.monotonic() - started < 5


def test_bubblewrap_shows_no_network_and_no_file_of_ours(tmp_path: Path) -> None:
    sandbox = Sandbox()
    if sandbox.layer is not Layer.BUBBLEWRAP:
        pytest.skip("bubblewrap does not work here")
    secret = tmp_path / "secret"
    secret.write_text("x")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        reach = f"import socket; socket.create_connection(('127.0.0.1', {port}), 1)"
        assert run_python(sandbox, reach) != 0
        assert run_python(Sandbox(bubblewrap=False), reach) == 0, "the probe itself must work"
    for path in (secret, Path("/etc/passwd"), Path(__file__)):
        assert run_python(sandbox, f"import os; os.stat({str(path)!r})") != 0
    assert run_python(sandbox, "open('/usr/x', 'w')") != 0


def test_a_relative_scratch_folder_serves_children_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "staging").mkdir()
    monkeypatch.chdir(tmp_path)
    Sandbox(scratch=Path("staging")).prove()


def test_where_isolation_is_demanded_limits_alone_do_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("documents.sandbox._bubblewrap_works", lambda: False)
    assert Sandbox().layer is Layer.LIMITS
    demanding = Sandbox(bubblewrap=True)
    with pytest.raises(SandboxUnavailableError):
        demanding.prove()
    monkeypatch.setattr("documents.sandbox._bubblewrap_works", lambda: True)
    assert demanding.layer is Layer.BUBBLEWRAP


def test_a_machine_on_which_no_child_answers_is_told_from_a_bad_file(tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailableError):
        Sandbox(programs=tmp_path).prove()
