# SPDX-License-Identifier: Apache-2.0
"""README.md and README.zh-CN.md are twins, and what they tell a reader to type exists."""

import re

import click
import pytest
from tooling import ROOT

from portal.cli import cli

TWINS = ("README.md", "README.zh-CN.md")


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _headings(text: str) -> list[int]:
    outside = re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)
    return [len(marks) for marks in re.findall(r"^(#+) ", outside, flags=re.M)]


def _blocks(text: str) -> list[str]:
    return re.findall(r"^```[a-z]*\n(.*?)^```", text, flags=re.M | re.S)


def _commands(block: str) -> str:
    # What stands behind # explains, in the language of the page.
    return "\n".join(re.sub(r"\s*#.*", "", line) for line in block.splitlines())


def test_twins_have_the_same_sections() -> None:
    first, second = (_headings(_text(name)) for name in TWINS)
    assert first == second
    assert len(first) > 3


def test_twins_have_the_same_code_blocks() -> None:
    first, second = ([_commands(block) for block in _blocks(_text(name))] for name in TWINS)
    assert first == second


@pytest.mark.parametrize("name", TWINS)
def test_every_make_target_exists(name: str) -> None:
    targets = set(re.findall(r"^([a-z-]+):", _text("Makefile"), flags=re.M))
    asked = set(re.findall(r"\bmake ([a-z-]+)", "\n".join(_blocks(_text(name)))))
    assert asked
    assert asked - targets == set()


@pytest.mark.parametrize("name", TWINS)
def test_every_command_exists(name: str) -> None:
    asked = set(re.findall(r"bin/cunzheng ([a-z-]+)", "\n".join(_blocks(_text(name)))))
    assert asked
    assert asked - set(cli.list_commands(click.Context(cli))) == set()


@pytest.mark.parametrize(
    "name", [*TWINS, *sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / "docs").rglob("*.md"))]
)
def test_every_relative_link_leads_somewhere(name: str) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", _text(name))
    base = (ROOT / name).parent
    assert [link for link in links if not (base / link).exists()] == []
