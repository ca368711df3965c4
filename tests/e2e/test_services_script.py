# SPDX-License-Identifier: Apache-2.0
"""``scripts/services.sh`` and ``scripts/with-services.sh``: nothing runs on after a start that failed or a
command that ended, and no other series of a server is used unseen."""

import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest
from own_servers import at_home, until
from parts import POSTGRESQL
from running import free_port
from tooling import ROOT

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(POSTGRESQL not in os.environ, reason="names no real servers"),
]
SCRIPTS = ROOT / "scripts"
PORTS = (
    "POSTGRESQL_PORT",
    "RABBITMQ_PORT",
    "RABBITMQ_PEER_PORT",
    "EPMD_PORT",
    "MINIO_PORT",
    "ELASTICSEARCH_PORT",
    "ELASTICSEARCH_PEER_PORT",
)


class Place:
    """A folder and ports for servers of a test's own; MinIO and Elasticsearch are programs of the test's.

    Args:
        folder: Open to the servers' user.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "CUNZHENG_SERVICES": str(folder),
            **{port: str(free_port()) for port in PORTS},
        }

    def program(self, path: str, text: str) -> None:
        """Put a program where one that was built would be."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{text}\n")
        file.chmod(0o755)

    def run(
        self, script: Path, *arguments: str, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        return subprocess.run(
            [script, *arguments],
            env={**self.environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    def running(self) -> list[int]:
        """Give the processes that the scripts started and left."""
        return list(at_home(f"HOME={self.folder}/home"))

    def listening(self) -> set[str]:
        """Give the ports that somebody listens on."""
        return {port for port in PORTS if _listens(int(self.environment[port]))}


def _listens(port: int) -> bool:
    with closing(socket.socket()) as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _version(name: str) -> str:
    text = (SCRIPTS / "services.sh").read_text(encoding="utf-8")
    return next(line.partition("=")[2] for line in text.splitlines() if line.startswith(f"{name}_VERSION="))


@pytest.fixture
def place() -> Iterator[Place]:
    # Not in pytest's folder: the servers' user may not enter that.
    folder = Path(tempfile.mkdtemp(prefix="cunzheng-script-", dir="/var/tmp"))
    folder.chmod(0o755)
    made = Place(folder)
    yield made
    made.run(SCRIPTS / "services.sh", "stop", "postgresql", "rabbitmq")
    for process in made.running():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    shutil.rmtree(folder, ignore_errors=True)


def test_ports_are_none_that_clients_are_given() -> None:
    """A connection that ended a minute ago keeps a server off the port that its client was given."""
    text = (SCRIPTS / "services.sh").read_text(encoding="utf-8")
    given = dict(re.findall(r"\$\{(\w+_PORT):=(\d+)\}", text))
    assert given.keys() == set(PORTS)
    # The first that a Linux kernel gives, unless somebody has set ip_local_port_range.
    assert all(int(port) < 32_768 for port in given.values())


def test_a_start_that_fails_leaves_nothing_running(place: Place) -> None:
    place.program(f"bin/minio-{_version('MINIO')}", "exit 1")
    place.program(f"elasticsearch-{_version('ELASTICSEARCH')}/bin/elasticsearch", "exec sleep 1000")
    done = place.run(SCRIPTS / "with-services.sh", "touch", str(place.folder / "it-ran"))
    assert done.returncode != 0
    assert "does not answer" in done.stderr
    assert "stopping postgresql again" in done.stderr
    assert not (place.folder / "it-ran").exists()
    assert place.running() == []
    assert place.listening() == set()


def test_what_ran_before_a_start_that_fails_runs_on(place: Place) -> None:
    assert place.run(SCRIPTS / "services.sh", "start", "postgresql").stdout == "postgresql\n"
    place.program(f"bin/minio-{_version('MINIO')}", "exit 1")
    assert place.run(SCRIPTS / "services.sh", "start", "postgresql", "minio").returncode != 0
    assert place.listening() == {"POSTGRESQL_PORT"}


def test_a_machine_that_went_down_is_no_obstacle(place: Place) -> None:
    assert place.run(SCRIPTS / "services.sh", "start", "postgresql").returncode == 0
    for process in place.running():
        with suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    # Of a machine that went down nobody holds the shared memory any more.
    until(lambda: place.running() == [], 60, "killed processes end")
    note = place.folder / "postgresql" / "postmaster.pid"
    user = note.stat()
    outlived = time.time() - 3600
    # As after a restart: the number in the note belongs to another process of the servers' user.
    with subprocess.Popen(["sleep", "1000"], user=user.st_uid, group=user.st_gid) as other:
        try:
            lines = note.read_text(encoding="utf-8").splitlines(keepends=True)
            note.write_text("".join([f"{other.pid}\n", *lines[1:]]), encoding="utf-8")
            os.utime(note, (outlived, outlived))
            again = place.run(SCRIPTS / "services.sh", "start", "postgresql")
        finally:
            other.kill()
    assert (again.returncode, again.stdout) == (0, "postgresql\n"), again.stderr
    assert place.listening() == {"POSTGRESQL_PORT"}


@pytest.mark.parametrize("server", ["postgresql", "rabbitmq"])
def test_another_series_is_refused_or_told(place: Place, server: str) -> None:
    copied = place.folder / "scripts"
    shutil.copytree(SCRIPTS / "compose", copied / "compose")
    text = (SCRIPTS / "services.sh").read_text(encoding="utf-8")
    changed = text.replace(f"\n{server.upper()}_SERIES=", f"\n{server.upper()}_SERIES=1")
    assert changed != text
    shutil.copy(SCRIPTS / "system-packages.sh", copied)
    (copied / "services.sh").write_text(changed, encoding="utf-8")
    (copied / "services.sh").chmod(0o755)
    refused = place.run(copied / "services.sh", "start", server)
    assert refused.returncode == 1
    assert "is pinned and" in refused.stderr
    assert place.listening() == set()
    taken = place.run(copied / "services.sh", "start", server, more={"CUNZHENG_SERVICES_UNPINNED": "1"})
    assert (taken.returncode, taken.stdout) == (0, f"{server}\n")
    assert "warning" in taken.stderr
