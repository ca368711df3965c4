# SPDX-License-Identifier: Apache-2.0
"""One document is enough for another system, too: the open case, its signed answer, and a form filled in."""

import json
from typing import Any

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from licenses.answers import verify_answer
from licenses.grants.models import LicenseGrant, LicenseGrantUse
from licenses.models import LicenseUsage
from licenses.one_certificate import OneCertificateService
from storage.engines import RecordsUnavailableError, WriteConflictError
from storage.errors import CunzhengError
from storage.ledger.models import LedgerAct

from .conftest import House
from .test_one import HOLDER, ITEM, hold
from .test_window import announce

PLACE = "/api/v1/one-certificate"
BODY = {"holder": {"scheme": HOLDER["scheme"], "code": HOLDER["code"]}, "item": ITEM, "purpose": "accept"}


def ask(house: House, *scopes: str, **changes: Any) -> TestResponse:
    headers = {"Authorization": f"Bearer {house.client_key(*scopes)}", "Access-Operator": "op-1"}
    return house.app.test_client().post(PLACE, json=BODY | changes, headers=headers)


def test_a_document_and_an_item_give_the_signed_answer_and_each_field_with_its_source(house: House) -> None:
    announce(house)
    hold(house)
    answer = ask(house, "ask", "read")
    assert (answer.status_code, answer.json["problem"]) == (200, None)
    jwks = house.app.test_client().get("/.well-known/jwks.json").json
    decision = verify_answer(answer.json["answer"]["jws"], jwks).decision
    assert decision == answer.json["answer"]["decision"]
    assert decision["item"]["code"] == ITEM
    form = {one["field"]["name"]: one for one in answer.json["form"]}
    stated = [one for one in form.values() if one["source"] is not None]
    assert stated
    assert all(one["value"] is not None and one["source"]["identifier"] for one in stated)
    assert [one["value"] for one in form.values() if one["source"] is None] == [None] * (
        len(form) - len(stated)
    )
    assert any(one["masked"] for one in stated)
    assert "演示市示范路1号" not in answer.text
    assert house.acts()[-4:] == ["proof.asked", "proof.answered", "license.read", "license.read"]


def test_sensitive_values_come_whole_when_asked_for_by_a_use_that_says_so(house: House) -> None:
    announce(house)
    hold(house)
    answer = ask(house, "ask", "read", reveal=True)
    assert not any(one["masked"] for one in answer.json["form"])
    assert "演示市示范路1号" in answer.text


def test_who_may_ask_and_not_read_gets_the_answer_and_the_reason_why_there_is_no_form(house: House) -> None:
    announce(house)
    hold(house)
    answer = ask(house, "ask")
    assert answer.status_code == 200
    assert answer.json["answer"]["decision"]["item"]["code"] == ITEM
    assert (answer.json["form"], answer.json["problem"]["code"]) == (None, "license-not-found")
    assert house.acts()[-1] == "access.refused"


def test_without_an_open_case_nothing_is_told_of_a_holder_known_or_not(house: House) -> None:
    hold(house)
    answers = [
        ask(house, "ask", "read"),
        ask(house, "ask", "read", holder={"scheme": "001", "code": "91339999MADEM0099X"}),
        ask(house, "ask", "read", holder={"scheme": "001", "code": "1"}),
    ]
    assert {answer.status_code for answer in answers} == {403}
    told = [{**answer.json, "correlation": ""} for answer in answers]
    assert told == [told[0]] * 3
    assert house.acts().count("proof.refused") == 3
    assert "license.read" not in house.acts()
    with house.rooms.database.reading() as uow:
        (use,) = uow.session.scalars(select(LicenseUsage).where(LicenseUsage.result == "REFUSED"))
        known = house.rooms.holders.find(uow, HOLDER["scheme"], HOLDER["code"])
        (shown,) = uow.session.scalars(
            select(LedgerAct.subject).where(
                LedgerAct.subject == use.holder_id, LedgerAct.kind == "proof.refused"
            )
        )
    assert known is not None
    assert (use.action, use.reason, use.holder_id, shown) == ("ask", "case-unknown", known.id, known.id)


def test_a_call_is_answered_once_and_for_the_purpose_of_its_token(house: House) -> None:
    announce(house)
    caller = house.caller("ask", "read")
    body = json.dumps(BODY).encode()
    headers = caller.signed(PLACE, body, {"Content-Type": "application/json"} | caller.headers())
    sent = [house.app.test_client().post(PLACE, data=body, headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in sent] == [200, 409]
    assert sent[1].json["code"] == "request-replayed"
    assert house.acts().count("proof.answered") == 1
    other = caller.call(PLACE, BODY | {"purpose": "examine"})
    assert (other.status_code, other.json["code"]) == (403, "purpose-differs")


def test_a_call_counts_once_as_a_question_and_once_as_a_form(house: House) -> None:
    announce(house)
    hold(house)
    ask(house, "ask", "read")
    with house.rooms.database.reading() as uow:
        assert sum(uow.session.scalars(select(LicenseGrantUse.used))) == 2
        acts = uow.session.scalars(select(LedgerAct.core).where(LedgerAct.kind == "license.read"))
        assert all(json.loads(core)["basis"].get("grant") for core in acts)


def test_whole_values_take_a_grant_up_to_the_document(house: House) -> None:
    announce(house)
    hold(house)
    headers = {"Authorization": f"Bearer {house.client_key('ask', 'read')}", "Access-Operator": "op-1"}
    with house.rooms.database.writing() as uow:
        for grant in uow.session.scalars(select(LicenseGrant)):
            grant.ceiling = "fields"
    browser = house.app.test_client()
    answers = [
        browser.post(PLACE, json=BODY | {"reveal": one}, headers=headers).json for one in (False, True)
    ]
    assert [answer["form"] is None for answer in answers] == [False, True]
    assert answers[1]["problem"]["code"] == "license-not-found"
    assert "演示市示范路1号" not in str(answers)


@pytest.mark.parametrize("error", [WriteConflictError, RecordsUnavailableError])
def test_what_befalls_the_form_takes_no_answer_back(
    house: House, monkeypatch: pytest.MonkeyPatch, error: type[CunzhengError]
) -> None:
    announce(house)
    hold(house)
    real, fails = OneCertificateService.form, [error()]

    def form(*given: Any, **named: Any) -> Any:
        if fails:
            raise fails.pop()
        return real(*given, **named)

    monkeypatch.setattr(OneCertificateService, "form", form)
    answer = ask(house, "ask", "read")
    assert (answer.status_code, house.acts().count("proof.answered")) == (200, 1)
    told = answer.json["problem"] and answer.json["problem"]["code"]
    assert told == (None if error is WriteConflictError else "records-unavailable")
