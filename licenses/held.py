# SPDX-License-Identifier: Apache-2.0
"""Licences of several holders with their events, in one way to the database: what decisions look at.

Only the columns that an answer rests on are read, as they stand, without the session's bookkeeping.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, Final, NamedTuple

from sqlalchemy import bindparam, select

from licenses.models import License, LicenseEvent, LicenseHolder
from storage.database import UnitOfWork

_LICENSE: Final = (
    License.id,
    License.holder_id,
    License.type_code,
    License.type_version,
    License.issuer_code,
    License.issuer_name,
    License.valid_from,
    License.valid_until,
    License.face_cipher,
    License.trust,
    License.origin,
    License.object_sha256,
    License.seal_id,
    License.issued_at,
    License.reserved_at,
)
_EVENT: Final = (LicenseEvent.kind, LicenseEvent.at, LicenseEvent.process, LicenseEvent.successor_id)
_HELD: Final = (
    select(*_LICENSE, *_EVENT)
    .outerjoin(LicenseEvent, LicenseEvent.license_id == License.id)
    .where(
        License.type_code.in_(bindparam("types", expanding=True)),
        License.reserved_at <= bindparam("at", type_=License.reserved_at.type),
    )
    .order_by(License.reserved_at, License.id, LicenseEvent.position)
)
_OF_HOLDERS: Final = _HELD.where(License.holder_id.in_(bindparam("holders", expanding=True)))
_OF_IDS: Final = _HELD.where(License.id.in_(bindparam("ids", expanding=True)))
_TOGETHER: Final = select(LicenseHolder.license_id, LicenseHolder.holder_id).where(
    LicenseHolder.holder_id.in_(bindparam("holders", expanding=True))
)


class HeldEvent(NamedTuple):
    """What befell a licence; see :class:`licenses.models.LicenseEvent`."""

    kind: str
    at: dt.datetime
    process: str | None
    successor_id: str | None


@dataclass(slots=True)
class HeldLicense:
    """A licence as it stands; see :class:`licenses.models.License`.

    Attributes:
        events: Its history, in its order.
    """

    id: str
    holder_id: str
    type_code: str
    type_version: str
    issuer_code: str
    issuer_name: str
    valid_from: dt.date | None
    valid_until: dt.date | None
    face_cipher: bytes
    trust: str
    origin: str
    object_sha256: str | None
    seal_id: str | None
    issued_at: dt.datetime | None
    reserved_at: dt.datetime
    events: list[HeldEvent] = field(default_factory=list)


def held_by_each(
    uow: UnitOfWork, holders: Collection[str], types: Collection[str], at: dt.datetime
) -> dict[str, list[HeldLicense]]:
    """Give the licences of some types that stood at an instant, by id of the holder, oldest first.

    What several hold together is of each of them.
    """
    connection = uow.session.connection()
    wanted = {"types": sorted(types), "at": at}
    everyone = sorted(holders)
    found: dict[str, dict[str, HeldLicense]] = {}
    for one in _collected(connection.execute(_OF_HOLDERS, wanted | {"holders": everyone})):
        found.setdefault(one.holder_id, {})[one.id] = one
    together = connection.execute(_TOGETHER, {"holders": everyone}).all()
    if together:
        ids = sorted({row.license_id for row in together})
        shared = {one.id: one for one in _collected(connection.execute(_OF_IDS, wanted | {"ids": ids}))}
        for row in together:
            if row.license_id in shared:
                found.setdefault(row.holder_id, {})[row.license_id] = shared[row.license_id]
    oldest_first = attrgetter("reserved_at", "id")
    return {holder: sorted(of.values(), key=oldest_first) for holder, of in found.items()}


def _collected(rows: Iterable[Any]) -> list[HeldLicense]:
    found: dict[str, HeldLicense] = {}
    for row in rows:
        values: tuple[Any, ...] = tuple(row)
        one = found.get(values[0])
        if one is None:
            one = found[values[0]] = HeldLicense(*values[: len(_LICENSE)])
        kind, *rest = values[len(_LICENSE) :]
        if kind is not None:
            one.events.append(HeldEvent(kind, *rest))
    return list(found.values())
