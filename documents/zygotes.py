# SPDX-License-Identifier: Apache-2.0
"""Children that import once: each file is handled in a fork of a confined child, and the fork dies with it.

Guarantees: a job is a process of its own in namespaces of its own; it sees the bytes of its own file and no
other's, since they come as sealed memory and not as a file; its answer comes on a pipe of its own, so it can
answer for no other; it is ended, with all that it started, when its time is over. A child does one job at a
time, and one whose job did not end by itself is thrown away, so whoever breaks a parser meets another layout
of memory the next time. A child that died is replaced, and the job is done again once.

Where jobs cannot get namespaces of their own, each file gets a child of its own (``programs/zygote.py``).

Safe to share between threads. A process that was forked off starts children of its own.
"""

import fcntl
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from documents.channel import kill_group, reply_of
from documents.errors import ChildFailedError

_PROGRAM = Path(__file__).with_name("programs") / "zygote.py"
_MOUNTED, _MOUNTED_TRADE, _MOUNTED_PACKAGES = Path("/zygote"), Path("/trade"), Path("/packages")
_SEALS = fcntl.F_SEAL_WRITE | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL
_MOST_IDLE = 2
_MOST_JOBS = 1_000
"""Jobs of one child: forks share its layout of memory, which must not last for ever."""


@dataclass(frozen=True, slots=True)
class Trade:
    """One kind of work.

    Attributes:
        program: A file with ``main(request)``; what it works on is open for reading at ``request["file"]``.
            ``warm()``, if it has one, does such work on something of our own, once, before the first file.
        packages: Folders of our packages that it imports; all in one folder.
    """

    program: Path
    packages: tuple[Path, ...] = ()

    def command(self, *, confined: bool) -> tuple[list[str], Mapping[Path, Path]]:
        """Give the command of a child, and what it must be shown of the file system and where."""
        zygote, program, root = _PROGRAM, self.program, _MOUNTED_PACKAGES
        shown: dict[Path, Path] = {}
        if confined:
            shown = {folder: root / folder.name for folder in self.packages}
            shown |= {program.parent: _MOUNTED_TRADE, zygote.parent: _MOUNTED}
            program, zygote = shown[program.parent] / program.name, _MOUNTED / zygote.name
        elif self.packages:
            root = self.packages[0].parent
        arguments = [str(program), "fork" if confined else "once", *([str(root)] if self.packages else [])]
        return [sys.executable, "-I", "-B", str(zygote), *arguments], shown


class _ZygoteDiedError(Exception):
    """The child died and not its job: whatever the job was, it may be done again."""


class _Zygote:
    """One child, idle or with one job.

    Raises:
        ChildFailedError: It did not get ready.
    """

    def __init__(self, start: Callable[[int], subprocess.Popen[bytes]], deadline: float) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self.child = _starter().submit(start, theirs.fileno()).result()
        except BaseException:
            self._control.close()
            raise
        self.jobs = 0
        try:
            self.forks = self._hear(deadline) == b"forks"
        except _ZygoteDiedError:
            self.close()
            raise ChildFailedError(reason="killed") from None
        except BaseException:
            self.close()
            raise

    def is_fit(self) -> bool:
        """Tell whether it can take another job."""
        return self.forks and self.jobs < _MOST_JOBS and not _waits(self._control.fileno(), 0)

    def ask(self, question: int, file: int, limit: int, deadline: float) -> dict[str, object]:
        """Have a job done; what it raises is the job's own end, or ``_ZygoteDiedError``."""
        answer, theirs = os.pipe2(os.O_CLOEXEC)
        for handle in (question, file):
            os.lseek(handle, 0, os.SEEK_SET)
        try:
            try:
                socket.send_fds(self._control, [b"job"], [question, file, theirs])
            except OSError:
                raise _ZygoteDiedError from None
            finally:
                os.close(theirs)
            self.jobs += 1
            said = _read(answer, limit, deadline)
        finally:
            os.close(answer)
        if self.forks and self._hear(deadline) != b"0":
            raise ChildFailedError(reason="killed")
        if not said:
            raise ChildFailedError(reason="killed")
        return reply_of(said)

    def _hear(self, deadline: float) -> bytes:
        if not _waits(self._control.fileno(), deadline - time.monotonic()):
            raise ChildFailedError(reason="timeout")
        try:
            said = self._control.recv(64)
        except OSError:
            said = b""
        if not said:
            raise _ZygoteDiedError
        return said

    def close(self) -> None:
        """End it, with its job and all that it started."""
        self._control.close()
        kill_group(self.child)

    def disown(self) -> None:
        """Let go of it in a process that was forked off: it belongs to the other one."""
        self._control.close()
        self.child.poll()


class Zygotes:
    """Children for one kind of work.

    Args:
        start: Starts a confined child with the descriptor of a socket as its standard input.
        wall_seconds: Seconds that a job may take, the start of a child included.
        reply_bytes: Bytes of the largest answer that is read.
        forks: Whether a child may be used for more than one job, each in a fork.
    """

    def __init__(
        self,
        start: Callable[[int], subprocess.Popen[bytes]],
        wall_seconds: float,
        reply_bytes: int,
        *,
        forks: bool,
    ) -> None:
        self._start = start
        self._wall_seconds = wall_seconds
        self._reply_bytes = reply_bytes
        self._forks = forks
        self._lock = threading.Lock()
        self._idle: list[_Zygote] = []
        self._busy: set[_Zygote] = set()
        _every.add(self)
        weakref.finalize(self, _end, self._idle)

    def ask(self, file: Path, **request: object) -> dict[str, object]:
        """Have one file worked on and give the answer.

        Args:
            file: The file; the job gets its bytes.
            request: What the program is asked besides.

        Raises:
            ChildFailedError: It gave none; see the error's reasons, and ``unreadable``: we could not read it.
        """
        deadline = time.monotonic() + self._wall_seconds
        with _sealed(json.dumps(request).encode()) as question, _sealed(file) as bytes_of_file:
            try:
                return self._ask(question, bytes_of_file, deadline)
            except _ZygoteDiedError:
                with suppress(_ZygoteDiedError):
                    return self._ask(question, bytes_of_file, deadline)
        raise ChildFailedError(reason="killed")

    def can_fork(self) -> bool:
        """Tell whether a file is worked on in a fork of a child that is kept; if not, each gets a child.

        Raises:
            ChildFailedError: No child gets ready.
        """
        zygote = self._take(time.monotonic() + self._wall_seconds)
        self._give_back(zygote, fit=True)
        return self._forks and zygote.forks

    def _ask(self, question: int, file: int, deadline: float) -> dict[str, object]:
        zygote = self._take(deadline)
        fit = False
        try:
            try:
                reply = zygote.ask(question, file, self._reply_bytes, deadline)
            except ChildFailedError as failure:
                # A program that raised ended as it should; whatever else a job did, its child is not kept.
                fit = failure.reason == "failed"
                raise
            fit = True
            return reply
        finally:
            self._give_back(zygote, fit=fit)

    def _take(self, deadline: float) -> _Zygote:
        while True:
            with self._lock:
                zygote = self._idle.pop() if self._idle else None
                if zygote is not None:
                    self._busy.add(zygote)
            if zygote is None:
                break
            if zygote.is_fit():
                return zygote
            self._give_back(zygote, fit=False)
        zygote = _Zygote(self._start, deadline)
        with self._lock:
            self._busy.add(zygote)
        return zygote

    def _give_back(self, zygote: _Zygote, *, fit: bool) -> None:
        fit = fit and self._forks and zygote.is_fit()
        with self._lock:
            self._busy.discard(zygote)
            fit = fit and len(self._idle) < _MOST_IDLE
            if fit:
                self._idle.append(zygote)
        if not fit:
            zygote.close()

    def close(self) -> None:
        """End the children that wait for work."""
        with self._lock:
            ended, self._idle[:] = list(self._idle), []
        _end(ended)

    def forget(self) -> None:
        """Let go of all children, in a process that was forked off."""
        self._lock = threading.Lock()
        for zygote in (*self._idle, *self._busy):
            zygote.disown()
        self._idle.clear()
        self._busy.clear()


_every: weakref.WeakSet[Zygotes] = weakref.WeakSet()
_starting = threading.Lock()
_starter_found: ThreadPoolExecutor | None = None


def _starter() -> ThreadPoolExecutor:
    """Give the thread that starts children: they die with the thread that started them, so it must last."""
    global _starter_found  # noqa: PLW0603 - one for each process
    with _starting:
        if _starter_found is None:
            _starter_found = ThreadPoolExecutor(1, thread_name_prefix="zygotes")
        return _starter_found


def _forget() -> None:
    global _starting, _starter_found
    _starting, _starter_found = threading.Lock(), None
    for zygotes in list(_every):
        zygotes.forget()


os.register_at_fork(after_in_child=_forget)


def _end(zygotes: list[_Zygote]) -> None:
    for zygote in zygotes:
        zygote.close()


@contextmanager
def _sealed(source: bytes | Path) -> Iterator[int]:
    """Give memory that holds some bytes and that nobody can change any more."""
    handle = os.memfd_create("job", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    with os.fdopen(handle, "r+b") as memory:
        try:
            if isinstance(source, Path):
                with source.open("rb") as file:
                    shutil.copyfileobj(file, memory, 1 << 20)
            else:
                memory.write(source)
            memory.flush()
        except OSError:
            raise ChildFailedError(reason="unreadable") from None
        fcntl.fcntl(handle, fcntl.F_ADD_SEALS, _SEALS)
        yield handle


def _read(handle: int, limit: int, deadline: float) -> bytes:
    """Read an answer to its end."""
    chunks: list[bytes] = []
    size = 0
    while True:
        if not _waits(handle, deadline - time.monotonic()):
            raise ChildFailedError(reason="timeout")
        chunk = os.read(handle, 1 << 16)
        if not chunk:
            return b"".join(chunks)
        chunks.append(chunk)
        size += len(chunk)
        if size > limit:
            raise ChildFailedError(reason="oversize")


def _waits(handle: int, seconds: float) -> bool:
    """Tell whether something can be read, or the other side is gone, within some seconds."""
    waiting = select.poll()
    waiting.register(handle, select.POLLIN)
    return bool(waiting.poll(max(seconds, 0) * 1000))
