# SPDX-License-Identifier: Apache-2.0
"""Every picture that a guide shows exists, is small, is made by `make screenshots`, and is shown at all."""

import re
from collections.abc import Iterator
from pathlib import Path

from tooling import ROOT

FOLDER = ROOT / "docs" / "pictures"
PROGRAM = (ROOT / "tests/support/pictures.py").read_text(encoding="utf-8")
MOST_BYTES = 120_000
IN_A_PALETTE = 3
"""The colour type of such a PNG; it stands behind width, height and depth in the file's first part."""


def shown(text: str, page: Path) -> Iterator[Path]:
    """Give the pictures of a page; none without words for whoever does not see it."""
    for words, target in re.findall(r"!\[([^\]]*)\]\(([^)\s]+)\)", text):
        assert words.strip(), f"{page.name}: {target} has no words"
        if not target.startswith(("http:", "https:")):
            yield (page.parent / target).resolve()


def _shown_anywhere() -> set[Path]:
    pages = [ROOT / "README.md", ROOT / "README.zh-CN.md", *(ROOT / "docs").rglob("*.md")]
    return {one for page in pages for one in shown(page.read_text(encoding="utf-8"), page)}


def test_every_picture_that_is_shown_exists_and_every_picture_is_shown() -> None:
    assert _shown_anywhere() == set(FOLDER.glob("*"))


def test_every_picture_is_made_by_the_command() -> None:
    made = set(re.findall(r'^    Picture\(\s*"([a-z-]+)"', PROGRAM, flags=re.M))
    assert len(made) >= 4
    assert {path.name for path in FOLDER.glob("*")} == {f"{name}.png" for name in made}


def test_pictures_are_small() -> None:
    for path in FOLDER.glob("*.png"):
        data = path.read_bytes()
        assert data.startswith(b"\x89PNG"), path.name
        assert data[25] == IN_A_PALETTE, path.name
        assert len(data) < MOST_BYTES, path.name


def test_a_missing_picture_is_noticed(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    assert list(shown("![A desk](../pictures/none.png) and ![it](https://example.invalid/x.png)", page)) == [
        tmp_path.parent / "pictures/none.png"
    ]
