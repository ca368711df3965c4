# SPDX-License-Identifier: Apache-2.0
"""Opens what the import of stock needs, from settings and rooms."""

from typing import Protocol

from cases.items import ItemCatalogue
from documents.feeds import LIMITS
from documents.sandbox import Sandbox
from licenses.catalogue import TypeCatalogue
from licenses.stock.issuers import OwnIssuers
from licenses.stock.profiles import ProfileBook
from licenses.stock.runs import STOCK_FORGET_STEP
from portal.forgetting import ForgetStep
from portal.rooms import Rooms
from portal.settings import Settings
from portal.stock.driver import ImportDriver
from portal.stock.steps import StockImportStep
from storage.clock import IdSource
from storage.database import Database
from storage.objects.ports import ObjectStore
from storage.steps import Step


def feed_sandbox(settings: Settings) -> Sandbox:
    """Give the place where files of records are parsed."""
    return Sandbox(LIMITS, bubblewrap=settings.isolation_required or None, scratch=settings.staging)


def import_driver(rooms: Rooms, settings: Settings) -> ImportDriver:
    """Give the driver of imports for a command."""
    issuers = OwnIssuers(rooms.items)
    return ImportDriver(
        rooms.database,
        rooms.ids,
        rooms.license_types,
        issuers,
        rooms.books.profiles,
        feed_sandbox(settings),
    )


class Founded(Protocol):
    """What every process has before it has rooms."""

    @property
    def ids(self) -> IdSource:
        """Where ids come from."""
        ...

    @property
    def database(self) -> Database:
        """Opens units of work."""
        ...

    @property
    def objects(self) -> ObjectStore:
        """Where uploaded files wait."""
        ...


def stock_steps(
    settings: Settings,
    found: Founded,
    types: TypeCatalogue,
    items: ItemCatalogue,
    profiles: ProfileBook,
) -> tuple[Step, ...]:
    """Give the steps that import uploaded files and forget what has served."""
    issuers = OwnIssuers(items)
    driver = ImportDriver(found.database, found.ids, types, issuers, profiles, feed_sandbox(settings))
    forget = ForgetStep(STOCK_FORGET_STEP, found.database.secrets)
    return StockImportStep(found.database, found.objects, driver), forget
