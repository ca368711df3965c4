# SPDX-License-Identifier: Apache-2.0
"""A holder shows an own licence and authorises others on the own page; window and systems use the code."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import HandClock
from flask.testing import FlaskClient
from identity import choose, demo_provider
from inserted import rowid
from license_library import BUSINESS, GROUNDS, ITEM_OF, MANAGER, license_data
from sqlalchemy import select
from werkzeug.test import TestResponse

from cases.models import Holder
from cases.services import Announcement
from licenses.events import Grounds, new_event
from licenses.lifecycle import EventKind, Process
from licenses.models import License
from portal.demo.holders import demo_persons
from portal.demo.script import Script
from storage.identity import Identity, Role, system_identity
from storage.ledger.models import LedgerAct

from .conftest import House, form_token
from .signing_in import PUBLIC_URL, begin, house_at

PERSONS = {one.title: one for one in demo_persons(Script.load())}
FIRM = PERSONS["浙江演示甲餐饮管理有限公司"]
CODE = "91339999MADEM0011X"
FILING = system_identity("archive")


@dataclass
class Desk:
    """A house in which the firm holds a business licence and has signed in, and has an open case."""

    house: House
    licence: str
    identifier: str
    holder: FlaskClient

    def page(self) -> str:
        return self.holder.get(f"/mine/licences/{self.licence}").text

    def address(self) -> str:
        """Give where the code on the screen leads, as whoever scans it is told."""
        with self.house.rooms.database.writing() as uow:
            row = uow.session.get_one(License, self.licence)
            who = holder_identity(row.holder_id)
            return f"/v/show/{self.house.rooms.showing.code(uow, who, self.licence).token}"

    def make(self, **form: str) -> TestResponse:
        token = form_token(self.page())
        sent = {"form_token": token, "purpose": "hand-in", "minutes": "15"} | form
        return self.holder.post(f"/mine/licences/{self.licence}/codes", data=sent)

    def secret(self, **form: str) -> str:
        found = re.search(r"<pre class=\"secret\"><code>([\w-]{22})</code>", self.make(**form).text)
        assert found is not None
        return found[1]


def holder_identity(holder_id: str) -> Identity:
    return Identity("holder", holder_id, "", frozenset({Role.HOLDER}))


def _issued(house: House) -> tuple[str, str]:
    rooms, now = house.rooms, house.clock.now()
    with rooms.database.writing() as uow:
        firm = ("001", CODE, FIRM.title, "scjg", now)
        told = Announcement("ycsl", "B-1", ITEM_OF[BUSINESS], "2026-03", *firm, now)
        case = rooms.cases.announce(uow, FILING, told)[0]
        item, holder = rooms.items.get(case.item_code, "2026-03"), uow.session.get_one(Holder, case.holder_id)
        row = rooms.licenses.reserve(uow, FILING, case, item, holder, license_data(BUSINESS))
        row.issued_at, row.object_sha256, row.seal_id = now, "ab" * 32, "seal-1"
        uow.session.add(new_event(uow, FILING, row, (), EventKind.ISSUED, Grounds("签发", "许可决定")))
        rooms.cases.announce(uow, FILING, Announcement("ycsl", "F-1", "339999010002", "2026-03", *firm))
        return row.id, row.identifier


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    clock = HandClock()
    with demo_provider(PUBLIC_URL, list(PERSONS.values()), clock) as issuer:
        house = house_at(tmp_path, issuer, clock=clock)
        licence, identifier = _issued(house)
        browser = house.app.test_client()
        chosen = choose(begin(browser), FIRM)
        assert browser.get(f"/mine/back?{chosen.partition('?')[2]}").status_code == 303
        yield Desk(house, licence, identifier, browser)


def test_the_page_shows_a_code_that_changes_and_is_read_by_whoever_scans_it(desk: Desk) -> None:
    page = desk.page()
    assert "data:image/svg+xml;base64," in page
    assert "data-fresh-in" in page
    scanned = desk.house.app.test_client().get(desk.address())
    assert scanned.status_code == 200
    for shown in ("营业执照", "有效", "演示市市场监督管理局", "2026-11-24 09:00:00 +08:00"):
        assert shown in scanned.text
    assert desk.house.acts()[-1] == "license.read"
    own = desk.holder.get("/mine").text
    assert re.search(r"公众</td>.*持证人亮码出示的证照", own, re.S), "whoever scanned it signed in nowhere"


def test_a_code_on_a_screenshot_is_soon_good_for_nothing(desk: Desk) -> None:
    address = desk.address()
    desk.house.clock.advance(91)
    assert desk.house.app.test_client().get(address).status_code == 404


def test_the_page_stops_renewing_by_itself_after_ten_minutes(desk: Desk) -> None:
    assert "show.js" in desk.holder.get(f"/mine/licences/{desk.licence}?turn=9").text
    for turn in ("10", "99", "999", "-1", "x", "²"):
        page = desk.holder.get(f"/mine/licences/{desk.licence}?turn={turn}")
        assert page.status_code == 200
    assert "show.js" not in desk.holder.get(f"/mine/licences/{desk.licence}?turn=10").text


def test_a_code_is_shown_once_listed_and_revoked(desk: Desk) -> None:
    made = desk.make()
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    listed = desk.holder.get("/mine").text
    assert "我的用证码" in listed
    assert "您本人" in listed
    revocation = re.search(r'action="(/mine/codes/\w+/revocation)"', listed)
    assert revocation is not None
    token = form_token(listed)
    assert desk.holder.post(revocation[1], data={"form_token": token}).status_code == 303
    assert "我的用证码" not in desk.holder.get("/mine").text
    assert desk.house.acts().count("code.revoked") == 1


def test_a_wrong_delegate_is_said_on_the_form_and_nothing_is_made(desk: Desk) -> None:
    answer = desk.make(scheme="111", code="339999190001010013")
    assert answer.status_code == 422
    assert "339999190001010013" not in answer.text
    assert "code.made" not in desk.house.acts()


def test_a_change_under_way_is_said_beside_the_status(desk: Desk) -> None:
    rooms = desk.house.rooms
    with rooms.database.writing() as uow:
        opened = (EventKind.PROCESS_OPENED, GROUNDS, Process.ANNUAL_CHECK)
        rooms.licenses.change(uow, MANAGER, desk.identifier, *opened)
    for page in (desk.page(), desk.holder.get("/mine").text):
        assert re.search(r"有效.{1,200}年检办理中", page, re.S)


def test_a_licence_of_somebody_else_is_unknown(desk: Desk) -> None:
    assert desk.holder.get("/mine/licences/unknown").status_code == 404
    token = form_token(desk.page())
    sent = {"form_token": token, "purpose": "hand-in"}
    assert desk.holder.post("/mine/licences/unknown/codes", data=sent).status_code == 404


def test_a_clerk_reads_with_the_code_and_a_wrong_one_says_no_more_than_that(desk: Desk) -> None:
    secret, clerk = desk.secret(), desk.house.browser(Role.CLERK)
    token = {"form_token": form_token(clerk.get("/window/code").text)}
    read = clerk.post("/window/code", data=token | {"secret": secret, "do": "read"})
    assert read.status_code == 200
    assert "营业执照" in read.text
    wrong = clerk.post("/window/code", data=token | {"secret": "A" * 22, "do": "read"})
    assert (wrong.status_code, "用证码无效" in wrong.text) == (404, True)
    assert "A" * 22 not in wrong.text
    assert desk.house.acts()[-1] == "access.refused"


def test_a_clerk_has_a_copy_made_with_the_code_for_the_file_of_a_case(desk: Desk) -> None:
    secret, clerk = desk.secret(), desk.house.browser(Role.CLERK)
    token = {"form_token": form_token(clerk.get("/window/code").text)}
    made = clerk.post("/window/code", data=token | {"secret": secret, "do": "copy", "number": "F-1"})
    assert made.status_code == 303
    page = clerk.get(made.headers["Location"]).text
    assert "F-1" in page
    assert "持证主体提交使用" in page
    assert [kind for kind in desk.house.acts() if kind.startswith(("code.", "copy."))] == [
        "code.made",
        "code.used",
        "copy.ordered",
    ]


def test_a_system_makes_and_uses_codes_over_the_interface(desk: Desk) -> None:
    headers = {
        "Authorization": f"Bearer {desk.house.client_key('read', pair=True)}",
        "Access-Operator": "op-1",
        "Access-Case": "ycsl/F-1",
        "Access-Item": "339999010002",
        "Access-Purpose": "accept",
    }
    system = desk.house.app.test_client()
    base = "/api/v1/authorisation-codes"
    wish = {"identifier": desk.identifier, "mode": "function"}
    made = system.post(base, json=wish, headers=headers)
    assert made.status_code == 201
    read = system.post(f"{base}/licence", json={"code": made.json["code"]}, headers=headers)
    assert (read.status_code, read.json["identifier"]) == (200, desk.identifier)
    copy = system.post(f"{base}/copy", json={"code": made.json["code"]}, headers=headers)
    assert (copy.status_code, copy.json["state"]) == (202, "ordered")
    online = wish | {"mode": "online", "party": {"scheme": "001", "code": CODE}}
    assert system.post(base, json=online, headers=headers).status_code == 201
    another = wish | {"mode": "online", "party": {"scheme": "001", "code": "91339999MADEM002XM"}}
    refused = system.post(base, json=another, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (422, "authorisation-code-terms")
    wrong = system.post(f"{base}/licence", json={"code": "A" * 22}, headers=headers)
    assert (wrong.status_code, wrong.json["code"]) == (404, "authorisation-code-refused")
    assert not desk.house.some_core_holds(made.json["code"].encode())


def looks_for(desk: Desk) -> list[str | None]:
    """Give the purpose of each of the holder's looks, as the ledger has it."""
    with desk.house.rooms.database.reading() as uow:
        looks = select(LedgerAct.core).where(LedgerAct.kind == "holder.looked").order_by(rowid)
        bases = [json.loads(core).get("basis") or {} for core in uow.session.scalars(looks)]
    return [one.get("purpose") for one in bases]


def test_the_holder_may_say_what_a_look_at_an_own_licence_is_for(desk: Desk) -> None:
    address = f"/mine/licences/{desk.licence}"
    assert "查看用途" in desk.page()
    assert looks_for(desk) == [None]
    assert desk.holder.get(f"{address}?purpose=hand-in").status_code == 200
    assert looks_for(desk) == [None, "hand-in"]
    assert desk.holder.get(f"{address}?purpose=because").status_code == 422
    assert len(looks_for(desk)) == 2
