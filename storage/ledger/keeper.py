# SPDX-License-Identifier: Apache-2.0
"""The sequencer process's work in one place: drain, sign, stamp, publish, each at its own pace.

``portal`` calls :meth:`LedgerKeeper.tick` in a loop. A time-stamp authority or object store that fails is
reported and tried again at the next interval; the log goes on meanwhile, and the gate closes when that
lasts too long.
"""

from dataclasses import dataclass

from storage.clock import Clock
from storage.errors import CunzhengError
from storage.ledger.anchors import Anchorer, Stamped
from storage.ledger.checkpoints import CheckpointWriter
from storage.ledger.sequencer import BATCH, Sequencer

CLOCKS_DISAGREE = "clocks-disagree"
"""The authority's time and our own lie more than five seconds apart; the token is kept all the same."""
_BATCHES_PER_TICK = 20
"""Bounds a tick, so that checkpoints are signed under any load."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between checkpoints, and between anchors, while the log grows."""

    checkpoint: float = 1.0
    anchor: float = 30.0


@dataclass(frozen=True, slots=True)
class Tick:
    """What one tick did.

    Attributes:
        sequenced: Acts that became entries.
        checkpoint: Size signed, if a checkpoint was written.
        stamped: The token kept, if any.
        published: Size that lies in the object store after this tick, if publishing was due.
        problems: Stable codes of what failed outside (authority, store) and will be tried again, and
            :data:`CLOCKS_DISAGREE`.
    """

    sequenced: int
    checkpoint: int | None = None
    stamped: Stamped | None = None
    published: int | None = None
    problems: tuple[str, ...] = ()


class LedgerKeeper:
    """Drives the sequencer, the checkpoint writer and the anchorer of one log."""

    def __init__(
        self,
        clock: Clock,
        sequencer: Sequencer,
        checkpoints: CheckpointWriter,
        anchorer: Anchorer,
        pace: Pace | None = None,
    ) -> None:
        self._clock = clock
        self._sequencer = sequencer
        self._checkpoints = checkpoints
        self._anchorer = anchorer
        self._pace = pace or Pace()
        self._checkpoint_due = self._anchor_due = clock.monotonic()

    def tick(self, *, hurry: bool = False) -> Tick:
        """Drain what is pending and do what is due; with ``hurry`` everything is due.

        Raises:
            FencedError: Another sequencer has taken over: stop.
            LedgerCorruptError: The tables contradict themselves: stop.
        """
        sequenced = self._drain()
        now = self._clock.monotonic()
        signed = None
        if (hurry or now >= self._checkpoint_due) and self._checkpoints.write():
            self._checkpoint_due = now + self._pace.checkpoint
            signed = self._sequencer.head.size
        if not hurry and now < self._anchor_due:
            return Tick(sequenced, signed)
        return self._anchor(sequenced, signed, now)

    def close(self) -> None:
        """Give the log free for another sequencer."""
        self._sequencer.close()

    def _drain(self) -> int:
        total = 0
        for _ in range(_BATCHES_PER_TICK):
            drained = self._sequencer.drain()
            total += drained
            if drained < BATCH:
                break
        return total

    def _anchor(self, sequenced: int, signed: int | None, now: float) -> Tick:
        problems: list[str] = []
        stamped, published = None, None
        try:
            stamped = self._anchorer.stamp()
            if stamped is not None and stamped.disagrees:
                problems.append(CLOCKS_DISAGREE)
        except CunzhengError as error:
            _reraise_own(error)
            problems.append(error.code)
        try:
            published = self._anchorer.publish()
        except CunzhengError as error:
            _reraise_own(error)
            problems.append(error.code)
        if stamped is not None or problems:
            self._anchor_due = now + self._pace.anchor
        return Tick(sequenced, signed, stamped, published, tuple(problems))


def _reraise_own(error: CunzhengError) -> None:
    """Let errors that end this sequencer pass."""
    if error.code in {"sequencer-fenced", "ledger-corrupt", "object-conflict"}:
        raise error
