# SPDX-License-Identifier: Apache-2.0
"""The harness itself: a good page passes, each kind of bad page is recognised."""

import pytest
from browsing import axe_violations, layout_faults, open_page
from playwright.sync_api import Browser

pytestmark = pytest.mark.browser
GOOD = (
    '<!doctype html><html lang="zh-CN"><title>查验</title>'
    "<body><main><h1>查验</h1><p>有效</p></main></body></html>"
)


def test_a_good_page_passes(browser: Browser) -> None:
    with open_page(browser) as page:
        page.set_content(GOOD)
        assert axe_violations(page) == []
        assert layout_faults(page) == []


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ((' lang="zh-CN"', ""), "html-has-lang"),
        (("<p>", '<p style="color:#bbb">'), "color-contrast"),
        (("<p>", '<input name="q"><p>'), "label"),
        (("<p>", '<img src="data:,"><p>'), "image-alt"),
    ],
)
def test_an_inaccessible_page_is_recognised(browser: Browser, change: tuple[str, str], rule: str) -> None:
    with open_page(browser) as page:
        page.set_content(GOOD.replace(*change))
        assert any(found.startswith(rule) for found in axe_violations(page))


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("<h1>", "<h1>1</h1><h1>"), "2 first-level headings"),
        (("<p>", '<p style="width:3000px">'), "wider than the window"),
        (("<title>查验</title>", ""), "no title"),
    ],
)
def test_a_broken_frame_is_recognised(browser: Browser, change: tuple[str, str], fault: str) -> None:
    with open_page(browser) as page:
        page.set_content(GOOD.replace(*change))
        assert fault in layout_faults(page)


def test_a_complaint_of_the_browser_fails(browser: Browser) -> None:
    with pytest.raises(AssertionError), open_page(browser) as page:
        page.set_content(GOOD.replace("<p>", "<script>console.error('no')</script><p>"))
