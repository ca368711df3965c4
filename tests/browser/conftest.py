# SPDX-License-Identifier: Apache-2.0
"""One browser for all tests of this folder."""

from collections.abc import Generator

import pytest
from browsing import chromium
from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def browser() -> Generator[Browser]:
    """Give Debian's Chromium."""
    with chromium() as running:
        yield running
