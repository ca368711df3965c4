# SPDX-License-Identifier: Apache-2.0
"""Data of which two persons approve editions: what is held, and how what was approved meanwhile is taken.

Every process holds its data and asks every few seconds for editions that were approved since; nothing that is
held is ever altered. Where editions stand, only ``portal`` knows: it passes a function in.
"""

import logging
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar, Final, Generic, TypeAlias, TypeVar

Part = TypeVar("Part")
LookUp: TypeAlias = Callable[[int], Iterable[tuple[int, Sequence[Part]]]]
"""Gives the editions that were approved after a number, each with its number, the oldest first."""
FRESH_SECONDS: Final = 3.0
"""How old a list may be; what is missing is asked for at once."""
_log: Final = logging.getLogger("cunzheng.editions")


class Adopting(ABC, Generic[Part]):
    """Data that grow by approved editions. Safe between threads.

    Args:
        look_up: Asks for approved editions; without it, what one begins with is all.
    """

    parts: ClassVar[str]
    """What an edition is made of, for the log."""

    def __init__(self, look_up: LookUp[Part] | None = None) -> None:
        self._look_up = look_up
        self._adopting = threading.Lock()
        self._number = 0
        self._looked_at: float | None = None

    def adopt(self, parts: Iterable[Part], number: int = 0) -> tuple[Part, ...]:
        """Hold further parts; what is held is never altered, and passed over when it comes again.

        Args:
            parts: The parts.
            number: Number of the approved edition that they came with.

        Returns:
            What contradicts what is held and therefore was not taken.

        Raises:
            ValueError: A part contradicts itself; none is taken then.
        """
        with self._adopting:
            refused = self._hold(parts)
            self._number = max(self._number, number)
        return refused

    @abstractmethod
    def _hold(self, parts: Iterable[Part]) -> tuple[Part, ...]:
        """Hold further parts, all at once for readers, and give those that cannot be taken."""

    def look_again(self) -> None:
        """Let newer editions be asked for at the next look, however young the last one is."""
        self._looked_at = None

    def refresh(self) -> None:
        """Ask for the editions that were approved meanwhile, and hold them from now on."""
        if self._look_up is None:
            return
        for number, parts in self._look_up(self._number):
            try:
                refused = len(self.adopt(parts, number))
            except ValueError:
                # Other editions serve on, and this one is not read again and again.
                refused = len(parts)
                with self._adopting:
                    self._number = max(self._number, number)
            if refused:
                _log.error(
                    "edition %d: %d %s contradict what is held and were not taken",
                    number,
                    refused,
                    self.parts,
                )

    def freshen(self) -> None:
        """Ask for newer editions when that was not done for some seconds."""
        now = time.monotonic()
        if self._looked_at is None or now - self._looked_at >= FRESH_SECONDS:
            self._looked_at = now
            self.refresh()
