# SPDX-License-Identifier: Apache-2.0
"""The catalogue of items (事项) and departments: data with a version; what is held is never altered.

An item is named by code *and* edition: old cases stay with the edition they were handled under.
"""

import enum
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from cases.errors import DepartmentUnknownError, ItemUnknownError
from storage.adopting import Adopting, LookUp

DATA = Path(__file__).parent / "data"


class Group(enum.StrEnum):
    """The part of a dossier a material belongs to."""

    APPLICATION = "application"
    PROCESS = "process"
    RESULT = "result"


class Retention(enum.StrEnum):
    """How long a dossier is kept: permanently, 30 years, 10 years."""

    PERMANENT = "Y"
    YEARS_30 = "D30"
    YEARS_10 = "D10"


@dataclass(frozen=True, slots=True)
class Department:
    """A department: short code, credit code (it issues licences), fonds number, names."""

    code: str
    uscc: str
    fonds: str
    zh: str
    en: str

    @property
    def division(self) -> str:
        """The division (GB/T 2260) of its level: digits 3 to 8 of its credit code (GB 32100)."""
        return self.uscc[2:8]


@dataclass(frozen=True, slots=True)
class MaterialRule:
    """A material the item knows: code, names, group, and whether a filing without it is returned."""

    code: str
    zh: str
    en: str
    group: Group
    required: bool


@dataclass(frozen=True, slots=True)
class RetentionRule:
    """A retention period, when it applies, and the sentence that explains it to a person.

    Attributes:
        code: The period.
        when: Fact → admitted values; all must hold; empty = always.
        zh: Explanation in Chinese.
        en: Explanation in English.
    """

    code: Retention
    when: Mapping[str, frozenset[str]]
    zh: str
    en: str

    def applies(self, facts: Mapping[str, str]) -> bool:
        """Tell whether every condition holds; an unknown fact fails its condition."""
        return all(facts.get(name) in values for name, values in self.when.items())


@dataclass(frozen=True, slots=True)
class Item:
    """An item in one edition.

    Attributes:
        code: The item's code.
        edition: The edition of its guide.
        zh: Name in Chinese.
        en: Name in English.
        department: Code of the department that handles it.
        materials: What a dossier of this item may and must contain.
        license_type: Type code of the licence that an approval gives, if any.
        retention_rules: In order of priority; the last one always applies.
        filing_days: Working days from closing to filing.
        basic_code: Code that the item has at every level (基本编码), where its own code is of one level.
    """

    code: str
    edition: str
    zh: str
    en: str
    department: str
    materials: tuple[MaterialRule, ...]
    license_type: str | None
    retention_rules: tuple[RetentionRule, ...]
    filing_days: int
    basic_code: str | None = None

    @property
    def common_code(self) -> str:
        """The code by which the items of several levels are one item; its own, unless another is stated."""
        return self.basic_code or self.code

    def material(self, code: str) -> MaterialRule | None:
        """Give the rule of a material code, if the item knows it."""
        return next((rule for rule in self.materials if rule.code == code), None)

    def required(self) -> tuple[MaterialRule, ...]:
        """Give the rules of the materials without which a filing is returned."""
        return tuple(rule for rule in self.materials if rule.required)

    def retention(self, facts: Mapping[str, str]) -> RetentionRule:
        """Give the first retention rule that applies to a case's facts (``result``: ``approved`` …)."""
        return next(rule for rule in self.retention_rules if rule.applies(facts))


class ItemCatalogue(Adopting[Item]):
    """All items and departments of an installation: what came with the product, and what was approved since.

    Safe between threads. An item edition that is held stays as it is for ever; more are only added.

    Args:
        items: What the catalogue begins with.
        departments: The departments.
        version: Name of the edition it begins with.
        look_up: Asks for approved editions: when an item is missing, and for lists every few seconds.

    Raises:
        ValueError: The data contradicts itself (unknown department, no last retention rule, doubles).
    """

    parts: ClassVar[str] = "items"

    def __init__(
        self,
        items: tuple[Item, ...],
        departments: tuple[Department, ...],
        version: str,
        look_up: LookUp[Item] | None = None,
    ) -> None:
        super().__init__(look_up)
        self.version = version
        self.departments = departments
        self._items = {(item.code, item.edition): item for item in items}
        self._departments = {department.code: department for department in departments}
        if len(self._items) != len(items) or len(self._departments) != len(departments):
            raise ValueError("an item or a department is listed twice")
        for item in items:
            self._check(item)

    @classmethod
    def load(cls, folder: Path = DATA, look_up: LookUp[Item] | None = None) -> Self:
        """Read ``items.json`` and ``departments.json`` of a folder; the shipped ones by default."""
        raw = json.loads((folder / "items.json").read_bytes())
        departments = json.loads((folder / "departments.json").read_bytes())["departments"]
        return cls(
            tuple(read_item(entry) for entry in raw["items"]),
            tuple(Department(**entry) for entry in departments),
            raw["version"],
            look_up,
        )

    @property
    def items(self) -> tuple[Item, ...]:
        """Every item edition that is held now."""
        return tuple(self._items.values())

    def current(self) -> tuple[Item, ...]:
        """Give every item edition, asking for approved ones when that was not done for some seconds."""
        self.freshen()
        return self.items

    def _hold(self, parts: Iterable[Item]) -> tuple[Item, ...]:
        held = dict(self._items)
        refused = []
        for item in parts:
            self._check(item)
            if held.setdefault((item.code, item.edition), item) != item:
                refused.append(item)
        self._items = held
        return tuple(refused)

    def knows(self, code: str) -> bool:
        """Tell whether there is an item with this code, in any edition."""
        if not any(item.code == code for item in self.items):
            self.refresh()
        return any(item.code == code for item in self.items)

    def get(self, code: str, edition: str) -> Item:
        """Give an item in an edition, asking for it when it is not held; raises ``ItemUnknownError``."""
        item = self._items.get((code, edition))
        if item is None:
            self.refresh()
            item = self._items.get((code, edition))
        if item is None:
            raise ItemUnknownError
        return item

    def department(self, code: str) -> Department:
        """Give a department; raises ``DepartmentUnknownError``."""
        department = self._departments.get(code)
        if department is None:
            raise DepartmentUnknownError
        return department

    def _check(self, item: Item) -> None:
        codes = [rule.code for rule in item.materials]
        if item.department not in self._departments or len(set(codes)) != len(codes):
            raise ValueError(f"item {item.code}: department or materials")
        if not item.retention_rules or item.retention_rules[-1].when:
            raise ValueError(f"item {item.code}: the last retention rule must always apply")


def read_item(entry: Mapping[str, Any]) -> Item:
    """Read an item of a document that follows ``items.schema.json``."""
    return Item(
        code=entry["code"],
        edition=entry["edition"],
        zh=entry["zh"],
        en=entry["en"],
        department=entry["department"],
        materials=tuple(
            MaterialRule(rule["code"], rule["zh"], rule["en"], Group(rule["group"]), rule["required"])
            for rule in entry["materials"]
        ),
        license_type=entry["license_type"],
        retention_rules=tuple(
            RetentionRule(
                Retention(rule["code"]),
                {name: frozenset(values) for name, values in rule["when"].items()},
                rule["zh"],
                rule["en"],
            )
            for rule in entry["retention"]
        ),
        filing_days=entry["filing_days"],
        basic_code=entry.get("basic_code"),
    )
