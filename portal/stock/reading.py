# SPDX-License-Identifier: Apache-2.0
"""Records out of a file, normalised: in this process, or in one beside it while this one writes.

The process beside drives the limited child as well, so that only what is written comes over to the one that
writes, as bytes that were packed where they were made.
"""

import datetime as dt
import multiprocessing
import pickle
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import Queue
from typing import Final

from documents.feeds import FeedRecord, open_feed
from documents.sandbox import Sandbox
from licenses.catalogue import TypeCatalogue
from licenses.definition import LicenseType
from licenses.errors import StockProfileUnfitError
from licenses.stock.columns import Columns
from licenses.stock.issuers import Remit
from licenses.stock.normaliser import Normaliser
from licenses.stock.profiles import Profile
from licenses.stock.reasons import Verdict
from licenses.stock.records import Draft, Normalised, Prepared, prepared
from portal.stock.garbage import collected_seldom
from storage.errors import CunzhengError

_AHEAD: Final = 2
"""Blocks that are normalised before they are asked for."""
_PATIENCE: Final = 10.0


@dataclass(frozen=True, slots=True)
class Source:
    """A file, and where it is parsed."""

    file: Path
    sandbox: Sandbox


@dataclass(frozen=True, slots=True)
class Recipe:
    """What records are normalised by.

    Attributes:
        profile: The source's spelling.
        types: Every licence type: a catalogue asks the database, which no other process can do for this one.
        remit: Issuers and types of the department's records.
        today: The day by which dates are compared.
    """

    profile: Profile
    types: Sequence[LicenseType]
    remit: Remit
    today: dt.date

    def normaliser(self) -> Normaliser:
        """Make the normaliser."""
        return Normaliser(self.profile, TypeCatalogue(self.types), self.remit, self.today)


def read_here(source: Source, recipe: Recipe, size: int, skip: int) -> Iterator[list[Prepared]]:
    """Give the records of a file in normalised blocks.

    Raises:
        FeedRefusedError: The file cannot be read, or not further.
        StockProfileUnfitError: The file has no column for something that every record needs.
    """
    normaliser = recipe.normaliser()
    with open_feed(source.file, source.sandbox) as feed:
        if feed.columns:
            missing = Columns(recipe.profile).missing(feed.columns)
            if missing:
                raise StockProfileUnfitError(items=" ".join(sorted(missing)))
        for block in feed.blocks(size, skip):
            yield [prepared(normalised(normaliser, one)) for one in block]


def read_beside(source: Source, recipe: Recipe, size: int, skip: int) -> Iterator[list[Prepared]]:
    """Do as :func:`read_here` in a process of its own; a few blocks are read ahead.

    Raises:
        EOFError: That process was killed.
    """
    # A process that was forked off would hold this one's locks and connections.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_serve, args=(theirs, source, recipe, size, skip), daemon=True)
    process.start()
    theirs.close()
    try:
        while (told := pickle.loads(ours.recv_bytes())) is not None:  # noqa: S301 - our own process wrote it
            if isinstance(told, tuple):
                error, facts = told
                raise error(**facts)
            yield [*map(Prepared._make, told)]
    finally:
        # Whoever still sends learns by this that nobody listens.
        ours.close()
        process.join(_PATIENCE)
        process.kill()
        process.join()


def normalised(normaliser: Normaliser, record: FeedRecord) -> Normalised:
    """Normalise one record; a malformed one is rejected with its place."""
    if record.cells is None:
        reasons = (record.problem,)
        return Normalised(record.number, Verdict.REJECTED, reasons, {}, Draft(), record.line, record.column)
    return normaliser.read(record.number, record.cells, record.line)


def _serve(listener: Connection, source: Source, recipe: Recipe, size: int, skip: int) -> None:
    """Send block after block, then ``None``, or the error that ends it."""
    ready: Queue[bytes | None] = Queue(_AHEAD)
    gone = threading.Event()
    sender = threading.Thread(target=_send, args=(listener, ready, gone))
    sender.start()
    try:
        with collected_seldom():
            for block in read_here(source, recipe, size, skip):
                if gone.is_set():
                    return
                # As plain tuples: making them anew by name costs whoever writes.
                ready.put(pickle.dumps([*map(tuple, block)], pickle.HIGHEST_PROTOCOL))
        ready.put(pickle.dumps(None))
    except CunzhengError as error:
        # An error of ours is made of its facts.
        ready.put(pickle.dumps((type(error), error.facts)))
    finally:
        ready.put(None)
        sender.join()


def _send(listener: Connection, ready: "Queue[bytes | None]", gone: threading.Event) -> None:
    while (data := ready.get()) is not None:
        try:
            if not gone.is_set():
                listener.send_bytes(data)
        except OSError:
            gone.set()
