# SPDX-License-Identifier: Apache-2.0
"""Whom a question means where a relation leads to several: a code decides, a name of two decides nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from license_library import CLERK, CLIENT, FOOD, PERSON, ROAD, Library
from rule_world import UPLOAD, licence, requirement, rule

from cases.models import Case
from licenses.decisions import ProofService
from licenses.errors import QuestionRefusedError
from licenses.inquiry import Inquiry
from licenses.models import Decision, License
from licenses.questions import ProofQuestion, SubjectHint
from licenses.relations import Relations
from licenses.replay import Replay, ReplayService, ReplayState
from licenses.rules import RuleBook
from storage.identity import Identity, system_identity
from storage.ledger.canonical import canonical

ATTORNEY = "11339999DEM002159F001"
FIRST, SECOND = ("111", "339999199002020029", "李演示"), ("111", "339999198803030011", "李演示")
"""Two holders with one name; synthetic, with right check digits."""
STRANGER = ("111", "339999199505050019", "王演示")
RULE = rule(requirement([licence(ROAD)], name="R1", subject="agent", fallback=[UPLOAD]))


class Town(Library):
    """A person with two agents of one name, of whom the first holds what the rule asks for."""

    def __init__(self, folder: Path, agents: Sequence[tuple[str, str, str]] = (FIRST, SECOND)) -> None:
        super().__init__(folder)
        self.book = RuleBook([RULE])
        relations = Relations(self.holdings, self.holders)
        self.inquiry = Inquiry(self.holdings, self.book, relations)
        self.proofs = ProofService(self.book, self.holdings, self.cases, self.keys, inquiry=self.inquiry)
        for agent in agents:
            self.empower(agent)
        self.put(FIRST, ROAD, {"domicile": "演示市示范路1号"})
        self.case = self.announce(FOOD, PERSON)

    def empower(self, agent: tuple[str, str, str]) -> None:
        self.put(PERSON, ATTORNEY, {"agent": agent[2], "agent_code": agent[1]})

    def put(self, owner: tuple[str, str, str], type_code: str, face: dict[str, str]) -> None:
        """Put a licence of a type there that no office of the demonstration gives."""
        self._numbers += 1
        made = self.issue(FOOD, number=f"N{self._numbers:06d}")
        with self.database.writing() as uow:
            held = self.holders.find_or_add(uow, *owner)
            self.holders.find_or_add(uow, *SECOND)
            row = uow.session.get_one(License, made.id)
            row.type_code, row.type_version = type_code, self.types.get(type_code).version
            row.holder_id, row.face_cipher = held.id, uow.secrets.encrypt(held.id, canonical(dict(face)))

    def ask(self, *hints: SubjectHint, who: Identity = CLERK, case: Case | None = None) -> Decision:
        of = case or self.case
        question = ProofQuestion(of.source, of.number, of.item_code, "accept", subjects=hints)
        with self.database.writing() as uow:
            return self.proofs.ask(uow, who, question).decision

    def told(self, *hints: SubjectHint) -> tuple[str, str]:
        """Give result and reason of the one requirement."""
        body = self.body(self.ask(*hints))
        return body["requirements"][0]["result"], body["requirements"][0]["reason"]["code"]

    def body(self, decision: Decision) -> Any:
        with self.database.reading() as uow:
            return json.loads(uow.secrets.decrypt(decision.body_cipher))

    def replay(self, decision: Decision) -> Replay:
        with self.database.writing() as uow:
            return ReplayService(self.book, self.inquiry).replay(uow, system_identity("test"), decision.id)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.database.close()


def test_of_two_holders_with_one_name_a_code_decides_and_the_name_does_not(town: Town) -> None:
    assert town.told() == ("UNKNOWN", "R.HOLDER_AMBIGUOUS")
    assert town.told(SubjectHint("agent", name="李 演示")) == ("UNKNOWN", "R.HOLDER_AMBIGUOUS")
    assert town.told(SubjectHint("agent", FIRST[:2]))[0] == "MET"
    result, reason = town.told(SubjectHint("agent", SECOND[:2]))
    assert result == "UNKNOWN"
    assert reason not in {"R.HOLDER_AMBIGUOUS", "R.RELATION_UNPROVEN"}


def test_more_of_one_relative_keeps_what_is_met_and_a_second_relative_leaves_it_open(tmp_path: Path) -> None:
    town = Town(tmp_path, agents=(FIRST,))
    assert town.told() == ("MET", "R.ESTABLISHED")
    town.empower(FIRST)
    town.put(FIRST, ROAD, {"domicile": "演示市示范路2号"})
    assert town.told() == ("MET", "R.ESTABLISHED"), "what shows the relation twice shows one relative"
    town.empower(SECOND)
    assert town.told() == ("UNKNOWN", "R.HOLDER_AMBIGUOUS")
    town.put(SECOND, ROAD, {"domicile": "演示市示范路3号"})
    assert town.told() == ("UNKNOWN", "R.HOLDER_AMBIGUOUS"), "both hold it, and still none is meant"
    assert [town.told(SubjectHint("agent", one[:2]))[0] for one in (FIRST, SECOND)] == ["MET", "MET"]
    town.database.close()


def test_nobody_is_found_who_does_not_stand_in_the_relation(town: Town) -> None:
    town.put(STRANGER, ROAD, {"domicile": "演示市示范路9号"})
    for hint in (SubjectHint("agent", STRANGER[:2]), SubjectHint("agent", name=STRANGER[2])):
        assert town.told(hint) == ("UNKNOWN", "R.RELATION_UNPROVEN")


def test_of_a_relative_who_was_erased_nothing_is_known_and_what_was_decided_cannot_be_replayed(
    town: Town,
) -> None:
    by_code, by_name = SubjectHint("agent", FIRST[:2]), SubjectHint("agent", name="李演示")
    before = town.ask(by_code)
    with town.database.writing() as uow:
        uow.secrets.destroy(town.holders.find_or_add(uow, *FIRST).id)
    result, reason = town.told(by_code)
    assert (result, reason in {"R.HOLDER_AMBIGUOUS", "R.RELATION_UNPROVEN"}) == ("UNKNOWN", False)
    assert town.told(by_name) == ("UNKNOWN", "R.HOLDER_AMBIGUOUS"), "the one who was erased may be meant"
    assert town.replay(before) == Replay(ReplayState.CANNOT, "erased")
    assert town.replay(town.ask(by_code)) == Replay(ReplayState.SAME)


def test_others_learn_nothing_of_either(town: Town) -> None:
    elsewhere = replace(CLIENT, organisation="jtj")
    for who in (elsewhere, replace(CLERK, organisation="jtj")):
        with pytest.raises(QuestionRefusedError) as refused:
            town.ask(SubjectHint("agent", FIRST[:2]), who=who)
        assert refused.value.code == "proof-refused"


def test_the_answer_says_whom_it_meant_without_naming_them_and_replays(town: Town) -> None:
    for hint in (SubjectHint("agent", FIRST[:2]), SubjectHint("agent", name="李演示")):
        made = town.ask(hint)
        said = town.body(made)["subjects"]["agent"]
        assert said["by"] == ("code" if hint.code else "name")
        assert FIRST[1] not in str(said)
        assert "李演示" not in str(said)
        assert town.replay(made) == Replay(ReplayState.SAME)


def test_a_code_that_is_none_is_refused_and_recorded(town: Town) -> None:
    with pytest.raises(QuestionRefusedError):
        town.ask(SubjectHint("agent", ("111", "1")))
