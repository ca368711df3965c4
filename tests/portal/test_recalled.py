# SPDX-License-Identifier: Apache-2.0
"""A clerk learns that what an answer of theirs rested on has ended."""

import pytest
from license_library import GROUNDS, MANAGER

from licenses.lifecycle import EventKind
from storage.identity import Role

from .conftest import House
from .test_licences_api import announced, issued
from .test_window import ask

PAGE = "/window/recalled"
EMPTY = "您核验的结论中，没有依据失效的。"


def test_what_the_answer_rested_on_is_told_to_who_asked(house: House) -> None:
    announced(house, "OPEN1")
    licence = issued(house, "A1")
    clerk = house.browser(Role.CLERK)
    answer = ask(clerk, "OPEN1").headers["Location"]
    assert EMPTY in clerk.get(PAGE).text
    house.clock.advance(60)
    with house.rooms.database.writing() as uow:
        house.rooms.licenses.change(uow, MANAGER, licence.identifier, EventKind.WITHDRAWN, GROUNDS)
    before = house.acts()
    page = clerk.get(PAGE).text
    assert f'<a href="{answer}"><code>OPEN1</code></a>' in page
    for said in ("营业执照", "撤", "在办", "重新核验"):
        assert said in page.partition("<tbody>")[2], said
    assert "WITHDRAWN" not in page.upper().partition("<TBODY>")[2]
    english = clerk.get(f"{PAGE}?lang=en").text
    assert "My answers whose ground is gone" in english
    assert house.acts() == before
    colleague = house.browser(Role.CLERK, "wjw")
    assert EMPTY in colleague.get(f"{PAGE}?lang=zh").text


@pytest.mark.parametrize("role", [Role.SUPERVISOR, Role.ARCHIVIST, Role.LICENSE_MANAGER])
def test_who_asks_nothing_at_a_window_has_no_such_page(house: House, role: Role) -> None:
    browser = house.browser(role)
    assert browser.get(PAGE).status_code == 403
    assert house.acts()[-1] == "access.refused"
    assert f'href="{PAGE}"' not in browser.get("/").text
