# SPDX-License-Identifier: Apache-2.0
"""No-proof rules in force: read from YAML or JSON, found by item edition and day.

A rule belongs to an item in one edition and to an interval of dates, has a version and a digest, and names
two different people who approved it. The digest is over the canonical JSON of what the file states, so the
same rule in YAML and in JSON has the same one.
"""

import datetime as dt
import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import ClassVar, Final

from pydantic import ValidationError

from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.errors import CatalogueError
from licenses.rule_definition import APPLICANT, LicenseEvidence, RuleBody
from licenses.rule_text import read_text
from storage.adopting import Adopting, LookUp
from storage.ledger.canonical import Json, canonical

SCHEMA: Final = Path(__file__).parent / "data" / "rule.schema.json"
_SHIPPED: Final = Path(__file__).parent / "data" / "rules"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with the digest of its canonical JSON (hex SHA-256), and that JSON as it was stated."""

    body: RuleBody
    digest: str
    document: bytes = b""

    def __hash__(self) -> int:
        """Rules are remembered by what they state."""
        return hash(self.digest)

    def type_codes(self, subject: str | None = None) -> frozenset[str]:
        """Give every licence type that the rule asks about, of one subject or of all."""
        return _type_codes(self, subject)

    def types_proving(self, requirements: Collection[str]) -> frozenset[str]:
        """Give every licence type that may prove one of some requirements."""
        return frozenset(
            code
            for requirement in self.body.requirements
            if requirement.id in requirements
            for evidence in requirement.evidence()
            if isinstance(evidence, LicenseEvidence)
            for code in evidence.licence.type
        )

    def subjects(self) -> frozenset[str]:
        """Give the subjects that stand in a relation to the applicant."""
        return _subjects(self)

    def applies(self, day: dt.date) -> bool:
        """Tell whether the rule is in force on a day; both ends are inclusive."""
        start, end = self.body.effective
        return start <= day and (end is None or day <= end)


@lru_cache(maxsize=1024)
def _type_codes(rule: Rule, subject: str | None) -> frozenset[str]:
    # Every question asks for them, and a rule never changes.
    return frozenset(
        code
        for requirement in rule.body.requirements
        if subject in {None, requirement.subject}
        for evidence in requirement.evidence()
        if isinstance(evidence, LicenseEvidence)
        for code in evidence.licence.type
    )


@lru_cache(maxsize=1024)
def _subjects(rule: Rule) -> frozenset[str]:
    return frozenset(one.subject for one in rule.body.requirements) - {APPLICANT}


def read_rule(data: bytes, name: str) -> Rule:
    """Read one rule, in YAML or JSON.

    Raises:
        CatalogueError: It breaks a rule of the format; ``facts`` name the file and the first place.
    """
    try:
        stated = read_text(data)
    except ValueError:
        raise CatalogueError(file=name, place="rule", rule="yaml") from None
    return rule_of(stated, name)


def rule_of(stated: Json, name: str = "rule") -> Rule:
    """Give the rule that a document states.

    Raises:
        CatalogueError: It breaks a rule of the format.
    """
    try:
        body = RuleBody.model_validate_json(canonical(stated))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "rule"
        raise CatalogueError(file=name, place=place, rule=first["type"]) from None
    document = canonical(stated)
    return Rule(body, hashlib.sha256(document).hexdigest(), document)


class RuleBook(Adopting[Rule]):
    """All rules: what came with the product, and what was approved since; what is held is never altered.

    Safe between threads. Of several versions of one rule that cover a day, the newest is in force.

    Args:
        rules: What the book begins with.
        look_up: Asks for approved editions, every few seconds at most.

    Raises:
        CatalogueError: Two different rules cover the same item edition on the same day.
    """

    parts: ClassVar[str] = "rules"

    def __init__(self, rules: Iterable[Rule], look_up: LookUp[Rule] | None = None) -> None:
        super().__init__(look_up)
        self._held: tuple[Rule, ...] = ()
        self._by_item: Mapping[tuple[str, str], Sequence[Rule]] = {}
        self._counted: Mapping[str, frozenset[str]] = {}
        if self.adopt(rules):
            raise CatalogueError(rule="overlapping-rules")

    @staticmethod
    def load(look_up: LookUp[Rule] | None = None) -> "RuleBook":
        """Read the rules that come with the product, each checked against items and types."""
        return RuleBook(_shipped(), look_up)

    def all(self) -> tuple[Rule, ...]:
        """Give every version of every rule, by item, edition, id and version."""
        self.freshen()
        return self._held

    def find(self, item_code: str, edition: str, day: dt.date) -> Rule | None:
        """Give the rule of an item edition that is in force on a day."""
        self.freshen()
        held = self._by_item.get((item_code, edition), ())
        return next((rule for rule in reversed(held) if rule.applies(day)), None)

    def of_digest(self, digest: str) -> Rule | None:
        """Give the rule with this digest, in force or not: old decisions replay with the old rule."""
        self.freshen()
        return next((rule for rule in self._held if rule.digest == digest), None)

    def covers(self, item_code: str, edition: str) -> bool:
        """Tell whether there is any rule for an item edition."""
        self.freshen()
        return (item_code, edition) in self._by_item

    def counted_as(self) -> Mapping[str, frozenset[str]]:
        """Give, for each item code, the codes of items whose earlier cases count as cases of it.

        An item that was replaced by another, split into it or merged into it counts as that one, over any
        number of steps; each counts as itself. The relations are those that rules state of item editions.
        """
        return self._counted

    def _hold(self, parts: Iterable[Rule]) -> tuple[Rule, ...]:
        held, refused = list(self._held), []
        for rule in parts:
            if any(one.digest == rule.digest for one in held):
                continue
            if any(_contradict(rule, one) for one in held):
                refused.append(rule)
            else:
                held.append(rule)
        self._arrange(held)
        return tuple(refused)

    def _arrange(self, rules: Iterable[Rule]) -> None:
        by_item: dict[tuple[str, str], list[Rule]] = {}
        held = tuple(sorted(rules, key=_order))
        for rule in held:
            by_item.setdefault((rule.body.item.code, rule.body.item.edition), []).append(rule)
        # Readers see the old book or the new one, never half of it.
        self._held, self._by_item, self._counted = held, by_item, counted(held)


def shipped_files() -> list[Path]:
    """Give the files of the rules that come with the product, by name."""
    return sorted(_SHIPPED.glob("*.yaml"))


@cache
def _shipped() -> tuple[Rule, ...]:
    rules = tuple(read_rule(file.read_bytes(), file.name) for file in shipped_files())
    for rule in rules:
        lint(rule, ItemCatalogue.load(), TypeCatalogue.load())
    return rules


def _order(rule: Rule) -> tuple[str, str, str, int]:
    return rule.body.item.code, rule.body.item.edition, rule.body.rule_id, rule.body.version


def _contradict(rule: Rule, held: Rule) -> bool:
    if rule.body.rule_id == held.body.rule_id:
        return rule.body.version == held.body.version
    same = (rule.body.item.code, rule.body.item.edition) == (held.body.item.code, held.body.item.edition)
    return same and overlap(rule, held)


def counted(rules: Iterable[Rule]) -> dict[str, frozenset[str]]:
    """Give what :meth:`RuleBook.counted_as` gives, of any rules."""
    before: dict[str, set[str]] = {}
    for rule in rules:
        item = rule.body.item
        for code in filter(None, (item.replaced_by, *item.split_into)):
            before.setdefault(code, set()).add(item.code)
        before.setdefault(item.code, set()).update(item.merged_from)
    return {code: _closure(code, before) for code in before}


def _closure(code: str, before: Mapping[str, set[str]]) -> frozenset[str]:
    found, waiting = {code}, [code]
    while waiting:
        for one in before.get(waiting.pop(), set()) - found:
            found.add(one)
            waiting.append(one)
    return frozenset(found)


def lint(rule: Rule, items: ItemCatalogue, types: TypeCatalogue) -> None:
    """Refuse a rule that names what does not exist: item, material, or a face field of a known type.

    Raises:
        CatalogueError: ``facts`` name the requirement.
    """
    item = items.get(rule.body.item.code, rule.body.item.edition)
    for requirement in rule.body.requirements:
        if item.material(requirement.material) is None:
            raise CatalogueError(place=requirement.id, rule="material-unknown")
        for evidence in requirement.evidence():
            if not isinstance(evidence, LicenseEvidence):
                continue
            for code in (code for code in evidence.licence.type if code in types):
                kind = types.get(code)
                if any(kind.field(predicate.field) is None for predicate in evidence.predicates):
                    raise CatalogueError(place=requirement.id, rule="face-field-unknown")


def overlap(one: Rule, other: Rule) -> bool:
    """Tell whether two rules are in force on a common day."""
    return other.applies(one.body.effective[0]) or one.applies(other.body.effective[0])
