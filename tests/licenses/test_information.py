# SPDX-License-Identifier: Apache-2.0
"""The information check: codes 0 to 6 with their reasons, at the clock, and nothing told to who guesses."""

import datetime as dt
from collections.abc import Mapping

import pytest
from license_library import COMPANY, FOOD, GROUNDS, MANAGER, OTHER, Library, held_together
from sqlalchemy import select

from licenses.information import (
    COMPARED,
    ITEMS,
    MOST,
    InformationCheck,
    InformationService,
    code_table,
)
from licenses.lifecycle import EventKind, Process, Status
from licenses.metadata import registered_items
from licenses.models import License, LicenseUsage
from storage.identity import PUBLIC


def check(library: Library, stated: Mapping[str, str]) -> InformationCheck:
    with library.database.writing() as uow:
        return InformationService(library.holdings, library.holders).check(uow, PUBLIC, stated)


def stated(license_: License, **changes: str) -> dict[str, str]:
    holder = {"holder_scheme": COMPANY[0], "holder_code": COMPANY[1], "holder_name": COMPANY[2]}
    return registered_items(license_) | holder | changes


def change(library: Library, license_: License, kind: EventKind, process: Process | None = None) -> None:
    with library.database.writing() as uow:
        library.service.change(uow, MANAGER, license_.identifier, kind, GROUNDS, process)


def test_what_is_right_and_valid_is_0(library: Library) -> None:
    found = check(library, stated(library.issue(FOOD)))
    assert (found.code, found.reasons, found.items, found.trust) == (0, (), (), "A")
    assert found.as_json()["trust"] == "A"
    assert found.promise is not None


@pytest.mark.parametrize(
    ("kind", "code", "reason"),
    [
        (EventKind.SUSPENDED, 2, "suspended"),
        (EventKind.CANCELLED, 3, "cancelled"),
        (EventKind.WITHDRAWN, 3, "withdrawn"),
        (EventKind.REVOKED, 3, "revoked"),
        (EventKind.LAPSED, 3, "lapsed"),
    ],
)
def test_what_befell_a_licence_decides(library: Library, kind: EventKind, code: int, reason: str) -> None:
    made = library.issue(FOOD)
    change(library, made, kind)
    found = check(library, stated(made))
    assert (found.code, found.reasons) == (code, (reason,))


def test_dates_are_judged_by_the_clock_and_not_by_what_is_stated(library: Library) -> None:
    made = library.issue(FOOD)
    library.clock.advance(365 * 5 * 86_400)
    claimed = check(library, stated(made, valid_until="2099-12-31"))
    assert (claimed.code, claimed.items) == (6, ("valid_until",))
    assert check(library, stated(made)).reasons == ("expired",)
    assert check(library, stated(made)).code == 3


def test_a_licence_before_its_first_day_is_1(library: Library) -> None:
    starts = (library.clock.now() + dt.timedelta(days=90)).date().isoformat()
    made = library.issue(FOOD, valid_from=starts)
    assert (check(library, stated(made)).code, check(library, stated(made)).reasons) == (
        1,
        ("not-activated",),
    )


def test_what_was_replaced_is_no_longer_valid(library: Library) -> None:
    made = library.issue(FOOD)
    library.issue_reserved(library.reserve(FOOD, replaces=made.identifier, change="renewal"))
    assert check(library, stated(made)).reasons == ("superseded",)


def test_a_pending_process_is_said_and_changes_nothing(library: Library) -> None:
    made = library.issue(FOOD)
    change(library, made, EventKind.PROCESS_OPENED, Process.ANNUAL_CHECK)
    found = check(library, stated(made))
    assert (found.code, found.reasons) == (0, ("change-pending",))


@pytest.mark.parametrize("item", ["identifier", "holder_scheme", "holder_code"])
def test_what_lacks_identifier_or_holder_is_4(library: Library, item: str) -> None:
    found = check(library, stated(library.issue(FOOD), **{item: " "}))
    assert (found.code, found.reasons, found.items) == (4, ("item-missing",), (item,))


def test_another_holder_learns_as_much_as_of_a_licence_there_is_not(library: Library) -> None:
    made = library.issue(FOOD)
    other = check(library, stated(made, holder_code=OTHER[1]))
    unknown = check(library, stated(made, identifier=made.identifier[:-1] + "?"))
    malformed = check(library, stated(made, holder_code="1"))
    assert other == unknown == malformed
    assert (other.code, other.reasons, other.promise) == (5, ("no-match",), None)


@pytest.mark.parametrize("item", [*COMPARED, "holder_name"])
def test_each_item_that_differs_is_named(library: Library, item: str) -> None:
    found = check(library, stated(library.issue(FOOD), **{item: "改过"}))
    assert (found.code, found.reasons, found.items) == (6, ("item-differs",), (item,))


@pytest.mark.parametrize("form", ["20300430", "2030年4月30日", "2030/4/30"])
def test_a_day_is_compared_whatever_its_form(library: Library, form: str) -> None:
    made = library.issue(FOOD)
    assert check(library, stated(made, valid_until=form)).code == 0
    assert check(library, stated(made, valid_until=form.replace("30", "29"))).items == ("valid_until",)


def test_each_of_several_holders_may_be_stated(library: Library) -> None:
    scheme, code, name = OTHER
    library.types.adopt([held_together(library.types.get(FOOD))], 1)
    shared = [{"scheme": scheme, "code": code, "name": name, "share": "1/2"}]
    made = library.issue(FOOD, COMPANY, share="1/2", co_holders=shared)
    other = {"holder_scheme": scheme, "holder_code": code, "holder_name": name}
    assert check(library, stated(made, **other)).code == 0
    assert check(library, stated(made, holder_code=code)).items == ("holder_name",)


def test_a_check_that_meets_a_licence_is_a_use_that_its_holder_sees(library: Library) -> None:
    made = library.issue(FOOD)
    check(library, stated(made))
    check(library, stated(made, holder_code=OTHER[1]))
    with library.database.reading() as uow:
        uses = uow.session.scalars(select(LicenseUsage)).all()
        assert [(use.action, use.license_id, use.basis) for use in uses] == [
            ("public-check", made.id, "public-check")
        ]


def test_a_batch_gives_each_its_own_answer_in_order(library: Library) -> None:
    made = library.issue(FOOD)
    wrong = stated(made, number="X")
    with library.database.writing() as uow:
        service = InformationService(library.holdings, library.holders)
        found = service.check_all(uow, PUBLIC, [stated(made), wrong, {}] * MOST)
    assert [one.code for one in found] == ([0, 6, 4] * MOST)[:MOST]


def test_every_reason_that_a_status_can_give_has_words() -> None:
    table = code_table()
    assert {str(status) for status in Status} - {"valid"} <= set(table.reasons)
    assert set(table.information) == set(range(7))
    assert set(table.file) == {0, 1, 2}
    assert set(COMPARED) < set(ITEMS)
