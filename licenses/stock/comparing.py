# SPDX-License-Identifier: Apache-2.0
"""What is held under the identifier of a quarantined record, for the page on which a person decides."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from cases.models import Holder
from licenses.events import history_of
from licenses.holdings import STOCK
from licenses.lifecycle import SealState, Status, state_after, status_of
from licenses.models import License
from licenses.stock.models import StockQuarantine
from storage.database import UnitOfWork

COMPARED: Final = frozenset({"identifier-taken", "content-told", "later-dates", "valid-again", "end-told"})
"""Reasons for which a record is compared with what is held."""
FOLLOWED: Final = frozenset({"content-told", "later-dates", "valid-again", "end-told"})
"""Reasons for which a person may decide that a record is followed."""


@dataclass(frozen=True, slots=True)
class Held:
    """The version that is held.

    Attributes:
        license: Its row.
        status: How it stands.
        same_holder: Whether the record names its holder, who is not told here.
        obstacle: Why what the record tells cannot be followed; nothing where it can, ``none`` where there is
            nothing to follow.
    """

    license: License
    status: Status
    same_holder: bool
    obstacle: str

    @property
    def may_follow(self) -> bool:
        """Tell whether a person may follow what the record tells."""
        return not self.obstacle


def held_of(uow: UnitOfWork, row: StockQuarantine, read: Mapping[str, Any], obstacle: str) -> Held | None:
    """Give the newest version of the own department under a record's identifier; none where none is held."""
    identifier = read.get("identifier")
    if row.reason not in COMPARED or identifier is None:
        return None
    own = (License.organisation == row.organisation, License.origin == STOCK)
    found = uow.session.scalar(select(License).where(License.identifier == identifier, *own))
    newest = found
    while found is not None:
        newest = found
        # Only what a source told under the same identifier says on a licence of the stock what changed.
        told = (License.previous_id == found.id, License.change.is_not(None))
        found = uow.session.scalar(select(License).where(*told, *own))
    if newest is None:
        return None
    now = uow.clock.now()
    state = state_after(history_of(uow, newest.id), now)
    status = status_of(newest, state, now, SealState.DECLARED)
    return Held(newest, status, _same_holder(uow, newest, read), obstacle)


def _same_holder(uow: UnitOfWork, license_: License, read: Mapping[str, Any]) -> bool:
    parties = read.get("parties") or [{}]
    first = parties[0]
    if "code" not in first:
        return False
    holder = uow.session.get_one(Holder, license_.holder_id)
    stated = uow.secrets.lookup_hash(str(first["scheme"]), str(first["code"]))
    return holder.scheme == first["scheme"] and hmac.compare_digest(holder.code_hash, stated)
