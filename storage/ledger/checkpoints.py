# SPDX-License-Identifier: Apache-2.0
"""Signed tree heads: at most one per size, never below or beside one that was signed before."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.clock import Clock
from storage.database import Database
from storage.failpoints import failpoint
from storage.ledger.errors import LedgerCorruptError
from storage.ledger.models import BUCKET, LedgerAnchor, LedgerCheckpoint
from storage.ledger.notes import Checkpoint, NoteSigner, sign_note
from storage.ledger.sequencer import Sequencer


def newest_checkpoint(session: Session) -> LedgerCheckpoint | None:
    """Give the checkpoint of the largest size, None when nothing was signed yet."""
    return session.scalars(select(LedgerCheckpoint).order_by(LedgerCheckpoint.size.desc()).limit(1)).first()


def newest_published(session: Session) -> LedgerCheckpoint | None:
    """Give the checkpoint of the largest size that lies in the object store, None before the first.

    Only such a one leaves the house: the database may be lost, and a log that goes on from what was
    published must not contradict a checkpoint that somebody holds.
    """
    return session.scalars(
        select(LedgerCheckpoint)
        .join(LedgerAnchor, LedgerAnchor.size == LedgerCheckpoint.size)
        .where(LedgerAnchor.kind == BUCKET)
        .order_by(LedgerCheckpoint.size.desc())
        .limit(1)
    ).first()


class CheckpointWriter:
    """Signs the head of the log whenever it has grown.

    Args:
        database: The log's database.
        clock: Where the time of signing comes from.
        sequencer: Knows the committed head; its fencing number guards the commit.
        signer: The log's key; its name must be the origin.
    """

    def __init__(self, database: Database, clock: Clock, sequencer: Sequencer, signer: NoteSigner) -> None:
        if signer.name != database.origin:
            raise LedgerCorruptError(seq=0, rule="signer-is-not-origin")
        self._database = database
        self._clock = clock
        self._sequencer = sequencer
        self._signer = signer
        with database.reading() as uow:
            newest = newest_checkpoint(uow.session)
        self._size = newest.size if newest else 0
        self._check(newest)

    def _check(self, newest: LedgerCheckpoint | None) -> None:
        head = self._sequencer.head
        if newest is not None and newest.size == head.size:
            signed = Checkpoint(self._database.origin, head.size, head.root).text().encode()
            if not newest.note.startswith(signed):
                raise LedgerCorruptError(seq=head.size, rule="root-differs-from-checkpoint")

    def write(self) -> bool:
        """Sign the head if it has grown; tell whether a checkpoint was written."""
        head = self._sequencer.head
        if head.size <= self._size:
            return False
        failpoint("sequencer.before-checkpoint")
        note = sign_note(Checkpoint(self._database.origin, head.size, head.root).text(), [self._signer])
        with self._database.writing() as uow:
            self._sequencer.require_fence(uow.session)
            uow.session.add(LedgerCheckpoint(size=head.size, note=note, at=self._clock.now()))
        self._size = head.size
        failpoint("sequencer.after-checkpoint")
        return True
