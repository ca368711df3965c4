# SPDX-License-Identifier: Apache-2.0
"""One-certificate handling: from a document to the open case, and a form filled in with sources."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from license_library import BUSINESS, CLERK, COMPANY, FOOD, GROUNDS, ITEM_OF, MANAGER, OTHER, Library, on_case
from sqlalchemy import select

from cases.models import Case
from licenses.errors import LicenseHiddenError
from licenses.models import LicenseUsage
from licenses.one_certificate import FormField, OneCertificateService
from storage.identity import Identity, Role

FAR_CLERK = Identity("person", "clerk-2", "jtj", frozenset({Role.CLERK}))


class Desk(Library):
    """A library with a window at which one document is enough."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.one = OneCertificateService(self.reader, self.holdings, self.items, self.holders)

    def find(
        self, who: Identity = CLERK, holder: tuple[str, str] = COMPANY[:2], item: str = ITEM_OF[FOOD]
    ) -> str | None:
        with self.database.reading() as uow:
            case = self.one.open_case(uow, who, holder, item)
            return None if case is None else case.id

    def form(self, case: Case, who: Identity = CLERK, *, reveal: bool = False) -> dict[str, FormField]:
        with self.database.writing() as uow:
            found = self.one.form(uow, on_case(who, case), reveal=reveal)
            return {one.field.name: one for one in found}

    def uses(self) -> list[tuple[str, str]]:
        with self.database.reading() as uow:
            rows = uow.session.execute(select(LicenseUsage.action, LicenseUsage.asked))
            return sorted((action, asked) for action, asked in rows)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.database.close()


def test_a_document_and_an_item_lead_to_the_newest_open_case_of_the_own_department(desk: Desk) -> None:
    assert desk.find() is None
    desk.announce(FOOD)
    desk.clock.advance(60)
    newest = desk.announce(FOOD)
    desk.clock.advance(60)
    desk.announce(FOOD, closed=True)
    desk.announce(FOOD, OTHER)
    assert desk.find() == newest.id
    assert desk.find(holder=("001", "91339999MADEM0019P")) is None
    assert desk.find(holder=("001", "nothing")) is None
    assert desk.find(item=ITEM_OF[BUSINESS]) is None
    assert desk.find(FAR_CLERK) is None


def test_what_valid_licences_state_stands_in_the_form_with_its_source(desk: Desk) -> None:
    held = desk.issue(BUSINESS)
    form = desk.form(desk.announce(FOOD))
    assert {name for name, one in form.items() if one.source is not None} == {
        "legal_representative",
        "domicile",
    }
    domicile = form["domicile"]
    assert domicile.source is not None
    assert (domicile.value, domicile.hidden) == ("演*", True)
    assert domicile.source.identifier == held.identifier
    assert (form["permitted_items"].value, form["permitted_items"].source) == (None, None)
    # What comes from the act of issuing is no field that anybody states.
    assert not {"number", "issued_on", "valid_until"} & set(form)


def test_what_is_not_valid_any_more_fills_in_nothing(desk: Desk) -> None:
    held, case = desk.issue(BUSINESS), desk.announce(FOOD)
    with desk.database.writing() as uow:
        desk.service.revoke(uow, MANAGER, held.identifier, GROUNDS)
    assert not any(one.source for one in desk.form(case).values())


def test_the_newest_statement_counts(desk: Desk) -> None:
    desk.issue(BUSINESS)
    later = desk.issue(FOOD, issued_on="2026-06-01", valid_from="2026-06-01")
    source = desk.form(desk.announce(FOOD))["domicile"].source
    assert source is not None
    assert (source.identifier, source.issued_on) == (later.identifier, dt.date(2026, 6, 1))


def test_each_licence_that_is_read_is_recorded_and_nothing_without_an_open_case(desk: Desk) -> None:
    desk.issue(BUSINESS)
    case = desk.announce(FOOD)
    desk.form(case)
    assert desk.uses() == [("find", ""), ("read", "")]
    desk.close(case)
    with pytest.raises(LicenseHiddenError):
        desk.form(case)
    with pytest.raises(LicenseHiddenError):
        desk.form(desk.announce(FOOD), FAR_CLERK)


def test_a_masked_value_is_shown_whole_by_a_use_of_its_own_that_names_the_fields(desk: Desk) -> None:
    desk.issue(BUSINESS)
    form = desk.form(desk.announce(FOOD), reveal=True)
    assert form["domicile"].value == "演示市示范路1号"
    assert not any(one.hidden for one in form.values())
    assert ("reveal", "legal_representative domicile") in desk.uses()
