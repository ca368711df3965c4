# SPDX-License-Identifier: Apache-2.0
"""How the parts stand, and whether this process can take work: some parts it can do without.

Without database or ledger nothing may be answered. Without the object server proofs and checks go on, and
without index and broker everything does; then a process must not be taken out of service.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text

from portal.rooms import Rooms
from storage.errors import CunzhengError
from storage.ledger.kinds import ActKind

NEEDED: Final = ("database", "ledger")
"""The parts without which this process refuses everything that must be recorded."""
SILENT: Final = "no-answer"
_FRESH_SECONDS: Final = 2.0
_PATIENCE_SECONDS: Final = 1.5


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
        """Tell whether every part that is needed answers and this process stays."""
        return not self.leaving and not any(part in self.problems for part in NEEDED)

    @property
    def word(self) -> str:
        """Give ``ready``, ``degraded`` (without a part that can be spared), ``not-ready`` or ``leaving``."""
        if self.leaving:
            return "leaving"
        if not self.ready:
            return "not-ready"
        return "degraded" if self.problems else "ready"


class Readiness:
    """Looks at the parts, at most every few seconds: strangers may ask as often as they like.

    All parts are asked at once, and one that is silent for a moment counts as away: who asks whether this
    process can take work must not be made to wait by a part that hangs.

    Args:
        rooms: The opened rooms.
        leaving: Tells whether this process is about to end.
    """

    def __init__(self, rooms: Rooms, leaving: Callable[[], bool] = lambda: False) -> None:
        self._rooms = rooms
        self._leaving = leaving
        self._looking = threading.Lock()
        self._seen: tuple[float, dict[str, str]] | None = None
        self._asking: dict[str, Future[str | None]] = {}
        self._looks: dict[str, Callable[[], object]] = {
            "database": self._look_at_database,
            "ledger": lambda: rooms.gate.admit(ActKind.FILING_RECEIVED),
            "objects": self._look_at_objects,
            "index": self._look_at_index,
        }
        if rooms.ask_broker is not None:
            self._looks["broker"] = rooms.ask_broker
        self._pool = ThreadPoolExecutor(len(self._looks), "readiness")

    @property
    def parts(self) -> tuple[str, ...]:
        """Name the parts that this installation has."""
        return tuple(self._looks)

    def look(self) -> Standing:
        """Give what was seen a moment ago, looking again when that is older."""
        with self._looking:
            now = self._rooms.clock.monotonic()
            if self._seen is None or now - self._seen[0] >= _FRESH_SECONDS:
                self._seen = (self._rooms.clock.monotonic(), self._problems())
            return Standing(self._seen[1], leaving=self._leaving())

    def _problems(self) -> dict[str, str]:
        for part in self._looks:
            if part not in self._asking:
                self._asking[part] = self._pool.submit(self._problem, part)
        wait(self._asking.values(), _PATIENCE_SECONDS)
        # Who has not answered yet is not asked a second time.
        seen = {
            part: self._asking.pop(part).result() if self._asking[part].done() else SILENT
            for part in self._looks
        }
        return {part: code for part, code in seen.items() if code is not None}

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

    def _look_at_index(self) -> None:
        self._rooms.index.indexed_up_to()
