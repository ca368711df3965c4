# SPDX-License-Identifier: Apache-2.0
"""Which processors of the machine the threads of this process run on.

A process that is one interpreter runs one thread at a time: a second processor gives it little, and handing
the interpreter over to a thread on another one costs a wake-up of that processor, dozens of times a
request (ADR 0065). Such a process keeps to one; programs that it starts run on all.
"""

import os
import socket
from collections.abc import Collection, Iterator
from contextlib import contextmanager

_KNOWN = hasattr(os, "sched_setaffinity")
_ALLOWED: frozenset[int] = frozenset(os.sched_getaffinity(0)) if _KNOWN else frozenset()
"""Where the process was started to run: an operator may have said so."""


class Claim:
    """A processor that no other process of this installation's kind keeps to, as long as this one lives.

    Attributes:
        processor: Its number; ``None`` where there is none to keep to.
    """

    def __init__(self, processor: int | None = None, held: socket.socket | None = None) -> None:
        self.processor = processor
        self._held = held

    def release(self) -> None:
        """Let another process keep to it."""
        if self._held is not None:
            self._held.close()


def keep_to_one(name: str) -> Claim:
    """Keep the calling thread, and those that it starts, to one processor that no other process has claimed.

    Nothing changes where there is but one, where all are claimed, or where the system does not allow it.

    Args:
        name: For what it is claimed.
    """
    if len(_ALLOWED) < 2:
        return Claim()
    for processor in sorted(_ALLOWED, reverse=True):
        held = _claimed(name, processor)
        if held is not None and _moved({processor}):
            return Claim(processor, held)
        if held is not None:
            held.close()
    return Claim()


@contextmanager
def on_all() -> Iterator[None]:
    """Let what is started within run on every processor that this process was started with."""
    if not _KNOWN:
        yield
        return
    kept: Collection[int] = os.sched_getaffinity(0)
    if kept == _ALLOWED:
        yield
        return
    _moved(_ALLOWED)
    try:
        yield
    finally:
        _moved(kept)


def _moved(processors: Collection[int]) -> bool:
    """Tell whether the system took it; what it only makes faster must not keep anything from working."""
    try:
        os.sched_setaffinity(0, processors)
    except OSError:
        return False
    return True


def _claimed(name: str, processor: int) -> socket.socket | None:
    """Take a name that the system gives back when this process ends, however it ends."""
    try:
        held = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    except OSError:
        return None
    try:
        held.bind(f"\0cunzheng-{name}-{processor}")
    except OSError:
        held.close()
        return None
    return held
