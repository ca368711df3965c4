# SPDX-License-Identifier: Apache-2.0
"""docs/privacy.md knows every table and what may hold personal data; docs/security.md names real tests."""

import re
from collections.abc import Iterator

from sqlalchemy import JSON, Column, LargeBinary, MetaData, String, Table
from tooling import ROOT

from portal.tables import all_tables

PRIVACY = (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8")
SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
PRODUCT = ("portal", "archive", "licenses", "seals", "indexer", "cases", "documents", "storage")
LONGEST_CODE = 64
"""Texts up to this length are identifiers, codes and digests; longer ones may be anything."""


def _rows(text: str) -> dict[str, str]:
    found = re.findall(r"^\| `([a-z_0-9.]+)` \|(.*)\|$", text, flags=re.M)
    return {name: rest for name, rest in found if rest.replace("|", "").strip()}


def _open_ended(column: Column[object]) -> bool:
    kind = column.type
    if isinstance(kind, LargeBinary | JSON):
        return True
    return isinstance(kind, String) and (kind.length is None or kind.length > LONGEST_CODE)


def _explained(tables: MetaData) -> Iterator[str]:
    for table in tables.tables.values():
        yield table.name
        yield from (f"{table.name}.{column.name}" for column in table.columns if _open_ended(column))


def _faults(text: str, tables: MetaData) -> set[str]:
    """Give what the page leaves out and what it tells of that does not exist."""
    rows = _rows(text)
    there = set(tables.tables) | {
        f"{table.name}.{column.name}" for table in tables.tables.values() for column in table.columns
    }
    missing = {f"missing {name}" for name in _explained(tables) if name not in rows}
    return missing | {f"gone {name}" for name in rows if name not in there}


def test_the_page_tells_of_every_table_and_every_column_that_may_hold_anything() -> None:
    assert len(list(_explained(all_tables()))) > 80
    assert _faults(PRIVACY, all_tables()) == set()


def test_a_page_that_is_behind_the_tables_is_found_out() -> None:
    tables = MetaData()
    Table(
        "person",
        tables,
        Column("id", String(26)),
        Column("name_cipher", LargeBinary),
        Column("key_hash", LargeBinary(32)),
        Column("remark", String(200)),
        Column("notes", String),
        Column("more", JSON),
    )
    Table("visit", tables, Column("id", String(26)))
    page = (
        "| `person` | a person |\n"
        "| `person.name_cipher` | the name |\n"
        "| `person.remark` | |\n"
        "| `person.address` | removed last year |\n"
        "| `parcel` | removed, too |\n"
        "In a sentence, `visit` is no row.\n"
    )
    assert _faults(page, tables) == {
        "missing person.key_hash",
        "missing person.remark",
        "missing person.notes",
        "missing person.more",
        "missing visit",
        "gone person.address",
        "gone parcel",
    }


def test_the_page_says_truly_that_no_command_destroys_a_persons_key() -> None:
    # Keys of single records are nobody's own: of an uploaded file, of a record in quarantine, of a dispute.
    records = {ROOT / "portal" / "stock" / "steps.py", ROOT / "portal" / "forgetting.py"}
    sources = (path for room in PRODUCT for path in (ROOT / room).rglob("*.py") if path not in records)
    calling = [
        path.name for path in sources if "secrets.destroy(" in path.read_text(encoding="utf-8").lower()
    ]
    assert calling == [], "docs/privacy.md says that no command does it yet: say what does, and how"
    assert "no command does it yet" in PRIVACY


def test_whatever_is_said_to_hold_names_tests_that_exist() -> None:
    rows = re.findall(r"^\| (?!What is tried|-)(.+?) \|.*\| (.*) \|$", SECURITY, flags=re.M)
    assert len(rows) > 15
    assert [attack for attack, tests in rows if "`tests/" not in tests] == []
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", SECURITY))
    assert {name for name in named if not (ROOT / name).is_file()} == set()
