# SPDX-License-Identifier: Apache-2.0
"""A subscription about the own answers: asked over the interface, decided on its page, fetched by cursor."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from portal.web.event_examples import (
    COMMITMENT_CHECK_DUE,
    COOPERATION_ASKED,
    COOPERATION_ESCALATED,
    COOPERATION_REMINDED,
    PROOF_RECALLED,
    PROOF_RESOLVED,
    event_pages,
)
from storage.identity import Role
from storage.ledger.sequencer import Sequencer

from .conftest import House
from .test_awaited_answers import Caller
from .test_ladder import happen
from .test_subscriptions import EVENTS, PATH, call, decide

_WISH = {"name": "免证结论跟踪", "about": "proofs", "purpose": "re-examine", "reason": "协查答复后续办"}


@pytest.fixture
def sequencer(house: House) -> Iterator[Sequencer]:
    made = Sequencer(house.rooms.database, house.clock, house.staging.parent / "sequencer.lock")
    yield made
    made.close()


@pytest.fixture
def key(house: House) -> str:
    return house.client_key("announce", "ask", "subscribe")


def subscribed(house: House, key: str, sequencer: Sequencer, about: str = "proofs") -> str:
    made = call(house, "POST", PATH, key, json=_WISH | {"about": about})
    assert made.status_code == 201, made.json
    assert made.json["subscription"]["about"] == about
    while sequencer.drain():
        pass
    subscription = str(made.json["subscription"]["id"])
    assert decide(house, subscription) == 303
    return subscription


def fetched(house: House, key: str, sequencer: Sequencer) -> list[dict[str, Any]]:
    while sequencer.drain():
        pass
    page = call(house, "GET", EVENTS, key)
    schema = event_pages()["content"]
    assert isinstance(schema, dict)
    Draft202012Validator(schema["application/json"]["schema"]).validate(page.json)
    return list(page.json["events"])


def test_who_was_told_to_wait_fetches_that_the_wait_is_over(
    house: House, key: str, sequencer: Sequencer
) -> None:
    subscribed(house, key, sequencer)
    stranger = house.client_key("ask", "subscribe")
    subscribed(house, stranger, sequencer)
    caller = Caller(house, key)
    waits = caller.ask()
    assert waits.status_code == 202
    assert fetched(house, key, sequencer) == []
    happen(house.browser(Role.CLERK, "wjw"), f"/ladder/{caller.rungs['cooperation']['id']}", "answered-yes")
    (event,) = fetched(house, key, sequencer)
    assert (event["type"], event["data"]["change"]) == ("proof.resolved", "answered")
    assert waits.json["decision"]["id"] in event["data"]["decisions"]
    assert fetched(house, stranger, sequencer) == []
    answer = caller.ask()
    assert answer.status_code == 200, "who asks again has the word that was waited for"


def test_the_asked_department_s_system_fetches_that_it_is_asked_until_when(
    house: House, key: str, sequencer: Sequencer
) -> None:
    department = house.client_key("answer", "subscribe", organisation="wjw", items=(), sources=())
    subscribed(house, department, sequencer, "questions")
    caller = Caller(house, key)
    caller.ask()
    (event,) = fetched(house, department, sequencer)
    assert (event["type"], event["data"]["question"]) == (
        "cooperation.asked",
        caller.rungs["cooperation"]["id"],
    )
    elsewhere = house.client_key("answer", "subscribe", organisation="jtys", items=(), sources=())
    subscribed(house, elsewhere, sequencer, "questions")
    assert fetched(house, elsewhere, sequencer) == []
    page = house.browser(Role.SECURITY_ADMIN, "office").get("/subscriptions").text
    assert "其他部门向本部门提出的协查" in page


def test_examples_are_what_is_described() -> None:
    content = event_pages()["content"]
    assert isinstance(content, dict)
    judge = Draft202012Validator(content["application/json"]["schema"]["properties"]["events"]["items"])
    of_questions = (COOPERATION_ASKED, COOPERATION_REMINDED, COOPERATION_ESCALATED)
    for example in (PROOF_RESOLVED, PROOF_RECALLED, COMMITMENT_CHECK_DUE, *of_questions):
        judge.validate(example)
    assert not judge.is_valid(PROOF_RESOLVED | {"data": {"change": "answered"}})


@pytest.mark.parametrize("more", [{"types": ["11339999DEM0010178001"]}, {"items": ["339999010002"]}])
def test_it_names_nothing_further(house: House, key: str, more: dict[str, Any]) -> None:
    answer = call(house, "POST", PATH, key, json=_WISH | more)
    assert (answer.status_code, answer.json["code"]) == (422, "subscription-terms")
    assert answer.json["facts"]["field"] == "about"


@pytest.mark.parametrize("about", ["proofs", "questions"])
def test_who_neither_asks_nor_answers_has_nothing_to_be_told_of(house: House, about: str) -> None:
    answer = call(house, "POST", PATH, house.client_key("subscribe"), json=_WISH | {"about": about})
    assert (answer.status_code, answer.json["code"]) == (403, "not-permitted")


def test_the_page_says_what_it_is_about(house: House, key: str, sequencer: Sequencer) -> None:
    subscribed(house, key, sequencer)
    page = house.browser(Role.SECURITY_ADMIN, "office").get("/subscriptions").text
    assert "本系统所作免证核验结论的后续变化" in page
    assert "全部证照类型" not in page


def test_the_interface_description_tells_of_what_is_sent_and_of_waiting(house: House) -> None:
    told = house.app.test_client().get("/openapi.json").json
    assert told is not None
    sent = told["webhooks"]["event"]["post"]
    assert {one["name"] for one in sent["parameters"]} == {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    shapes = sent["requestBody"]["content"]["application/cloudevents+json"]["examples"]
    assert {one["value"]["type"] for one in shapes.values()} == {
        "licence.suspended",
        "proof.resolved",
        "proof.recalled",
        "commitment.check_due",
        "cooperation.asked",
        "cooperation.reminded",
        "cooperation.escalated",
    }
    waiting = told["paths"]["/api/v1/proofs"]["post"]["responses"]["202"]
    assert set(waiting["headers"]) == {"Retry-After", "Location"}
