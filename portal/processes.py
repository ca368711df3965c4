# SPDX-License-Identifier: Apache-2.0
"""The long-running processes: stop signals, one-of-a-kind locks, and a parent that restarts dead children."""

import fcntl
import os
import resource
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from portal.errors import AlreadyRunningError, PortBusyError

STOP_SECONDS = 15
_WATCH_SECONDS = 0.2
_QUICK_DEATH_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 30.0


def stop_on_signals() -> threading.Event:
    """Give an event that SIGINT and SIGTERM set; call it in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


@contextmanager
def only_one(path: Path) -> Iterator[None]:
    """Hold the operating system's lock on ``path``; it ends with the process, however that dies.

    Raises:
        AlreadyRunningError: Another process holds it.
    """
    with _locked(path, fcntl.LOCK_EX, path.stem):
        yield


@contextmanager
def together(path: Path, alone: str) -> Iterator[None]:
    """Hold a share of the lock on ``path``: others may, too, while :func:`only_one` is refused.

    Args:
        path: The lock.
        alone: What holds the lock for itself when there is no share to be had.

    Raises:
        AlreadyRunningError: Somebody holds it alone.
    """
    with _locked(path, fcntl.LOCK_SH, alone):
        yield


@contextmanager
def _locked(path: Path, way: int, keeper: str) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+") as handle:
        try:
            fcntl.flock(handle, way | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise AlreadyRunningError(process=keeper) from error
        yield


class Colleagues:
    """Worker processes that share a folder: each holds the lock of its own name as long as it lives.

    Args:
        folder: Where the locks lie, beside what the workers stage.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def join(self) -> Iterator[str]:
        """Bear a name that no other worker bears anywhere; it ends with the process, however that dies."""
        self._folder.mkdir(parents=True, exist_ok=True)
        name = f"{socket.gethostname()[:32]}:{os.getpid()}:{secrets.token_hex(4)}"
        path = self._folder / name
        # Locked before it appears: a name that can be seen and is not locked is a dead one's.
        with tempfile.NamedTemporaryFile(dir=self._folder.parent, delete=False) as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            Path(handle.name).rename(path)
            try:
                yield name
            finally:
                path.unlink(missing_ok=True)

    def dead(self) -> Iterator[str]:
        """Give the name of each worker that died; forget it once the caller comes back for the next."""
        for path in sorted(self._folder.glob("*:*")):
            try:
                with path.open("r+") as handle:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    yield path.name
                    path.unlink(missing_ok=True)
            except (BlockingIOError, FileNotFoundError):
                continue


def allow_open_files() -> None:
    """Use as many open files as the system grants: an upload holds one per material until it is received."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def require_free_port(host: str, port: int) -> None:
    """Raise :class:`PortBusyError` when something already listens there."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortBusyError(port=port) from error


def web_lock(data: Path) -> Path:
    """Name the lock that the web processes of a data folder share as long as they live."""
    return data / "web.lock"


def answers(host: str, port: int) -> bool:
    """Tell whether somebody accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False


class Children:
    """Child processes of one installation, restarted when they die.

    Args:
        commands: Arguments of ``cunzheng`` per name.
        environment: Environment of the children.
        logs: Folder that takes each child's output, appended.
        report: Called with name and exit code whenever a child has died and is started again.
        first_environment: What each child's first life alone has in addition; tests set failpoints so.
    """

    def __init__(
        self,
        commands: Mapping[str, Sequence[str]],
        environment: Mapping[str, str],
        logs: Path,
        report: Callable[[str, str], None],
        first_environment: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._commands = dict(commands)
        self._environment = dict(environment)
        self._logs = logs
        self._report = report
        self._first = dict(first_environment or {})
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started: dict[str, float] = {}
        self._pause: dict[str, float] = {}
        self._due: dict[str, float] = {}
        self.restarts = 0

    def start(self, clock: Callable[[], float]) -> None:
        """Start every child."""
        self._logs.mkdir(parents=True, exist_ok=True)
        for name in self._commands:
            self._spawn(name, clock())

    def pid(self, name: str) -> int:
        """Give the process id of a child."""
        return self._running[name].pid

    def pid_if_running(self, name: str) -> int | None:
        """Give the process id of a child, ``None`` between its death and its next life."""
        return self._running[name].pid if name in self._running else None

    def terminate(self, name: str) -> None:
        """Ask a child to end; :meth:`watch` starts it again."""
        self._running[name].terminate()

    def watch(self, clock: Callable[[], float]) -> None:
        """Restart what died; a child that dies at once again and again waits longer each time."""
        now = clock()
        for name, child in list(self._running.items()):
            code = child.poll()
            if code is None:
                continue
            del self._running[name]
            quick = now - self._started[name] < _QUICK_DEATH_SECONDS
            pause = min(self._pause.get(name, 0.25) * 2, _LONGEST_PAUSE_SECONDS) if quick else 0.0
            self._pause[name] = pause
            self._due[name] = now + pause
            self._report(name, f"exit {code}")
        for name, due in list(self._due.items()):
            if due <= now:
                del self._due[name]
                self.restarts += 1
                self._spawn(name, now)

    def watch_until(self, stop: threading.Event, clock: Callable[[], float]) -> None:
        """Watch until ``stop`` is set."""
        while not stop.wait(_WATCH_SECONDS):
            self.watch(clock)

    def stop(self) -> None:
        """Ask every child to end, and kill what does not within ``STOP_SECONDS``."""
        self._due.clear()
        for child in self._running.values():
            child.terminate()
        for child in self._running.values():
            try:
                child.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self._running.clear()

    def _spawn(self, name: str, now: float) -> None:
        command = [sys.executable, "-m", "portal.cli", *self._commands[name]]
        with (self._logs / f"{name}.log").open("ab") as output:
            self._running[name] = subprocess.Popen(  # noqa: S603 - our own program with our own arguments
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment, **self._first.pop(name, {})},
                start_new_session=True,
            )
        self._started[name] = now
