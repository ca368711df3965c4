# SPDX-License-Identifier: Apache-2.0
"""Gives the editions that two persons agreed on to whoever holds catalogues, in the order of approval."""

import enum
import hashlib
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from archive.numbering import DATA as NUMBERING_DATA
from archive.numbering import NumberTemplate, read_templates
from cases.items import DATA as ITEMS_DATA
from cases.items import Item, read_item
from licenses.catalogue import SCHEMA as TYPES_SCHEMA
from licenses.catalogue import read_types, shipped_document
from licenses.definition import LicenseType
from licenses.relation_table import SCHEMA as RELATIONS_SCHEMA
from licenses.relation_table import InForce, read_relations, shipped_relations
from licenses.rule_edition import SCHEMA as RULES_SCHEMA
from licenses.rule_edition import read_rules
from licenses.rule_edition import shipped_document as shipped_rules
from licenses.rules import Rule
from licenses.stock.profiles import SCHEMA as PROFILES_SCHEMA
from licenses.stock.profiles import Profile, read_profiles, shipped_profiles
from portal.editions.models import CatalogueEdition
from storage.database import Database, UnitOfWork
from storage.ledger.canonical import canonical

_log: Final = logging.getLogger("cunzheng.editions")


class EditionKind(enum.StrEnum):
    """What an edition is of."""

    ITEMS = "items"
    LICENSE_TYPES = "license-types"
    NUMBERING = "numbering"
    RULES = "rules"
    PROFILES = "profiles"
    RELATIONS = "relations"


def _shipped_types() -> bytes:
    return written(shipped_document()).encode()


def _shipped_rules() -> bytes:
    return written(shipped_rules()).encode()


def _shipped_profiles() -> bytes:
    return written(shipped_profiles()).encode()


SHIPPED: Final[Mapping[EditionKind, Callable[[], bytes]]] = {
    EditionKind.ITEMS: (ITEMS_DATA / "items.json").read_bytes,
    EditionKind.LICENSE_TYPES: _shipped_types,
    EditionKind.NUMBERING: NUMBERING_DATA.read_bytes,
    EditionKind.RULES: _shipped_rules,
    EditionKind.PROFILES: _shipped_profiles,
    EditionKind.RELATIONS: shipped_relations,
}
"""Gives the document of each kind that comes with the product: what somebody who proposes one begins with."""
SCHEMAS: Final[Mapping[EditionKind, Path]] = {
    EditionKind.ITEMS: ITEMS_DATA / "items.schema.json",
    EditionKind.LICENSE_TYPES: TYPES_SCHEMA,
    EditionKind.NUMBERING: NUMBERING_DATA.with_suffix(".schema.json"),
    EditionKind.RULES: RULES_SCHEMA,
    EditionKind.PROFILES: PROFILES_SCHEMA,
    EditionKind.RELATIONS: RELATIONS_SCHEMA,
}
"""The published structure of each kind."""


def digest_of(body: dict[str, Any]) -> str:
    """Give the digest by which an edition is recorded: of its canonical form."""
    return hashlib.sha256(canonical(body)).hexdigest()


def written(body: dict[str, Any]) -> str:
    """Write the document of an edition for people to read."""
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"


def items_of(body: dict[str, Any]) -> tuple[Item, ...]:
    """Read the items of an edition's body."""
    return tuple(read_item(entry) for entry in body["items"])


def approved(uow: UnitOfWork, kind: EditionKind, after: int = 0) -> Iterator[CatalogueEdition]:
    """Give the approved editions of a kind after a number, the oldest first.

    One whose body is no longer what was approved is passed over, and said so in the log.
    """
    query = select(CatalogueEdition).where(CatalogueEdition.number > after, CatalogueEdition.kind == kind)
    for row in uow.session.scalars(query.order_by(CatalogueEdition.number)):
        if digest_of(row.body) == row.digest:
            yield row
        else:
            _log.error("edition %s: its body is not what was approved and is not used", row.id)


class ApprovedEditions:
    """Reads approved editions, each time in a unit of its own.

    Args:
        database: Where they stand.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def items(self, after: int) -> list[tuple[int, tuple[Item, ...]]]:
        """Give the items of the editions that were approved after a number."""
        with self._database.reading() as uow:
            return [(row.number or 0, items_of(row.body)) for row in approved(uow, EditionKind.ITEMS, after)]

    def license_types(self, after: int) -> list[tuple[int, tuple[LicenseType, ...]]]:
        """Give the licence types of the editions that were approved after a number."""
        with self._database.reading() as uow:
            found = approved(uow, EditionKind.LICENSE_TYPES, after)
            return [(row.number or 0, read_types(row.body)) for row in found]

    def rules(self, after: int) -> list[tuple[int, tuple[Rule, ...]]]:
        """Give the no-proof rules of the editions that were approved after a number."""
        with self._database.reading() as uow:
            found = approved(uow, EditionKind.RULES, after)
            return [(row.number or 0, read_rules(row.body)) for row in found]

    def profiles(self, after: int) -> list[tuple[int, tuple[Profile, ...]]]:
        """Give the mapping profiles of the editions that were approved after a number."""
        with self._database.reading() as uow:
            found = approved(uow, EditionKind.PROFILES, after)
            return [(row.number or 0, read_profiles(row.body)) for row in found]

    def relations(self, after: int) -> list[tuple[int, tuple[InForce, ...]]]:
        """Give the tables of relations that were approved after a number, and since when each is in force."""
        with self._database.reading() as uow:
            found = approved(uow, EditionKind.RELATIONS, after)
            return [(row.number or 0, (InForce(row.decided_at, read_relations(row.body)),)) for row in found]

    def templates(self, after: int) -> list[tuple[int, tuple[NumberTemplate, ...]]]:
        """Give the number templates of the editions that were approved after a number."""
        with self._database.reading() as uow:
            found = approved(uow, EditionKind.NUMBERING, after)
            return [(row.number or 0, read_templates(row.body)) for row in found]
