# SPDX-License-Identifier: Apache-2.0
"""Pages that only a form leads to are accessible and well framed, and what they say is what was done."""

import re
from pathlib import Path

import pytest
from browsing import (
    APPEARANCES,
    faults_in_light_and_dark,
    open_page,
    page_faults,
    sign_in,
)
from editions import new_edition
from playwright.sync_api import Browser, Page
from running import Site

from portal.demo.script import Script

pytestmark = pytest.mark.browser


def _faults_in_every_appearance(page: Page, address: str) -> dict[str, list[str]]:
    found = {}
    for language, mode in APPEARANCES:
        page.goto(f"{address}?lang={language}&mode={mode}")
        found[f"{language} {mode}"] = faults_in_light_and_dark(page)
    page.goto(f"{address}?lang=zh&mode=normal")
    return {shown: faults for shown, faults in found.items() if faults}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_selection_of_cases_is_fit(browser: Browser, site: Site, language: str) -> None:
    with open_page(browser) as page:
        sign_in(page, site, "archivist")
        for action in ("packages", "slips"):
            page.goto(f"{site.address}/archive?pick=all&lang={language}")
            assert page.locator("input[name=pick]:checked").count() > 1
            assert page_faults(page) == []
            page.locator(f"button[value={action}]").click()
            page.wait_for_load_state()
            assert page.locator("main table").first.locator("tbody tr").count() > 1
            assert page_faults(page) == []


@pytest.mark.parametrize("role", ["archivist", "clerk"])
def test_a_desk_works_without_script(browser: Browser, site: Site, role: str) -> None:
    with open_page(browser, java_script_enabled=False) as page:
        sign_in(page, site, role)
        assert page.locator("header form button").count() >= 1
        assert page.locator("h1").count() == 1


def test_the_window_answers_by_keyboard_alone(browser: Browser, site: Site) -> None:
    number = next(case.data()["number"] for case in Script.load().cases if case.expect["state"] == "open")
    with open_page(browser) as page:
        sign_in(page, site, "clerk")
        page.goto(f"{site.address}/window")
        # The browser focuses the field when it first draws the page, which may be after its load.
        page.wait_for_selector("input[name=number]:focus")
        page.keyboard.type(number)
        page.keyboard.press("Enter")
        page.wait_for_url("**/decisions/*")
        assert re.search("只需向申请人收取|无需申请人提供证明", page.locator("main").inner_text())
        assert page_faults(page) == []


def _check_file(page: Page, site: Site, *files: Path) -> str:
    page.goto(f"{site.address}/verify")
    page.locator("#file").set_input_files(list(files))
    page.locator("form:has(#file) button").click()
    page.wait_for_load_state()
    assert page_faults(page) == []
    return page.locator("main").inner_text()


def test_an_inspector_checks_several_files_at_once_and_keeps_the_reports(
    browser: Browser, site: Site
) -> None:
    plain = site.data / "plain.pdf"
    plain.write_bytes(b"%PDF-1.7\n%%EOF\n")
    with open_page(browser) as page:
        report = _check_file(page, site, site.data / "tampered-copy.pdf", plain)
        assert report.count("SHA-256") >= 3
        for name in ("reports.pdf", "reports.json"):
            with page.expect_download() as kept:
                page.locator(f"a[download='{name}']").click()
            assert kept.value.suggested_filename == name


def test_a_stranger_learns_that_a_file_was_tampered_with(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        report = _check_file(page, site, site.data / "tampered-copy.pdf")
        assert "无效" in report
        # The report has to fit one sheet in black and white.
        assert page.pdf(format="A4").count(b"/Type /Page\n") == 1


def test_a_file_without_a_seal_cannot_be_judged(browser: Browser, site: Site) -> None:
    plain = next(
        path for case in Script.load().cases for path in sorted(case.folder.glob("准予登记决定书.pdf"))
    )
    with open_page(browser) as page:
        report = _check_file(page, site, plain)
        assert "无法判定" in report
        assert "文件没有电子印章" in report


def test_a_right_is_asked_for_and_granted_by_two_persons_in_every_appearance(
    browser: Browser, site: Site
) -> None:
    with open_page(browser) as page:
        sign_in(page, site, "system-admin")
        page.goto(f"{site.address}/rights/ask?kind=account-add")
        page.fill("input[name=name]", "演示新同事")
        page.select_option("select[name=organisation]", "scjg")
        page.check("input[name=role][value=clerk]")
        page.fill("input[name=reason]", "新入职")
        page.locator("main form button").click()
        page.wait_for_url("**/rights")
        assert "待第二人审批" in page.locator("main").inner_text()
    with open_page(browser) as page:
        sign_in(page, site, "security-admin")
        assert _faults_in_every_appearance(page, f"{site.address}/rights") == {}
        page.fill(".changes input[name=reason]", "同意")
        page.locator(".changes button[value=approve]").click()
        page.wait_for_url("**/rights")
        assert "没有待审批的申请" in page.locator("main").inner_text()
        assert "演示新同事" in page.locator("main").inner_text()


def test_an_edition_is_proposed_and_approved_by_two_persons_in_every_appearance(
    browser: Browser, site: Site, tmp_path: Path
) -> None:
    file = tmp_path / "edition.json"
    file.write_bytes(new_edition(filing_days=7, edition="2025-01"))
    with open_page(browser) as page:
        sign_in(page, site, "system-admin")
        page.goto(f"{site.address}/editions")
        page.set_input_files("input[name=file]", str(file))
        page.fill("form[enctype] input[name=reason]", "新版指南")
        page.locator("form[enctype] button[value=propose]").click()
        page.wait_for_selector(".changes")
        assert page_faults(page) == []
    with open_page(browser, java_script_enabled=False) as page:
        sign_in(page, site, "security-admin")
        page.goto(f"{site.address}/editions")
        assert "filing_days" in page.locator(".differences").inner_text()
    with open_page(browser) as page:
        sign_in(page, site, "security-admin")
        assert _faults_in_every_appearance(page, f"{site.address}/editions") == {}
        page.fill(".changes input[name=reason]", "已核对")
        page.locator(".changes button[value=approve]").click()
        page.get_by_text("没有待审批的申请").wait_for()


def test_rules_are_written_checked_and_proposed_without_java_script(browser: Browser, site: Site) -> None:
    address = f"{site.address}/editions/rules"
    with open_page(browser) as page:
        sign_in(page, site, "system-admin")
        assert _faults_in_every_appearance(page, address) == {}
    with open_page(browser, java_script_enabled=False, refusals=True) as page:
        sign_in(page, site, "system-admin")
        page.goto(address)
        text = page.locator("#text").input_value()
        page.fill("#text", text.replace("version: 2026-11", "version: 2027-09", 1) + "# 草稿\n")
        page.locator("button[value=check]").click()
        assert "nothing-new" in page.locator("main").inner_text()
        assert page.locator("#text").input_value().endswith("# 草稿\n"), "what was typed is kept"
        changed = page.locator("#text").input_value().replace("version: 1\n", "version: 7\n", 1)
        changed = changed.replace("zh: 营业执照\n", "zh: 营业执照副本\n", 1)
        page.fill("#text", changed)
        page.locator("button[value=check]").click()
        assert page.locator(".differences").count() == 1
        page.locator("button[value=propose]").click()
        assert "# 草稿" in page.locator("#text").input_value(), "a reason is missing, and no word is lost"
        page.fill("#reason", "调整")
        page.locator("button[value=propose]").click()
        page.wait_for_url("**/editions")
        assert "2027-09" in page.locator(".changes").inner_text()
    with open_page(browser) as page:
        sign_in(page, site, "system-admin")
        page.goto(address)
        changed = page.locator("#text").input_value().replace("version: 1\n", "version: 8\n", 1)
        changed = changed.replace("zh: 营业执照\n", "zh: 营业执照副本\n", 1)
        page.fill("#text", changed.replace("version: 2026-11", "version: 2027-10", 1))
        page.locator("button[value=check]").click()
        page.wait_for_selector(".differences")
        assert page_faults(page) == []


def test_what_a_licence_manager_works_with_is_fit(browser: Browser, site: Site) -> None:
    with open_page(browser) as page:
        several = site.run("login-link", "license-manager").stderr
        (account,) = re.findall(r"scjg=(\w+)", several)
        made = site.run("login-link", "license-manager", "--account", account).stdout
        page.goto(re.findall(r"https?://\S+", made)[0])
        page.locator("main form button").first.click()
        page.wait_for_load_state()
        page.goto(f"{site.address}/licences/issue")
        page.locator("select[name=type]").select_option(index=1)
        page.get_by_role("button", name="打开表单").click()
        page.wait_for_load_state()
        form = page.url
        assert page.locator("form.issue input[name=number]").count() == 1
        for language, mode in APPEARANCES:
            page.goto(f"{form}&lang={language}&mode={mode}")
            assert faults_in_light_and_dark(page) == []
        for desk in ("/licences/bulk", "/licences/stock"):
            assert _faults_in_every_appearance(page, f"{site.address}{desk}") == {}
