# SPDX-License-Identifier: Apache-2.0
"""The tree of organisations: an administration above departments above windows. Data, read once.

Where somebody stands in it decides what they reach: supervision its whole subtree, everybody else the own
organisation, and whoever works at a window the department that the window belongs to.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import InstrumentedAttribute

from cases.items import DATA
from storage.identity import Identity, Role


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation: code, the one above it, names; a department has cases of its own."""

    code: str
    parent: str | None
    zh: str
    en: str
    department: bool


class OrganisationTree:
    """All organisations of an installation.

    Raises:
        ValueError: A code stands twice, a parent is missing, or somebody is above oneself.
    """

    def __init__(self, organisations: Iterable[Organisation]) -> None:
        listed = tuple(organisations)
        self._all: Mapping[str, Organisation] = {one.code: one for one in listed}
        if len(self._all) != len(listed):
            raise ValueError("an organisation is listed twice")
        self._above = {one.code: self._line(one) for one in listed}

    @classmethod
    def load(cls, folder: Path = DATA) -> Self:
        """Read ``organisations.json`` and the departments' names of a folder; the shipped ones by default."""
        raw = json.loads((folder / "organisations.json").read_bytes())["organisations"]
        departments = json.loads((folder / "departments.json").read_bytes())["departments"]
        named = {one["code"]: one for one in departments}
        missing = set(named) - {one["code"] for one in raw}
        if missing:
            raise ValueError(f"departments without a place in the tree: {sorted(missing)}")
        return cls(
            Organisation(one["code"], one["parent"], names["zh"], names["en"], one["code"] in named)
            for one in raw
            for names in (named.get(one["code"], one),)
        )

    def all(self) -> tuple[Organisation, ...]:
        """Give every organisation in the order of the data."""
        return tuple(self._all.values())

    def get(self, code: str) -> Organisation | None:
        """Give an organisation, ``None`` if there is none with this code."""
        return self._all.get(code)

    def depth(self, code: str) -> int:
        """Give how many organisations stand above one."""
        return len(self._above[code]) - 1

    def below(self, code: str) -> frozenset[str]:
        """Give an organisation and all below it; one that the data do not know stands alone."""
        return frozenset({code, *(one for one, above in self._above.items() if code in above)})

    def departments_of(self, code: str) -> frozenset[str]:
        """Give an organisation and, for a window, the department that it belongs to."""
        above = self._above.get(code, (code,))
        first = next((one for one in above if one in self._all and self._all[one].department), code)
        return frozenset({code, first})

    def is_root(self, code: str) -> bool:
        """Tell whether an organisation of the data stands under no other."""
        return code in self._all and self._all[code].parent is None

    def _line(self, start: Organisation) -> tuple[str, ...]:
        line, one = [start.code], start
        while one.parent is not None:
            above = self._all.get(one.parent)
            if above is None or above.code in line:
                raise ValueError(f"organisation {start.code}: its parents")
            line.append(above.code)
            one = above
        return tuple(line)


@lru_cache(maxsize=1)
def organisations() -> OrganisationTree:
    """Give the shipped tree."""
    return OrganisationTree.load()


def reach(identity: Identity) -> frozenset[str] | None:
    """Give the organisations whose records an identity's place covers; ``None`` means all.

    What it may do with them its roles say.
    """
    tree = organisations()
    if identity.has(Role.SYSTEM) or (identity.has(Role.SUPERVISOR) and tree.is_root(identity.organisation)):
        return None
    if identity.has(Role.SUPERVISOR):
        return tree.below(identity.organisation)
    return tree.departments_of(identity.organisation)


def covers(identity: Identity, organisation: str) -> bool:
    """Tell whether an identity's place covers an organisation's records."""
    within = reach(identity)
    return within is None or organisation in within


def reached(column: InstrumentedAttribute[Any], identity: Identity) -> ColumnElement[bool]:
    """Give the condition that a column names an organisation whose records the identity's place covers."""
    within = reach(identity)
    return true() if within is None else column.in_(sorted(within))
