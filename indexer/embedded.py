# SPDX-License-Identifier: Apache-2.0
"""The embedded index: SQLite FTS5 in a file of its own.

Texts are tokenised by ``indexer.document``, so SQLite's own tokeniser only splits at spaces. The full-text
table keeps no copy of the text; what it needs to forget a document is computed again from the stored
document, hence a change of the tokeniser empties the index (reconciling fills it again).
"""

import contextlib
import datetime as dt
import json
import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from pathlib import Path

from indexer.document import TOKENISER_VERSION, IndexDocument, token_text
from indexer.errors import IndexUnavailableError
from indexer.ports import Written
from indexer.query import Page, Phrase, Query, check_limit, hit_of, parse
from storage.clock import parse_rfc3339, rfc3339
from storage.cursors import read_cursor, write_cursor

_SCHEMA = """
CREATE TABLE IF NOT EXISTS document (
    key INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, version INTEGER NOT NULL, kind TEXT NOT NULL,
    number TEXT NOT NULL, organisation TEXT NOT NULL, scope TEXT NOT NULL, at TEXT NOT NULL,
    title TEXT NOT NULL, text TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS document_order ON document (at DESC, id DESC);
CREATE TABLE IF NOT EXISTS removed (id TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS note (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5 (
    title, text, number, scope, content='', tokenize='ascii');
"""
_LAYOUT = 2
_TABLES = ("visible", "document", "removed", "note", "words")
_DROP = "".join(f"DROP TABLE IF EXISTS {name};" for name in _TABLES)
_FEW = 1_000
_FIND = "SELECT rowid FROM words WHERE words MATCH ? LIMIT ?"
# Few are sorted faster than the order of the index is searched for them.
_FEW_PAGE = """
SELECT * FROM document WHERE key IN (SELECT value FROM json_each(?)) {after}
ORDER BY at DESC, id DESC LIMIT ?"""
_COUNT = "SELECT count(*) FROM words WHERE words MATCH ?"
# In the order of the index until the page is full: sorting all that is found would read all of it. The sign
# keeps SQLite from taking the findings one by one instead.
_PAGE = """
WITH found AS MATERIALIZED (SELECT rowid AS key FROM words WHERE words MATCH ?)
SELECT document.*, (SELECT count(*) FROM found) AS total FROM document WHERE key IN (
    SELECT key FROM document INDEXED BY document_order
    WHERE +key IN (SELECT key FROM found) {after} ORDER BY at DESC, id DESC LIMIT ?)
ORDER BY at DESC, id DESC"""
_WORDS = "INSERT INTO words (rowid, title, text, number, scope) VALUES (?, ?, ?, ?, ?)"
_FORGET = "INSERT INTO words (words, rowid, title, text, number, scope) VALUES ('delete', ?, ?, ?, ?, ?)"


def _match(phrases: tuple[Phrase, ...]) -> str:
    """Write phrases in FTS5's language; tokens are letters and digits, so quoting is enough."""
    return " AND ".join(f'"{" ".join(phrase.tokens)}"{"*" if phrase.prefix else ""}' for phrase in phrases)


def _scope(organisations: Iterable[str], kinds: Iterable[str]) -> list[str]:
    """Write departments and kinds as words; in hexadecimal, so that each is one, whatever it holds."""
    named = [f"o{name.encode().hex()}" for name in organisations]
    return sorted([*named, *(f"k{kind.encode().hex()}" for kind in kinds)])


def _wanted(query: Query, phrases: tuple[Phrase, ...]) -> str:
    """Ask in FTS5's language for what this query finds, permission included."""
    asked = (
        f"{{title text number}} : ({_match(phrases)}) AND scope : ({' OR '.join(_scope((), query.kinds))})"
    )
    if query.organisations is None:
        return asked
    return f"{asked} AND scope : ({' OR '.join(_scope(query.organisations, ()))})"


class EmbeddedIndex:
    """An index in one SQLite file; safe to use from several threads and processes.

    Args:
        path: The file, made when it is not there; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._writing() as connection:
            connection.executescript(_SCHEMA)
        with self._writing() as connection:
            self._check_tokeniser(connection)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = None
        try:
            connection = sqlite3.connect(self._path, timeout=10, isolation_level=None)
            connection.row_factory = sqlite3.Row
            connection.execute("PRAGMA journal_mode = WAL")
            # A lost tail is found by reconciling, so the cheaper level is enough here.
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA foreign_keys = ON")
            yield connection
        except sqlite3.Error as error:
            raise IndexUnavailableError() from error
        finally:
            if connection is not None:
                connection.close()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            if connection.in_transaction:
                connection.execute("COMMIT")

    @staticmethod
    def _check_tokeniser(connection: sqlite3.Connection) -> None:
        row = connection.execute("SELECT value FROM note WHERE name = 'tokeniser'").fetchone()
        rules = f"{TOKENISER_VERSION}.{_LAYOUT}"
        if row is not None and row["value"] == rules:
            return
        if row is not None:
            connection.executescript(_DROP + _SCHEMA)
        connection.execute("INSERT OR REPLACE INTO note VALUES ('tokeniser', ?)", (rules,))

    engine = "embedded"

    def close(self) -> None:
        """Close connections; each call has its own, so there is none to close."""

    def put(self, document: IndexDocument) -> bool:
        """Add or replace a document; False when the index already holds this or a newer version."""
        return self.put_all([document]).changed == 1

    def put_all(self, documents: Sequence[IndexDocument]) -> Written:
        """Put many in one transaction."""
        changed = 0
        with self._writing() as connection:
            for document in documents:
                if self._held_version(connection, document.id) < document.version:
                    self._replace(connection, document)
                    changed += 1
        return Written(changed)

    def _replace(self, connection: sqlite3.Connection, document: IndexDocument) -> None:
        self._remove(connection, document.id)
        self._insert(connection, document)

    @staticmethod
    def _held_version(connection: sqlite3.Connection, document_id: str) -> int:
        row = connection.execute(
            "SELECT max(version) AS version FROM (SELECT version FROM document WHERE id = :id "
            "UNION ALL SELECT version FROM removed WHERE id = :id)",
            {"id": document_id},
        ).fetchone()
        return -1 if row["version"] is None else int(row["version"])

    @staticmethod
    def _insert(connection: sqlite3.Connection, document: IndexDocument) -> None:
        scope = " ".join(_scope(document.visible_to, (document.kind,)))
        cursor = connection.execute(
            "INSERT INTO document (id, version, kind, title, text, number, organisation, scope, at) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                document.id,
                document.version,
                document.kind,
                document.title,
                document.text,
                document.number,
                document.organisation,
                scope,
                rfc3339(document.at),
            ),
        )
        parts = (document.title, document.text, document.number)
        connection.execute(_WORDS, (cursor.lastrowid, *map(token_text, parts), scope))

    @staticmethod
    def _remove(connection: sqlite3.Connection, document_id: str) -> None:
        row = connection.execute("SELECT * FROM document WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            return
        parts = (row["title"], row["text"], row["number"])
        connection.execute(_FORGET, (row["key"], *map(token_text, parts), row["scope"]))
        connection.execute("DELETE FROM document WHERE key = ?", (row["key"],))

    def delete(self, document_id: str, version: int) -> None:
        """Remove a document for good: no put of this or an older version brings it back."""
        with self._writing() as connection:
            self._remove(connection, document_id)
            connection.execute(
                "INSERT INTO removed VALUES (?, ?) ON CONFLICT (id) DO UPDATE "
                "SET version = max(version, excluded.version)",
                (document_id, version),
            )

    def forget(self, document_id: str) -> None:
        """Remove a document and every memory of its versions, as if it had never been put."""
        with self._writing() as connection:
            self._remove(connection, document_id)
            connection.execute("DELETE FROM removed WHERE id = ?", (document_id,))

    def rebuild(self, batches: Iterable[Sequence[IndexDocument]]) -> Written:
        """Make the index anew of exactly these documents; searches are answered all the while.

        It happens in place, one transaction for each batch: a second file could not take the place of
        one that other processes hold open. So a file that cannot be read any more has to be removed first.
        """
        before = dict(self.versions())
        surplus = set(before)
        written = Written(0)
        with self._writing() as connection:
            connection.execute("DELETE FROM removed")
        for batch in batches:
            with self._writing() as connection:
                for document in batch:
                    surplus.discard(document.id)
                    held = self._held_version(connection, document.id)
                    # Newer than the records, and held so since the start: no writer put that meanwhile.
                    ahead = document.version < held == before.get(document.id)
                    if held <= document.version or ahead:
                        self._replace(connection, document)
                        written = written.plus(Written(1))
        with self._writing() as connection:
            for document_id in sorted(surplus):
                self._remove(connection, document_id)
            connection.execute("INSERT INTO words (words) VALUES ('optimize')")
        return written

    def count(self) -> int:
        """Give how many documents are held."""
        with self._connection() as connection:
            return int(connection.execute("SELECT count(*) FROM document").fetchone()[0])

    def search(self, query: Query) -> Page:
        """Find what the query means among the documents its organisations may find, newest first."""
        phrases = parse(query.text)
        limit = check_limit(query.limit)
        after, place = "", []
        if query.after is not None:
            at, document_id = read_cursor(query.after)
            after, place = "AND (at, id) < (?, ?)", [rfc3339(at), document_id]
        if not query.kinds or query.organisations == frozenset():
            return Page((), 0, None, self.indexed_up_to())
        asked = _wanted(query, phrases)
        with self._connection() as connection:
            connection.execute("BEGIN")
            rows, total = self._page(connection, asked, after, [*place, limit + 1])
            up_to = self._noted(connection)
        hits = tuple(hit_of(row, phrases) for row in rows[:limit])
        more = len(rows) > limit
        cursor = write_cursor(hits[-1].at, hits[-1].id) if more else None
        return Page(hits, total, cursor, up_to)

    @staticmethod
    def _page(
        connection: sqlite3.Connection, asked: str, after: str, place: Sequence[str | int]
    ) -> tuple[list[sqlite3.Row], int]:
        """Give the rows of a page and how many all pages have."""
        found = [key for (key,) in connection.execute(_FIND, (asked, _FEW + 1))]
        if len(found) <= _FEW:
            query, values = _FEW_PAGE, (json.dumps(found), *place)
            return connection.execute(query.format(after=after), values).fetchall(), len(found)
        rows = connection.execute(_PAGE.format(after=after), (asked, *place)).fetchall()
        # Behind the last page no row tells how many there are.
        total = rows[0]["total"] if rows else connection.execute(_COUNT, (asked,)).fetchone()[0]
        return rows, int(total)

    def versions(self, after: str = "") -> Generator[tuple[str, int]]:
        """Give identifier and version of every document held at that moment, in ascending order."""
        with self._connection() as connection:
            query = "SELECT id, version FROM document WHERE id > ? ORDER BY id"
            for row in connection.execute(query, (after,)):
                yield row["id"], row["version"]

    @staticmethod
    def _noted(connection: sqlite3.Connection) -> dt.datetime | None:
        row = connection.execute("SELECT value FROM note WHERE name = 'up_to'").fetchone()
        return None if row is None else parse_rfc3339(row["value"])

    def advance(self, up_to: dt.datetime) -> None:
        """Note that everything recorded up to this instant is held; never goes back."""
        with self._writing() as connection:
            connection.execute(
                "INSERT INTO note VALUES ('up_to', ?) ON CONFLICT (name) DO UPDATE "
                "SET value = max(value, excluded.value)",
                (rfc3339(up_to),),
            )

    def indexed_up_to(self) -> dt.datetime | None:
        """Give the instant of :meth:`advance`; None when nothing was noted yet."""
        with self._connection() as connection:
            return self._noted(connection)
