# SPDX-License-Identifier: Apache-2.0
"""What a proposed edition would change, side by side with what is in force, in the words of the document."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from archive.numbering import NumberTemplate
from cases.items import Item
from licenses.definition import LicenseType
from licenses.relation_table import RelationTable
from licenses.rules import Rule
from licenses.stock.profiles import Profile

_FIELDS: Final = ("department", "zh", "en", "license_type", "filing_days")


@dataclass(frozen=True, slots=True)
class Row:
    """A place in the document, with what stands there now and what would; empty is nothing."""

    place: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What changes of one item or fonds.

    Attributes:
        name: Code of the item with its new edition, or the fonds.
        zh: Name in Chinese, or empty.
        en: Name in English, or empty.
        against: What it is compared with; empty when it is altogether new.
        rows: What differs.
    """

    name: str
    zh: str
    en: str
    against: str
    rows: tuple[Row, ...]


def of_items(items: Iterable[Item], held: Mapping[tuple[str, str], Item]) -> list[Difference]:
    """Compare the new items with the newest held edition of each; what is held already is left out."""
    found = []
    for item in items:
        if (item.code, item.edition) in held:
            continue
        editions = sorted(edition for code, edition in held if code == item.code)
        before = held[item.code, editions[-1]] if editions else None
        rows = _rows({} if before is None else _parts(before), _parts(item))
        against = before.edition if before is not None else ""
        found.append(Difference(f"{item.code} {item.edition}", item.zh, item.en, against, rows))
    return found


def of_types(types: Iterable[LicenseType], held: Mapping[tuple[str, str], LicenseType]) -> list[Difference]:
    """Compare the new versions with the newest held one of each type; what is held already is left out."""
    found = []
    for kind in types:
        if (kind.code, kind.version) in held:
            continue
        versions = sorted(version for code, version in held if code == kind.code)
        before = held[kind.code, versions[-1]] if versions else None
        rows = _rows({} if before is None else _statements(before), _statements(kind))
        against = before.version if before is not None else ""
        found.append(Difference(f"{kind.code} {kind.version}", kind.zh, kind.en, against, rows))
    return found


def of_templates(templates: Iterable[NumberTemplate], held: Sequence[NumberTemplate]) -> list[Difference]:
    """Compare templates with the newest held one of each fonds; what does not change is left out."""
    newest = {template.fonds: template for template in held}
    found = []
    for template in templates:
        before = newest.get(template.fonds)
        if before != template:
            rows = _rows({} if before is None else _number(before), _number(template))
            found.append(Difference(template.fonds, "", "", "" if before is None else before.fonds, rows))
    return found


def of_rules(rules: Iterable[Rule], held: Sequence[Rule]) -> list[Difference]:
    """Compare rules with the newest held version of each; what is held already is left out."""
    known = {one.digest for one in held}
    newest = {one.body.rule_id: one for one in sorted(held, key=lambda one: one.body.version)}
    found = []
    for rule in rules:
        if rule.digest in known:
            continue
        before = newest.get(rule.body.rule_id)
        rows = _rows({} if before is None else _stated(before), _stated(rule))
        against = f"v{before.body.version}" if before is not None else ""
        found.append(Difference(f"{rule.body.rule_id} v{rule.body.version}", "", "", against, rows))
    return found


def of_profiles(profiles: Iterable[Profile], held: Mapping[tuple[str, str], Profile]) -> list[Difference]:
    """Compare profiles with the newest held version of each; what is held already is left out."""
    newest = {key[0]: held[key] for key in sorted(held)}
    found = []
    for profile in profiles:
        if (profile.id, profile.version) in held:
            continue
        before = newest.get(profile.id)
        rows = _rows({} if before is None else _spelled(before), _spelled(profile))
        against = before.version if before is not None else ""
        found.append(Difference(f"{profile.id} {profile.version}", profile.zh, profile.en, against, rows))
    return found


def of_relations(table: RelationTable, held: RelationTable) -> list[Difference]:
    """Compare a table of relations with the one in force."""
    rows = _rows(_related(held), _related(table))
    return [Difference(f"relations {table.version}", "", "", held.version, rows)]


def _spelled(profile: Profile) -> dict[str, str]:
    """Give what a profile says, column by column."""
    read = profile.model_dump(mode="json", exclude_defaults=True, exclude={"id", "version"})
    return dict(_flat(read))


def _flat(read: Mapping[str, Any], place: str = "") -> Iterable[tuple[str, str]]:
    for name, value in read.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{place}{name}/")
        elif isinstance(value, list) and any(isinstance(one, dict) for one in value):
            yield from ((f"{place}{name}/{number}", _text(one)) for number, one in enumerate(value))
        else:
            yield f"{place}{name}", _text(value)


def _related(table: RelationTable) -> dict[str, str]:
    """Give what a table says: kinds by code, statements by type and relation, lookups by item."""
    parts = {"trust": _text(list(table.trust))}
    parts |= {f"relations/{one.code}": _text(one.model_dump(exclude={"code"})) for one in table.relations}
    for one in table.statements:
        said = one.model_dump(exclude_defaults=True, exclude={"type", "relation"})
        place = f"statements/{one.type}/{one.relation}"
        parts[place] = " · ".join(filter(None, [parts.get(place, ""), _text(said)]))
    return parts | {f"lookups/{one.item}": _text(list(one.relations)) for one in table.lookups}


def _stated(rule: Rule) -> dict[str, str]:
    """Give what a rule states, requirement by requirement."""
    read = rule.body.model_dump(mode="json", exclude_defaults=True, exclude={"version", "requirements"})
    parts = {name: _text(value) for name, value in read.items()}
    for one in rule.body.requirements:
        said = one.model_dump(mode="json", exclude_defaults=True, exclude={"id", "alternatives", "fallback"})
        parts[f"requirements/{one.id}"] = " · ".join(f"{name}={_text(value)}" for name, value in said.items())
        for place, alternative in enumerate(one.alternatives):
            for number, evidence in enumerate(alternative.all_of):
                text = _text(evidence.model_dump(mode="json", exclude_defaults=True))
                parts[f"requirements/{one.id}/alternatives/{place}/{number}"] = text
        for rung in one.fallback:
            parts[f"requirements/{one.id}/fallback/{rung.kind}"] = _text(rung.model_dump(mode="json"))
    return parts


def _parts(item: Item) -> dict[str, str]:
    parts = {name: _text(getattr(item, name)) for name in _FIELDS}
    if item.basic_code is not None:
        parts["basic_code"] = item.basic_code
    for material in item.materials:
        needed = "required" if material.required else "optional"
        parts[f"materials/{material.code}"] = f"{material.zh} · {material.en} · {material.group} · {needed}"
    for place, rule in enumerate(item.retention_rules):
        when = {name: sorted(values) for name, values in rule.when.items()}
        parts[f"retention/{place}"] = f"{rule.code} · {_text(when)} · {rule.zh} · {rule.en}"
    return parts


def _statements(kind: LicenseType) -> dict[str, str]:
    """Give what a type states, place by place; what is as it usually is, is left out."""
    read = kind.model_dump(mode="json", exclude_defaults=True, exclude={"code", "version", "fields"})
    parts = {name: _text(value) for name, value in read.items()}
    for field in kind.fields:
        said = field.model_dump(mode="json", exclude_defaults=True, exclude={"name", "columns"})
        parts[f"fields/{field.name}"] = _listed(said)
        for column in field.columns:
            said = column.model_dump(mode="json", exclude_defaults=True, exclude={"name"})
            parts[f"fields/{field.name}/columns/{column.name}"] = _listed(said)
    return parts


def _listed(said: Mapping[str, Any]) -> str:
    words = [said["zh"], said["en"], said["pinyin"]]
    words += [f"{name}={_text(value)}" for name, value in said.items() if name not in {"zh", "en", "pinyin"}]
    return " · ".join(words)


def _number(template: NumberTemplate) -> dict[str, str]:
    return {
        "template": template.template,
        "width": str(template.width),
        "example": template.compose(2027, "D30", 1),
    }


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a document may hold
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _rows(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[Row, ...]:
    places = dict.fromkeys((*after, *before))
    rows = (Row(place, before.get(place, ""), after.get(place, "")) for place in places)
    return tuple(row for row in rows if row.before != row.after)
