# SPDX-License-Identifier: Apache-2.0
"""Composes the rooms from the settings: the only place that knows every implementation."""

import secrets as random_source
from dataclasses import dataclass
from pathlib import Path

from portal.settings import Settings
from seals import demo_pki
from seals.demo_pki import DemoPki
from seals.keys import FileKeyStore
from seals.tokens import TrustedTokens
from storage.clock import Clock, IdSource, RandomIds, SystemClock
from storage.database import Database
from storage.files import create_once
from storage.ledger.anchors import Anchorer
from storage.ledger.checkpoints import CheckpointWriter
from storage.ledger.gate import GateLimits, LedgerGate
from storage.ledger.keeper import LedgerKeeper, Pace
from storage.ledger.notes import NoteSigner
from storage.ledger.sequencer import Sequencer
from storage.objects import FolderStore, ObjectStore
from storage.secrets import Secrets


@dataclass(frozen=True, slots=True)
class Foundation:
    """What every process needs before it has rooms: time, ids, keys, records, bytes, certificates."""

    clock: Clock
    ids: IdSource
    database: Database
    objects: ObjectStore
    gate: LedgerGate
    keys: FileKeyStore
    pki: DemoPki


def open_foundation(settings: Settings) -> Foundation:
    """Open the data folder.

    Raises:
        DemoInProductionError: The environment is production; key stores and authorities for it are not
            part of this release.
    """
    clock, ids = SystemClock(), RandomIds()
    gate = LedgerGate(clock, GateLimits(sequencing=settings.sequencing_limit, anchor=settings.anchor_limit))
    database = Database(settings.database_url, clock, ids, Secrets(settings.keys), settings.log_origin, gate)
    gate.watch(database.engine)
    keys = FileKeyStore(settings.keys / "seals")
    pki = demo_pki.create(settings.pki, keys, clock)
    return Foundation(clock, ids, database, FolderStore(settings.objects), gate, keys, pki)


def ledger_signer(settings: Settings) -> NoteSigner:
    """Give the log's key, made when there is none."""
    path: Path = settings.keys / "ledger.key"
    fresh = NoteSigner(settings.log_origin, random_source.token_bytes(32))
    create_once(path, fresh.private_text().encode(), 0o400)
    return NoteSigner.parse(path.read_text())


def open_keeper(foundation: Foundation, settings: Settings) -> LedgerKeeper:
    """Open the sequencer's work; the caller becomes the one writer of the log.

    Raises:
        SequencerRunningError: Another sequencer works on this log.
    """
    trust = foundation.pki.trust()
    sequencer = Sequencer(foundation.database, foundation.clock, settings.data / "sequencer.lock")
    checkpoints = CheckpointWriter(foundation.database, foundation.clock, sequencer, ledger_signer(settings))
    anchorer = Anchorer(
        foundation.database,
        foundation.clock,
        sequencer,
        foundation.objects,
        foundation.pki.tsa(foundation.ids),
        TrustedTokens(trust),
    )
    return LedgerKeeper(foundation.clock, sequencer, checkpoints, anchorer, Pace())
