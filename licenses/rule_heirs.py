# SPDX-License-Identifier: Apache-2.0
"""Which rules no longer fit the rules that they inherit, day by day: of versions, the newest of a day counts.

A rule was compared with the one above when it was proposed. That one changes afterwards, and an abolished
proof would live on below; a higher level is not kept from abolishing it by what stands below.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from licenses.rule_inheritance import broken_inheritance
from licenses.rules import Rule

HEIR_SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "heir-proof-added": (
        "上级规则不再列出的证明，继承它的规则仍在要求",
        "A rule that inherits still asks for a proof that the rule above no longer names",
    ),
    "heir-proof-revived": (
        "上级规则取消的证明，继承它的规则仍在要求",
        "A rule that inherits still asks for a proof that the rule above abolishes",
    ),
    "heir-proof-otherwise": (
        "继承规则的材料、主体或披露程度与上级规则不同",
        "A rule that inherits differs from the rule above in a proof's material, subject or disclosure",
    ),
    "heir-source-widened": (
        "继承规则的证照来源宽于上级规则",
        "A rule that inherits takes sources that the rule above does not take",
    ),
    "heir-rung-removed": (
        "继承规则缺少上级规则提供的办理方式",
        "A rule that inherits lacks a rung that the rule above offers",
    ),
}
"""Finding about a rule that inherits → sentence in Chinese and English; each is a warning."""

Versions: TypeAlias = Mapping[str, Sequence[Rule]]
"""The versions of each rule by its id, in their order."""


@dataclass(frozen=True, slots=True)
class BrokenHeir:
    """A rule that inherits and does not fit a rule above it on some day.

    Attributes:
        code: What it breaks, one of :data:`HEIR_SENTENCES`.
        rule: The rule that inherits.
        above: The rule above, which need not be the next one.
        requirements: Ids of the requirements in question, in the order of the rule.
        since: First day on which both are in force.
    """

    code: str
    rule: Rule
    above: Rule
    requirements: tuple[str, ...]
    since: dt.date

    def named(self) -> str:
        """Give both rules with their versions, the requirements and the day, in one line."""
        rule, above = self.rule.body, self.above.body
        names = " ".join(self.requirements)
        return f"{rule.rule_id} v{rule.version} {names} ← {above.rule_id} v{above.version} · {self.since}"


def broken_heirs(rules: Iterable[Rule], today: dt.date) -> list[BrokenHeir]:
    """Give what is broken on a day from today on, each pair of rules once for each code; by rule id."""
    versions = by_name(rules)
    found: dict[tuple[str, str, str], BrokenHeir] = {}
    for name in sorted(versions):
        if len(_with_inherited([name], versions)) == 1:
            continue
        for day in turning_days([name], versions, today):
            for heir in _on(name, versions, day):
                found.setdefault((heir.rule.digest, heir.above.digest, heir.code), heir)
    return list(found.values())


def by_name(rules: Iterable[Rule]) -> Versions:
    """Give rules by their ids, each with its versions in order."""
    versions: dict[str, list[Rule]] = {}
    for one in sorted(rules, key=lambda rule: rule.body.version):
        versions.setdefault(one.body.rule_id, []).append(one)
    return versions


def in_force_within(versions: Sequence[Rule], first: dt.date, last: dt.date | None) -> list[Rule]:
    """Give the versions of one rule that are in force on a day of an interval, by their days."""
    ordered = sorted(versions, key=lambda rule: rule.body.version)
    days = sorted({first, *(day for one in ordered for day in _turns(one) if day > first)})
    there = (standing_on(ordered, day) for day in days if last is None or day <= last)
    return list(dict.fromkeys(one for one in there if one is not None))


def _on(name: str, versions: Versions, day: dt.date) -> Iterator[BrokenHeir]:
    rule = standing_on(versions[name], day)
    if rule is None:
        return
    for above in above_on(rule, versions, day):
        broken: dict[str, list[str]] = {}
        for requirement, code in broken_inheritance(rule.body, above.body):
            broken.setdefault(f"heir-{code}", []).append(requirement)
        for code, requirements in broken.items():
            yield BrokenHeir(code, rule, above, tuple(requirements), day)


def above_on(rule: Rule, versions: Versions, day: dt.date) -> Iterator[Rule]:
    """Give the rules that a rule inherits on a day, the next one first."""
    seen: set[str] = set()
    name = rule.body.inherits
    while name is not None and name not in seen:
        seen.add(name)
        above = standing_on(versions.get(name, ()), day)
        if above is None:
            return
        yield above
        name = above.body.inherits


def turning_days(names: Iterable[str], versions: Versions, today: dt.date) -> list[dt.date]:
    """Give today and the later days at which some rules, or any that they inherit, begin or end."""
    turning = {
        day
        for each in _with_inherited(names, versions)
        for one in versions.get(each, ())
        for day in _turns(one)
    }
    return sorted({today, *(day for day in turning if day > today)})


def _with_inherited(names: Iterable[str], versions: Versions) -> set[str]:
    found = set(names)
    waiting = list(found)
    while waiting:
        for one in versions.get(waiting.pop(), ()):
            if one.body.inherits is not None and one.body.inherits not in found:
                found.add(one.body.inherits)
                waiting.append(one.body.inherits)
    return found


def _turns(rule: Rule) -> Iterator[dt.date]:
    start, end = rule.body.effective
    yield start
    if end is not None and end < dt.date.max:
        yield end + dt.timedelta(days=1)


def standing_on(versions: Sequence[Rule], day: dt.date) -> Rule | None:
    """Give the version of a rule that is in force on a day."""
    return next((one for one in reversed(versions) if one.applies(day)), None)
