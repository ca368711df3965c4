# SPDX-License-Identifier: Apache-2.0
"""Who finds what: the one place where a caller's rights become the departments of a query."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from cases.organisations import reach
from indexer.errors import IndexUnavailableError
from indexer.query import Page, Query, Sort
from portal.finding import judged_now
from portal.indexing import oldest_waiting
from portal.web import context
from storage.clock import rfc3339

BEHIND_SINCE: Final = "behind_since"
_KINDS: Final = frozenset({"dossier", "licence"})


@dataclass(frozen=True, slots=True)
class Asked:
    """What a caller looks for.

    Attributes:
        text: Words.
        sort: Order.
        chosen: What is chosen of the facets.
        counted: Whether those are counted.
        ended: Whether licences that are not valid now are found, too.
    """

    text: str
    sort: Sort = Sort.NEWEST
    chosen: Mapping[str, str] = field(default_factory=dict)
    counted: bool = False
    ended: bool = False


def query_of(asked: Asked, *, after: str | None = None, limit: int = 20) -> Query:
    """Give the query of the caller, with the departments that the caller may find."""
    return Query(
        text=asked.text,
        organisations=reach(context.identity()),
        kinds=_KINDS,
        limit=limit,
        after=after,
        sort=asked.sort,
        chosen=asked.chosen,
        counted=asked.counted,
        judged=judged_now(context.rooms(), ended=asked.ended),
    )


def find(asked: Asked | str, *, after: str | None = None, limit: int = 20) -> Page:
    """Find dossiers and licences that the caller may see.

    Raises:
        QueryError: nothing to search for.
        CursorError: a cursor that no page of this order gave.
        IndexUnavailableError: the index does not answer; a fact tells since when it lacks what was recorded.
    """
    query = query_of(asked if isinstance(asked, Asked) else Asked(asked), after=after, limit=limit)
    try:
        return context.rooms().index.search(query)
    except IndexUnavailableError as error:
        with context.rooms().database.reading() as uow:
            since = oldest_waiting(uow)
        raise type(error)(**({} if since is None else {BEHIND_SINCE: rfc3339(since)})) from error
