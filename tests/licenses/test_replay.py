# SPDX-License-Identifier: Apache-2.0
"""A decision replays byte for byte later on, and shows where somebody altered what it rested on."""

import datetime as dt
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from license_library import BUSINESS, CLIENT, FACES, FOOD, GROUNDS, MANAGER, Library
from sqlalchemy import select, update

from cases.models import Holder
from licenses.decisions import ProofService
from licenses.inquiry import Inquiry
from licenses.models import Decision, DecisionReliance, License
from licenses.questions import ProofQuestion
from licenses.reason_table import ReasonTable
from licenses.relations import Relations
from licenses.replay import Replay, ReplayService, ReplayState
from licenses.rules import RuleBook
from storage.errors import NotFoundError
from storage.identity import Identity, Role
from storage.ledger.canonical import canonical
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct

SUPERVISOR = Identity("person", "supervisor-1", "", frozenset({Role.SUPERVISOR}))
OWN = Identity("person", "supervisor-2", "scjg", frozenset({Role.SUPERVISOR}))
ELSEWHERE = Identity("person", "supervisor-3", "jtj", frozenset({Role.SUPERVISOR}))

RELEASED = {"6426c8cf6406", "d8ae2d6ceafc"}
"""The first digits of the digest of every table of sentences, in their order."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


def decided(library: Library) -> Decision:
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        question = ProofQuestion(case.source, case.number, case.item_code, "accept")
        return library.proofs.ask(uow, replace(CLIENT, operator="op-1"), question).decision


def written_with(library: Library, table: ReasonTable) -> Library:
    """Let the library answer with the sentences of that table."""
    library.proofs = ProofService(RuleBook.load(), library.holdings, library.cases, library.keys, table=table)
    return library


def replay(library: Library, decision: Decision, who: Identity = OWN) -> Replay:
    book = RuleBook.load()
    inquiry = Inquiry(library.holdings, book, Relations(library.holdings, library.holders))
    with library.database.writing() as uow:
        return ReplayService(book, inquiry).replay(uow, who, decision.id)


def test_a_decision_comes_out_again_whatever_happened_since(library: Library) -> None:
    licence = library.issue(BUSINESS)
    library.clock.advance(60)
    made = decided(library)
    assert replay(library, made) == Replay(ReplayState.SAME)
    library.clock.advance(60)
    with library.database.writing() as uow:
        library.service.revoke(uow, MANAGER, licence.identifier, GROUNDS)
    library.issue(BUSINESS, number="B2")
    library.clock.advance(3600)
    assert replay(library, made) == Replay(ReplayState.SAME)


def test_an_altered_licence_shows_where(library: Library) -> None:
    licence = library.issue(BUSINESS)
    library.clock.advance(60)
    made = decided(library)
    with library.database.writing() as uow:
        row = uow.session.get_one(License, licence.id)
        row.face_cipher = uow.secrets.encrypt(
            row.holder_id, canonical({**FACES[BUSINESS], "scope": "日用品"})
        )
    found = replay(library, made)
    assert found.state is ReplayState.DIFFERENT
    assert "/requirements/0/result" in found.differences
    assert any(path.startswith("/inputs") for path in found.differences)


def test_an_altered_decision_shows_where(library: Library) -> None:
    library.issue(BUSINESS)
    library.clock.advance(60)
    made = decided(library)
    with library.database.writing() as uow:
        body = json.loads(uow.secrets.decrypt(made.body_cipher))
        body["requirements"][1]["result"] = "MET"
        cipher = uow.secrets.encrypt(made.holder_id, canonical(body))
        uow.session.execute(update(Decision).where(Decision.id == made.id).values(body_cipher=cipher))
    assert replay(library, made).differences == ["/requirements/1/result"]


def test_what_was_erased_or_made_by_a_rule_that_is_gone_cannot_be_replayed(library: Library) -> None:
    library.issue(BUSINESS)
    library.clock.advance(60)
    made = decided(library)
    with library.database.writing() as uow:
        uow.session.execute(update(Decision).where(Decision.id == made.id).values(rule_digest="0" * 64))
    assert replay(library, made) == Replay(ReplayState.CANNOT, "rule-gone")
    with library.database.writing() as uow:
        holder = uow.session.scalars(select(Holder)).one()
        uow.secrets.destroy(holder.id)
    assert replay(library, made) == Replay(ReplayState.CANNOT, "erased")


def test_a_decision_is_replayed_with_the_sentences_it_was_written_with(library: Library) -> None:
    library.issue(BUSINESS)
    library.clock.advance(60)
    earlier = [one for one in ReasonTable.held().values() if one.digest != ReasonTable.load().digest]
    assert earlier
    for table in earlier:
        made = decided(written_with(library, table))
        with library.database.reading() as uow:
            body = json.loads(uow.secrets.decrypt(made.body_cipher))
        assert body["sentences"]["digest"] == table.digest
        assert replay(library, made) == Replay(ReplayState.SAME)


def test_a_decision_written_with_sentences_that_nobody_holds_cannot_be_replayed(library: Library) -> None:
    library.issue(BUSINESS)
    library.clock.advance(60)
    foreign = replace(ReasonTable.load(), digest="0" * 64)
    made = decided(written_with(library, foreign))
    assert replay(library, made) == Replay(ReplayState.CANNOT, "sentences-gone")


def test_every_table_of_sentences_that_ever_was_released_is_held() -> None:
    assert {digest[:12] for digest in ReasonTable.held()} == RELEASED, (
        "sentences changed: keep the table before as data/earlier_reasons/DIGEST.json, name the new one here"
    )


def test_a_replay_is_for_supervision_of_that_department_and_is_recorded(library: Library) -> None:
    library.issue(BUSINESS)
    library.clock.advance(60)
    made = decided(library)
    for stranger in (ELSEWHERE, MANAGER, CLIENT):
        with pytest.raises(NotFoundError):
            replay(library, made, stranger)
    replay(library, made)
    with library.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == ActKind.PROOF_REPLAYED)).all()
    assert [(one.actor_id, one.object_id) for one in acts] == [(OWN.id, made.id)]


def test_what_a_decision_rests_on_is_kept_with_it(library: Library) -> None:
    licence = library.issue(BUSINESS)
    library.clock.advance(dt.timedelta(minutes=1).total_seconds())
    made = decided(library)
    with library.database.reading() as uow:
        rows = uow.session.scalars(select(DecisionReliance)).all()
    assert [(one.decision_id, one.requirement, one.kind, one.object_id) for one in rows] == [
        (made.id, "R1", "licence", licence.id)
    ]
