# SPDX-License-Identifier: Apache-2.0
"""The window desk walked with the keyboard alone: no pointer, no address, only keys that the page lists."""

import re

import pytest
from browsing import axe_violations, layout_faults, open_page
from playwright.sync_api import Browser, Page
from running import Site

from portal.demo.script import Script

pytestmark = pytest.mark.browser
# The first open case is one of the clerk's own department.
OPEN = next(case.data()["number"] for case in Script.load().cases if case.expect["state"] == "open")
PRINTS = "window.print = () => document.documentElement.toggleAttribute('data-printed');"
PRINTED = "html[data-printed]"
SCAN = """keys => {
    for (const key of keys)
        document.body.dispatchEvent(new KeyboardEvent('keydown', {key, bubbles: true, cancelable: true}));
}"""
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def _tab_to(page: Page, words: str, most: int = 40) -> None:
    """Press Tab until something that says these words has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == words:
            return
    raise AssertionError(f"Tab does not lead to {words}")


def _begin(page: Page, site: Site) -> None:
    """Sign in by link and go to the desk by the rail."""
    page.add_init_script(PRINTS)
    page.goto(site.login_link("clerk"))
    page.wait_for_selector("main form button:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("nav.rail")
    if not page.url.endswith("/window"):
        _tab_to(page, "窗口核验")
        page.keyboard.press("Enter")
        page.wait_for_url("**/window")
    page.wait_for_selector("#number:focus")


def _answer(page: Page, before: str = "") -> str:
    """Give the case of the answer that is shown once it is another one than before."""
    page.wait_for_url(lambda url: "/decisions/" in url and not (before and url.startswith(before)))
    return page.locator(".case code").first.inner_text()


def _key(page: Page, key: str, focused: str) -> None:
    """Press a key and wait until what it leads to has the focus: keys that follow at once are a scanner's."""
    page.keyboard.press(key)
    page.wait_for_selector(f"{focused}:focus")


def test_the_desk_is_walked_with_the_keyboard_alone(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        _begin(page, site)
        for key in ("N", "/", "J", "K", "Enter", "Esc"):
            assert page.locator(".keys kbd", has_text=re.compile(f"^{re.escape(key)}$")).first.is_visible()
        page.keyboard.type(OPEN)
        page.keyboard.press("Enter")
        assert _answer(page) == OPEN
        assert axe_violations(page) == []
        assert layout_faults(page) == []
        requirements = page.locator(".requirements > li").count()
        assert requirements >= 2
        _key(page, "j", ".requirements > li:nth-child(1)")
        _key(page, "j", ".requirements > li:nth-child(2)")
        _key(page, "k", ".requirements > li:nth-child(1)")
        _key(page, str(requirements), f".requirements > li:nth-child({requirements})")
        _key(page, "a", ".answer")
        page.keyboard.press("p")
        page.wait_for_selector(PRINTED)
        _key(page, "l", "form[action$='/licences'] button")
        page.keyboard.press("Enter")
        page.wait_for_url("**/licences")
        held = page.locator("main table tbody tr, main p.empty")
        assert held.count() >= 1
        _key(page, "/", "#find")
        page.keyboard.press("Escape")
        _key(page, "n", "#number")
        before = page.url.removesuffix("/licences")
        # What was selected is typed over.
        page.keyboard.type(OPEN)
        page.keyboard.press("Enter")
        assert _answer(page, before) == OPEN
        _tab_to(page, "窗口核验")
        page.keyboard.press("Enter")
        page.wait_for_selector("#number:focus")
        page.keyboard.press("Escape")
        _key(page, "1", f"a[data-result]:has-text('{OPEN}')")
        page.keyboard.press("Enter")
        assert _answer(page) == OPEN


def test_a_scanner_is_understood_wherever_the_focus_is(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        _begin(page, site)
        page.keyboard.insert_text(OPEN.translate(FULL_WIDTH) + "\u3000")
        page.keyboard.press("Enter")
        assert _answer(page) == OPEN
        assert page.evaluate("document.activeElement === document.body")
        # A scanner's signs follow each other at once, faster than a test's; some of them are keys.
        before = page.url
        page.evaluate(SCAN, [*OPEN, "Enter"])
        assert _answer(page, before) == OPEN
        assert page.locator(PRINTED).count() == 0


def test_letter_keys_can_be_switched_off_and_stay_so(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        _begin(page, site)
        page.keyboard.press("Escape")
        _tab_to(page, "关闭字母键")
        page.keyboard.press("Enter")
        page.keyboard.press("n")
        page.reload()
        page.wait_for_selector("#number:focus")
        page.keyboard.type(OPEN)
        page.keyboard.press("Enter")
        _answer(page)
        page.keyboard.press("p")
        _tab_to(page, "打开字母键")
        page.keyboard.press("Enter")
        page.keyboard.press("p")
        page.wait_for_selector(PRINTED)


def test_without_script_the_desk_answers_and_no_key_is_promised(browser: Browser, site: Site) -> None:
    with open_page(browser, java_script_enabled=False) as page:
        page.goto(site.login_link("clerk"))
        page.locator("main form button").first.click()
        page.goto(f"{site.address}/window")
        assert not page.locator(".keys").is_visible()
        page.fill("#number", OPEN)
        page.keyboard.press("Enter")
        assert _answer(page) == OPEN
        assert not page.locator("[data-print]").is_visible()
        assert "Ctrl+P" in page.locator("main").inner_text()
        page.locator("form[action$='/licences'] button").click()
        page.wait_for_url("**/licences")


def test_the_printed_answer_is_one_sheet_without_the_desk(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        _begin(page, site)
        page.keyboard.type(OPEN)
        page.keyboard.press("Enter")
        _answer(page)
        page.emulate_media(media="print")
        for desk in ("#number", ".keys", ".bar", ".rail", ".actions"):
            assert not page.locator(desk).first.is_visible(), desk
        for kept in (".answer", ".requirements", ".case"):
            assert page.locator(kept).first.is_visible(), kept
        assert page.pdf(format="A4").count(b"/Type /Page\n") == 1
