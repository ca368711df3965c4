# SPDX-License-Identifier: Apache-2.0
"""Real servers of a test's own, which it may stop, kill and fill up: the shared ones are never touched.

How each is started stands in ``scripts/services.sh``; here they get a folder and ports of their own.
"""

import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from running import free_port
from tooling import ROOT

_SCRIPT: Final = ROOT / "scripts" / "services.sh"
_PORTS: Final = {
    "postgresql": ("POSTGRESQL_PORT",),
    "rabbitmq": ("RABBITMQ_PORT", "RABBITMQ_PEER_PORT", "EPMD_PORT"),
    "minio": ("MINIO_PORT",),
    "elasticsearch": ("ELASTICSEARCH_PORT", "ELASTICSEARCH_PEER_PORT"),
}
_STARTED_WITHIN: Final = 120


def until(true: Callable[[], bool], within: float, what: str, every: float = 0.1) -> float:
    """Wait until something holds; give the seconds that took, fail when it takes longer than ``within``."""
    begin = time.monotonic()
    while not true():
        assert time.monotonic() - begin < within, what
        threading.Event().wait(every)
    return time.monotonic() - begin


class Disk:
    """A small file system in memory that can be filled up.

    Args:
        size: In bytes.
        environment: Names the folder of the servers that use it.
    """

    def __init__(self, size: int, environment: Mapping[str, str]) -> None:
        self._keeper = subprocess.Popen(
            [str(_SCRIPT), "disk", str(size)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.path = self._line()

    def fill(self) -> None:
        """Leave no byte free."""
        self._tell("fill")

    def free(self) -> None:
        """Give the space back."""
        self._tell("free")

    def close(self) -> None:
        """Give the file system up."""
        self._keeper.communicate(timeout=10)

    def _tell(self, word: str) -> None:
        assert self._keeper.stdin is not None
        self._keeper.stdin.write(f"{word}\n")
        self._keeper.stdin.flush()
        assert self._line() == word

    def _line(self) -> str:
        assert self._keeper.stdout is not None
        line = self._keeper.stdout.readline().strip()
        assert line, "no small file system can be made: bubblewrap must be allowed to"
        return line


class Server:
    """One server.

    Args:
        name: As ``scripts/services.sh`` calls it.
        folder: Where it lives; new, and open to the servers' user.
        disk: Size in bytes of the file system for its data; the machine's own when missing.

    Attributes:
        disk: The small file system, if there is one.
    """

    def __init__(self, name: str, folder: Path, disk: int | None = None) -> None:
        self.name = name
        built = os.environ.get("CUNZHENG_SERVICES") or f"/var/tmp/cunzheng-services-{os.getuid()}"
        self._environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "CUNZHENG_SERVICES": str(folder),
            "CUNZHENG_SERVICES_BUILT": os.environ.get("CUNZHENG_SERVICES_BUILT", built),
            "POSTGRESQL_SEGMENT": "1",
            "ELASTICSEARCH_JAVA": os.environ.get("ELASTICSEARCH_JAVA", ""),
            **{port: str(free_port()) for port in _PORTS[name]},
        }
        self.disk = None if disk is None else Disk(disk, self._environment)
        if self.disk is not None:
            self._environment["CUNZHENG_SERVICES_DATA"] = self.disk.path

    @property
    def log(self) -> Path:
        """Give the file with what it wrote."""
        return Path(self._environment["CUNZHENG_SERVICES"]) / "log" / f"{self.name}.log"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._run("start", self.name)

    def restart(self, within: float = 60) -> None:
        """Start it again after it was killed, as its supervisor would: as often as it takes."""
        until(self._starts, within, f"{self.name} does not start again")

    def address(self) -> tuple[str, str]:
        """Give the variable that names it to tests, and its address."""
        wanted = {"minio": "CUNZHENG_TEST_S3"}.get(self.name, f"CUNZHENG_TEST_{self.name.upper()}")
        for line in self._run("environment").splitlines():
            variable, _, value = line.partition("=")
            if variable == wanted:
                return variable, value
        raise LookupError(self.name)

    def freeze(self) -> None:
        """Stop every process of it where it is (SIGSTOP): connections stay open and nothing is said."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on (SIGCONT)."""
        self._signal(signal.SIGCONT)

    def kill(self) -> None:
        """Kill every process of it (SIGKILL), the main one first, and wait for their end."""
        processes = self._processes()
        self._signal(signal.SIGKILL)
        until(lambda: not any(map(_lives, processes)), 30, f"{self.name} survives")

    def close(self) -> None:
        """End it and give its disk up."""
        with suppress(FileNotFoundError, ValueError, AssertionError, subprocess.CalledProcessError):
            self.kill()
        if self.disk is not None:
            self.disk.close()
        # What the server started apart from itself (Erlang's port mapper) has its home in our folder too.
        for process in at_home(f"HOME={self._environment['CUNZHENG_SERVICES']}/home"):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)

    def runs(self) -> bool:
        """Tell whether its main process lives."""
        return _lives(self._main())

    def _starts(self) -> bool:
        try:
            self.start()
        except subprocess.CalledProcessError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        for process in self._processes():
            with suppress(ProcessLookupError):
                os.kill(process, number)

    def _main(self) -> int:
        return int(self._run("pid", self.name))

    def _processes(self) -> list[int]:
        """Give the main process and all that came of it, ancestors first."""
        children: dict[int, list[int]] = {}
        for process, parent in _parents():
            children.setdefault(parent, []).append(process)
        found = [self._main()]
        for process in found:
            found.extend(children.get(process, ()))
        return found

    def _run(self, *arguments: str) -> str:
        done = subprocess.run(
            [str(_SCRIPT), *arguments],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            timeout=_STARTED_WITHIN,
            check=True,
        )
        return done.stdout.strip()


def _parents() -> Iterator[tuple[int, int]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            yield int(folder.name), int((folder / "stat").read_text().rpartition(")")[2].split()[1])


def at_home(variable: str) -> Iterator[int]:
    """Give the processes that were started with an environment that holds this ``NAME=value``."""
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if variable.encode() in (folder / "environ").read_bytes().split(b"\0"):
                yield int(folder.name)


def _lives(process: int) -> bool:
    try:
        return (Path("/proc") / str(process) / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@contextmanager
def own_servers(names: Iterable[str], disks: Mapping[str, int] | None = None) -> Iterator[dict[str, Server]]:
    """Start servers, all at once, and end them at the end.

    Args:
        names: Which.
        disks: Sizes of the file systems of those that get a small one.
    """
    # Not in pytest's folder: the servers' user may not enter that.
    base = Path(tempfile.mkdtemp(prefix="cunzheng-own-", dir="/var/tmp"))
    base.chmod(0o755)
    servers: dict[str, Server] = {}
    try:
        for name in names:
            servers[name] = Server(name, base / name, (disks or {}).get(name))
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(Server.start, servers.values()))
        yield servers
    finally:
        for server in servers.values():
            server.close()
        shutil.rmtree(base, ignore_errors=True)
