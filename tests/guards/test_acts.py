# SPDX-License-Identifier: Apache-2.0
"""Every kind of act is titled, recorded somewhere, and either rebuilt by replay or listed as not rebuilt."""

import ast
import re
from collections.abc import Iterator

from source_rules import Source, product_sources

from storage.ledger import kinds
from storage.ledger.kinds import TITLES, ActKind

KINDS_MODULE = "storage/ledger/kinds.py"


def _kinds_named(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Attribute)
            and isinstance(part.value, ast.Name)
            and part.value.id == "ActKind"
        ):
            yield part.attr


def _recorded(sources: list[Source]) -> list[tuple[str, int, set[str], bool]]:
    """Give each ``Act(…)`` that names its kind: file, line, kinds, whether it holds rows to replay."""
    found = []
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Act":
                named = set(_kinds_named(node))
                rows = any(keyword.arg in {"rows", "tables", None} for keyword in node.keywords)
                if named:
                    found.append((source.name, node.lineno, named, rows))
    return found


def test_every_kind_has_two_titles_and_a_plain_name() -> None:
    assert set(TITLES) == set(ActKind)
    for zh, en in TITLES.values():
        assert re.search(r"[\u4e00-\u9fff]", zh)
        assert re.fullmatch(r"[A-Z][A-Za-z ]+", en)
    assert [kind for kind in ActKind if not re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*", kind)] == []


def test_every_kind_is_recorded_somewhere() -> None:
    others = [source for source in product_sources() if source.name != KINDS_MODULE]
    named = {name for source in others for name in _kinds_named(source.tree)}
    assert sorted({kind.name for kind in ActKind} - named) == []


def test_every_kind_is_rebuilt_or_says_why_not() -> None:
    not_rebuilt: dict[ActKind, str] = kinds.NOT_REBUILT
    assert all(len(reason) > 10 for reason in not_rebuilt.values())
    listed = {kind.name for kind in not_rebuilt}
    without_rows = [
        f"{name}:{line} {sorted(named)}"
        for name, line, named, rows in _recorded(product_sources())
        if not rows and not named <= listed
    ]
    assert without_rows == [], (
        "an act without rows is lost by a rebuild: give rows or list the kind as not rebuilt"
    )
