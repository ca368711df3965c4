# SPDX-License-Identifier: Apache-2.0
"""Whether this process can take work now: the parts without which it would have to refuse."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from portal.rooms import Rooms
from storage.errors import CunzhengError
from storage.ledger.kinds import ActKind

PARTS: Final = ("database", "objects", "ledger")
_FRESH_SECONDS: Final = 2.0


@dataclass(frozen=True, slots=True)
class Standing:
    """What was seen of each part.

    Attributes:
        problems: Code of what is wrong by part, for the parts that do not answer.
        leaving: Whether this process has been told to end and only finishes what reaches it.
    """

    problems: dict[str, str]
    leaving: bool = False

    @property
    def ready(self) -> bool:
        """Tell whether every part answers and this process stays."""
        return not self.problems and not self.leaving


class Readiness:
    """Looks at the parts, at most every few seconds: strangers may ask as often as they like.

    Args:
        rooms: The opened rooms.
        leaving: Tells whether this process is about to end.
    """

    def __init__(self, rooms: Rooms, leaving: Callable[[], bool] = lambda: False) -> None:
        self._rooms = rooms
        self._leaving = leaving
        self._looking = threading.Lock()
        self._seen: tuple[float, dict[str, str]] | None = None
        self._looks: Mapping[str, Callable[[], None]] = {
            "database": self._look_at_database,
            "objects": self._look_at_objects,
            "ledger": lambda: rooms.gate.admit(ActKind.FILING_RECEIVED),
        }

    def look(self) -> Standing:
        """Give what was seen a moment ago, looking again when that is older."""
        with self._looking:
            now = self._rooms.clock.monotonic()
            if self._seen is None or now - self._seen[0] >= _FRESH_SECONDS:
                problems = {part: code for part in PARTS if (code := self._problem(part)) is not None}
                self._seen = (self._rooms.clock.monotonic(), problems)
            return Standing(self._seen[1], leaving=self._leaving())

    def _problem(self, part: str) -> str | None:
        try:
            self._looks[part]()
        except CunzhengError as error:
            return error.code
        except Exception:  # noqa: BLE001 - whatever a part raises, it does not answer
            return CunzhengError.code
        return None

    def _look_at_database(self) -> None:
        with self._rooms.database.reading() as uow:
            uow.session.execute(text("SELECT 1"))

    def _look_at_objects(self) -> None:
        self._rooms.objects.probe()
