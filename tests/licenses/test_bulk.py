# SPDX-License-Identifier: Apache-2.0
"""Changes of many licences: previewed, proposed, approved by somebody else, carried out one by one."""

import datetime as dt
from collections import Counter
from dataclasses import replace

import pytest
from license_library import BUSINESS, CLERK, FOOD, GROUNDS, MANAGER, Library
from sqlalchemy import func, select

import licenses.bulk_models  # noqa: F401 - defines tables
from licenses.bulk import CHUNK, BulkService, BulkState, Outcome
from licenses.bulk_choosing import BulkKind, Selection
from licenses.bulk_models import BulkChange, BulkMember
from licenses.errors import (
    BulkClosedError,
    BulkEmptyError,
    BulkOwnError,
    BulkTooLargeError,
    BulkUnknownError,
    ReasonRequiredError,
)
from licenses.events import Grounds
from licenses.lifecycle import EventKind, Status
from licenses.models import License
from storage.errors import NotPermittedError
from storage.ledger.models import LedgerAct
from storage.steps import StepRow

SECOND = replace(MANAGER, id="manager-2")
ELSEWHERE = replace(MANAGER, id="manager-3", organisation="jtys")
LAPSE = Selection(FOOD, BulkKind.LAPSE)


def service(library: Library) -> BulkService:
    return BulkService(library.holdings, library.service)


def issue(library: Library, count: int) -> list[License]:
    return [library.issue(FOOD, number=f"N{place:06d}") for place in range(count)]


def propose(library: Library, chosen: Selection = LAPSE, grounds: Grounds = GROUNDS) -> BulkChange:
    with library.database.writing() as uow:
        return service(library).propose(uow, MANAGER, chosen, grounds)


def decide(library: Library, change: BulkChange, *, approve: bool = True) -> None:
    with library.database.writing() as uow:
        service(library).decide(uow, SECOND, change.id, approve=approve)


def work(library: Library, change: BulkChange) -> int:
    """Work until nothing is left; give how many transactions it took."""
    rounds, more = 0, True
    while more:
        with library.database.writing() as uow:
            more = service(library).work(uow, change.id)
        rounds += 1
    return rounds


def outcomes(library: Library, change: BulkChange) -> dict[Outcome, int]:
    with library.database.reading() as uow:
        view = next(one for one in service(library).list(uow, MANAGER) if one.row.id == change.id)
        return dict(view.counts)


def acts(library: Library) -> Counter[str]:
    with library.database.reading() as uow:
        return Counter(uow.session.scalars(select(LedgerAct.kind)))


def test_a_preview_counts_what_allows_it_and_what_does_not(library: Library) -> None:
    made = issue(library, 3)
    library.issue(BUSINESS)
    with library.database.writing() as uow:
        library.service.revoke(uow, MANAGER, made[1].identifier, GROUNDS)
        found = service(library).preview(uow, MANAGER, LAPSE)
    assert list(found.ids) == [made[0].id, made[2].id]
    assert found.sample == [("N000000", Status.VALID), ("N000002", Status.VALID)]
    assert found.left == {Status.REVOKED: 1}


def test_a_preview_is_narrowed_by_status_and_last_day(library: Library) -> None:
    made = issue(library, 2)
    early = library.issue(FOOD, number="N000009", valid_until="2027-04-30")
    with library.database.writing() as uow:
        library.service.suspend(uow, MANAGER, made[0].identifier, GROUNDS)
        bulk = service(library)
        suspended = bulk.preview(uow, MANAGER, replace(LAPSE, status=Status.SUSPENDED))
        before = bulk.preview(uow, MANAGER, replace(LAPSE, until_before=dt.date(2027, 5, 1)))
    assert (list(suspended.ids), list(before.ids)) == ([made[0].id], [early.id])


def test_what_was_approved_is_carried_out_with_a_record_each(library: Library) -> None:
    made = issue(library, CHUNK + 3)
    change = propose(library)
    decide(library, change)
    with library.database.reading() as uow:
        assert uow.session.scalars(select(StepRow.subject).where(StepRow.kind == "license.bulk")).one()
    assert work(library, change) == 2
    assert outcomes(library, change) == {Outcome.CHANGED: CHUNK + 3}
    assert {library.status(one) for one in made} == {Status.LAPSED}
    counted = acts(library)
    assert counted["license.lapsed"] == CHUNK + 3
    assert (counted["bulk.proposed"], counted["bulk.approved"], counted["bulk.done"]) == (1, 1, 1)


def test_what_no_longer_allows_it_is_left_alone_and_counted(library: Library) -> None:
    made = issue(library, 2)
    change = propose(library)
    decide(library, change)
    with library.database.writing() as uow:
        library.service.cancel(uow, MANAGER, made[0].identifier, GROUNDS)
    work(library, change)
    assert outcomes(library, change) == {Outcome.LEFT: 1, Outcome.CHANGED: 1}
    assert [library.status(one) for one in made] == [Status.CANCELLED, Status.LAPSED]


def test_what_was_issued_after_the_proposal_is_not_meant(library: Library) -> None:
    issue(library, 1)
    change = propose(library)
    later = library.issue(FOOD, number="N999999")
    decide(library, change)
    work(library, change)
    assert library.status(later) is Status.VALID


def test_nothing_happens_without_approval(library: Library) -> None:
    made = issue(library, 1)
    change = propose(library)
    assert work(library, change) == 1
    decide(library, change, approve=False)
    work(library, change)
    assert library.status(made[0]) is Status.VALID
    assert acts(library)["bulk.refused"] == 1


def test_nobody_decides_the_own_proposal_and_no_other_department_sees_it(library: Library) -> None:
    issue(library, 1)
    change = propose(library)
    with pytest.raises(BulkOwnError), library.database.writing() as uow:
        service(library).decide(uow, MANAGER, change.id, approve=True)
    for stranger in (ELSEWHERE, CLERK):
        with pytest.raises(BulkUnknownError), library.database.writing() as uow:
            service(library).decide(uow, stranger, change.id, approve=True)
    with library.database.reading() as uow:
        assert service(library).list(uow, ELSEWHERE) == []


def test_a_proposal_is_decided_once_and_within_seven_days(library: Library) -> None:
    issue(library, 1)
    first, second = propose(library), propose(library)
    decide(library, first, approve=False)
    with pytest.raises(BulkClosedError):
        decide(library, first)
    library.clock.advance(7 * 86_400)
    with pytest.raises(BulkClosedError):
        decide(library, second)
    with library.database.reading() as uow:
        states = {view.row.id: view.state for view in service(library).list(uow, MANAGER)}
    assert states == {first.id: BulkState.REFUSED, second.id: BulkState.LATE}


def test_only_who_proposed_takes_it_back(library: Library) -> None:
    issue(library, 1)
    change = propose(library)
    with pytest.raises(BulkUnknownError), library.database.writing() as uow:
        service(library).withdraw(uow, SECOND, change.id)
    with library.database.writing() as uow:
        service(library).withdraw(uow, MANAGER, change.id)
    assert acts(library)["bulk.withdrawn"] == 1


def test_a_selection_of_nothing_without_grounds_or_by_who_may_not_is_refused(library: Library) -> None:
    with pytest.raises(BulkEmptyError):
        propose(library)
    issue(library, 1)
    with pytest.raises(ReasonRequiredError):
        propose(library, grounds=Grounds("", ""))
    with pytest.raises(NotPermittedError), library.database.writing() as uow:
        service(library).preview(uow, CLERK, LAPSE)


def test_more_than_one_change_may_have_is_refused(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    issue(library, 3)
    monkeypatch.setattr("licenses.bulk_choosing.MOST", 2)
    with pytest.raises(BulkTooLargeError):
        propose(library)
    with library.database.reading() as uow:
        assert uow.session.scalar(select(func.count()).select_from(BulkMember)) == 0


@pytest.mark.parametrize("kind", list(BulkKind))
def test_every_kind_of_change_can_be_carried_out(library: Library, kind: BulkKind) -> None:
    made = issue(library, 1)[0]
    if kind is BulkKind.RESUME:
        with library.database.writing() as uow:
            library.service.change(uow, MANAGER, made.identifier, EventKind.SUSPENDED, GROUNDS)
    change = propose(library, Selection(FOOD, kind))
    decide(library, change)
    work(library, change)
    assert outcomes(library, change) == {Outcome.CHANGED: 1}
