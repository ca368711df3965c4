# SPDX-License-Identifier: Apache-2.0
"""Taking a list of hits away as a table: an act of its own, unlike looking at a page.

A page shows some hits to somebody who is there; a list leaves the house, so it is recorded who took which,
with the digest of what was given.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from indexer.ports import Index
from indexer.query import MAX_LIMIT, Hit, Query
from portal.errors import SearchListTooLongError
from portal.spreadsheet import spreadsheet
from storage.database import Database, UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act, Promise
from storage.ledger.kinds import ActKind

MOST_ROWS: Final = 5_000
"""Rows of one list; more are refused, never cut off."""
EXPORT_ROLES: Final = (Role.ARCHIVIST, Role.SUPERVISOR)


@dataclass(frozen=True, slots=True)
class SearchList:
    """A list that was given out: its bytes, how many hits it holds, and the promise of the act."""

    content: bytes
    rows: int
    promise: Promise


def export_list(
    database: Database,
    index: Index,
    who: Identity,
    query: Query,
    table: tuple[Sequence[str], Callable[[Hit], Sequence[str]]],
) -> SearchList:
    """Give everything that a query finds as CSV, and record that it was taken.

    Args:
        database: Where the act is recorded.
        index: The search index.
        who: Whoever takes it.
        query: What to find; its departments are those of ``who``.
        table: The heads, and the cells of a hit.

    Raises:
        NotPermittedError: Whoever asks is neither archivist nor supervisor.
        SearchListTooLongError: More was found than :data:`MOST_ROWS`.
        QueryError: Nothing to search for.
        IndexUnavailableError: The index does not answer.
    """
    who.demand(*EXPORT_ROLES)
    heads, cells = table
    hits = list(_all(index, query))
    content = spreadsheet([heads, *map(cells, hits)])

    def record(uow: UnitOfWork) -> Promise:
        return uow.record(
            Act(
                kind=ActKind.SEARCH_EXPORTED,
                actor=who,
                object_type="list",
                object_id=uow.ids.new_id(),
                object_sha256=hashlib.sha256(content).hexdigest(),
                notes={
                    "text": query.text,
                    "kinds": sorted(query.kinds),
                    "chosen": dict(query.chosen),
                    "ended": query.judged is None or query.judged.ended,
                    "sort": str(query.sort),
                    "rows": len(hits),
                },
            )
        )

    return SearchList(content, len(hits), database.write(record))


def _all(index: Index, query: Query) -> Iterator[Hit]:
    asked = replace(query, limit=MAX_LIMIT, after=None, counted=False)
    given = 0
    while True:
        page = index.search(asked)
        given += len(page.hits)
        # Both: what arrives while pages are read counts, too.
        if page.total > MOST_ROWS or given > MOST_ROWS:
            raise SearchListTooLongError(most=MOST_ROWS)
        yield from page.hits
        if page.next_cursor is None:
            return
        asked = replace(asked, after=page.next_cursor)
