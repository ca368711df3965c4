# SPDX-License-Identifier: Apache-2.0
"""The pages on which rights are asked for, decided and seen."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from portal.accounts.carrying import ChangeKind
from portal.accounts.models import Account, Client
from portal.accounts.rights import ADMINISTRATORS
from storage.identity import Role

from .conftest import House, form_token
from .test_rights import ask, person

CLIENT_KINDS = {ChangeKind.CLIENT_END, ChangeKind.CLIENT_KEY_ADD, ChangeKind.CLIENT_KEY_END}
"""Changes of a calling system; the others concern an account, or somebody new."""


def post(browser: FlaskClient, path: str, page: str, **fields: object) -> tuple[int, str]:
    field = form_token(browser.get(page).text)
    answer = browser.post(path, data={"form_token": field, **fields})
    return answer.status_code, answer.text


def test_on_the_pages_one_asks_another_approves_and_the_third_sees_both(house: House) -> None:
    asks, decides, audits = (house.browser(role, "office") for role in ADMINISTRATORS)
    wanted = {
        "kind": "account-add",
        "name": "演示新同事",
        "organisation": "scjg",
        "role": "clerk",
        "reason": "入职",
    }
    assert post(asks, "/rights/ask", "/rights/ask?kind=account-add", **wanted)[0] == 303
    waiting = decides.get("/rights").text
    assert "演示新同事" in waiting
    change = re.search(r"/rights/([0-9A-Za-z]{26})/decision", waiting)
    assert change is not None
    assert "撤回" in asks.get("/rights").text
    assert "/decision" not in audits.get("/rights").text
    decision = {"decision": "approve", "reason": "同意"}
    assert post(decides, f"/rights/{change[1]}/decision", "/rights", **decision)[0] == 303
    seen = audits.get("/rights").text
    assert "同意" in seen
    assert "窗口" in seen


def test_a_new_systems_key_is_shown_once(house: House) -> None:
    asks = house.browser(Role.SYSTEM_ADMIN, "office")
    wanted = {
        "kind": "client-add",
        "name": "演示新系统",
        "organisation": "scjg",
        "scope": ["ask", "read"],
        "item": ["339999010002"],
        "sources": "ycsl",
        "operators": "",
        "days": "30",
        "reason": "对接",
    }
    status, page = post(asks, "/rights/ask", "/rights/ask?kind=client-add", **wanted)
    assert status == 201
    key = re.search(r"<pre><code>([\w-]{43})</code>", page)
    assert key is not None
    assert key[1] not in asks.get("/rights").text


def test_forms_choose_nothing_for_who_fills_them_in(house: House) -> None:
    asks = house.browser(Role.SYSTEM_ADMIN, "office")
    page = asks.get("/rights/ask?kind=client-add").text
    assert '<option value="" selected>请选择单位</option>' in page
    assert page.count('value="office"') == 1
    assert "免证核验 <small><code>ask</code>" in page
    of = re.search(r"kind=account-post&amp;of=(\w+)", asks.get("/rights").text)
    assert of is not None
    address = f"/rights/ask?kind=account-post&of={of[1]}"
    assert "checked" in asks.get(address).text
    taken = {"kind": "account-post", "of": of[1], "organisation": "office", "reason": ""}
    _, page = post(asks, "/rights/ask", address, **taken)
    assert "checked" not in page, "who gave up every role does not get one back with the mended form"


@pytest.mark.parametrize("days", ["0", "1101", "x", "", "٣", "-1", "1e3"])
def test_a_form_that_cannot_be_carried_out_comes_back_with_what_was_typed(house: House, days: str) -> None:
    asks = house.browser(Role.SYSTEM_ADMIN, "office")
    wanted = {
        "kind": "client-add",
        "name": "演示新系统",
        "organisation": "scjg",
        "days": days,
        "reason": "对接",
    }
    status, page = post(asks, "/rights/ask", "/rights/ask?kind=client-add", **wanted)
    assert status == 422
    assert "演示新系统" in page
    assert "right.requested" not in house.acts()


@pytest.mark.parametrize("kind", [one for one in ChangeKind if not one.startswith("grant")])
def test_every_form_opens_for_who_asks_and_for_nobody_else(house: House, kind: ChangeKind) -> None:
    asks = house.browser(Role.SYSTEM_ADMIN, "office")
    house.client_key("ask")
    with house.rooms.database.reading() as uow:
        concerned = Client.id if kind in CLIENT_KINDS else Account.id
        of = uow.session.scalars(select(concerned)).first()
    path = f"/rights/ask?kind={kind}&of={of}"
    assert asks.get(path).status_code == 200
    for role in (Role.SECURITY_ADMIN, Role.AUDIT_ADMIN, Role.CLERK):
        assert house.browser(role, "office").get(path).status_code == 403


def test_a_decision_that_came_too_late_is_told_on_the_page(house: House) -> None:
    system = person(house, Role.SYSTEM_ADMIN)
    decides = house.browser(Role.SECURITY_ADMIN, "office")
    change = ask(house, system)
    house.rooms.database.write(lambda uow: house.rooms.rights.withdraw(uow, system, change.id, "不需要"))
    decision = {"decision": "approve", "reason": "同意"}
    status, page = post(decides, f"/rights/{change.id}/decision", "/account", **decision)
    assert status == 409
    assert "change-closed" in page
