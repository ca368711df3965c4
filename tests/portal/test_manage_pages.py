# SPDX-License-Identifier: Apache-2.0
"""A licence manager finds one licence, sees its life and versions, and decides about it on a page."""

import re

import pytest
from flask.testing import FlaskClient
from license_library import GROUNDS, MANAGER
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from licenses.lifecycle import EventKind, Process, Status
from licenses.managing import EVENTS, FINAL, Decision
from licenses.models import License, LicenseEvent
from licenses.stock.chaining import number_key
from licenses.stock.folding import folded_number
from licenses.stock.models import StockRecord
from portal.web.manage_words import DECISIONS, HAPPENED
from storage.identity import Role

from .conftest import House, form_token
from .test_licences_api import issued

WORDS = {"reason": "经核查属实", "legal_basis": "行政许可法第七十条"}
FIRST = {
    Decision.RESUME: Decision.SUSPEND,
    Decision.CLOSE_CHECK: Decision.OPEN_CHECK,
    Decision.CLOSE_CANCELLATION: Decision.OPEN_CANCELLATION,
}
"""What must have happened before some decisions."""
ENDS_AS = {
    Decision.SUSPEND: Status.SUSPENDED,
    Decision.CANCEL: Status.CANCELLED,
    Decision.WITHDRAW: Status.WITHDRAWN,
    Decision.REVOKE: Status.REVOKED,
    Decision.LAPSE: Status.LAPSED,
}
PLACE = "/licences/manage"


@pytest.fixture
def licence(house: House) -> License:
    made = issued(house, "A1")
    with house.rooms.database.writing() as uow:
        row = uow.session.get_one(License, made.id)
        row.number, row.folded_number = "JY（2026）001", folded_number("JY（2026）001")
    return row


@pytest.fixture
def manager(house: House) -> FlaskClient:
    return house.browser(Role.LICENSE_MANAGER, "scjg")


def send(browser: FlaskClient, path: str, **form: str) -> TestResponse:
    token = form_token(browser.get(PLACE).text)
    return browser.post(path, data=form | {"form_token": token})


def decide(browser: FlaskClient, licence: License, decision: Decision, **form: str) -> TestResponse:
    return send(browser, f"{PLACE}/{licence.id}", **WORDS | form | {"decision": str(decision)})


def status(house: House, licence: License) -> Status:
    with house.rooms.database.reading() as uow:
        row = uow.session.get_one(License, licence.id)
        return house.rooms.holdings.status(uow, row, house.clock.now())


def last_event(house: House, licence: License) -> LicenseEvent:
    query = select(LicenseEvent).where(LicenseEvent.license_id == licence.id)
    with house.rooms.database.reading() as uow:
        return uow.session.scalars(query.order_by(LicenseEvent.position.desc())).first() or LicenseEvent()


def test_every_decision_and_every_event_has_words() -> None:
    assert set(DECISIONS) == set(EVENTS) == set(Decision)
    assert set(HAPPENED) == {str(one) for one in EventKind}


@pytest.mark.parametrize("typed", ["JY（2026）001", "JY(2026)001", "  JY（2026）001 "])
def test_a_number_leads_to_its_licence_brackets_of_either_width(
    manager: FlaskClient, licence: License, typed: str
) -> None:
    answer = send(manager, f"{PLACE}/find", q=typed)
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{PLACE}/{licence.id}")
    assert send(manager, f"{PLACE}/find", q=licence.identifier).headers["Location"].endswith(licence.id)


def test_several_with_one_number_are_listed(house: House, manager: FlaskClient, licence: License) -> None:
    other = issued(house, "B2")
    number = {"number": licence.number, "folded_number": licence.folded_number}
    with house.rooms.database.writing() as uow:
        uow.session.execute(update(License).where(License.id == other.id).values(**number))
    page = send(manager, f"{PLACE}/find", q=licence.number)
    assert page.status_code == 200
    assert all(f"{PLACE}/{one.id}" in page.text for one in (licence, other))


def test_stock_is_found_by_its_number_too(house: House, manager: FlaskClient, licence: License) -> None:
    folded = folded_number("浙食〔2026〕9")
    with house.rooms.database.writing() as uow:
        row = uow.session.get_one(License, licence.id)
        row.number, row.folded_number, row.origin = "浙食〔2026〕9", None, "stock"
        key = number_key(uow, row.type_code, row.issuer_code, folded)
        record = {"run_id": "run", "row": 1, "reasons": "", "original_cipher": b""}
        uow.session.add(StockRecord(license_id=row.id, number_key=key, **record))
    for typed in ("浙食〔2026〕9", "浙食[2026]9", "浙食（2026）9"):
        assert send(manager, f"{PLACE}/find", q=typed).status_code == 303
    stranger = house.browser(Role.LICENSE_MANAGER, "jtys")
    assert send(stranger, f"{PLACE}/find", q="浙食〔2026〕9").status_code == 200


def test_what_another_department_issued_is_neither_found_nor_shown_nor_changed(
    house: House, licence: License
) -> None:
    stranger = house.browser(Role.LICENSE_MANAGER, "jtys")
    assert "本部门没有此编号或标识的证照" in send(stranger, f"{PLACE}/find", q=licence.number).text
    assert stranger.get(f"{PLACE}/{licence.id}").status_code == 403
    refused = decide(stranger, licence, Decision.REVOKE)
    assert (refused.status_code, status(house, licence)) == (403, Status.VALID)
    unknown = stranger.get(f"{PLACE}/nothing")
    assert unknown.status_code == 403
    assert house.acts()[-1] == "access.refused"


@pytest.mark.parametrize("role", [Role.CLERK, Role.ARCHIVIST, Role.SUPERVISOR, Role.SEAL_MANAGER])
def test_nobody_but_a_licence_manager_comes_in(house: House, licence: License, role: Role) -> None:
    browser = house.browser(role, "scjg")
    assert browser.get(PLACE).status_code == 403
    assert browser.get(f"{PLACE}/{licence.id}").status_code == 403


@pytest.mark.parametrize("decision", list(Decision))
def test_each_decision_is_one_act_with_reason_and_legal_basis(
    house: House, manager: FlaskClient, licence: License, decision: Decision
) -> None:
    if decision in FIRST:
        decide(manager, licence, FIRST[decision])
    before = house.acts()
    assert decide(manager, licence, decision).status_code == 303
    event = last_event(house, licence)
    kind, process = EVENTS[decision]
    assert (event.kind, event.process) == (kind, process)
    assert (event.reason, event.legal_basis) == (WORDS["reason"], WORDS["legal_basis"])
    assert house.acts()[len(before) :] == [f"license.{kind}"]
    assert status(house, licence) == ENDS_AS.get(decision, Status.VALID)
    page = manager.get(f"{PLACE}/{licence.id}").text
    assert all(one in page for one in (*WORDS.values(), "测试员"))


@pytest.mark.parametrize("missing", ["reason", "legal_basis"])
def test_nothing_is_decided_without_reason_and_legal_basis(
    house: House, manager: FlaskClient, licence: License, missing: str
) -> None:
    before = house.acts()
    answer = decide(manager, licence, Decision.REVOKE, **{missing: "  "})
    assert (answer.status_code, "缺少理由或法律依据" in answer.text) == (422, True)
    kept = next(value for name, value in WORDS.items() if name != missing)
    assert kept in answer.text
    assert (house.acts(), status(house, licence)) == (before, Status.VALID)


def test_only_what_the_state_allows_is_offered_and_nothing_after_the_end(
    house: House, manager: FlaskClient, licence: License
) -> None:
    def offered() -> set[str]:
        page = manager.get(f"{PLACE}/{licence.id}").text
        return set(re.findall(r'<option value="([a-z-]+)"', page))

    assert offered() == {str(one) for one in Decision if one not in FIRST}
    decide(manager, licence, Decision.SUSPEND)
    assert {"resume", "revoke"} <= offered()
    assert "suspend" not in offered()
    assert decide(manager, licence, Decision.SUSPEND).status_code == 409
    decide(manager, licence, Decision.REVOKE)
    assert offered() == set()
    for decision in Decision:
        assert decide(manager, licence, decision).status_code == 409
    assert status(house, licence) == Status.REVOKED


def test_the_page_names_no_holder_and_shows_every_version(
    house: House, manager: FlaskClient, licence: License
) -> None:
    second = issued_after(house, licence)
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.change(
            uow, MANAGER, licence.identifier, EventKind.PROCESS_OPENED, GROUNDS, Process.ANNUAL_CHECK
        )
    page = manager.get(f"{PLACE}/{licence.id}").text
    assert f"{PLACE}/{second.id}" in page
    assert second.identifier in page
    assert "年检办理中" in page
    for clear in ("演示食品有限公司", "91339999MADEM0011X", "张演示"):
        assert clear not in page
    assert f"{PLACE}/{licence.id}" in manager.get(f"{PLACE}/{second.id}").text


def issued_after(house: House, licence: License) -> License:
    made = issued(house, "C3")
    with house.rooms.database.writing() as uow:
        values = {"previous_id": licence.id, "change": "renewal", "version": 2}
        uow.session.execute(update(License).where(License.id == made.id).values(**values))
    return made


def test_the_final_ones_are_the_ones_that_end_a_licence() -> None:
    assert {str(EVENTS[one][0]) for one in FINAL} == {"cancelled", "withdrawn", "revoked", "lapsed"}
