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
from typing import NamedTuple

from indexer.document import TOKENISER_VERSION, IndexDocument, token_text
from indexer.embedded_language import (
    COUNT,
    COUNT_FACETS,
    DROP,
    FACET,
    FIND,
    FORGET,
    LAYOUT,
    SCHEMA,
    SPAN,
    WORDS,
    few_page,
    matching,
    matching_best,
    matching_rest,
    page,
    scope_of,
    valid_at,
)
from indexer.errors import IndexUnavailableError
from indexer.facets import counts_of
from indexer.places import Place, read_place, write_place
from indexer.ports import Written
from indexer.query import Count, Hit, Page, Phrase, Query, Sort, check_chosen, check_limit, hit_of, parse
from indexer.validity import LICENCE, Judged, span_of
from storage.clock import parse_rfc3339, rfc3339

_FEW = 1_000
_NEVER = (0, 0)


class Sought(NamedTuple):
    """What is asked of the full-text table, and when licences must be valid, if they must."""

    asked: str
    at: int | None


class EmbeddedIndex:
    """An index in one SQLite file; safe to use from several threads and processes.

    Args:
        path: The file, made when it is not there; its folder must exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._writing() as connection:
            connection.executescript(SCHEMA)
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
        rules = f"{TOKENISER_VERSION}.{LAYOUT}"
        if row is not None and row["value"] == rules:
            return
        if row is not None:
            connection.executescript(DROP + SCHEMA)
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
        scope = scope_of(document)
        cursor = connection.execute(
            "INSERT INTO document (id, version, kind, title, text, number, organisation, scope, at, "
            "trust, seal) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
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
                document.trust,
                document.seal,
            ),
        )
        parts = (document.title, document.text, document.number)
        connection.execute(WORDS, (cursor.lastrowid, *map(token_text, parts), scope))
        connection.execute(FACET, (cursor.lastrowid, *document.facets.values()))
        if document.kind == LICENCE:
            connection.execute(SPAN, (cursor.lastrowid, *(span_of(document) or _NEVER)))

    @staticmethod
    def _remove(connection: sqlite3.Connection, document_id: str) -> None:
        row = connection.execute("SELECT * FROM document WHERE id = ?", (document_id,)).fetchone()
        if row is None:
            return
        parts = (row["title"], row["text"], row["number"])
        connection.execute(FORGET, (row["key"], *map(token_text, parts), row["scope"]))
        connection.execute("DELETE FROM document WHERE key = ?", (row["key"],))
        connection.execute("DELETE FROM facet WHERE key = ?", (row["key"],))
        connection.execute("DELETE FROM span WHERE key = ?", (row["key"],))

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
        """Find what the query means among the documents its organisations may find, in its order."""
        phrases = parse(query.text)
        limit = check_limit(query.limit)
        check_chosen(query.chosen)
        place = read_place(query)
        if not query.kinds or query.organisations == frozenset():
            return Page((), 0, None, self.indexed_up_to(), counts_of((), {}) if query.counted else {})
        with self._connection() as connection:
            connection.execute("BEGIN")
            if query.sort is Sort.RELEVANCE:
                best, rest, total = self._best_first(connection, query, phrases, place)
            else:
                asked = Sought(matching(query, phrases), valid_at(query))
                best, (rest, total) = [], self._page(connection, query.sort, asked, place, limit + 1)
            facets = self._facets(connection, query, phrases) if query.counted else {}
            up_to = self._noted(connection)
        rows = [*best, *rest]
        hits = tuple(_hit(row, phrases, query.judged) for row in rows[:limit])
        more = len(rows) > limit
        cursor = write_place(query.sort, hits[-1], best=len(best) >= limit) if more else None
        return Page(hits, total, cursor, up_to, facets)

    def _best_first(
        self, connection: sqlite3.Connection, query: Query, phrases: tuple[Phrase, ...], place: Place | None
    ) -> tuple[list[sqlite3.Row], list[sqlite3.Row], int]:
        """Give the best of a page, the others of it, and how many all pages have."""
        at = valid_at(query)
        best = Sought(matching_best(query, phrases), at)
        rest = Sought(matching_rest(query, phrases), at)
        among_best = place is None or place[0] == 1
        wanted = query.limit + 1
        first: list[sqlite3.Row] = []
        if among_best:
            behind = None if place is None else place[1:]
            first, best_total = self._page(connection, Sort.NEWEST, best, behind, wanted)
        else:
            best_total = self._count(connection, best)
        if len(first) == wanted:
            return first, [], best_total + self._count(connection, rest)
        behind = None if place is None or among_best else place[1:]
        then, total = self._page(connection, Sort.NEWEST, rest, behind, wanted - len(first))
        return first, then, best_total + total

    @staticmethod
    def _count(connection: sqlite3.Connection, asked: Sought) -> int:
        return int(connection.execute(COUNT, asked._asdict()).fetchone()[0])

    def _page(
        self, connection: sqlite3.Connection, sort: Sort, asked: Sought, place: Place | None, limit: int
    ) -> tuple[list[sqlite3.Row], int]:
        """Give the rows of a page and how many all pages have."""
        found = [key for (key,) in connection.execute(FIND, asked._asdict() | {"most": _FEW + 1})]
        few = len(found) <= _FEW
        question = (few_page if few else page)(sort, further=place is not None)
        values = asked._asdict() | ({"asked": json.dumps(found)} if few else {})
        behind = dict(zip(("first", "second"), place or (), strict=False))
        rows = connection.execute(question, values | behind | {"most": limit}).fetchall()
        if few:
            return rows, len(found)
        # Behind the last page no row tells how many there are.
        return rows, int(rows[0]["total"]) if rows else self._count(connection, asked)

    @staticmethod
    def _facets(
        connection: sqlite3.Connection, query: Query, phrases: tuple[Phrase, ...]
    ) -> dict[str, tuple[Count, ...]]:
        """Count by every facet in one pass over what is found before anything is chosen."""
        sought = Sought(matching(query, phrases, chosen=False), valid_at(query))
        found = connection.execute(COUNT_FACETS, sought._asdict())
        return counts_of(((tuple(values), count) for *values, count in found), query.chosen)

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


def _hit(row: sqlite3.Row, phrases: tuple[Phrase, ...], judged: Judged | None) -> Hit:
    span = None if row["since"] is None else (row["since"], row["until"])
    return hit_of(dict(row), span, phrases, judged)
