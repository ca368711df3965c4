# SPDX-License-Identifier: Apache-2.0
"""Decisions of random rules about a library that goes on changing all come out again, byte for byte."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from license_library import CLERK, FOOD, GROUNDS, MANAGER, PERSON, Library
from rule_world import BUSINESS, FACES, random_rule

from licenses.decisions import ProofService
from licenses.errors import LicenseStateError
from licenses.holdings import STOCK
from licenses.inquiry import Inquiry
from licenses.ladder.standing import TakenRungs
from licenses.models import Decision, License
from licenses.questions import ProofQuestion
from licenses.relations import Relations
from licenses.replay import Replay, ReplayService, ReplayState
from licenses.rules import Rule, RuleBook, rule_of
from storage.identity import system_identity
from storage.ledger.canonical import canonical

ATTORNEY = "11339999DEM002159F001"
AGENT = ("111", "339999199002020029", "李演示")
QUESTIONS = 300
_TEST = system_identity("test")


class Changing(Library):
    """A library in which something happens before each question: licences come, are taken over and end."""

    def __init__(self, folder: Path, source: random.Random) -> None:
        super().__init__(folder)
        self.source = source
        self.held: list[License] = []
        self.case = self.announce(FOOD, PERSON)
        self.put(PERSON, ATTORNEY, {"agent": AGENT[2], "agent_code": AGENT[1]})

    def put(self, owner: tuple[str, str, str], type_code: str, face: dict[str, object]) -> None:
        """Put a licence of any type and face there, issued here or of the stock."""
        self._numbers += 1
        made = self.issue(FOOD, number=f"N{self._numbers:06d}")
        with self.database.writing() as uow:
            held = self.holders.find_or_add(uow, *owner)
            row = uow.session.get_one(License, made.id)
            row.type_code, row.type_version = type_code, self.types.get(type_code).version
            row.holder_id, row.face_cipher = held.id, uow.secrets.encrypt(held.id, canonical(dict(face)))
            if type_code != ATTORNEY and self.source.random() < 0.4:
                row.origin, row.trust = STOCK, self.source.choice("BCD")
        self.held.append(made)

    def change(self) -> None:
        """Let one thing happen, and some days pass."""
        if self.source.random() < 0.4:
            owner = self.source.choice([PERSON, PERSON, AGENT])
            self.put(owner, self.source.choice([BUSINESS, FOOD]), self.source.choice(FACES))
        elif self.source.random() < 0.4:
            act = self.source.choice([self.service.suspend, self.service.resume, self.service.revoke])
            try:
                with self.database.writing() as uow:
                    act(uow, MANAGER, self.source.choice(self.held[1:] or self.held).identifier, GROUNDS)
            except LicenseStateError:
                pass
        self.clock.advance(self.source.choice([1, 3600, 86_400, 20 * 86_400]))

    def asking(self, rule: Rule) -> tuple[ProofService, ReplayService]:
        book = RuleBook([rule])
        relations = Relations(self.holdings, self.holders)
        inquiry = Inquiry(self.holdings, book, relations, ladder=TakenRungs(self.items))
        proofs = ProofService(book, self.holdings, self.cases, self.keys, inquiry=inquiry)
        return proofs, ReplayService(book, inquiry)

    def ask(self, proofs: ProofService) -> Decision:
        question = ProofQuestion(self.case.source, self.case.number, self.case.item_code, "accept")
        with self.database.writing() as uow:
            made = proofs.ask(uow, CLERK, question).decision
        # Two acts of one microsecond cannot be told apart; no clock but a test's gives such.
        self.clock.advance(0.000001)
        return made


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Changing]:
    made = Changing(tmp_path, random.Random(20261120))
    yield made
    made.database.close()


def _rule(source: random.Random) -> Rule:
    """Give a random rule about the applicant and the agent, whose relation the library shows."""
    stated = random_rule(source).body.model_dump(mode="json")
    for requirement in stated["requirements"]:
        requirement["subject"] = requirement["subject"].replace("spouse", "agent")
    return rule_of(stated)


def test_stored_decisions_come_out_again_after_all_that_happened_since(library: Changing) -> None:
    made, results = [], set()
    for _ in range(QUESTIONS):
        library.change()
        proofs, replays = library.asking(_rule(library.source))
        decision = library.ask(proofs)
        made.append((decision.id, replays))
        results.add(decision.result)
    assert results >= {"MET", "NOT_MET", "UNKNOWN"}, "each kind of answer is among them"
    for decision_id, replays in made:
        with library.database.writing() as uow:
            assert replays.replay(uow, _TEST, decision_id) == Replay(ReplayState.SAME), decision_id
