# SPDX-License-Identifier: Apache-2.0
"""The daily quota of a grant: taken in the transaction of the call, so what is refused takes nothing.

A call adds one where used is below the quota, by one conditional statement: of calls for the last unit
exactly one is answered. The quota of a day is kept in several places with a share each, and a unit of work
begins at the place of its first call's case: where units see a snapshot, all that change the same row at the
same time but one begin again. The calls of one unit are added together.
"""

import datetime as dt
import zlib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Final

from sqlalchemy import Table, bindparam, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from licenses.grants.models import LicenseGrant, LicenseGrantUse
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.engines import WriteConflictError
from storage.identity import Identity

PLACES: Final = 16
_TABLE: Final[Table] = LicenseGrantUse.__table__  # type: ignore[assignment] # a mapped class has a Table
_USED: Final = select(_TABLE.c.place, _TABLE.c.used).where(
    _TABLE.c.grant_id == bindparam("of_grant"), _TABLE.c.day == bindparam("on_day")
)
_ADD: Final = (
    update(_TABLE)
    .where(
        _TABLE.c.grant_id == bindparam("of_grant"),
        _TABLE.c.day == bindparam("on_day"),
        _TABLE.c.place == bindparam("at_place"),
        _TABLE.c.used + bindparam("more") <= bindparam("share"),
    )
    .values(used=_TABLE.c.used + bindparam("more"))
)


@lru_cache(maxsize=256)
def shares(quota: int) -> Sequence[int]:
    """Give the share of each place; together they are the quota."""
    places = min(quota, PLACES)
    return tuple(quota // places + (1 if place < quota % places else 0) for place in range(places))


def take(uow: UnitOfWork, grants: Sequence[LicenseGrant], case_id: str) -> LicenseGrant | None:
    """Use the first of some grants that has quota left today; ``None`` where none has."""
    counting = Counting(uow)
    taken = counting.take(grants, case_id)
    counting.write()
    return taken


class Counting:
    """Counts the calls of one unit of work; nothing of it stands before :meth:`write`.

    Args:
        uow: A writing unit of work.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._day = legal_date(uow.clock.now())
        self._used: dict[str, dict[int, int]] = {}
        self._first: dict[str, int] = {}
        self._taken: dict[str, tuple[LicenseGrant, Counter[int]]] = {}

    def take(self, grants: Sequence[LicenseGrant], case_id: str) -> LicenseGrant | None:
        """Use the first of some grants that has quota left today; ``None`` where none has."""
        for grant in grants:
            parts = shares(grant.quota)
            used = self._used_of(grant)
            first = self._first.setdefault(grant.id, zlib.crc32(case_id.encode()) % len(parts))
            _, taken = self._taken.setdefault(grant.id, (grant, Counter()))
            for place in [*range(first, len(parts)), *range(first)]:
                if used.get(place, 0) + taken[place] < parts[place]:
                    taken[place] += 1
                    return grant
        return None

    def give_back(self, who: Identity) -> None:
        """Let a call that came to nothing count for nothing; who made it, on a basis that names the grant."""
        if who.basis is not None and who.basis.grant is not None:
            _, taken = self._taken[who.basis.grant]
            taken[next(place for place, count in taken.items() if count)] -= 1

    def write(self) -> None:
        """Add what was taken.

        Raises:
            WriteConflictError: Somebody else used the quota meanwhile; begin again.
        """
        # In one order everywhere: two units that wait for each other's rows would both begin again.
        for _, (grant, taken) in sorted(self._taken.items()):
            parts = shares(grant.quota)
            for place, count in sorted(taken.items()):
                if count and not self._add(grant, place, count, parts[place]):
                    raise WriteConflictError

    def _used_of(self, grant: LicenseGrant) -> dict[int, int]:
        if grant.id not in self._used:
            of_day = {"of_grant": grant.id, "on_day": self._day}
            rows = self._uow.session.connection().execute(_USED, of_day)
            self._used[grant.id] = {row.place: row.used for row in rows}
        return self._used[grant.id]

    def _add(self, grant: LicenseGrant, place: int, count: int, share: int) -> bool:
        if place not in self._used[grant.id]:
            _open(self._uow, grant, self._day, place)
        of_place = {"of_grant": grant.id, "on_day": self._day, "at_place": place}
        done = self._uow.session.connection().execute(_ADD, of_place | {"more": count, "share": share})
        return done.rowcount == 1


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


def _open(uow: UnitOfWork, grant: LicenseGrant, day: dt.date, place: int) -> None:
    """Begin a place of a day, unless somebody else did meanwhile."""
    row = {"grant_id": grant.id, "day": day, "place": place, "used": 0}
    if uow.session.get_bind().dialect.name == "sqlite":
        uow.session.execute(sqlite.insert(_TABLE).values(row).on_conflict_do_nothing())
    else:
        uow.session.execute(postgresql.insert(_TABLE).values(row).on_conflict_do_nothing())
