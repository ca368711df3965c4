# SPDX-License-Identifier: Apache-2.0
"""What the register states of licences, by identifier: licence, holder and events in one way to the database.

For checks by the hundred a second: only the columns that a check compares are read, as they stand, without
the session's bookkeeping.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from cases.models import Holder
from licenses.holdings import STOCK
from licenses.models import License, LicenseEvent, LicenseHolder
from storage.database import UnitOfWork

_LICENSE: Final = (
    License.id,
    License.identifier,
    License.holder_id,
    License.type_code,
    License.number,
    License.issuer_name,
    License.issuer_code,
    License.issued_on,
    License.valid_from,
    License.valid_until,
    License.trust,
    License.origin,
    License.object_sha256,
    License.seal_id,
    License.issued_at,
    License.reserved_at,
)
_HOLDER: Final = (Holder.scheme, Holder.code_hash, Holder.code_cipher, Holder.name_cipher, Holder.kind)
_EVENT: Final = (LicenseEvent.kind, LicenseEvent.at, LicenseEvent.process, LicenseEvent.successor_id)
_FIRST_OF_HOLDER: Final = len(_LICENSE)
_FIRST_OF_EVENT: Final = _FIRST_OF_HOLDER + len(_HOLDER)
_REGISTERED = (
    select(*_LICENSE, *_HOLDER, *_EVENT)
    .join(Holder, Holder.id == License.holder_id)
    .outerjoin(LicenseEvent, LicenseEvent.license_id == License.id)
    .order_by(LicenseEvent.position)
)
_BY_IDENTIFIER = _REGISTERED.where(License.identifier.in_(bindparam("identifiers", expanding=True)))
_TOLD = _REGISTERED.where(
    License.id.in_(bindparam("ids", expanding=True)), License.origin == STOCK, License.change.is_not(None)
)
"""Versions of the stock of which their source told under the identifier of the one before."""
_TOGETHER = (
    select(LicenseHolder.license_id, *_HOLDER)
    .join(Holder, Holder.id == LicenseHolder.holder_id)
    .where(LicenseHolder.license_id.in_(bindparam("ids", expanding=True)))
)


class RegisteredHolder(NamedTuple):
    """A holder as it is stored; see :class:`cases.models.Holder`."""

    scheme: str
    code_hash: bytes
    code_cipher: bytes
    name_cipher: bytes
    kind: str


class RegisteredEvent(NamedTuple):
    """What befell a licence; see :class:`licenses.models.LicenseEvent`."""

    kind: str
    at: dt.datetime
    process: str | None
    successor_id: str | None


@dataclass(slots=True)
class Registered:
    """A licence as the register states it; see :class:`licenses.models.License`.

    Attributes:
        holder: Its holder, the first of several.
        events: Its history, in its order.
    """

    holder: RegisteredHolder
    id: str
    identifier: str
    holder_id: str
    type_code: str
    number: str
    issuer_name: str
    issuer_code: str
    issued_on: dt.date
    valid_from: dt.date | None
    valid_until: dt.date | None
    trust: str
    origin: str
    object_sha256: str | None
    seal_id: str | None
    issued_at: dt.datetime | None
    reserved_at: dt.datetime
    events: list[RegisteredEvent] = field(default_factory=list)


def registered(uow: UnitOfWork, identifiers: Collection[str]) -> dict[str, Registered]:
    """Give the licences with these identifiers, by identifier; others are left out."""
    rows = uow.session.connection().execute(_BY_IDENTIFIER, {"identifiers": sorted(identifiers)})
    return _collected(rows)


def told_later(uow: UnitOfWork, held: Iterable[Registered]) -> dict[str, Registered]:
    """Give the versions that sources told under the same identifier, by the id of the version before."""
    found: dict[str, Registered] = {}
    last = list(held)
    while before := {
        event.successor_id: one.id
        for one in last
        if one.origin == STOCK
        for event in one.events
        if event.successor_id
    }:
        rows = uow.session.connection().execute(_TOLD, {"ids": sorted(before)})
        last = list(_collected(rows).values())
        found |= {before[one.id]: one for one in last}
    return found


def _collected(rows: Iterable[Any]) -> dict[str, Registered]:
    found: dict[str, Registered] = {}
    for row in rows:
        values: tuple[Any, ...] = tuple(row)
        one = found.get(row.identifier)
        if one is None:
            holder = RegisteredHolder(*values[_FIRST_OF_HOLDER:_FIRST_OF_EVENT])
            one = found[row.identifier] = Registered(holder, *values[:_FIRST_OF_HOLDER])
        kind, *rest = values[_FIRST_OF_EVENT:]
        if kind is not None:
            one.events.append(RegisteredEvent(kind, *rest))
    return found


def holders_together(uow: UnitOfWork, ids: Collection[str]) -> dict[str, list[RegisteredHolder]]:
    """Give the holders of licences that several hold, by the licence's id."""
    found: dict[str, list[RegisteredHolder]] = {}
    for row in uow.session.connection().execute(_TOGETHER, {"ids": sorted(ids)}):
        values: tuple[Any, ...] = tuple(row)
        found.setdefault(values[0], []).append(RegisteredHolder(*values[1:]))
    return found


def in_force_under(uow: UnitOfWork, identifier: str, today: dt.date) -> str:
    """Give the identifier of the version in force of what a source calls by one identifier.

    A source that renews under the same identifier has its next version held under one that was composed here.
    Where nothing such was told, it is the identifier itself.
    """
    held = registered(uow, [identifier])
    found, later = held.get(identifier), told_later(uow, held.values())
    while found is not None and (follows := later.get(found.id)):
        if follows.valid_from is not None and follows.valid_from > today:
            break
        found = follows
    return identifier if found is None else found.identifier
