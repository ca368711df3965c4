# SPDX-License-Identifier: Apache-2.0
"""Keeping the search index true to the records: making it anew, and comparing and repairing both ways.

Neither records an act of its own: the index is a copy that no record refers to, nothing is read for a
person, and what is put is what the index step would put. Who may not do it is refused, and that stands in
the ledger; so does what came of each night (``portal/nightly.py``).
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import chain

from sqlalchemy import Select, case, func, select

from archive.models import Dossier
from indexer.document import IndexDocument
from indexer.ports import Index, Written
from indexer.reconcile import Difference, compare
from licenses.holdings import Holdings
from licenses.models import License, LicenseEvent
from portal.indexing import document_of
from storage.database import Database, UnitOfWork
from storage.identity import Identity, Role

_BATCH = 500
_KINDS = ("dossier", "licence")
WAYS = ("missing", "outdated", "ahead", "surplus")
"""How index and records can differ."""


_NAMED = 1000


@dataclass(frozen=True, slots=True)
class Repair:
    """What reconciling found, and which of it the engine could not hold.

    Attributes:
        difference: What differed; all of it is repaired now, except the refused. The first thousand of
            each kind are named.
        counts: How many differed, by kind.
        refused: Identifiers that the engine cannot hold.
    """

    difference: Difference
    counts: Mapping[str, int]
    refused: tuple[str, ...]

    def plus(self, found: Difference, refused: Sequence[str]) -> "Repair":
        """Give this with what the next range of identifiers added."""
        known = self.difference
        named = Difference(
            (*known.missing, *found.missing)[:_NAMED],
            (*known.outdated, *found.outdated)[:_NAMED],
            (*known.ahead, *found.ahead)[:_NAMED],
            (*known.surplus, *found.surplus)[:_NAMED],
        )
        counts = {way: self.counts[way] + len(getattr(found, way)) for way in WAYS}
        return Repair(named, counts, (*self.refused, *refused))


class IndexKeeper:
    """Rebuilds and reconciles the index, for the system administrator.

    Args:
        database: The records; each batch is read in a unit of its own.
        index: The search index.
        holdings: Faces of licences.
    """

    def __init__(self, database: Database, index: Index, holdings: Holdings) -> None:
        self._database = database
        self._index = index
        self._holdings = holdings

    def rebuild(self, identity: Identity, advance: Callable[[int], None] = lambda _: None) -> Written:
        """Make the index anew while searches and writes go on; ``advance`` is told how many went in.

        Raises:
            NotPermittedError: The identity is no system administrator.
            IndexUnavailableError: The engine does not answer; the index that was serves on.
            RebuildOvertakenError: Another rebuild began meanwhile.
        """
        identity.demand(Role.SYSTEM_ADMIN)
        started = self._now()
        written = self._index.rebuild(self._batches(advance))
        self._note(started, written.refused)
        return written

    def reconcile(self, identity: Identity) -> Repair:
        """Compare sets of (identifier, version) of records and index, and make the index agree.

        Raises:
            NotPermittedError: The identity is no system administrator.
            IndexUnavailableError: The engine does not answer.
        """
        identity.demand(Role.SYSTEM_ADMIN, Role.SYSTEM)
        started = self._now()
        repair = Repair(Difference(), dict.fromkeys(WAYS, 0), ())
        after: str | None = ""
        while after is not None:
            difference = compare(self._versions(after), self._index, after)
            repair = repair.plus(difference, self._repair(difference))
            after = difference.through
        self._note(started, repair.refused)
        return repair

    def _repair(self, difference: Difference) -> tuple[str, ...]:
        for surplus in (*difference.surplus, *difference.ahead):
            self._index.forget(surplus)
        wanted = (*difference.missing, *difference.outdated, *difference.ahead)
        refused: tuple[str, ...] = ()
        for start in range(0, len(wanted), _BATCH):
            documents = self._documents(
                [(kind, one) for one in wanted[start : start + _BATCH] for kind in _KINDS]
            )
            refused += self._index.put_all(documents).refused
        return refused

    def _now(self) -> dt.datetime:
        with self._database.reading() as uow:
            return uow.clock.now()

    def _note(self, started: dt.datetime, refused: Sequence[str]) -> None:
        """Whatever was recorded before the start is held now, also what a step still waits to put."""
        if not refused:
            self._index.advance(started)

    def _versions(self, after: str) -> Iterator[tuple[str, int]]:
        """Give identifier and version of all that is to be found, in ascending order; read when asked for."""
        every = (chain.from_iterable(self._pages(kind, after)) for kind in _KINDS)
        return merge(*every)

    def _batches(self, advance: Callable[[int], None]) -> Iterator[Sequence[IndexDocument]]:
        for kind in _KINDS:
            for rows in self._pages(kind):
                yield self._documents([(kind, one) for one, _ in rows])
                advance(len(rows))

    def _documents(self, subjects: Sequence[tuple[str, str]]) -> Sequence[IndexDocument]:
        """Give what is to be found of these; a kind that an identifier does not have gives nothing."""
        with self._database.reading() as uow:
            found = (document_of(uow, self._holdings, f"{kind}:{one}") for kind, one in subjects)
            return [document for document in found if document is not None]

    def _pages(self, kind: str, last: str = "") -> Iterator[Sequence[tuple[str, int]]]:
        """Give identifier and version of what is to be found, page by page."""
        while True:
            with self._database.reading() as uow:
                query = (
                    _findable(kind, uow.clock.now()).where(_ID[kind] > last).order_by(_ID[kind]).limit(_BATCH)
                )
                rows = [(one, version) for one, version in uow.session.execute(query)]
            if not rows:
                return
            yield rows
            last = rows[-1][0]


_ID = {"dossier": Dossier.id, "licence": License.id}


def _findable(kind: str, now: dt.datetime) -> Select[str, int]:
    """Ask for identifier and version of all filed dossiers, or of all issued licences.

    The version of a licence is that of :func:`licenses.issuing.document_of_license`.
    """
    if kind == "dossier":
        return select(Dossier.id, Dossier.version).where(Dossier.filed_at.is_not(None))
    in_force = func.count(case((LicenseEvent.at <= now, 1)))
    events = select(func.count() + in_force).where(LicenseEvent.license_id == License.id).scalar_subquery()
    return select(License.id, events).where(License.issued_at.is_not(None))


def recorded_count(uow: UnitOfWork) -> int:
    """Give how many dossiers and licences are to be found."""
    counts = (
        select(func.count()).select_from(_findable(kind, uow.clock.now()).subquery()) for kind in _KINDS
    )
    return sum(uow.session.scalar(one) or 0 for one in counts)
