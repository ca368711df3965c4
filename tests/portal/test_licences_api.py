# SPDX-License-Identifier: Apache-2.0
"""Licences of an open case's holder, by the interface and at the window, with relations and shares."""

import datetime as dt
from typing import Any

from license_library import BUSINESS, COMPANY, FACES, GROUNDS, MANAGER, PERSON, WORKER, license_data
from sqlalchemy import select

from cases.models import Holder
from cases.services import Announcement
from licenses.events import new_event
from licenses.layout import zh_date
from licenses.lifecycle import EventKind
from licenses.models import License, LicenseHolder, LicenseUsage
from storage.clock import legal_date, rfc3339
from storage.identity import Role

from .conftest import House, form_token

PATH = "/api/v1/licences"


def announced(house: House, number: str, item: str = "339999010002", *, closed: bool = False) -> Any:
    now = house.clock.now()
    made = Announcement("ycsl", number, item, "2026-03", *COMPANY, "scjg", now, now if closed else None)
    with house.rooms.database.writing() as uow:
        return house.rooms.cases.announce(uow, WORKER, made)[0]


def issued(house: House, number: str) -> License:
    rooms, case = house.rooms, announced(house, number, "339999010001", closed=True)
    data = license_data(BUSINESS, number=number, face=FACES[BUSINESS])
    with rooms.database.writing() as uow:
        item = rooms.items.get(case.item_code, case.item_edition)
        owner = uow.session.get_one(Holder, case.holder_id)
        made = rooms.licenses.reserve(uow, WORKER, case, item, owner, data)
        made.issued_at, made.object_sha256 = house.clock.now(), number.encode().hex().ljust(64, "0")
        made.seal_id = "seal"
        uow.session.add(new_event(uow, WORKER, made, (), EventKind.ISSUED, GROUNDS))
    house.clock.advance(60)
    return made


def get(house: House, query: str = "", path: str = PATH, **headers: str) -> Any:
    access = {
        "Authorization": f"Bearer {house.client_key('read')}",
        "Access-Operator": "op-1",
        "Access-Case": "ycsl/OPEN1",
        "Access-Item": "339999010002",
        "Access-Purpose": "accept",
    }
    return house.app.test_client().get(f"{path}{query}", headers=access | headers)


def test_a_page_goes_on_and_history_is_asked_for(house: House) -> None:
    announced(house, "OPEN1")
    first, second = issued(house, "A1"), issued(house, "A2")
    page = get(house, "?limit=1").json
    assert [one["identifier"] for one in page["licences"]] == [second.identifier]
    assert page["holder"]["code"] == "9133**********011X"
    page = get(house, f"?limit=1&after={page['next']}").json
    assert ([one["identifier"] for one in page["licences"]], page["next"]) == ([first.identifier], None)
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.cancel(uow, MANAGER, first.identifier, GROUNDS)
    assert len(get(house).json["licences"]) == 1
    states = [one["status"]["code"] for one in get(house, "?history=true").json["licences"]]
    assert sorted(states) == ["cancelled", "valid"]
    assert get(house, "?type=11339999DEM0010178001").json["licences"] == []


def test_a_relation_by_name_alone_is_unknown_and_leads_nowhere(house: House) -> None:
    announced(house, "OPEN1")
    source = issued(house, "A1")
    answer = get(house, "?relation=legal-representative").json
    assert (answer["holder"], answer["licences"], answer["next"]) == (None, [], None)
    (relation,) = answer["relations"]
    assert (relation["result"], relation["reason"], relation["other"]["name"]) == (
        "UNKNOWN",
        "name-only",
        "张*",
    )
    assert relation["source"]["identifier"] == source.identifier
    assert "张演示" not in get(house, "?relation=legal-representative").text
    path = f"{PATH}/{source.identifier}"
    assert get(house, path=path).status_code == 200
    assert get(house, "?relation=legal-representative", path).status_code == 404, "it is the holder's own"


def test_without_an_open_case_nothing_is_listed(house: House) -> None:
    announced(house, "OPEN1")
    announced(house, "CLOSED", closed=True)
    for changes in (
        {"Access-Case": "ycsl/CLOSED"},
        {"Access-Case": "ycsl/NONE"},
        {"Access-Item": "339999010001"},
        {"Access-Purpose": "curiosity"},
    ):
        answer = get(house, **changes)
        assert (answer.status_code, answer.json["code"]) == (404, "license-not-found")
        assert house.acts()[-1] == "access.refused"
    answer = get(house, "?relation=spouse")
    assert (answer.status_code, answer.json["code"]) == (404, "license-not-found"), "the item names it not"
    answer = get(house, "?relation=cousin")
    assert (answer.status_code, answer.json["code"]) == (422, "relation-unknown")


def test_the_window_shows_shares_and_relations_and_hides_history(house: House) -> None:
    announced(house, "OPEN1")
    good, ended = issued(house, "A1"), issued(house, "A2")
    with house.rooms.database.writing() as uow:
        other = house.rooms.holders.find_or_add(uow, *PERSON)
        uow.session.add(LicenseHolder(license_id=good.id, position=1, holder_id=good.holder_id, share="1/3"))
        uow.session.add(LicenseHolder(license_id=good.id, position=2, holder_id=other.id, share="2/3"))
        house.rooms.licenses.cancel(uow, MANAGER, ended.identifier, GROUNDS)
    browser = house.browser(Role.CLERK)
    asked = {"form_token": form_token(browser.get("/window").text), "number": "OPEN1", "purpose": "accept"}
    place = browser.post("/window/ask", data=asked).headers["Location"]
    token = {"form_token": form_token(browser.get(place).text)}
    page = browser.post(f"{place}/licences", data=token).text
    assert "申请人持有的证照 (1)" in page
    assert "演示食品有限公司 1/3" in page
    assert "A 级" in page
    assert "张* 2/3" in page
    assert "无法判定：仅载明姓名" in page
    assert "张演示" not in page
    page = browser.post(f"{place}/licences", data=token | {"history": "1"}).text
    assert "申请人持有的证照 (2)" in page
    page = browser.post(f"{place}/licences", data=token | {"relation": "legal-representative"}).text
    assert "证照库中没有此类证照" in page or "当前有效的证照" in page
    with house.rooms.database.reading() as uow:
        asked_of = {one.asked for one in uow.session.scalars(select(LicenseUsage))}
    assert {"relation=all", "relation=legal-representative"} <= asked_of


def test_the_window_lists_what_was_valid_on_an_earlier_day(house: House) -> None:
    announced(house, "OPEN1")
    ended = issued(house, "A1")
    house.clock.advance(2 * 86400)
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.cancel(uow, MANAGER, ended.identifier, GROUNDS)
    browser = house.browser(Role.CLERK)
    asked = {"form_token": form_token(browser.get("/window").text), "number": "OPEN1", "purpose": "accept"}
    place = browser.post("/window/ask", data=asked).headers["Location"]
    token = {"form_token": form_token(browser.get(place).text)}
    today = legal_date(house.clock.now())
    yesterday, tomorrow = today - dt.timedelta(days=1), today + dt.timedelta(days=1)
    assert "申请人持有的证照 (0)" in browser.post(f"{place}/licences", data=token).text
    page = browser.post(f"{place}/licences", data=token | {"on": str(yesterday)}).text
    assert "申请人持有的证照 (1)" in page
    assert f"所示为{zh_date(yesterday)}终了时的状态" in page
    assert "为本办件制作加注件" not in page
    for wrong in (str(tomorrow), "昨天"):
        assert browser.post(f"{place}/licences", data=token | {"on": wrong}).status_code == 422
    at = rfc3339(house.clock.now() - dt.timedelta(days=1))
    answer = get(house, f"?at={at}")
    assert [one["status"]["code"] for one in answer.json["licences"]] == ["valid"]
    assert answer.json["licences"][0]["as_of"] == at
    assert get(house, f"?at={rfc3339(house.clock.now() + dt.timedelta(days=1))}").status_code == 422


def test_supervision_sees_how_a_licence_stood_on_a_day(house: House) -> None:
    ended = issued(house, "A1")
    house.clock.advance(2 * 86400)
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.cancel(uow, MANAGER, ended.identifier, GROUNDS)
    browser, day = house.browser(Role.SUPERVISOR), legal_date(house.clock.now()) - dt.timedelta(days=1)
    assert "已注销" in browser.get(f"/licences/{ended.identifier}").text
    then = browser.get(f"/licences/{ended.identifier}?on={day}").text
    assert "已注销" not in then
    assert f"所示为{zh_date(day)}终了时的状态" in then
