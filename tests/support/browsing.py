# SPDX-License-Identifier: Apache-2.0
"""A real browser for tests, and what every page must fulfil in it."""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

from playwright.sync_api import Browser, Page, sync_playwright
from running import Site
from tooling import ROOT, require_tool

_AXE: Final = ROOT / "tests" / "browser" / "vendor" / "axe.min.js"
_FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
_PATIENCE_MS: Final = 120_000
SMALL_SCREEN: Final = {"width": 1366, "height": 768}
_REFUSED: Final = "Failed to load resource: the server responded with a status of 4"
_BY_COLOUR: Final = ("color-contrast", "link-in-text-block")
APPEARANCES: Final = (("zh", "normal"), ("zh", "elder"), ("en", "normal"), ("en", "elder"))
"""Language and print; each comes in light and in dark colours."""
_STANDARDS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice")


@cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")


@contextmanager
def chromium() -> Generator[Browser]:
    """Start Debian's Chromium; without it the test is skipped, or fails where tools are required."""
    path = require_tool("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=list(_FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def open_page(
    browser: Browser, *, dark: bool = False, refusals: bool = False, **options: Any
) -> Generator[Page]:
    """Give a page in a context of its own; whatever the browser complains about in its console fails.

    Args:
        browser: From :func:`chromium`.
        dark: Ask pages for their dark colours.
        refusals: Pages that say that something was refused are looked at, too; the browser notes each.
        options: Further options of a browser context: ``locale``, ``storage_state``, …
    """
    options.setdefault("viewport", SMALL_SCREEN)
    options.setdefault("locale", "zh-CN")
    # Colours that fade into each other would be judged half-way.
    options.setdefault("reduced_motion", "reduce")
    context = browser.new_context(color_scheme="dark" if dark else "light", **options)
    context.set_default_timeout(_PATIENCE_MS)
    complaints: list[str] = []
    try:
        page = context.new_page()
        page.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        yield page
    finally:
        context.close()
    assert [line for line in complaints if not (refusals and line.startswith(_REFUSED))] == []


def axe_violations(page: Page, *, colours_only: bool = False) -> list[str]:
    """Give the accessibility rules that the page breaks, each with the first elements concerned.

    Args:
        page: The page.
        colours_only: Judge only what colours decide, on a page that was judged in other colours already.
    """
    if not page.evaluate("'axe' in window"):
        page.evaluate(_axe())
    options = {"runOnly": {"type": "tag", "values": list(_STANDARDS)}}
    if colours_only:
        options = {"runOnly": {"type": "rule", "values": list(_BY_COLOUR)}}
    result: Mapping[str, Sequence[Mapping[str, Any]]] = page.evaluate(
        "options => axe.run(document, options)", options
    )
    return [
        f"{rule['id']} ({rule['impact']}): {[node['html'][:120] for node in rule['nodes'][:3]]}"
        for rule in result["violations"]
    ]


def layout_faults(page: Page) -> list[str]:
    """Give what is wrong with the page's frame: language, title, one heading, one main part, width."""
    faults: list[str] = page.evaluate(
        """() => {
            const faults = [];
            const count = selector => document.querySelectorAll(selector).length;
            if (!document.documentElement.lang) faults.push('no language');
            if (!document.title.trim()) faults.push('no title');
            if (count('h1') !== 1) faults.push(`${count('h1')} first-level headings`);
            if (count('main') !== 1) faults.push(`${count('main')} main parts`);
            const width = document.documentElement.scrollWidth;
            if (width > window.innerWidth) faults.push('wider than the window');
            // One that is loaded when it comes into view is not broken before.
            const broken = [...document.images].filter(image => image.complete && !image.naturalWidth);
            for (const image of broken) faults.push(`broken image ${image.src}`);
            return faults;
        }"""
    )
    return faults


def page_faults(page: Page) -> list[str]:
    """Give what is wrong with the page as it is shown."""
    return [*axe_violations(page), *layout_faults(page)]


def faults_in_light_and_dark(page: Page) -> list[str]:
    """Give what is wrong with the page in light colours, and what its dark ones add."""
    page.emulate_media(color_scheme="light")
    light = page_faults(page)
    page.emulate_media(color_scheme="dark")
    dark = axe_violations(page, colours_only=True)
    page.emulate_media(color_scheme="light")
    return [*light, *(f"dark: {fault}" for fault in dark)]


def sign_in(page: Page, site: Site, role: str, person: str = "") -> None:
    """Sign somebody in as people do; works where no script runs.

    Args:
        page: The page.
        site: The installation.
        role: A role, ``holder``, or nothing for a stranger.
        person: Which holder, as the identity provider's page names them; the first when empty.
    """
    if role == "holder":
        page.goto(f"{site.address}/mine/begin")
        button = page.get_by_role("button", name=person) if person else page.locator("main form button").first
        button.click()
        page.wait_for_url(f"{site.address}/mine")
    elif role:
        page.goto(site.login_link(role))
        page.locator("main form button").first.click()
        page.wait_for_load_state()
