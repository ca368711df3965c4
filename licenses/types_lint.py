# SPDX-License-Identifier: Apache-2.0
"""Lint of a proposed edition of the catalogue of licence types; pure, like :mod:`cases.lint`."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from cases.identifiers import is_uscc
from cases.lint import MOST_FINDINGS, LintFinding, nothing_new, schema_findings, version_findings
from cases.text_places import pointer
from licenses.catalogue import SCHEMA
from licenses.definition import LicenseType
from licenses.items_lint import Path, item_findings, meaning_findings
from licenses.sentences import SENTENCES, WARNINGS
from storage.ledger.canonical import Json

_FILLED_FROM: Final = ("holder.name", "issuer.name")
"""Sources without which a page would not say whose it is or who gave it."""


@dataclass(frozen=True, slots=True)
class TypeGround:
    """What an edition of the catalogue of licence types must fit.

    Attributes:
        items: Codes of the items.
        templates: Names of the files that set licences.
        held: Versions of types that are in force or were, by code and version: none of them may be altered.
        versions: Names of the editions that were in force.
    """

    items: Collection[str]
    templates: Collection[str]
    held: Mapping[tuple[str, str], LicenseType]
    versions: Collection[str] = ()


def lint_types(document: Json, ground: TypeGround) -> tuple[LintFinding, ...]:
    """Give what speaks against a document as an edition of the catalogue of types; nothing is well."""
    found = schema_findings(document, SCHEMA)
    if found or not isinstance(document, dict):
        return found
    return tuple(itertools.islice(_findings(document, ground), MOST_FINDINGS))


def _findings(document: Mapping[str, Any], ground: TypeGround) -> Iterator[LintFinding]:
    yield from version_findings(document["version"], ground.versions)
    entries: list[dict[str, Any]] = document["types"]
    keys = [(entry["code"], entry["version"]) for entry in entries]
    newest = {code: kind for (code, _), kind in sorted(ground.held.items())}
    known = {kind.code: kind for kind in newest.values()}
    read = [_read(entry) for entry in entries]
    known |= {kind.code: kind for kind in read if kind is not None}
    for place, (entry, key, kind) in enumerate(zip(entries, keys, read, strict=True)):
        path: Path = ("types", place)
        if entry["code"] in [code for code, _ in keys[:place]]:
            yield _found("type-twice", path)
        faults = list(_about(entry, path, ground))
        yield from faults
        if kind is None:
            if not any(one.blocks for one in faults):
                yield _found("type-contradicts", path)
            continue
        yield from _about_aliases(kind, path, {**newest, **{one.code: one for one in read if one}})
        yield from _about_covers(kind, path, known)
        if ground.held.get(key, kind) != kind:
            yield _found("type-altered", path)
        before = newest.get(kind.code)
        if before is not None and key not in ground.held:
            if kind.version <= before.version:
                yield _found("version-backwards", (*path, "version"))
            yield from _findings_of(meaning_findings(before, kind), path)
    if set(keys) <= set(ground.held):
        yield nothing_new()


def _read(entry: Mapping[str, Any]) -> LicenseType | None:
    try:
        return LicenseType.model_validate(entry)
    except ValidationError:
        return None


def _about(entry: Mapping[str, Any], path: Path, ground: TypeGround) -> Iterator[LintFinding]:
    if not is_uscc(entry["code"][:18]):
        code = "code-uscc" if entry["state"] == "published" else "code-uscc-unpublished"
        yield _found(code, (*path, "code"))
    templates: dict[Path, str] = {("template",): entry["template"]}
    for division, name in entry.get("division_templates", {}).items():
        templates["division_templates", division] = name
    for where, name in templates.items():
        if name not in ground.templates:
            yield _found("template-unknown", (*path, *where))
    for place, code in enumerate(entry.get("related_items", ())):
        if code not in ground.items:
            yield _found("related-item-unknown", (*path, "related_items", place))
    yield from _about_validity(entry, path)
    yield from _about_holders(entry, path)
    fields = entry["fields"]
    yield from _findings_of(item_findings(fields), (*path, "fields"))
    sources = [field["source"] for field in fields if "source" in field]
    for place, field in enumerate(fields):
        if "source" in field and field["source"] in sources[: _before(fields, place)]:
            yield _found("source-twice", (*path, "fields", place, "source"))
    if not set(_FILLED_FROM) <= set(sources):
        yield _found("source-missing", (*path, "fields"))


def _before(fields: Sequence[Mapping[str, Any]], place: int) -> int:
    return sum("source" in field for field in fields[:place])


def _about_validity(entry: Mapping[str, Any], path: Path) -> Iterator[LintFinding]:
    rule = entry["validity"]
    start = rule.get("start", "required" if rule["until"] == "required" else "optional")
    if rule["until"] == "open" and "max_years" in rule:
        yield _found("validity-contradicts", (*path, "validity", "max_years"))
    if rule["until"] == "required" and start == "open":
        yield _found("validity-contradicts", (*path, "validity", "start"))
    stated = {"valid_from": start, "valid_until": rule["until"]}
    for place, field in enumerate(entry["fields"]):
        needed = stated.get(field.get("source", ""))
        if needed == "open" or (needed == "optional" and field.get("required", True)):
            yield _found("validity-field", (*path, "fields", place))
    shown = {field.get("source") for field in entry["fields"]}
    if rule["until"] == "required" and "valid_until" not in shown:
        yield _found("validity-unseen", (*path, "validity", "until"))


def _about_holders(entry: Mapping[str, Any], path: Path) -> Iterator[LintFinding]:
    lists = [
        place
        for place, field in enumerate(entry["fields"])
        if any(column.get("role") == "holder.name" for column in field.get("columns", ()))
    ]
    if len(lists) != (entry.get("holders", "one") == "several"):
        yield _found("holders-detail", (*path, "holders"))
    for place, field in enumerate(entry["fields"]):
        roles = [column["role"] for column in field.get("columns", ()) if "role" in column]
        if len(set(roles)) != len(roles) or (roles and place not in lists):
            yield _found("holders-columns", (*path, "fields", place, "columns"))


def _about_aliases(kind: LicenseType, path: Path, known: Mapping[str, LicenseType]) -> Iterator[LintFinding]:
    taken = {alias for other in known.values() if other.code != kind.code for alias in other.aliases}
    for place, alias in enumerate(kind.aliases):
        if alias in taken or alias in kind.aliases[:place]:
            yield _found("alias-twice", (*path, "aliases", place))


def _about_covers(kind: LicenseType, path: Path, known: Mapping[str, LicenseType]) -> Iterator[LintFinding]:
    for place, cover in enumerate(kind.covers):
        where: Path = (*path, "covers", place)
        if cover.type == kind.code:
            yield _found("cover-itself", (*where, "type"))
            continue
        if cover.type in [one.type for one in kind.covers[:place]]:
            yield _found("cover-twice", (*where, "type"))
        other = known.get(cover.type)
        if other is None:
            yield _found("cover-unknown", (*where, "type"))
            continue
        if any(one.type == kind.code for one in other.covers):
            yield _found("cover-mutual", (*where, "type"))
        for theirs, ours in cover.fields.items():
            one, here = other.field(theirs), kind.field(ours)
            if one is None or here is None:
                yield _found("cover-field-unknown", (*where, "fields", theirs))
            elif (one.type, one.kind) != (here.type, here.kind):
                yield _found("cover-field-type", (*where, "fields", theirs))
        needed = {field.name for field in other.fields if field.required and field.source is None}
        if not needed <= set(cover.fields):
            yield _found("cover-incomplete", (*where, "fields"))


def _findings_of(found: Iterator[tuple[str, Path]], path: Path) -> Iterator[LintFinding]:
    for code, where in found:
        yield _found(code, (*path, *where))


def _found(code: str, path: Sequence[str | int]) -> LintFinding:
    zh, en = SENTENCES[code]
    return LintFinding(code, pointer(path), zh, en, code not in WARNINGS)
