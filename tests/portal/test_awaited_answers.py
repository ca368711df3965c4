# SPDX-License-Identifier: Apache-2.0
"""An answer that waits for a department: 202, when to ask again, and by when it is expected."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from licenses.answers import verify_answer
from portal.asking import services
from portal.proving import LadderWatch, ladder_clock
from portal.web.schemas import CASE_EXAMPLE
from storage.clock import parse_rfc3339
from storage.identity import Role

from .conftest import House
from .test_ladder import happen
from .test_window import NUMBER

_QUESTION = {"case": {"source": "ycsl", "number": NUMBER}, "item": "339999010002", "purpose": "accept"}


class Caller:
    """An acceptance system whose case has nothing left open but what another department is asked."""

    def __init__(self, house: House, key: str = "") -> None:
        key = key or house.client_key("announce", "ask")
        self.house, self.client = house, house.app.test_client()
        self.headers = {"Authorization": f"Bearer {key}", "Access-Operator": "op-1"}
        self.client.put(f"/api/v1/cases/ycsl/{NUMBER}", json=CASE_EXAMPLE, headers=self.headers)
        decision = self.ask().json["decision"]["id"]
        self.rungs = {
            kind: self.take(decision, requirement, kind)
            for requirement, kind in (
                ("R1", "citizen_upload"),
                ("R2", "supply_later"),
                ("R3", "cooperation"),
            )
        }

    def take(self, decision: str, requirement: str, kind: str) -> Any:
        body = {"decision": decision, "requirement": requirement, "kind": kind}
        made = self.client.post("/api/v1/rungs", json=body, headers=self.headers)
        assert made.status_code == 201, made.json
        return made.json["rung"]

    def ask(self, path: str = "", **more: Any) -> Any:
        self.house.clock.advance(1)
        body = more or _QUESTION
        return self.client.post(f"/api/v1/proofs{path}", json=body, headers=self.headers)


@pytest.fixture
def caller(house: House) -> Caller:
    return Caller(house)


def _doctor(house: House) -> FlaskClient:
    return house.browser(Role.CLERK, "wjw")


def test_it_is_accepted_and_says_when_the_departments_time_is_over(caller: Caller) -> None:
    answer = caller.ask()
    assert (answer.status_code, answer.json["decision"]["result"]) == (202, "PENDING")
    due = caller.rungs["cooperation"]["due"]
    assert answer.json["expected_at"] == due
    wait = int(answer.headers["Retry-After"])
    assert wait == (parse_rfc3339(due) - caller.house.clock.now()).total_seconds()
    assert answer.headers["Location"] == f"/api/v1/proofs/{answer.json['decision']['id']}"
    jwks = caller.client.get("/.well-known/jwks.json").json
    assert verify_answer(answer.json["jws"], jwks).decision == answer.json["decision"]


def test_the_bare_answer_says_so_in_its_head(caller: Caller) -> None:
    caller.headers["Accept"] = "application/jose"
    answer = caller.ask()
    assert (answer.status_code, answer.mimetype) == (202, "application/jose")
    assert int(answer.headers["Retry-After"]) >= 60


def test_given_again_it_is_what_was_given(caller: Caller) -> None:
    first = caller.ask()
    again = caller.client.get(first.headers["Location"], headers=caller.headers)
    assert (again.status_code, again.json) == (200, first.json)


def test_in_a_batch_each_answer_has_its_own(caller: Caller) -> None:
    unknown = _QUESTION | {"case": {"source": "ycsl", "number": "NOWHERE"}}
    batch = caller.ask(":batch", questions=[_QUESTION, unknown]).json["answers"]
    assert [one["status"] for one in batch] == [202, 403]
    assert batch[0]["answer"]["expected_at"] == caller.rungs["cooperation"]["due"]


def test_once_the_department_has_answered_nothing_is_awaited(caller: Caller, house: House) -> None:
    happen(_doctor(house), f"/ladder/{caller.rungs['cooperation']['id']}", "answered-yes")
    answer = caller.ask()
    assert (answer.status_code, answer.json["expected_at"]) == (200, None)
    assert "Retry-After" not in answer.headers


def test_what_cannot_be_told_is_not_awaited_though_a_department_is_asked(caller: Caller) -> None:
    """Whoever still has something else to do is not told to wait."""
    caller.house.clock.advance(dt.timedelta(days=7).total_seconds())
    LadderWatch(caller.house.rooms.database, ladder_clock(caller.house.rooms)).look()
    answer = caller.ask()
    results = {one["id"]: one["result"] for one in answer.json["decision"]["requirements"]}
    assert (results["R2"], results["R3"]) == ("UNKNOWN", "PENDING")
    assert (answer.status_code, answer.json["expected_at"]) == (200, None)


def test_a_department_that_is_late_is_asked_after_every_minute_at_most(caller: Caller) -> None:
    due = parse_rfc3339(caller.rungs["cooperation"]["due"])
    caller.house.clock.advance((due - caller.house.clock.now()).total_seconds() + 1)
    answer = caller.ask()
    assert (answer.status_code, answer.json["expected_at"]) == (202, None)
    assert answer.headers["Retry-After"] == "60"


def test_the_product_itself_takes_it_as_an_answer(
    house: House, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    Caller(house)
    system = house.caller("announce", "ask")
    plain = FlaskClient(house.app, house.app.response_class)
    statuses = []

    def call(_: object, method: str, address: str, body: Any, headers: Any) -> tuple[int, bytes]:
        path = address.removeprefix(system.address)
        answer = plain.open(path, method=method, data=body, headers=dict(headers))
        statuses.append(answer.status_code)
        return answer.status_code, answer.data

    monkeypatch.setattr(services, "_call", call)
    monkeypatch.setattr(services, "_now", house.clock.now)
    asking = services.Asking(
        address=system.address,
        client=system.client_id,
        key=system.key,
        operator="op-1",
        source="ycsl",
        number=NUMBER,
        item="339999010002",
        purpose="accept",
    )
    house.clock.advance(1)
    _, found = services.ask(asking, tmp_path / "jwks.json")
    assert (statuses, found.decision["result"]) == ([200, 200, 202], "PENDING")
