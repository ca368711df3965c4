# SPDX-License-Identifier: Apache-2.0
"""What a copy may be for and how long it may be relied on, as data (``licenses/data/copies.json``)."""

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from licenses.errors import CatalogueError
from licenses.purposes import Purpose, purposes
from storage.identity import Basis

ARCHIVE_USE = frozenset({Basis.FILING, Basis.SUPERVISION})
"""On these a licence that is not valid is copied, too; each page then says what its status was."""


@dataclass(frozen=True, slots=True)
class CopyTerms:
    """Terms of copies.

    Attributes:
        usual_days: Days for which a copy is good when nobody asks for fewer or more.
        most_days: Days that nobody gets beyond.
        link: How long a one-time link is good.
        purposes: Published purposes by access basis and code.
    """

    usual_days: int
    most_days: int
    link: dt.timedelta
    purposes: Mapping[Basis, Mapping[str, Purpose]]

    def purpose(self, basis: Basis | None, code: str | None) -> Purpose | None:
        """Give the published purpose that a basis allows; ``None`` when there is no such."""
        return self.purposes.get(basis, {}).get(code or "") if basis is not None else None

    def usual(self, basis: Basis) -> str:
        """Give the first published purpose of a basis: what a look on it is for when none is chosen."""
        return next(iter(self.purposes[basis]))


@dataclass(frozen=True, slots=True)
class CopyCard:
    """What anybody may know of a copy: what it is for, and whether it may still be relied on.

    Attributes:
        good: Whether its own term has not ended; the licence's status is told beside it.
    """

    purpose: Purpose
    made_on: dt.date
    valid_until: dt.date
    good: bool


@cache
def copy_terms() -> CopyTerms:
    """Read the terms that come with the product.

    Raises:
        CatalogueError: The usual term is none, or longer than the longest.
    """
    data = json.loads(resources.files("licenses").joinpath("data/copies.json").read_text("utf-8"))
    usual, most = int(data["days"]["usual"]), int(data["days"]["most"])
    if not 1 <= usual <= most:
        raise CatalogueError(file="copies.json", rule="days")
    stated = {
        Basis(basis): {row["code"]: Purpose(**row) for row in rows}
        for basis, rows in data["purposes"].items()
    }
    return CopyTerms(
        usual, most, dt.timedelta(minutes=int(data["link_minutes"])), {Basis.CASE: purposes(), **stated}
    )
