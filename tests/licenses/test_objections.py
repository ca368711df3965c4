# SPDX-License-Identifier: Apache-2.0
"""Holders object to what is theirs; the department concerned answers once, in time or visibly late."""

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from inserted import rowid
from license_library import BUSINESS, CLERK, CLIENT, COMPANY, FOOD, MANAGER, OTHER, SUPERVISOR, Library
from sqlalchemy import select

from cases.calendar import WorkingCalendar
from licenses.deadlines import answer_days
from licenses.errors import (
    ObjectionAnsweredError,
    ObjectionOwnUseError,
    ObjectionStandsError,
    ObjectionSubjectError,
    ObjectionUnknownError,
    ObjectionWordsError,
)
from licenses.models import LicenseUsage, Objection
from licenses.objections import (
    LONGEST,
    About,
    Listing,
    ObjectionPage,
    ObjectionService,
    ObjectionState,
    SpokenObjection,
)
from licenses.questions import ProofQuestion
from storage.cursors import CursorError
from storage.errors import CunzhengError, NotPermittedError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.models import LedgerAct

SERVICE = ObjectionService(WorkingCalendar.load())
ARCHIVIST = Identity("person", "archivist-1", "scjg", frozenset({Role.ARCHIVIST}))
ELSEWHERE = Identity("person", "archivist-2", "jtys", frozenset({Role.ARCHIVIST}))
AUDIT = Identity("person", "audit-1", "office", frozenset({Role.AUDIT_ADMIN}))
WORDS = "我没有办过这件事"
DAY = 86_400.0


def holder(library: Library, of: tuple[str, str, str] = COMPANY) -> Identity:
    with library.database.writing() as uow:
        found = library.holders.find_or_add(uow, *of)
    roles = frozenset({Role.HOLDER})
    return Identity("holder", found.id, "", roles, AccessBasis(Basis.HOLDER), session="session-1")


def used(library: Library, of: tuple[str, str, str] = COMPANY) -> str:
    """Have a question asked about a holder; give the id of one use that came of it."""
    case = library.announce(FOOD, of)
    with library.database.writing() as uow:
        library.proofs.ask(uow, CLIENT, ProofQuestion(case.source, case.number, case.item_code, "accept"))
        return (
            uow.session.scalars(select(LicenseUsage.id).where(LicenseUsage.case_id == case.id)).first() or ""
        )


def opened(library: Library, about: About = About.USE, of: str = "", words: str = WORDS) -> str:
    who, concerned = holder(library), of or used(library)
    with library.database.writing() as uow:
        return SERVICE.open(uow, who, about, concerned, words).id


def own(library: Library, of: tuple[str, str, str] = COMPANY) -> Sequence[SpokenObjection]:
    who = holder(library, of)
    with library.database.reading() as uow:
        return SERVICE.own(uow, who)


def listed(library: Library, who: Identity, listing: Listing, after: str | None = None) -> ObjectionPage:
    with library.database.reading() as uow:
        return SERVICE.listed(uow, who, listing, after)


def answer(library: Library, who: Identity, key: str, words: str = "已核实", *, upheld: bool = True) -> None:
    with library.database.writing() as uow:
        SERVICE.answer(uow, who, key, words, upheld=upheld)


def acts(library: Library) -> list[LedgerAct]:
    with library.database.reading() as uow:
        query = (
            select(LedgerAct)
            .where(LedgerAct.object_type == "objection")
            .order_by(LedgerAct.recorded_at, rowid)
        )
        return list(uow.session.scalars(query))


def test_an_objection_to_a_use_waits_for_the_department_that_made_it(library: Library) -> None:
    use = used(library)
    key = opened(library, of=use)
    spoken = own(library)[0]
    row = spoken.view.row
    assert (row.id, row.about, row.object_id, row.organisation) == (key, "use", use, "scjg")
    assert (spoken.words, spoken.answer, spoken.view.state) == (WORDS, None, ObjectionState.OPEN)
    assert row.due_on == dt.date(2026, 12, 8), "ten working days after Tuesday 24 November"


def test_an_objection_to_a_licence_waits_for_its_issuer(library: Library) -> None:
    license_ = library.issue(BUSINESS)
    opened(library, About.LICENCE, license_.id)
    assert own(library)[0].view.row.organisation == "scjg"


def test_words_are_stored_under_the_holders_key_and_stand_in_no_core(library: Library) -> None:
    key = opened(library, words=f"  {WORDS}\r\n请更正 ")
    assert own(library)[0].words == f"{WORDS} 请更正"
    with library.database.reading() as uow:
        row = uow.session.get_one(Objection, key)
        assert WORDS.encode() not in row.words_cipher
        cores = [json.loads(act.core) for act in uow.session.scalars(select(LedgerAct))]
    assert WORDS not in json.dumps(cores, ensure_ascii=False)
    act = acts(library)[-1]
    assert (act.kind, act.object_id, act.subject) == ("objection.opened", key, row.holder_id)
    assert act.case_id == row.case_id, "the trace of the case shows it"


def test_nobody_objects_to_what_is_anothers_or_is_not_there(library: Library) -> None:
    use, license_ = used(library, OTHER), library.issue(BUSINESS, OTHER)
    reserved = library.reserve(FOOD)
    for about, of in (
        (About.USE, use),
        (About.LICENCE, license_.id),
        (About.LICENCE, reserved.id),
        (About.USE, library.issue(BUSINESS, number="N0000000009").id),
        (About.LICENCE, used(library)),
        (About.USE, ""),
    ):
        with pytest.raises(ObjectionSubjectError):
            opened(library, about, of or "nothing")
    assert acts(library) == []


@pytest.mark.parametrize("who", [CLERK, SUPERVISOR, CLIENT, ARCHIVIST])
def test_only_holders_object(library: Library, who: Identity) -> None:
    use = used(library)
    with pytest.raises(NotPermittedError), library.database.writing() as uow:
        SERVICE.open(uow, who, About.USE, use, WORDS)


@pytest.mark.parametrize("words", ["", "  \r\n ", "字" * (LONGEST + 1), "a\u202eb", "a\0b"])
def test_an_objection_and_its_answer_say_something_that_can_be_seen(library: Library, words: str) -> None:
    use = used(library)
    with pytest.raises(ObjectionWordsError):
        opened(library, of=use, words=words)
    key = opened(library, of=use)
    with pytest.raises(ObjectionWordsError):
        answer(library, ARCHIVIST, key, words)
    assert own(library)[0].view.state is ObjectionState.OPEN


def test_one_objection_waits_at_a_time_and_another_may_follow_the_answer(library: Library) -> None:
    use = used(library)
    key = opened(library, of=use)
    with pytest.raises(ObjectionStandsError):
        opened(library, of=use)
    answer(library, ARCHIVIST, key, upheld=False)
    library.clock.advance(1)
    second = opened(library, of=use)
    assert [one.view.row.id for one in own(library)] == [second, key]
    assert [one.view.row.position for one in own(library)] == [2, 1]


@pytest.mark.parametrize(("upheld", "state"), [(True, "upheld"), (False, "declined")])
def test_the_holder_sees_the_answer_with_its_sentence(library: Library, upheld: bool, state: str) -> None:
    key = opened(library)
    library.clock.advance(DAY)
    answer(library, MANAGER, key, "经核对，系同名企业误查，已更正。", upheld=upheld)
    spoken = own(library)[0]
    assert (spoken.view.state, spoken.answer) == (state, "经核对，系同名企业误查，已更正。")
    assert not spoken.view.late
    act = acts(library)[-1]
    assert act.kind == "objection.answered"
    assert json.loads(act.core)["reasons"] == [f"objection-{state}"]


def test_an_answer_is_given_once(library: Library) -> None:
    key = opened(library)
    answer(library, ARCHIVIST, key)
    with pytest.raises(ObjectionAnsweredError):
        answer(library, MANAGER, key, upheld=False)
    assert own(library)[0].view.state is ObjectionState.UPHELD


def test_what_is_not_answered_on_the_last_day_is_overdue_and_stays_late(library: Library) -> None:
    key = opened(library)
    library.clock.advance(14 * DAY)
    assert own(library)[0].view.state is ObjectionState.OPEN, "the last day is inclusive"
    assert listed(library, SUPERVISOR, Listing.OVERDUE).rows == []
    library.clock.advance(DAY)
    assert own(library)[0].view.state is ObjectionState.OVERDUE
    assert [one.row.id for one in listed(library, SUPERVISOR, Listing.OVERDUE).rows] == [key]
    answer(library, ARCHIVIST, key)
    page = listed(library, SUPERVISOR, Listing.ANSWERED)
    assert [(one.state, one.late) for one in page.rows] == [(ObjectionState.UPHELD, True)]
    assert page.counts == {Listing.OPEN: 0, Listing.OVERDUE: 0, Listing.ANSWERED: 1}


def test_a_department_sees_its_own_supervision_its_subtree_and_audit_all(library: Library) -> None:
    opened(library)
    beside = Identity("person", "supervisor-2", "jtys", frozenset({Role.SUPERVISOR}))
    everybody = (ARCHIVIST, MANAGER, SUPERVISOR, AUDIT, ELSEWHERE, beside)
    seen = {who.id: listed(library, who, Listing.OPEN).counts[Listing.OPEN] for who in everybody}
    assert seen == {
        "archivist-1": 1,
        "manager-1": 1,
        "supervisor-1": 1,
        "audit-1": 1,
        "archivist-2": 0,
        "supervisor-2": 0,
    }
    for stranger in (CLERK, CLIENT, holder(library)):
        with pytest.raises(NotPermittedError):
            listed(library, stranger, Listing.OPEN)


def test_reading_what_the_holder_says_is_recorded(library: Library) -> None:
    key = opened(library)
    with library.database.writing() as uow:
        found = SERVICE.read(uow, SUPERVISOR, key)
    assert (found.spoken.words, found.may_answer) == (WORDS, False)
    assert found.case is not None
    assert [(act.kind, act.actor_id) for act in acts(library)][-1] == ("objection.read", "supervisor-1")


@pytest.mark.parametrize("who", [ELSEWHERE, CLERK, AUDIT, CLIENT])
def test_to_everybody_else_there_is_no_such_objection(library: Library, who: Identity) -> None:
    key = opened(library)
    with pytest.raises(ObjectionUnknownError), library.database.writing() as uow:
        SERVICE.read(uow, who, key)
    with pytest.raises(ObjectionUnknownError):
        answer(library, who, key)
    with pytest.raises(ObjectionUnknownError):
        answer(library, ARCHIVIST, "nothing")


def test_supervision_answers_for_itself_alone(library: Library) -> None:
    key = opened(library)
    with pytest.raises(ObjectionUnknownError):
        answer(library, SUPERVISOR, key)
    license_ = library.issue(BUSINESS)
    reads = SUPERVISOR.on(AccessBasis(Basis.SUPERVISION))
    with library.database.writing() as uow:
        library.reader.read(uow, reads, license_.identifier)
        use = uow.session.scalars(select(LicenseUsage.id).where(LicenseUsage.action == "read")).one()
    own_use = opened(library, of=use)
    with pytest.raises(ObjectionOwnUseError):
        answer(library, SUPERVISOR, own_use)
    answer(library, replace(SUPERVISOR, id="supervisor-3"), own_use)


def test_who_made_the_use_does_not_answer_for_it(library: Library) -> None:
    key = opened(library)
    operator = Identity("person", "operator-7", "scjg", frozenset({Role.LICENSE_MANAGER}))
    with library.database.writing() as uow:
        assert not SERVICE.read(uow, operator, key).may_answer
    with pytest.raises(ObjectionOwnUseError):
        answer(library, operator, key)


def test_a_check_by_a_stranger_is_answered_by_who_issued_the_licence(library: Library) -> None:
    license_ = library.issue(BUSINESS)
    with library.database.writing() as uow:
        public = Identity("public", "public", "", frozenset({Role.PUBLIC}))
        library.reader.public_check(uow, public, license_.code)
        use = uow.session.scalars(select(LicenseUsage.id)).one()
    opened(library, of=use)
    assert own(library)[0].view.row.organisation == "scjg"


def test_what_was_done_at_a_window_is_answered_by_its_department(library: Library) -> None:
    use = used(library)
    with library.database.writing() as uow:
        uow.session.get_one(LicenseUsage, use).organisation = "scjg-ck"
    opened(library, of=use)
    assert own(library)[0].view.row.organisation == "scjg"


def test_lists_come_in_pages_that_wait_longest_first(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("licenses.objections.ROWS", 2)
    keys = []
    for _ in range(5):
        keys.append(opened(library))
        library.clock.advance(1)
    seen: list[str] = []
    after = None
    while True:
        page = listed(library, ARCHIVIST, Listing.OPEN, after)
        seen.extend(one.row.id for one in page.rows)
        after = page.next_cursor
        if after is None:
            break
    assert seen == keys
    with pytest.raises(CursorError):
        listed(library, ARCHIVIST, Listing.OPEN, "x")


def test_the_data_say_how_many_days_a_department_has() -> None:
    assert answer_days() == 10
    assert ObjectionService(WorkingCalendar.load(), 3).due_on(
        dt.datetime(2026, 11, 27, 16, 30, tzinfo=dt.UTC)
    ) == dt.date(2026, 12, 2), "half past midnight of Saturday 28 November in Shanghai"


def test_no_error_of_an_objection_repeats_what_was_typed(library: Library) -> None:
    words = "字" * (LONGEST + 1)
    with pytest.raises(CunzhengError) as told:
        opened(library, words=words)
    assert "字" not in str(told.value)
    assert told.value.facts == {}
