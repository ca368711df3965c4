# SPDX-License-Identifier: Apache-2.0
"""Locks that run out are renewed for a term at a time: one far date could not be corrected.

Nobody shortens a lock. One that is found to be longer or stricter than what we would ask for is recorded as
it stands, and looked at again when its own end is near.
"""

import datetime as dt
import logging
from collections.abc import Iterator
from dataclasses import dataclass, replace

from minio import Minio
from minio.error import S3Error
from minio.retention import Retention
from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from storage.clock import Clock
from storage.objects.ports import ObjectMissingError
from storage.objects.server import ObjectsUnavailableError, lock_of, server_errors
from storage.objects.versions import Lock, LockMode, ObjectVersion, Version, VersionBook

TERMS = {LockMode.GOVERNANCE: dt.timedelta(days=30), LockMode.COMPLIANCE: dt.timedelta(days=400)}
"""How long a lock of each mode is set for."""
MARGINS = {LockMode.GOVERNANCE: dt.timedelta(days=10), LockMode.COMPLIANCE: dt.timedelta(days=35)}
"""How long before its end a lock is renewed: so many days may nobody look after it."""
LATE = dt.timedelta(hours=48)
"""A lock that should have been renewed so long ago was refused, or nobody renews."""
_AT_ONCE = 500
_REFUSED_AT_MOST = 100
"""Refusals, beyond the locks that were renewed, after which the server counts as away."""

log = logging.getLogger("cunzheng.objects")


@dataclass(frozen=True, slots=True)
class Unrenewed:
    """Locks that should have been renewed two days ago and were not.

    Attributes:
        count: Their number.
        ended: How many of them have ended: those objects can be removed by whoever has the right to delete.
        first_end: When the first of them ends or ended.
        keys: The keys of those that end first.
    """

    count: int = 0
    ended: int = 0
    first_end: dt.datetime | None = None
    keys: tuple[str, ...] = ()


def unrenewed(session: Session, now: dt.datetime, names: int = 0) -> Unrenewed:
    """Count the locks that were not renewed, and name some of those that end first."""
    late = and_(ObjectVersion.given_up_at.is_(None), or_(*(_late(mode, now) for mode in MARGINS)))
    count, first_end = session.execute(
        select(func.count(), func.min(ObjectVersion.retain_until)).where(late)
    ).one()
    if not count:
        return Unrenewed()
    ended = session.scalar(
        select(func.count()).select_from(ObjectVersion).where(late, ObjectVersion.retain_until <= now)
    )
    by_end = select(ObjectVersion.key).where(late).order_by(ObjectVersion.retain_until, ObjectVersion.key)
    return Unrenewed(count, ended or 0, first_end, tuple(session.scalars(by_end.limit(names))))


def _late(mode: LockMode, now: dt.datetime) -> ColumnElement[bool]:
    end = now + MARGINS[mode] - LATE
    return and_(ObjectVersion.mode == str(mode), ObjectVersion.retain_until < end)


def lock_from(now: dt.datetime, mode: LockMode) -> Lock:
    """Give a lock of a mode for its term."""
    # Whole seconds: some servers cut fractions off, and a lock must not end before what we recorded.
    return Lock(mode, (now + TERMS[mode]).replace(microsecond=0))


class Renewal:
    """Renews the locks of one bucket.

    Args:
        client: Its server.
        bucket: Its name.
        book: Remembers the lock of each key.
        clock: Where locks are counted from.
    """

    def __init__(self, client: Minio, bucket: str, book: VersionBook, clock: Clock) -> None:
        self._client = client
        self._bucket = bucket
        self._book = book
        self._clock = clock

    def run(self) -> int:
        """Renew every lock that runs out soon; give the number of those that stand for long again.

        Raises:
            ObjectsUnavailableError: Some were not renewed: the server refused each of them, after which the
                others were tried, or it refused so many that it is away.
        """
        refused = 0
        renewed = 0
        for version in self._ending():
            try:
                renewed += self._extend(version)
            except ObjectsUnavailableError:
                log.error("not renewed, the bucket refuses: %s %s", version.key, version.version_id)  # noqa: TRY400 - told, not raised
                refused += 1
                if refused > renewed + _REFUSED_AT_MOST:
                    raise
        if refused:
            raise ObjectsUnavailableError
        return renewed

    def _ending(self) -> Iterator[Version]:
        for mode, margin in MARGINS.items():
            before, after = self._clock.now() + margin, ""
            while found := self._book.ending(mode, before, after, _AT_ONCE):
                yield from found
                after = found[-1].key

    def _extend(self, version: Version) -> bool:
        try:
            lock = self._set_or_see(version)
        except ObjectMissingError:
            # One that somebody removed must not keep the others from being renewed.
            log.error("not renewed, the bucket has it no longer: %s %s", version.key, version.version_id)  # noqa: TRY400 - told, not raised
            return False
        self._book.replace(version, replace(version, lock=lock))
        return True

    def _set_or_see(self, version: Version) -> Lock:
        """Set a lock of the version's mode, or see that a better one stands; give the one that stands."""
        lock = lock_from(self._clock.now(), version.lock.mode)
        try:
            self._set(version, lock)
        except ObjectsUnavailableError as error:
            if not isinstance(error.__cause__, S3Error):
                # Nobody answered, so nobody need be asked.
                raise
            seen = self._see(version)
            if version.lock.mode is LockMode.GOVERNANCE and seen.mode is LockMode.COMPLIANCE:
                return self._set_or_see(replace(version, lock=seen))
            if seen.mode is not lock.mode or seen.until < lock.until:
                raise
            log.info("a longer lock stands: %s %s", version.key, version.version_id)
            return seen
        return lock

    def _set(self, version: Version, lock: Lock) -> None:
        retention = Retention(str(lock.mode), lock.until)
        with server_errors():
            self._client.set_object_retention(
                self._bucket, version.key, retention, version.version_id or None
            )

    def _see(self, version: Version) -> Lock:
        with server_errors():
            seen = self._client.stat_object(self._bucket, version.key, version_id=version.version_id or None)
        return lock_of({name.lower(): value for name, value in (seen.metadata or {}).items()})
