# SPDX-License-Identifier: Apache-2.0
"""Inside a room, too, some libraries have one home: import-linter guards the rooms, this the corners."""

import ast
from collections.abc import Iterator

import pytest
from source_rules import product_sources

HOMES = {
    "cryptography": ("seals/", "storage/ledger/", "storage/secrets.py"),
    "elasticsearch": ("indexer/elastic.py",),
    "minio": ("storage/objects",),
}
PURE = {
    "storage/ledger/proofs.py": {"sqlalchemy", "flask", "pydantic", "pydantic_settings", "storage.database"},
    "storage/clock.py": {"sqlalchemy"},
    "storage/errors.py": {"sqlalchemy"},
    "storage/identity.py": {"sqlalchemy"},
}


def _imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def _is_part(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize("library", HOMES)
def test_a_library_stays_at_home(library: str) -> None:
    strays = [
        source.name
        for source in product_sources()
        if not source.name.startswith(HOMES[library])
        if any(_is_part(name, library) for name in _imports(source.tree))
    ]
    assert strays == []


def test_pure_modules_import_no_library_with_effects() -> None:
    impure = [
        f"{source.name} imports {name}"
        for source in product_sources()
        for name in _imports(source.tree)
        if any(_is_part(name, package) for package in PURE.get(source.name, ()))
    ]
    assert impure == []


def test_relative_imports_are_not_used() -> None:
    relative = [
        f"{source.name}:{node.lineno}"
        for source in product_sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom) and node.level
    ]
    assert relative == []
