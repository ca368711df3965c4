# SPDX-License-Identifier: Apache-2.0
"""The page of changes of many licences, with two managers."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from license_library import COMPANY, FOOD, GROUNDS, WORKER, license_data
from sqlalchemy import select

from cases.services import Announcement
from licenses.events import new_event
from licenses.lifecycle import EventKind
from licenses.models import License
from storage.identity import Role

from .conftest import House, form_token, make_house

CHOICE = {"type": FOOD, "kind": "lapse", "status": "valid", "until_before": "2031-01-01"}


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    rooms, now = made.rooms, made.clock.now()
    with rooms.database.writing() as uow:
        announced = Announcement("ycsl", "C-1", "339999010002", "2026-03", *COMPANY, "scjg", now, now)
        case = rooms.cases.announce(uow, WORKER, announced)[0]
        item = rooms.items.get(case.item_code, case.item_edition)
        holder = rooms.cases.holder(uow, case)
        licence = rooms.licenses.reserve(uow, WORKER, case, item, holder, license_data(FOOD))
        licence.issued_at, licence.object_sha256, licence.seal_id = now, "ab" * 32, "seal"
        uow.session.add(new_event(uow, WORKER, licence, (), EventKind.ISSUED, GROUNDS))
    yield made
    rooms.database.close()


def send(browser: FlaskClient, path: str, **form: str) -> int:
    token = form_token(browser.get("/licences/bulk?type=" + FOOD + "&kind=lapse").text)
    return browser.post(path, data=form | {"form_token": token}).status_code


def proposed(browser: FlaskClient) -> str:
    assert send(browser, "/licences/bulk", **CHOICE, reason="年检未通过", legal_basis="某条例") == 303
    page = browser.get("/licences/bulk").text
    return page.partition('id="bulk-')[2][:26]


def test_what_is_previewed_proposed_and_approved_is_seen(house: House) -> None:
    first, second = house.browser(Role.LICENSE_MANAGER), house.browser(Role.LICENSE_MANAGER)
    preview = first.get("/licences/bulk", query_string=CHOICE).text
    assert "N8001000001" in preview
    change = proposed(first)
    assert "撤回" in first.get("/licences/bulk").text
    assert "批准" not in first.get("/licences/bulk").text
    assert send(first, f"/licences/bulk/{change}/decision", decision="approve") == 403
    assert send(second, f"/licences/bulk/{change}/decision", decision="approve") == 303
    assert "办理中" in second.get("/licences/bulk").text
    assert {"bulk.proposed", "bulk.approved"} <= set(house.acts())


def test_nobody_else_sees_the_page(house: House) -> None:
    for role in (Role.CLERK, Role.ARCHIVIST, Role.SUPERVISOR, Role.SYSTEM_ADMIN):
        assert house.browser(role).get("/licences/bulk").status_code == 403
    assert house.browser(Role.LICENSE_MANAGER).get("/licences/bulk").status_code == 200


@pytest.mark.parametrize(
    "changed",
    [{"type": "x"}, {"kind": "x"}, {"status": "x"}, {"until_before": "soon"}, {"status": "revoked"}],
)
def test_a_choice_that_is_none_is_refused_on_the_page(house: House, changed: dict[str, str]) -> None:
    answer = house.browser(Role.LICENSE_MANAGER).get("/licences/bulk", query_string=CHOICE | changed)
    assert answer.status_code == 422
    assert "证照批量变更" in answer.text


def test_a_proposal_without_grounds_or_licences_is_refused_on_the_page(house: House) -> None:
    browser = house.browser(Role.LICENSE_MANAGER)
    assert send(browser, "/licences/bulk", **CHOICE, reason=" ", legal_basis="x") == 422
    none = CHOICE | {"status": "suspended"}
    assert send(browser, "/licences/bulk", **none, reason="x", legal_basis="x") == 422
    assert "bulk.proposed" not in house.acts()


def test_what_more_fits_is_said_and_previewed_after_the_first_are_proposed(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, rooms = house.browser(Role.LICENSE_MANAGER), house.rooms
    with rooms.database.writing() as uow:
        issued = uow.session.scalars(select(License)).one()
        row = {one.key: getattr(issued, one.key) for one in License.__table__.columns}
        own = {"id": "n" * 26, "identifier": "another", "code": "n" * 26, "status_index": 9}
        uow.session.add(License(**row | own | {"number": "N9", "case_id": None}))
        uow.session.flush()
        second = uow.session.get_one(License, "n" * 26)
        uow.session.add(new_event(uow, WORKER, second, (), EventKind.ISSUED, GROUNDS))
    monkeypatch.setattr("licenses.bulk_choosing.MOST", 1)
    assert browser.get("/licences/bulk", query_string=CHOICE).status_code == 422
    first = CHOICE | {"first": "yes"}
    assert "另有 1 件符合条件" in browser.get("/licences/bulk", query_string=first).text
    token = form_token(browser.get("/licences/bulk", query_string=first).text)
    form = first | {"form_token": token, "reason": "年检未通过", "legal_basis": "某条例"}
    answer = browser.post("/licences/bulk", data=form)
    assert (answer.status_code, f"after={issued.id}" in answer.headers["Location"]) == (303, True)
    page = browser.get(answer.headers["Location"]).text
    assert "接续上一批" in page
    assert "N9" in page
    assert "另有" not in page
