# SPDX-License-Identifier: Apache-2.0
"""Who finds what: the one place where a caller's rights become the departments of a query."""

from cases.organisations import reach
from indexer.errors import IndexUnavailableError
from indexer.query import Page, Query
from portal.indexing import oldest_waiting
from portal.web import context
from storage.clock import rfc3339
from storage.identity import Identity

BEHIND_SINCE = "behind_since"


def departments_of(who: Identity) -> frozenset[str] | None:
    """Give the departments whose documents somebody may find; ``None`` means all."""
    return reach(who)


def find(text: str, *, kind: str | None = None, after: str | None = None, limit: int = 20) -> Page:
    """Find dossiers and licences that the caller may see.

    Raises:
        QueryError: nothing to search for.
        CursorError: a cursor that no page gave.
        IndexUnavailableError: the index does not answer; a fact tells since when it lacks what was recorded.
    """
    kinds = frozenset({kind}) if kind else frozenset({"dossier", "licence"})
    who = context.identity()
    query = Query(text=text, organisations=departments_of(who), kinds=kinds, limit=limit, after=after)
    try:
        return context.rooms().index.search(query)
    except IndexUnavailableError as error:
        with context.rooms().database.reading() as uow:
            since = oldest_waiting(uow)
        raise type(error)(**({} if since is None else {BEHIND_SINCE: rfc3339(since)})) from error
