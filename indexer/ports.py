# SPDX-License-Identifier: Apache-2.0
"""What an index must do; every implementation passes ``tests/contracts/test_index_contract.py``."""

import datetime as dt
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from indexer.document import IndexDocument
from indexer.query import Page, Query


@dataclass(frozen=True, slots=True)
class Written:
    """What became of many documents at once.

    Attributes:
        changed: How many were added or replaced; the others were held in this or a newer version.
        refused: Identifiers of those that the engine cannot hold; they are not in the index.
    """

    changed: int
    refused: tuple[str, ...] = ()

    def plus(self, other: "Written") -> "Written":
        """Give both together."""
        return Written(self.changed + other.changed, self.refused + other.refused)


class Index(Protocol):
    """A search index. It is a copy: all of it can be rebuilt from the records.

    Every method raises ``IndexUnavailableError`` while the engine does not answer.
    """

    @property
    def engine(self) -> str:
        """Name of the engine, for its operator."""
        ...

    def put(self, document: IndexDocument) -> bool:
        """Add or replace a document; False when the index already holds this or a newer version.

        Raises ``DocumentRefusedError`` when the engine cannot hold it.
        """
        ...

    def put_all(self, documents: Sequence[IndexDocument]) -> Written:
        """Put many; one that the engine cannot hold does not keep the others out."""
        ...

    def delete(self, document_id: str, version: int) -> None:
        """Remove a document for good: no put of this or an older version brings it back."""
        ...

    def forget(self, document_id: str) -> None:
        """Remove a document and every memory of its versions, as if it had never been put."""
        ...

    def search(self, query: Query) -> Page:
        """Find what the query means among the documents its organisations may find, in the query's order.

        Raises ``QueryError`` when the query cannot be run, ``CursorError`` for a cursor that no page of this
        order gave. Documents that stay unchanged while somebody pages are given exactly once. Counts by facet
        tell only of documents that may be found.
        """
        ...

    def versions(self, after: str = "") -> Generator[tuple[str, int]]:
        """Give identifier and version of every document held, as it is at the first one, in ascending order.

        Args:
            after: Leave out this identifier and those before it.
        """
        ...

    def count(self) -> int:
        """Give how many documents are held."""
        ...

    def advance(self, up_to: dt.datetime) -> None:
        """Note that everything recorded up to this instant is held; never goes back."""
        ...

    def indexed_up_to(self) -> dt.datetime | None:
        """Give the instant of :meth:`advance`; None when nothing was noted yet."""
        ...

    def rebuild(self, batches: Iterable[Sequence[IndexDocument]]) -> Written:
        """Make the index anew of exactly these documents; searches are answered all the while.

        ``batches`` is read only after writers write for the new index too: each batch must be read from
        the records when it is asked for. What others put meanwhile is kept when it is newer.

        Raises ``RebuildOvertakenError`` when another rebuild began meanwhile; that one goes on.
        """
        ...

    def close(self) -> None:
        """Close connections."""
        ...
