# SPDX-License-Identifier: Apache-2.0
"""The own system of an asked department reads what it is asked, and answers as its officials do."""

import base64
import hashlib
import json
from typing import Any

import pytest
from calling import Caller
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from cases.models import Case
from licenses.ladder import statements
from licenses.ladder.calls import filed_call
from licenses.ladder.models import LadderRung, RungRequest
from licenses.requests import verify_signature
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Role

from .conftest import House
from .test_ladder import asked, happen, take
from .test_window import NUMBER, ask

PLACE = "/api/v1/cooperation"


@pytest.fixture
def question(house: House) -> str:
    """Give the id of a question to the office of health about a case of the market's office."""
    clerk = house.browser(Role.CLERK)
    place = str(take(clerk, asked(house, clerk), "R3", "cooperation").headers["Location"])
    return place.rpartition("/")[2]


@pytest.fixture
def department(house: House) -> Caller:
    return house.caller("answer", organisation="wjw", items=(), sources=())


def sent(caller: Caller, path: str, body: Any = None) -> TestResponse:
    if body is not None:
        return caller.call(path, body)
    return FlaskClient(caller.app, caller.app.response_class).get(path, headers=caller.headers())


def told(caller: Caller, path: str, body: Any = None) -> Any:
    answer = sent(caller, path, body)
    assert answer.status_code == 200, answer.json
    return answer.json


def refused(caller: Caller, path: str, body: Any = None) -> tuple[int, str]:
    answer = sent(caller, path, body)
    return answer.status_code, (answer.json or {}).get("code", "")


def test_it_finds_the_question_reads_whom_it_is_about_and_answers(
    house: House, question: str, department: Caller
) -> None:
    [line] = told(department, PLACE)["questions"]
    assert (line["id"], line["case"]["number"], line["late"]) == (question, NUMBER, False)
    assert CASE_EXAMPLE["holder"]["code"] not in str(line)
    shown = told(department, f"{PLACE}/{question}")
    assert shown["predicate"]["zh"] == "从业人员健康检查合格，且在有效期内"
    assert shown["holder"]["code"] == CASE_EXAMPLE["holder"]["code"]
    assert house.acts()[-1] == "rung.read"
    made = told(department, f"{PLACE}/{question}/answer", {"answer": "yes"})
    assert (made["state"], house.acts()[-1]) == ("answered", "rung.changed")
    assert told(department, PLACE) == {"questions": [], "next": None}
    shown = told(department, f"{PLACE}/{question}")
    assert (shown["holder"], shown["can"]) == (None, ["corrected"]), "nothing is left to identify them for"
    house.clock.advance(1)
    clerk = house.browser(Role.CLERK)
    assert "已由主管部门协查确认" in clerk.get(ask(clerk, NUMBER).headers["Location"]).text


def test_what_it_signed_is_kept_beside_our_statement_of_the_answer(
    house: House, question: str, department: Caller
) -> None:
    told(department, f"{PLACE}/{question}/answer", {"answer": "yes", "words": "体检合格"})
    with house.rooms.database.reading() as uow:
        call = uow.session.scalars(select(RungRequest)).one()
        row = uow.session.get_one(LadderRung, question)
        assert call.call_cipher.find(b"authorization") == -1, "it stands under the holder's key"
        kept = json.loads(uow.secrets.decrypt(call.call_cipher))
        stated: Any = statements.stated(uow, row)
        filed = json.loads(filed_call(uow, call))
    assert (call.client_id, call.kid) == (department.client_id, department.key.kid)
    assert json.loads(base64.b64decode(kept["body"])) == {"answer": "yes", "words": "体检合格"}
    assert kept["base"].splitlines()[1].endswith(f'{PLACE}/{question}/answer"'.rstrip('"'))
    assert verify_signature(kept["base"].encode(), base64.b64decode(kept["signature"]), kept["key"])
    assert stated["events"][-1]["request"] == {"kid": call.kid, "base_sha256": call.base_sha256}
    assert filed == kept | {"body": None}, "what was said stays under the holder's key"
    assert hashlib.sha256(filed["base"].encode()).hexdigest() == call.base_sha256


def test_a_mistaken_answer_is_corrected_over_the_interface_and_on_the_page(
    house: House, question: str, department: Caller
) -> None:
    place = f"{PLACE}/{question}/answer"
    assert refused(department, place, {"answer": "no", "correction": True, "words": "误"})[0] == 409
    told(department, place, {"answer": "yes"})
    house.clock.advance(1)
    clerk = house.browser(Role.CLERK)
    ask(clerk, NUMBER)
    house.clock.advance(1)
    assert refused(department, place, {"answer": "no", "correction": True}) == (422, "rung-words-invalid")
    assert refused(department, place, {"answer": "yes", "correction": True, "words": "误"})[0] == 409
    made = told(department, place, {"answer": "no", "correction": True, "words": "体检日期录入有误"})
    assert made["state"] == "answered"
    house.clock.advance(1)
    assert "已由主管部门协查确认" not in clerk.get(ask(clerk, NUMBER).headers["Location"]).text
    recalls = house.browser(Role.SUPERVISOR).get("/supervision/recalls").text
    assert "部门更正了答复" in recalls
    assert NUMBER in recalls
    assert f'href="/ladder/{question}"' in recalls
    doctor = house.browser(Role.CLERK, "wjw")
    page = doctor.get(f"/ladder/{question}").text
    assert "更正为：是，属实" in page
    assert CASE_EXAMPLE["holder"]["code"] not in page, "to correct an answer nobody is named anew"
    house.clock.advance(1)
    assert happen(doctor, f"/ladder/{question}", "corrected-yes", words="复核无误").status_code == 303
    assert "更正为：否，不属实" in doctor.get(f"/ladder/{question}").text


def test_what_cannot_be_answered_takes_words(question: str, department: Caller) -> None:
    place = f"{PLACE}/{question}/answer"
    assert refused(department, place, {"answer": "unanswerable"}) == (422, "rung-words-invalid")
    assert (
        told(department, place, {"answer": "unanswerable", "words": "无该人记录"})["state"] == "unanswerable"
    )
    assert refused(department, place, {"answer": "no"}) == (409, "rung-event-refused")


def test_another_department_an_unnamed_operator_and_another_scope_find_nothing(
    house: House, question: str, department: Caller
) -> None:
    place = f"{PLACE}/{question}"
    stranger = house.caller("answer", organisation="jtys", items=(), sources=())
    assert told(stranger, PLACE)["questions"] == []
    assert refused(stranger, place) == (404, "rung-unknown")
    assert refused(stranger, f"{place}/answer", {"answer": "yes"}) == (404, "rung-unknown")
    department.operator = None
    assert refused(department, PLACE) == (403, "not-permitted")
    assert refused(department, f"{place}/answer", {"answer": "yes"}) == (404, "rung-unknown")
    reader = house.caller("read", organisation="wjw")
    assert refused(reader, PLACE) == (403, "not-permitted")


def test_a_question_of_a_closed_case_waits_for_nobody(
    house: House, question: str, department: Caller
) -> None:
    with house.rooms.database.writing() as uow:
        case = uow.session.get_one(Case, uow.session.get_one(LadderRung, question).case_id)
        case.closed_at = house.clock.now()
    assert told(department, PLACE)["questions"] == []
    shown = told(department, f"{PLACE}/{question}")
    assert (shown["holder"], shown["can"]) == (None, [])


def test_a_question_whose_rule_is_not_held_hides_no_other(
    house: House, question: str, department: Caller
) -> None:
    with house.rooms.database.writing() as uow:
        uow.session.get_one(LadderRung, question).rule_digest = "0" * 64
    (line,) = told(department, PLACE)["questions"]
    assert (line["id"], line["predicate"]) == (question, None)


def test_an_answer_is_signed_and_a_shared_key_opens_nothing(
    house: House, question: str, department: Caller
) -> None:
    key = {"Authorization": f"Bearer {house.client_key('answer', organisation='wjw', items=())}"}
    browser = house.app.test_client()
    for answer in (browser.get(PLACE, headers=key), browser.get(f"{PLACE}/{question}", headers=key)):
        assert (answer.status_code, (answer.json or {})["code"]) == (403, "client-key-required")
    unsigned = {"Authorization": f"Bearer {department.token()}", "Access-Operator": "op-1"}
    answer = browser.post(f"{PLACE}/{question}/answer", json={"answer": "yes"}, headers=unsigned)
    assert (answer.status_code, (answer.json or {})["code"]) == (401, "signature-invalid")
