# SPDX-License-Identifier: Apache-2.0
"""Small units of work of several callers as one: what waits while a unit runs is done in the next one.

Beginning a unit, asking the database and making the commit durable cost several times what one check costs.
Nobody waits for others to come: a caller that finds no unit running begins once it has let those go first
whose requests other threads of this process have in hand (ADR 0065). Each keeps its own act, recorded in the
transaction that its answer rests on, and hears its answer after the commit (ADR 0050).
"""

import enum
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, TypeVar, cast

from licenses.information import MOST, InformationCheck, InformationService
from storage.database import Database, LedgerClosedError, UnitOfWork
from storage.engines import RecordsUnavailableError
from storage.identity import Identity

_Asked = TypeVar("_Asked")
_Answer = TypeVar("_Answer")

Statements = tuple[Identity, Sequence[Mapping[str, str]]]
"""Who asks, and what they state of licences."""
Checks = list[InformationCheck]


class _Turn(enum.Enum):
    """What a caller does once it is called."""

    LEAD = enum.auto()
    TAKE = enum.auto()
    ALONE = enum.auto()
    AWAY = enum.auto()


class _Place(Generic[_Asked, _Answer]):
    """A caller that waits: what it asks, and what came of it."""

    __slots__ = ("answer", "asked", "called", "turn")

    def __init__(self, asked: _Asked) -> None:
        self.asked = asked
        self.called = threading.Event()
        self.turn = _Turn.LEAD
        self.answer: _Answer | None = None


class Together(Generic[_Asked, _Answer]):
    """Answers callers in units of work that they share; safe to use from several threads.

    Args:
        database: Opens the units.
        work: Answers each of those who ask, in their order; it is run again from the start where it met
            another unit, and so does nothing outside of its own.
        size: How much is asked.
        most: How much one unit takes on, where several ask.
    """

    def __init__(
        self,
        database: Database,
        work: Callable[[UnitOfWork, Sequence[_Asked]], Sequence[_Answer]],
        size: Callable[[_Asked], int] = lambda _asked: 1,
        most: int = MOST,
    ) -> None:
        self._database = database
        self._work = work
        self._size = size
        self._most = most
        self._lock = threading.Lock()
        self._waiting: deque[_Place[_Asked, _Answer]] = deque()
        self._led = False
        self._in_hand = 0

    @property
    def asking(self) -> int:
        """How many wait for their answer, those of the unit that runs included."""
        with self._lock:
            return self._in_hand + len(self._waiting)

    def ask(self, asked: _Asked) -> _Answer:
        """Give the answer, once it is committed.

        A unit that fails is no answer to anybody: each of its callers is done again in a unit of its own, so
        that only the one whose work it is hears of a failure.

        Raises:
            RecordsUnavailableError: The database does not answer; whether the unit took effect is not known,
                so that nobody's work is done again.
        """
        place = _Place[_Asked, _Answer](asked)
        with self._lock:
            self._waiting.append(place)
            waits, self._led = self._led, True
        if waits:
            place.called.wait()
        if place.turn is _Turn.LEAD:
            self._lead()
        if place.turn is _Turn.AWAY:
            raise RecordsUnavailableError
        if place.turn is _Turn.ALONE:
            return self._write([asked])[0]
        return cast(_Answer, place.answer)

    def _lead(self) -> None:
        """Do the work of the next group, which this thread's own caller leads."""
        self._let_others_come()
        group = self._next_group()
        for place in group:
            place.turn = _Turn.ALONE
        try:
            answers = self._write([place.asked for place in group])
            for place, answer in zip(group, answers, strict=True):
                place.turn, place.answer = _Turn.TAKE, answer
        except LedgerClosedError:
            # It was counted once: for the caller that leads. The others meet it by themselves.
            raise
        except RecordsUnavailableError:
            for place in group:
                place.turn = _Turn.AWAY
            raise
        except Exception:
            if len(group) == 1:
                raise
        finally:
            self._hand_over(group)

    def _write(self, asked: Sequence[_Asked]) -> Sequence[_Answer]:
        def work(uow: UnitOfWork) -> Sequence[_Answer]:
            answers = self._work(uow, asked)
            if len(answers) != len(asked):
                raise ValueError("an answer is missing")
            return answers

        return self._database.write(work)

    def _let_others_come(self) -> None:
        """Let threads go first that have a request in hand, for as long as that brings one more of them here.

        Who is alone goes on at once: no time is waited, only a turn is given away.
        """
        came = 0
        while came < (came := len(self._waiting)) < self._most:
            os.sched_yield()

    def _next_group(self) -> list[_Place[_Asked, _Answer]]:
        with self._lock:
            group = [self._waiting.popleft()]
            left = self._most - self._size(group[0].asked)
            while self._waiting and (left := left - self._size(self._waiting[0].asked)) >= 0:
                group.append(self._waiting.popleft())
            self._in_hand = len(group)
        return group

    def _hand_over(self, group: Sequence[_Place[_Asked, _Answer]]) -> None:
        """Let the next one lead, and those whose turn was set take it."""
        with self._lock:
            self._in_hand = 0
            self._led = bool(self._waiting)
            if self._led:
                self._waiting[0].called.set()
        for place in group[1:]:
            place.called.set()


def information_checks(database: Database, service: InformationService) -> Together[Statements, Checks]:
    """Give the information checks of those who ask at the same time; each asks for one batch."""

    def work(uow: UnitOfWork, asked: Sequence[Statements]) -> list[Checks]:
        found = iter(service.check_each(uow, [(who, one) for who, batch in asked for one in batch]))
        return [[next(found) for _ in batch] for _, batch in asked]

    return Together(database, work, lambda asked: len(asked[1]))
