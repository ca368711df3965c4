# SPDX-License-Identifier: Apache-2.0
"""A licence is contested from the page of its check: by an inspector, and by somebody without account."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from license_library import COMPANY, FOOD, GROUNDS, WORKER, license_data
from sqlalchemy import select

from cases.services import Announcement
from licenses.events import new_event
from licenses.lifecycle import EventKind
from licenses.models import License, Objection
from portal.web.pages_disputes import PER_MINUTE
from storage.identity import Role

from .conftest import House, form_token, make_house

SAID = {"reason": "dates-wrong", "words": "证面日期与登记不符"}
CONTACT = "inspector@example.org"


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


def code_of(house: House) -> str:
    with house.rooms.database.reading() as uow:
        return uow.session.scalars(select(License.code)).one()


def send(browser: FlaskClient, page: str = "/verify/dispute", **form: str) -> tuple[int, str]:
    token = form_token(browser.get(page).text)
    answer = browser.post(page, data=form | {"form_token": token})
    return answer.status_code, answer.text


def test_a_stranger_contests_from_the_page_of_the_check_and_reads_the_answer(house: House) -> None:
    stranger, code = house.app.test_client(), code_of(house)
    assert f"/verify/dispute?code={code}" in stranger.get(f"/v/{code}").text
    assert code in stranger.get(f"/verify/dispute?code={code}").text
    status, page = send(stranger, code=code, contact=CONTACT, **SAID)
    assert status == 200
    assert house.acts()[-1] == "objection.opened"
    number, key = re.findall(r"<dd><code>([0-9A-Za-z_-]+)</code></dd>", page)[:2]
    assert "未找到" in send(stranger, "/verify/disputes", number=number, key="A" * 22)[1]
    seen = send(stranger, "/verify/disputes", number=number, key=key)[1]
    assert "证面日期与登记不符" in seen
    assert CONTACT not in seen + page
    manager = house.browser(Role.LICENSE_MANAGER)
    read = manager.get(f"/objections/{number}").text
    assert "无账号人员" in read
    assert CONTACT in read
    assert CONTACT not in house.browser(Role.SUPERVISOR).get(f"/objections/{number}").text
    token = form_token(read)
    form = {"outcome": "declined", "words": "日期无误", "form_token": token}
    assert manager.post(f"/objections/{number}/answer", data=form).status_code == 303
    assert "日期无误" in send(stranger, "/verify/disputes", number=number, key=key)[1]


def test_an_inspector_contests_and_finds_the_dispute_in_the_list(house: House) -> None:
    inspector = house.browser(Role.INSPECTOR)
    assert "联系方式" not in inspector.get("/verify/dispute").text
    assert send(inspector, code=code_of(house), **SAID)[0] == 303
    assert "证面日期与登记不符" in inspector.get("/verify/disputes").text
    assert send(inspector, code=code_of(house), **SAID)[0] == 409
    other = house.browser(Role.INSPECTOR)
    assert "您尚未提出异议" in other.get("/verify/disputes").text
    assert "退出登录后提出" in house.browser(Role.CLERK).get("/verify/dispute").text


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"code": "x"}, 404),
        ({"code": "0" * 26}, 404),
        ({"contact": ""}, 422),
        ({"words": " "}, 422),
        ({"reason": "x"}, 422),
    ],
)
def test_what_says_nothing_or_shows_no_licence_is_refused(
    house: House, changed: dict[str, str], status: int
) -> None:
    form = {"code": code_of(house), "contact": CONTACT, **SAID} | changed
    assert send(house.app.test_client(), **form)[0] == status
    with house.rooms.database.reading() as uow:
        assert uow.session.scalars(select(Objection)).all() == []


def test_strangers_of_one_address_open_few_disputes_a_minute(house: House) -> None:
    stranger = house.app.test_client()
    form = {"code": "0" * 26, "contact": CONTACT, **SAID}
    assert [send(stranger, **form)[0] for _ in range(PER_MINUTE + 1)] == [404] * PER_MINUTE + [429]
