# SPDX-License-Identifier: Apache-2.0
"""What a document is compared with: all that is in force of its kind, and what it refers to."""

from dataclasses import dataclass

from sqlalchemy import select

from archive.lint import NumberGround
from archive.numbering import NumberTemplate, NumberTemplates, read_templates
from cases.items import Item, ItemCatalogue
from cases.lint import ItemGround
from licenses.catalogue import TypeCatalogue, read_types
from licenses.definition import LicenseType
from licenses.layout import template_names
from licenses.models import License
from licenses.relation_table import RelationTable, read_relations, relation_table
from licenses.relations_lint import RelationGround
from licenses.rule_edition import VERSION as RULES_VERSION
from licenses.rule_edition import read_rules
from licenses.rule_levels import Levels
from licenses.rules import Rule, RuleBook
from licenses.rules_lint import RuleGround
from licenses.stock.profiles import VERSION as PROFILES_VERSION
from licenses.stock.profiles import Profile, read_profiles
from licenses.stock.profiles_lint import ProfileGround
from licenses.types_lint import TypeGround
from portal.books import Books
from portal.editions.approved import EditionKind, approved, items_of
from storage.clock import legal_date
from storage.database import UnitOfWork


@dataclass(frozen=True, slots=True)
class Catalogues:
    """What this process works with, each of which takes approved editions."""

    items: ItemCatalogue
    types: TypeCatalogue
    rules: RuleBook
    books: Books

    def look_again(self) -> None:
        """Let each ask for approved editions at its next look."""
        for one in (self.items, self.types, self.rules, self.books.profiles, self.books.relations):
            one.look_again()


class EditionGrounds:
    """Reads what is in force in the caller's unit, so that nothing is approved against an older state.

    Args:
        catalogues: What this process works with.
    """

    def __init__(self, catalogues: Catalogues) -> None:
        self._items = catalogues.items
        self._types = catalogues.types
        self._rules = catalogues.rules
        self._books = catalogues.books

    def shipped_version(self, kind: EditionKind) -> str:
        """Give the name of the edition that came with the product."""
        versions = {
            EditionKind.ITEMS: self._items.version,
            EditionKind.LICENSE_TYPES: self._types.version,
            EditionKind.NUMBERING: NumberTemplates.load().version,
            EditionKind.RULES: RULES_VERSION,
            EditionKind.PROFILES: PROFILES_VERSION,
            EditionKind.RELATIONS: relation_table().version,
        }
        return versions[kind]

    def of_items(self, uow: UnitOfWork) -> ItemGround:
        """Give what an edition of the items must fit."""
        held: dict[tuple[str, str], Item] = {(one.code, one.edition): one for one in self._items.items}
        versions = {self._items.version}
        for row in approved(uow, EditionKind.ITEMS):
            versions.add(row.version)
            for item in items_of(row.body):
                held.setdefault((item.code, item.edition), item)
        departments = frozenset(one.code for one in self._items.departments)
        types = frozenset(code for code, _ in self.of_types(uow).held)
        return ItemGround(departments, types, held, versions)

    def of_types(self, uow: UnitOfWork) -> TypeGround:
        """Give what an edition of the licence types must fit."""
        held: dict[tuple[str, str], LicenseType] = dict(self._types.held)
        versions = {self._types.version}
        for row in approved(uow, EditionKind.LICENSE_TYPES):
            versions.add(row.version)
            for kind in read_types(row.body):
                held.setdefault((kind.code, kind.version), kind)
        items = {one.code for one in self._items.items}
        items |= {one.code for row in approved(uow, EditionKind.ITEMS) for one in items_of(row.body)}
        return TypeGround(items, template_names(), held, versions)

    def of_numbers(self, uow: UnitOfWork) -> NumberGround:
        """Give what an edition of the number templates must fit."""
        shipped = NumberTemplates.load()
        held: list[NumberTemplate] = list(shipped.all)
        versions = {shipped.version}
        for row in approved(uow, EditionKind.NUMBERING):
            versions.add(row.version)
            held.extend(read_templates(row.body))
        return NumberGround(frozenset(one.fonds for one in self._items.departments), held, versions)

    def rules(self, uow: UnitOfWork) -> list[Rule]:
        """Give every version of every no-proof rule that is in force or was."""
        held = {one.digest: one for one in self._rules.all()}
        for row in approved(uow, EditionKind.RULES):
            held |= {one.digest: one for one in read_rules(row.body)}
        return list(held.values())

    def levels(self, uow: UnitOfWork) -> Levels:
        """Give what tells of which level a rule is."""
        return Levels(self.of_items(uow).held, {one.code: one for one in self._items.departments})

    def of_rules(self, uow: UnitOfWork) -> RuleGround:
        """Give what an edition of the no-proof rules must fit."""
        versions = {RULES_VERSION, *(row.version for row in approved(uow, EditionKind.RULES))}
        types = self.of_types(uow).held
        return RuleGround(
            items=self.of_items(uow).held,
            departments={one.code: one for one in self._items.departments},
            types={code: kind for (code, _), kind in sorted(types.items())},
            relations=frozenset(one.code for one in self._table(uow).relations),
            held=self.rules(uow),
            covered=frozenset(uow.session.scalars(select(License.type_code).distinct())),
            today=legal_date(uow.clock.now()),
            versions=versions,
        )

    def of_profiles(self, uow: UnitOfWork) -> ProfileGround:
        """Give what an edition of the mapping profiles must fit."""
        held: dict[tuple[str, str], Profile] = dict(self._books.profiles.held)
        versions = {PROFILES_VERSION}
        for row in approved(uow, EditionKind.PROFILES):
            versions.add(row.version)
            for profile in read_profiles(row.body):
                held.setdefault((profile.id, profile.version), profile)
        return ProfileGround(
            departments=frozenset(one.code for one in self._items.departments),
            types=frozenset(code for code, _ in self.of_types(uow).held),
            held=held,
            versions=versions,
        )

    def of_relations(self, uow: UnitOfWork) -> RelationGround:
        """Give what a table of relations must fit."""
        versions = {relation_table().version, *(row.version for row in approved(uow, EditionKind.RELATIONS))}
        types = self.of_types(uow).held
        return RelationGround(
            items=frozenset(code for code, _ in self.of_items(uow).held),
            types={code: kind for (code, _), kind in sorted(types.items())},
            held=self._table(uow),
            in_rules=frozenset(subject for rule in self.of_rules(uow).held for subject in rule.subjects()),
            versions=versions,
        )

    @staticmethod
    def _table(uow: UnitOfWork) -> RelationTable:
        rows = list(approved(uow, EditionKind.RELATIONS))
        return read_relations(rows[-1].body) if rows else relation_table()
