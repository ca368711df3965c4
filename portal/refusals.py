# SPDX-License-Identifier: Apache-2.0
"""Refusals: each stands in the ledger, whether a page, the interface, a command or a step told it.

The unit of work that was refused has rolled back; the refusal is recorded in a transaction of its own.
Failed authentication and malformed calls are only counted, and so are refusals while the ledger is closed:
their number is the first record afterwards.
"""

from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

from portal.errors import FormExpiredError, LoginLinkSpentError, RateLimitedError, UnauthenticatedError
from storage.database import Database, LedgerClosedError, UnitOfWork
from storage.errors import CunzhengError, RefusedError
from storage.identity import PUBLIC, Identity
from storage.ledger.acts import Act, Outcome, Promise
from storage.ledger.kinds import ActKind

_ONLY_COUNTED: Final = (FormExpiredError, LoginLinkSpentError, RateLimitedError, UnauthenticatedError)


@runtime_checkable
class RecordedRefusal(Protocol):
    """An error that states an act; it is recorded in a transaction of its own."""

    def record(self, uow: UnitOfWork) -> Promise:
        """Record the refusal."""
        ...


@dataclass(frozen=True, slots=True)
class Place:
    """Where somebody was refused.

    Attributes:
        kind: ``route`` or ``command``.
        name: Name of the route, or words of the command without its arguments.
    """

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class AccessRefused:
    """Somebody who is known was refused something that has no act of its own."""

    who: Identity
    place: Place
    reason: str

    def record(self, uow: UnitOfWork) -> Promise:
        """Record the refusal."""
        return uow.record(
            Act(
                kind=ActKind.ACCESS_REFUSED,
                actor=self.who,
                object_type=self.place.kind,
                object_id=self.place.name,
                outcome=Outcome.REFUSED,
                reasons=[self.reason],
            )
        )


def record_refusal(database: Database, error: CunzhengError, who: Identity | None, place: Place) -> None:
    """Record what an error refused; call it after the refused unit of work has rolled back.

    An error that states its own act records that. Any other refusal of somebody who is known is recorded as
    refused access. Everything else is not a refusal, or one of nobody.

    Args:
        database: Where the ledger is.
        error: What was told.
        who: Who asked, if anybody is known.
        place: Where.
    """
    if isinstance(error, RecordedRefusal):
        record_apart(database, error)
    elif who is None or who == PUBLIC or isinstance(error, _ONLY_COUNTED):
        return
    elif isinstance(error, RefusedError):
        record_apart(database, AccessRefused(who, place, error.code))


def record_apart(database: Database, refusal: RecordedRefusal) -> None:
    """Record a refusal in a transaction of its own."""
    # Refusals while the ledger is closed are counted by the database; the caller is told the refusal itself.
    with suppress(LedgerClosedError):
        database.write(refusal.record)
