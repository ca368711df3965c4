# SPDX-License-Identifier: Apache-2.0
"""A check by file, photo or code may state a purpose: a published one, recorded with the use."""

import io

import pytest
from license_library import COMPANY
from sqlalchemy import select

from licenses.models import License, LicenseUsage

from .conftest import House, form_token
from .test_facades import announced, issued


@pytest.fixture
def licence(house: House) -> License:
    announced(house, "OPEN-1", COMPANY)
    return issued(house)


def stated(house: House) -> list[str | None]:
    with house.rooms.database.reading() as uow:
        return list(
            uow.session.scalars(select(LicenseUsage.purpose).order_by(LicenseUsage.at, LicenseUsage.id))
        )


def test_a_check_by_code_keeps_the_purpose_that_was_chosen(house: House, licence: License) -> None:
    browser = house.browser()
    assert 'name="purpose"' in browser.get("/verify").text
    led = browser.get("/verify/code", query_string={"code": licence.code, "purpose": "examine"})
    assert led.headers["Location"] == f"/v/{licence.code}?purpose=examine"
    assert browser.get(led.headers["Location"]).status_code == 200
    assert stated(house) == ["examine"]


def test_nobody_needs_to_state_one(house: House, licence: License) -> None:
    browser = house.browser()
    led = browser.get("/verify/code", query_string={"code": licence.code, "purpose": ""})
    assert browser.get(led.headers["Location"]).status_code == 200
    assert stated(house) == [None]


def test_what_is_no_published_purpose_is_refused_and_records_nothing(house: House, licence: License) -> None:
    browser = house.browser()
    assert browser.get(f"/v/{licence.code}?purpose=because").status_code == 422
    file = {"file": (io.BytesIO(b"%PDF-1.7"), "a.pdf", "application/pdf"), "purpose": "because"}
    answer = browser.post("/api/v1/verifications", data=file, content_type="multipart/form-data")
    assert (answer.status_code, answer.json and answer.json["code"]) == (422, "invalid-input")
    file = {"file": (io.BytesIO(b"%PDF-1.7"), "a.pdf", "application/pdf"), "purpose": "because"}
    token = {"form_token": form_token(browser.get("/verify").text)}
    sent = browser.post("/verify", data=file | token, content_type="multipart/form-data")
    assert sent.status_code == 422
    assert stated(house) == []
