# SPDX-License-Identifier: Apache-2.0
"""What a unit of work needs from elsewhere: whoever admits acts, and whoever tells workers of steps."""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from storage.ledger.kinds import ActKind


class Gate(Protocol):
    """Decides whether the ledger may take a promise now (docs/architecture.md, fail closed)."""

    def admit(self, kind: ActKind) -> None:
        """Return, or raise :class:`storage.database.LedgerClosedError`."""
        ...

    def count_refusal(self, session: Session) -> None:
        """Count one refusal durably; called in a transaction of its own."""
        ...

    def take_refusals(self, session: Session) -> int:
        """Give and zero the durable count, 0 when there is none; cheap when there is none."""
        ...


class Doorbell(Protocol):
    """Tells workers of steps that may run now. Best effort: the table of steps is the truth."""

    @property
    def heard(self) -> bool:
        """Tell whether the last ring was taken, as far as is known."""
        ...

    def ring(self, steps: Sequence[tuple[str, str]]) -> None:
        """Announce steps, each by kind and id; return at once and raise nothing."""
        ...
