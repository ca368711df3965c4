# SPDX-License-Identifier: Apache-2.0
"""Verification through a façade: for a stated purpose, which is recorded, and not to try numbers with."""

import base64
from pathlib import Path
from typing import Any

import pytest
from facade_world import Speaker, path_of
from license_library import COMPANY, OTHER
from sqlalchemy import select

from licenses.facades.profiles import DEMANDED, Element, Facade, Result, Service, facades
from licenses.models import License, LicenseUsage

from .conftest import House, make_house
from .test_facades import announced, issued

VERIFY = Service.VERIFY_INFORMATION


@pytest.fixture(params=facades(), ids=lambda facade: facade.id)
def facade(request: pytest.FixtureRequest) -> Facade:
    found: Facade = request.param
    return found


@pytest.fixture
def speaker(house: House, facade: Facade) -> Speaker:
    return Speaker(facade, house.app.test_client(), house.client_key("read"))


@pytest.fixture
def licence(house: House) -> License:
    announced(house, "OPEN-1", COMPANY)
    return issued(house)


def right(licence: License, **changes: str) -> dict[str, Any]:
    stated = {"identifier": licence.identifier, "holder_scheme": COMPANY[0], "holder_code": COMPANY[1]}
    return stated | changes


def uses(house: House) -> list[LicenseUsage]:
    with house.rooms.database.reading() as uow:
        return list(uow.session.scalars(select(LicenseUsage)))


def test_the_purpose_of_a_check_stands_in_its_record(
    house: House, speaker: Speaker, licence: License
) -> None:
    speaker.call(VERIFY, **right(licence, purpose="examine"))
    (use,) = uses(house)
    assert (use.action, use.basis, use.purpose) == ("public-check", "public-check", "examine")
    assert use.organisation == "scjg"


@pytest.mark.parametrize(
    ("dialect", "service"),
    [
        (one, service)
        for one in facades()
        for service in (VERIFY, Service.VERIFY_FILE)
        if path_of(one, service) is not None
    ],
    ids=lambda one: one.id if isinstance(one, Facade) else str(one),
)
def test_a_check_without_a_published_purpose_is_refused(
    house: House, dialect: Facade, licence: License, service: Service
) -> None:
    speaker = Speaker(dialect, house.app.test_client(), house.client_key("read"))
    said = right(licence) | {"file": base64.b64encode(b"%PDF-1.7").decode()}
    for element in DEMANDED[service]:
        answer = speaker.call(service, **(said | {str(element): None}))
        assert speaker.result(answer)[0] == speaker.code(Result.EMPTY), element
    for purpose, result in (("", Result.EMPTY), ("curiosity", Result.VALUE_WRONG)):
        answer = speaker.call(service, **(said | {"purpose": purpose}))
        assert speaker.result(answer)[0] == speaker.code(result), purpose
    assert uses(house) == []


def test_what_meets_no_licence_is_counted_and_stops_whoever_tries_numbers(
    house: House, speaker: Speaker, licence: License
) -> None:
    """Once the allowance is used up a hit is refused as well: a refusal tells nothing."""
    allowance = house.app.extensions["cunzheng.settings"].public_rate
    for _ in range(allowance):
        told = speaker.result(speaker.call(VERIFY, **right(licence, identifier="1.2.3")))
        assert told[1][speaker.facade.data.result] == 5
    assert house.app.extensions["cunzheng.counters"].read()["unmatched-upload"] == allowance
    for said in (right(licence), right(licence, identifier="1.2.3")):
        answer = speaker.call(VERIFY, **said)
        assert (answer.status_code, speaker.result(answer)[0]) == (429, speaker.code(Result.OTHER))
    assert uses(house) == []
    house.clock.advance(60)
    assert speaker.result(speaker.call(VERIFY, **right(licence)))[0] == speaker.code(Result.OK)


def test_what_meets_a_licence_uses_nothing_up(house: House, speaker: Speaker, licence: License) -> None:
    for _ in range(house.app.extensions["cunzheng.settings"].public_rate + 5):
        assert speaker.call(VERIFY, **right(licence)).status_code == 200


def test_misses_of_one_client_are_not_anothers(house: House, facade: Facade, licence: License) -> None:
    first, second = (Speaker(facade, house.app.test_client(), house.client_key("read")) for _ in range(2))
    for _ in range(house.app.extensions["cunzheng.settings"].public_rate):
        first.call(VERIFY, **right(licence, holder_code=OTHER[1]))
    assert first.call(VERIFY, **right(licence)).status_code == 429
    assert second.call(VERIFY, **right(licence)).status_code == 200


def test_a_batch_of_misses_is_waited_for_as_long_as_it_is(house: House, licence: License) -> None:
    """The interface of our own has the same allowance, and a hundred at once count as a hundred."""
    browser, key = house.app.test_client(), house.client_key("read")
    allowance = house.app.extensions["cunzheng.settings"].public_rate

    def asked(count: int) -> int:
        body = {"licences": [right(licence, identifier=f"1.2.{place}") for place in range(count)]}
        headers = {"Authorization": f"Bearer {key}"}
        return browser.post("/api/v1/verifications/information", json=body, headers=headers).status_code

    assert asked(100) == 200
    assert asked(1) == 429
    house.clock.advance(60 * (100 - allowance) / allowance)
    assert asked(1) == 429, "what is owed was worked off, and nothing is left yet"
    house.clock.advance(2 * 60 / allowance)
    assert asked(1) == 200


def test_the_information_check_answers_with_its_own_code(
    house: House, speaker: Speaker, licence: License
) -> None:
    right = {"identifier": licence.identifier, "holder_scheme": COMPANY[0], "holder_code": COMPANY[1]}
    names = speaker.facade.data
    expected = [
        (right, 0),
        (right | {"holder_code": OTHER[1]}, 5),
        (right | {"number": "another"}, 6),
        (right | {"identifier": "1.2.3"}, 5),
        ({"identifier": licence.identifier}, 4),
    ]
    for said, code in expected:
        answer = speaker.call(VERIFY, **said)
        told = speaker.result(answer)
        assert (told[0], told[1][names.result]) == (speaker.code(Result.OK), code), said
    assert "verification.done" in house.acts()


def test_what_the_national_dialect_states_as_an_object_is_compared(house: House, licence: License) -> None:
    facade = next(one for one in facades() if one.field(Element.STATED) is not None)
    speaker = Speaker(facade, house.app.test_client(), house.client_key("read"))
    spelled = facade.data.spelled()
    stated = {spelled["holder_scheme"]: COMPANY[0], spelled["holder_code"]: COMPANY[1]}
    answer = speaker.call(VERIFY, identifier=licence.identifier, stated=stated)
    assert speaker.result(answer)[1][facade.data.result] == 0
    stated |= {spelled["valid_until"]: "2040-01-01"}
    answer = speaker.call(VERIFY, identifier=licence.identifier, stated=stated)
    assert speaker.result(answer)[1][facade.data.result] == 6
    answer = speaker.call(VERIFY, identifier=licence.identifier, stated={"made_up": "1"})
    assert speaker.result(answer)[0] == speaker.code(Result.VALUE_WRONG)


def test_a_file_of_nobody_fails_the_file_check_and_leaves_nothing(tmp_path: Path) -> None:
    facade = next(one for one in facades() if path_of(one, Service.VERIFY_FILE))
    house = make_house(tmp_path)
    speaker = Speaker(facade, house.app.test_client(), house.client_key("read"))
    answer = speaker.call(Service.VERIFY_FILE, file=base64.b64encode(b"%PDF-1.7 nothing").decode())
    code, told = speaker.result(answer)
    assert (code, told[facade.data.result] in {1, 2}) == (speaker.code(Result.OK), True)
    answer = speaker.call(Service.VERIFY_FILE, file="no base64!")
    assert speaker.result(answer)[0] == speaker.code(Result.VALUE_WRONG)
    assert list(house.staging.iterdir()) == []
    house.rooms.database.close()
