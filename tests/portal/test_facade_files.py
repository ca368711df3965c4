# SPDX-License-Identifier: Apache-2.0
"""Files through a façade belong to the operator who ordered them, and to nobody else."""

import pytest
from facade_world import Speaker
from license_library import COMPANY
from sqlalchemy import select

from licenses.copies.models import LicenseCopy
from licenses.facades.profiles import Facade, Result, facades
from licenses.models import License

from .conftest import House
from .test_facades import FILE, announced, issued


@pytest.fixture(params=facades(), ids=lambda facade: facade.id)
def speaker(house: House, request: pytest.FixtureRequest) -> Speaker:
    found: Facade = request.param
    return Speaker(found, house.app.test_client(), house.client_key("read"))


@pytest.fixture
def licence(house: House) -> License:
    announced(house, "OPEN-1", COMPANY)
    return issued(house)


def test_what_another_operator_ordered_keeps_nobody_from_an_own_file(
    house: House, speaker: Speaker, licence: License
) -> None:
    speaker.call(FILE, identifier=licence.identifier)
    with house.rooms.database.writing() as uow:
        copy = uow.session.scalars(select(LicenseCopy)).one()
        copy.state, copy.made_at, copy.operator = "made", house.clock.now(), "op-2"
    answer = speaker.call(FILE, identifier=licence.identifier)
    assert speaker.result(answer) == (speaker.code(Result.BEING_MADE), {})
    assert house.acts().count("copy.ordered") == 2
