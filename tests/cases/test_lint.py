# SPDX-License-Identifier: Apache-2.0
"""The lint of the catalogue of items: what is shipped is well, each fault has its code, nothing is echoed."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.items import DATA, ItemCatalogue
from cases.lint import MOST_BYTES, ItemGround, blocking, lint_items, read_document
from licenses.catalogue import TypeCatalogue

CATALOGUE = ItemCatalogue.load()
SHIPPED = json.loads((DATA / "items.json").read_bytes())
GROUND = ItemGround(
    departments=frozenset(one.code for one in CATALOGUE.departments),
    license_types=frozenset(one.code for one in TypeCatalogue.load().all()),
    held={(one.code, one.edition): one for one in CATALOGUE.items},
    versions=frozenset({CATALOGUE.version}),
)
Change = Callable[[dict[str, Any]], object]


def edition(change: Change = lambda _item: None, **document: Any) -> dict[str, Any]:
    """Give a sound edition of one item, changed."""
    item = copy.deepcopy(SHIPPED["items"][0]) | {"edition": "2027-01"}
    change(item)
    return {"version": "2027-01", "items": [item]} | document


def codes(document: Any, ground: ItemGround = GROUND) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in lint_items(document, ground)]


def test_what_is_shipped_passes() -> None:
    data = (DATA / "items.json").read_bytes()
    document, found = read_document(data)
    assert found == ()
    empty = ItemGround(GROUND.departments, GROUND.license_types, {})
    assert lint_items(document, empty) == ()


def test_a_new_edition_of_an_item_passes_and_held_ones_may_be_repeated_unchanged() -> None:
    assert codes(edition()) == []
    repeated = edition()
    repeated["items"] += SHIPPED["items"]
    assert codes(repeated) == []


def _longer(item: dict[str, Any]) -> None:
    item["retention"] = [
        {"code": "D30", "when": {"result": ["approved", "refused"]}, "zh": "一", "en": "one"},
        {"code": "Y", "when": {"result": ["approved"]}, "zh": "二", "en": "two"},
        {"code": "D10", "when": {}, "zh": "三", "en": "three"},
    ]


FAULTS: dict[str, tuple[Change, str]] = {
    "department-unknown": (lambda item: item.update(department="nobody"), "/items/0/department"),
    "licence-type-unknown": (
        lambda item: item.update(license_type="11100000MB0143028R999"),
        "/items/0/license_type",
    ),
    "filing-days": (lambda item: item.update(filing_days=0), "/items/0/filing_days"),
    "material-twice": (
        lambda item: item["materials"].append(item["materials"][0]),
        "/items/0/materials/7/code",
    ),
    "group-without-required": (
        lambda item: item.update(materials=item["materials"][:4]),
        "/items/0/materials",
    ),
    "retention-last": (lambda item: item["retention"].pop(), "/items/0/retention/0/when"),
    "retention-unreachable": (_longer, "/items/0/retention/1"),
    "retention-never": (
        lambda item: item["retention"][0].update(when={"weather": ["rain"]}),
        "/items/0/retention/0/when",
    ),
    "item-altered": (lambda item: item.update(edition="2026-03", filing_days=20), "/items/0"),
    "edition-backwards": (lambda item: item.update(edition="2025-01"), "/items/0/edition"),
    "text-unseen": (lambda item: item.update(zh="企业\u202e登记"), "/items/0/zh"),
}


@pytest.mark.parametrize("code", FAULTS)
def test_each_fault_has_its_code_and_its_place(code: str) -> None:
    change, path = FAULTS[code]
    assert (code, path) in codes(edition(change))


def test_only_what_persons_may_judge_is_a_warning() -> None:
    warned = {
        one.code
        for change, _ in FAULTS.values()
        for one in lint_items(edition(change), GROUND)
        if not one.blocks
    }
    assert warned == {"edition-backwards", "group-without-required"}


def test_an_edition_is_named_once_brings_something_and_lists_nothing_twice() -> None:
    assert codes(edition(version="2026-11")) == [("version-taken", "/version")]
    assert codes(edition(items=SHIPPED["items"])) == [("nothing-new", "")]
    twice = edition()
    twice["items"] *= 2
    assert codes(twice) == [("item-twice", "/items/1")]


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda item: item.pop("zh"), "/items/0"),
        (lambda item: item.update(secret="x"), "/items/0"),
        (lambda item: item.update(filing_days="5"), "/items/0/filing_days"),
        (lambda item: item.update(filing_days=True), "/items/0/filing_days"),
        (lambda item: item.update(license_type="x"), "/items/0/license_type"),
        (lambda item: item["materials"][0].update(group="other"), "/items/0/materials/0/group"),
        (lambda item: item["retention"][0].update(code="D20"), "/items/0/retention/0/code"),
        (lambda item: item.update(code="../../etc"), "/items/0/code"),
    ],
)
def test_what_does_not_follow_the_schema_is_told_with_its_place(change: Change, path: str) -> None:
    assert codes(edition(change)) == [("schema", path)]


@pytest.mark.parametrize("document", [None, [], {}, 5, "x", {"version": "1"}, {"version": "1", "items": {}}])
def test_what_is_no_edition_at_all_is_found_and_not_stumbled_over(document: Any) -> None:
    assert {code for code, _ in codes(document)} == {"schema"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "document-size"),
        (b" " * (MOST_BYTES + 1), "document-size"),
        (b"\xff\xfe{}", "json"),
        (b'{"version": "1", "version": "2"}', "json"),
        (b'{"version": 1.0}', "json"),
        (b'{"version": NaN}', "json"),
        (b'{"version": 1e9}', "json"),
        (b'{"version": ' + b"9" * 5000 + b"}", "json"),
        (b'{"version": "\\ud800"}', "json"),
        (b"[" * 100_000, "json"),
        (b"[" * 20_000 + b"]" * 20_000, "json"),
    ],
)
def test_bytes_that_are_no_plain_json_are_refused_by_code(data: bytes, code: str) -> None:
    document, found = read_document(data)
    assert document is None
    assert [one.code for one in found] == [code]


def test_a_finding_repeats_no_value() -> None:
    mark = "Zzmark"
    changes: list[Change] = [
        lambda item: item.update(department=mark),
        lambda item: item.update(zh=mark + "\u200b"),
        lambda item: item.update({mark: 1}),
        lambda item: item["materials"][0].update(group=mark),
    ]
    for change in changes:
        found = lint_items(edition(change), GROUND)
        assert blocking(found)
        assert mark not in repr(found)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 200) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@given(
    st.sampled_from(
        ["code", "edition", "department", "zh", "license_type", "filing_days", "materials", "retention"]
    ),
    json_values,
)
def test_whatever_stands_in_a_field_the_lint_answers(field: str, value: Any) -> None:
    for one in lint_items(edition(lambda item: item.update({field: value})), GROUND):
        assert one.code
        assert one.path.startswith("/")
