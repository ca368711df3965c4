# SPDX-License-Identifier: Apache-2.0
"""Parts that steps need: while one is away the steps wait for it, and go on by themselves when it is back.

A step that meets an absent part is not counted as tried. Its kind is then left alone until the part answers,
because each vain try would plan the step anew and so leave an intent and its end in the ledger.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr
from sqlalchemy import update

from indexer.errors import IndexUnavailableError
from indexer.ports import Index
from portal.queues import queue_of
from storage.clock import Clock
from storage.database import Database
from storage.errors import CunzhengError
from storage.objects.ports import ObjectStore, ObjectStoreUnusableError
from storage.steps import StepRow, may_run

LOOK_SECONDS = 1.0
_LONGEST_PAUSE = 60.0
_STEADY_SECONDS = 300.0

log = logging.getLogger("cunzheng.worker")


@dataclass(frozen=True, slots=True)
class Need:
    """A part without which some steps cannot go on.

    Attributes:
        lack: What a step raises that misses it.
        kinds: The steps that need it.
        ask: Returns when the part works, and raises what ``lack`` says when not; may take seconds.
    """

    lack: type[CunzhengError]
    kinds: frozenset[str]
    ask: Callable[[], object]


def needs_of(kinds: Collection[str], objects: ObjectStore, index: Index) -> tuple[Need, ...]:
    """Give what steps need: those that index need the index, those that tell nothing, others the objects."""
    indexing = frozenset(kind for kind in kinds if queue_of(kind) == "index")
    telling = frozenset(kind for kind in kinds if queue_of(kind) == "notify")
    return (
        Need(ObjectStoreUnusableError, frozenset(kinds) - indexing - telling, objects.probe),
        Need(IndexUnavailableError, indexing, index.indexed_up_to),
    )


def broker_question(broker: SecretStr | None) -> Callable[[], None] | None:
    """Give what asks whether the broker answers, whom no step needs; ``None`` where there is none."""
    if broker is None:
        return None
    from portal.doorbell import ask_broker  # noqa: PLC0415 - Celery is there for those who configure it

    return partial(ask_broker, broker.get_secret_value())


@dataclass(slots=True)
class _Absence:
    """An absent part: what is told of it, when it is asked next, how long it was left alone before that."""

    problem: str
    due: float
    pause: float


class Needs:
    """Knows which steps can go on; safe to use from several threads.

    Args:
        needs: The parts; none of them shares a kind of error with another.
        database: Where the table of steps lives.
        clock: Where time comes from.
    """

    def __init__(self, needs: Sequence[Need], database: Database, clock: Clock) -> None:
        self._needs = needs
        self._database = database
        self._clock = clock
        self._lock = threading.Lock()
        self._absent: dict[int, _Absence] = {}
        self._returned: dict[int, tuple[float, float]] = {}

    def met(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Give those of the kinds whose parts are there, as far as is known."""
        with self._lock:
            lacking = [self._needs[place].kinds for place in self._absent]
        return tuple(kind for kind in kinds if not any(kind in one for one in lacking))

    def note(self, error: CunzhengError) -> None:
        """Take note of an error that a step met."""
        for place, need in enumerate(self._needs):
            if isinstance(error, need.lack):
                with self._lock:
                    if place not in self._absent:
                        pause = self._pause(place)
                        self._absent[place] = _Absence(error.code, self._clock.monotonic() + pause, pause)
                        log.warning("steps wait: %s", error.code)

    def look(self) -> None:
        """Ask the absent parts whose time has come; wake the steps of those that are back."""
        now = self._clock.monotonic()
        with self._lock:
            due = [(place, one) for place, one in self._absent.items() if one.due <= now]
        for place, absence in due:
            need = self._needs[place]
            try:
                need.ask()
            except Exception as error:  # noqa: BLE001 - whatever a part answers with, it is not back
                self._mark(need, error.code if isinstance(error, need.lack) else absence.problem)
                absence.due = self._clock.monotonic() + absence.pause
            else:
                self._welcome(place, absence)

    def _pause(self, place: int) -> float:
        """Give how long a part is left alone: longer each time when it does not last after its return."""
        returned, pause = self._returned.get(place, (float("-inf"), 0.0))
        if self._clock.monotonic() - returned > _STEADY_SECONDS:
            return LOOK_SECONDS
        return min(pause * 2, _LONGEST_PAUSE)

    def _mark(self, need: Need, problem: str) -> None:
        """Let steps that could run say what they wait for; what they said already stands."""
        now = self._clock.now()
        with self._database.claiming() as session:
            session.execute(
                update(StepRow)
                .where(
                    StepRow.kind.in_(need.kinds),
                    StepRow.state == "ready",
                    StepRow.problem.is_(None),
                    may_run(now),
                )
                .values(problem=problem, problem_since=now),
                execution_options={"synchronize_session": False},
            )

    def _welcome(self, place: int, absence: _Absence) -> None:
        with self._lock:
            self._returned[place] = (self._clock.monotonic(), absence.pause)
            self._absent.pop(place, None)
        # A ring that comes before we know of the return would find us unable.
        self._database.write(lambda uow: uow.wake(absence.problem))
        log.warning("steps go on: %s is over", absence.problem)
