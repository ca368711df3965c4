# SPDX-License-Identifier: Apache-2.0
"""The ladder at desks and over the interface: from an answer to a commitment, a question, a later supply."""

import datetime as dt
from typing import Any

import pytest
from flask.testing import FlaskClient

from portal.proving import LadderWatch, ladder_clock
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Role

from .conftest import House, form_token
from .test_window import NUMBER, announce, ask

PLACE = "/ladder"


def asked(house: House, browser: FlaskClient) -> str:
    """Announce a case and ask about it; gives the address of the answer."""
    announce(house)
    return str(ask(browser, NUMBER).headers["Location"])


def take(browser: FlaskClient, answer: str, requirement: str, kind: str) -> Any:
    token = form_token(browser.get(answer).text)
    data = {"form_token": token, "requirement": requirement, "kind": kind}
    return browser.post(f"{PLACE}/from/{answer.rpartition('/')[2]}", data=data)


def happen(browser: FlaskClient, page: str, event: str, **more: str) -> Any:
    token = form_token(browser.get(page).text)
    return browser.post(page, data={"form_token": token, "event": event, **more})


def test_an_answer_offers_each_way_and_leads_to_its_page(house: House) -> None:
    clerk = house.browser(Role.CLERK)
    answer = asked(house, clerk)
    page = clerk.get(answer).text
    for kind in ("commitment", "supply_later", "cooperation", "citizen_upload"):
        assert f'name="kind" value="{kind}"' in page
    taken = take(clerk, answer, "R2", "commitment")
    assert taken.status_code == 303
    page = clerk.get(taken.headers["Location"]).text
    assert "告知内容" in page
    assert "书面核查" in page
    assert house.acts()[-2:] == ["rung.taken", "rung.read"]


def test_a_commitment_goes_its_way_at_the_window(house: House) -> None:
    clerk = house.browser(Role.CLERK)
    place = take(clerk, asked(house, clerk), "R2", "commitment").headers["Location"]
    for event in ("committed", "accepted"):
        assert happen(clerk, place, event).status_code == 303
    page = clerk.get(place).text
    assert "已受理，待核查" in page
    empty = happen(clerk, place, "found-false", words="  ")
    assert (empty.status_code, "rung-words-invalid" in empty.text) == (422, True)
    assert happen(clerk, place, "found-false", words="现场与承诺不符").status_code == 303
    page = clerk.get(place).text
    assert "现场与承诺不符" in page
    house.clock.advance(1)
    again = clerk.get(ask(clerk, NUMBER).headers["Location"]).text
    assert "承诺经核查不实" in again


def test_the_asked_department_sees_the_question_and_who_it_is_about_and_answers(house: House) -> None:
    clerk, doctor = house.browser(Role.CLERK), house.browser(Role.CLERK, "wjw")
    place = take(clerk, asked(house, clerk), "R3", "cooperation").headers["Location"]
    assert NUMBER in doctor.get(PLACE).text
    page = doctor.get(place).text
    assert "从业人员健康检查合格" in page
    assert CASE_EXAMPLE["holder"]["code"] in page
    assert CASE_EXAMPLE["holder"]["code"] not in clerk.get(place).text, (
        "masked for who need not identify them"
    )
    assert happen(clerk, place, "answered-yes").status_code == 409
    assert happen(doctor, place, "answered-yes").status_code == 303
    page = doctor.get(place).text
    assert "各部门可用至" in page
    assert CASE_EXAMPLE["holder"]["code"] not in page, "nothing is left to identify them for"
    house.clock.advance(1)
    assert "已由主管部门协查确认" in clerk.get(ask(clerk, NUMBER).headers["Location"]).text


def test_a_department_that_is_not_asked_sees_nothing(house: House) -> None:
    clerk, stranger = house.browser(Role.CLERK), house.browser(Role.CLERK, "jtys")
    place = take(clerk, asked(house, clerk), "R3", "cooperation").headers["Location"]
    assert NUMBER not in stranger.get(PLACE).text
    assert stranger.get(place).status_code == 404
    assert house.acts()[-1] == "access.refused"


def test_lists_sort_what_waits_from_what_is_over_and_tell_what_is_late(house: House) -> None:
    clerk, supervisor = house.browser(Role.CLERK), house.browser(Role.SUPERVISOR)
    answer = asked(house, clerk)
    for requirement, kind in (("R2", "supply_later"), ("R3", "citizen_upload")):
        assert take(clerk, answer, requirement, kind).status_code == 303
    counted = clerk.get(f"{PLACE}?state=ours").text
    assert "本部门办理中 1" in counted
    assert "已结束 1" in counted
    house.clock.advance(7 * 86400)
    LadderWatch(house.rooms.database, ladder_clock(house.rooms)).look()
    late = house.browser(Role.SUPERVISOR).get(f"{PLACE}?state=overdue").text
    assert "逾期未补交" in late
    assert supervisor is not None


@pytest.fixture
def headers(house: House) -> dict[str, str]:
    key = house.client_key("announce", "ask")
    return {"Authorization": f"Bearer {key}", "Access-Operator": "op-1"}


def test_a_calling_system_takes_a_rung_and_says_what_happened(house: House, headers: dict[str, str]) -> None:
    client = house.app.test_client()
    assert client.put(f"/api/v1/cases/ycsl/{NUMBER}", json=CASE_EXAMPLE, headers=headers).status_code == 201
    question = {"case": {"source": "ycsl", "number": NUMBER}, "item": "339999010002", "purpose": "accept"}
    answered = client.post("/api/v1/proofs", json=question, headers=headers).json
    assert answered is not None
    body = {"decision": answered["decision"]["id"], "requirement": "R2", "kind": "commitment"}
    made = client.post("/api/v1/rungs", json=body, headers=headers)
    assert made.status_code == 201
    assert made.json is not None
    assert made.json["rung"]["can"] == ["committed", "dropped"]
    place = made.headers["Location"]
    for kind, state in (("committed", "committed"), ("accepted", "accepted"), ("confirmed", "confirmed")):
        told = client.post(f"{place}/events", json={"kind": kind, "words": "已办"}, headers=headers)
        assert told.status_code == 200, told.json
        assert told.json is not None
        assert told.json["rung"]["state"] == state
    shown = client.get(place, headers=headers).json
    assert shown is not None
    assert [one["kind"] for one in shown["events"]] == ["told", "committed", "accepted", "confirmed"]
    assert dt.datetime.fromisoformat(shown["due"] or "2026-01-01T00:00:00Z")
    other = {"Authorization": f"Bearer {house.client_key('ask')}", "Access-Operator": "op-1"}
    assert client.get(place, headers=other).status_code == 404
    again = client.post("/api/v1/rungs", json=body, headers=headers)
    assert (again.status_code, again.json["code"] if again.json else "") == (409, "rung-not-offered")
