# SPDX-License-Identifier: Apache-2.0
"""Versions of a licence: renewed, changed, reissued, corrected; and what happens on the way."""

import datetime as dt

import pytest
from license_library import (
    CLERK,
    COMPANY,
    FOOD,
    GROUNDS,
    ITEM_OF,
    MANAGER,
    OTHER,
    Library,
    held_together,
    license_data,
)
from sqlalchemy import select

from licenses.errors import LicenseDataError, LicenseStateError, ReasonRequiredError
from licenses.events import Grounds
from licenses.identifiers import parse
from licenses.lifecycle import EventKind, Process, Status
from licenses.models import License, LicenseEvent, LicenseHolder
from licenses.succession import may_be_issued
from storage.clock import start_of_day
from storage.errors import NotPermittedError
from storage.identity import Identity


def renewal(library: Library, previous: License, **changes: object) -> License:
    return library.reserve(FOOD, replaces=previous.identifier, change="renewal", **changes)


def change(library: Library, license_: License, kind: EventKind, process: Process | None = None) -> None:
    with library.database.writing() as uow:
        library.service.change(uow, MANAGER, license_.identifier, kind, GROUNDS, process)


def test_a_renewal_keeps_the_serial_and_raises_the_version(library: Library) -> None:
    first = library.issue(FOOD)
    second = renewal(library, first)
    before, after = parse(first.identifier), parse(second.identifier)
    assert (after.serial, after.version) == (before.serial, before.version + 1)
    assert (second.version, second.previous_id, second.change) == (2, first.id, "renewal")


@pytest.mark.parametrize(
    ("why", "process"),
    [("renewal", Process.RENEWAL), ("change", Process.CHANGE), ("reissue", Process.REISSUE)],
)
def test_renewal_change_and_reissue_each_make_the_next_version(
    library: Library, why: str, process: Process
) -> None:
    first = library.issue(FOOD)
    library.clock.advance(60)
    reserved = library.reserve(FOOD, replaces=first.identifier, change=why)
    with library.database.reading() as uow:
        row = uow.session.get_one(License, first.id)
        assert library.holdings.standing(uow, row, library.clock.now()) == (Status.VALID, process)
    second = library.issue_reserved(reserved)
    assert (second.change, second.version) == (why, 2)
    assert (library.status(first), library.status(second)) == (Status.SUPERSEDED, Status.VALID)


def test_while_it_is_renewed_a_licence_is_valid_and_says_so(library: Library) -> None:
    first = library.issue(FOOD)
    renewal(library, first)
    assert library.status(first) is Status.VALID
    with library.database.reading() as uow:
        row = uow.session.get_one(License, first.id)
        assert library.holdings.standing(uow, row, library.clock.now())[1] is Process.RENEWAL


def test_the_new_version_takes_the_place_of_the_old_one_at_once(library: Library) -> None:
    first = library.issue(FOOD)
    library.clock.advance(60)
    second = library.issue_reserved(renewal(library, first))
    assert (library.status(first), library.status(second)) == (Status.SUPERSEDED, Status.VALID)
    with library.database.reading() as uow:
        event = uow.session.scalars(select(LicenseEvent).where(LicenseEvent.kind == "superseded")).one()
        assert event.successor_id == second.id


def test_until_the_new_version_comes_into_force_the_old_one_is_valid(library: Library) -> None:
    first = library.issue(FOOD)
    starts = dt.date(2027, 5, 1)
    second = library.issue_reserved(
        renewal(library, first, valid_from="2027-05-01", valid_until="2031-04-30")
    )
    eve = start_of_day(starts) - dt.timedelta(microseconds=1)
    assert (library.status(first, eve), library.status(second, eve)) == (Status.VALID, Status.NOT_ACTIVATED)
    begins = start_of_day(starts)
    assert (library.status(first, begins), library.status(second, begins)) == (
        Status.SUPERSEDED,
        Status.VALID,
    )


def test_what_befalls_the_old_version_befalls_the_one_that_waits(library: Library) -> None:
    first = library.issue(FOOD)
    second = library.issue_reserved(
        renewal(library, first, valid_from="2027-05-01", valid_until="2031-04-30")
    )
    library.clock.advance(1)
    change(library, first, EventKind.REVOKED)
    begins = start_of_day(dt.date(2027, 5, 1))
    assert library.status(first, begins) is library.status(second, begins) is Status.REVOKED


def test_a_suspended_licence_is_renewed_suspended(library: Library) -> None:
    first = library.issue(FOOD)
    reserved = renewal(library, first)
    change(library, first, EventKind.SUSPENDED)
    library.clock.advance(1)
    second = library.issue_reserved(reserved)
    assert (library.status(first), library.status(second)) == (Status.SUPERSEDED, Status.SUSPENDED)
    library.clock.advance(1)
    change(library, second, EventKind.RESUMED)
    assert library.status(second) is Status.VALID


def test_the_successor_of_what_was_revoked_is_not_to_be_issued(library: Library) -> None:
    first = library.issue(FOOD)
    reserved = renewal(library, first)
    change(library, first, EventKind.REVOKED)
    with library.database.reading() as uow:
        assert not may_be_issued(uow, uow.session.get_one(License, reserved.id))
    library.clock.advance(1)
    second = library.issue_reserved(reserved)
    assert (library.status(first), library.status(second)) == (Status.REVOKED, Status.CANCELLED)


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        ({"replaces": "1.2.156.3005.2.x"}, "replaces-and-change-together"),
        ({"change": "renewal"}, "replaces-and-change-together"),
        ({"replaces": "unknown", "change": "renewal"}, "no-such-predecessor"),
    ],
)
def test_a_predecessor_must_be_named_rightly(library: Library, data: dict[str, str], rule: str) -> None:
    with pytest.raises(LicenseDataError) as refused:
        library.reserve(FOOD, **data)
    assert refused.value.facts["rule"] == rule


def test_nobody_renews_the_licence_of_another_holder(library: Library) -> None:
    first = library.issue(FOOD, COMPANY)
    with pytest.raises(LicenseDataError) as refused:
        library.reserve(FOOD, OTHER, replaces=first.identifier, change="renewal")
    assert refused.value.facts["rule"] == "no-such-predecessor"


def test_a_second_successor_is_refused_while_one_is_made(library: Library) -> None:
    first = library.issue(FOOD)
    renewal(library, first)
    with pytest.raises(LicenseDataError) as refused:
        renewal(library, first)
    assert refused.value.facts["rule"] == "process-pending"


def test_what_ended_has_no_successor(library: Library) -> None:
    first = library.issue(FOOD)
    change(library, first, EventKind.WITHDRAWN)
    with pytest.raises(LicenseDataError) as refused:
        renewal(library, first)
    assert refused.value.facts["rule"] == "predecessor-ended"


def test_the_annual_check_is_opened_passed_and_failed(library: Library) -> None:
    first = library.issue(FOOD)
    change(library, first, EventKind.PROCESS_OPENED, Process.ANNUAL_CHECK)
    change(library, first, EventKind.CHECKED)
    with library.database.reading() as uow:
        row = uow.session.get_one(License, first.id)
        assert library.holdings.standing(uow, row, library.clock.now())[1] is None
    change(library, first, EventKind.LAPSED)
    assert library.status(first) is Status.LAPSED


@pytest.mark.parametrize(
    ("kind", "process"),
    [
        (EventKind.ISSUED, None),
        (EventKind.SUPERSEDED, None),
        (EventKind.ABANDONED, None),
        (EventKind.ADOPTED, None),
        (EventKind.PROCESS_OPENED, Process.RENEWAL),
        (EventKind.PROCESS_OPENED, None),
        (EventKind.SUSPENDED, Process.ANNUAL_CHECK),
    ],
)
def test_an_office_decides_neither_issuing_nor_replacing(
    library: Library, kind: EventKind, process: Process | None
) -> None:
    first = library.issue(FOOD)
    with pytest.raises(LicenseStateError):
        change(library, first, kind, process)


def issue_by_office(library: Library, identity: Identity, grounds: Grounds) -> License:
    case = library.announce(FOOD, closed=True)
    with library.database.writing() as uow:
        holder = library.cases.holder(uow, case)
        return library.service.reserve_by_office(uow, identity, holder, license_data(FOOD), grounds)


def test_an_office_issues_without_a_case(library: Library) -> None:
    made = issue_by_office(library, MANAGER, GROUNDS)
    assert (made.case_id, made.origin, made.trust) == (None, "office", "A")
    assert made.item_code == ITEM_OF[FOOD], "its seal is given for items"
    assert library.status(made) is Status.IN_PREPARATION


def test_an_office_that_issues_says_why(library: Library) -> None:
    with pytest.raises(ReasonRequiredError):
        issue_by_office(library, MANAGER, Grounds("", ""))


def test_nobody_but_a_licence_manager_issues_without_a_case(library: Library) -> None:
    with pytest.raises(NotPermittedError):
        issue_by_office(library, CLERK, GROUNDS)


def test_a_licence_held_together_is_found_for_each_holder(library: Library) -> None:
    scheme, code, name = OTHER
    library.types.adopt([held_together(library.types.get(FOOD))], 1)
    made = library.issue(
        FOOD,
        COMPANY,
        share="1/2",
        co_holders=[{"scheme": scheme, "code": code, "name": name, "share": "1/2"}],
    )
    case = library.announce(FOOD, OTHER)
    with library.database.reading() as uow:
        rows = uow.session.scalars(select(LicenseHolder).order_by(LicenseHolder.position)).all()
        assert [(row.license_id, row.share) for row in rows] == [(made.id, "1/2"), (made.id, "1/2")]
        facts = library.holdings.facts(uow, case.holder_id, [FOOD], library.clock.now())
        assert [fact.id for fact in facts] == [made.id]


def test_places_in_the_status_list_are_given_in_order(library: Library) -> None:
    first = library.issue(FOOD)
    second = renewal(library, first)
    assert (first.status_index, second.status_index) == (0, 1)


def ahead(library: Library, previous: License, start: str) -> License:
    data = {"valid_from": start, "valid_until": "2031-04-30"}
    return library.issue_reserved(renewal(library, previous, **data))


def test_a_version_in_force_at_once_ends_all_earlier_ones(library: Library) -> None:
    first = library.issue(FOOD)
    second = ahead(library, first, "2027-05-01")
    library.clock.advance(60)
    third = library.issue_reserved(renewal(library, second))
    for at in (library.clock.now(), start_of_day(dt.date(2027, 5, 1)), start_of_day(dt.date(2028, 5, 1))):
        assert [library.status(one, at) for one in (first, second, third)] == [
            Status.SUPERSEDED,
            Status.SUPERSEDED,
            Status.VALID,
        ]


def test_what_befalls_the_old_version_befalls_all_that_wait_behind_it(library: Library) -> None:
    first = library.issue(FOOD)
    second = ahead(library, first, "2027-05-01")
    third = ahead(library, second, "2028-05-01")
    library.clock.advance(1)
    change(library, first, EventKind.SUSPENDED)
    later = start_of_day(dt.date(2028, 5, 1))
    assert library.status(third, later) is Status.SUSPENDED


def test_a_licence_is_suspended_although_its_waiting_version_is_so_already(library: Library) -> None:
    first = library.issue(FOOD)
    second = ahead(library, first, "2027-05-01")
    change(library, second, EventKind.SUSPENDED)
    library.clock.advance(1)
    change(library, first, EventKind.SUSPENDED)
    assert library.status(first) is Status.SUSPENDED
    library.clock.advance(1)
    change(library, first, EventKind.RESUMED)
    begins = start_of_day(dt.date(2027, 5, 1))
    assert library.status(first) is Status.VALID
    assert library.status(second, begins) is Status.SUSPENDED, "it was suspended by itself"


def test_a_suspension_that_was_shared_ends_for_both(library: Library) -> None:
    first = library.issue(FOOD)
    second = ahead(library, first, "2027-05-01")
    change(library, first, EventKind.SUSPENDED)
    library.clock.advance(1)
    change(library, first, EventKind.RESUMED)
    begins = start_of_day(dt.date(2027, 5, 1))
    assert (library.status(first), library.status(second, begins)) == (Status.VALID, Status.VALID)


def test_a_shared_suspension_that_ended_for_the_waiting_version_alone_ends_for_the_first(
    library: Library,
) -> None:
    first = library.issue(FOOD)
    second = ahead(library, first, "2027-05-01")
    change(library, first, EventKind.SUSPENDED)
    change(library, second, EventKind.RESUMED)
    change(library, first, EventKind.RESUMED)
    assert library.status(first) is Status.VALID


def test_a_clock_that_lags_breaks_no_history(library: Library) -> None:
    first = library.issue(FOOD)
    reserved = renewal(library, first)
    library.clock.at -= dt.timedelta(seconds=30)
    second = library.issue_reserved(reserved)
    change(library, second, EventKind.SUSPENDED)
    library.clock.advance(60)
    assert (library.status(first), library.status(second)) == (Status.SUPERSEDED, Status.SUSPENDED)


def test_what_was_to_be_replaced_by_a_version_that_ended_first_keeps_its_place(library: Library) -> None:
    first = library.issue(FOOD)
    second = ahead(library, first, "2027-05-01")
    library.clock.advance(1)
    change(library, second, EventKind.WITHDRAWN)
    begins = start_of_day(dt.date(2027, 5, 1))
    assert (library.status(first, begins), library.status(second, begins)) == (
        Status.VALID,
        Status.WITHDRAWN,
    )
    library.clock.advance(1)
    third = library.issue_reserved(renewal(library, first))
    assert (third.version, library.status(first), library.status(third)) == (
        3,
        Status.SUPERSEDED,
        Status.VALID,
    )


def test_a_version_in_force_that_ends_gives_the_earlier_one_nothing_back(library: Library) -> None:
    first = library.issue(FOOD)
    library.clock.advance(1)
    second = library.issue_reserved(renewal(library, first))
    library.clock.advance(1)
    change(library, second, EventKind.WITHDRAWN)
    assert (library.status(first), library.status(second)) == (Status.SUPERSEDED, Status.WITHDRAWN)
