# SPDX-License-Identifier: Apache-2.0
"""Pictures of pages, for people who read on a screen: drawn in a limited child, marked, kept nowhere.

Guaranteed: the mark is part of the pixels of every picture; nothing of page or picture outlives the call; no
more than ``at_once`` pictures are drawn at a time, however many are asked for.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import IntEnum

from documents.errors import DrawingBusyError
from documents.sandbox import Limits, Sandbox

LIMITS = Limits(address_space=2 << 30, cpu_seconds=20, wall_seconds=30, file_bytes=32 << 20)
JPEG = "image/jpeg"
_PATIENCE_SECONDS = 30.0


class PageWidth(IntEnum):
    """How wide a picture is, in pixels: to find a page, and to read it."""

    SMALL = 220
    LARGE = 1240


class PageImages:
    """Draws pages; safe to share between threads.

    Args:
        sandbox: Where documents are parsed; see :data:`LIMITS`.
        at_once: Children at the same time; further callers wait.
        patience: Seconds that a caller waits for its turn.
    """

    def __init__(self, sandbox: Sandbox, at_once: int = 2, patience: float = _PATIENCE_SECONDS) -> None:
        self._sandbox = sandbox
        self._turns = threading.BoundedSemaphore(at_once)
        self._patience = patience

    def draw(self, document: bytes, page: int, width: PageWidth, mark: Sequence[str]) -> bytes:
        """Draw one page as JPEG.

        Args:
            document: A PDF.
            page: Its number; the first is 1.
            width: How wide.
            mark: Lines that say who looks, and when.

        Raises:
            ChildFailedError: The page cannot be drawn within the limits, or there is none of this number.
            DrawingBusyError: Too many pages are being drawn.
            SandboxUnavailableError: Nothing can be parsed on this machine.
        """
        with self._turn(), self._sandbox.workroom() as room:
            room.write("source.pdf", document)
            room.call("page", file="source.pdf", out="page.jpg", page=page, width=int(width), mark=list(mark))
            return room.read("page.jpg")

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=self._patience):
            raise DrawingBusyError
        try:
            yield
        finally:
            self._turns.release()
