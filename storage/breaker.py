# SPDX-License-Identifier: Apache-2.0
"""Spares callers the wait for a part that was just found away: one asks, the others are told at once."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from storage.errors import CunzhengError


class Breaker:
    """Remembers whether a part was away when it was last asked; safe to use from several threads.

    A part that is away is asked by one caller at a time. All others get its error without waiting, so that
    a part that falls silent cannot hold up every thread of a process, and the first answer ends it.

    Args:
        away: What says that the part is away.
    """

    def __init__(self, away: type[CunzhengError]) -> None:
        self._error = away
        self._away = False
        self._asking = threading.Lock()

    @property
    def away(self) -> bool:
        """Tell whether the part was away when it was last asked."""
        return self._away

    @contextmanager
    def asking(self) -> Iterator[None]:
        """Ask the part in the block, which may be entered once by a thread.

        Raises:
            CunzhengError: The part is away, of the class that was given; from the block, or at once because
                somebody else is asking already.
        """
        alone = self._away
        if alone and not self._asking.acquire(blocking=False):
            raise self._error
        try:
            with self.noticing():
                yield
            self._away = False
        finally:
            if alone:
                self._asking.release()

    @contextmanager
    def noticing(self) -> Iterator[None]:
        """Remember that the part is away when the block says so; nobody is kept from entering it."""
        try:
            yield
        except self._error:
            self._away = True
            raise
