# SPDX-License-Identifier: Apache-2.0
"""Rules on the product's source text, each a function from a syntax tree to findings.

The rules live here and not in a linter's plug-in so that each can be shown a bad example
(``tests/guards/test_source_rules.py``). They look at names, not at types: a name that misleads them is a
name worth changing.
"""

import ast
import functools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tooling import ROOT

ROOMS: Final = ("archive", "cases", "documents", "indexer", "licenses", "portal", "seals", "storage")
Finding = tuple[int, str]
Rule = Callable[[ast.Module], Iterator[Finding]]


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file of the product."""

    path: Path
    name: str
    text: str
    tree: ast.Module


@functools.cache
def product_sources() -> list[Source]:
    """Give every Python file of the eight rooms."""
    found = []
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            found.append(Source(path, path.relative_to(ROOT).as_posix(), text, ast.parse(text)))
    return found


def findings(rule: Rule, sources: list[Source], *allowed: str) -> list[str]:
    """Run a rule over sources, except those whose name starts with one of ``allowed``."""
    return [
        f"{source.name}:{line} {what}"
        for source in sources
        if not source.name.startswith(allowed)
        for line, what in rule(source.tree)
    ]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return "?"


_WALL_CLOCK: Final = re.compile(r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns))$")


def no_wall_clock(tree: ast.Module) -> Iterator[Finding]:
    """Time comes from ``storage.clock``; naming the function without calling it counts as well."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and _WALL_CLOCK.search(_dotted(node)):
            yield node.lineno, f"{_dotted(node)} instead of storage.clock"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            for alias in node.names:
                if alias.name in {"time", "time_ns"}:
                    yield node.lineno, f"time.{alias.name} instead of storage.clock"


def no_transaction(tree: ast.Module) -> Iterator[Finding]:
    """Only ``portal`` opens or commits a unit of work, and only ``storage.database`` knows how."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr in {"commit", "rollback", "begin", "writing", "reading"}:
            yield node.lineno, f"{_dotted(node.func)}() outside the unit of work"


_PERSONAL: Final = re.compile(
    r"^(holder|person|applicant|operator|legal)_?(name|code|number)$"
    r"|(^|_)(id_?number|id_?card|resident_?id|uscc|phone|mobile|address_of_holder|birth(day|_date)?)($|_)"
    r"|^(name|code)_(cipher|plain)$"
    r"|^(face|holder|holders)$"
)
_LOGGING: Final = {"debug", "info", "warning", "error", "exception", "critical", "log"}
_LOGGER: Final = re.compile(r"(^|[._])(log|logs|logger|logging)\d?$", re.IGNORECASE)


def _personal_names(node: ast.expr) -> Iterator[str]:
    for part in ast.walk(node):
        name = part.id if isinstance(part, ast.Name) else part.attr if isinstance(part, ast.Attribute) else ""
        if _PERSONAL.search(name.lower()):
            yield name


def _shows_text(call: ast.Call) -> bool:
    function = _dotted(call.func)
    if isinstance(call.func, ast.Attribute) and call.func.attr in _LOGGING:
        return bool(_LOGGER.search(_dotted(call.func.value)))
    return function == "print" or function.endswith("Error")


def no_personal_data_in_logs(tree: ast.Module) -> Iterator[Finding]:
    """No log line, print or error is given a value whose name says that it is about a person."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and _shows_text(node)):
            continue
        for argument in node.args:
            for name in _personal_names(argument):
                yield node.lineno, f"{name} reaches {_dotted(node.func)}()"
        for keyword in node.keywords:
            names = list(_personal_names(keyword.value))
            if keyword.arg and _PERSONAL.search(keyword.arg.lower()):
                names.append(keyword.arg)
            for name in names:
                yield node.lineno, f"{name} reaches {_dotted(node.func)}()"


def no_relationship(tree: ast.Module) -> Iterator[Finding]:
    """Rooms refer to each other by identifier, never by an ORM relationship."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _dotted(node.func).rpartition(".")[2] == "relationship":
            yield node.lineno, "ORM relationship"


def functions_over(limit: int) -> Rule:
    """Make the rule that no function is longer than ``limit`` lines, decorators not counted."""

    def rule(tree: ast.Module) -> Iterator[Finding]:
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > limit:
                    yield node.lineno, f"{node.name} has {lines} lines, {limit} are allowed"

    return rule
