# SPDX-License-Identifier: Apache-2.0
"""Records out of a feed, normalised: in this process, or in one beside it while this one writes."""

import multiprocessing
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from typing import Final, Protocol

from documents.feeds import Feed, FeedRecord
from licenses.catalogue import TypeCatalogue
from licenses.definition import LicenseType
from licenses.errors import StockProfileUnfitError
from licenses.stock.columns import Columns
from licenses.stock.normaliser import Normaliser
from licenses.stock.profiles import Profile
from licenses.stock.reasons import Verdict
from licenses.stock.records import Draft, Normalised, Prepared, prepared

_AHEAD: Final = 2
"""Blocks that are normalised before they are asked for."""
Block = list[FeedRecord]


class Reader(Protocol):
    """Normalises blocks in their order."""

    def read(self, blocks: Iterator[Block]) -> Iterator[list[Prepared]]:
        """Give each block normalised."""
        ...


class Here:
    """Normalises in this process.

    Args:
        profile: The source's spelling.
        types: The type catalogue.
        issuers: Credit codes that may stand as issuer.
    """

    def __init__(self, profile: Profile, types: TypeCatalogue, issuers: frozenset[str]) -> None:
        self._normaliser = Normaliser(profile, types, issuers)

    def read(self, blocks: Iterator[Block]) -> Iterator[list[Prepared]]:
        """Give each block normalised."""
        for block in blocks:
            yield [prepared(normalised(self._normaliser, one)) for one in block]


class Beside:
    """Normalises in a process of its own.

    Args:
        profile: The source's spelling.
        types: The type catalogue.
        issuers: Credit codes that may stand as issuer.
    """

    def __init__(self, profile: Profile, types: TypeCatalogue, issuers: frozenset[str]) -> None:
        # A catalogue asks the database for editions, and no other process can use this one's connections.
        self._made_of = profile, types.all(), issuers

    def read(self, blocks: Iterator[Block]) -> Iterator[list[Prepared]]:
        """Give each block normalised; a few are read ahead."""
        # A process that was forked off would hold this one's locks and connections.
        context = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, context, _begin, self._made_of) as pool:
            ahead: deque[Future[list[Prepared]]] = deque()
            try:
                for block in blocks:
                    ahead.append(pool.submit(_normalise, block))
                    if len(ahead) > _AHEAD:
                        yield ahead.popleft().result()
                while ahead:
                    yield ahead.popleft().result()
            finally:
                for one in ahead:
                    one.cancel()


def read_blocks(
    reader: Reader, feed: Feed, profile: Profile, size: int, skip: int
) -> Iterator[list[Prepared]]:
    """Give the records of a feed in normalised blocks.

    Raises:
        StockProfileUnfitError: The file has no column for something that every record needs.
    """
    if feed.columns:
        missing = Columns(profile).missing(feed.columns)
        if missing:
            raise StockProfileUnfitError(items=" ".join(sorted(missing)))
    yield from reader.read(feed.blocks(size, skip))


def normalised(normaliser: Normaliser, record: FeedRecord) -> Normalised:
    """Normalise one record; a malformed one is rejected with its place."""
    if record.cells is None:
        reasons = (record.problem,)
        return Normalised(record.number, Verdict.REJECTED, reasons, {}, Draft(), record.line, record.column)
    return normaliser.read(record.number, record.cells, record.line)


_beside: list[Normaliser] = []


def _begin(profile: Profile, types: Sequence[LicenseType], issuers: frozenset[str]) -> None:
    _beside[:] = [Normaliser(profile, TypeCatalogue(types), issuers)]


def _normalise(block: Block) -> list[Prepared]:
    (normaliser,) = _beside
    return [prepared(normalised(normaliser, one)) for one in block]
