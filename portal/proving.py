# SPDX-License-Identifier: Apache-2.0
"""Composes what answers no-proof questions: the rules, and where evidence comes from."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final, Protocol

from archive.prior_cases import FiledCases
from cases.calendar import WorkingCalendar
from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.services import CaseService
from licenses.answers import AnswerKeys
from licenses.decisions import ProofService
from licenses.holdings import Holdings
from licenses.inquiry import Inquiry
from licenses.ladder.clock import LadderClock
from licenses.ladder.deadlines import Deadlines
from licenses.ladder.services import LadderService
from licenses.ladder.standing import TakenRungs
from licenses.relations import Relations
from licenses.rules import RuleBook
from portal.books import Books
from portal.housekeeping import repeatedly
from storage.database import Database

_LOOK_SECONDS: Final = 60.0


class EvidenceParts(Protocol):
    """What facts are gathered from."""

    @property
    def holdings(self) -> Holdings:
        """What the library holds."""
        ...

    @property
    def holders(self) -> HolderService:
        """Finds holders."""
        ...

    @property
    def items(self) -> ItemCatalogue:
        """Items and departments."""
        ...

    @property
    def rules(self) -> RuleBook:
        """The rules."""
        ...

    @property
    def books(self) -> Books:
        """The table of relations among them."""
        ...


class SigningParts(EvidenceParts, Protocol):
    """What facts are gathered from, and what signs."""

    @property
    def answers(self) -> AnswerKeys:
        """Sign answers and statements."""
        ...


class ProofParts(SigningParts, Protocol):
    """What answers are made of."""

    @property
    def cases(self) -> CaseService:
        """Finds cases."""
        ...


def proof_service(parts: ProofParts) -> ProofService:
    """Compose the service that answers no-proof questions."""
    return ProofService(parts.rules, parts.holdings, parts.cases, parts.answers, inquiry=inquiry_of(parts))


def inquiry_of(parts: EvidenceParts) -> Inquiry:
    """Compose what gathers the facts of a question."""
    relations = Relations(parts.holdings, parts.holders, parts.books.relations)
    return Inquiry(parts.holdings, parts.rules, relations, FiledCases(parts.items), TakenRungs(parts.items))


def ladder_service(parts: SigningParts) -> LadderService:
    """Compose what takes rungs of the ladder."""
    return LadderService(parts.rules, inquiry_of(parts), Deadlines(working_calendar()), parts.answers)


def ladder_clock(parts: SigningParts) -> LadderClock:
    """Compose what records the deadlines of rungs."""
    return LadderClock(ladder_service(parts), Deadlines(working_calendar()), parts.answers)


class LadderWatch:
    """Looks every minute for rungs whose hour has come; what another worker recorded is not done again.

    Args:
        database: Where the rungs are.
        hands: Records what has become due.
    """

    def __init__(self, database: Database, hands: LadderClock) -> None:
        self._database = database
        self._hands = hands

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look in a thread of its own, while the block runs."""
        with repeatedly("ladder", _LOOK_SECONDS, self.look):
            yield

    def look(self) -> None:
        """Record what has become due."""
        while self._database.write(self._hands.strike):
            pass


@cache
def working_calendar() -> WorkingCalendar:
    """Read the shipped calendar once."""
    return WorkingCalendar.load()
