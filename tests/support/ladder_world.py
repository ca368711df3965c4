# SPDX-License-Identifier: Apache-2.0
"""A library whose one rule offers every rung of the ladder for its first requirement."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from license_library import CLERK, CLIENT, COMPANY, FOOD, Library
from rule_world import COMMITMENT, COOPERATION, SUPPLY, UPLOAD, requirement, rule

from cases.calendar import WorkingCalendar
from cases.models import Case
from licenses.deciding import AnsweredProof
from licenses.decisions import ProofService
from licenses.inquiry import Inquiry
from licenses.ladder.clock import LadderClock
from licenses.ladder.deadlines import Deadlines
from licenses.ladder.models import LadderRung
from licenses.ladder.services import Happening, LadderService, RungView
from licenses.ladder.standing import TakenRungs
from licenses.ladder.states import RungEventKind
from licenses.questions import ProofQuestion
from licenses.replay import ReplayService
from licenses.rules import RuleBook
from storage.identity import Identity, Role

ASKER = replace(CLIENT, operator="operator-7")
COLLEAGUE = replace(CLERK, id="clerk-2")
ASKED = Identity("person", "clerk-9", "jtys", frozenset({Role.CLERK}))
ELSEWHERE = Identity("person", "clerk-8", "wjw", frozenset({Role.CLERK}))
COOPERATES = COOPERATION | {"to": "jtys"}
LADDER = [COMMITMENT, COOPERATES, SUPPLY, UPLOAD]


class LadderWorld:
    """The library, an open case, and who takes rungs for it.

    Args:
        folder: Where the database lies.
        fallback: The rungs of the requirement.
        ways: Its alternatives.
    """

    def __init__(self, folder: Path, fallback: Any = None, ways: Any = ()) -> None:
        self.library = Library(folder)
        self.clock, self.database = self.library.clock, self.library.database
        made = rule(requirement(*ways, fallback=LADDER if fallback is None else fallback))
        self.rules = RuleBook([made])
        library, self.calendar = self.library, WorkingCalendar.load()
        inquiry = Inquiry(library.holdings, self.rules, ladder=TakenRungs(library.items))
        self.proofs = ProofService(self.rules, library.holdings, library.cases, library.keys, inquiry=inquiry)
        deadlines = Deadlines(self.calendar)
        self.ladder = LadderService(self.rules, inquiry, deadlines, library.keys)
        self.hands = LadderClock(self.ladder, deadlines, library.keys)
        self.replays = ReplayService(self.rules, inquiry)
        self.case = library.announce(FOOD)

    def ask(self, case: Case | None = None, who: Identity = ASKER) -> AnsweredProof:
        of = case or self.case
        question = ProofQuestion(of.source, of.number, of.item_code, "accept")
        with self.database.writing() as uow:
            return self.proofs.ask(uow, who, question)

    def came_to(self, case: Case | None = None) -> tuple[str, str]:
        self.clock.advance(1)
        answers: Any = self.ask(case).body["requirements"]
        return answers[0]["result"], answers[0]["reason"]["code"]

    def next(self, case: Case | None = None) -> list[str]:
        self.clock.advance(1)
        answers: Any = self.ask(case).body["requirements"]
        return [one["kind"] for one in answers[0]["next"]]

    def take(self, kind: str, case: Case | None = None, who: Identity = ASKER) -> LadderRung:
        decision = self.ask(case).decision
        self.clock.advance(1)
        with self.database.writing() as uow:
            return self.ladder.take(uow, who, decision.id, "R1", kind)[0]

    def happens(
        self,
        row: LadderRung,
        kind: RungEventKind,
        who: Identity = CLERK,
        words: str = "说明",
        holds: bool | None = None,
    ) -> LadderRung:
        self.clock.advance(1)
        with self.database.writing() as uow:
            return self.ladder.happen(uow, who, row.id, Happening(kind, words, holds))[0]

    def strikes(self) -> list[str]:
        with self.database.writing() as uow:
            return list(self.hands.strike(uow))

    def until(self, instant: Any) -> None:
        self.clock.advance((instant - self.clock.now()).total_seconds())

    def now(self, row: LadderRung) -> LadderRung:
        with self.database.reading() as uow:
            return uow.session.get_one(LadderRung, row.id)

    def view(self, row: LadderRung, who: Identity = CLERK) -> RungView:
        with self.database.writing() as uow:
            return self.ladder.view(uow, who, row.id)

    def committed(self, holder: tuple[str, str, str] = COMPANY) -> LadderRung:
        """Give a commitment of a new case of a holder that was accepted."""
        row = self.take("commitment", self.library.announce(FOOD, holder))
        self.happens(row, RungEventKind.COMMITTED)
        return self.happens(row, RungEventKind.ACCEPTED)
