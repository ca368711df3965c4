# SPDX-License-Identifier: Apache-2.0
"""Valid while a change is under way: every page that says "valid" says what is under way beside it."""

import pytest
from license_library import GROUNDS, MANAGER

from licenses.lifecycle import EventKind, Process
from licenses.models import License
from licenses.views import PublicCard
from portal.check_answers import card_json
from portal.web.labels import STATES
from portal.web.report_pdf import card_facts
from storage.identity import PUBLIC, Role

from .conftest import House, form_token
from .test_licences_api import announced, get, issued

UNDER_WAY = {Process.ANNUAL_CHECK: "年检办理中", Process.CANCELLATION: "注销办理中"}


@pytest.fixture(params=list(UNDER_WAY))
def process(request: pytest.FixtureRequest) -> Process:
    chosen: Process = request.param
    return chosen


@pytest.fixture
def licence(house: House, process: Process) -> License:
    announced(house, "OPEN1")
    made = issued(house, "A1")
    turn(house, made, EventKind.PROCESS_OPENED, process)
    return made


def turn(house: House, licence: License, kind: EventKind, process: Process) -> None:
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.change(uow, MANAGER, licence.identifier, kind, GROUNDS, process)


def card(house: House, licence: License) -> PublicCard:
    with house.rooms.database.writing() as uow:
        return house.rooms.license_reader.public_check(uow, PUBLIC, licence.code).card


def window_list(house: House) -> str:
    clerk = house.browser(Role.CLERK, "scjg")
    token = {"form_token": form_token(clerk.get("/window").text)}
    asked = clerk.post("/window/ask", data=token | {"number": "OPEN1", "purpose": "accept"})
    return clerk.post(f"{asked.headers['Location']}/licences", data=token).text


def test_every_process_has_words() -> None:
    assert set(STATES["pending"]) == {str(one) for one in Process}


def test_pages_say_what_is_under_way_and_that_the_licence_is_valid(
    house: House, licence: License, process: Process
) -> None:
    supervisor = house.browser(Role.SUPERVISOR)
    pages = {
        "code": lambda: house.browser().get(f"/v/{licence.code}").text,
        "window": lambda: window_list(house),
        "licence": lambda: supervisor.get(f"/licences/{licence.identifier}").text,
    }
    for name, page in pages.items():
        text = page()
        assert (name, UNDER_WAY[process] in text, "有效" in text) == (name, True, True)
    turn(house, licence, EventKind.PROCESS_CLOSED, process)
    for name, page in pages.items():
        assert (name, UNDER_WAY[process] in page()) == (name, False)


def test_a_report_on_paper_and_for_programs_says_it_and_stays_valid(
    house: House, licence: License, process: Process
) -> None:
    found = card(house, licence)
    told = card_json(found)
    assert (told["pending"], told["status"]["code"]) == (str(process), "valid")
    with house.app.test_request_context():
        assert any(UNDER_WAY[process] in row for row in card_facts(found))
    turn(house, licence, EventKind.PROCESS_CLOSED, process)
    closed = card(house, licence)
    assert card_json(closed)["pending"] is None
    with house.app.test_request_context():
        assert len(list(card_facts(closed))) == len(list(card_facts(found))) - 1


def test_the_interface_gives_the_same_word(house: House, licence: License, process: Process) -> None:
    (told,) = get(house).json["licences"]
    assert (told["pending"], told["status"]["code"]) == (str(process), "valid")
