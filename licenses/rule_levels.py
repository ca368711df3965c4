# SPDX-License-Identifier: Apache-2.0
"""Rules of one item at several levels (八统一) where the lower one does not name the higher one.

Items are one item when they have one common code; whose department's division stands above another's is of a
higher level. A rule that inherits is compared with what it inherits (:mod:`licenses.rule_heirs`); one that
names nobody would be compared with nothing, and a county could so add what a province does not ask.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from cases.identifiers import divisions_above
from cases.items import Department, Item
from licenses.rule_definition import RuleBody
from licenses.rule_heirs import Versions, above_on, by_name, standing_on, turning_days
from licenses.rules import Rule


@dataclass(frozen=True, slots=True)
class Levels:
    """What tells the level of a rule.

    Attributes:
        items: Items by code and edition.
        departments: Departments by code.
    """

    items: Mapping[tuple[str, str], Item]
    departments: Mapping[str, Department]

    def place(self, rule: Rule) -> tuple[str, str] | None:
        """Give the common code of a rule's item and the division of its level; ``None`` where unknown."""
        item = self.items.get((rule.body.item.code, rule.body.item.edition))
        department = self.departments.get(item.department) if item is not None else None
        return (
            (item.common_code, department.division) if item is not None and department is not None else None
        )


@dataclass(frozen=True, slots=True)
class Unnamed:
    """A rule that does not inherit one of a higher level for the same item, directly or over others.

    Attributes:
        rule: The lower rule.
        above: The higher rule.
        added: Ids of the requirements of the lower one that the higher one does not ask for.
        since: First day on which both are in force.
    """

    rule: Rule
    above: Rule
    added: tuple[str, ...]
    since: dt.date

    def named(self, requirement: str = "") -> str:
        """Give both rules with their versions, the requirements and the day, in one line."""
        rule, above = self.rule.body, self.above.body
        names = requirement or " ".join(self.added)
        words = (rule.rule_id, f"v{rule.version}", *filter(None, [names]), "←", above.rule_id)
        return f"{' '.join(words)} v{above.version} · {self.since}"


def unnamed_above(rules: Iterable[Rule], levels: Levels, today: dt.date) -> list[Unnamed]:
    """Give each pair of rules that are in force on a common day from today on, once; by rule id."""
    versions = by_name(rules)
    same: dict[str, set[str]] = {}
    for one in (one for each in versions.values() for one in each):
        place = levels.place(one)
        if place is not None:
            same.setdefault(place[0], set()).add(one.body.rule_id)
    found: dict[tuple[str, str], Unnamed] = {}
    for names in (names for names in same.values() if len(names) > 1):
        for day in turning_days(names, versions, today):
            for pair in _on(names, versions, levels, day):
                found.setdefault((pair.rule.digest, pair.above.digest), pair)
    return sorted(found.values(), key=lambda one: one.rule.body.rule_id)


def added(rule: RuleBody, above: RuleBody) -> tuple[str, ...]:
    """Give the requirements of one rule that another does not ask for, by material and subject.

    Ids tell nothing between rules of which none names the other.
    """
    asked = {(one.material, one.subject) for one in above.requirements if one.cancelled is None}
    return tuple(
        one.id
        for one in rule.requirements
        if one.cancelled is None and (one.material, one.subject) not in asked
    )


def _on(names: Iterable[str], versions: Versions, levels: Levels, day: dt.date) -> Iterator[Unnamed]:
    at: dict[tuple[str, str], list[Rule]] = {}
    for name in sorted(names):
        rule = standing_on(versions[name], day)
        place = levels.place(rule) if rule is not None else None
        if rule is not None and place is not None:
            at.setdefault(place, []).append(rule)
    for (code, division), below in at.items():
        higher = [above for other in divisions_above(division) for above in at.get((code, other), ())]
        for rule in below if higher else ():
            named = {one.body.rule_id for one in above_on(rule, versions, day)}
            for above in higher:
                if above.body.rule_id not in named:
                    yield Unnamed(rule, above, added(rule.body, above.body), day)
