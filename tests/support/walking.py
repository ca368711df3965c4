# SPDX-License-Identifier: Apache-2.0
"""A person's way through the pages, told by the words that the person sees; never by an address."""

import re
from collections.abc import Sequence
from pathlib import Path

from browsing import page_faults, sign_in
from playwright.sync_api import Locator, Page
from running import Site


class Walk:
    """Somebody in front of a browser.

    Args:
        page: The browser's page.
        script: Whether scripts run there: only then axe can look at what is shown.
    """

    def __init__(self, page: Page, *, script: bool) -> None:
        self.page = page
        self._script = script

    def begin(self, site: Site, role: str, person: str = "") -> None:
        """Come in by the entrance of a role."""
        sign_in(self.page, site, role, person)

    @property
    def main(self) -> Locator:
        """Give the main part of the page."""
        return self.page.locator("main")

    def text(self) -> str:
        """Give what the main part says, with single blanks."""
        return " ".join(self.main.inner_text().split())

    def stands(self, *words: str) -> None:
        """Fail unless the page says all of these (regular expressions) and nothing is wrong with it."""
        text = self.text()
        assert [one for one in words if not re.search(one, text)] == [], text
        if self._script:
            assert page_faults(self.page) == []

    def follow(self, words: str, *, inside: Locator | None = None) -> None:
        """Follow the first link that holds these words."""
        self._go((inside or self.page).locator("a").filter(has_text=words).first)

    def press(self, words: str) -> None:
        """Press the button that says exactly this, in the main part."""
        self._go(self.main.get_by_role("button", name=words, exact=True))

    def desk(self, words: str) -> None:
        """Go to a desk by the rail."""
        self._go(self.page.locator("nav.rail").get_by_role("link", name=words, exact=True))

    def back(self) -> None:
        """Go back as the browser does."""
        self.page.go_back()

    def rows(self, table: int = 0) -> Sequence[Locator]:
        """Give the rows of a table; none when there is no such table."""
        return self.main.locator("table").nth(table).locator("tbody tr").all()

    def row(self, words: str) -> Locator:
        """Give the first row that holds these words."""
        return self.main.locator("tbody tr").filter(has_text=words).first

    def saved(self, words: str | re.Pattern[str], *, inside: Locator | None = None) -> Path:
        """Save what a link or a button with these words gives; give the file."""
        what = (inside or self.main).locator("a, button").filter(has_text=words).first
        with self.page.expect_download() as kept:
            what.click()
        return kept.value.path()

    def prints_on_one_sheet(self, *words: str) -> None:
        """Fail unless the page is printed on one sheet, with these words and without the desk around it."""
        self.page.emulate_media(media="print")
        assert not self.page.locator("nav.rail, header.bar").first.is_visible()
        assert [one for one in words if not re.search(one, self.text())] == []
        assert self.page.pdf(format="A4").count(b"/Type /Page\n") == 1
        self.page.emulate_media(media="screen")

    def _go(self, target: Locator) -> None:
        with self.page.expect_navigation(wait_until="load"):
            target.click()
