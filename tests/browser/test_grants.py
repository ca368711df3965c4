# SPDX-License-Identifier: Apache-2.0
"""Grants of use in a browser without script: asked for, approved, replaced and ended, in every appearance."""

import datetime as dt

import pytest
from browsing import APPEARANCES, faults_in_light_and_dark, open_page, sign_in
from playwright.sync_api import Browser, Page
from running import Site

from storage.clock import SystemClock, legal_date

pytestmark = pytest.mark.browser


def faults(page: Page, address: str) -> dict[str, list[str]]:
    found = {}
    for language, mode in APPEARANCES:
        page.goto(f"{address}{'&' if '?' in address else '?'}lang={language}&mode={mode}")
        found[f"{language} {mode}"] = faults_in_light_and_dark(page)
    page.goto(f"{address}{'&' if '?' in address else '?'}lang=zh&mode=normal")
    return {shown: wrong for shown, wrong in found.items() if wrong}


def fill(page: Page) -> None:
    last = legal_date(SystemClock().now()) + dt.timedelta(days=90)
    page.check("input[name=purpose][value=accept]")
    page.check("input[name=ceiling][value=fields]")
    page.fill("input[name=quota]", "50")
    page.fill("input[name=valid_until]", last.isoformat())
    page.fill("input[name=legal_basis]", "演示市政务数据共享管理办法第十条")
    page.fill("input[name=reason]", "受理时核验")


def test_a_grant_is_asked_for_and_approved_by_two_persons_and_ended(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        sign_in(page, site, "system-admin")
        assert faults(page, f"{site.address}/rights/grants") == {}
        before = page.locator("main tbody tr").count()
        assert "2000" in page.locator("main table").inner_text()
        page.goto(f"{site.address}/rights/grants/ask")
        page.select_option("select[name=caller]", index=1)
        page.locator("input[name=item]").first.check()
        fill(page)
        page.locator("main form button").click()
        page.wait_for_url("**/rights")
        assert "每日 50 次" in page.locator(".changes").inner_text()
        assert faults(page, f"{site.address}/rights") == {}
        assert faults(page, f"{site.address}/rights/grants/ask") == {}
    with open_page(browser, java_script_enabled=False) as page:
        sign_in(page, site, "security-admin")
        page.goto(f"{site.address}/rights")
        page.fill(".changes input[name=reason]", "同意")
        page.locator(".changes button[value=approve]").click()
        page.wait_for_url("**/rights")
        page.goto(f"{site.address}/rights/grants")
        assert page.locator("main tbody tr").count() == before + 1
        assert "50" in page.locator("main tbody").inner_text()
    with open_page(browser, java_script_enabled=False) as page:
        sign_in(page, site, "system-admin")
        page.goto(f"{site.address}/rights/grants")
        page.locator("main tbody tr").first.locator("details summary").click()
        page.locator("main tbody tr").first.locator("details input[name=reason]").fill("不再需要")
        page.locator("main tbody tr").first.locator("details button").click()
        page.wait_for_url("**/rights")
        assert "终止用证授权" in page.locator(".changes").inner_text()
