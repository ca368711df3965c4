# SPDX-License-Identifier: Apache-2.0
"""Questions of systems that go no further than the door: the holder reads of them, the system of nothing."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from calling import Caller
from fakes import HandClock
from flask.testing import FlaskClient
from identity import choose, demo_provider
from sqlalchemy import select

from licenses.models import LicenseUsage
from portal.web.schemas import PROOF_EXAMPLE

from .conftest import House
from .signing_in import PUBLIC_URL, begin, house_at
from .test_own_together import PERSON, PERSON_PARTY, announced

SINGLE, BATCH = "/api/v1/proofs", "/api/v1/proofs:batch"


@dataclass
class Town:
    """A house with two open cases of a holder who has signed in."""

    house: House
    holder: FlaskClient

    def caller(self, refused: str) -> Caller:
        """Give a system that is refused for one reason."""
        terms: dict[str, Any] = {"source": {"sources": ["elsewhere"]}, "item": {"items": ["339999020001"]}}
        made = self.house.caller("read" if refused == "scope" else "ask", **terms.get(refused, {}))
        return replace(made, operator=None) if refused == "operator" else made

    def uses(self) -> list[LicenseUsage]:
        with self.house.rooms.database.reading() as uow:
            return list(uow.session.scalars(select(LicenseUsage)))


REASONS = {
    "scope": ("not-granted", "not-permitted"),
    "source": ("not-granted", "proof-refused"),
    "item": ("not-granted", "proof-refused"),
    "operator": ("operator-missing", "operator-required"),
    "purpose": ("purpose-differs", "purpose-differs"),
}


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    clock = HandClock()
    with demo_provider(PUBLIC_URL, [PERSON], clock) as issuer:
        house = house_at(tmp_path, issuer, clock=clock)
        for number in ("OPEN-1", "OPEN-2"):
            announced(house, number, PERSON_PARTY)
        browser = house.app.test_client()
        back = choose(begin(browser), PERSON)
        assert browser.get(f"/mine/back?{back.partition('?')[2]}").status_code == 303
        yield Town(house, browser)


def question(refused: str, number: str) -> dict[str, Any]:
    purpose = "examine" if refused == "purpose" else "accept"
    return PROOF_EXAMPLE | {"case": {"source": "ycsl", "number": number}, "purpose": purpose}


def said(answer: Any) -> Any:
    return answer.status_code, {name: one for name, one in answer.json.items() if name != "correlation"}


@pytest.mark.parametrize("refused", REASONS)
def test_the_holder_reads_who_asked_and_was_refused_and_who_asked_learns_nothing(
    town: Town, refused: str
) -> None:
    caller, (reason, code) = town.caller(refused), REASONS[refused]
    there, missing = (said(caller.call(SINGLE, question(refused, one))) for one in ("OPEN-1", "NOWHERE"))
    assert there == missing
    assert (there[0], there[1]["code"]) == (403, code)
    answer = caller.call(
        BATCH, {"questions": [question(refused, one) for one in ("NOWHERE", "OPEN-2", "OPEN-2")]}
    )
    if "answers" in answer.json:
        problems = [
            {**one, "problem": one["problem"] | {"correlation": ""}} for one in answer.json["answers"]
        ]
        assert problems == [problems[0]] * 3
        assert problems[0]["problem"]["code"] == code
    else:
        assert (answer.status_code, answer.json["code"]) == (403, code)
    uses = town.uses()
    assert {(use.reason, use.result, use.actor_id) for use in uses} == {(reason, "REFUSED", caller.client_id)}
    assert len({use.case_id for use in uses}) == len(uses) == 2
    page = town.holder.get("/mine").text
    assert page.count('data-label="结果"') == 2
    assert page.count("OPEN-1") == page.count("OPEN-2") > 0
    assert "license.read" not in town.house.acts()


@pytest.mark.parametrize("refused", ["scope", "purpose"])
def test_a_call_that_is_no_question_is_turned_away_as_before(town: Town, refused: str) -> None:
    caller, before = town.caller(refused), town.house.acts()
    for body in ({}, [], "x", {"questions": 1}, {"questions": [{}]}):
        for place in (SINGLE, BATCH):
            assert caller.call(place, body).status_code in {403, 422}
    assert "proof.refused" not in town.house.acts()[len(before) :]
    if refused == "scope":
        big = b'"' + b"x" * 1_200_000 + b'"'
        headers = caller.headers() | {"Content-Type": "application/json"}
        plain = FlaskClient(town.house.app, town.house.app.response_class)
        assert plain.post(SINGLE, data=big, headers=headers).status_code == 403
    assert town.uses() == []
