# SPDX-License-Identifier: Apache-2.0
"""No-proof rules as data: requirements ANDed, alternatives ORed, evidence inside an alternative ANDed.

A rule belongs to an item in one edition and to an interval of dates, has a version and a digest, and
names two different people who approved it. What this release cannot evaluate (another kind of evidence,
another subject than the applicant) is refused when the rule is loaded, never skipped.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from cases.identifiers import is_uscc
from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.errors import CatalogueError
from licenses.predicates import Predicate
from storage.ledger.canonical import canonical

_FROZEN = ConfigDict(frozen=True, extra="forbid")


class LicenseCondition(BaseModel):
    """Which licences count: types, accepted issuers (all when absent), and that they are valid.

    Attributes:
        trust: The lowest trust level that counts; what the issuer has not confirmed does not by itself.
    """

    model_config = _FROZEN
    type: tuple[str, ...] = Field(min_length=1)
    issuer_in: tuple[str, ...] | None = None
    status: Literal["valid"] = "valid"
    trust: Literal["A", "B", "C", "D"] = "B"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not all(len(code) == 21 and is_uscc(code[:18]) and code[18:].isdigit() for code in self.type):
            raise ValueError("type code")
        return self


class HolderCondition(BaseModel):
    """Whose licence it must be; exact code first, and only the applicant's own in this release."""

    model_config = _FROZEN
    match: Literal["code"] = "code"
    relation: Literal["self"] = "self"


class LicenseEvidence(BaseModel):
    """Evidence of the one kind there is: a licence with predicates on its face."""

    model_config = _FROZEN
    licence: LicenseCondition
    holder: HolderCondition
    predicates: tuple[Predicate, ...] = ()


class Alternative(BaseModel):
    """One way to meet a requirement; all of its evidence is needed."""

    model_config = _FROZEN
    all_of: tuple[LicenseEvidence, ...] = Field(min_length=1)


class Fallback(BaseModel):
    """A rung of the ladder below the licence, cheapest first."""

    model_config = _FROZEN
    kind: Literal["commitment", "cooperation", "supply_later", "citizen_upload"]
    allowed_if: tuple[str, ...] = ()
    verify_within: str | None = None
    to: str | None = None
    deadline: str | None = None
    working_calendar: str | None = None
    on_timeout: Literal["escalate", "accept_and_check"] | None = None


class Disclosure(BaseModel):
    """The ceiling of disclosure: only yes or no in this release."""

    model_config = _FROZEN
    ask: Literal["predicate"]


class Requirement(BaseModel):
    """One proof that the citizen would otherwise bring; ``material`` is its code in the item."""

    model_config = _FROZEN
    id: str = Field(pattern=r"^[A-Z][A-Z0-9]{0,9}$")
    zh: str
    en: str
    material: str
    subject: Literal["applicant"]
    decision: Disclosure
    alternatives: tuple[Alternative, ...] = ()
    fallback: tuple[Fallback, ...] = Field(min_length=1)


class ItemEdition(BaseModel):
    """The item and edition a rule belongs to, and what replaced that edition."""

    model_config = _FROZEN
    code: str
    edition: str
    replaced_by: str | None = None


class RuleBody(BaseModel):
    """A rule as its data file states it."""

    model_config = _FROZEN
    rule_id: str
    version: int = Field(ge=1)
    item: ItemEdition
    effective: tuple[dt.date, dt.date | None]
    legal_basis: tuple[str, ...] = Field(min_length=1)
    approved_by: tuple[str, str]
    requirements: tuple[Requirement, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Self:
        start, end = self.effective
        ids = [requirement.id for requirement in self.requirements]
        if (end is not None and end < start) or len(set(ids)) != len(ids):
            raise ValueError("interval or requirement ids")
        if self.approved_by[0] == self.approved_by[1]:
            raise ValueError("a rule is approved by two different people")
        return self


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule with the digest of its canonical JSON (hex SHA-256)."""

    body: RuleBody
    digest: str

    def type_codes(self) -> frozenset[str]:
        """Give every licence type that the rule asks about."""
        return frozenset(
            code
            for requirement in self.body.requirements
            for alternative in requirement.alternatives
            for evidence in alternative.all_of
            for code in evidence.licence.type
        )

    def applies(self, day: dt.date) -> bool:
        """Tell whether the rule is in force on a day; both ends are inclusive."""
        start, end = self.body.effective
        return start <= day and (end is None or day <= end)


def read_rule(data: bytes, name: str) -> Rule:
    """Read one rule.

    Raises:
        CatalogueError: It breaks a rule of the format; ``facts`` name the file and the first place.
    """
    try:
        body = RuleBody.model_validate_json(data)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "rule"
        raise CatalogueError(file=name, place=place, rule=first["type"]) from None
    return Rule(body, hashlib.sha256(canonical(json.loads(data))).hexdigest())


class RuleBook:
    """All rules, by item edition and day.

    Raises:
        CatalogueError: Two rules cover the same item edition on the same day.
    """

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules: dict[tuple[str, str], list[Rule]] = {}
        for rule in rules:
            key = (rule.body.item.code, rule.body.item.edition)
            others = self._rules.setdefault(key, [])
            if any(_overlap(rule, other) for other in others):
                raise CatalogueError(rule="overlapping-rules")
            others.append(rule)

    @staticmethod
    @cache
    def load() -> "RuleBook":
        """Read the rules that come with the product, each checked against items and types."""
        folder = resources.files("licenses").joinpath("data/rules")
        files = sorted(
            (file for file in folder.iterdir() if file.name.endswith(".json")), key=lambda f: f.name
        )
        rules = [read_rule(file.read_bytes(), file.name) for file in files]
        for rule in rules:
            lint(rule, ItemCatalogue.load(), TypeCatalogue.load())
        return RuleBook(rules)

    def find(self, item_code: str, edition: str, day: dt.date) -> Rule | None:
        """Give the rule of an item edition that is in force on a day."""
        return next((rule for rule in self._rules.get((item_code, edition), ()) if rule.applies(day)), None)

    def of_digest(self, digest: str) -> Rule | None:
        """Give the rule with this digest, in force or not: old decisions replay with the old rule."""
        return next((rule for rules in self._rules.values() for rule in rules if rule.digest == digest), None)

    def covers(self, item_code: str, edition: str) -> bool:
        """Tell whether there is any rule for an item edition."""
        return (item_code, edition) in self._rules


def lint(rule: Rule, items: ItemCatalogue, types: TypeCatalogue) -> None:
    """Refuse a rule that names what does not exist: item, material, or a face field of a known type.

    Raises:
        CatalogueError: ``facts`` name the requirement.
    """
    item = items.get(rule.body.item.code, rule.body.item.edition)
    for requirement in rule.body.requirements:
        if item.material(requirement.material) is None:
            raise CatalogueError(place=requirement.id, rule="material-unknown")
        for evidence in (one for alternative in requirement.alternatives for one in alternative.all_of):
            for code in (code for code in evidence.licence.type if code in types):
                kind = types.get(code)
                if any(kind.field(predicate.field) is None for predicate in evidence.predicates):
                    raise CatalogueError(place=requirement.id, rule="face-field-unknown")


def _overlap(one: Rule, other: Rule) -> bool:
    return other.applies(one.body.effective[0]) or one.applies(other.body.effective[0])
