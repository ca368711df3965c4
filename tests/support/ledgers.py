# SPDX-License-Identifier: Apache-2.0
"""A whole ledger in a temporary folder: acts, sequencer, checkpoints, anchors, export."""

import datetime as dt
import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from fakes import ORIGIN, HandClock, make_database

from storage.clock import parse_rfc3339, rfc3339
from storage.database import Database
from storage.errors import CunzhengError
from storage.identity import system_identity
from storage.ledger.acts import Act
from storage.ledger.anchors import Anchorer
from storage.ledger.checkpoints import CheckpointWriter
from storage.ledger.keeper import LedgerKeeper, Pace
from storage.ledger.kinds import ActKind
from storage.ledger.notes import NoteSigner
from storage.ledger.policies import Policy, parse_policy, single_log_policy
from storage.ledger.sequencer import Sequencer
from storage.objects.folder import FolderStore
from storage.ports import Gate

SIGNER = NoteSigner(ORIGIN, bytes(range(32)))


class TokenRefusedError(CunzhengError):
    """The authority is down, or the token is not its own."""

    code = "test-token-refused"


class HandAuthority:
    """A time-stamp authority whose tokens only it can make and judge; it can be told to be down."""

    def __init__(self, clock: HandClock) -> None:
        self._clock = clock
        self.down = False
        self.wrong = False

    def _code(self, at: str, imprint: bytes) -> str:
        return hmac.new(b"authority", at.encode() + imprint, hashlib.sha256).hexdigest()

    def stamp(self, imprint: bytes) -> bytes:
        if self.down:
            raise TokenRefusedError
        at = rfc3339(self._clock.now())
        return f"{at} {self._code(at, b'' if self.wrong else imprint)}".encode()

    def verify(self, token: bytes, imprint: bytes) -> dt.datetime:
        at, _, code = token.decode("latin-1").partition(" ")
        if code != self._code(at, imprint):
            raise TokenRefusedError
        return parse_rfc3339(at)


def act(number: int = 0, kind: ActKind = ActKind.CASE_ANNOUNCED, **more: object) -> Act:
    return Act(
        kind=kind,
        actor=system_identity("test"),
        object_type="case",
        object_id=f"case-{number}",
        notes={"number": number},
        **more,  # type: ignore[arg-type]  # fields of Act as the test names them
    )


@dataclass
class Ledger:
    """Everything of one log; ``keeper`` is its one writer."""

    folder: Path
    clock: HandClock
    database: Database
    store: FolderStore
    authority: HandAuthority
    sequencer: Sequencer
    keeper: LedgerKeeper

    @property
    def policy(self) -> Policy:
        return parse_policy(single_log_policy(SIGNER.verifier))

    def record(self, count: int, first: int = 0) -> list[str]:
        """Record acts in one transaction; give their ids."""
        with self.database.writing() as uow:
            return [uow.record(act(first + number)).core_sha256 for number in range(count)]

    def grow(self, count: int) -> None:
        """Record acts and have them sequenced, signed, stamped and published."""
        self.record(count)
        self.clock.advance(60)
        self.keeper.tick(hurry=True)

    def close(self) -> None:
        self.keeper.close()
        self.database.close()


def later(minutes: int) -> HandClock:
    """Give a clock that starts some minutes after the others."""
    clock = HandClock()
    clock.advance(minutes * 60)
    return clock


def open_ledger(folder: Path, clock: HandClock | None = None, gate: Gate | None = None) -> Ledger:
    """Open (or reopen) the ledger of a folder as its sequencer."""
    clock = clock or HandClock()
    database = make_database(folder, clock, gate)
    sequencer = Sequencer(database, clock, folder / "sequencer.lock")
    authority, store = HandAuthority(clock), FolderStore(folder / "objects")
    checkpoints = CheckpointWriter(database, clock, sequencer, SIGNER)
    anchorer = Anchorer(database, clock, sequencer, store, authority, authority)
    keeper = LedgerKeeper(clock, sequencer, checkpoints, anchorer, Pace())
    return Ledger(folder, clock, database, store, authority, sequencer, keeper)
