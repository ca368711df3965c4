# SPDX-License-Identifier: Apache-2.0
"""What was done on the ladder for a case is filed in its dossier: sealed forms, signed statements."""

import base64
import dataclasses
import datetime as dt
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from archive_line import Line
from joserfc.jwk import OKPKey
from joserfc.jws import JWSRegistry
from license_library import CLERK
from pdf_text import text_of
from sqlalchemy import select

from archive.intake import announcement_of
from archive.models import DossierMember, Role
from cases.calendar import WorkingCalendar
from cases.models import Case
from licenses.answers import AnswerKeys, verify_signed
from licenses.deciding import AnsweredProof
from licenses.decisions import ProofService
from licenses.inquiry import Inquiry
from licenses.ladder.deadlines import Deadlines
from licenses.ladder.forms import FORM_STEP
from licenses.ladder.models import LadderRung
from licenses.ladder.own import OwnCommitments
from licenses.ladder.services import Happening, LadderService
from licenses.ladder.standing import TakenRungs
from licenses.ladder.statements import TYPE
from licenses.ladder.states import RungEventKind
from licenses.questions import ProofQuestion
from licenses.requests import SignedRequest, verify_signature
from licenses.rules import RuleBook
from seals.models import Seal
from seals.orders import DOCUMENT_TYPES
from seals.services import Scope
from seals.verdicts import State
from storage.identity import Identity, system_identity
from storage.identity import Role as Person
from storage.steps import StepRow

HEALTH = Identity("person", "doctor", "wjw", frozenset({Person.CLERK}))


class Window:
    """A clerk who asks, and takes what the answer offers."""

    def __init__(self, line: Line, folder: Path) -> None:
        self.line, self.keys, rules = line, AnswerKeys(folder / "answers"), RuleBook.load()
        inquiry = Inquiry(line.holdings, rules, ladder=TakenRungs(line.items))
        self.proofs = ProofService(rules, line.holdings, line.cases, self.keys, inquiry=inquiry)
        self.ladder = LadderService(rules, inquiry, Deadlines(WorkingCalendar.load()), self.keys)
        opened = dataclasses.replace(announcement_of(line.granted().submission), closed_at=None)
        with line.database.writing() as uow:
            self.case: Case = line.cases.announce(uow, system_identity("test"), opened)[0]

    def ask(self) -> AnsweredProof:
        question = ProofQuestion(self.case.source, self.case.number, self.case.item_code, "accept")
        with self.line.database.writing() as uow:
            return self.proofs.ask(uow, CLERK, question)

    def take(self, requirement: str, kind: str, *events: RungEventKind) -> LadderRung:
        question = ProofQuestion(self.case.source, self.case.number, self.case.item_code, "accept")
        with self.line.database.writing() as uow:
            answer = self.proofs.ask(uow, CLERK, question)
            row, _ = self.ladder.take(uow, CLERK, answer.decision.id, requirement, kind)
            for event in events:
                self.line.clock.advance(1)
                self.ladder.happen(uow, CLERK, row.id, Happening(event))
        return row


@pytest.fixture
def window(line: Line, tmp_path: Path) -> Window:
    return Window(line, tmp_path)


def members(line: Line) -> list[DossierMember]:
    with line.database.reading() as uow:
        return list(uow.session.scalars(select(DossierMember).order_by(DossierMember.position)))


def test_the_form_of_a_commitment_is_sealed_and_filed_with_what_happened(line: Line, window: Window) -> None:
    taken = window.take("R2", "commitment", RungEventKind.COMMITTED, RungEventKind.ACCEPTED)
    line.run()
    with line.database.reading() as uow:
        row = uow.session.get_one(LadderRung, taken.id)
        assert row.form_sha256 is not None
        form = line.objects.read(row.form_sha256)
    words = text_of(form)
    for expected in ("告知承诺书", "场地使用证明", "91339999MADEM0011X", "书面核查", "已受理", "仅供演示"):
        assert expected in words.replace("\r\n", "")
    path = line.folder / "form.pdf"
    path.write_bytes(form)
    assert line.check(path, line.clock.now()).state is State.VALID
    line.file(line.granted())
    line.run()
    filed = {one.role: one for one in members(line) if one.reference == taken.id}
    assert filed[Role.COMMITMENT].sha256 == row.form_sha256
    (statement,) = [one for one in members(line) if one.code == "statement"]
    jws = line.objects.read(statement.sha256).decode()
    payload = verify_signed(jws, window.keys.jwks(), TYPE, 65_536)
    stated = payload["rung"]
    assert [one["kind"] for one in stated["events"]] == ["told", "committed", "accepted"]  # type: ignore[index,call-overload]


@pytest.mark.parametrize("reused", [True, False])
def test_an_answer_that_another_case_asked_for_is_filed_where_a_decision_relied_on_it(
    line: Line, window: Window, *, reused: bool
) -> None:
    own = window.case
    opened = dataclasses.replace(announcement_of(line.granted().submission), closed_at=None)
    with line.database.writing() as uow:
        other = dataclasses.replace(opened, number="YC-2026-009999")
        window.case = line.cases.announce(uow, system_identity("test"), other)[0]
    taken = window.take("R3", "cooperation")
    with line.database.writing() as uow:
        line.clock.advance(1)
        window.ladder.happen(uow, HEALTH, taken.id, Happening(RungEventKind.ANSWERED, holds=True))
    window.case = own
    line.clock.advance(1)
    if reused:
        answered = window.ask()
        results = {one["id"]: one["reason"]["code"] for one in answered.body["requirements"]}  # type: ignore[union-attr,index,call-overload] # JSON of an answer
        assert results["R3"] == "R.CONFIRMED_BY_DEPARTMENT"
    line.file(line.granted())
    line.run()
    statements = [one for one in members(line) if one.code == "statement"]
    if not reused:
        assert statements == []
        return
    (statement,) = statements
    jws = line.objects.read(statement.sha256).decode()
    stated = verify_signed(jws, window.keys.jwks(), TYPE, 65_536)["rung"]
    assert (stated["id"], stated["case"]["number"]) == (taken.id, "YC-2026-009999")
    assert stated["answer"]["holds"] is True


def test_the_form_names_the_holder_who_committed_online(line: Line, window: Window) -> None:
    taken = window.take("R2", "commitment")
    holder = Identity("holder", taken.holder_id, "", frozenset({Person.HOLDER}))
    with line.database.writing() as uow:
        line.clock.advance(1)
        OwnCommitments(window.ladder).happen(uow, holder, taken.id, RungEventKind.COMMITTED)
        line.clock.advance(1)
        window.ladder.happen(uow, CLERK, taken.id, Happening(RungEventKind.ACCEPTED))
    line.run()
    with line.database.reading() as uow:
        row = uow.session.get_one(LadderRung, taken.id)
        assert row.form_sha256 is not None
        words = text_of(line.objects.read(row.form_sha256)).replace("\r\n", "")
    assert "承诺人（在线）" in words
    assert taken.holder_id not in words


def test_a_case_that_is_filed_at_once_waits_for_the_form(line: Line, window: Window) -> None:
    taken = window.take("R2", "commitment", RungEventKind.COMMITTED, RungEventKind.ACCEPTED)
    with line.database.writing() as uow:
        form = uow.session.scalars(select(StepRow).where(StepRow.kind == FORM_STEP)).one()
        form.run_after += dt.timedelta(minutes=5)
    line.file(line.granted())
    line.run()
    assert members(line) == []
    for _ in range(2):
        line.clock.advance(600)
        line.run()
    assert Role.COMMITMENT in {one.role for one in members(line) if one.reference == taken.id}


def test_a_form_that_no_seal_covers_holds_the_dossier_back_until_one_does(line: Line, window: Window) -> None:
    """As a licence that waits for its seal does: nothing is filed without what it rests on."""
    others = tuple(one for one in DOCUMENT_TYPES if one != "commitment")
    with line.database.writing() as uow:
        uow.session.get_one(Seal, line.seal_id).scope = Scope(("scjg",), document_types=others).as_json()
    taken = window.take("R2", "commitment", RungEventKind.COMMITTED, RungEventKind.ACCEPTED)
    line.file(line.granted())
    for _ in range(4):
        line.run()
        line.clock.advance(3600)
    with line.database.reading() as uow:
        steps = uow.session.scalars(select(StepRow).where(StepRow.state != "done")).all()
        told = {one.kind: (one.state, one.problem) for one in steps if one.kind != "index.put"}
    assert members(line) == []
    assert told.keys() == {FORM_STEP, "archive.assemble"}
    assert told["archive.assemble"] == ("ready", "commitment-form-missing"), "it waits and is never stuck"
    with line.database.writing() as uow:
        uow.session.get_one(Seal, line.seal_id).scope = Scope(("scjg",)).as_json()
    for _ in range(2):
        line.clock.advance(3600)
        line.run()
    assert Role.COMMITMENT in {one.role for one in members(line) if one.reference == taken.id}


def test_the_call_that_a_department_s_system_signed_is_filed_once_its_token_is_over(
    line: Line, window: Window
) -> None:
    key = OKPKey.generate_key("Ed25519")
    base = b'"@method": POST\n"authorization": Bearer token'
    signature = JWSRegistry.algorithms["Ed25519"].sign(base, key)
    public = {name: str(value) for name, value in key.as_dict(private=False).items() if name != "kid"}
    call = SignedRequest("system-9", key.thumbprint(), "nonce", base, signature, b'{"answer":"yes"}', public)
    taken = window.take("R3", "cooperation")
    with line.database.writing() as uow:
        line.clock.advance(1)
        said = Happening(RungEventKind.ANSWERED, holds=True, signed=call)
        window.ladder.happen(uow, HEALTH, taken.id, said)
    line.file(line.granted())
    line.run()
    assert members(line) == [], "its token could still be used"
    line.clock.advance(600)
    line.run()
    filed = {one.code: line.objects.read(one.sha256) for one in members(line) if one.role == Role.DECISION}
    kept = json.loads(filed["call"])
    assert kept["body"] is None, "what was said stays under the holder's key"
    assert verify_signature(kept["base"].encode(), base64.b64decode(kept["signature"]), kept["key"])
    payload = verify_signed(filed["statement"].decode(), window.keys.jwks(), TYPE, 65_536)
    stated: Any = payload["rung"]
    named = [one.get("request") for one in stated["events"]]
    digest = hashlib.sha256(kept["base"].encode()).hexdigest()
    assert named == [None, {"kid": key.thumbprint(), "base_sha256": digest}]


def test_what_was_collected_is_filed_as_collected(line: Line, window: Window) -> None:
    window.take("R1", "citizen_upload")
    line.run()
    line.file(line.granted())
    line.run()
    titles = [one.title for one in members(line) if one.role == Role.DECISION]
    assert titles.count("承诺、协查、补交或收取的经过") == 1
    assert not [one for one in members(line) if one.role == Role.COMMITMENT]
