# SPDX-License-Identifier: Apache-2.0
"""No-proof questions, by another system and at the window."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from licenses.admitting import Question
from licenses.answers import verify_answer
from licenses.deciding import AnsweredProof
from licenses.decisions import ProofService
from licenses.models import Decision
from portal.web.schemas import CASE_EXAMPLE, PROOF_EXAMPLE
from storage.database import UnitOfWork
from storage.errors import CunzhengError
from storage.identity import Role
from storage.secrets import ErasedError

from .conftest import House, form_token
from .test_api_cases import PATH


def _open_case(house: House) -> None:
    key = house.client_key("announce")
    answer = house.app.test_client().put(PATH, json=CASE_EXAMPLE, headers={"Authorization": f"Bearer {key}"})
    assert answer.status_code == 201


def _ask(house: House, body: dict[str, Any], *scopes: str, **headers: str) -> Any:
    key = house.client_key(*(scopes or ("ask",)))
    base = {"Authorization": f"Bearer {key}", "Access-Operator": "op-1"} | headers
    return house.app.test_client().post("/api/v1/proofs", json=body, headers=base)


def test_the_answer_verifies_with_the_published_key_and_carries_its_promise(house: House) -> None:
    _open_case(house)
    answer = _ask(house, PROOF_EXAMPLE)
    assert answer.status_code == 200
    jwks = house.app.test_client().get("/.well-known/jwks.json").json
    verified = verify_answer(answer.json["jws"], jwks)
    assert verified.decision == answer.json["decision"]
    assert [one["result"] for one in verified.decision["requirements"]] == ["UNKNOWN"] * 3
    assert verified.promise["core_sha256"] == answer.json["promise"]["core_sha256"]
    assert answer.headers["Location"] == f"/api/v1/proofs/{verified.decision['id']}"


def test_the_bare_answer_is_given_on_request(house: House) -> None:
    _open_case(house)
    answer = _ask(house, PROOF_EXAMPLE, Accept="application/jose")
    assert answer.mimetype == "application/jose"
    jwks = house.app.test_client().get("/.well-known/jwks.json").json
    assert verify_answer(answer.data, jwks).decision["case"] == PROOF_EXAMPLE["case"]


def test_refusals_look_alike_and_stand_in_the_ledger(house: House) -> None:
    _open_case(house)
    other_holder = PROOF_EXAMPLE | {"holder": {"scheme": "111", "code": "339999190001010012"}}
    unknown_case = PROOF_EXAMPLE | {"case": {"source": "ycsl", "number": "none"}}
    other_item = PROOF_EXAMPLE | {"item": "339999010001"}
    answers = [_ask(house, body) for body in (other_holder, unknown_case, other_item)]
    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json["code"] for answer in answers} == {"proof-refused"}
    assert house.acts().count("proof.refused") == 3


def test_a_batch_answers_each_question_by_itself(house: House) -> None:
    _open_case(house)
    unknown = PROOF_EXAMPLE | {"case": {"source": "ycsl", "number": "NOWHERE"}}
    key = house.client_key("ask")
    headers = {"Authorization": f"Bearer {key}", "Access-Operator": "op-1"}
    browser = house.app.test_client()
    questions = [PROOF_EXAMPLE, unknown, PROOF_EXAMPLE]
    answer = browser.post("/api/v1/proofs:batch", json={"questions": questions}, headers=headers)
    assert answer.status_code == 200
    first, refused, last = answer.json["answers"]
    assert (first["status"], refused["status"], last["status"]) == (200, 403, 200)
    assert refused["problem"]["code"] == "proof-refused"
    assert refused["answer"] is None
    jwks = browser.get("/.well-known/jwks.json").json
    ids = {verify_answer(one["answer"]["jws"], jwks).decision["id"] for one in (first, last)}
    assert len(ids) == 2
    assert house.acts().count("proof.answered") == 2
    assert house.acts().count("proof.refused") == 1
    for wrong in ([], [PROOF_EXAMPLE] * 101):
        assert (
            browser.post("/api/v1/proofs:batch", json={"questions": wrong}, headers=headers).status_code
            == 422
        )


def test_a_client_without_operator_is_refused(house: House) -> None:
    _open_case(house)
    caller = house.caller("ask")
    answer = caller.call("/api/v1/proofs", PROOF_EXAMPLE, caller.headers(operator=None))
    assert (answer.status_code, answer.json["code"]) == (403, "operator-required")


def test_what_a_header_says_never_gets_into_the_ledger(house: House) -> None:
    key = house.client_key("read")
    headers = {
        "Authorization": f"Bearer {key}",
        "Access-Operator": "op-1",
        "Access-Case": "339999190001010012",
        "Access-Item": "339999190001010012",
        "Access-Purpose": "339999190001010012",
    }
    answer = house.app.test_client().get("/api/v1/licences/none", headers=headers)
    assert answer.status_code == 404
    assert house.acts()[-1] == "access.refused"
    assert not house.some_core_holds(b"339999190001010012")


def _ask_at_the_window(browser: FlaskClient, number: str, purpose: str = "accept") -> Any:
    field = form_token(browser.get("/window").text)
    return browser.post("/window/ask", data={"form_token": field, "number": number, "purpose": purpose})


def test_the_window_focuses_on_the_case_number(house: House) -> None:
    page = house.browser(Role.CLERK).get("/window").text
    field = page[page.index('id="number"') :]
    assert "autofocus" in field[: field.index(">")]


def test_the_window_tells_what_to_collect(house: House) -> None:
    _open_case(house)
    browser = house.browser(Role.CLERK)
    answer = _ask_at_the_window(browser, "YC-2026-000140")
    assert answer.status_code == 303
    page = browser.get(answer.headers["Location"]).text
    assert re.search("只需向申请人收取 [1-9] 份：", page)
    assert "健康证明" in page
    assert "无法核实" in page
    assert "91339999MADEM0011X" not in page
    assert "<small><code>YC-2026-000140</code></small>" in browser.get("/account").text, "what I did names it"
    other = house.browser(Role.CLERK, "jtys")
    assert _ask_at_the_window(other, "YC-2026-000140").status_code == 403
    own = other.get("/account").text
    assert "YC-2026-000140" not in own, "a refusal tells of no case"
    assert "✕" in own


def test_listing_the_holders_licences_is_recorded(house: House) -> None:
    _open_case(house)
    browser = house.browser(Role.CLERK)
    place = _ask_at_the_window(browser, "YC-2026-000140").headers["Location"]
    field = form_token(browser.get(place).text)
    page = browser.post(f"{place}/licences", data={"form_token": field})
    assert page.status_code == 200
    assert house.acts()[-1] == "license.read"


def test_a_case_asked_about_twice_stands_once_among_the_recent_ones(
    house: House,
) -> None:
    _open_case(house)
    browser = house.browser(Role.CLERK)
    first = _ask_at_the_window(browser, "YC-2026-000140").headers["Location"]
    house.clock.advance(60)
    last = _ask_at_the_window(browser, "YC-2026-000140").headers["Location"]
    page = browser.get("/window").text
    assert page.count("YC-2026-000140") == 1
    assert first not in page
    assert last in page


def test_the_window_refuses_a_closed_and_an_unknown_case(house: House) -> None:
    _open_case(house)
    key = house.client_key("announce")
    closed = CASE_EXAMPLE | {"closed_at": "2026-11-23T09:00:00+08:00"}
    house.app.test_client().put(PATH, json=closed, headers={"Authorization": f"Bearer {key}"})
    browser = house.browser(Role.CLERK)
    for number in ("YC-2026-000140", "YC-0"):
        answer = _ask_at_the_window(browser, number)
        assert answer.status_code == 403
        assert "核验请求被拒绝" in answer.text
    assert house.acts().count("proof.refused") == 2


def test_a_clerk_of_another_department_cannot_ask(house: House) -> None:
    _open_case(house)
    answer = _ask_at_the_window(house.browser(Role.CLERK, "jtys"), "YC-2026-000140")
    assert answer.status_code == 403


def test_whom_a_question_means_stands_in_its_answer_without_naming_them(house: House) -> None:
    _open_case(house)
    by_code = {"subject": "agent", "scheme": "111", "code": "339999190001010012"}
    answer = _ask(house, PROOF_EXAMPLE | {"subjects": [by_code, {"subject": "spouse", "name": "李演示"}]})
    assert answer.status_code == 200
    said = answer.json["decision"]["subjects"]
    assert {name: one["by"] for name, one in said.items()} == {"agent": "code", "spouse": "name"}
    for wrong in ({"subject": "agent"}, by_code | {"name": "李演示"}, {"subject": "agent", "scheme": "111"}):
        assert _ask(house, PROOF_EXAMPLE | {"subjects": [wrong]}).status_code == 422


@pytest.mark.parametrize(("typed", "by"), [("339999190001010012", "code"), ("李演示", "name")])
def test_a_clerk_says_whom_they_mean_by_document_or_name(house: House, typed: str, by: str) -> None:
    _open_case(house)
    clerk = house.browser(Role.CLERK)
    token = form_token(clerk.get("/window").text)
    data = {"form_token": token, "number": "ycsl/YC-2026-000140", "purpose": "accept"}
    asked = clerk.post("/window/ask", data=data | {"subject": "agent", "meant": typed})
    assert asked.status_code == 303
    with house.rooms.database.reading() as uow:
        made = uow.session.scalars(select(Decision)).one()
        body = json.loads(uow.secrets.decrypt(made.body_cipher))
    assert body["subjects"]["agent"]["by"] == by


def test_what_breaks_one_question_of_a_batch_loses_no_other_answer(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    _open_case(house)
    erased = PROOF_EXAMPLE | {"case": {"source": "ycsl", "number": "GONE"}}
    asked = ProofService.ask_each

    def ask_each(
        service: ProofService, uow: UnitOfWork, questions: Sequence[Question]
    ) -> list[AnsweredProof | CunzhengError]:
        if any(question.number == "GONE" for _, question in questions):
            raise ErasedError
        return asked(service, uow, questions)

    monkeypatch.setattr(ProofService, "ask_each", ask_each)
    headers = {"Authorization": f"Bearer {house.client_key('ask')}", "Access-Operator": "op-1"}
    questions = [PROOF_EXAMPLE, erased, PROOF_EXAMPLE]
    browser = house.app.test_client()
    answer = browser.post("/api/v1/proofs:batch", json={"questions": questions}, headers=headers)
    assert answer.status_code == 200
    assert [one["status"] for one in answer.json["answers"]] == [200, ErasedError.status, 200]
    assert [one["problem"] is None for one in answer.json["answers"]] == [True, False, True]
