# SPDX-License-Identifier: Apache-2.0
"""Where untrusted files are parsed: in a child process that can do nothing but answer.

Guaranteed for every child: limits of address space, CPU, file size and descriptors set before it runs, no
core file, an empty environment, a throw-away folder as home and work place, a wall-clock limit after which
the whole process group is killed, no privileges to gain. Where bubblewrap works, it also sees no network, no
other process and no file but the system's libraries, the programs and its own work place. ``layer`` names
what was active; callers put it into their records.

What a child says or writes stays untrusted: answers are JSON within a size limit, files are taken over only
when they are regular files.
"""

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import BinaryIO

from documents.channel import Channel, kill_group, spawn
from documents.errors import ChildFailedError, SandboxUnavailableError
from documents.workrooms import PREFIX, opened, sweep
from documents.zygotes import Trade, Zygotes

PROGRAMS = Path(__file__).with_name("programs")
_MOUNTED_PROGRAMS = Path("/programs")
_JOB = Path("/job")
_SWEEP_SECONDS = 600.0
_SWEPT: dict[Path, float] = {}
"""When this process looked last for what killed ones left, by folder."""


class Layer(StrEnum):
    """How a child is confined."""

    BUBBLEWRAP = "bubblewrap"
    LIMITS = "process-limits"


@dataclass(frozen=True)
class Limits:
    """What one child may use.

    Attributes:
        address_space: Bytes of memory it may map.
        cpu_seconds: Seconds of CPU over its whole life.
        wall_seconds: Seconds that one call may take.
        file_bytes: Bytes of the largest file it may write.
        open_files: Descriptors it may hold.
        reply_bytes: Bytes of the largest answer that is read.
    """

    address_space: int = 3 << 30
    cpu_seconds: int = 60
    wall_seconds: float = 90
    file_bytes: int = 512 << 20
    open_files: int = 256
    reply_bytes: int = 64 << 20


class Workroom:
    """One material's throw-away folder and the children that work in it.

    Use it through :meth:`Sandbox.workroom`. File names are plain names inside the folder.
    """

    def __init__(self, sandbox: "Sandbox", folder: Path) -> None:
        self._sandbox = sandbox
        self._folder = folder
        self._channel: Channel | None = None

    @property
    def layer(self) -> Layer:
        """How the children of this room are confined."""
        return self._sandbox.layer

    def put(self, source: Path | BinaryIO, name: str) -> None:
        """Copy a file in under a new name; raises ``ChildFailedError`` (``unreadable``) when that fails."""
        try:
            with self._create(name) as target:
                if isinstance(source, Path):
                    with source.open("rb") as file:
                        shutil.copyfileobj(file, target, 1 << 20)
                else:
                    shutil.copyfileobj(source, target, 1 << 20)
        except OSError:
            raise ChildFailedError(reason="unreadable") from None

    def write(self, name: str, data: bytes) -> None:
        """Write a new file of ours into the room."""
        with self._create(name) as target:
            target.write(data)

    def folder(self, name: str) -> None:
        """Make a folder in the room, with those above it."""
        (self._folder / name).mkdir(parents=True)

    def _create(self, name: str) -> BinaryIO:
        # A child that ran before could have put a link to a file of ours in the way.
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        return os.fdopen(os.open(self._folder / name, flags, 0o600), "wb")

    def inside(self, name: str) -> str:
        """Give the path by which a child sees a file of this room."""
        return str(self._sandbox.inside(self._folder) / name)

    def take(self, name: str, out: Path) -> None:
        """Copy a file that a child wrote to ``out``; raises what :meth:`open` raises."""
        with self.open(name) as file, out.open("wb") as target:
            shutil.copyfileobj(file, target, 1 << 20)

    def read(self, name: str) -> bytes:
        """Give the bytes of a file that a child wrote; raises what :meth:`open` raises."""
        with self.open(name) as file:
            return file.read()

    def open(self, name: str) -> BinaryIO:
        """Open a file that a child wrote, refusing anything that is not a regular file with content.

        Raises:
            ChildFailedError: Reason ``no-output``: it is not there, empty, or no regular file.
        """
        # A child could plant a link to a file of ours, or a pipe that never ends.
        try:
            handle = os.open(self._folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except OSError:
            raise ChildFailedError(reason="no-output") from None
        file = os.fdopen(handle, "rb")
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode) or facts.st_size == 0:
            file.close()
            raise ChildFailedError(reason="no-output")
        return file

    def call(self, program: str, **request: object) -> dict[str, object]:
        """Run a program of ``documents/programs`` in this room's child and give its answer.

        Raises:
            ChildFailedError: It gave none; see the error's reasons. The next call starts a new child.
        """
        if self._channel is None:
            host = self._sandbox.programs / "host.py"
            command = [sys.executable, "-I", "-B", str(host)]
            self._channel = Channel(
                self._sandbox.start(command, self._folder, self._sandbox.limits, pipes=True),
                self._sandbox.limits.reply_bytes,
            )
        try:
            return self._channel.ask(
                {"program": program, "request": request}, self._sandbox.limits.wall_seconds
            )
        except ChildFailedError as failure:
            if failure.reason != "failed":
                self.close()
            raise

    def run(self, command: Sequence[str], limits: Limits, extra: Mapping[Path, Path] | None = None) -> int:
        """Run a foreign program in a child of its own and give its exit code.

        Args:
            command: The program and its arguments; its working folder is the room.
            limits: What it may use.
            extra: Further folders it may read: where they lie → where it sees them.

        Raises:
            ChildFailedError: Reason ``timeout``.
        """
        child = self._sandbox.start(command, self._folder, limits, extra=extra or {})
        try:
            return child.wait(limits.wall_seconds)
        except subprocess.TimeoutExpired:
            raise ChildFailedError(reason="timeout") from None
        finally:
            kill_group(child)

    def close(self) -> None:
        """End the child."""
        if self._channel is not None:
            kill_group(self._channel.child)
            self._channel.close()
            self._channel = None


class Sandbox:
    """Makes workrooms; safe to share between threads.

    Args:
        limits: What a Python child may use.
        bubblewrap: False to do without it; None to use it when it works.
        scratch: Where workrooms are made; the system's temporary folder by default.
        programs: The folder with ``host.py`` and the programs that children run.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        bubblewrap: bool | None = None,
        scratch: Path | None = None,
        programs: Path = PROGRAMS,
    ) -> None:
        self.limits = limits or Limits()
        # A child sees other places than we do: relative paths would mean something else to it.
        self._scratch = scratch.absolute() if scratch is not None else None
        self._programs = programs
        self._lock = threading.Lock()
        self._bubblewrap = bubblewrap
        self._layer: Layer | None = None
        self._zygotes: dict[tuple[Trade, Limits], Zygotes] = {}

    def __reduce__(self) -> tuple[Callable[[Limits], "Sandbox"], tuple[Limits]]:
        """Go to another process as what it was made of; there it finds its layer itself."""
        make = partial(Sandbox, bubblewrap=self._bubblewrap, scratch=self._scratch, programs=self._programs)
        return make, (self.limits,)

    def within(self, scratch: Path) -> "Sandbox":
        """Give one like this that makes its workrooms elsewhere."""
        return Sandbox(self.limits, bubblewrap=self._bubblewrap, scratch=scratch, programs=self._programs)

    @property
    def layer(self) -> Layer:
        """The layer that children get; found once, by trying.

        Raises:
            SandboxUnavailableError: Not even limits can be set (``prlimit``, ``setpriv`` are missing), or
                bubblewrap is demanded and does not work here; it is tried again when next asked for.
        """
        with self._lock:
            if self._layer is None:
                if not shutil.which("prlimit") or not shutil.which("setpriv"):
                    raise SandboxUnavailableError
                usable = self._bubblewrap is not False and _bubblewrap_works()
                if self._bubblewrap and not usable:
                    raise SandboxUnavailableError(reason="bubblewrap")
                self._layer = Layer.BUBBLEWRAP if usable else Layer.LIMITS
        return self._layer

    def prove(self) -> None:
        """Let a child answer once, so that a machine that cannot run any is not mistaken for bad files.

        Raises:
            SandboxUnavailableError: No child can be started here.
        """
        with self.workroom() as room:
            room.write("source", b"no material")
            try:
                room.call("pdf", do="examine", file="source")
            except ChildFailedError as failure:
                raise SandboxUnavailableError(reason=failure.reason) from None

    @property
    def programs(self) -> Path:
        """Where a child sees the folder of programs."""
        return _MOUNTED_PROGRAMS if self.layer is Layer.BUBBLEWRAP else self._programs

    def inside(self, folder: Path) -> Path:
        """Where a child sees its work place."""
        return _JOB if self.layer is Layer.BUBBLEWRAP else folder

    @contextmanager
    def workroom(self) -> Iterator[Workroom]:
        """Give a workroom; its folder and children are gone afterwards, and what killed processes left is."""
        if self._scratch is not None and _time_to_sweep(self._scratch):
            sweep(self._scratch)
        with opened(self._scratch) as folder:
            (folder / "home").mkdir()
            room = Workroom(self, folder)
            try:
                yield room
            finally:
                room.close()

    def zygotes(self, trade: Trade, limits: Limits | None = None) -> Zygotes:
        """Give the children that do one kind of work on one file each; the imports of all are done once.

        Args:
            trade: What they do.
            limits: What each job may use; the sandbox's own by default.

        Raises:
            SandboxUnavailableError: Nothing can be parsed on this machine.
        """
        limits = limits or self.limits
        confined = self.layer is Layer.BUBBLEWRAP
        with self._lock:
            found = self._zygotes.get((trade, limits))
            if found is None:
                command, shown = trade.command(confined=confined)

                def start(control: int) -> subprocess.Popen[bytes]:
                    return self.start(command, None, limits, extra=shown, stdin=control)

                found = self._zygotes[trade, limits] = Zygotes(
                    start, limits.wall_seconds, limits.reply_bytes, forks=confined
                )
        return found

    def close(self) -> None:
        """End the children that wait for work; the next file starts new ones."""
        with self._lock:
            waiting = list(self._zygotes.values())
        for zygotes in waiting:
            zygotes.close()

    def start(
        self,
        command: Sequence[str],
        folder: Path | None,
        limits: Limits,
        *,
        pipes: bool = False,
        extra: Mapping[Path, Path] | None = None,
        stdin: int = subprocess.DEVNULL,
    ) -> subprocess.Popen[bytes]:
        """Start a confined child in a process group of its own; its output is discarded unless piped.

        Without a folder the child has no place to write to, and in bubblewrap no ``/proc`` either.
        """
        home = "/" if folder is None else str(self.inside(folder) / "home")
        environment = {"PATH": "/usr/bin:/bin", "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8"}
        wrapped = [*_limit(limits), *command]
        if self.layer is Layer.BUBBLEWRAP:
            shown = {self._programs: _MOUNTED_PROGRAMS, **(extra or {})}
            wrapped = [*_bubblewrap(folder, shown), *wrapped]
        out = subprocess.PIPE if pipes else subprocess.DEVNULL
        return spawn(wrapped, folder or Path("/"), environment, subprocess.PIPE if pipes else stdin, out)


def _limit(limits: Limits) -> list[str]:
    return [
        "setpriv",
        "--no-new-privs",
        "prlimit",
        f"--as={limits.address_space}",
        f"--cpu={limits.cpu_seconds}",
        f"--fsize={limits.file_bytes}",
        f"--nofile={limits.open_files}",
        "--core=0",
        "--",
    ]


def _bubblewrap(folder: Path | None, shown: Mapping[Path, Path]) -> list[str]:
    command = ["bwrap", "--unshare-all", "--die-with-parent", "--cap-drop", "ALL"]
    if folder is not None:
        command += ["--tmpfs", "/tmp", "--proc", "/proc"]  # noqa: S108 - the child's own
    for name in ("usr", "bin", "sbin", "lib", "lib32", "lib64"):
        place = Path("/") / name
        if place.is_symlink():
            command += ["--symlink", str(place.readlink()), str(place)]
        elif place.is_dir():
            command += ["--ro-bind", str(place), str(place)]
    for name in ("ld.so.cache", "alternatives", "fonts", "libreoffice"):
        command += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    for prefix in {sys.prefix, sys.base_prefix, str(Path(sys.executable).resolve().parent.parent)} - {"/usr"}:
        command += ["--ro-bind", prefix, prefix]
    for here, there in shown.items():
        command += ["--ro-bind", str(here), str(there)]
    command += ["--dev", "/dev"]
    if folder is None:
        return [*command, "--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/", "--"]
    job = str(_JOB)
    return [*command, "--bind", str(folder), job, "--chdir", job, "--"]


def _time_to_sweep(scratch: Path) -> bool:
    now = time.monotonic()
    due = now - _SWEPT.get(scratch, -_SWEEP_SECONDS) >= _SWEEP_SECONDS
    if due:
        _SWEPT[scratch] = now
    return due


def _bubblewrap_works() -> bool:
    if not shutil.which("bwrap"):
        return False
    with tempfile.TemporaryDirectory(prefix=PREFIX) as folder:
        command = [*_bubblewrap(Path(folder), {}), "true"]
        try:
            return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0  # noqa: S603
        except (OSError, subprocess.TimeoutExpired):
            return False
