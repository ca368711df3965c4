# SPDX-License-Identifier: Apache-2.0
"""Who finds what: the one place where a caller's rights become the departments of a query."""

from indexer.query import Page, Query
from portal.web import context
from storage.identity import Identity, Role


def departments_of(who: Identity) -> frozenset[str] | None:
    """Give the departments whose documents somebody may find; ``None`` means all."""
    if who.has(Role.SUPERVISOR, Role.SYSTEM):
        return None
    return frozenset({who.organisation})


def find(text: str, *, kind: str | None = None, after: str | None = None, limit: int = 20) -> Page:
    """Find dossiers and licences that the caller may see.

    Raises:
        QueryError: nothing to search for.
        CursorError: a cursor that no page gave.
    """
    kinds = frozenset({kind}) if kind else frozenset({"dossier", "licence"})
    who = context.identity()
    return context.rooms().index.search(
        Query(text=text, organisations=departments_of(who), kinds=kinds, limit=limit, after=after)
    )
