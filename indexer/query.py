# SPDX-License-Identifier: Apache-2.0
"""A query, what it means, and what comes back.

White space separates terms; every term must be found. A term is a phrase of its tokens: Han
characters stand next to each other, words are whole; a term that ends in ``*`` takes its last word as a
prefix. Punctuation inside a term is skipped, as both engines skip it in texts.
"""

import datetime as dt
import enum
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, NamedTuple

from indexer.document import FACETS, PLAIN_MARKS, Token, is_han, is_plain, tokenise
from indexer.errors import QueryError
from indexer.validity import Judged, is_valid
from storage.clock import parse_rfc3339

MAX_TOKENS = 64
MAX_LIMIT = 100
SNIPPET_BEFORE = 20
SNIPPET_LENGTH = 90
_LONGEST_WORD = 40
MOST_VALUES: Final = 50
"""Values of one facet that are counted: the most frequent."""

_LETTER = "[A-Za-z0-9]"
_WITHIN_WORD = re.compile(r"[A-Za-z0-9.:/-]{2}")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Phrase:
    """Tokens that stand next to each other; with ``prefix`` the last one may go on."""

    tokens: tuple[str, ...]
    prefix: bool = False

    def spans(self, tokens: Sequence[Token]) -> list[Span]:
        """Give the spans of the original text in which the phrase stands."""
        width, first = len(self.tokens), self.tokens[0]
        known = width > 1 or not self.prefix
        return [
            (token.start, tokens[at + width - 1].end)
            for at, token in enumerate(tokens[: len(tokens) - width + 1])
            if (token.text == first or not known) and self._stands(tokens, at)
        ]

    def _stands(self, tokens: Sequence[Token], at: int) -> bool:
        *head, last = self.tokens
        if any(tokens[at + offset].text != text for offset, text in enumerate(head)):
            return False
        candidate = tokens[at + len(head)].text
        return candidate.startswith(last) if self.prefix else candidate == last


class Sort(enum.StrEnum):
    """Order of hits.

    Nothing in it depends on other documents, as a statistical weight would: a place in the list stays where
    it is while documents arrive, and both engines give the same order.
    """

    NEWEST = "newest"
    """By instant, the newest first."""
    RELEVANCE = "relevance"
    """First those whose title or number holds every term, then the others; the newest first among each."""
    NUMBER = "number"
    """By number, ascending."""


class Count(NamedTuple):
    """How many hits have a value of a facet."""

    value: str
    hits: int


@dataclass(frozen=True, slots=True)
class Query:
    """What somebody looks for and may find.

    Attributes:
        text: What was typed.
        organisations: Departments whose documents may be found; ``None`` means all.
        kinds: ``dossier`` and ``licence``, or one of them.
        limit: Hits of a page, 1 to 100.
        after: Cursor of the page before, from :attr:`Page.next_cursor`.
        sort: Order of the hits.
        chosen: Facet and the value that a hit must have of it.
        counted: Whether hits are counted by facet, too.
        judged: When licences are judged: those that are not valid then are no hits and in no count, unless it
            says so. ``None``: every licence is found, and no hit says whether it is valid.
    """

    text: str
    organisations: frozenset[str] | None
    kinds: frozenset[str] = field(default_factory=lambda: frozenset({"dossier", "licence"}))
    limit: int = 20
    after: str | None = None
    sort: Sort = Sort.NEWEST
    chosen: Mapping[str, str] = field(default_factory=dict)
    counted: bool = False
    judged: Judged | None = None


@dataclass(frozen=True, slots=True)
class Highlight:
    """A text and the spans of it that were found."""

    text: str
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One document that was found.

    Attributes:
        snippet: A piece of its text around the first finding.
        trust: Trust level of a licence; empty for a dossier.
        valid: Whether a licence is valid at the instant of the search; ``None`` for a dossier, or where
            nobody judged.
    """

    id: str
    kind: str
    number: str
    organisation: str
    at: dt.datetime
    title: Highlight
    snippet: Highlight
    trust: str = ""
    valid: bool | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page of hits, the count of all hits and how far the index has come.

    Attributes:
        facets: By facet, its values and how many hits each has or would have if it were chosen instead: what
            is chosen of the other facets counts. The most frequent first; empty unless asked for.
    """

    hits: tuple[Hit, ...]
    total: int
    next_cursor: str | None
    indexed_up_to: dt.datetime | None
    facets: Mapping[str, Sequence[Count]] = field(default_factory=dict)


def parse(text: str) -> tuple[Phrase, ...]:
    """Read what was typed; raises :class:`QueryError` when nothing or too much is asked for."""
    phrases = []
    for term in text.split():
        tokens = tuple(token.text for token in tokenise(term))
        if tokens:
            phrases.append(Phrase(tokens, prefix=term.rstrip("＊*") != term))
    count = sum(len(phrase.tokens) for phrase in phrases)
    if not 1 <= count <= MAX_TOKENS:
        raise QueryError(field="text", tokens=count, most=MAX_TOKENS)
    return tuple(phrases)


def check_limit(limit: int) -> int:
    """Give the limit back when it lies between 1 and 100; raises :class:`QueryError` otherwise."""
    if not 1 <= limit <= MAX_LIMIT:
        raise QueryError(field="limit", most=MAX_LIMIT)
    return limit


def check_chosen(chosen: Mapping[str, str]) -> Mapping[str, str]:
    """Give back what was chosen; raises :class:`QueryError` for what is no facet."""
    if not set(chosen) <= set(FACETS):
        raise QueryError(field="chosen")
    return chosen


def highlight(text: str, phrases: Sequence[Phrase]) -> Highlight:
    """Mark every place of a text in which one of the phrases stands; overlapping marks join."""
    found = sorted(_spans(text, phrases))
    joined: list[Span] = []
    for start, end in found:
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return Highlight(text, tuple(joined))


def _spans(text: str, phrases: Sequence[Phrase]) -> Iterator[Span]:
    # A page shows dozens of texts of which a few characters are marked: tokens of all would be most of
    # what a search costs.
    if is_plain(text):
        for phrase in phrases:
            yield from (found.span(1) for found in _pattern(phrase).finditer(text))
        return
    tokens = tokenise(text)
    for phrase in phrases:
        yield from phrase.spans(tokens)


@lru_cache(maxsize=1 << 10)
def _pattern(phrase: Phrase) -> re.Pattern[str]:
    """Write a phrase as it may stand in a plain text; looking ahead also finds places that overlap."""
    parts = [re.escape(token) for token in phrase.tokens]
    for at, token in enumerate(phrase.tokens):
        if not is_han(token[0]):
            more = f"{_LETTER}*" if phrase.prefix and at == len(parts) - 1 else ""
            parts[at] = f"(?<!{_LETTER}){parts[at]}{more}(?!{_LETTER})"
    return re.compile(f"(?=({f'[{PLAIN_MARKS}]*'.join(parts)}))", re.IGNORECASE)


def snippet(text: str, phrases: Sequence[Phrase]) -> Highlight:
    """Cut a piece of a text around the first finding, with its marks; the start if nothing is found.

    No word or number is cut in two, unless it is a very long one; an ellipsis stands where text is left out.
    """
    marked = highlight(text, phrases)
    first = marked.spans[0][0] if marked.spans else 0
    start = _word_edge(text, max(0, first - SNIPPET_BEFORE), -1)
    end = _word_edge(text, min(len(text), start + SNIPPET_LENGTH), 1)
    before, after = ("…" if start else ""), ("…" if end < len(text) else "")
    shift = len(before) - start
    spans = tuple(
        (left + shift, min(right, end) + shift) for left, right in marked.spans if start <= left < end
    )
    return Highlight(before + text[start:end] + after, spans)


def _word_edge(text: str, at: int, step: int) -> int:
    """Move a cut to where no word or number goes on, at most as far as a long number is."""
    for cut in range(at, at + step * _LONGEST_WORD, step):
        if not 0 < cut < len(text) or not _WITHIN_WORD.fullmatch(text[cut - 1 : cut + 1]):
            return cut
    return at


def hit_of(
    fields: Mapping[str, str], span: tuple[int, int] | None, phrases: Sequence[Phrase], judged: Judged | None
) -> Hit:
    """Read a document that was found.

    Args:
        fields: Its texts by name, the instant as RFC 3339.
        span: From when, and until before when it is valid, as :func:`indexer.validity.span_of` gave it.
        phrases: What was looked for.
        judged: When licences are judged.
    """
    return Hit(
        id=fields["id"],
        kind=fields["kind"],
        number=fields["number"],
        organisation=fields["organisation"],
        at=parse_rfc3339(fields["at"]),
        title=highlight(fields["title"], phrases),
        snippet=snippet(fields["text"], phrases),
        trust=fields["trust"],
        valid=is_valid(fields, span, judged),
    )
