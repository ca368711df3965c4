# SPDX-License-Identifier: Apache-2.0
"""What holders see of themselves: everything of their own, nothing of anybody else's."""

import pytest
from license_library import BUSINESS, CLERK, CLIENT, COMPANY, FOOD, OTHER, SUPERVISOR, Library
from sqlalchemy import select

from cases.calendar import WorkingCalendar
from licenses import own
from licenses.errors import LicenseHiddenError, QuestionRefusedError
from licenses.objections import ObjectionService
from licenses.own import OwnRecords, OwnRecordsService
from licenses.questions import ProofQuestion
from storage.cursors import CursorError
from storage.errors import NotPermittedError
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.models import LedgerAct

CALENDAR = WorkingCalendar.load()


def _holder(library: Library, of: tuple[str, str, str]) -> Identity:
    with library.database.writing() as uow:
        found = library.holders.find_or_add(uow, *of)
    roles = frozenset({Role.HOLDER})
    return Identity("holder", found.id, "", roles, AccessBasis(Basis.HOLDER), session="session-1")


def _look(library: Library, who: Identity, after: str | None = None) -> OwnRecords:
    service = OwnRecordsService(
        library.reader, library.proofs, library.holdings, library.holders, ObjectionService(CALENDAR)
    )
    with library.database.writing() as uow:
        return service.look(uow, who, after)


def _ask(library: Library, holder: tuple[str, str, str] = COMPANY, *, closed: bool = False) -> None:
    case = library.announce(FOOD, holder, closed=closed)
    with library.database.writing() as uow:
        library.proofs.ask(uow, CLIENT, ProofQuestion(case.source, case.number, case.item_code, "accept"))


def test_a_holder_sees_all_own_licences_whatever_their_state_and_no_others(library: Library) -> None:
    library.issue(BUSINESS)
    library.issue(FOOD, valid_until="2026-05-02")
    library.reserve(FOOD, number="N0000000002")
    library.issue(BUSINESS, OTHER, number="N0000000003")
    seen = _look(library, _holder(library, COMPANY))
    assert sorted(one.kind.code for one in seen.licences) == sorted([BUSINESS, FOOD])
    assert {one.status.code for one in seen.licences} == {"valid", "expired"}
    assert [one.face for one in seen.licences] == [{}, {}]
    assert seen.holder is not None
    assert seen.holder.code == "9133**********011X"
    assert [one.kind.code for one in _look(library, _holder(library, OTHER)).licences] == [BUSINESS]


def test_every_use_is_listed_with_what_was_asked_and_not_with_what_came_out(library: Library) -> None:
    library.issue(BUSINESS)
    _ask(library)
    uses = _look(library, _holder(library, COMPANY)).uses
    asked = {use.requirement.zh for use in uses if use.requirement}
    assert asked == {"健康证明", "场地使用证明", "营业执照"}
    assert {use.case.number for use in uses if use.case} == {"C-2"}
    assert {use.row.organisation for use in uses} == {"scjg"}
    assert "食品" not in "".join(use.row.asked for use in uses), "values that were asked for are not kept"
    assert _look(library, _holder(library, OTHER)).uses == []


def test_refused_questions_and_refused_reads_are_listed(library: Library) -> None:
    license_ = library.issue(BUSINESS)
    with pytest.raises(QuestionRefusedError) as question:
        _ask(library, closed=True)
    stranger = CLERK.on(AccessBasis(Basis.CASE, "unknown", "339999010002", "accept"))
    with pytest.raises(LicenseHiddenError) as read, library.database.writing() as uow:
        library.reader.read(uow, stranger, license_.identifier)
    for refusal in (question.value, read.value):
        library.database.write(refusal.record)
    uses = _look(library, _holder(library, COMPANY)).uses
    assert {use.row.action for use in uses if use.row.result == "REFUSED"} == {"ask", "read"}


def test_a_look_is_an_act_of_the_holder_and_no_use(library: Library) -> None:
    who = _holder(library, COMPANY)
    assert _look(library, who).uses == []
    assert _look(library, who).uses == []
    with library.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "holder.looked")).all()
    assert [(act.actor_id, act.object_id) for act in acts] == [(who.id, who.id)] * 2


def test_uses_come_in_pages_without_gaps(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own, "ROWS", 4)
    for _ in range(3):
        _ask(library)
        library.clock.advance(1)
    who, seen, after = _holder(library, COMPANY), [], None
    while True:
        page = _look(library, who, after)
        seen.extend(use.row.id for use in page.uses)
        after = page.next_cursor
        if after is None:
            break
    assert len(seen) == len(set(seen)) == 9


def test_a_place_in_anothers_list_shows_only_own_rows(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own, "ROWS", 1)
    _ask(library, OTHER)
    library.clock.advance(1)
    _ask(library)
    place = _look(library, _holder(library, COMPANY)).next_cursor
    other = _holder(library, OTHER)
    assert {use.row.holder_id for use in _look(library, other, place).uses} <= {other.id}
    with pytest.raises(CursorError):
        _look(library, other, "../1")


@pytest.mark.parametrize("who", [CLERK, SUPERVISOR, CLIENT])
def test_nobody_else_has_this_view(library: Library, who: Identity) -> None:
    with pytest.raises(NotPermittedError):
        _look(library, who.on(AccessBasis(Basis.HOLDER)))


def test_a_holder_reads_no_licence_by_its_identifier(library: Library) -> None:
    license_ = library.issue(BUSINESS, OTHER)
    who = _holder(library, COMPANY)
    for basis in (Basis.HOLDER, Basis.SUPERVISION, Basis.FILING):
        with pytest.raises(LicenseHiddenError), library.database.writing() as uow:
            library.reader.read(uow, who.on(AccessBasis(basis)), license_.identifier)
