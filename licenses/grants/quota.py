# SPDX-License-Identifier: Apache-2.0
"""The daily quota of a grant: taken in the transaction of the call, so what is refused takes nothing.

A call adds one where used is below the quota, by one conditional statement: of calls for the last unit
exactly one is answered. The quota of a day is kept in several places with a share each, and a call begins at
its case's place: where units of work see a snapshot, all that change the same row at the same time but one
begin again.
"""

import datetime as dt
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from sqlalchemy import Table, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from licenses.grants.models import LicenseGrant, LicenseGrantUse
from storage.clock import legal_date
from storage.database import UnitOfWork

PLACES: Final = 16


def shares(quota: int) -> Sequence[int]:
    """Give the share of each place; together they are the quota."""
    places = min(quota, PLACES)
    return [quota // places + (1 if place < quota % places else 0) for place in range(places)]


def take(uow: UnitOfWork, grants: Sequence[LicenseGrant], case_id: str) -> LicenseGrant | None:
    """Use the first of some grants that has quota left today; ``None`` where none has."""
    today = legal_date(uow.clock.now())
    for grant in grants:
        if _take_one(uow, grant, today, case_id):
            return grant
    return None


def used_today(uow: UnitOfWork, grants: Collection[LicenseGrant]) -> Mapping[str, int]:
    """Give how often each of some grants was used today."""
    today = legal_date(uow.clock.now())
    query = (
        select(LicenseGrantUse.grant_id, func.sum(LicenseGrantUse.used))
        .where(LicenseGrantUse.day == today, LicenseGrantUse.grant_id.in_([one.id for one in grants]))
        .group_by(LicenseGrantUse.grant_id)
    )
    found = {grant_id: int(used) for grant_id, used in uow.session.execute(query)}
    return {one.id: found.get(one.id, 0) for one in grants}


def _take_one(uow: UnitOfWork, grant: LicenseGrant, day: dt.date, case_id: str) -> bool:
    parts = shares(grant.quota)
    query = select(LicenseGrantUse.place, LicenseGrantUse.used)
    rows = uow.session.execute(query.where(LicenseGrantUse.grant_id == grant.id, LicenseGrantUse.day == day))
    used = {row.place: row.used for row in rows}
    first = zlib.crc32(case_id.encode()) % len(parts)
    for place in [*range(first, len(parts)), *range(first)]:
        if used.get(place, 0) >= parts[place]:
            continue
        if place not in used:
            _open(uow, grant, day, place)
        if _add(uow, grant, day, place, parts[place]):
            return True
    return False


def _open(uow: UnitOfWork, grant: LicenseGrant, day: dt.date, place: int) -> None:
    """Begin a place of a day, unless somebody else did meanwhile."""
    table: Table = LicenseGrantUse.__table__  # type: ignore[assignment] # a mapped class has a Table
    row = {"grant_id": grant.id, "day": day, "place": place, "used": 0}
    if uow.session.get_bind().dialect.name == "sqlite":
        uow.session.execute(sqlite.insert(table).values(row).on_conflict_do_nothing())
    else:
        uow.session.execute(postgresql.insert(table).values(row).on_conflict_do_nothing())


def _add(uow: UnitOfWork, grant: LicenseGrant, day: dt.date, place: int, share: int) -> bool:
    added = uow.session.scalar(
        update(LicenseGrantUse)
        .where(
            LicenseGrantUse.grant_id == grant.id,
            LicenseGrantUse.day == day,
            LicenseGrantUse.place == place,
            LicenseGrantUse.used < share,
        )
        .values(used=LicenseGrantUse.used + 1)
        .execution_options(synchronize_session=False)
        .returning(LicenseGrantUse.used)
    )
    return added is not None
