# SPDX-License-Identifier: Apache-2.0
"""The lint of licence types: what is shipped is well, each fault has its code, nothing is echoed."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest
from editions import NEW_TYPE, new_types, type_entry
from hypothesis import given
from hypothesis import strategies as st

from cases.items import ItemCatalogue
from cases.lint import blocking
from licenses.catalogue import TypeCatalogue, read_types, shipped_document
from licenses.layout import template_names
from licenses.sentences import SENTENCES, WARNINGS
from licenses.types_lint import TypeGround, lint_types

TYPES = TypeCatalogue.load()
ITEMS = frozenset(one.code for one in ItemCatalogue.load().items)
GROUND = TypeGround(ITEMS, template_names(), TYPES.held, {TYPES.version})
FRESH = TypeGround(ITEMS, template_names(), {})
FOOD, ESTATE, ROAD = "11339999DEM0010178001", "11100000MB03271699001", "11100000000019713D008"
DANGEROUS = "11100000000019713D016"
Change = Callable[[dict[str, Any]], object]


def edition(change: Change = lambda _type: None, code: str = NEW_TYPE, **document: Any) -> dict[str, Any]:
    """Give a sound edition of one type, changed."""
    entry = type_entry(code)
    change(entry)
    return {"version": "2027-01", "types": [entry]} | document


def codes(document: Any, ground: TypeGround = GROUND) -> list[tuple[str, str]]:
    return [(one.code, one.path) for one in lint_types(document, ground)]


def field(name: str, /, **changes: Any) -> Change:
    """Change one field of a type; ``None`` takes a member away."""

    def change(entry: dict[str, Any]) -> None:
        (found,) = (one for one in entry["fields"] if one["name"] == name)
        found |= changes
        for key in [key for key, value in changes.items() if value is None]:
            del found[key]

    return change


def members(**changes: Any) -> Change:
    return lambda entry: entry.update(changes)


def added(**changes: Any) -> Change:
    """Add a field."""
    made = {"name": "more", "zh": "又一项", "en": "More", "pinyin": "YYX", "example": "1"} | changes
    return lambda entry: entry["fields"].append(made)


def place(name: str, code: str = NEW_TYPE) -> int:
    return [one["name"] for one in type_entry(code)["fields"]].index(name)


def test_what_is_shipped_passes_without_any_finding() -> None:
    assert codes(shipped_document(), FRESH) == []


def test_a_new_type_passes_and_held_versions_may_be_repeated_unchanged() -> None:
    assert codes(edition()) == []
    repeated = edition()
    repeated["types"] += shipped_document()["types"]
    assert codes(repeated) == []


def test_a_new_version_of_a_type_passes() -> None:
    assert codes(edition(code=FOOD)) == []


LAST = len(type_entry()["fields"])
FAULTS: list[tuple[Change, str, str]] = [
    (members(code="11339999DEM0010179001"), "code-uscc", "/code"),
    (members(template="no_such.typ"), "template-unknown", "/template"),
    (
        members(division_templates={"339999": "no_such.typ"}),
        "template-unknown",
        "/division_templates/339999",
    ),
    (
        members(validity={"until": "open", "max_years": 5, "range": "长期"}),
        "validity-contradicts",
        "/validity/max_years",
    ),
    (
        members(validity={"until": "required", "start": "open", "range": "5年"}),
        "validity-contradicts",
        "/validity/start",
    ),
    (
        members(validity={"until": "optional", "range": "长期"}),
        "validity-field",
        f"/fields/{place('valid_until')}",
    ),
    (members(holders="several"), "holders-detail", "/holders"),
    (added(name="operator"), "name-twice", f"/fields/{LAST}/name"),
    (added(pinyin="XKZH"), "pinyin-twice", f"/fields/{LAST}/pinyin"),
    (added(type="choice"), "choice-values", f"/fields/{LAST}"),
    (added(values=["a"]), "choice-values", f"/fields/{LAST}"),
    (added(kind="detail"), "detail-columns", f"/fields/{LAST}"),
    (added(type="integer", min="a"), "range-form", f"/fields/{LAST}/min"),
    (added(min="1"), "range-form", f"/fields/{LAST}/min"),
    (added(type="integer", min="2", max="1"), "range-empty", f"/fields/{LAST}"),
    (added(type="date", min="2027-01-01", max="2026-01-01"), "range-empty", f"/fields/{LAST}"),
    (added(precision=2), "precision-not-decimal", f"/fields/{LAST}/precision"),
    (added(type="integer", pattern="year"), "pattern-not-text", f"/fields/{LAST}/pattern"),
    (added(pattern="uscc"), "example-rule", f"/fields/{LAST}/example"),
    (added(type="integer", max="0"), "example-rule", f"/fields/{LAST}/example"),
    (added(source="number"), "source-twice", f"/fields/{LAST}/source"),
    (field("branches", source="number"), "detail-value", f"/fields/{place('branches')}"),
    (members(aliases=[{"scheme": "a", "code": "1"}] * 2), "alias-twice", "/aliases/1"),
    (members(covers=[{"type": NEW_TYPE, "fields": {}}]), "cover-itself", "/covers/0/type"),
    (members(covers=[{"type": "1" * 21, "fields": {}}]), "cover-unknown", "/covers/0/type"),
    (
        members(covers=[{"type": FOOD, "fields": {"nothing": "operator"}}]),
        "cover-field-unknown",
        "/covers/0/fields/nothing",
    ),
    (
        members(covers=[{"type": FOOD, "fields": {"premises": "nothing"}}]),
        "cover-field-unknown",
        "/covers/0/fields/premises",
    ),
    (
        members(covers=[{"type": FOOD, "fields": {"premises": "valid_from"}}]),
        "cover-field-type",
        "/covers/0/fields/premises",
    ),
    (members(covers=[{"type": FOOD, "fields": {}}] * 2), "cover-twice", "/covers/1/type"),
]


@pytest.mark.parametrize(
    ("change", "code", "path"), FAULTS, ids=[f"{one[1]}-{n}" for n, one in enumerate(FAULTS)]
)
def test_each_fault_of_a_type_has_its_code_and_place_and_blocks(change: Change, code: str, path: str) -> None:
    found = lint_types(edition(change), GROUND)
    assert (code, f"/types/0{path}") in [(one.code, one.path) for one in blocking(found)]


def test_an_alias_of_another_type_is_taken() -> None:
    alias = [{"scheme": "demo-province", "code": "8f1d5c1a7b6e4d0f9a2b3c4d5e6f7081"}]
    assert codes(edition(members(aliases=alias))) == [("alias-twice", "/types/0/aliases/0")]
    assert codes(edition(members(aliases=alias), ESTATE)) == []


@pytest.mark.parametrize(
    ("code", "change", "finding", "path"),
    [
        (FOOD, field("premises", type="integer", example="1"), "field-meaning", "premises"),
        (FOOD, field("premises", pinyin="XXX"), "field-meaning", "premises"),
        (FOOD, field("premises", source="holder.code"), "field-meaning", "premises"),
        (
            ESTATE,
            lambda entry: entry["fields"][5]["columns"][2].update(pinyin="XXX"),
            "field-meaning",
            "owners",
        ),
    ],
)
def test_a_field_in_force_never_means_something_else(
    code: str, change: Change, finding: str, path: str
) -> None:
    found = codes(edition(change, code))
    assert any(
        one == finding and where.startswith(f"/types/0/fields/{place(path, code)}") for one, where in found
    )


def test_a_key_of_the_metadata_is_not_given_to_another_field() -> None:
    renamed = edition(field("premises", name="place"), FOOD)
    assert ("field-meaning", f"/types/0/fields/{place('premises', FOOD)}/pinyin") in codes(renamed)


def test_a_version_in_force_is_never_altered_and_an_older_one_comes_too_late() -> None:
    altered = edition(members(version="2026-01", zh="改名"), FOOD)
    assert codes(altered) == [("type-altered", "/types/0"), ("nothing-new", "")]
    assert codes(edition(members(version="2025-01"), FOOD)) == [("version-backwards", "/types/0/version")]


def test_a_type_listed_twice_a_version_used_twice_and_nothing_new_are_refused() -> None:
    twice = edition()
    twice["types"] *= 2
    assert codes(twice) == [("type-twice", "/types/1")]
    assert codes(edition(version="2026-11")) == [("version-taken", "/version")]
    assert codes(shipped_document() | {"version": "2027-01"}) == [("nothing-new", "")]


@pytest.mark.parametrize(
    ("code", "change", "finding"),
    [
        (NEW_TYPE, members(related_items=["000000000000"]), "related-item-unknown"),
        (NEW_TYPE, members(state="unpublished", code="11339999DEM0010179001"), "code-uscc-unpublished"),
        (NEW_TYPE, field("domicile", example=None), "example-missing"),
        (NEW_TYPE, lambda entry: entry["fields"].pop(place("issuer")), "source-missing"),
        (NEW_TYPE, lambda entry: entry["fields"].pop(place("valid_until")), "validity-unseen"),
        (NEW_TYPE, members(covers=[{"type": FOOD, "fields": {}}]), "cover-incomplete"),
        (FOOD, field("legal_representative", sensitive=False), "sensitive-dropped"),
        (FOOD, field("premises", max_length=10), "field-narrowed"),
        (FOOD, field("business_form", values=["餐饮服务经营者"]), "field-narrowed"),
        (FOOD, lambda entry: entry["fields"].pop(), "field-removed"),
        (ROAD, members(provisional=True), "provisional-again"),
        (ROAD, members(covers=[{"type": DANGEROUS, "fields": {}}]), "cover-mutual"),
    ],
)
def test_what_two_persons_must_weigh_is_a_warning_and_does_not_block(
    code: str, change: Change, finding: str
) -> None:
    found = lint_types(edition(change, code), GROUND)
    assert finding in {one.code for one in found}
    assert blocking(found) == ()


def test_what_does_not_block_can_be_read_as_types() -> None:
    for document in (edition(), edition(members(related_items=["000000000000"])), shipped_document()):
        assert len(read_types(document)) == len(document["types"])


def test_a_document_of_another_form_is_told_by_the_schema_alone() -> None:
    found = lint_types(edition(members(colour="red")), GROUND)
    assert [(one.code, one.path, one.rule) for one in found] == [
        ("schema", "/types/0", "additionalProperties")
    ]


def test_every_sentence_is_used_in_some_case_here_or_names_a_rule_of_its_own() -> None:
    assert set(SENTENCES) >= WARNINGS
    assert all(zh and en for zh, en in SENTENCES.values())


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(0, 10**6) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(st.data())
def test_any_change_of_a_type_is_judged_and_what_passes_can_be_adopted(data: st.DataObject) -> None:
    entry = copy.deepcopy(data.draw(st.sampled_from(shipped_document()["types"])) | {"version": "2027-01"})
    member = data.draw(st.sampled_from(sorted(entry)))
    entry[member] = data.draw(
        _JSON | st.sampled_from([one.get(member) for one in shipped_document()["types"]])
    )
    document = {"version": "2027-01", "types": [entry]}
    found = lint_types(document, GROUND)
    if not blocking(found):
        assert TypeCatalogue.load().adopt(read_types(document), 1) == ()


@given(st.data())
def test_any_change_of_a_field_is_judged_and_what_passes_can_be_adopted(data: st.DataObject) -> None:
    entry = json.loads(new_types())["types"][0]
    chosen = data.draw(st.sampled_from(entry["fields"]))
    pool = [one for kind in shipped_document()["types"] for one in kind["fields"]]
    for _ in range(data.draw(st.integers(1, 3))):
        other = data.draw(st.sampled_from(pool))
        member = data.draw(st.sampled_from(sorted(other)))
        chosen[member] = copy.deepcopy(other[member])
    document = {"version": "2027-01", "types": [entry]}
    found = lint_types(document, GROUND)
    assert "type-contradicts" not in {one.code for one in found}, "each contradiction has a code of its own"
    if not blocking(found):
        assert TypeCatalogue.load().adopt(read_types(document), 1) == ()
