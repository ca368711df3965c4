# SPDX-License-Identifier: Apache-2.0
"""What an identity provider tells of a holder, brought into our words. It is used and not kept."""

import datetime as dt
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from cases.errors import HolderCodeError
from cases.identifiers import RESIDENT_ID, USCC, HolderCode, check_holder_code
from portal.citizens.errors import IdentityIncompleteError

_LONGEST_NAME: Final = 200
ELDER_AGE: Final = 60
"""Age in years from which pages come in large print (老年人权益保障法, article 2)."""


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """What a provider calls its claims."""

    scheme: str
    code: str
    organisation: str


@dataclass(frozen=True, slots=True)
class Vouched:
    """Who signed in, as the provider vouches.

    Attributes:
        holder: Scheme and code: of the enterprise where somebody signs in for one, else of the person.
        name: The holder's name, if the provider tells it.
        born: The person's birth date, if the provider tells it.
    """

    holder: HolderCode
    name: str | None
    born: dt.date | None

    def is_elder(self, today: dt.date) -> bool:
        """Tell whether the person is known to be of the age from which pages come in large print."""
        if self.born is None:
            return False
        before_birthday = (today.month, today.day) < (self.born.month, self.born.day)
        return today.year - self.born.year - before_birthday >= ELDER_AGE

    def is_named(self, name: str) -> bool:
        """Tell whether our records' name is the one vouched for; a provider may tell none."""
        return self.name is None or _plain(self.name) == _plain(name)


def read_claims(claims: Mapping[str, object], names: ClaimNames) -> Vouched:
    """Read the claims of a checked ID token or of the userinfo endpoint.

    Raises:
        IdentityIncompleteError: There is no code, or one that does not hold.
    """
    organisation = _text(claims, names.organisation)
    scheme = USCC if organisation else _text(claims, names.scheme) or RESIDENT_ID
    code = organisation or _text(claims, names.code) or ""
    name = _text(claims, "organisation_name" if organisation else "name")
    try:
        holder = check_holder_code(scheme, code)
    except HolderCodeError:
        # The error's facts would stand on the page; they are the provider's matter.
        raise IdentityIncompleteError from None
    return Vouched(holder, name, _date(_text(claims, "birthdate")))


def tells_code(claims: Mapping[str, object], names: ClaimNames) -> bool:
    """Tell whether the claims name anybody."""
    return bool(_text(claims, names.organisation) or _text(claims, names.code))


def _text(claims: Mapping[str, object], name: str) -> str | None:
    value = claims.get(name)
    return value.strip() if isinstance(value, str) and 1 <= len(value.strip()) <= _LONGEST_NAME else None


def _date(text: str | None) -> dt.date | None:
    """Read a birth date; one without a year, or malformed, tells no age."""
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return None


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()
