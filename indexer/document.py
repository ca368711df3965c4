# SPDX-License-Identifier: Apache-2.0
"""What is found, and the one tokenising function that both engines share.

Search means the same everywhere: each Han character is a token, a run of Latin letters and digits is
one token, everything else separates. Full-width and compatibility forms fold (NFKC), case folds. So a
phrase query finds every run of Han characters as a substring, and words only as a whole or by prefix.
Tokens keep their place in the original text, because highlighting marks what the reader sees.
"""

import datetime as dt
import enum
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from storage.clock import legal_date

TOKENISER_VERSION = 1
FACETS: Final = ("kind", "organisation", "item", "year", "state", "type")
"""What hits are counted and narrowed by, in the order of a page."""
_HAN = (
    (0x3005, 0x3007),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2FA1F),
    (0x30000, 0x323AF),
)


_PLAIN_HAN = "\u3005\u3007\u3400-\u4dbf\u4e00-\u9fff"
PLAIN_MARKS = "\t\n\r -/:-@\\[-`{-~·–—‘-”…、。〈-】〔〕！-／：-＠"
_PLAIN = re.compile(f"[A-Za-z0-9{_PLAIN_HAN}{PLAIN_MARKS}]*").fullmatch
_PLAIN_TOKEN = re.compile(f"[A-Za-z0-9]+|[{_PLAIN_HAN}]").finditer


class _Kind(enum.Enum):
    HAN = enum.auto()
    WORD = enum.auto()
    MARK = enum.auto()
    OTHER = enum.auto()


class Token(NamedTuple):
    """One unit of search: its folded text and where it stands in the original."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class IndexDocument:
    """What the index holds of a dossier or a licence.

    Attributes:
        id: Opaque identifier of the dossier or licence.
        kind: ``dossier`` or ``licence``.
        title: Title a person sees.
        text: Catalogue, extracted text or face text.
        organisation: Department that owns it.
        number: 档号 or licence identifier.
        at: Instant of filing or issuing; results stand newest first.
        restricted_to: Departments that find it; empty means its own alone.
        version: Grows with each change; an older version never replaces a newer one.
        item: Code of the item that was handled.
        type: Code of the licence type; empty for a dossier.
        state: Where the record stands; never whether a licence is valid today, which is computed when asked.
        trust: Trust level of a licence; empty for a dossier.
        since: From when a licence is valid by its dates and events; ``None`` for one that never is.
        until: When that ends; ``None`` while nothing ends it.
        seal: The seal that a licence rests on; empty for one that rests on its source's word.
    """

    id: str
    kind: str
    title: str
    text: str
    organisation: str
    number: str
    at: dt.datetime
    restricted_to: frozenset[str] = field(default_factory=frozenset)
    version: int = 1
    item: str = ""
    type: str = ""
    state: str = ""
    trust: str = ""
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    seal: str = ""

    @property
    def year(self) -> str:
        """Give the year of filing or issuing, by the legal date."""
        return str(legal_date(self.at).year)

    @property
    def facets(self) -> dict[str, str]:
        """Give its value of each of :data:`FACETS`; one that does not fit it is empty."""
        return {name: str(getattr(self, name)) for name in FACETS}

    @property
    def visible_to(self) -> frozenset[str]:
        """Give the departments that find it."""
        return self.restricted_to or frozenset({self.organisation})


def is_han(char: str) -> bool:
    """Tell whether a folded character is a Han character, those beyond the basic plane included."""
    code = ord(char)
    return any(first <= code <= last for first, last in _HAN)


def _kind(char: str) -> _Kind:
    if is_han(char):
        return _Kind.HAN
    if char.isalnum():
        return _Kind.WORD
    return _Kind.MARK if unicodedata.category(char).startswith("M") else _Kind.OTHER


@lru_cache(maxsize=1 << 14)
def _folded(cluster: str) -> tuple[tuple[str, _Kind], ...]:
    """Give each folded character of a letter with its combining marks, and what it is."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", cluster).casefold())
    return tuple((char, _kind(char)) for char in folded)


def _clusters(text: str) -> Iterator[tuple[str, int, int]]:
    """Cut a text into letters with their combining marks, each with its span."""
    start, length, combining = 0, len(text), unicodedata.combining
    while start < length:
        end = start + 1
        while end < length and combining(text[end]):
            end += 1
        yield text[start:end], start, end
        start = end


def tokenise(text: str) -> list[Token]:
    """Split a text into tokens, in order, each with its span in the original text.

    A combining mark stays with its letter; punctuation, symbols and white space only separate.
    """
    if is_plain(text):
        return [Token(found.group().lower(), *found.span()) for found in _PLAIN_TOKEN(text)]
    return _tokenise_any(text)


def is_plain(text: str) -> bool:
    """Tell whether a text, as nearly all, holds nothing that folds by more than case.

    Its tokens are its Han characters and its runs of ASCII letters and digits; ``PLAIN_MARKS``, the inside
    of a character class, is what separates them.
    """
    return _PLAIN(text) is not None


def _tokenise_any(text: str) -> list[Token]:
    tokens: list[Token] = []
    word, word_start, word_end = "", 0, 0
    for cluster, start, end in _clusters(text):
        for char, kind in _folded(cluster):
            if kind is _Kind.WORD or (kind is _Kind.MARK and word):
                word, word_start, word_end = word + char, word_start if word else start, end
                continue
            if word:
                tokens.append(Token(word, word_start, word_end))
                word = ""
            if kind is _Kind.HAN:
                tokens.append(Token(char, start, end))
    if word:
        tokens.append(Token(word, word_start, word_end))
    return tokens


def token_text(text: str) -> str:
    """Give the tokens of a text joined by single spaces, as an engine stores them."""
    return " ".join(token.text for token in tokenise(text))
