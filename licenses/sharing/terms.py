# SPDX-License-Identifier: Apache-2.0
"""What a client may ask to be told of, and the rules that a wish has to keep."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from cases.errors import HolderCodeError
from cases.identifiers import check_holder_code, is_plain
from cases.items import ItemCatalogue
from licenses.catalogue import TypeCatalogue
from licenses.sharing.errors import SubscriptionTermsError
from licenses.sharing.models import About
from licenses.sharing.ports import Sender
from licenses.sharing.purposes import sharing_purposes
from storage.database import UnitOfWork

MOST_CODES: Final = 100
MOST_HOLDERS: Final = 1_000
_LONGEST_NAME: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a client asks to be told of.

    Attributes:
        name: What it is for, in its own words.
        about: ``licences``, or ``proofs``: the client's own decisions, or ``questions``: what its department
            is asked.
        types: Codes of licence types.
        items: Codes of items.
        holders: Scheme and code of each holder.
        purpose: Code of a published purpose.
        endpoint: Where events are sent; ``None`` to fetch them only.
        reason: Why, for who decides.
    """

    name: str
    about: str = About.LICENCES
    types: Sequence[str] = ()
    items: Sequence[str] = ()
    holders: Sequence[tuple[str, str]] = ()
    purpose: str
    endpoint: str | None = None
    reason: str


class Terms:
    """Judges wishes.

    Args:
        types: The catalogue of licence types.
        items: The catalogue of items.
        sender: Knows which addresses may be sent to.
    """

    def __init__(self, types: TypeCatalogue, items: ItemCatalogue, sender: Sender) -> None:
        self._types = types
        self._items = items
        self._sender = sender

    def check(self, uow: UnitOfWork, wish: Wish) -> list[tuple[str, bytes]]:
        """Give the keyed hashes of the holders that a wish names.

        Raises:
            SubscriptionTermsError, EndpointRefusedError: The wish breaks a rule.
        """
        if not 1 <= len(wish.name) <= _LONGEST_NAME or not is_plain(wish.name):
            raise SubscriptionTermsError(field="name", rule=f"1 to {_LONGEST_NAME} characters that are seen")
        if wish.about not in set(About):
            raise SubscriptionTermsError(field="about", rule=" ".join(About))
        self._check_scope(wish)
        if wish.purpose not in sharing_purposes():
            raise SubscriptionTermsError(field="purpose", rule="a published purpose")
        if wish.endpoint is not None:
            self._sender.check(wish.endpoint)
        return _hashes(uow, wish.holders)

    def _check_scope(self, wish: Wish) -> None:
        named = bool(wish.types or wish.items or wish.holders)
        if wish.about != About.LICENCES:
            if named:
                raise SubscriptionTermsError(field="about", rule=f"{wish.about}: no types, items or holders")
            return
        if not named:
            raise SubscriptionTermsError(field="types", rule="types, items or holders")
        for field, codes in (("types", wish.types), ("items", wish.items)):
            if len(codes) > MOST_CODES:
                raise SubscriptionTermsError(field=field, rule=f"at most {MOST_CODES}")
        known = {one.code for one in self._types.all()}
        if not known.issuperset(wish.types):
            raise SubscriptionTermsError(field="types", rule="codes of the catalogue")
        if not all(self._items.knows(code) for code in wish.items):
            raise SubscriptionTermsError(field="items", rule="codes of the catalogue")


def _hashes(uow: UnitOfWork, holders: Sequence[tuple[str, str]]) -> list[tuple[str, bytes]]:
    if len(holders) > MOST_HOLDERS:
        raise SubscriptionTermsError(field="holders", rule=f"at most {MOST_HOLDERS}")
    found = set()
    for scheme, code in holders:
        try:
            known = check_holder_code(scheme, code)
        except HolderCodeError as error:
            raise SubscriptionTermsError(field="holders", rule="a scheme and a code that fits it") from error
        found.add((known.scheme, uow.secrets.lookup_hash(known.scheme, known.code)))
    return sorted(found)
