# SPDX-License-Identifier: Apache-2.0
"""The terms of a grant: what somebody asks to be granted, and the rules that they must keep."""

import datetime as dt
import enum
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from cases.identifiers import is_plain
from licenses.grants.errors import GrantTermsError
from licenses.purposes import is_purpose

MOST_A_DAY: Final = 1_000_000
LONGEST_BASIS: Final = 200
LONGEST_TERM: Final = dt.timedelta(days=3 * 366)
_MOST_ITEMS: Final = 500
_REQUIREMENT: Final = re.compile(r"[A-Z][A-Z0-9]{0,9}")


class Ceiling(enum.StrEnum):
    """The most that is disclosed: yes or no, fields of the face, an annotated copy."""

    PREDICATE = "predicate"
    FIELDS = "fields"
    DOCUMENT = "document"

    def reaches(self, other: "Ceiling") -> bool:
        """Tell whether what needs ``other`` stays below this ceiling."""
        order = list(Ceiling)
        return order.index(self) >= order.index(other)


@dataclass(frozen=True, slots=True)
class GrantedItem:
    """An item in one edition, or in every edition."""

    code: str
    edition: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewGrant:
    """What somebody asks to be granted; see :class:`licenses.grants.models.LicenseGrant`."""

    organisation: str
    client_id: str | None = None
    items: Sequence[GrantedItem]
    requirements: Sequence[str] = ()
    purposes: Sequence[str]
    ceiling: Ceiling
    quota: int
    valid_from: dt.date
    valid_until: dt.date
    legal_basis: str

    def as_terms(self) -> dict[str, Any]:
        """Give it as the request for it keeps it."""
        return {
            "organisation": self.organisation,
            "client": self.client_id,
            "items": [{"code": one.code, "edition": one.edition} for one in self.items],
            "requirements": sorted(self.requirements),
            "purposes": sorted(self.purposes),
            "ceiling": str(self.ceiling),
            "quota": self.quota,
            "valid_from": self.valid_from.isoformat(),
            "valid_until": self.valid_until.isoformat(),
            "legal_basis": self.legal_basis.strip(),
        }

    @classmethod
    def of_terms(cls, terms: Mapping[str, Any]) -> Self:
        """Read what :meth:`as_terms` gave."""
        return cls(
            organisation=terms["organisation"],
            client_id=terms["client"],
            items=[GrantedItem(one["code"], one["edition"]) for one in terms["items"]],
            requirements=terms["requirements"],
            purposes=terms["purposes"],
            ceiling=Ceiling(terms["ceiling"]),
            quota=terms["quota"],
            valid_from=dt.date.fromisoformat(terms["valid_from"]),
            valid_until=dt.date.fromisoformat(terms["valid_until"]),
            legal_basis=terms["legal_basis"],
        )


def check_terms(new: NewGrant, today: dt.date) -> None:
    """Check what somebody asks to be granted.

    Raises:
        GrantTermsError: It names no item, purpose, quota, window or legal basis, or one that cannot be.
    """
    if not 1 <= len(new.items) <= _MOST_ITEMS or len(set(new.items)) != len(new.items):
        raise GrantTermsError(field="items", rule="one or more, each once")
    if not all(_REQUIREMENT.fullmatch(one) for one in new.requirements):
        raise GrantTermsError(field="requirements", rule="ids of requirements such as R1")
    if not new.purposes or not all(is_purpose(one) for one in new.purposes):
        raise GrantTermsError(field="purposes", rule="one or more published codes")
    if not 1 <= new.quota <= MOST_A_DAY:
        raise GrantTermsError(field="quota", rule=f"1 to {MOST_A_DAY}")
    if new.valid_until < max(new.valid_from, today) or new.valid_until - new.valid_from > LONGEST_TERM:
        raise GrantTermsError(
            field="valid_until", rule="from the first day on, not over, three years at most"
        )
    text = new.legal_basis.strip()
    if not 1 <= len(text) <= LONGEST_BASIS or not is_plain(text):
        raise GrantTermsError(field="legal_basis", rule=f"1 to {LONGEST_BASIS} characters that are seen")
