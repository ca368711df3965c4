# SPDX-License-Identifier: Apache-2.0
"""Lint of a proposed edition of the templates of archival numbers; pure, like :mod:`cases.lint`."""

import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from archive.numbering import DATA, NumberTemplate, is_sound, read_templates
from cases.items import Retention
from cases.lint import MOST_FINDINGS, LintFinding, nothing_new, schema_findings, version_findings
from cases.text_places import pointer
from storage.ledger.canonical import Json

_WARNINGS: Final = frozenset({"fonds-unknown", "series-width"})
_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "template-rule": (
        "模板须各含一次全宗号、年度、保管期限和顺序号，并以“-{serial}”结尾",
        "A template names fonds, year, retention and serial once each and ends in -{serial}",
    ),
    "fonds-twice": ("同一全宗列出了两个模板", "A fonds has two templates"),
    "fonds-without-template": ("有全宗没有模板", "A fonds has no template"),
    "fonds-unknown": ("没有部门使用这个全宗号", "No department has this fonds number"),
    "series-collides": (
        "可能与其他模板产生相同的档号系列",
        "Its series could be the same as one of another template",
    ),
    "series-width": (
        "系列不变而顺序号位数改变，同一系列的档号将长短不一",
        "The series goes on with serials of another width, so its numbers differ in length",
    ),
}
_DIGIT: Final = "#"


@dataclass(frozen=True, slots=True)
class NumberGround:
    """What an edition of the templates must fit.

    Attributes:
        fonds: Fonds numbers of the departments.
        held: Templates that numbers are read by, the oldest first.
        versions: Names of the editions that were in force.
    """

    fonds: Collection[str]
    held: Sequence[NumberTemplate] = ()
    versions: Collection[str] = ()


def lint_numbering(document: Json, ground: NumberGround) -> tuple[LintFinding, ...]:
    """Give what speaks against a document as an edition of the templates; nothing is well."""
    found = schema_findings(document, DATA.with_name("numbering.schema.json"))
    if found or not isinstance(document, dict):
        return found
    return tuple(itertools.islice(_findings(document, ground), MOST_FINDINGS))


def _findings(document: Mapping[str, Any], ground: NumberGround) -> Iterator[LintFinding]:
    yield from version_findings(document["version"], ground.versions)
    templates = read_templates(document)
    newest = {template.fonds: template for template in ground.held}
    for place, template in enumerate(templates):
        path = ("templates", place)
        if not is_sound(template):
            yield _found("template-rule", (*path, "template"))
            continue
        before = templates[:place]
        if any(template.fonds == other.fonds for other in before):
            yield _found("fonds-twice", (*path, "fonds"))
        if template.fonds not in ground.fonds:
            yield _found("fonds-unknown", (*path, "fonds"))
        others = (other for other in (*ground.held, *before) if is_sound(other))
        if any(_differ(template, other) and _may_meet(template, other) for other in others):
            yield _found("series-collides", (*path, "template"))
        now = newest.get(template.fonds)
        if now is not None and not _differ(template, now) and template.width != now.width:
            yield _found("series-width", (*path, "width"))
    if missing := set(ground.fonds) - {template.fonds for template in templates}:
        yield from itertools.repeat(_found("fonds-without-template", ("templates",)), len(missing))
    if templates and all(newest.get(template.fonds) == template for template in templates):
        yield nothing_new()


def _differ(one: NumberTemplate, other: NumberTemplate) -> bool:
    return (one.fonds, one.template) != (other.fonds, other.template)


def _may_meet(one: NumberTemplate, other: NumberTemplate) -> bool:
    """Tell whether some year and retention of each give the same series."""
    return any(
        len(first) == len(second) and all(map(_same, first, second))
        for first, second in itertools.product(_series(one), _series(other))
    )


def _series(template: NumberTemplate) -> list[str]:
    text = template.template.removesuffix("-{serial}").replace("{fonds}", template.fonds)
    text = text.replace("{year}", _DIGIT * 4)
    return [text.replace("{retention}", str(retention)) for retention in Retention]


def _same(one: str, other: str) -> bool:
    return one == other or (_DIGIT in {one, other} and {one, other} <= set(_DIGIT + "0123456789"))


def _found(code: str, path: Sequence[str | int]) -> LintFinding:
    zh, en = _SENTENCES[code]
    return LintFinding(code, pointer(path), zh, en, code not in _WARNINGS)
