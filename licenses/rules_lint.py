# SPDX-License-Identifier: Apache-2.0
"""Lint of a proposed edition of no-proof rules; pure, like :mod:`cases.lint`."""

import datetime as dt
import itertools
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from cases.items import Department, Item
from cases.lint import MOST_FINDINGS, LintFinding, nothing_new, schema_findings, version_findings
from cases.text_places import pointer
from licenses.definition import LicenseType, TypeState
from licenses.errors import CatalogueError
from licenses.rule_definition import APPLICANT, Commitment, Cooperation, LicenseEvidence, Requirement
from licenses.rule_edition import SCHEMA
from licenses.rule_heirs import HEIR_SENTENCES, broken_heirs, in_force_within
from licenses.rule_inheritance import broken_inheritance, narrows
from licenses.rule_levels import Levels, unnamed_above
from licenses.rule_order import out_of_order
from licenses.rules import Rule, overlap, rule_of

WARNINGS: Final = frozenset(
    {
        "type-dead",
        "alternative-unreachable",
        "alternative-order",
        "no-coverage",
        "edition-unknown",
        "upload-only",
        "rule-ended",
        "level-unnamed",
        "heir-unnamed",
        # A county that has not followed yet must not keep a province from abolishing a proof.
        *HEIR_SENTENCES,
    }
)
"""Codes of findings that are for the two persons to weigh."""
SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "rule-contradicts": ("规则自相矛盾", "The rule contradicts itself"),
    "rule-twice": ("同一规则列出了两次", "A rule is listed twice"),
    "rule-altered": (
        "该规则版本已生效，不得更改；请另立新版本",
        "This version of the rule is in force and never altered: make a new version",
    ),
    "rule-backwards": (
        "版本号须大于现有版本",
        "The version must be greater than those that there are",
    ),
    "rule-overlaps": (
        "同一事项版本在同一时间已有另一条规则",
        "Another rule is in force for this edition of the item at the same time",
    ),
    "rule-ended": ("规则失效后没有接续的规则", "Nothing follows this rule when it ends"),
    "item-unknown": ("没有这个事项版本", "There is no such edition of an item"),
    "edition-unknown": (
        "替代、拆分或合并所指的事项不存在",
        "An item that it names does not exist",
    ),
    "material-unknown": ("事项没有这个材料代码", "The item does not know this code of material"),
    "relation-unknown": ("没有这种主体关系", "There is no such relation"),
    "rung-of-another": (
        "对申请人以外的主体不能采用承诺或协查",
        "No commitment and no question to a department about another than the applicant",
    ),
    "department-itself": ("部门不能向自己发起协查", "A department cannot ask itself"),
    "department-unknown": ("没有这个部门", "There is no such department"),
    "face-field-unknown": ("证照类型没有这个照面项", "The licence type has no such field"),
    "type-dead": (
        "证照类型不存在或已停用，此途径不会核实任何事项",
        "The licence type does not exist or was ended: nothing is established by it",
    ),
    "alternative-unreachable": (
        "前面的途径已涵盖这一途径，永远用不到",
        "An earlier alternative covers this one; it never decides",
    ),
    "alternative-order": (
        "这一途径披露的内容少于排在前面的途径，应移到前面（披露最少的在先，先证照、后既往办件）",
        "An earlier alternative discloses more: least disclosure first, licences before earlier cases",
    ),
    "no-coverage": (
        "所有途径都依赖证照库中没有的证照类型",
        "Every alternative needs a type of which the library holds no licence",
    ),
    "upload-only": (
        "没有任何自动途径，只能由申请人提交",
        "There is no way but to ask the applicant",
    ),
    "inherits-unknown": ("所继承的规则不存在", "The rule that it inherits does not exist"),
    "proof-added": ("下级规则不得增加证明", "A rule that inherits may not add a proof"),
    "proof-otherwise": (
        "下级规则不得改变证明的材料、主体或披露程度",
        "A rule that inherits may not change a proof's material, subject or disclosure",
    ),
    "proof-revived": ("上级已取消的证明不得恢复", "A proof that was abolished above may not come back"),
    "source-widened": ("下级规则只能收紧证照来源", "A rule that inherits may only narrow the sources"),
    "rung-removed": (
        "下级规则不得取消上级提供的办理方式",
        "A rule that inherits may not close a rung",
    ),
    "level-unnamed": (
        "同一事项已有上级规则，本规则未注明继承它",
        "A higher level has a rule for this item, and this rule does not say that it inherits it",
    ),
    "level-proof-added": (
        "未注明继承的下级规则要求了上级规则没有的证明（按材料和主体比对）",
        "A rule of a lower level that inherits nothing asks for a proof that the rule above does not",
    ),
    "heir-unnamed": (
        "同一事项的下级规则未注明继承上级规则",
        "A rule of a lower level for the same item does not say that it inherits the rule above",
    ),
    **HEIR_SENTENCES,
}
"""Finding → sentence in Chinese and English."""


@dataclass(frozen=True, slots=True)
class RuleGround:
    """What an edition of the rules must fit.

    Attributes:
        items: Items by code and edition.
        departments: Departments by code.
        types: Licence types by code, in their newest version.
        relations: Codes of relations that licences state.
        held: Rules that are in force or were.
        covered: Codes of the types of which the library holds licences.
        today: The legal day: what was in force before is not looked at any more.
        versions: Names of the editions that were in force.
    """

    items: Mapping[tuple[str, str], Item]
    departments: Mapping[str, Department]
    types: Mapping[str, LicenseType]
    relations: Collection[str]
    held: Sequence[Rule]
    covered: Collection[str]
    today: dt.date
    versions: Collection[str] = ()


Path = tuple[str | int, ...]


def lint_rules(document: Any, ground: RuleGround) -> tuple[LintFinding, ...]:  # noqa: ANN401 - any document
    """Give what speaks against a document as an edition of the rules; nothing is well."""
    found = schema_findings(document, SCHEMA)
    if found or not isinstance(document, dict):
        return found
    read: dict[int, Rule] = {}
    found = tuple(itertools.islice(_findings(document, ground, read), MOST_FINDINGS))
    # Each county is to be named, however many other findings there are.
    return (*found, *_about_heirs(read, ground), *_about_levels(read, ground))


def heir_findings(held: Sequence[Rule], levels: Levels, today: dt.date) -> tuple[LintFinding, ...]:
    """Give the rules in force, today or later, that do not fit a rule which they inherit, or inherit none.

    Args:
        held: The rules.
        levels: What tells their levels.
        today: The legal day.
    """
    broken = [(one.code, one.named()) for one in broken_heirs(held, today)]
    broken += [("heir-unnamed", one.named()) for one in unnamed_above(held, levels, today)]
    return tuple(replace(_found(code, ()), about=about) for code, about in broken)


def _findings(
    document: Mapping[str, Any], ground: RuleGround, read: dict[int, Rule]
) -> Iterator[LintFinding]:
    yield from version_findings(document["version"], ground.versions)
    for place, stated in enumerate(document["rules"]):
        path: Path = ("rules", place)
        try:
            rule = rule_of(stated)
        except CatalogueError:
            yield _found("rule-contradicts", path)
            continue
        yield from _about(rule, path, ground, tuple(read.values()))
        read[place] = rule
    held = {one.digest for one in ground.held}
    for place, rule in read.items():
        yield from _about_inheritance(rule, ("rules", place), held, (*ground.held, *read.values()))
    if read and all(one.digest in held for one in read.values()):
        yield nothing_new()


def _about_inheritance(
    rule: Rule, path: Path, held: Collection[str], known: Sequence[Rule]
) -> Iterator[LintFinding]:
    body = rule.body
    above = [one for one in known if one.body.rule_id == body.inherits]
    if body.inherits is None:
        return
    if not above:
        yield _found("inherits-unknown", (*path, "inherits"))
    elif rule.digest not in held:
        # What is in force already and only stated again is looked at as the others that are.
        newest = max(above, key=lambda one: one.body.version)
        places = {one.id: place for place, one in enumerate(body.requirements)}
        broken = (
            found
            for one in in_force_within(above, *body.effective) or [newest]
            for found in broken_inheritance(body, one.body)
        )
        for name, code in dict.fromkeys(broken):
            yield _found(code, (*path, "requirements", places[name]))


def _about_heirs(read: Mapping[int, Rule], ground: RuleGround) -> Iterator[LintFinding]:
    """Find the rules in force that do not fit a proposed rule any more which they inherit."""
    held = {one.digest: one for one in ground.held}
    new = {rule.digest: place for place, rule in read.items() if rule.digest not in held}
    for one in broken_heirs((held | {rule.digest: rule for rule in read.values()}).values(), ground.today):
        if one.above.digest in new and one.rule.digest in held:
            yield replace(_found(one.code, ("rules", new[one.above.digest])), about=one.named())


def _about_levels(read: Mapping[int, Rule], ground: RuleGround) -> Iterator[LintFinding]:
    """Find rules that name no rule of a higher level for their item: proposed ones, and those below them."""
    held = {one.digest: one for one in ground.held}
    new = {rule.digest: place for place, rule in read.items() if rule.digest not in held}
    rules = (held | {rule.digest: rule for rule in read.values()}).values()
    for one in unnamed_above(rules, Levels(ground.items, ground.departments), ground.today):
        if one.rule.digest in new:
            path: Path = ("rules", new[one.rule.digest])
            places = {each.id: place for place, each in enumerate(one.rule.body.requirements)}
            for name in one.added:
                where = (*path, "requirements", places[name])
                yield replace(_found("level-proof-added", where), about=one.named(name))
            if not one.added:
                yield replace(_found("level-unnamed", path), about=one.named())
        elif one.above.digest in new:
            yield replace(_found("heir-unnamed", ("rules", new[one.above.digest])), about=one.named())


def _about(rule: Rule, path: Path, ground: RuleGround, read: Sequence[Rule]) -> Iterator[LintFinding]:
    body = rule.body
    yield from _about_place(rule, path, ground, read)
    item = ground.items.get((body.item.code, body.item.edition))
    if item is None:
        yield _found("item-unknown", (*path, "item"))
    codes = {code for code, _ in ground.items}
    related = {one for one in (body.item.replaced_by, *body.item.split_into, *body.item.merged_from) if one}
    if not related <= codes:
        yield _found("edition-unknown", (*path, "item"))
    for place, requirement in enumerate(body.requirements):
        where = (*path, "requirements", place)
        if item is not None and item.material(requirement.material) is None:
            yield _found("material-unknown", (*where, "material"))
        for rung_place, rung in enumerate(requirement.fallback):
            if item is not None and isinstance(rung, Cooperation) and rung.to == item.department:
                yield _found("department-itself", (*where, "fallback", rung_place, "to"))
        yield from _about_requirement(requirement, where, ground)


def _about_place(rule: Rule, path: Path, ground: RuleGround, read: Sequence[Rule]) -> Iterator[LintFinding]:
    body = rule.body
    same = [one for one in (*ground.held, *read) if one.body.rule_id == body.rule_id]
    if any(one.body.version == body.version for one in read if one.body.rule_id == body.rule_id):
        yield _found("rule-twice", path)
    if any(one.body.version == body.version and one.digest != rule.digest for one in same):
        yield _found("rule-altered", (*path, "version"))
    elif rule.digest not in {one.digest for one in same} and any(
        one.body.version > body.version for one in same
    ):
        yield _found("rule-backwards", (*path, "version"))
    key = (body.item.code, body.item.edition)
    others = [
        one
        for one in (*ground.held, *read)
        if (one.body.item.code, one.body.item.edition) == key and one.body.rule_id != body.rule_id
    ]
    if any(overlap(rule, one) for one in others):
        yield _found("rule-overlaps", (*path, "effective"))
    if body.effective[1] is not None and not others:
        yield _found("rule-ended", (*path, "effective"))


def _about_requirement(requirement: Requirement, path: Path, ground: RuleGround) -> Iterator[LintFinding]:
    if requirement.subject != APPLICANT and requirement.subject not in ground.relations:
        yield _found("relation-unknown", (*path, "subject"))
    yield from _about_rungs(requirement, path, ground)
    ways = requirement.alternatives
    for place, alternative in enumerate(ways):
        where = (*path, "alternatives", place)
        if any(narrows(alternative, earlier) for earlier in ways[:place]):
            yield _found("alternative-unreachable", where)
        elif out_of_order(ways, place):
            yield _found("alternative-order", where)
        for number, evidence in enumerate(alternative.all_of):
            if isinstance(evidence, LicenseEvidence):
                yield from _about_licence(evidence, (*where, "all_of", number), ground)
    if ways and not any(_is_covered(one.all_of, ground) for one in ways):
        yield _found("no-coverage", (*path, "alternatives"))
    if not ways and [one.kind for one in requirement.fallback] == ["citizen_upload"]:
        yield _found("upload-only", path)


def _about_rungs(requirement: Requirement, path: Path, ground: RuleGround) -> Iterator[LintFinding]:
    for place, rung in enumerate(requirement.fallback):
        if isinstance(rung, Cooperation) and rung.to not in ground.departments:
            yield _found("department-unknown", (*path, "fallback", place, "to"))
        if requirement.subject != APPLICANT and isinstance(rung, Cooperation | Commitment):
            # Who would be asked about, or commit, is not the applicant whose case it is.
            yield _found("rung-of-another", (*path, "fallback", place))


def _about_licence(evidence: LicenseEvidence, path: Path, ground: RuleGround) -> Iterator[LintFinding]:
    kinds = [ground.types.get(code) for code in evidence.licence.type]
    if all(kind is None or kind.state is TypeState.CANCELLED for kind in kinds):
        yield _found("type-dead", (*path, "licence", "type"))
    for place, predicate in enumerate(evidence.predicates):
        if any(kind is not None and kind.field(predicate.field) is None for kind in kinds):
            yield _found("face-field-unknown", (*path, "predicates", place, "field"))


def _is_covered(evidence: Sequence[object], ground: RuleGround) -> bool:
    return all(
        not isinstance(one, LicenseEvidence) or bool(set(one.licence.type) & set(ground.covered))
        for one in evidence
    )


def _found(code: str, path: Sequence[str | int]) -> LintFinding:
    zh, en = SENTENCES[code]
    return LintFinding(code, pointer(path), zh, en, code not in WARNINGS)
