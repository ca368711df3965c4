# SPDX-License-Identifier: Apache-2.0
"""A holder objects on the own page; the department answers at its desk; supervision sees what is overdue."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakes import HandClock
from flask.testing import FlaskClient
from granting import grant
from identity import choose, demo_provider
from sqlalchemy import select

from cases.services import Announcement
from licenses.models import LicenseUsage, Objection
from licenses.questions import ProofQuestion
from portal.demo.holders import DemoPerson, demo_persons
from portal.demo.script import Script
from storage.identity import Identity, Role, system_identity

from .conftest import House, form_token, switch_to
from .signing_in import PUBLIC_URL, begin, house_at
from .test_operation import figures

PERSONS = {one.title: one for one in demo_persons(Script.load())}
FIRM, STRANGER = PERSONS["浙江演示甲餐饮管理有限公司"], PERSONS["吴样例"]
CLIENT = Identity(
    "system",
    "client-1",
    "scjg",
    frozenset({Role.CLIENT}),
    operator="operator-7",
    sources=frozenset({"ycsl"}),
    scopes=frozenset({"ask"}),
    items=frozenset({"339999010002"}),
)
WORDS = "我没有办过这件事 <b>"
DAY = 86_400.0


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[House]:
    """A house whose holders sign in, and where somebody asked about one of them."""
    clock = HandClock()
    with demo_provider(PUBLIC_URL, list(PERSONS.values()), clock) as issuer:
        house = house_at(tmp_path, issuer, clock=clock)
        _ask(house)
        yield house


def _ask(house: House) -> None:
    now = house.clock.now()
    announcement = Announcement(
        "ycsl", "C-1", "339999010002", "2026-03", "001", "91339999MADEM0011X", FIRM.title, "scjg", now
    )
    with house.rooms.database.writing() as uow:
        house.rooms.cases.announce(uow, system_identity("test"), announcement)
    with house.rooms.database.writing() as uow:
        grant(uow, CLIENT.items)
        house.rooms.proofs.ask(uow, CLIENT, ProofQuestion("ycsl", "C-1", "339999010002", "accept"))


def _sign_in(house: House, person: DemoPerson = FIRM) -> FlaskClient:
    browser = house.app.test_client()
    back = choose(begin(browser), person)
    assert browser.get(f"/mine/back?{back.partition('?')[2]}").status_code == 303
    return browser


def _form_address(browser: FlaskClient) -> str:
    links = re.findall(r'href="(/mine/objection\?[^"]+)"', browser.get("/mine").text)
    assert links, "each use has its link"
    return str(links[0]).replace("&amp;", "&")


def _object(browser: FlaskClient, words: str = WORDS) -> str:
    address = _form_address(browser)
    page = browser.get(address)
    assert page.status_code == 200
    answer = browser.post(address, data={"form_token": form_token(page.text), "words": words})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/mine#objections")
    return address


def _only(house: House) -> Objection:
    with house.rooms.database.reading() as uow:
        return uow.session.scalars(select(Objection)).one()


def _answer(browser: FlaskClient, key: str, **form: str) -> tuple[int, str]:
    page = browser.get(f"/objections/{key}").text
    answer = browser.post(f"/objections/{key}/answer", data={"form_token": form_token(page)} | form)
    return answer.status_code, answer.text


def test_a_holder_objects_to_a_use_without_script_and_sees_it_wait(desk: House) -> None:
    browser = _sign_in(desk)
    page = browser.get(_form_address(browser)).text
    assert "演示市市场监督管理局" in page
    assert "2026年12月8日" in page
    _object(browser)
    page = browser.get("/mine").text
    assert "我没有办过这件事 &lt;b&gt;" in page
    assert "待答复" in page
    assert desk.acts().count("objection.opened") == 1
    assert "Waits for an answer" in browser.get("/mine?lang=en").text


def test_what_says_nothing_is_asked_for_again(desk: House) -> None:
    browser = _sign_in(desk)
    address = _form_address(browser)
    token = form_token(browser.get(address).text)
    answer = browser.post(address, data={"form_token": token, "words": "字" * 501})
    assert answer.status_code == 422
    assert "objection-words" in answer.text
    assert "字" * 501 in answer.text, "what was typed is kept"
    assert "objection.opened" not in desk.acts()


def test_the_words_stay_when_language_or_print_is_switched(desk: House) -> None:
    browser = _sign_in(desk)
    page = browser.get(_form_address(browser)).text
    for wanted in ("lang=en", "mode=elder", "lang=zh"):
        answer = browser.post(
            switch_to(page, wanted), data={"form_token": form_token(page), "words": "还没写完"}
        )
        page = answer.text
        assert answer.status_code == 200
        assert ">还没写完</textarea>" in page
    assert "objection.opened" not in desk.acts()


def test_the_page_calls_objecting_by_its_name(desk: House) -> None:
    browser = _sign_in(desk)
    assert re.search(r"<button type=\"submit\">提出异议</button>", browser.get(_form_address(browser)).text)
    assert "对象" not in browser.get("/mine").text


def test_an_objection_needs_our_own_form(desk: House) -> None:
    browser = _sign_in(desk)
    assert browser.post(_form_address(browser), data={"words": WORDS}).status_code == 403
    assert "objection.opened" not in desk.acts()


@pytest.mark.parametrize("query", ["about=licence", "about=other", "", "about=use"])
def test_what_is_not_there_cannot_be_objected_to(desk: House, query: str) -> None:
    browser = _sign_in(desk)
    token = form_token(browser.get("/mine").text)
    for of in ("nothing", "\u202e", "a" * 300):
        address = f"/mine/objection?{query}&of={of}"
        assert browser.get(address).status_code == 404
        answer = browser.post(address, data={"form_token": token, "words": WORDS})
        assert answer.status_code == 404
        assert "objection-subject-unknown" in answer.text
    assert "objection.opened" not in desk.acts()
    assert desk.acts()[-1] == "access.refused"


def test_anothers_use_is_as_unknown_as_none(desk: House) -> None:
    with desk.rooms.database.reading() as uow:
        use = uow.session.scalars(select(LicenseUsage.id)).first()
    browser = _sign_in(desk, STRANGER)
    address = f"/mine/objection?about=use&of={use}"
    assert browser.get(address).status_code == 404
    token = form_token(browser.get("/mine").text)
    assert browser.post(address, data={"form_token": token, "words": WORDS}).status_code == 404
    assert desk.app.test_client().get(address).headers["Location"] == "/mine/sign-in"


def test_a_second_one_waits_for_the_answer_to_the_first(desk: House) -> None:
    browser = _sign_in(desk)
    address = _object(browser)
    answer = browser.get(address)
    assert (answer.status_code, "objection-stands" in answer.text) == (409, True)


def test_the_department_reads_answers_once_and_the_holder_sees_the_sentence(desk: House) -> None:
    holder = _sign_in(desk)
    _object(holder)
    key = _only(desk).id
    archivist = desk.browser(Role.ARCHIVIST)
    listed = archivist.get("/objections").text
    assert key in listed
    assert "我没有" not in listed, "what the holder says is read one by one"
    shown = archivist.get(f"/objections/{key}").text
    assert "我没有办过这件事 &lt;b&gt;" in shown
    assert re.search(r"(营业执照|场地使用证明|健康证明) <small><code>R[1-3]", shown), (
        "what was asked, by its name"
    )
    assert desk.acts()[-1] == "objection.read"
    status, _ = _answer(archivist, key, outcome="upheld", words="经核对系误查，已更正。")
    assert status == 303
    page = holder.get("/mine").text
    assert "经核对系误查，已更正。" in page
    assert "异议成立" in page
    again = archivist.post(
        f"/objections/{key}/answer",
        data={"form_token": form_token(archivist.get("/objections").text)}
        | {"outcome": "declined", "words": "改口"},
    )
    assert (again.status_code, "objection-answered" in again.text) == (409, True)
    assert desk.acts().count("objection.answered") == 1


def test_an_answer_needs_a_sentence_and_one_of_two_outcomes(desk: House) -> None:
    _object(_sign_in(desk))
    key = _only(desk).id
    archivist = desk.browser(Role.ARCHIVIST)
    shown = archivist.get(f"/objections/{key}").text
    typed = {"form_token": form_token(shown), "outcome": "upheld", "words": "还没写完"}
    again = archivist.post(switch_to(shown, "lang=en"), data=typed)
    assert again.status_code == 200
    assert ">还没写完</textarea>" in again.text
    assert re.search(r'value="upheld" required checked', again.text), (
        "switching keeps both, and answers nothing"
    )
    status, page = _answer(archivist, key, outcome="declined", words=" ")
    assert (status, "objection-words" in page) == (422, True)
    assert re.search(r'value="declined" required checked', page), "the choice is kept"
    assert _answer(archivist, key, outcome="perhaps", words="x")[0] == 422
    assert "objection.answered" not in desk.acts()


def test_supervision_sees_what_is_overdue_and_does_not_answer_for_others(desk: House) -> None:
    _object(_sign_in(desk))
    key = _only(desk).id
    assert figures(desk).get_sample_value("cunzheng_objections_overdue") == 0
    desk.clock.advance(15 * DAY)
    supervisor = desk.browser(Role.SUPERVISOR)
    home = supervisor.get("/supervision").text
    assert re.search(r'state=overdue"><b class="bad">1</b>', home)
    assert figures(desk).get_sample_value("cunzheng_objections_overdue") == 1
    assert key in supervisor.get("/objections?state=overdue").text
    page = supervisor.get(f"/objections/{key}").text
    assert "逾期未答复" in page
    assert "<textarea" not in page
    answer = supervisor.post(
        f"/objections/{key}/answer",
        data={
            "form_token": form_token(supervisor.get("/supervision").text),
            "outcome": "upheld",
            "words": "x",
        },
    )
    assert answer.status_code == 404
    assert "提出异议" in supervisor.get("/supervision/trace?q=C-1").text
    assert "Answer overdue" in supervisor.get("/objections?state=overdue&lang=en").text


def test_other_departments_and_other_roles_see_nothing(desk: House) -> None:
    _object(_sign_in(desk))
    key = _only(desk).id
    elsewhere = desk.browser(Role.ARCHIVIST, "jtys")
    assert key not in elsewhere.get("/objections").text
    assert elsewhere.get(f"/objections/{key}").status_code == 404
    for role in (Role.CLERK, Role.INSPECTOR, Role.SYSTEM_ADMIN):
        assert desk.browser(role).get("/objections").status_code == 403
    audit = desk.browser(Role.AUDIT_ADMIN, "office")
    assert audit.get("/objections").status_code == 200
    assert audit.get(f"/objections/{key}").status_code == 403
    assert elsewhere.get("/objections?state=other").status_code == 422
    assert desk.app.test_client().get("/objections").status_code == 303
