# SPDX-License-Identifier: Apache-2.0
"""Lint of what is proposed as a new edition of data: read strictly, compared with a schema, then with sense.

Nothing here touches a database. A finding names its place as a JSON pointer and never repeats a value; errors
block an edition, warnings are for the persons who decide about it.
"""

import itertools
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from jsonschema import Draft202012Validator

from cases.identifiers import is_plain
from cases.items import DATA, Group, Item, read_item
from cases.text_places import NOWHERE, Place, nearest, place_at, pointer
from storage.ledger.canonical import Json, canonical

MOST_BYTES: Final = 256 * 1024
"""Size of a document; two hundred items with all their materials are half of it."""
MOST_FINDINGS: Final = 100
FACTS: Final[Mapping[str, frozenset[str]]] = {"result": frozenset({"approved", "refused"})}
"""What a rule of retention may ask: how the case ended."""
_DAYS: Final = range(1, 91)
_WARNINGS: Final = frozenset({"edition-backwards", "group-without-required"})
_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "document-size": (
        "文件为空、不是普通文件或超过256 KB",
        "The file is empty, no regular file, or larger than 256 KB",
    ),
    "json": (
        "不是规范的 JSON（UTF-8，键不重复，无小数）",
        "This is no plain JSON: UTF-8, no key twice, no fractions",
    ),
    "kind-unknown": (
        "不是事项目录（items）、证照类型（types）、档号模板（templates）、免证规则（rules）、映射方案（profiles）或主体关系表（relations）",
        "This holds no items, types, templates (of numbers), rules, profiles (of sources) or relations",
    ),
    "schema": ("不符合已公布的结构", "This does not follow the published schema"),
    "text-unseen": (
        "文字前后有空白，或含不可见字符",
        "The text has outer blanks or characters that are not seen",
    ),
    "version-taken": ("版本号已使用过", "This version was used already"),
    "nothing-new": ("与现行内容相比没有任何新内容", "Nothing in it is new"),
    "department-unknown": ("没有这个部门", "There is no such department"),
    "licence-type-unknown": ("没有这个证照类型", "There is no such licence type"),
    "filing-days": ("归档期限须为1至90个工作日", "A filing is due within 1 to 90 working days"),
    "item-twice": ("同一事项版本列出了两次", "The same edition of an item is listed twice"),
    "item-altered": (
        "该事项版本已生效，不得更改；请另立新版本",
        "This edition of the item is in force and never altered: make a new edition",
    ),
    "edition-backwards": (
        "该事项已有排序在后的版本",
        "The item has an edition that sorts after this one",
    ),
    "material-twice": ("材料代码重复", "A code of material is listed twice"),
    "group-without-required": (
        "申请、过程、结果三部分中有一部分没有必备材料",
        "One of application, process and result requires no material",
    ),
    "retention-last": ("最后一条保管规则必须总是适用", "The last rule of retention must always apply"),
    "retention-unreachable": (
        "前面的规则已涵盖这一条，永远用不到",
        "An earlier rule covers all of this one; it is never reached",
    ),
    "retention-never": (
        "规则所问的事实或取值不存在，永远不适用",
        "The rule asks for a fact or value that no case has; it never applies",
    ),
}


@dataclass(frozen=True, slots=True)
class LintFinding:
    """What the lint found: stable code, place as a JSON pointer, sentence in two languages.

    Attributes:
        blocks: Whether an edition with it cannot be proposed or approved.
        rule: Keyword of the schema that is broken, or empty.
        place: Line and column in the text that was sent; zero where there is none.
        about: What is in force that it is about: its id, version and parts; empty when it is the document.
    """

    code: str
    path: str
    zh: str
    en: str
    blocks: bool
    rule: str = ""
    place: Place = NOWHERE
    about: str = ""


@dataclass(frozen=True, slots=True)
class ItemGround:
    """What an edition of the catalogue of items must fit.

    Attributes:
        departments: Codes of the departments.
        license_types: Codes of the licence types.
        held: Items that are in force or were, by code and edition: none of them may be altered.
        versions: Names of the editions that were in force.
    """

    departments: Collection[str]
    license_types: Collection[str]
    held: Mapping[tuple[str, str], Item]
    versions: Collection[str] = ()


def blocking(findings: Sequence[LintFinding]) -> tuple[LintFinding, ...]:
    """Give the findings that block an edition."""
    return tuple(one for one in findings if one.blocks)


def read_document(data: bytes) -> tuple[Json, tuple[LintFinding, ...]]:
    """Read a document strictly; gives ``None`` and the finding when it cannot be read.

    What is given can be written as canonical JSON: it holds no fraction, no key twice and no half character.
    """
    if not 1 <= len(data) <= MOST_BYTES:
        return None, (_found("document-size", ()),)
    try:
        read = json.loads(
            data.decode(), object_pairs_hook=_once_each, parse_float=_refuse, parse_constant=_refuse
        )
        canonical(read)
    except json.JSONDecodeError as error:
        return None, (replace(_found("json", ()), place=place_at(error.doc, error.pos)),)
    except (ValueError, TypeError, RecursionError):
        return None, (_found("json", ()),)
    return read, ()


def schema_findings(document: Json, schema: Path) -> tuple[LintFinding, ...]:
    """Compare a document with a published schema, and look at every text in it."""
    broken = itertools.islice(_validator(schema).iter_errors(document), MOST_FINDINGS)
    found = [_found("schema", tuple(error.absolute_path), str(error.validator)) for error in broken]
    if not found:
        unseen = (_found("text-unseen", path) for path, text in _texts(document, ()) if not is_plain(text))
        found = list(itertools.islice(unseen, MOST_FINDINGS))
    return tuple(found)


def lint_items(document: Json, ground: ItemGround) -> tuple[LintFinding, ...]:
    """Give what speaks against a document as an edition of the catalogue of items; nothing is well."""
    found = schema_findings(document, DATA / "items.schema.json")
    if found or not isinstance(document, dict):
        return found
    return tuple(itertools.islice(_item_findings(document, ground), MOST_FINDINGS))


def version_findings(version: str, versions: Collection[str]) -> Iterator[LintFinding]:
    """Find a version that was used already."""
    if version in versions:
        yield _found("version-taken", ("version",))


def kind_unknown() -> LintFinding:
    """Give the finding of a document of which nobody can tell what it is an edition of."""
    return _found("kind-unknown", ())


def nothing_new() -> LintFinding:
    """Give the finding of a document that would change nothing."""
    return _found("nothing-new", ())


def located(findings: Sequence[LintFinding], places: Mapping[str, Place]) -> tuple[LintFinding, ...]:
    """Give findings with line and column of what they are about.

    Args:
        findings: The findings.
        places: Where each value of the text stands, by its pointer.
    """
    return tuple(replace(one, place=nearest(places, one.path)) for one in findings)


def _item_findings(document: Mapping[str, Any], ground: ItemGround) -> Iterator[LintFinding]:
    yield from version_findings(document["version"], ground.versions)
    items = [read_item(entry) for entry in document["items"]]
    seen: set[tuple[str, str]] = set()
    for place, item in enumerate(items):
        path, key = ("items", place), (item.code, item.edition)
        if key in seen:
            yield _found("item-twice", path)
        seen.add(key)
        if ground.held.get(key, item) != item:
            yield _found("item-altered", path)
        elif key not in ground.held and any(_later(item, held) for held in ground.held):
            yield _found("edition-backwards", (*path, "edition"))
        yield from _about(item, path, ground)
    if seen <= set(ground.held):
        yield nothing_new()


def _later(item: Item, held: tuple[str, str]) -> bool:
    return held[0] == item.code and held[1] > item.edition


def _about(item: Item, path: tuple[str | int, ...], ground: ItemGround) -> Iterator[LintFinding]:
    if item.department not in ground.departments:
        yield _found("department-unknown", (*path, "department"))
    if item.license_type is not None and item.license_type not in ground.license_types:
        yield _found("licence-type-unknown", (*path, "license_type"))
    if item.filing_days not in _DAYS:
        yield _found("filing-days", (*path, "filing_days"))
    codes = [rule.code for rule in item.materials]
    for place, code in enumerate(codes):
        if code in codes[:place]:
            yield _found("material-twice", (*path, "materials", place, "code"))
    if {rule.group for rule in item.required()} != set(Group):
        yield _found("group-without-required", (*path, "materials"))
    yield from _about_retention(item, (*path, "retention"))


def _about_retention(item: Item, path: tuple[str | int, ...]) -> Iterator[LintFinding]:
    rules = item.retention_rules
    if rules[-1].when:
        yield _found("retention-last", (*path, len(rules) - 1, "when"))
    for place, rule in enumerate(rules):
        if any(not values <= FACTS.get(name, frozenset()) for name, values in rule.when.items()):
            yield _found("retention-never", (*path, place, "when"))
        if any(_covers(earlier.when, rule.when) for earlier in rules[:place]):
            yield _found("retention-unreachable", (*path, place))


def _covers(earlier: Mapping[str, frozenset[str]], later: Mapping[str, frozenset[str]]) -> bool:
    return all(name in later and later[name] <= values for name, values in earlier.items())


def _found(code: str, path: Sequence[str | int], rule: str = "") -> LintFinding:
    zh, en = _SENTENCES[code]
    return LintFinding(code, pointer(path), zh, en, code not in _WARNINGS, rule)


def _texts(value: object, path: tuple[str | int, ...]) -> Iterator[tuple[tuple[str | int, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        for name, part in parts:
            if isinstance(name, str) and not is_plain(name):
                yield path, name
            yield from _texts(part, (*path, name))


def _once_each(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    read = dict(pairs)
    if len(read) != len(pairs):
        raise ValueError("key twice")
    return read


def _refuse(_text: str) -> None:
    raise ValueError("no whole number")


@cache
def _validator(schema: Path) -> Draft202012Validator:
    return Draft202012Validator(json.loads(schema.read_bytes()))
