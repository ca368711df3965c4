# SPDX-License-Identifier: Apache-2.0
"""The window desk: what readers type, the applicant's document, recent cases, licences, keys."""

import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from cases.models import Case
from licenses.models import DecisionReliance
from portal.web.schemas import CASE_EXAMPLE
from storage.identity import Role

from .conftest import House, form_token

NUMBER = "YC-2026-000140"
FIRM = CASE_EXAMPLE["holder"]["code"]


def announce(house: House, number: str = NUMBER) -> None:
    headers = {"Authorization": f"Bearer {house.client_key('announce')}"}
    answer = house.app.test_client().put(f"/api/v1/cases/ycsl/{number}", json=CASE_EXAMPLE, headers=headers)
    assert answer.status_code == 201


def ask(browser: FlaskClient, number: str, **more: str) -> Any:
    field = form_token(browser.get("/window").text)
    data = {"form_token": field, "number": number, "purpose": "accept", **more}
    return browser.post("/window/ask", data=data)


@pytest.mark.parametrize(
    "typed",
    [
        f"{NUMBER}\r\n",
        f"\x02{NUMBER}\x03\t",
        "ＹＣ－２０２６－０００１４０",
        " yc-2026- 000140 ",
        f"ycsl／{NUMBER}",
        f"\u202e{NUMBER}\u202c",
    ],
)
def test_a_reader_finds_the_case_whatever_it_sends_with_the_number(house: House, typed: str) -> None:
    announce(house)
    browser = house.browser(Role.CLERK)
    assert ask(browser, typed).status_code == 303
    assert house.acts()[-2:] == ["proof.asked", "proof.answered"]


def test_a_number_in_full_width_is_found_as_it_stands_before_any_other_reading(house: House) -> None:
    announce(house, "（2026）1")
    announce(house, "(2026)1")
    browser = house.browser(Role.CLERK)
    for number in ("（2026）1", "(2026)1"):
        page = browser.get(ask(browser, number).headers["Location"]).text
        assert f"<title>{number}" in page


@pytest.mark.parametrize("typed", [f"{FIRM}\r", FIRM.lower(), f" {FIRM[:9]} {FIRM[9:]} "])
def test_the_applicants_document_is_compared_with_the_case(house: House, typed: str) -> None:
    announce(house)
    assert ask(house.browser(Role.CLERK), NUMBER, holder=typed).status_code == 303


def test_the_document_of_somebody_else_is_refused_recorded_and_never_shown(house: House) -> None:
    announce(house)
    stranger = "339999199001010013"
    answer = ask(house.browser(Role.CLERK), NUMBER, holder=stranger)
    assert answer.status_code == 403
    assert house.acts()[-1] == "proof.refused"
    assert stranger not in answer.text
    assert not house.some_core_holds(stranger.encode())


def test_what_is_no_document_is_told_and_nothing_is_asked(house: House) -> None:
    announce(house)
    answer = ask(house.browser(Role.CLERK), NUMBER, holder="339999199001010019")
    assert answer.status_code == 422
    assert "未发起核验" in answer.text
    assert f'value="{NUMBER}"' in answer.text, "what was typed of the case stays"
    assert "339999199001010019" not in answer.text
    assert "proof.asked" not in house.acts()


def test_recent_cases_stand_with_item_time_and_conclusion_and_without_a_holder(house: House) -> None:
    for number in ("YC-1", "YC-2"):
        announce(house, number)
    browser = house.browser(Role.CLERK)
    for number in ("YC-1", "YC-2", "YC-1"):
        house.clock.advance(60)
        assert ask(browser, number).status_code == 303
    page = browser.get("/window").text
    rows = re.findall(r"<a data-result [^>]*><code>(.*?)</code></a></th><td>(.*?)</td>", page)
    assert [number for number, _ in rows] == ["YC-1", "YC-2"]
    assert "食品经营许可" in rows[0][1]
    assert "无法核实" in page
    assert "演示" not in page.partition("<table>")[2].partition("</table>")[0]
    assert "YC-1" not in house.browser(Role.CLERK).get("/window").text, "somebody else's cases do not"


def test_only_the_products_own_file_may_run_and_only_at_the_desk(house: House) -> None:
    announce(house)
    browser = house.browser(Role.CLERK)
    place = ask(browser, NUMBER).headers["Location"]
    for path in ("/window", "/window/one", place):
        answer = browser.get(path)
        assert "script-src 'self';" in answer.headers["Content-Security-Policy"]
        assert re.findall(r"<script([^>]*)>(.*?)</script>", answer.text) == [
            (' src="/static/desk.js" defer', "")
        ]
        assert not re.search(r"\son\w+=|javascript:", answer.text)
    assert "script-src" not in browser.get("/search").headers["Content-Security-Policy"]
    with browser.get("/static/desk.js") as script:
        assert (script.status_code, script.mimetype) == (200, "text/javascript")


def test_every_key_that_the_page_lists_has_its_place_and_the_other_way_round(house: House) -> None:
    announce(house)
    browser = house.browser(Role.CLERK)
    page = browser.get(ask(browser, NUMBER).headers["Location"]).text
    listed = set(re.findall(r"<kbd>(.)</kbd>", page))
    places = {key.upper() for key in re.findall(r'data-key="(.)"', page)}
    assert places == {"N", "A", "L", "P"}
    assert listed == places | {"/", "J", "K", "1", "9"}
    assert 'id="find"' in page
    assert page.count("data-result") >= 3


def test_the_keys_load_nothing_and_send_nothing() -> None:
    script = Path("portal/static/desk.js").read_text("utf-8")
    assert not re.search(r"fetch|XMLHttpRequest|eval|innerHTML|WebSocket|import\(|https?://", script)


@pytest.mark.parametrize(("organisation", "told"), [("scjg", True), ("wjw", False)])
def test_the_number_of_an_earlier_case_is_told_to_who_may_see_that_case(
    house: House, organisation: str, told: bool
) -> None:
    """Another department's case establishes a proof just as well; its number is not ours to tell."""
    announce(house)
    announce(house, "YC-2024-000007")
    browser = house.browser(Role.CLERK)
    shown = ask(browser, NUMBER).headers["Location"]
    with house.rooms.database.writing() as uow:
        earlier = uow.session.scalars(select(Case).where(Case.number == "YC-2024-000007")).one()
        earlier.organisation = organisation
        uow.session.add(
            DecisionReliance(
                decision_id=shown.rpartition("/")[2], requirement="R2", kind="case", object_id=earlier.id
            )
        )
        uow.session.flush()
    page = browser.get(shown).text
    assert ("YC-2024-000007" in page) is told
    assert ("既往办结件" in page) is told
