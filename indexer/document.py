# SPDX-License-Identifier: Apache-2.0
"""What is found, and the one tokenising function that both engines share.

Search means the same everywhere: each Han character is a token, a run of Latin letters and digits is
one token, everything else separates. Full-width and compatibility forms fold (NFKC), case folds. So a
phrase query finds every run of Han characters as a substring, and words only as a whole or by prefix.
Tokens keep their place in the original text, because highlighting marks what the reader sees.
"""

import datetime as dt
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, field

TOKENISER_VERSION = 1
_HAN = (
    (0x3005, 0x3007),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2FA1F),
    (0x30000, 0x323AF),
)


@dataclass(frozen=True, slots=True)
class Token:
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

    @property
    def visible_to(self) -> frozenset[str]:
        """Give the departments that find it."""
        return self.restricted_to or frozenset({self.organisation})


def is_han(char: str) -> bool:
    """Tell whether a folded character is a Han character, those beyond the basic plane included."""
    code = ord(char)
    return any(first <= code <= last for first, last in _HAN)


def _folded(text: str) -> Iterator[tuple[str, int, int]]:
    """Give each folded character with the span of the original cluster it comes from."""
    start = 0
    while start < len(text):
        end = start + 1
        while end < len(text) and unicodedata.combining(text[end]):
            end += 1
        cluster = unicodedata.normalize("NFKC", text[start:end]).casefold()
        for char in unicodedata.normalize("NFKC", cluster):
            yield char, start, end
        start = end


def tokenise(text: str) -> list[Token]:
    """Split a text into tokens, in order, each with its span in the original text.

    A combining mark stays with its letter; punctuation, symbols and white space only separate.
    """
    tokens: list[Token] = []
    word, word_start, word_end = "", 0, 0
    for char, start, end in _folded(text):
        wordlike = char.isalnum() or (bool(word) and unicodedata.category(char)[0] == "M")
        if wordlike and not is_han(char):
            word, word_start, word_end = word + char, word_start if word else start, end
            continue
        if word:
            tokens.append(Token(word, word_start, word_end))
            word = ""
        if is_han(char):
            tokens.append(Token(char, start, end))
    if word:
        tokens.append(Token(word, word_start, word_end))
    return tokens


def token_text(text: str) -> str:
    """Give the tokens of a text joined by single spaces, as an engine stores them."""
    return " ".join(token.text for token in tokenise(text))
