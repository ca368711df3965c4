# SPDX-License-Identifier: Apache-2.0
"""Hostile files of records end with a stable code, take nothing good with them and are never repeated."""

from pathlib import Path

import pytest

from documents.errors import FeedRefusedError
from documents.feeds import FeedRecord, open_feed
from documents.sandbox import Sandbox
from licenses.stock.reasons import Verdict, stock_reasons

from .feeds import FEEDS, SECRET, HostileFeed

READ = [feed for feed in FEEDS if not feed.rule]
REFUSED = [feed for feed in FEEDS if feed.rule]


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox(bubblewrap=False)


def read(box: Sandbox, folder: Path, feed: HostileFeed) -> list[FeedRecord]:
    file = folder / "feed"
    file.write_bytes(feed.make())
    with open_feed(file, box) as opened:
        return [record for block in opened.blocks(10) for record in block]


@pytest.mark.parametrize("feed", REFUSED, ids=lambda feed: feed.name)
def test_a_file_that_is_none_is_refused_with_its_code(
    box: Sandbox, tmp_path: Path, feed: HostileFeed
) -> None:
    with pytest.raises(FeedRefusedError) as caught:
        read(box, tmp_path, feed)
    assert caught.value.facts["rule"] == feed.rule
    assert set(caught.value.facts) <= {"rule", "line", "column"}
    assert SECRET[:4] not in str(caught.value)


@pytest.mark.parametrize("feed", READ, ids=lambda feed: feed.name)
def test_what_is_malformed_has_its_code_and_the_rest_is_read(
    box: Sandbox, tmp_path: Path, feed: HostileFeed
) -> None:
    records = read(box, tmp_path, feed)
    assert tuple(one.problem for one in records if one.cells is None) == feed.rows
    assert all(stock_reasons()[code].verdict is Verdict.REJECTED for code in feed.rows)
    assert all(SECRET[:4] not in repr(one) for one in records if one.cells is None)
    if "KEPT" in feed.make().decode("utf-8", "replace"):
        assert "KEPT-1" in [one.cells.get("certificate_number") for one in records if one.cells]
