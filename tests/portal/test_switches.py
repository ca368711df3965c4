# SPDX-License-Identifier: Apache-2.0
"""The switches of language and large print keep page, query and what was typed, without any script."""

import re

import pytest
from flask.testing import FlaskClient

from storage.identity import Role

from .conftest import House, form_token, switch_to, switches

LONG = "新入职，接替调离的同事"


@pytest.fixture
def asking(house: House) -> FlaskClient:
    return house.browser(Role.SYSTEM_ADMIN)


def test_a_page_keeps_its_query(house: House) -> None:
    browser = house.browser(Role.ARCHIVIST)
    page = browser.get("/archive?list=returned&number=YC&since=2026-11-02&lang=zh").text
    english = browser.get(switch_to(page, "lang=en")).text
    assert 'lang="en"' in english
    for kept in ('value="YC"', 'value="2026-11-02"', 'name="list" value="returned"'):
        assert kept in english
    assert "list=returned&amp;number=YC&amp;since=2026-11-02" in english


def test_what_was_typed_comes_back_and_nothing_is_done(house: House, asking: FlaskClient) -> None:
    shown = asking.get("/rights/ask?kind=account-add").text
    assert 'form="ask"' in shown
    typed = {
        "form_token": form_token(shown),
        "kind": "account-add",
        "of": "",
        "name": "测试新同事",
        "organisation": "jtys",
        "role": ["clerk", "inspector"],
        "reason": LONG,
    }
    acts = house.acts()
    for wanted, language, mode in (
        ("lang=en", "en", "normal"),
        ("mode=elder", "en", "elder"),
        ("lang=zh", "zh-CN", "elder"),
    ):
        answer = asking.post(switch_to(shown, wanted), data=typed)
        shown = answer.text
        assert answer.status_code == 200
        assert f'<html lang="{language}" data-ui-mode="{mode}">' in shown
        assert 'value="测试新同事"' in shown
        assert f'value="{LONG}"' in shown
        assert '<option value="jtys" selected>' in shown
        assert len(re.findall(r'name="role" value="(?:clerk|inspector)" checked', shown)) == 2
        assert 'role="alert"' not in shown
    assert house.acts() == acts
    assert asking.post("/rights/ask", data=typed).status_code == 303, "the same form then asks"


@pytest.mark.parametrize("path", ["/rights/ask?kind=account-add", "/account/password"])
def test_enter_sends_the_form_and_does_not_switch(asking: FlaskClient, path: str) -> None:
    """A browser presses the first button of a form; the switches stand before the form's own."""
    page = asking.get(path).text
    form = re.search(r'<form id="([a-z-]+)"', page)
    assert form is not None
    buttons = re.findall(rf'<button [^>]*form="{form[1]}"[^>]*>', page)
    assert len(buttons) == 3
    assert "formaction" not in buttons[0]


def test_a_form_of_another_site_is_not_shown_again(asking: FlaskClient) -> None:
    assert asking.post("/rights/ask?lang=en&redisplay=1", data={"kind": "account-add"}).status_code == 403


def test_a_password_never_comes_back(house: House) -> None:
    stranger, person = house.app.test_client(), house.browser(Role.CLERK)
    for browser, path in ((stranger, "/sign-in"), (person, "/account/password")):
        shown = browser.get(path).text
        typed = {
            "form_token": form_token(shown),
            "login_name": "chen.gd",
            "password": "青山 xk72",
            "again": "青山 xk72",
            "current": "青山 xk72",
        }
        again = browser.post(switch_to(shown, "lang=en"), data=typed)
        assert again.status_code == 200
        assert 'value="chen.gd"' in again.text
        assert "xk72" not in again.text
        assert 'role="alert"' not in again.text
    assert "account.password-set" not in house.acts()


def test_the_window_keeps_number_and_purpose(house: House) -> None:
    clerk = house.browser(Role.CLERK)
    shown = clerk.get("/window").text
    purposes = re.findall(r'<option value="([a-z-]+)"', shown)
    typed = {"form_token": form_token(shown), "number": "YC-2026-000140", "purpose": purposes[-1]}
    again = clerk.post(switch_to(shown, "lang=en"), data=typed).text
    assert 'value="YC-2026-000140"' in again
    assert f'<option value="{purposes[-1]}" selected>' in again
    assert "proof.asked" not in house.acts()


def test_a_page_that_answers_a_form_leads_to_one_that_can_be_opened(house: House) -> None:
    """Following a link never sends a form; the nearest page in the other language is shown instead."""
    clerk = house.browser(Role.CLERK)
    token = form_token(clerk.get("/window").text)
    for path, form in (
        ("/window/ask", {"number": "nothing", "purpose": "accept", "form_token": "old"}),
        ("/window/decisions/nothing/licences", {"form_token": token}),
        ("/account/acting", {"form_token": token, "organisation": "nowhere"}),
    ):
        refused = clerk.post(path, data=form)
        assert refused.status_code >= 400
        for switch in switches(refused.text):
            assert clerk.get(switch).status_code != 405, (path, switch)


def test_a_mistake_in_an_address_is_told_in_both_languages(house: House) -> None:
    browser = house.app.test_client()
    page = browser.get("/no/such/page?x=1")
    assert page.status_code == 404
    other = browser.get(switch_to(page.text, "lang=en"))
    assert other.status_code == 404
    assert 'lang="en"' in other.text
