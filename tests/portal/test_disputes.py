# SPDX-License-Identifier: Apache-2.0
"""Disputes of another office: raised and read by the interface, answered at the desk."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from licenses.models import License
from storage.identity import Role

from .conftest import House, form_token, make_house
from .test_licences_api import issued

PATH = "/api/v1/disputes"


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = make_house(tmp_path)
    yield made
    made.rooms.database.close()


def headers(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}", "Access-Operator": "op-1"}


def contested(house: House, license_: License, key: str, **changes: str) -> Any:
    body = {"identifier": license_.identifier, "code": license_.code, "reason": "dates-wrong"}
    body |= {"words": "有效期与纸质证照不一致"} | changes
    return house.app.test_client().post(PATH, json=body, headers=headers(key))


def answered(browser: FlaskClient, dispute: str, **said: str) -> Any:
    place = f"/objections/{dispute}"
    token = form_token(browser.get(place).text)
    return browser.post(f"{place}/answer", data={"form_token": token} | said)


def test_a_dispute_goes_to_the_desk_and_its_answer_comes_back(house: House) -> None:
    key = house.client_key("dispute", organisation="jtys")
    license_ = issued(house, "A1")
    made = contested(house, license_, key)
    assert (made.status_code, made.json["dispute"]["state"]) == (201, "open")
    assert house.acts()[-1] == "objection.opened"
    place = made.headers["Location"]
    assert not house.some_core_holds("有效期与纸质".encode()), "words stand in the encrypted detail only"
    desk = house.browser(Role.LICENSE_MANAGER)
    dispute = made.json["dispute"]["id"]
    assert "证照（其他单位提出争议）" in desk.get("/objections").text
    page = desk.get(f"/objections/{dispute}").text
    assert "日期或有效期有误" in page
    assert "有效期与纸质证照不一致" in page
    assert "综合受理系统" in page
    said = {"outcome": "suspend", "words": "已暂停，正在更正", "legal_basis": ""}
    answer = answered(desk, dispute, **said)
    assert answer.status_code == 422
    assert "已暂停，正在更正" in answer.text, "what was typed comes back"
    assert answered(desk, dispute, **said | {"outcome": "upheld"}).status_code == 422
    assert answered(desk, dispute, **said | {"legal_basis": "行政许可法第六十九条"}).status_code == 303
    told = house.app.test_client().get(place, headers=headers(key)).json
    assert (told["state"], told["remedy"], told["answer"]) == ("upheld", "suspend", "已暂停，正在更正")
    assert "暂停" in desk.get(f"/objections/{dispute}").text
    with house.rooms.database.reading() as uow:
        row = uow.session.get_one(License, license_.id)
        assert house.rooms.holdings.status(uow, row, house.clock.now()) == "suspended"


def test_who_was_not_shown_it_is_refused_and_recorded(house: House) -> None:
    key = house.client_key("dispute", organisation="jtys")
    license_ = issued(house, "A1")
    for changes in ({"code": "0" * 26}, {"identifier": "1.2.3"}):
        answer = contested(house, license_, key, **changes)
        assert (answer.status_code, answer.json["code"]) == (404, "license-not-found")
        assert house.acts()[-1] == "access.refused"
    assert contested(house, license_, house.client_key("read")).status_code == 403
    answer = contested(house, license_, key, reason="dislike")
    assert (answer.status_code, answer.json["code"]) == (422, "dispute-reason")
    unnamed = house.app.test_client().post(
        PATH,
        json={"identifier": license_.identifier, "code": license_.code, "reason": "not-issued", "words": "x"},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert unnamed.status_code == 404, "a person disputes, never a machine alone"


def test_nobody_reads_anothers_dispute_and_one_waits_at_a_time(house: House) -> None:
    key = house.client_key("dispute", organisation="jtys")
    license_ = issued(house, "A1")
    place = contested(house, license_, key).headers["Location"]
    again = contested(house, license_, key)
    assert (again.status_code, again.json["code"]) == (409, "objection-stands")
    other = house.client_key("dispute")
    answer = house.app.test_client().get(place, headers=headers(other))
    assert (answer.status_code, answer.json["code"]) == (404, "objection-unknown")
