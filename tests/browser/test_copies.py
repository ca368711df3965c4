# SPDX-License-Identifier: Apache-2.0
"""Copies at the window, and a holder's own licence: shown, authorised, scanned, in every appearance."""

import re
from pathlib import Path

import pytest
from browsing import APPEARANCES, faults_in_light_and_dark, open_page, page_faults, sign_in
from playwright.sync_api import Browser, Page
from running import Site

from documents.codes import LIMITS, read_codes
from documents.sandbox import Sandbox
from portal.demo.holders import demo_persons
from portal.demo.script import Script

pytestmark = pytest.mark.browser
OPEN = next(case.data() for case in Script.load().cases if case.expect["state"] == "open")
FIRM = next(one.title for one in demo_persons(Script.load()) if one.title == OPEN["holder"]["name"])


def _faults_in_every_appearance(page: Page, address: str) -> dict[str, list[str]]:
    found = {}
    for language, mode in APPEARANCES:
        page.goto(f"{address}?lang={language}&mode={mode}")
        found[f"{language} {mode}"] = faults_in_light_and_dark(page)
    page.goto(f"{address}?lang=zh&mode=normal")
    return {shown: faults for shown, faults in found.items() if faults}


def _press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).first.click()
    page.wait_for_load_state()


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
def test_a_clerk_makes_a_copy_and_gets_it(browser: Browser, site: Site, script: bool) -> None:
    with open_page(browser, java_script_enabled=script, accept_downloads=True) as page:
        sign_in(page, site, "clerk")
        page.goto(f"{site.address}/window")
        page.locator("input[name=number]").fill(OPEN["number"])
        page.locator("input[name=number]").press("Enter")
        page.wait_for_load_state()
        _press(page, "查看申请人持有的证照")
        if script:
            assert page_faults(page) == []
        _press(page, "为本办件制作加注件")
        for _ in range(60):
            if page.get_by_role("button", name="取加注件打印").count():
                break
            page.wait_for_timeout(500)
            page.reload()
        if script:
            assert _faults_in_every_appearance(page, page.url.partition("?")[0]) == {}
        with page.expect_download() as given:
            page.get_by_role("button", name="取加注件打印").click()
        assert given.value.path().read_bytes().startswith(b"%PDF-")


def test_the_form_for_a_code_is_fit(browser: Browser, site: Site) -> None:
    with open_page(browser, refusals=True) as page:
        sign_in(page, site, "clerk")
        assert _faults_in_every_appearance(page, f"{site.address}/window/code") == {}
        page.locator("#secret").fill("A" * 22)
        _press(page, "查看证照")
        assert "用证码无效" in page.locator("main").inner_text()
        assert page_faults(page) == []


def test_a_holder_shows_and_authorises_an_own_licence(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        sign_in(page, site, "holder", FIRM)
        page.get_by_role("link", name=re.compile("营业执照.*亮证")).click()
        page.wait_for_load_state()
        licence = page.url.partition("?")[0]
        assert _faults_in_every_appearance(page, licence) == {}
        _press(page, "生成用证码")
        assert page_faults(page) == []
        secret = page.locator("pre.secret").inner_text().strip()
        page.goto(f"{site.address}/mine")
        assert page.get_by_role("heading", name="我的用证码").count() == 1
        assert page_faults(page) == []
        with open_page(browser) as window:
            sign_in(window, site, "clerk")
            window.goto(f"{site.address}/window/code")
            window.locator("#secret").fill(secret)
            _press(window, "查看证照")
            assert "营业执照" in window.locator("main").inner_text()
        page.goto(f"{site.address}/mine")
        _press(page, "撤销")
        assert page.get_by_role("heading", name="我的用证码").count() == 0


def test_a_camera_reads_the_code_on_the_screen_and_what_it_shows_is_fit(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    with open_page(browser) as page:
        sign_in(page, site, "holder", FIRM)
        page.get_by_role("link", name=re.compile("营业执照.*亮证")).click()
        page.wait_for_load_state()
        photo = tmp_path / "screen.png"
        page.screenshot(path=photo)
        (code,) = read_codes(photo, Sandbox(LIMITS))
        with open_page(browser) as other:
            other.goto(code)
            assert "持证主体出示的证照" in other.locator("main").inner_text()
            assert page_faults(other) == []
