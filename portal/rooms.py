# SPDX-License-Identifier: Apache-2.0
"""The composed rooms: what ``portal.bootstrap`` builds once and every process and page uses."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from cases.holders import HolderService
from cases.items import ItemCatalogue
from cases.services import CaseService
from indexer.ports import Index
from portal.accounts.services import AccountService
from storage.clock import Clock, IdSource
from storage.database import Database, UnitOfWork
from storage.ledger.canonical import Json
from storage.ledger.reading import read_status
from storage.objects import ObjectStore


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """Public keys that strangers need to check what leaves the installation.

    Attributes:
        log_key: The ledger's verifier key (vkey, one line).
        ca_pem: Certificate that the seals chain to, PEM.
        jwks: Keys of signed answers (RFC 7517).
    """

    log_key: str
    ca_pem: bytes
    jwks: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Rooms:
    """Every service of the installation, made of the same settings.

    Attributes:
        database: Opens units of work; only the portal does.
        objects: The object store.
        clock: Where time comes from.
        ids: Where ids come from.
        accounts: Persons, clients, sessions.
        items: Items and departments.
        holders: Holders of licences.
        cases: Cases.
        index: The search index.
        keys: What strangers need to check our signatures.
    """

    database: Database
    objects: ObjectStore
    clock: Clock
    ids: IdSource
    accounts: AccountService
    items: ItemCatalogue
    holders: HolderService
    cases: CaseService
    index: Index
    keys: PublishedKeys

    def last_checkpoint_at(self, uow: UnitOfWork) -> dt.datetime | None:
        """Give when the newest checkpoint was signed; ``None`` before the first."""
        return read_status(uow.session).checkpoint_at

    def close(self) -> None:
        """Close pooled connections."""
        self.database.close()
