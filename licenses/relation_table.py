# SPDX-License-Identifier: Apache-2.0
"""What licences state of relations between holders, as data: a table that two persons approve anew.

The first table is ``data/relations.json``; each later one takes the place of the one before from its approval
on. What happened earlier is judged by the table of then, so a decision replays as it was made.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from cases.identifiers import SCHEMES, USCC
from licenses.errors import RelationUnknownError
from storage.adopting import Adopting, LookUp

SCHEMA: Final = Path(__file__).parent / "data" / "relations.schema.json"
_SHIPPED: Final = "data/relations.json"
_FROZEN = ConfigDict(frozen=True, extra="forbid")
_MOST: Final = 1_000


class RelationKind(BaseModel):
    """A kind of relation; ``single``: a holder has one such at a time."""

    model_config = _FROZEN
    code: str = Field(pattern=r"^[a-z]+(-[a-z]+)*$", max_length=40)
    zh: str = Field(min_length=1, max_length=80)
    en: str = Field(min_length=1, max_length=80)
    single: bool


class Statement(BaseModel):
    """Where licences of a type state a relation.

    Attributes:
        name: Face item with the other one's name.
        code: Face item with the other one's code, if there is one.
        scheme: Scheme of that code.
        holders: The several holders of the licence stand in this relation to each other.
    """

    model_config = _FROZEN
    type: str
    relation: str
    name: str | None = None
    code: str | None = None
    scheme: str | None = None
    holders: bool = False

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.holders == (self.name is not None):
            raise ValueError("a name on the face, or the holders")
        if (self.code is None) != (self.scheme is None) or (self.scheme or USCC) not in SCHEMES:
            raise ValueError("code and scheme belong together")
        return self


class Lookup(BaseModel):
    """Which relations somebody who handles an item may follow to the licences of the other one."""

    model_config = _FROZEN
    item: str
    relations: tuple[str, ...]


class RelationTable(BaseModel):
    """Kinds, statements and what items may follow; ``trust`` are the levels that prove a relation."""

    model_config = _FROZEN
    version: str = Field(pattern=r"^[0-9]{4}-[0-9]{2}([.-][0-9A-Za-z]{1,10})?$")
    trust: tuple[Literal["A", "B", "C", "D"], ...] = Field(min_length=1)
    relations: tuple[RelationKind, ...] = Field(min_length=1, max_length=_MOST)
    statements: tuple[Statement, ...] = Field(max_length=_MOST)
    lookups: tuple[Lookup, ...] = Field(max_length=_MOST)

    @model_validator(mode="after")
    def _check(self) -> Self:
        known = {one.code for one in self.relations}
        named = {one.relation for one in self.statements}
        named |= {relation for one in self.lookups for relation in one.relations}
        if not named <= known or len(known) != len(self.relations):
            raise ValueError("a relation that is not listed once")
        return self

    def kind(self, code: str) -> RelationKind:
        """Give a kind of relation.

        Raises:
            RelationUnknownError: There is no such kind.
        """
        found = next((one for one in self.relations if one.code == code), None)
        if found is None:
            raise RelationUnknownError
        return found

    def may_follow(self, item: str | None, relation: str) -> bool:
        """Tell whether an item names a relation as one that its handling needs."""
        return any(one.item == item and relation in one.relations for one in self.lookups)


class InForce(NamedTuple):
    """A table, and since when it is in force; ``None`` for the one that came with the product."""

    since: dt.datetime | None
    table: RelationTable


class RelationBook(Adopting[InForce]):
    """Every table that was in force, the newest last. Safe between threads.

    Args:
        first: What it begins with.
        look_up: Asks for approved tables, every few seconds at most.
    """

    parts: ClassVar[str] = "tables of relations"

    def __init__(self, first: RelationTable, look_up: LookUp[InForce] | None = None) -> None:
        super().__init__(look_up)
        self._held: tuple[InForce, ...] = (InForce(None, first),)

    @staticmethod
    def load(look_up: LookUp[InForce] | None = None) -> "RelationBook":
        """Begin with the table that comes with the product."""
        return RelationBook(relation_table(), look_up)

    def newest(self) -> RelationTable:
        """Give the table in force now."""
        self.freshen()
        return self._held[-1].table

    def at(self, instant: dt.datetime) -> RelationTable:
        """Give the table that was in force at an instant; newer ones are asked for each time.

        What is judged now is judged alike by whoever looks at it later.
        """
        self.refresh()
        return next(one.table for one in reversed(self._held) if one.since is None or one.since <= instant)

    def _hold(self, parts: Iterable[InForce]) -> tuple[InForce, ...]:
        held, refused = list(self._held), []
        for one in parts:
            same = [each for each in held if each.table.version == one.table.version]
            if not same:
                held.append(one)
            elif same[0].table != one.table:
                refused.append(one)
        self._held = tuple(held)
        return tuple(refused)


@cache
def relation_table() -> RelationTable:
    """Read the table that comes with the product."""
    return RelationTable.model_validate_json(shipped_relations())


def shipped_relations() -> bytes:
    """Give the document that comes with the product: what somebody who proposes a table begins with."""
    return resources.files("licenses").joinpath(_SHIPPED).read_bytes()


def read_relations(document: Mapping[str, Any]) -> RelationTable:
    """Read a document that follows ``relations.schema.json`` and passed the lint."""
    # A table is frozen and made of tuples; a strict reader would not take lists.
    return RelationTable.model_validate(document)
