# SPDX-License-Identifier: Apache-2.0
"""What was done on the ladder for a case is filed in its dossier: sealed forms, signed statements."""

import dataclasses
import datetime as dt
from pathlib import Path

import pytest
from archive_line import Line
from license_library import CLERK
from pdf_text import text_of
from sqlalchemy import select

from archive.intake import announcement_of
from archive.models import DossierMember, Role
from cases.calendar import WorkingCalendar
from cases.models import Case
from licenses.answers import AnswerKeys, verify_signed
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
from licenses.rules import RuleBook
from seals.verdicts import State
from storage.identity import Identity, system_identity
from storage.identity import Role as Person
from storage.steps import StepRow


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


def test_what_was_collected_is_filed_as_collected(line: Line, window: Window) -> None:
    window.take("R1", "citizen_upload")
    line.run()
    line.file(line.granted())
    line.run()
    titles = [one.title for one in members(line) if one.role == Role.DECISION]
    assert titles.count("承诺、协查、补交或收取的经过") == 1
    assert not [one for one in members(line) if one.role == Role.COMMITMENT]
