# SPDX-License-Identifier: Apache-2.0
"""Records that a process beside normalises are those that this one would, and it never stays behind."""

import datetime as dt
import multiprocessing
import os
import signal
from pathlib import Path

import pytest
from dirty_stock import csv_lines
from stock_import import ISSUERS, PROFILE

from documents.errors import FeedRefusedError
from documents.feeds import LIMITS
from documents.sandbox import Sandbox
from licenses.catalogue import TypeCatalogue
from licenses.errors import StockProfileUnfitError
from portal.stock.reading import Recipe, Source, read_beside, read_here

RECIPE = Recipe(PROFILE, TypeCatalogue.load().all(), ISSUERS.of("scjg", PROFILE), dt.date(2026, 11, 24))


def source(folder: Path, text: str) -> Source:
    file = folder / "feed"
    file.write_text(text, "utf-8")
    return Source(file, Sandbox(LIMITS, bubblewrap=False))


def test_both_read_the_same_blocks(tmp_path: Path) -> None:
    given = source(tmp_path, "".join(csv_lines(250, malformed_every=50)))
    here = list(read_here(given, RECIPE, 40, 30))
    assert [len(block) for block in here] == [40] * 5 + [25]
    assert list(read_beside(given, RECIPE, 40, 30)) == here
    assert not multiprocessing.active_children()


@pytest.mark.parametrize(
    ("text", "error", "facts"),
    [
        ("certificate_number\n1\n", StockProfileUnfitError, {"items"}),
        ('[{"a":"1"},{"a":"2""}]', FeedRefusedError, {"rule", "line", "column"}),
    ],
)
def test_what_is_wrong_with_a_file_comes_over_with_its_facts(
    tmp_path: Path, text: str, error: type[Exception], facts: set[str]
) -> None:
    given = source(tmp_path, text)
    for read in (read_here, read_beside):
        with pytest.raises(error) as caught:
            list(read(given, RECIPE, 10, 0))
        assert set(caught.value.facts) == facts  # type: ignore[attr-defined]  # an error of ours
    assert not multiprocessing.active_children()


def test_who_reads_no_further_leaves_no_process(tmp_path: Path) -> None:
    given = source(tmp_path, "".join(csv_lines(400)))
    blocks = read_beside(given, RECIPE, 20, 0)
    assert len(next(blocks)) == 20
    blocks.close()  # type: ignore[attr-defined]  # a generator
    assert not multiprocessing.active_children()


def test_a_killed_reader_ends_the_reading_as_no_end_of_the_file(tmp_path: Path) -> None:
    given = source(tmp_path, "".join(csv_lines(2_000)))
    blocks = read_beside(given, RECIPE, 20, 0)
    next(blocks)
    (child,) = multiprocessing.active_children()
    os.kill(child.pid or 0, signal.SIGKILL)
    with pytest.raises(EOFError):
        list(blocks)
