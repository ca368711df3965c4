# SPDX-License-Identifier: Apache-2.0
"""One document is enough: at the window it leads to the open case, its answer and a form filled in."""

import datetime as dt
from typing import Any

import pytest
from flask.testing import FlaskClient
from license_library import BUSINESS, license_data
from sqlalchemy import select

from cases.services import Announcement
from licenses.events import Grounds, new_event
from licenses.lifecycle import EventKind
from licenses.models import License, LicenseUsage
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Role, system_identity

from .conftest import House, form_token
from .test_window import announce

HOLDER = CASE_EXAMPLE["holder"]
ITEM = CASE_EXAMPLE["item"]["code"] if isinstance(CASE_EXAMPLE["item"], dict) else CASE_EXAMPLE["item"]


def handle(browser: FlaskClient, holder: str = HOLDER["code"], item: str = ITEM, **more: str) -> Any:
    token = form_token(browser.get("/window/one").text)
    data = {"form_token": token, "holder": holder, "item": item, "purpose": "accept", **more}
    return browser.post("/window/one", data=data)


def hold(house: House) -> None:
    """Let the library hold a business licence of the applicant."""
    now, worker = house.clock.now(), system_identity("worker")
    rooms, who = house.rooms, (HOLDER["scheme"], HOLDER["code"], HOLDER["name"])
    with rooms.database.writing() as uow:
        told = Announcement("ycsl", "B-1", "339999010001", "2026-03", *who, "scjg", now, now)
        case, _ = rooms.cases.announce(uow, worker, told)
        item = rooms.items.get(case.item_code, case.item_edition)
        holder = rooms.cases.holder(uow, case)
        data = license_data(BUSINESS, number=HOLDER["code"])
        made = rooms.licenses.reserve(uow, worker, case, item, holder, data)
        row = uow.session.get_one(License, made.id)
        row.issued_at, row.object_sha256, row.seal_id = now, "ab" * 32, "seal-1"
        uow.session.add(new_event(uow, worker, row, (), EventKind.ISSUED, Grounds("签发", "许可决定")))
    house.clock.advance(dt.timedelta(seconds=1).total_seconds())


def test_the_form_comes_filled_in_with_sources_and_masked_until_it_is_asked_for(house: House) -> None:
    announce(house)
    hold(house)
    clerk = house.browser(Role.CLERK)
    assert 'href="/window/one"' in clerk.get("/window").text
    answered = handle(clerk)
    assert answered.status_code == 200
    assert "申请表预填" in answered.text
    assert "由申请人填写" in answered.text
    assert "演示市示范路1号" not in answered.text
    assert house.acts()[-4:] == ["proof.asked", "proof.answered", "license.read", "license.read"]
    place = answered.text.partition('action="/window/decisions/')[2].partition("/")[0]
    data = {"form_token": form_token(answered.text), "reveal": "1"}
    whole = clerk.post(f"/window/decisions/{place}/form", data=data)
    assert "演示市示范路1号" in whole.text
    assert house.acts()[-1] == "license.read"


@pytest.mark.parametrize("item", [ITEM, "339999010001", "no-item"])
def test_without_an_open_case_nothing_is_told_and_the_refusal_stands_in_the_ledger(
    house: House, item: str
) -> None:
    clerk = house.browser(Role.CLERK)
    refused = handle(clerk, item=item)
    assert refused.status_code == 403
    assert "没有此事项的在办件" in refused.text
    assert house.acts()[-1] == "proof.refused"


def test_whose_document_was_tried_without_an_open_case_sees_that_it_was(house: House) -> None:
    hold(house)
    refused = handle(house.browser(Role.CLERK))
    assert refused.status_code == 403
    with house.rooms.database.reading() as uow:
        (use,) = uow.session.scalars(select(LicenseUsage).where(LicenseUsage.result == "REFUSED"))
        known = house.rooms.holders.find(uow, HOLDER["scheme"], HOLDER["code"])
    assert known is not None
    assert (use.action, use.reason, use.holder_id) == ("ask", "case-unknown", known.id)


def test_a_document_that_is_none_asks_nothing(house: House) -> None:
    announce(house)
    clerk, before = house.browser(Role.CLERK), len(house.acts())
    assert handle(clerk, holder="12").status_code == 422
    assert len(house.acts()) == before
