# SPDX-License-Identifier: Apache-2.0
"""Several hold a licence together: each sees all that is done with it, and nothing else of the others."""

from dataclasses import replace

import pytest
from license_library import (
    CLERK,
    CLIENT,
    COMPANY,
    FOOD,
    OTHER,
    PERSON,
    Library,
    every_client_runs,
    held_together,
    on_case,
)
from sqlalchemy import select

from cases.calendar import WorkingCalendar
from licenses.calling import may_be_called_up, note_called_up, note_refused
from licenses.codes.errors import CodeOfAnotherError, CodeRefusedError
from licenses.codes.models import AuthorisationCode
from licenses.codes.services import CodeService, CodeWish, Mode
from licenses.copies.errors import CopyUnknownError
from licenses.copies.services import CopyService
from licenses.errors import ObjectionStandsError, ObjectionSubjectError
from licenses.models import License, LicenseUsage
from licenses.objections import About, ObjectionService, ObjectionState
from licenses.own import OwnRecords, OwnRecordsService, OwnUse
from licenses.questions import ProofQuestion
from licenses.rules import RuleBook
from licenses.showing import ShowService
from storage.identity import PUBLIC, AccessBasis, Basis, Identity, Role

OBJECTIONS = ObjectionService(WorkingCalendar.load())
ARCHIVIST = Identity("person", "archivist-1", "scjg", frozenset({Role.ARCHIVIST}))


class Shared:
    """A licence of a firm and a person together; a third holder has nothing to do with it."""

    def __init__(self, library: Library) -> None:
        self.library, self.database = library, library.database
        library.types.adopt([held_together(library.types.get(FOOD))], 1)
        scheme, code, name = PERSON
        also = [{"scheme": scheme, "code": code, "name": name, "share": "1/2"}]
        self.licence: License = library.issue(FOOD, COMPANY, share="1/2", co_holders=also)
        self.first, self.second, self.third = (self.holder(one) for one in (COMPANY, PERSON, OTHER))
        self.codes = CodeService(library.reader, library.holdings, RuleBook.load())
        self.copies = CopyService(library.reader, library.holdings, every_client_runs)
        self.showing = ShowService(library.reader)

    def holder(self, of: tuple[str, str, str]) -> Identity:
        with self.database.writing() as uow:
            found = self.library.holders.find_or_add(uow, *of)
        roles = frozenset({Role.HOLDER})
        return Identity("holder", found.id, "", roles, AccessBasis(Basis.HOLDER), session="session-1")

    def look(self, who: Identity) -> OwnRecords:
        made = self.library
        service = OwnRecordsService(made.reader, made.proofs, made.holdings, made.holders, OBJECTIONS)
        with self.database.writing() as uow:
            return service.look(uow, who)

    def uses(self, who: Identity) -> list[OwnUse]:
        return list(self.look(who).uses)

    def actions(self, who: Identity) -> list[tuple[str, str]]:
        return [(use.row.action, use.row.result) for use in self.uses(who)]

    def read_on_case(self, of: tuple[str, str, str]) -> None:
        case = self.library.announce(FOOD, of)
        with self.database.writing() as uow:
            self.library.reader.read(uow, on_case(CLIENT, case), self.licence.identifier)

    def make_code(self, who: Identity, mode: Mode = Mode.OWN, **changes: object) -> tuple[str, str]:
        wish = CodeWish(self.licence.identifier, mode, "hand-in")
        with self.database.writing() as uow:
            made = self.codes.make(uow, who, replace(wish, **changes))  # type: ignore[arg-type] # the tests' own
        return made.id, made.secret


@pytest.fixture
def shared(library: Library) -> Shared:
    return Shared(library)


@pytest.mark.parametrize("of", [COMPANY, PERSON], ids=["first", "second"])
def test_each_holder_sees_a_use_for_whosever_case_it_was(shared: Shared, of: tuple[str, str, str]) -> None:
    shared.read_on_case(of)
    assert shared.actions(shared.first) == shared.actions(shared.second) == [("read", "READ")]
    assert shared.actions(shared.third) == []


def test_questions_lists_checks_refusals_and_scans_are_seen_by_each(shared: Shared) -> None:
    case, library = shared.library.announce(FOOD, PERSON), shared.library
    with shared.database.writing() as uow:
        library.reader.find_for_holder(uow, on_case(CLIENT, case), types=[FOOD])
        library.reader.public_check(uow, PUBLIC, shared.licence.code)
        shown = shared.showing.code(uow, shared.second, shared.licence.id)
        shared.showing.look(uow, PUBLIC, shown.token)
    _, secret = shared.make_code(shared.second, Mode.DELEGATED, party=OTHER[:2])
    with pytest.raises(CodeRefusedError) as refused, shared.database.writing() as uow:
        shared.codes.read(uow, CLERK, secret)
    library.database.write(refused.value.record)
    expected = {
        ("find", "READ"),
        ("public-check", "READ"),
        ("shown", "READ"),
        ("code", "MADE"),
        ("code", "REFUSED"),
    }
    assert set(shared.actions(shared.first)) == set(shared.actions(shared.second)) == expected


def test_of_anothers_case_the_matter_is_told_and_not_its_number(shared: Shared) -> None:
    shared.read_on_case(PERSON)
    (theirs,), (own,) = shared.uses(shared.first), shared.uses(shared.second)
    assert (theirs.own_case, own.own_case) == (False, True)
    assert theirs.case is not None
    assert theirs.case.item_code == "339999010002"


def test_who_of_them_acted_is_told_by_a_masked_name(shared: Shared) -> None:
    shared.make_code(shared.second)
    (mine,), (theirs,) = shared.uses(shared.second), shared.uses(shared.first)
    assert (mine.myself, mine.by) == (True, None)
    assert (theirs.myself, theirs.by is not None) == (False, True)
    assert theirs.by is not None
    assert (theirs.by.name, PERSON[1] in theirs.by.code) == ("张*", False)


def test_what_else_happens_to_one_of_them_stays_with_that_one(shared: Shared) -> None:
    library = shared.library
    alone = library.issue(FOOD, COMPANY, number="N0000000777")
    case = library.announce(FOOD, COMPANY)
    with shared.database.writing() as uow:
        library.reader.read(uow, on_case(CLIENT, case), alone.identifier)
        question = ProofQuestion(case.source, case.number, case.item_code, "accept")
        library.proofs.ask(uow, CLIENT, question)
    assert {use.row.license_id for use in shared.uses(shared.first)} == {alone.id, None}
    assert shared.uses(shared.second) == []


def test_codes_are_seen_and_revoked_by_each_and_by_nobody_else(shared: Shared) -> None:
    code, secret = shared.make_code(shared.second)
    with shared.database.writing() as uow:
        assert [one.id for one in shared.codes.own(uow, shared.first)] == [code]
        assert shared.codes.own(uow, shared.third) == []
    with pytest.raises(CodeOfAnotherError), shared.database.writing() as uow:
        shared.codes.revoke(uow, shared.third, code)
    with shared.database.writing() as uow:
        shared.codes.revoke(uow, shared.first, code)
    with pytest.raises(CodeRefusedError), shared.database.writing() as uow:
        shared.codes.read(uow, CLERK, secret)
    assert ("code", "REVOKED") in shared.actions(shared.second)


def test_a_system_makes_a_code_for_the_holder_whose_case_it_handles(shared: Shared) -> None:
    case = shared.library.announce(FOOD, PERSON)
    shared.make_code(on_case(CLIENT, case), Mode.ONLINE, party=PERSON[:2])
    with shared.database.reading() as uow:
        code = uow.session.scalars(select(AuthorisationCode)).one()
    assert code.holder_id == shared.second.id
    assert shared.actions(shared.first) == [("code", "MADE")]


def test_a_copy_that_one_of_them_orders_is_no_secret_to_the_other(shared: Shared) -> None:
    who = shared.second.on(AccessBasis(Basis.HOLDER, purpose="hand-in"))
    with shared.database.writing() as uow:
        copy = shared.copies.order(uow, who, shared.licence.identifier)
        assert shared.copies.get(uow, shared.second, copy.id).id == copy.id
        assert shared.copies.get(uow, shared.first, copy.id).id == copy.id
        with pytest.raises(CopyUnknownError):
            shared.copies.get(uow, shared.third, copy.id)
        with pytest.raises(CopyUnknownError):
            shared.copies.link(uow, shared.first, copy.id)
    assert shared.actions(shared.first) == [("copy", "ORDERED")]


def test_each_objects_alone_and_sees_that_the_other_did_without_what_was_said(shared: Shared) -> None:
    shared.read_on_case(PERSON)
    (use,) = shared.uses(shared.first)
    for who, words in ((shared.first, "我不同意"), (shared.second, "我也不同意")):
        with shared.database.writing() as uow:
            OBJECTIONS.open(uow, who, About.USE, use.row.id, words)
        with pytest.raises(ObjectionStandsError), shared.database.writing() as uow:
            OBJECTIONS.open(uow, who, About.USE, use.row.id, words)
    shared.library.clock.advance(1)
    with shared.database.writing() as uow:
        OBJECTIONS.open(uow, shared.second, About.LICENCE, shared.licence.id, "份额不对")
    seen = shared.look(shared.first)
    assert [one.spoken.words for one in seen.objections] == ["我不同意"]
    assert [(one.use is not None, one.licence is not None) for one in seen.beside] == [
        (False, True),
        (True, False),
    ]
    assert {one.view.state for one in seen.beside} == {ObjectionState.OPEN}
    assert len(shared.look(shared.second).beside) == 1
    for about, of in ((About.USE, use.row.id), (About.LICENCE, shared.licence.id)):
        with pytest.raises(ObjectionSubjectError), shared.database.writing() as uow:
            OBJECTIONS.open(uow, shared.third, about, of, "与我无关")
    assert shared.look(shared.third).beside == []


def test_the_case_of_each_of_them_may_have_called_it_up(shared: Shared) -> None:
    named = [shared.licence.identifier]
    ours, foreign = shared.library.announce(FOOD, PERSON), shared.library.announce(FOOD, OTHER)
    with shared.database.writing() as uow:
        assert may_be_called_up(uow, ours)["licence"] == frozenset(named)
        assert may_be_called_up(uow, foreign)["licence"] == frozenset()
        note_called_up(uow, ARCHIVIST, ours, named)
        note_refused(uow, ARCHIVIST, ours, named)
        note_refused(uow, ARCHIVIST, foreign, named)
        results = uow.session.scalars(select(LicenseUsage.result)).all()
    assert sorted(results) == ["READ", "REFUSED"]
    assert len(shared.uses(shared.first)) == len(shared.uses(shared.second)) == 2
