# SPDX-License-Identifier: Apache-2.0
"""Every page that a desk can reach by links is accessible, well framed and silent, in both languages.

Pages are found as a person finds them, by following links from the desk's home; one page per kind of address
is looked at.
"""

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from browsing import axe_violations, layout_faults, open_page
from editions import new_edition
from playwright.sync_api import Browser, Page
from running import Site

from portal.demo.script import Script

pytestmark = pytest.mark.browser
STARTS = {
    "stranger": ["/", "/sign-in"],
    "archivist": ["/"],
    "clerk": ["/"],
    "inspector": ["/"],
    "supervisor": ["/"],
    "system-admin": ["/"],
    "security-admin": ["/"],
    "audit-admin": ["/"],
    "holder": ["/mine"],
}
LIMIT = 40


def _kind(address: str) -> str:
    """Give an address with its identifiers and numbers blanked."""
    parts = urlsplit(address).path.split("/")
    return "/".join("*" if re.search(r"\d", part) or len(part) > 24 else part for part in parts)


def _sign_in(page: Page, site: Site, role: str) -> None:
    if role == "holder":
        page.goto(f"{site.address}/mine/begin")
        assert axe_violations(page) == []
        page.get_by_role("button", name="浙江演示甲").click()
        page.wait_for_load_state()
        return
    page.goto(site.login_link(role))
    assert axe_violations(page) == []
    _enter(page)


def _enter(page: Page) -> None:
    """Press the button of a login link's page; also where no script runs, axe's included."""
    page.locator("main form button").first.click()
    page.wait_for_load_state()


def _look_in_every_appearance(page: Page, address: str) -> None:
    for language in ("zh", "en"):
        for mode in ("normal", "elder"):
            for theme in ("light", "dark"):
                page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]  # one of two words
                page.goto(f"{address}?lang={language}&mode={mode}")
                assert [*axe_violations(page), *layout_faults(page)] == [], (language, mode, theme)
    page.goto(f"{address}?lang=zh&mode=normal")


def _links(page: Page, site: Site) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "a[href]:not([download])", "links => links.map(link => link.getAttribute('href'))"
    )
    targets = [urljoin(page.url, target) for target in found if not target.startswith(("#", "mailto:"))]
    return [target for target in targets if target.startswith(site.address)]


def _is_page(page: Page, address: str) -> bool:
    answer = page.request.get(address)
    return "text/html" in answer.headers.get("content-type", "") and answer.ok


def _walk(page: Page, site: Site, starts: list[str]) -> dict[str, list[str]]:
    """Follow links; give for each kind of page what is wrong with it."""
    waiting = [site.address + start for start in starts]
    faults: dict[str, list[str]] = {}
    while waiting and len(faults) < LIMIT:
        address = waiting.pop(0)
        if _kind(address) in faults or not _is_page(page, address):
            continue
        page.goto(address)
        faults[_kind(address)] = [*axe_violations(page), *layout_faults(page)]
        waiting.extend(_links(page, site))
    return faults


@pytest.mark.parametrize("role", STARTS)
def test_every_page_of_a_desk_is_fit(browser: Browser, site: Site, role: str) -> None:
    with open_page(browser) as page:
        if role != "stranger":
            _sign_in(page, site, role)
        faults = _walk(page, site, STARTS[role])
    assert len(faults) >= 2, faults
    assert {kind: found for kind, found in faults.items() if found} == {}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_public_pages_are_fit_in_english(browser: Browser, site: Site, dark: bool) -> None:
    with open_page(browser, dark=dark, locale="en") as page:
        faults = _walk(page, site, ["/?lang=en"])
    assert {kind: found for kind, found in faults.items() if found} == {}


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_selection_of_cases_is_fit(browser: Browser, site: Site, language: str) -> None:
    with open_page(browser) as page:
        _sign_in(page, site, "archivist")
        for action in ("packages", "slips"):
            page.goto(f"{site.address}/archive?pick=all&lang={language}")
            assert page.locator("input[name=pick]:checked").count() > 1
            assert [*axe_violations(page), *layout_faults(page)] == []
            page.locator(f"button[value={action}]").click()
            page.wait_for_load_state()
            assert page.locator("main table").first.locator("tbody tr").count() > 1
            assert [*axe_violations(page), *layout_faults(page)] == []


@pytest.mark.parametrize("role", ["archivist", "clerk"])
def test_a_desk_works_without_script(browser: Browser, site: Site, role: str) -> None:
    with open_page(browser, java_script_enabled=False) as page:
        page.goto(site.login_link(role))
        _enter(page)
        assert page.locator("header form button").count() >= 1
        assert page.locator("h1").count() == 1


def test_the_window_answers_by_keyboard_alone(browser: Browser, site: Site) -> None:
    number = next(case.data()["number"] for case in Script.load().cases if case.expect["state"] == "open")
    with open_page(browser) as page:
        _sign_in(page, site, "clerk")
        page.goto(f"{site.address}/window")
        # The browser focuses the field when it first draws the page, which may be after its load.
        page.wait_for_selector("input[name=number]:focus")
        page.keyboard.type(number)
        page.keyboard.press("Enter")
        page.wait_for_url("**/decisions/*")
        assert re.search("只需向申请人收取|无需申请人提供证明", page.locator("main").inner_text())
        assert axe_violations(page) == []
        assert layout_faults(page) == []


def _check_file(page: Page, site: Site, *files: Path) -> str:
    page.goto(f"{site.address}/verify")
    page.locator("#file").set_input_files(list(files))
    page.locator("form:has(#file) button").click()
    page.wait_for_load_state()
    assert axe_violations(page) == []
    assert layout_faults(page) == []
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
        _sign_in(page, site, "system-admin")
        page.goto(f"{site.address}/rights/ask?kind=account-add")
        page.fill("input[name=name]", "演示新同事")
        page.check("input[name=role][value=clerk]")
        page.fill("input[name=reason]", "新入职")
        page.locator("main form button").click()
        page.wait_for_url("**/rights")
        assert "待第二人审批" in page.locator("main").inner_text()
    with open_page(browser) as page:
        _sign_in(page, site, "security-admin")
        _look_in_every_appearance(page, f"{site.address}/rights")
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
        _sign_in(page, site, "system-admin")
        page.goto(f"{site.address}/editions")
        page.set_input_files("input[name=file]", str(file))
        page.fill("form[enctype] input[name=reason]", "新版指南")
        page.locator("form[enctype] button").click()
        page.wait_for_selector(".changes")
        assert [*axe_violations(page), *layout_faults(page)] == []
    with open_page(browser, java_script_enabled=False) as page:
        page.goto(site.login_link("security-admin"))
        _enter(page)
        page.goto(f"{site.address}/editions")
        assert "filing_days" in page.locator(".differences").inner_text()
    with open_page(browser) as page:
        _sign_in(page, site, "security-admin")
        _look_in_every_appearance(page, f"{site.address}/editions")
        page.fill(".changes input[name=reason]", "已核对")
        page.locator(".changes button[value=approve]").click()
        page.get_by_text("没有待审批的申请").wait_for()
