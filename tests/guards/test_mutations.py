# SPDX-License-Identifier: Apache-2.0
"""Rules that are broken on purpose: each is where its table says, each test exists, the pages agree.

``make mutations`` breaks them; here it is only seen that it could.
"""

import ast
import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from tooling import ROOT

TABLES = sorted(path.stem for path in (ROOT / "tests" / "mutations").glob("*.json"))


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("mutations", ROOT / "scripts" / "mutations.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def functions_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("name", TABLES)
def test_each_rule_stands_once_in_its_file(script: ModuleType, name: str) -> None:
    for one in script.mutations(script.table(name)["points"]):
        text = (ROOT / one.file).read_text("utf-8")
        assert (one.file, one.old, text.count(one.old)) == (one.file, one.old, 1)
        assert one.new != one.old
        if one.file.endswith(".py"):
            # A file that does not compile turns every test red, and shows nothing of the rule.
            compile(text.replace(one.old, one.new), one.file, "exec")


@pytest.mark.parametrize("name", TABLES)
def test_each_named_test_exists(script: ModuleType, name: str) -> None:
    for one in script.mutations(script.table(name)["points"]):
        file, _, test = one.test.partition("::")
        assert test in functions_of(ROOT / file), one.test


@pytest.mark.parametrize("name", TABLES)
def test_the_page_is_what_the_table_says(script: ModuleType, name: str) -> None:
    page = (ROOT / "docs" / f"{name}.md").read_text("utf-8")
    assert page == script.page(name), f"run: python scripts/mutations.py {name} --page > docs/{name}.md"


def test_the_library_has_a_row_for_each_point_and_each_defect(script: ModuleType) -> None:
    read = script.table("licences")
    rows = {point["point"] for point in read["points"]} | set(read.get("missing", {}))
    asked, defects = {str(number) for number in range(1, 14)}, {f"L{number}" for number in range(1, 14)}
    assert rows == asked | defects | {f"S{number}" for number in range(1, 8)}


def test_asking_has_a_row_for_each_point_and_each_defect(script: ModuleType) -> None:
    read = script.table("no-proof")
    rows = {point["point"] for point in read["points"]} | set(read["missing"])
    assert rows == {str(number) for number in range(1, 19)} | {f"N{number}" for number in range(1, 11)}
