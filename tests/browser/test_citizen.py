# SPDX-License-Identifier: Apache-2.0
"""A holder's way in a browser, with and without script: sign in, see licences, see uses, sign out."""

import re

import pytest
from browsing import open_page, page_faults, sign_in
from playwright.sync_api import Browser, Page
from running import Site

from portal.demo.holders import demo_persons
from portal.demo.script import Script

pytestmark = pytest.mark.browser
NAMES = [one.title for one in demo_persons(Script.load())]
FIRM = next(name for name in NAMES if "丙" in name)
ELDER = "施样例"


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()
    page.wait_for_load_state()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_firm_signs_in_sees_its_licences_and_their_uses_and_signs_out(
    browser: Browser, site: Site, script: bool
) -> None:
    with open_page(browser, java_script_enabled=script) as page:
        page.goto(site.address)
        page.get_by_role("link", name="我的证照").click()
        _press(page, "统一身份认证登录")
        assert not page.url.startswith(site.address), "the identity provider is another server"
        _press(page, FIRM)
        assert page.url == f"{site.address}/mine"
        licences, uses = (page.get_by_role("table").nth(number).inner_text() for number in (0, 1))
        assert re.search(r"营业执照\s+亮证或授权\s.*有效", licences)
        assert "食品经营许可证" in licences
        assert "是否有效" in uses
        assert re.search("拒绝.*办件已办结", uses), "refused uses are listed, too"
        _press(page, "退出")
        back = page.get_by_role("link", name="返回并保持在该平台的登录").get_attribute("href") or ""
        assert back.startswith(f"{site.address}/mine/sign-in"), "who stays signed in there finds back"
        _press(page, "退出并返回")
        assert page.url.startswith(f"{site.address}/mine/sign-in")
        page.goto(f"{site.address}/mine")
        assert page.url.endswith("/mine/sign-in")
        _press(page, "统一身份认证登录")
        assert page.get_by_role("button", name=FIRM).is_visible(), "the provider asks again"


def test_large_print_comes_by_itself_from_sixty_on_and_the_person_may_switch(
    browser: Browser, site: Site
) -> None:
    with open_page(browser) as page:
        sign_in(page, site, "holder", ELDER)
        assert page.locator("html").get_attribute("data-ui-mode") == "elder"
        assert page.get_by_role("table").count() >= 1
        assert page_faults(page) == []
        page.get_by_role("link", name="标准版").click()
        page.goto(f"{site.address}/mine")
        assert page.locator("html").get_attribute("data-ui-mode") == "normal"


def test_the_page_fits_a_telephone(browser: Browser, site: Site) -> None:
    with open_page(browser, viewport={"width": 360, "height": 740}) as page:
        sign_in(page, site, "holder", FIRM)
        assert page_faults(page) == []


def test_the_keyboard_alone_leads_through(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        page.goto(f"{site.address}/mine/begin")
        page.get_by_role("button", name=FIRM).focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/mine")
        for _ in range(20):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.textContent.trim()") == "退出":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/sign-out**")
