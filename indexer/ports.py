# SPDX-License-Identifier: Apache-2.0
"""What an index must do; every implementation passes ``tests/contracts/test_index_contract.py``."""

import datetime as dt
from collections.abc import Iterator
from typing import Protocol

from indexer.document import IndexDocument
from indexer.query import Page, Query


class Index(Protocol):
    """A search index. It is a copy: all of it can be rebuilt from the records."""

    def put(self, document: IndexDocument) -> bool:
        """Add or replace a document; False when the index already holds this or a newer version."""
        ...

    def delete(self, document_id: str, version: int) -> None:
        """Remove a document for good: no put of this or an older version brings it back."""
        ...

    def search(self, query: Query) -> Page:
        """Find what the query means among the documents its organisations may find, newest first.

        Raises ``QueryError`` when the query cannot be run, ``CursorError`` for a cursor that no page gave.
        Documents that stay unchanged while somebody
        pages are given exactly once.
        """
        ...

    def versions(self) -> Iterator[tuple[str, int]]:
        """Give identifier and version of every document held, ordered by identifier."""
        ...

    def advance(self, up_to: dt.datetime) -> None:
        """Note that everything recorded up to this instant is held; never goes back."""
        ...

    def indexed_up_to(self) -> dt.datetime | None:
        """Give the instant of :meth:`advance`; None when nothing was noted yet."""
        ...
