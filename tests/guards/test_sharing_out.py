# SPDX-License-Identifier: Apache-2.0
"""Test files are begun the longest first, and those that are named for it are there."""

from types import SimpleNamespace
from typing import Any

from sharing_out import LONGEST, longest_first
from tooling import ROOT


def test_each_file_that_is_named_is_there_and_named_once() -> None:
    assert [name for name in LONGEST if not (ROOT / name).is_file()] == []
    assert len(set(LONGEST)) == len(LONGEST)


def test_the_longest_come_first_and_all_others_as_they_came() -> None:
    files = ["tests/a.py", LONGEST[1], "tests/b.py", LONGEST[0], "tests/a.py"]
    items: list[Any] = [SimpleNamespace(path=ROOT / name, place=place) for place, name in enumerate(files)]
    longest_first(items)
    assert [item.place for item in items] == [3, 1, 0, 2, 4]
