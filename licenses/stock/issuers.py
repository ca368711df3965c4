# SPDX-License-Identifier: Apache-2.0
"""In whose name a department may bring records: its own, and what the source's profile lists for it."""

from collections.abc import Iterable

from cases.items import Department
from cases.organisations import organisations
from licenses.stock.profiles import Profile


class OwnIssuers:
    """Tells the credit codes that may stand as issuer in the records of an organisation.

    Args:
        departments: Every department with its credit code.
    """

    def __init__(self, departments: Iterable[Department]) -> None:
        self._codes = {one.code: one.uscc for one in departments}

    def anywhere(self, organisation: str, profiles: Iterable[Profile]) -> frozenset[str]:
        """Give the codes that any of some profiles allows; see :meth:`of`."""
        return frozenset().union(*(self.of(organisation, one) for one in profiles))

    def of(self, organisation: str, profile: Profile) -> frozenset[str]:
        """Give the codes; none for an organisation that neither is nor belongs to a department."""
        own = organisations().departments_of(organisation)
        listed = {code for one in own for code in profile.further_issuers.get(one, ())}
        return frozenset(listed.union(self._codes[one] for one in own if one in self._codes))
