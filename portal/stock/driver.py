# SPDX-License-Identifier: Apache-2.0
"""Drives a run of the import of stock: block after block out of the file, each in a unit of work of its own.

A process of its own has the file parsed in the limited child and normalises the records, while this one
writes those of the block before: two processors are busy then.
"""

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from documents.errors import FeedRefusedError
from documents.sandbox import Sandbox
from licenses.catalogue import TypeCatalogue
from licenses.errors import StockProfileChangedError, StockProfileUnfitError
from licenses.stock.blocks import Blocks
from licenses.stock.issuers import OwnIssuers
from licenses.stock.models import StockRun
from licenses.stock.profiles import Profile, ProfileBook
from licenses.stock.records import Prepared
from licenses.stock.runs import OPEN, SourceFile, StockRuns
from portal.stock.garbage import collected_seldom
from portal.stock.reading import Recipe, Source, read_beside, read_here
from storage.clock import IdSource, legal_date
from storage.database import Database, UnitOfWork
from storage.engines import HELD_KIBIBYTES
from storage.identity import Identity
from storage.inserting import hold_pages

BLOCK: Final = 2_000
"""Records of one unit of work: half a second of work, and what a kill loses."""
_CHUNK: Final = 1 << 20
_PAGES: Final = 160_000
"""KiB of the embedded database's file that are held while an import writes: its random indexes."""


@dataclass
class Figures:
    """What a run did so far, for whoever watches it."""

    read: int = 0
    accepted: int = 0
    quarantined: int = 0
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    types: Counter[str] = field(default_factory=Counter)

    @staticmethod
    def of(run: StockRun) -> "Figures":
        """Give the figures of a run."""
        return Figures(
            run.read,
            run.accepted,
            run.quarantined,
            run.rejected,
            Counter(run.report["reasons"]),
            Counter(run.report["types"]),
        )

    @property
    def closes(self) -> bool:
        """Tell whether everything read is accounted for."""
        return self.read == self.accepted + self.quarantined + self.rejected

    def add(self, block: list[Prepared]) -> None:
        """Count a block that nobody takes over."""
        for one in block:
            self.read += 1
            name = str(one.verdict)
            setattr(self, name, getattr(self, name) + 1)
            self.reasons.update(one.reasons)
            if one.type_code is not None:
                self.types[f"{one.type_code} {name}"] += 1


Watch = Callable[[Figures], None]


class ImportDriver:
    """Runs imports.

    Args:
        database: Opens units of work.
        ids: Gives beginnings of ids.
        types: The type catalogue.
        issuers: In whose name the records of a department may be.
        profiles: How sources spell what we hold.
        sandbox: Where files are parsed.
        beside: Whether records are normalised in a process of their own.
    """

    def __init__(
        self,
        database: Database,
        ids: IdSource,
        types: TypeCatalogue,
        issuers: OwnIssuers,
        profiles: ProfileBook,
        sandbox: Sandbox,
        *,
        beside: bool = True,
    ) -> None:
        self._database, self._ids, self._sandbox = database, ids, sandbox
        self._types, self._issuers, self.profiles = types, issuers, profiles
        self._read = read_beside if beside else read_here
        self.runs = StockRuns(types)

    def rehearse(self, identity: Identity, file: Path, profile: Profile, watch: Watch) -> Figures:
        """Read all of a file and count; nothing is written anywhere.

        Raises:
            As :meth:`work` of what concerns the file.
        """
        figures = Figures()
        with self._database.reading() as uow:
            recipe = self._recipe(identity.organisation, profile, uow.clock.now())
        for block in self._read(self._source(file), recipe, BLOCK, 0):
            figures.add(block)
            watch(figures)
        return figures

    def work(
        self, identity: Identity, run_id: str, file: Path, watch: Watch, scratch: Path | None = None
    ) -> StockRun:
        """Work on a run until its file is read; what was done before is left out.

        What the child reads lies in ``scratch``, which is removed by whoever takes over from the dead.

        A file that cannot be read ends the run; whatever else stops it leaves it open, to be gone on with.

        Raises:
            FeedRefusedError: The file cannot be read.
            StockProfileUnfitError: The file lacks a column that every record needs.
            StockProfileChangedError: The profile has another version than the run was begun with.
            StockRunBusyError: Somebody else works on this run.
        """
        with self._database.reading() as uow:
            run = self.runs.get(uow, identity, run_id)
        if run.state != OPEN:
            return run
        blocks = Blocks(self._ids, self._database.secrets)
        try:
            # By the day on which it began: a run that is gone on with later reads as if it never stopped.
            recipe = self._recipe(run.organisation, self._profile_of(run), run.started_at)
            with collected_seldom():
                for block in self._read(self._source(file, scratch), recipe, BLOCK, run.read):
                    run = self._take(identity, run, block, blocks)
                    watch(Figures.of(run))
        except (FeedRefusedError, StockProfileUnfitError, StockProfileChangedError) as error:
            problem = str(error.facts.get("rule", error.code))[:64]
            self._end(identity, run_id, problem)
            raise
        return self._end(identity, run_id)

    def _end(self, identity: Identity, run_id: str, problem: str | None = None) -> StockRun:
        def end(uow: UnitOfWork) -> StockRun:
            hold_pages(uow.session.connection(), HELD_KIBIBYTES)
            return self.runs.end(uow, identity, run_id, problem)

        return self._database.write(end)

    def _take(self, identity: Identity, run: StockRun, block: list[Prepared], blocks: Blocks) -> StockRun:
        if run.trial:
            return self._database.write(lambda uow: self.runs.count(uow, identity, run.id, block))

        def adopt(uow: UnitOfWork) -> StockRun:
            hold_pages(uow.session.connection(), _PAGES)
            return self.runs.adopt(uow, identity, run.id, block, blocks)

        return self._database.write(adopt)

    def _source(self, file: Path, scratch: Path | None = None) -> Source:
        return Source(file, self._sandbox if scratch is None else self._sandbox.within(scratch))

    def _profile_of(self, run: StockRun) -> Profile:
        """Give the profile of a run, which must still say what it said when the run began."""
        profile = self.profiles.get(run.profile.partition("/")[0])
        if profile.label != run.profile or run.profile_sha256 not in {None, profile.digest}:
            raise StockProfileChangedError
        return profile

    def _recipe(self, organisation: str, profile: Profile, began: dt.datetime) -> Recipe:
        remit = self._issuers.of(organisation, profile)
        return Recipe(profile, self._types.all(), remit, legal_date(began))


def source_file(path: Path) -> SourceFile:
    """Give digest and size of a file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as handle:
        while chunk := handle.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    return SourceFile(digest.hexdigest(), size)
