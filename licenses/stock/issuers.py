# SPDX-License-Identifier: Apache-2.0
"""What a department may bring: records in its own name, of types that its items give, or as profiles list."""

from collections.abc import Iterable
from dataclasses import dataclass

from cases.items import ItemCatalogue
from cases.organisations import organisations
from licenses.stock.profiles import Profile


@dataclass(frozen=True, slots=True)
class Remit:
    """What the records of an organisation may be.

    Attributes:
        issuers: Credit codes that may stand as issuer.
        types: Codes of types that it gives, or gave.
    """

    issuers: frozenset[str]
    types: frozenset[str]


class OwnIssuers:
    """Tells what the records of an organisation may be.

    Args:
        items: Every department with its credit code, and every item with the type that it gives.
    """

    def __init__(self, items: ItemCatalogue) -> None:
        self._items = items
        self._codes = {one.code: one.uscc for one in items.departments}

    def anywhere(self, organisation: str, profiles: Iterable[Profile]) -> frozenset[str]:
        """Give the issuers that any of some profiles allows; see :meth:`of`."""
        return frozenset().union(*(self.of(organisation, one).issuers for one in profiles))

    def of(self, organisation: str, profile: Profile) -> Remit:
        """Give issuers and types; none for an organisation that neither is nor belongs to a department.

        An item in any edition counts: what it gave once is stock now.
        """
        own = organisations().departments_of(organisation)
        listed = {code for one in own for code in profile.further_issuers.get(one, ())}
        legacy = {code for one in own for code in profile.legacy_types.get(one, ())}
        given = {one.license_type for one in self._items.current() if one.department in own}
        issuers = listed.union(self._codes[one] for one in own if one in self._codes)
        return Remit(frozenset(issuers), frozenset(legacy.union(code for code in given if code)))
