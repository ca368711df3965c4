# SPDX-License-Identifier: Apache-2.0
"""One question, one answer with a child: JSON lines over its pipes, within a time and a size."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import cast

from documents.errors import ChildFailedError
from storage.processors import on_all


class Channel:
    """Talks with one child that runs ``programs/host.py``.

    Args:
        child: The child, with pipes for input and output.
        limit: Bytes of the largest answer that is read.
    """

    def __init__(self, child: subprocess.Popen[bytes], limit: int) -> None:
        self.child = child
        self._limit = limit
        self._rest = b""

    def ask(self, question: dict[str, object], seconds: float) -> dict[str, object]:
        """Send a question and wait for its answer.

        Raises:
            ChildFailedError: ``timeout``, ``memory``, ``killed``, ``oversize`` or ``failed``.
        """
        if self.child.stdin is None or self.child.stdout is None:
            raise ChildFailedError(reason="killed")
        try:
            self.child.stdin.write(json.dumps(question).encode() + b"\n")
            self.child.stdin.flush()
        except OSError:
            raise ChildFailedError(reason="killed") from None
        return reply_of(self._line(self.child.stdout.fileno(), time.monotonic() + seconds))

    def close(self) -> None:
        """Close the pipes."""
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()

    def _line(self, handle: int, deadline: float) -> bytes:
        chunks, size = [self._rest], len(self._rest)
        waiting = select.poll()
        waiting.register(handle, select.POLLIN)
        while b"\n" not in chunks[-1]:
            left = deadline - time.monotonic()
            if left <= 0 or not waiting.poll(left * 1000):
                raise ChildFailedError(reason="timeout")
            chunk = os.read(handle, 1 << 16)
            if not chunk:
                raise ChildFailedError(reason="killed")
            chunks.append(chunk)
            size += len(chunk)
            if size > self._limit:
                raise ChildFailedError(reason="oversize")
        line, self._rest = b"".join(chunks).split(b"\n", 1)
        return line


def spawn(
    command: Sequence[str], folder: Path, environment: Mapping[str, str], stdin: int, stdout: int
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, on all processors of this process.

    Args:
        command: The program, with what confines it.
        folder: Where it runs.
        environment: All that it has.
        stdin: What it reads from, as ``subprocess`` takes it.
        stdout: What it writes to, in the same way; what it says of errors is discarded.
    """
    with on_all():
        return subprocess.Popen(  # noqa: S603 - the command is ours, its input is what is not trusted
            command,
            cwd=folder,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )


def kill_group(child: subprocess.Popen[bytes]) -> None:
    """Kill a child and all it started, then reap it."""
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def reply_of(line: bytes) -> dict[str, object]:
    """Read what a child answered; raises ``ChildFailedError`` (``memory`` or ``failed``) when it has none."""
    try:
        answer = json.loads(line)
        if "error" in answer:
            reason = "memory" if answer["error"] == "MemoryError" else "failed"
            raise ChildFailedError(reason=reason)
        reply = answer["reply"]
    except (ValueError, TypeError, KeyError):
        raise ChildFailedError(reason="failed") from None
    if not isinstance(reply, dict):
        raise ChildFailedError(reason="failed")
    return cast(dict[str, object], reply)
