# SPDX-License-Identifier: Apache-2.0
"""Lint of a proposed table of relations between holders; pure, like :mod:`cases.lint`."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from cases.lint import MOST_FINDINGS, LintFinding, nothing_new, schema_findings, version_findings
from cases.text_places import pointer
from licenses.definition import LicenseType
from licenses.relation_table import SCHEMA, RelationTable, Statement, read_relations

WARNINGS: Final = frozenset({"relation-removed", "trust-low", "item-unknown"})
"""Codes of findings that are for the two persons to weigh."""
SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "relations-contradict": ("关系表自相矛盾", "The table contradicts itself"),
    "statement-twice": ("同一证照类型的同一关系列出了两次", "A statement is listed twice"),
    "licence-type-unknown": ("没有这个证照类型", "There is no such licence type"),
    "face-field-unknown": ("证照类型没有这个照面项", "The licence type has no such field"),
    "item-unknown": ("没有这个事项", "There is no such item"),
    "relation-removed": ("现行的一种关系将不再认定", "A relation in force would not be told any more"),
    "relation-in-use": (
        "免证规则仍在使用这种关系",
        "No-proof rules ask for this relation",
    ),
    "trust-low": (
        "未经发证机关确认的证照也将证明关系",
        "Licences that their issuer has not confirmed would prove a relation",
    ),
}
"""Finding → sentence in Chinese and English."""
_UNCONFIRMED: Final = frozenset("CD")
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class RelationGround:
    """What a table of relations must fit.

    Attributes:
        items: Codes of the items.
        types: Licence types by code, in their newest version.
        held: The table in force.
        in_rules: Codes of relations that no-proof rules ask for.
        versions: Names of the tables that were in force.
    """

    items: Collection[str]
    types: Mapping[str, LicenseType]
    held: RelationTable
    in_rules: Collection[str] = ()
    versions: Collection[str] = ()


def lint_relations(document: Any, ground: RelationGround) -> tuple[LintFinding, ...]:  # noqa: ANN401 - any document
    """Give what speaks against a document as a table of relations; nothing is well."""
    found = schema_findings(document, SCHEMA)
    if found or not isinstance(document, dict):
        return found
    try:
        table = read_relations(document)
    except ValidationError as error:
        places = [one["loc"] for one in error.errors(include_input=False, include_url=False)]
        return tuple(_found("relations-contradict", place) for place in places[:MOST_FINDINGS])
    return tuple(itertools.islice(_findings(table, ground), MOST_FINDINGS))


def _findings(table: RelationTable, ground: RelationGround) -> Iterator[LintFinding]:
    yield from version_findings(table.version, ground.versions)
    if not _UNCONFIRMED.isdisjoint(table.trust):
        yield _found("trust-low", ("trust",))
    for place, statement in enumerate(table.statements):
        path: Path = ("statements", place)
        if statement in table.statements[:place]:
            yield _found("statement-twice", path)
        yield from _about(statement, path, ground)
    for place, lookup in enumerate(table.lookups):
        if lookup.item not in ground.items:
            yield _found("item-unknown", ("lookups", place, "item"))
    kept = {one.code for one in table.relations}
    for code in sorted({one.code for one in ground.held.relations} - kept):
        yield _found("relation-in-use" if code in ground.in_rules else "relation-removed", ("relations",))
    if table == ground.held.model_copy(update={"version": table.version}):
        yield nothing_new()


def _about(statement: Statement, path: Path, ground: RelationGround) -> Iterator[LintFinding]:
    kind = ground.types.get(statement.type)
    if kind is None:
        yield _found("licence-type-unknown", (*path, "type"))
        return
    for member, name in (("name", statement.name), ("code", statement.code)):
        if name is not None and kind.field(name) is None:
            yield _found("face-field-unknown", (*path, member))


def _found(code: str, path: Sequence[str | int]) -> LintFinding:
    zh, en = SENTENCES[code]
    return LintFinding(code, pointer(path), zh, en, code not in WARNINGS)
