# SPDX-License-Identifier: Apache-2.0
"""The demonstration as a child process, for tests that come from outside: a browser, a foreign client."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

COMMAND: Final = str(Path(sys.executable).with_name("cunzheng"))
_FILLED_WITHIN: Final = 1500
_SERVING_WITHIN: Final = 180
_FIRST_PORT, _PORTS = 22_000, 10_000
"""Above those of the servers that all tests share, below those of clients (scripts/services.sh)."""


def free_port() -> int:
    """Give a port of the loopback interface that nobody listens on, and that the kernel gives to no client.

    One of those that it gives to clients may be taken, or be kept for a minute, before a server begins.
    """
    while True:
        port = _FIRST_PORT + secrets.randbelow(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@dataclass(frozen=True, slots=True)
class Site:
    """A running demonstration.

    Attributes:
        address: Where it answers, without a slash at the end.
        data: Its data folder.
    """

    address: str
    data: Path

    def environment(self) -> dict[str, str]:
        """Give the environment in which commands work on this installation."""
        return environment_of(self.data, self.address)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the command line on this installation."""
        return subprocess.run(
            [COMMAND, *arguments],
            env=self.environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )

    def login_link(self, role: str) -> str:
        """Give a fresh login link for a role."""
        answer = self.run("login-link", role)
        links = re.findall(r"https?://\S+", answer.stdout)
        assert links, answer.stderr
        return str(links[0])


def environment_of(data: Path, address: str) -> dict[str, str]:
    """Give the environment of a command that works on an installation."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("CUNZHENG_")}
    port = address.rpartition(":")[2]
    return kept | {"CUNZHENG_DATA": str(data), "CUNZHENG_PUBLIC_URL": address, "CUNZHENG_PORT": port}


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/sign-in", timeout=5) as answer:
            return int(answer.status) == 200
    except (urllib.error.URLError, OSError):
        return False


def wait_for(answers: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    """Wait until a process that was just started answers; fail if it ends or takes too long."""
    until = time.monotonic() + _SERVING_WITHIN
    while not answers():
        assert process.poll() is None, "the process ended"
        assert time.monotonic() < until, "the process does not answer"
        time.sleep(0.1)


def play_demo(data: Path, address: str) -> None:
    """Play the demonstration's cases on an empty data folder.

    Args:
        data: The folder.
        address: The public address that seals and receipts name.
    """
    once = subprocess.run(
        [COMMAND, "demo", "--once"],
        env=environment_of(data, address),
        capture_output=True,
        text=True,
        check=False,
        timeout=_FILLED_WITHIN,
    )
    assert once.returncode == 0, once.stdout[-2000:] + once.stderr[-2000:]


@contextmanager
def serving_demo(data: Path) -> Generator[Site]:
    """Serve the demonstration, having played its cases if that was not done; stop everything at the end.

    Args:
        data: The data folder, empty or filled by an earlier run.
    """
    address = f"http://127.0.0.1:{free_port()}"
    environment = environment_of(data, address)
    if not (data / "cunzheng.db").exists():
        play_demo(data, address)
    with (data / "served.log").open("wb") as log:
        demo = subprocess.Popen([COMMAND, "demo"], env=environment, stdout=log, stderr=log)
        try:
            wait_for(lambda: _answers(address), demo)
            yield Site(address, data)
        finally:
            demo.send_signal(signal.SIGINT)
            demo.wait(timeout=30)
