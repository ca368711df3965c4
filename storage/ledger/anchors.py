# SPDX-License-Identifier: Apache-2.0
"""Anchors: what ties a checkpoint to the world outside, so that a rewritten log is found out.

Two kinds are kept: ``tsr``, an RFC 3161 token over the SHA-256 of the checkpoint's text, verified before it
is kept; and ``bucket``, which says that tiles, bundles and checkpoint of that size lie in the object store.
No transaction is open while the authority or the store is asked.
"""

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from storage.clock import Clock
from storage.database import Database
from storage.failpoints import failpoint
from storage.ledger.checkpoints import newest_checkpoint
from storage.ledger.errors import LedgerCorruptError
from storage.ledger.files import LogFile, anchor_path, detail_prefix, log_prefix, new_files
from storage.ledger.models import BUCKET, TOKEN, LedgerAnchor, LedgerCheckpoint
from storage.ledger.notes import parse_note
from storage.ledger.ports import TimestampAuthority, TokenVerifier
from storage.ledger.published import PublishedLog
from storage.ledger.sequencer import Sequencer
from storage.objects.ports import ObjectStore

DISAGREEMENT_SECONDS = 5.0


def anchored_size(session: Session, kind: str) -> int:
    """Give the largest size anchored in that way, 0 when there is none."""
    return session.scalar(select(func.max(LedgerAnchor.size)).where(LedgerAnchor.kind == kind)) or 0


@dataclass(frozen=True, slots=True)
class Stamped:
    """A token just kept: the size it anchors, its time, and how far it lies from our own clock."""

    size: int
    at: dt.datetime
    difference: dt.timedelta

    @property
    def disagrees(self) -> bool:
        """Tell whether authority and own clock differ by more than five seconds."""
        return abs(self.difference.total_seconds()) > DISAGREEMENT_SECONDS


class Anchorer:
    """Stamps and publishes checkpoints.

    Args:
        database: The log's database.
        clock: Where our own time comes from.
        sequencer: Its fencing number guards each commit.
        store: The object store that is to hold the log.
        authority: Gives tokens.
        verifier: Judges them before they are kept.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sequencer: Sequencer,
        store: ObjectStore,
        authority: TimestampAuthority,
        verifier: TokenVerifier,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sequencer = sequencer
        self._store = store
        self._authority = authority
        self._verifier = verifier
        self._token_put = 0
        self._refuse_fork()

    def stamp(self) -> Stamped | None:
        """Have the newest checkpoint stamped unless it is; None when there is nothing to stamp."""
        with self._database.reading() as uow:
            newest = newest_checkpoint(uow.session)
            if newest is None or newest.size <= anchored_size(uow.session, TOKEN):
                return None
        failpoint("sequencer.before-anchor")
        imprint = parse_note(newest.note).imprint()
        token = self._authority.stamp(imprint)
        at = self._verifier.verify(token, imprint)
        difference = at - self._clock.now()
        self._keep(newest.size, TOKEN, token, at)
        failpoint("sequencer.after-anchor")
        return Stamped(newest.size, at, difference)

    def publish(self) -> int:
        """Put what is new up to the newest checkpoint, then its token; give the size published."""
        with self._database.reading() as uow:
            newest = newest_checkpoint(uow.session)
            published = anchored_size(uow.session, BUCKET)
            token = uow.session.scalars(
                select(LedgerAnchor)
                .where(LedgerAnchor.kind == TOKEN)
                .order_by(LedgerAnchor.size.desc())
                .limit(1)
            ).first()
        if newest is None:
            return 0
        if newest.size > published:
            self._put_log(published, newest)
        if token is not None and token.size > self._token_put:
            self._put_token(token)
            self._token_put = token.size
        return newest.size

    def _put_log(self, published: int, newest: LedgerCheckpoint) -> None:
        for name in new_files(published, newest.size):
            # A bundle at a time: a long read would keep the write-ahead log from being emptied.
            with self._database.reading() as uow:
                file = name.read(uow.session)
            self._put(file)
        self._put(LogFile(anchor_path(newest.size, "checkpoint"), newest.note))
        failpoint("sequencer.after-put")
        self._keep(newest.size, BUCKET, b"", self._clock.now())

    def _put_token(self, token: LedgerAnchor) -> None:
        with self._database.reading() as uow:
            checkpoint = uow.session.get_one(LedgerCheckpoint, token.size)
        self._put(LogFile(anchor_path(token.size, "checkpoint"), checkpoint.note))
        self._put(LogFile(anchor_path(token.size, TOKEN), token.data))

    def _put(self, file: LogFile) -> None:
        origin = self._database.origin
        if file.path.startswith("details/"):
            key = detail_prefix(origin) + file.path.removeprefix("details/")
        else:
            key = log_prefix(origin) + file.path
        self._store.put_named(key, file.data)

    def _keep(self, size: int, kind: str, data: bytes, at: dt.datetime) -> None:
        with self._database.writing() as uow:
            self._sequencer.require_fence(uow.session)
            uow.session.add(LedgerAnchor(size=size, kind=kind, data=data, at=at))

    def _refuse_fork(self) -> None:
        """Refuse to continue a log whose published part is longer than what the database holds."""
        size = self._sequencer.head.size
        if PublishedLog(self._store, self._database.origin).is_longer_than(size):
            raise LedgerCorruptError(seq=size, rule="below-published-size")
