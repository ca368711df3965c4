# SPDX-License-Identifier: Apache-2.0
"""Every page that a desk can reach by links is accessible, well framed and silent, however it is shown.

Pages are found as a person finds them, by following links from the desk's home; one page per kind of address
is looked at, in both languages, in the usual print and in large print, in light and in dark colours. What
several desks share is looked at so from one of them, and as it usually comes from the others.
"""

import re
from collections.abc import Sequence
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import pytest
from browsing import APPEARANCES, faults_in_light_and_dark, open_page, sign_in
from playwright.sync_api import Browser, Page
from running import Site

pytestmark = pytest.mark.browser
STARTS = {
    "": ["/", "/sign-in", "/mine/sign-in"],
    "archivist": ["/"],
    "clerk": ["/"],
    "inspector": ["/"],
    "supervisor": ["/"],
    "system-admin": ["/"],
    "security-admin": ["/"],
    "audit-admin": ["/"],
    "holder": ["/mine"],
}


def _kind(address: str) -> str:
    """Give an address with its identifiers and numbers blanked."""
    parts = urlsplit(address).path.split("/")
    return "/".join("*" if re.search(r"\d", part) or len(part) > 24 else part for part in parts)


def _links(page: Page, site: Site) -> list[str]:
    found: list[str] = page.eval_on_selector_all(
        "a[href]:not([download])", "links => links.map(link => link.getAttribute('href'))"
    )
    targets = [urljoin(page.url, target) for target in found if not target.startswith(("#", "mailto:"))]
    return [target for target in targets if target.startswith(site.address)]


def _shown(address: str, language: str, mode: str) -> str:
    """Give an address with the appearance named in it."""
    parts = urlsplit(address)
    query = dict(parse_qsl(parts.query)) | {"lang": language, "mode": mode}
    return parts._replace(query=urlencode(query)).geturl()


def _leads(page: Page, address: str) -> str:
    """Tell what a link of ours leads to: ``page``, ``broken``, or ``elsewhere`` (a file, another server)."""
    answer = page.request.get(address)
    if not answer.url.startswith(address[: address.index("/", 8)]):
        return "elsewhere"
    if not answer.ok:
        return "broken"
    return "page" if "text/html" in answer.headers.get("content-type", "") else "elsewhere"


def _pages(page: Page, site: Site, starts: list[str]) -> dict[str, str]:
    """Follow links; give an address of each kind of page. No link of ours is broken."""
    waiting = [site.address + start for start in starts]
    found: dict[str, str] = {}
    seen: set[str] = set()
    while waiting:
        address = waiting.pop(0)
        if _kind(address) in seen:
            continue
        led = _leads(page, address)
        assert led != "broken", address
        seen.add(_kind(address))
        if led == "page":
            found[_kind(address)] = address
            page.goto(address)
            waiting.extend(_links(page, site))
    return found


def _faults(page: Page, address: str, appearances: Sequence[tuple[str, str]]) -> list[str]:
    """Give what is wrong with a page, each fault with the appearance in which it shows."""
    faults = []
    for language, mode in appearances:
        page.goto(_shown(address, language, mode))
        html = page.locator("html")
        assert (html.get_attribute("lang") or "").startswith(language), address
        assert html.get_attribute("data-ui-mode") == mode, address
        faults += [f"{language} {mode} {fault}" for fault in faults_in_light_and_dark(page)]
    return faults


@pytest.fixture(scope="module")
def judged() -> set[str]:
    """Kinds of pages that some desk was shown in every appearance; others see them in the usual one."""
    return set()


@pytest.mark.parametrize("role", STARTS, ids=lambda role: role or "stranger")
def test_every_page_of_a_desk_is_fit_in_every_appearance(
    browser: Browser, site: Site, role: str, judged: set[str]
) -> None:
    faults: dict[str, list[str]] = {}
    with open_page(browser) as page:
        sign_in(page, site, role)
        found = _pages(page, site, STARTS[role])
        for kind, address in found.items():
            home = address in {site.address + start for start in STARTS[role]}
            everything = home or kind not in judged
            faults[kind] = _faults(page, address, APPEARANCES if everything else APPEARANCES[:1])
            judged.add(kind)
    assert len(found) >= 2, found
    assert {kind: wrong for kind, wrong in faults.items() if wrong} == {}


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_the_identity_provider_s_page_is_fit_in_every_appearance(
    browser: Browser, site: Site, language: str
) -> None:
    """It stands beside the installation and knows none of its cookies: it has switches of its own."""
    with open_page(browser) as page:
        page.goto(f"{site.address}/mine/begin")
        if language == "en":
            page.get_by_role("link", name="English").click()
            page.wait_for_load_state()
        assert page.locator("html").get_attribute("lang") == language
        assert faults_in_light_and_dark(page) == []
        page.get_by_role("link", name=re.compile("长辈版|Large print")).click()
        page.wait_for_load_state()
        assert page.locator("html").get_attribute("data-ui-mode") == "elder"
        assert faults_in_light_and_dark(page) == []
        page.locator("main form button").first.click()
        page.wait_for_url(f"{site.address}/mine")
