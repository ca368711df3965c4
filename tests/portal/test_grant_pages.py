# SPDX-License-Identifier: Apache-2.0
"""Grants of use on the pages, in the interface and on the command line."""

import datetime as dt
import json
import re
from typing import Any

import pytest
from fakes import HandClock
from granting import grant
from sqlalchemy import select

from licenses.grants.models import LicenseGrant
from portal.accounts.models import Client
from portal.accounts.rights import ADMINISTRATORS
from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE
from storage.clock import legal_date
from storage.identity import Role

from .conftest import House
from .test_api_cases import PATH
from .test_rights_pages import post

TODAY = legal_date(HandClock().now())
TERMS = {
    "caller": "scjg",
    "item": ["339999010002"],
    "editions": "every",
    "requirements": "",
    "purpose": ["accept"],
    "ceiling": "predicate",
    "quota": "2",
    "valid_from": TODAY.isoformat(),
    "valid_until": (TODAY + dt.timedelta(days=30)).isoformat(),
    "legal_basis": "演示市政务数据共享管理办法第十条",
    "reason": "受理时核验",
}


def key_without_grant(house: House, *scopes: str) -> str:
    key = house.client_key(*scopes)
    with house.rooms.database.writing() as uow:
        for one in uow.session.scalars(select(LicenseGrant)):
            one.ended_at = uow.clock.now()
    return key


def ask(house: House, key: str) -> Any:
    browser = house.app.test_client()
    bearer = {"Authorization": f"Bearer {key}"}
    return browser.post("/api/v1/proofs", json=PROOF_EXAMPLE, headers=bearer | {"Access-Operator": "op-1"})


def approve(house: House) -> None:
    decides = house.browser(Role.SECURITY_ADMIN, "office")
    change = re.search(r"/rights/([0-9A-Za-z]{26})/decision", decides.get("/rights").text)
    assert change is not None
    decision = {"decision": "approve", "reason": "同意"}
    assert post(decides, f"/rights/{change[1]}/decision", "/rights", **decision)[0] == 303


def test_a_system_is_answered_once_two_persons_agreed_and_as_often_as_they_did(house: House) -> None:
    key = key_without_grant(house, "ask", "announce")
    bearer = {"Authorization": f"Bearer {key}"}
    assert house.app.test_client().put(PATH, json=CASE_EXAMPLE, headers=bearer).status_code == 201
    assert ask(house, key).json["code"] == "proof-refused"
    asks = house.browser(Role.SYSTEM_ADMIN, "office")
    assert post(asks, "/rights/grants/ask", "/rights/grants/ask", **TERMS)[0] == 303
    assert ask(house, key).status_code == 403, "nothing is granted by who asks for it"
    waiting = asks.get("/rights").text
    assert "演示市政务数据共享管理办法第十条" in waiting
    assert "每日 2 次" in waiting
    approve(house)
    assert [ask(house, key).status_code for _ in range(3)] == [200, 200, 429]
    last = ask(house, key)
    assert last.json["code"] == "quota-exhausted"
    assert int(last.headers["Retry-After"]) == 15 * 3600 + 1
    assert [one for one in house.acts() if one.startswith(("grant.", "right."))][1:] == [
        "right.requested",
        "right.approved",
        "grant.added",
    ]
    assert house.acts().count("proof.refused") == 4
    own = house.app.test_client().get("/api/v1/grants", headers=bearer).json["grants"]
    assert [(one["quota"], one["left_today"], one["ceiling"]) for one in own] == [(2, 0, "predicate")]
    for role in ADMINISTRATORS:
        assert "2／2" in house.browser(role, "office").get("/rights/grants").text


def test_a_grant_is_replaced_and_ended_by_two_persons_too(house: House) -> None:
    key_without_grant(house, "ask")
    asks = house.browser(Role.SYSTEM_ADMIN, "office")
    post(asks, "/rights/grants/ask", "/rights/grants/ask", **TERMS)
    approve(house)
    with house.rooms.database.reading() as uow:
        (first,) = uow.session.scalars(select(LicenseGrant.id).where(LicenseGrant.ended_at.is_(None)))
    page = asks.get(f"/rights/grants/ask?of={first}").text
    assert 'value="predicate" required checked' in page
    wanted = TERMS | {"quota": "5", "of": first}
    assert post(asks, "/rights/grants/ask", f"/rights/grants/ask?of={first}", **wanted)[0] == 303
    approve(house)
    with house.rooms.database.reading() as uow:
        running = uow.session.scalars(select(LicenseGrant).where(LicenseGrant.ended_at.is_(None))).all()
        assert [(one.quota, one.id == first) for one in running] == [(5, False)]
    ended = post(asks, f"/rights/grants/{running[0].id}/end", "/rights/grants", reason="停用")
    assert ended[0] == 303
    approve(house)
    with house.rooms.database.reading() as uow:
        assert not uow.session.scalars(select(LicenseGrant).where(LicenseGrant.ended_at.is_(None))).all()
    assert house.acts().count("grant.ended") == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("caller", "nowhere"),
        ("caller", "scjg/nobody"),
        ("item", []),
        ("purpose", []),
        ("ceiling", ""),
        ("quota", "0"),
        ("quota", "1000001"),
        ("valid_from", "24.11.2026"),
        ("valid_until", "2026-11-23"),
        ("valid_until", "2099-01-01"),
        ("requirements", "营业执照"),
        ("legal_basis", ""),
        ("reason", ""),
    ],
)
def test_terms_that_cannot_be_come_back_with_what_was_typed(house: House, field: str, value: object) -> None:
    house.client_key("ask")
    asks = house.browser(Role.SYSTEM_ADMIN, "office")
    wanted = TERMS | {"legal_basis": "所填依据"} | {field: value}
    status, page = post(asks, "/rights/grants/ask", "/rights/grants/ask", **wanted)
    assert status in {404, 422}
    assert "problem" in page
    assert 'value="2"' in page or field == "quota"
    assert "right.requested" not in house.acts()


def test_what_was_taken_over_at_the_upgrade_says_that_nobody_confirmed_it(house: House) -> None:
    house.client_key("ask")
    with house.rooms.database.writing() as uow:
        one = uow.session.scalars(select(LicenseGrant)).one()
        one.origin, one.requested_by, one.decided_by = "migrated", None, None
    assert "升级时转入，尚未确认" in house.browser(Role.AUDIT_ADMIN, "office").get("/rights/grants").text


def test_a_grant_of_another_system_is_not_this_ones(house: House) -> None:
    mine, others = house.client_key("ask"), house.client_key("ask")
    with house.rooms.database.reading() as uow:
        ids = list(uow.session.scalars(select(Client.id).order_by(Client.added_at, Client.id)))
        grants = {one.client_id: one.id for one in uow.session.scalars(select(LicenseGrant))}
    shown = [
        [one["id"] for one in json.loads(answer.data)["grants"]]
        for answer in (
            house.app.test_client().get("/api/v1/grants", headers={"Authorization": f"Bearer {key}"})
            for key in (mine, others)
        )
    ]
    assert sorted(shown) == sorted([grants[one]] for one in ids)


def test_a_batch_is_answered_up_to_the_quota_and_told_of_the_rest(house: House) -> None:
    key = key_without_grant(house, "ask", "announce")
    bearer = {"Authorization": f"Bearer {key}", "Access-Operator": "op-1"}
    browser = house.app.test_client()
    browser.put(PATH, json=CASE_EXAMPLE, headers=bearer)
    with house.rooms.database.writing() as uow:
        grant(uow, quota=2)
    sent = browser.post("/api/v1/proofs:batch", json={"questions": [PROOF_EXAMPLE] * 3}, headers=bearer)
    assert [one["status"] for one in sent.json["answers"]] == [200, 200, 429]
    assert sent.json["answers"][2]["problem"]["code"] == "quota-exhausted"
    assert house.acts().count("proof.refused") == 1
