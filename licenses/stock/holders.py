# SPDX-License-Identifier: Apache-2.0
"""Who holds a record of the stock: names, codes and shares, as pairs that belong together."""

from typing import Protocol

from cases.errors import HolderCodeError
from cases.identifiers import (
    ORGANISATION_SCHEMES,
    RESIDENT_ID,
    USCC,
    check_holder_code,
    is_resident_id,
    is_uscc,
)
from licenses.definition import LicenseType
from licenses.stock.folding import is_masked
from licenses.stock.parties import MOST_PARTIES, read_share, shares_close, split_field
from licenses.stock.profiles import Item, Profile
from licenses.stock.records import Draft, StockParty


class Reading(Protocol):
    """A row that is being read."""

    def note(self, code: str) -> None:
        """Remember a reason."""
        ...

    def text(self, item: Item) -> str | None:
        """Give an item's text."""
        ...


class HolderReader:
    """Reads the holders of records of one source.

    Args:
        profile: Its spelling.
    """

    def __init__(self, profile: Profile) -> None:
        self._separators = profile.several.separators
        self._scheme = profile.holder_scheme
        self._default = profile.default_holder_scheme
        self._schemes = {(one.scheme, one.code): one.means for one in profile.holder_schemes}

    def read(self, reading: Reading, draft: Draft, kind: LicenseType | None) -> None:
        """Put the holders into the draft, or the reasons why there are none into the reading."""
        names = _seen(reading, Item.HOLDER_NAME, "holder-name-missing", "name-masked")
        codes = _seen(reading, Item.HOLDER_CODE, "holder-code-missing", "code-masked")
        if names is None or codes is None:
            return
        each = split_field(codes, self._separators)
        # A name may rightly hold such a sign; a code never does.
        called = split_field(names, self._separators) if len(each) > 1 else [names]
        if len(called) != len(each) or not all(called) or not all(each) or len(each) > MOST_PARTIES:
            reading.note("holders-unreadable")
            return
        parties = self._parties(reading, called, each)
        if parties is None:
            return
        if len(parties) > 1:
            self._several(reading, parties)
        organisation = any(one.scheme in ORGANISATION_SCHEMES for one in parties)
        if organisation and kind is not None and kind.holder_kind == "person":
            reading.note("holder-kind")
        draft.parties = parties

    def _parties(self, reading: Reading, names: list[str], codes: list[str]) -> tuple[StockParty, ...] | None:
        word = reading.text(Item.HOLDER_SCHEME)
        words = split_field(word, self._separators) if word is not None else [None]
        if len(words) == 1:
            words *= len(codes)
        if len(words) != len(codes):
            reading.note("holders-unreadable")
            return None
        found: list[StockParty] = []
        for name, code, scheme in zip(names, codes, words, strict=True):
            party = self._party(reading, name, code, scheme, alone=len(codes) == 1)
            if party is None:
                return None
            found.append(party)
        return tuple(found)

    def _party(
        self, reading: Reading, name: str, code: str, word: str | None, *, alone: bool
    ) -> StockParty | None:
        folded = code.upper()
        scheme = self._means(word, folded)
        if scheme is None:
            reading.note("holder-scheme-unknown")
            return None
        if scheme == USCC and is_resident_id(folded):
            reading.note("sole-trader")
            scheme = RESIDENT_ID
        try:
            checked = check_holder_code(scheme, code)
        except HolderCodeError:
            reading.note("holder-code-invalid")
            return None
        if checked.code != code:
            reading.note("code-case")
        called = read_share(name)
        if alone and (called.share is not None or (scheme == RESIDENT_ID and self._separated(name))):
            # Several names, and one code: whose it is cannot be said.
            reading.note("holders-unreadable")
            return None
        return StockParty(checked.scheme, checked.code, called.name, called.share)

    def _separated(self, name: str) -> bool:
        return len(split_field(name, self._separators)) > 1

    def _means(self, word: str | None, code: str) -> str | None:
        """Give our scheme for a source's word; without one, the scheme that the check characters prove."""
        if word is not None:
            return self._schemes.get((self._scheme, word))
        if self._default is not None:
            return self._default
        if is_uscc(code):
            return USCC
        return RESIDENT_ID if is_resident_id(code) else None

    @staticmethod
    def _several(reading: Reading, parties: tuple[StockParty, ...]) -> None:
        reading.note("holders-several")
        if not shares_close([one.share for one in parties]):
            reading.note("shares-open")
        if len({(one.scheme, one.code) for one in parties}) != len(parties) or not all(
            one.name for one in parties
        ):
            reading.note("holders-unreadable")


def _seen(reading: Reading, item: Item, missing: str, masked: str) -> str | None:
    text = reading.text(item)
    if text is None:
        reading.note(missing)
        return None
    if is_masked(text):
        reading.note(masked)
        return None
    return text
