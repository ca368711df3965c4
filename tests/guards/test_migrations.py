# SPDX-License-Identifier: Apache-2.0
"""One tree of migrations makes exactly the tables that the rooms' models describe."""

from pathlib import Path

import sqlalchemy as sa
from source_rules import product_sources
from tooling import ROOT

from portal.migrations import upgrading
from portal.tables import MODULES


def _tables(url: str) -> set[str]:
    engine = sa.create_engine(url)
    try:
        return set(sa.inspect(engine).get_table_names())
    finally:
        engine.dispose()


def test_every_module_with_tables_is_known_to_the_migrations() -> None:
    defining = {
        source.name.removesuffix(".py").replace("/", ".")
        for source in product_sources()
        if "__tablename__ = " in source.text
    }
    assert defining - set(MODULES) == set()


def test_models_equal_migrations(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'records.db'}"
    upgrading.upgrade(url)
    assert upgrading.is_current(url)
    assert upgrading.differences(url) == []


def test_migrations_can_be_taken_back(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'records.db'}"
    upgrading.upgrade(url)
    assert len(_tables(url)) > 10
    upgrading.downgrade(url, "base")
    assert _tables(url) <= {"alembic_version"}


def test_the_tree_has_one_line() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "portal/migrations/versions").glob("*.py")]
    parents = [line for text in texts for line in text.splitlines() if line.startswith("down_revision")]
    assert len(parents) == len(texts) == len(set(parents))
