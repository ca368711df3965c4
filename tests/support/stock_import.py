# SPDX-License-Identifier: Apache-2.0
"""An empty registry that takes over stock, in one process."""

import datetime as dt
import itertools
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from dirty_stock import EARLIER_BY, csv_lines, dirty
from fakes import HandClock, make_database
from sqlalchemy import Table, func, select

from cases.items import ItemCatalogue
from documents.feeds import LIMITS
from documents.sandbox import Sandbox
from licenses.catalogue import TypeCatalogue
from licenses.holdings import Holdings
from licenses.models import License
from licenses.stock.issuers import OwnIssuers
from licenses.stock.models import StockRun
from licenses.stock.profiles import ProfileBook
from portal.stock.driver import Figures, ImportDriver, source_file
from portal.tables import all_tables
from storage.clock import RandomIds
from storage.identity import Identity, Role

MANAGER = Identity("person", "manager-1", "scjg", frozenset({Role.LICENSE_MANAGER}))
NEIGHBOUR = Identity("person", "manager-2", "jtys", frozenset({Role.LICENSE_MANAGER}))
CLERK = Identity("person", "clerk-1", "scjg", frozenset({Role.CLERK}))
ISSUERS = OwnIssuers(ItemCatalogue.load())
PROFILE = ProfileBook.load().get("provincial-exchange")


class NoSeals:
    def revocations(self, uow: Any, seals: Collection[str] | None = None) -> Mapping[str, dt.datetime]:
        return {}


class Stock:
    """A database with everything that an import needs."""

    def __init__(self, folder: Path) -> None:
        all_tables()
        self.folder = folder
        self.clock = HandClock()
        self.database = make_database(folder, self.clock)
        self.types, self.profiles = TypeCatalogue.load(), ProfileBook.load()
        self.holdings = Holdings(self.types, NoSeals())
        self.driver = ImportDriver(
            self.database,
            RandomIds(),
            self.types,
            ISSUERS,
            self.profiles,
            Sandbox(LIMITS, bubblewrap=False),
            beside=False,
        )
        self.runs = self.driver.runs

    def file(self, lines: Iterable[str], name: str = "feed.csv") -> Path:
        path = self.folder / name
        path.write_text("".join(lines), "utf-8")
        return path

    def dirty(self, count: int, **more: int) -> Path:
        return self.file(csv_lines(count, **more))

    def start(self, file: Path, **more: Any) -> str:
        source = source_file(file)
        return self.database.write(lambda uow: self.runs.start(uow, MANAGER, PROFILE, source, **more).id)

    def take_over(self, file: Path) -> StockRun:
        return self.driver.work(MANAGER, self.start(file), file, check)

    def count(self, model: type[Any]) -> int:
        with self.database.reading() as uow:
            return uow.session.scalar(select(func.count()).select_from(model)) or 0

    def rows(self, model: type[Any]) -> list[dict[str, Any]]:
        table: Table = model.__table__
        with self.database.reading() as uow:
            found = uow.session.execute(select(table).order_by(*table.primary_key)).mappings()
            return [dict(row) for row in found]

    def licence(self, identifier: str) -> License:
        with self.database.reading() as uow:
            found = uow.session.scalars(select(License).where(License.identifier == identifier)).one()
            uow.session.expunge(found)
            return found


def check(figures: Figures) -> None:
    assert figures.closes


def figures_of(run: StockRun) -> Mapping[str, Any]:
    return {
        name: getattr(run, name)
        for name in ("read", "accepted", "quarantined", "rejected", "report", "state")
    }


def two_rows_of_a_number(stock: Stock) -> tuple[Path, Path]:
    """Give files with an older and a newer row of one number."""
    records = map(dirty, itertools.count())
    chained = next(record for record in records if record.reason == "version-chained")
    head, *lines = csv_lines(chained.number + 1)
    older, newer = lines[chained.number - EARLIER_BY], lines[chained.number]
    return stock.file([head, older], "older.csv"), stock.file([head, newer], "newer.csv")
