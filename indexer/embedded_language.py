# SPDX-License-Identifier: Apache-2.0
"""What is said to SQLite and its FTS5; nothing here opens a file."""

from collections.abc import Mapping
from typing import Final

from indexer.document import FACETS, IndexDocument
from indexer.query import Phrase, Query, Sort

LAYOUT: Final = 4
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS document (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, kind TEXT NOT NULL,
    number TEXT NOT NULL, organisation TEXT NOT NULL, scope TEXT NOT NULL, at TEXT NOT NULL,
    title TEXT NOT NULL, text TEXT NOT NULL, trust TEXT NOT NULL, seal TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS document_order ON document (at DESC, id DESC);
CREATE INDEX IF NOT EXISTS document_number ON document (number, id);
CREATE TABLE IF NOT EXISTS facet (
    key INTEGER PRIMARY KEY, kind TEXT NOT NULL, organisation TEXT NOT NULL, item TEXT NOT NULL,
    year TEXT NOT NULL, state TEXT NOT NULL, type TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS span (key INTEGER PRIMARY KEY, since INTEGER NOT NULL, until INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS removed (id TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (
    title, text, number, scope, content='', tokenize='ascii');
"""
_TABLES = ("visible", "document", "facet", "span", "removed", "note", "words")
DROP: Final = "".join(f"DROP TABLE IF EXISTS {name};" for name in _TABLES)

# Only licences have a span; it is small, for a look at it costs as much as finding the word did.
_FOUND = """words WHERE words MATCH :asked AND (:at IS NULL OR NOT EXISTS (
    SELECT 1 FROM span WHERE span.key = words.rowid AND (:at < span.since OR :at >= span.until)))"""
FIND: Final = f"SELECT rowid FROM {_FOUND} LIMIT :most"  # noqa: S608 - our own words
COUNT: Final = f"SELECT count(*) FROM {_FOUND}"  # noqa: S608 - our own words
SPAN: Final = "INSERT INTO span VALUES (?, ?, ?)"
WORDS: Final = "INSERT INTO words (rowid, title, text, number, scope) VALUES (?, ?, ?, ?, ?)"
FORGET: Final = (
    "INSERT INTO words (words, rowid, title, text, number, scope) VALUES ('delete', ?, ?, ?, ?, ?)"
)
# A table of its own: rows with their texts would be read from many more pages of the file.
FACET: Final = f"INSERT INTO facet (key, {', '.join(FACETS)}) VALUES (?{', ?' * len(FACETS)})"  # noqa: S608 - our own names
COUNT_FACETS: Final = f"""
SELECT {", ".join(FACETS)}, count(*) FROM facet WHERE key IN (SELECT rowid FROM {_FOUND})
GROUP BY {", ".join(FACETS)}"""  # noqa: S608 - our own names
_ORDERS: Final[Mapping[Sort, tuple[str, str, str]]] = {
    Sort.NEWEST: ("document_order", "at DESC, id DESC", "(at, id) < (:first, :second)"),
    Sort.NUMBER: ("document_number", "number, id", "(number, id) > (:first, :second)"),
}


def few_page(sort: Sort, *, further: bool) -> str:
    """Ask for a page of few that were found: they are sorted faster than an index is searched for them."""
    _, order, behind = _ORDERS[sort]
    place = f"AND {behind}" if further else ""
    return f"""
SELECT * FROM document LEFT JOIN span USING (key) WHERE key IN (SELECT value FROM json_each(:asked)) {place}
ORDER BY {order} LIMIT :most"""  # noqa: S608 - nothing in it comes from outside


def page(sort: Sort, *, further: bool) -> str:
    """Ask for a page of many and for their count.

    In the order of an index until the page is full: sorting all that is found would read all of it. The sign
    keeps SQLite from taking the findings one by one instead.
    """
    index, order, behind = _ORDERS[sort]
    place = f"AND {behind}" if further else ""
    return f"""
WITH found AS MATERIALIZED (SELECT rowid AS key FROM {_FOUND})
SELECT *, (SELECT count(*) FROM found) AS total FROM document LEFT JOIN span USING (key) WHERE key IN (
    SELECT key FROM document INDEXED BY {index}
    WHERE +key IN (SELECT key FROM found) {place} ORDER BY {order} LIMIT :most)
ORDER BY {order}"""  # noqa: S608 - nothing in it comes from outside


def scope_of(document: IndexDocument) -> str:
    """Write who finds a document and its facets as words, so that the full-text table alone decides."""
    facets = document.facets
    visible = [_word("o", one) for one in document.visible_to]
    seal = [_word("s", document.seal)] if document.seal else []
    return " ".join(sorted([*visible, *seal, *(_facet(name, value) for name, value in facets.items())]))


def matching(query: Query, phrases: tuple[Phrase, ...], *, chosen: bool = True) -> str:
    """Ask in FTS5's language for what this query finds, permission included.

    Args:
        query: The query.
        phrases: Its terms.
        chosen: Whether what is chosen of the facets counts.
    """
    return f"{{title text number}} : ({_match(phrases)}) AND {_scope(query, chosen=chosen)}"


def matching_best(query: Query, phrases: tuple[Phrase, ...]) -> str:
    """Ask for those of :func:`matching` whose title or number holds every term."""
    return f"{{title number}} : ({_match(phrases)}) AND {_scope(query, chosen=True)}"


def matching_rest(query: Query, phrases: tuple[Phrase, ...]) -> str:
    """Ask for those of :func:`matching` that :func:`matching_best` leaves out."""
    return f"({matching(query, phrases)}) NOT ({matching_best(query, phrases)})"


def _match(phrases: tuple[Phrase, ...]) -> str:
    """Write phrases in FTS5's language; tokens are letters and digits, so quoting is enough."""
    return " AND ".join(f'"{" ".join(phrase.tokens)}"{"*" if phrase.prefix else ""}' for phrase in phrases)


def _scope(query: Query, *, chosen: bool) -> str:
    every = [[_facet("kind", kind) for kind in query.kinds]]
    if query.organisations is not None:
        every.append([_word("o", one) for one in query.organisations])
    if chosen:
        every.extend([_facet(name, value)] for name, value in query.chosen.items())
    wanted = " AND ".join(f"scope : ({' OR '.join(sorted(words))})" for words in every)
    judged = query.judged
    if judged is None or judged.ended or not judged.revoked:
        return wanted
    return f"({wanted} NOT scope : ({' OR '.join(_word('s', seal) for seal in sorted(judged.revoked))}))"


def valid_at(query: Query) -> int | None:
    """Give when licences must be valid to be found; ``None`` where they need not."""
    return None if query.judged is None or query.judged.ended else query.judged.place


def _facet(name: str, value: str) -> str:
    return _word(f"f{FACETS.index(name)}x", value)


def _word(prefix: str, value: str) -> str:
    """Write a value as one word, whatever it holds."""
    return f"{prefix}{value.encode().hex()}"
