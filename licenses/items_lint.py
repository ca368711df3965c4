# SPDX-License-Identifier: Apache-2.0
"""Lint of the items of a licence type, and of what they mean from one version to the next; pure.

Findings are pairs of code and place; :mod:`licenses.types_lint` puts them into words.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from pydantic import ValidationError

from licenses.definition import Column, DataItem, FaceField, LicenseType
from licenses.values import FieldType, broken_rule, from_text, is_empty_range, is_limit

Path: TypeAlias = tuple[str | int, ...]
_Found: TypeAlias = Iterator[tuple[str, Path]]
_MEANING: Final = ("type", "pinyin", "source", "kind")
"""What a field means: rules of proof, metadata and other systems read it by its name."""


def item_findings(fields: Sequence[Mapping[str, Any]]) -> _Found:
    """Give what speaks against the items of a type, each by itself and side by side."""
    yield from _named_twice(fields, ())
    for place, field in enumerate(fields):
        columns = field.get("columns", ())
        yield from _named_twice(columns, (place, "columns"))
        is_detail = field.get("kind") == "detail"
        if is_detail != bool(columns):
            yield "detail-columns", (place,)
        if is_detail and any(name in field for name in ("source", "type", "min", "max", "pattern", "values")):
            yield "detail-value", (place,)
        if not is_detail:
            yield from _about_value(field, (place,))
        for number, column in enumerate(columns):
            yield from _about_value(column, (place, "columns", number))


def _named_twice(items: Sequence[Mapping[str, Any]], path: Path) -> _Found:
    for key, code in (("name", "name-twice"), ("pinyin", "pinyin-twice")):
        seen = [item[key] for item in items]
        for place, value in enumerate(seen):
            if value in seen[:place]:
                yield code, (*path, place, key)


def _about_value(item: Mapping[str, Any], path: Path) -> _Found:
    kind = FieldType(item.get("type", "text"))
    if (kind is FieldType.CHOICE) != bool(item.get("values")):
        yield "choice-values", path
        return
    if "precision" in item and kind is not FieldType.DECIMAL:
        yield "precision-not-decimal", (*path, "precision")
    if "pattern" in item and kind is not FieldType.TEXT:
        yield "pattern-not-text", (*path, "pattern")
    limits = [(name, item[name]) for name in ("min", "max") if name in item]
    wrong = [name for name, text in limits if not is_limit(kind, text)]
    for name in wrong:
        yield "range-form", (*path, name)
    if not wrong and len(limits) == 2 and is_empty_range(kind, item["min"], item["max"]):
        yield "range-empty", path
    elif not wrong:
        yield from _about_example(item, path)


def _about_example(item: Mapping[str, Any], path: Path) -> _Found:
    text = item.get("example", "")
    if not text:
        if item.get("required", True):
            yield "example-missing", path
        return
    try:
        read = (Column if "columns" in path else FaceField).model_validate(item)
    except ValidationError:
        return
    if broken_rule(read, from_text(read, text)) is not None:
        yield "example-rule", (*path, "example")


def meaning_findings(before: LicenseType, after: LicenseType) -> _Found:
    """Give what a new version would change in the meaning of the fields that are in force."""
    names = {field.pinyin: field.name for field in before.fields}
    for place, field in enumerate(after.fields):
        held = before.field(field.name)
        if held is None:
            if field.pinyin in names:
                yield "field-meaning", ("fields", place, "pinyin")
            continue
        if any(getattr(held, name) != getattr(field, name) for name in _MEANING):
            yield "field-meaning", ("fields", place)
        yield from _narrowed(held, field, ("fields", place))
        yield from _columns_meaning(held, field, ("fields", place, "columns"))
    if any(after.field(field.name) is None for field in before.fields):
        yield "field-removed", ("fields",)
    if before.provisional is False and after.provisional:
        yield "provisional-again", ("provisional",)


def _columns_meaning(before: FaceField, after: FaceField, path: Path) -> _Found:
    held = {column.name: column for column in before.columns}
    for number, column in enumerate(after.columns):
        was = held.pop(column.name, None)
        if was is None:
            continue
        if (was.type, was.pinyin, was.role) != (column.type, column.pinyin, column.role):
            yield "field-meaning", (*path, number)
        yield from _narrowed(was, column, (*path, number))
    if held:
        yield "field-removed", path


def _narrowed(before: DataItem, after: DataItem, path: Path) -> _Found:
    if after.max_length < before.max_length or set(before.values) - set(after.values):
        yield "field-narrowed", path
    if before.sensitive and not after.sensitive:
        yield "sensitive-dropped", path
