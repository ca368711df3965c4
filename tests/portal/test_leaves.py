# SPDX-License-Identifier: Apache-2.0
"""Pages of a dossier on the screen: who sees them, with which mark, and the act that they leave each hour."""

import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from archive.models import DossierMember
from documents.errors import DrawingBusyError
from documents.pages import PageWidth
from storage.identity import Role
from storage.ledger.models import LedgerAct

from .conftest import House
from .test_holds import file_dossier

HOME = "/dossiers/d1"
PAGES = f"{HOME}/members/m1/pages"
SMALL, LARGE = f"{PAGES}/2/small.jpg", f"{PAGES}/2/large.jpg"


class _Drawer:
    """Stands where pages are drawn, and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, PageWidth, tuple[str, ...]]] = []

    def draw(self, document: bytes, page: int, width: PageWidth, mark: tuple[str, ...]) -> bytes:
        assert document == b"%PDF-1.7 a rendition"
        self.asked.append((page, width, mark))
        return b"a picture"


def _locked(*_: object) -> None:
    raise TimeoutError


@pytest.fixture
def filed(house: House) -> House:
    """A house with a dossier of a rendition (m1) and of a file that is no PDF/A (m2)."""
    file_dossier(house, "1")
    stored = house.rooms.objects.put(b"%PDF-1.7 a rendition", "application/pdf")
    words: dict[str, Any] = {
        "dossier_id": "d1",
        "code": "decision",
        "title": "准予许可决定书",
        "sm3": "0" * 64,
    }
    words |= {"sha256": stored.sha256, "size": stored.size, "media_type": "application/pdf", "pages": 3}
    with house.rooms.database.writing() as uow:
        uow.session.add(
            DossierMember(id="m1", position=1, role="rendition", file_name="1.pdf", level="2b", **words)
        )
        uow.session.add(DossierMember(id="m2", position=2, role="original", file_name="2.pdf", **words))
    return house


@pytest.fixture
def drawer(filed: House) -> _Drawer:
    drawer = _Drawer()
    rooms = replace(filed.rooms, page_images=drawer)  # type: ignore[arg-type] # drawing has tests of its own
    filed.app.extensions["cunzheng.rooms"] = rooms
    return drawer


def _looks(house: House) -> list[dict[str, Any]]:
    with house.rooms.database.reading() as uow:
        cores = uow.session.scalars(select(LedgerAct.core).where(LedgerAct.kind == "dossier.pages-read"))
        return [json.loads(core) for core in cores]


def test_the_dossier_leads_to_the_pages_of_its_pdf_a_files_only(filed: House) -> None:
    page = filed.browser(Role.ARCHIVIST).get(HOME).text
    assert f'href="{PAGES}"' in page
    assert '3 页<span class="hidden"> 准予许可决定书</span></a>' in page
    assert "/members/m2/pages" not in page


def test_pages_are_shown_small_with_a_larger_view_each_without_script(filed: House, drawer: _Drawer) -> None:
    browser = filed.browser(Role.ARCHIVIST)
    overview = browser.get(PAGES).text
    for number in (1, 2, 3):
        assert f'href="{PAGES}/{number}"' in overview
        assert f'<img src="{PAGES}/{number}/small.jpg" loading="lazy"' in overview
    leaf = browser.get(f"{PAGES}/2").text
    assert f'src="{LARGE}"' in leaf
    assert f'href="{PAGES}/1" rel="prev"' in leaf
    assert f'href="{PAGES}/3" rel="next"' in leaf
    assert "<script" not in overview + leaf
    assert drawer.asked == [], "a page that lists pictures draws none"


def test_a_picture_names_who_looks_and_is_kept_nowhere(filed: House, drawer: _Drawer) -> None:
    browser = filed.browser(Role.ARCHIVIST)
    answer = browser.get(LARGE)
    assert (answer.status_code, answer.mimetype, answer.data) == (200, "image/jpeg", b"a picture")
    assert "no-store" in answer.headers["Cache-Control"]
    assert "private" in answer.headers["Cache-Control"]
    browser.get(SMALL)
    (page, width, mark), second = drawer.asked
    assert (page, width) == (2, PageWidth.LARGE)
    assert second[:2] == (2, PageWidth.SMALL)
    (look,) = _looks(filed)
    person, instant = mark
    assert person.startswith("测试员 · ")
    assert person.endswith("局")
    assert instant.startswith(look["actor"]["id"])
    assert instant.endswith("+08:00")


def test_reading_pages_is_one_act_of_the_case_for_each_person_dossier_and_hour(
    filed: House, drawer: _Drawer
) -> None:
    first = filed.browser(Role.ARCHIVIST)
    for address in (PAGES, f"{PAGES}/1", SMALL, LARGE, f"{PAGES}/3/large.jpg"):
        assert first.get(address).status_code == 200
    (look,) = _looks(filed)
    assert look["case"] == "c1"
    assert look["basis"] == {"kind": "filing", "purpose": "archive"}
    assert look["object"]["id"] == "d1"
    second = filed.browser(Role.SUPERVISOR)
    second.get(SMALL)
    second.get(SMALL)
    assert [one["basis"]["kind"] for one in _looks(filed)] == ["filing", "supervision"]
    assert _looks(filed)[1]["basis"]["purpose"] == "inspect"
    now = filed.clock.now()
    until_the_turn = 3600 - 60 * now.minute - now.second
    filed.clock.advance(until_the_turn - 1)
    second.get(SMALL)
    assert len(_looks(filed)) == 2
    filed.clock.advance(1)
    second.get(SMALL)
    second.get(LARGE)
    assert len(_looks(filed)) == 3


def test_further_pictures_of_the_hour_do_not_wait_for_the_writer(
    filed: House, drawer: _Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = filed.browser(Role.ARCHIVIST)
    assert browser.get(SMALL).status_code == 200
    monkeypatch.setattr(type(filed.rooms.database), "writing", _locked)
    assert browser.get(LARGE).status_code == 200


@pytest.mark.parametrize("address", [PAGES, f"{PAGES}/1", SMALL, LARGE])
def test_who_may_not_see_the_case_sees_no_page_and_the_attempt_is_recorded(
    filed: House, drawer: _Drawer, address: str
) -> None:
    assert filed.app.test_client().get(address).status_code == 303
    assert filed.browser(Role.CLERK).get(address).status_code == 403
    assert filed.browser(Role.ARCHIVIST, "jtys").get(address).status_code == 404
    assert filed.acts().count("access.refused") == 2
    assert drawer.asked == []
    assert _looks(filed) == []


@pytest.mark.parametrize(
    "address",
    [
        f"{HOME}/members/m2/pages",
        f"{HOME}/members/m2/pages/1/large.jpg",
        f"{HOME}/members/none/pages",
        "/dossiers/none/members/m1/pages",
        f"{PAGES}/0",
        f"{PAGES}/4",
        f"{PAGES}/4/small.jpg",
        f"{PAGES}/-1/small.jpg",
        f"{PAGES}/1/huge.jpg",
    ],
)
def test_what_has_no_such_page_is_not_found(filed: House, drawer: _Drawer, address: str) -> None:
    assert filed.browser(Role.ARCHIVIST).get(address).status_code == 404
    assert drawer.asked == []


def test_a_desk_that_draws_too_much_says_so(filed: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> bytes:
        raise DrawingBusyError

    monkeypatch.setattr(filed.rooms.page_images, "draw", busy)
    answer = filed.browser(Role.ARCHIVIST).get(SMALL)
    assert answer.status_code == 503
    assert "drawing-busy" in answer.text
