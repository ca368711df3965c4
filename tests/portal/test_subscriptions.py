# SPDX-License-Identifier: Apache-2.0
"""Subscriptions over the interface and on their page: asked by a system, decided by a person, then told."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from license_library import COMPANY, FOOD
from sqlalchemy import select

from licenses.sharing.models import Delivery, SubscriptionHolder
from portal.sharing.announcer import Announcer
from portal.web.documented import schema_of
from portal.web.event_examples import LICENCE_EVENT, LICENCE_EVENTS
from portal.web.examples import (
    SUBSCRIPTION,
    SUBSCRIPTION_MADE,
    SUBSCRIPTION_NULLABLE,
)
from portal.web.schemas import SUBSCRIPTION_EXAMPLE
from storage.identity import Role
from storage.ledger.models import LedgerAct
from storage.ledger.sequencer import Sequencer

from .conftest import ADMINISTRATOR, House, form_token

PATH, EVENTS = "/api/v1/subscriptions", "/api/v1/licence-events"
ENDPOINT = "http://127.0.0.1:9/events"


@pytest.fixture
def sequencer(house: House) -> Iterator[Sequencer]:
    made = Sequencer(house.rooms.database, house.clock, house.staging.parent / "sequencer.lock")
    yield made
    made.close()


def call(house: House, method: str, path: str, key: str, **more: Any) -> Any:
    if method == "POST":
        more.setdefault("json", {})
    return house.app.test_client().open(
        path, method=method, headers={"Authorization": f"Bearer {key}"}, **more
    )


def asked(house: House, key: str, **changes: Any) -> dict[str, Any]:
    answer = call(house, "POST", PATH, key, json=SUBSCRIPTION_EXAMPLE | changes)
    assert answer.status_code == 201, answer.json
    assert answer.headers["Location"].endswith(answer.json["subscription"]["id"])
    return dict(answer.json)


def fits(answer: Any, example: dict[str, Any], nullable: tuple[str, ...] = ()) -> None:
    """Demand that an answer is what the interface description says."""
    Draft202012Validator(schema_of(example, nullable)).validate(answer)
    assert set(answer) == set(example)


def decide(house: House, subscription: str, decision: str = "approve") -> int:
    browser = house.browser(Role.SECURITY_ADMIN, "office")
    form = {
        "form_token": form_token(browser.get("/account").text),
        "decision": decision,
        "reason": "符合共享目录",
    }
    return browser.post(f"/subscriptions/{subscription}/decision", data=form).status_code


def test_a_wish_waits_for_a_second_person_and_its_secret_is_told_once(house: House) -> None:
    key = house.client_key("subscribe")
    made = asked(house, key, endpoint=ENDPOINT)
    assert made["secret"].startswith("whsec_")
    subscription = made["subscription"]["id"]
    shown = call(house, "GET", f"{PATH}/{subscription}", key)
    assert shown.json["state"] == "open"
    assert "secret" not in shown.text
    assert decide(house, subscription) == 303
    shown = call(house, "GET", f"{PATH}/{subscription}", key)
    fits(made, SUBSCRIPTION_MADE, SUBSCRIPTION_NULLABLE)
    fits(shown.json, SUBSCRIPTION, SUBSCRIPTION_NULLABLE)
    assert (shown.json["state"], shown.json["decision"]) == ("approved", "符合共享目录")
    assert [one["id"] for one in call(house, "GET", PATH, key).json["subscriptions"]] == [subscription]
    assert [kind for kind in house.acts() if kind.startswith("subscription.")] == [
        "subscription.requested",
        "subscription.approved",
    ]
    assert decide(house, subscription) == 409, "what was decided stays so"


def test_somebody_elses_subscription_looks_like_one_that_does_not_exist(house: House) -> None:
    mine, theirs = house.client_key("subscribe"), house.client_key("subscribe", organisation="jtj")
    subscription = asked(house, theirs)["subscription"]["id"]
    for method, part in (("GET", ""), ("POST", "/secret"), ("POST", "/end"), ("POST", "/ping")):
        answers = [call(house, method, f"{PATH}/{one}{part}", mine) for one in (subscription, "0" * 26)]
        assert {(one.status_code, one.json["code"]) for one in answers} == {(404, "subscription-unknown")}


def test_only_a_client_with_the_scope_asks_and_only_the_security_administrator_decides(house: House) -> None:
    refused = call(house, "POST", PATH, house.client_key("ask"), json=SUBSCRIPTION_EXAMPLE)
    assert refused.status_code == 403
    subscription = asked(house, house.client_key("subscribe"))["subscription"]["id"]
    for role in (Role.SYSTEM_ADMIN, Role.AUDIT_ADMIN, Role.SUPERVISOR):
        browser = house.browser(role, "office")
        form = {"form_token": form_token(browser.get("/account").text), "decision": "approve", "reason": "x"}
        assert browser.post(f"/subscriptions/{subscription}/decision", data=form).status_code == 403


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"types": []}, "subscription-terms", "types"),
        ({"types": ["nothing"]}, "subscription-terms", "types"),
        ({"items": ["nothing"]}, "subscription-terms", "items"),
        ({"purpose": "curiosity"}, "subscription-terms", "purpose"),
        ({"holders": [{"scheme": "111", "code": "123"}]}, "subscription-terms", "holders"),
        ({"endpoint": "http://10.0.0.1/in"}, "endpoint-refused", "rule"),
        ({"endpoint": "https://user:secret@events.example/"}, "endpoint-refused", "rule"),
    ],
)
def test_a_wish_that_breaks_a_rule_is_refused_without_repeating_it(
    changes: dict[str, Any], code: str, field: str, house: House
) -> None:
    answer = call(house, "POST", PATH, house.client_key("subscribe"), json=SUBSCRIPTION_EXAMPLE | changes)
    assert (answer.status_code, answer.json["code"]) == (422, code)
    assert field in json.dumps(answer.json["facts"])
    for sent in ("nothing", "curiosity", "10.0.0.1", "secret"):
        assert sent not in answer.text.replace("subscription-secret", "")


def test_holders_are_kept_as_keyed_hashes_and_stand_in_no_answer_and_no_act(house: House) -> None:
    key = house.client_key("subscribe")
    scheme, code, _ = COMPANY
    made = asked(house, key, types=[], holders=[{"scheme": scheme, "code": code}])
    assert made["subscription"]["holders"] == 1
    assert code not in json.dumps(made)
    assert not house.some_core_holds(code.encode())
    with house.rooms.database.reading() as uow:
        (row,) = uow.session.scalars(select(SubscriptionHolder)).all()
        assert row.code_hash == uow.secrets.lookup_hash(scheme, code)


def test_the_feed_goes_on_from_any_cursor_and_gives_the_same_sequence(
    house: House, sequencer: Sequencer
) -> None:
    key = house.client_key("subscribe")
    subscription = asked(house, key, types=[FOOD])["subscription"]["id"]
    sequencer.drain()
    assert decide(house, subscription) == 303
    change_licences(house, 5)
    early = call(house, "GET", EVENTS, key)
    assert early.json["events"] == [], "what the ledger does not hold yet is not told"
    assert early.headers["Retry-After"] == "5"
    while sequencer.drain():
        pass
    cursor, seen, cursors = None, [], []
    while True:
        query = {"limit": 2} | ({"after": cursor} if cursor else {})
        page = call(house, "GET", EVENTS, key, query_string=query).json
        cursors.append((cursor, len(seen)))
        seen += page["events"]
        cursor = page["next"]
        if not page["more"]:
            break
        fits(page, LICENCE_EVENTS, ("successor",))
    fits(seen[0], LICENCE_EVENT, ("successor",))
    assert [one["data"]["sequence"] for one in seen] == [1, 2, 3, 4, 5]
    for start, place in cursors[1:]:
        again = call(house, "GET", EVENTS, key, query_string={"after": start, "limit": 200}).json["events"]
        assert again == seen[place:]
    assert call(house, "GET", EVENTS, key, query_string={"after": cursor}).json["events"] == []
    assert house.acts().count("changes.read") == 5, "three pages, and two that began in the middle"
    with house.rooms.database.reading() as uow:
        cores = uow.session.scalars(select(LedgerAct.core).where(LedgerAct.kind == "changes.read")).all()
    assert not any(seen[0]["data"]["licence"].encode() in core for core in cores)


def test_a_cursor_is_good_for_its_client_only_and_not_made_up(house: House) -> None:
    mine, theirs = house.client_key("subscribe"), house.client_key("subscribe")
    cursor = call(house, "GET", EVENTS, mine).json["next"]
    assert call(house, "GET", EVENTS, mine, query_string={"after": cursor}).status_code == 200
    for other, key in ((cursor, theirs), (cursor[:-2] + "AA", mine), ("x", mine), ("汉", mine)):
        answer = call(house, "GET", EVENTS, key, query_string={"after": other})
        assert (answer.status_code, answer.json["code"]) == (422, "cursor")


def test_either_side_ends_it_and_nothing_more_is_fetched(house: House, sequencer: Sequencer) -> None:
    key = house.client_key("subscribe")
    first, second = (asked(house, key)["subscription"]["id"] for _ in range(2))
    for one in (first, second):
        assert decide(house, one) == 303
    assert call(house, "POST", f"{PATH}/{first}/end", key).status_code == 200
    browser = house.browser(Role.SECURITY_ADMIN, "office")
    form = {"form_token": form_token(browser.get("/account").text)}
    assert browser.post(f"/subscriptions/{second}/end", data=form).status_code == 422, "why?"
    form["reason"] = "共享目录已调整"
    assert browser.post(f"/subscriptions/{second}/end", data=form).status_code == 303
    states = {one["ended_because"] for one in call(house, "GET", PATH, key).json["subscriptions"]}
    assert states == {"client", "administrator"}
    change_licences(house, 1)
    sequencer.drain()
    assert call(house, "GET", EVENTS, key).json["events"] == []
    gone = call(house, "GET", EVENTS, key, query_string={"subscription": first})
    assert gone.status_code == 404


def test_a_test_is_queued_and_a_secret_is_rotated_only_where_something_is_sent(house: House) -> None:
    key = house.client_key("subscribe")
    fetched, sent = (asked(house, key, endpoint=one)["subscription"]["id"] for one in (None, ENDPOINT))
    for part in ("ping", "secret"):
        assert call(house, "POST", f"{PATH}/{fetched}/{part}", key).json["code"] == "subscription-not-running"
    assert call(house, "POST", f"{PATH}/{sent}/ping", key).status_code == 409, "not approved yet"
    decide(house, sent)
    tests = [call(house, "POST", f"{PATH}/{sent}/ping", key) for _ in range(5)]
    assert {one.status_code for one in tests} == {202}
    assert len({one.json["event"] for one in tests}) == 1, "one test waits at a time"
    with house.rooms.database.reading() as uow:
        assert len(uow.session.scalars(select(Delivery)).all()) == 1
    assert Announcer(house.rooms.database).look() == 1
    fresh = call(house, "POST", f"{PATH}/{sent}/secret", key).json
    assert fresh["secret"].startswith("whsec_")
    assert fresh["promise"]["core_sha256"]


def test_the_page_shows_dead_letters_and_sends_them_again(house: House) -> None:
    key = house.client_key("subscribe")
    subscription = asked(house, key, endpoint=ENDPOINT, name="税务登记联动")["subscription"]["id"]
    decide(house, subscription)
    now = house.clock.now()
    with house.rooms.database.writing() as uow:
        for number in range(2):
            uow.session.add(
                Delivery(
                    id=f"letter-{number}",
                    subscription_id=subscription,
                    event_id=f"event-{number}",
                    object_id="licence",
                    seq=number,
                    place=0,
                    state="dead",
                    failures=10,
                    due_at=now,
                    added_at=now,
                    problem="http-500",
                    dead_at=now,
                )
            )
    audits, sends = house.browser(Role.AUDIT_ADMIN, "office"), house.browser(Role.SYSTEM_ADMIN, "office")
    assert "event-0" in audits.get("/subscriptions").text
    assert "/resend" not in audits.get("/subscriptions").text
    page = sends.get("/subscriptions").text
    assert "税务登记联动" in page
    form = {"form_token": form_token(page), "letter": "letter-0"}
    assert sends.post("/subscriptions/resend", data=form).status_code == 303
    assert states_of(house) == ["dead", "waiting"]
    assert sends.post("/subscriptions/resend", data={"form_token": form_token(page)}).status_code == 303
    assert states_of(house) == ["waiting", "waiting"]
    assert sends.post("/subscriptions/resend", data={"form_token": form_token(page)}).status_code == 404
    assert house.acts().count("changes.resent") == 2


def states_of(house: House) -> list[str]:
    with house.rooms.database.reading() as uow:
        return sorted(uow.session.scalars(select(Delivery.state)))


def change_licences(house: House, count: int) -> None:
    """Record events of one licence, as its issuing and what follows do."""
    from licenses.events import Grounds, history_of, new_event, record_event  # noqa: PLC0415
    from licenses.lifecycle import EventKind  # noqa: PLC0415
    from licenses.models import License  # noqa: PLC0415

    with house.rooms.database.writing() as uow:
        now = uow.clock.now()
        licence = License(
            id=uow.ids.new_id(),
            identifier=f"1.2.156.3005.2.{uow.ids.new_id()}",
            type_code=FOOD,
            type_version="1",
            issuer_code="x",
            issuer_name="x",
            organisation="scjg",
            holder_id="holder",
            item_code="339999010002",
            item_edition="2026-03",
            version=1,
            trust="A",
            origin="case",
            number="N1",
            issued_on=now.date(),
            face_cipher=b"",
            data_sha256=bytes(32),
            code=uow.ids.new_id(),
            reserved_at=now,
            issue_step="",
        )
        uow.session.add(licence)
        uow.session.flush()
        for position in range(1, count + 1):
            kind = EventKind.SUSPENDED if position % 2 else EventKind.RESUMED
            history = history_of(uow, licence.id)
            event = new_event(uow, ADMINISTRATOR, licence, history, kind, Grounds("x", "y"))
            record_event(uow, ADMINISTRATOR, licence, event)
