# SPDX-License-Identifier: Apache-2.0
"""Which version of a key in a bucket is the object, and the table that remembers it.

A bucket under lock takes further versions of a key from anybody who may write. The object is the version
that our own put gave; it is recorded here, and where the record was lost the bucket says it again
(:mod:`storage.objects.bucket`). So no row here is part of a holding.
"""

import datetime as dt
import enum
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import BigInteger, Index, String, delete, select, update
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant
from storage.database import Database, repeated


class LockMode(enum.StrEnum):
    """How a version is locked, in the words of the S3 dialect."""

    NONE = "NONE"
    GOVERNANCE = "GOVERNANCE"
    COMPLIANCE = "COMPLIANCE"


@dataclass(frozen=True, slots=True)
class Lock:
    """A version's lock: how, and until when; the instant is in the past for none."""

    mode: LockMode
    until: dt.datetime


UNLOCKED = Lock(LockMode.NONE, dt.datetime(1970, 1, 1, tzinfo=dt.UTC))


@dataclass(frozen=True, slots=True)
class Version:
    """The version that is the object of its key.

    Attributes:
        key: Its key in the bucket.
        version_id: As the server gave it; empty when the bucket keeps no versions.
        sha256: Digest of its bytes, hex.
        size: In bytes.
        lock: As we last set or saw it.
        given_up: No record named it when it was last looked for: it is not renewed, and who puts the same
            bytes again gets a version of their own.
    """

    key: str
    version_id: str
    sha256: str
    size: int
    lock: Lock
    given_up: bool = False


class VersionBook(Protocol):
    """Remembers the version of each key."""

    def find(self, key: str) -> Version | None:
        """Give the version recorded for a key."""
        ...

    def note(self, version: Version) -> Version:
        """Record the version of a key, durably, unless one stands; give the one that stands."""
        ...

    def replace(self, old: Version, new: Version) -> Version:
        """Record another version or lock in the place of ``old``; give the one that stands then.

        It is no longer given up.
        """
        ...

    def ending(self, mode: LockMode, before: dt.datetime, after: str, limit: int) -> list[Version]:
        """Give versions whose lock ends before an instant, by key, beginning after a key.

        What was given up is left out.
        """
        ...


class MemoryBook:
    """The book of a program that has no records, such as a restore before it has brought them back."""

    def __init__(self) -> None:
        self._versions: dict[str, Version] = {}

    def __iter__(self) -> Iterator[Version]:
        """Give every version that was noted."""
        return iter(list(self._versions.values()))

    def find(self, key: str) -> Version | None:
        """Give the version noted for a key."""
        return self._versions.get(key)

    def note(self, version: Version) -> Version:
        """Note a version unless one stands."""
        return self._versions.setdefault(version.key, version)

    def replace(self, old: Version, new: Version) -> Version:
        """Note ``new`` where ``old`` still stands."""
        if self._versions.get(old.key) == old:
            self._versions[old.key] = new
        return self._versions[old.key]

    def ending(self, mode: LockMode, before: dt.datetime, after: str, limit: int) -> list[Version]:
        """Give versions whose lock ends soon."""
        ending = [
            one for one in self if one.lock.mode is mode and one.lock.until < before and one.key > after
        ]
        return sorted(ending, key=lambda one: one.key)[:limit]


class ObjectVersion(Base):
    """A row of the book."""

    __tablename__ = "object_version"

    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    version_id: Mapped[str] = mapped_column(String(128))
    sha256: Mapped[str] = mapped_column(String(64))
    size: Mapped[int] = mapped_column(BigInteger)
    mode: Mapped[str] = mapped_column(String(12))
    retain_until: Mapped[dt.datetime] = mapped_column(Instant)
    given_up_at: Mapped[dt.datetime | None] = mapped_column(Instant, index=True)

    __table_args__ = (Index("ix_object_version_mode_retain_until", "mode", "retain_until"),)


class TableBook:
    """The book as a table; each entry is a short transaction of its own.

    Args:
        database: The installation's database, in whichever role the process has.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self, key: str) -> Version | None:
        """Give the version recorded for a key."""
        with self._database.reading() as uow:
            row = uow.session.get(ObjectVersion, key)
            return None if row is None else _version(row)

    def note(self, version: Version) -> Version:
        """Record a version unless one stands."""

        def write() -> Version:
            with self._database.claiming() as session:
                row = session.get(ObjectVersion, version.key)
                if row is not None:
                    return _version(row)
                session.add(ObjectVersion(key=version.key, sha256=version.sha256, **_changing(version)))
                return version

        return repeated(write)

    def replace(self, old: Version, new: Version) -> Version:
        """Record ``new`` where ``old`` still stands."""

        def write() -> Version:
            with self._database.claiming() as session:
                session.execute(
                    update(ObjectVersion)
                    .where(ObjectVersion.key == old.key, ObjectVersion.version_id == old.version_id)
                    .values(**_changing(new))
                )
                row = session.get(ObjectVersion, old.key)
                if row is None:
                    # It was given up and its record has gone meanwhile.
                    row = ObjectVersion(key=new.key, sha256=new.sha256, **_changing(new))
                    session.add(row)
                return _version(row)

        return repeated(write)

    def ending(self, mode: LockMode, before: dt.datetime, after: str, limit: int) -> list[Version]:
        """Give versions whose lock ends soon."""
        with self._database.reading() as uow:
            rows = uow.session.scalars(
                select(ObjectVersion)
                .where(
                    ObjectVersion.mode == str(mode),
                    ObjectVersion.retain_until < before,
                    ObjectVersion.given_up_at.is_(None),
                    ObjectVersion.key > after,
                )
                .order_by(ObjectVersion.key)
                .limit(limit)
            )
            return [_version(row) for row in rows]

    def find_all(self, keys: Collection[str]) -> dict[str, Version]:
        """Give the versions recorded for keys."""
        with self._database.reading() as uow:
            rows = uow.session.scalars(select(ObjectVersion).where(ObjectVersion.key.in_(keys)))
            return {row.key: _version(row) for row in rows}

    def give_up(self, versions: Collection[Version], at: dt.datetime) -> None:
        """Mark versions that no record names; one that was replaced meanwhile is left alone."""

        def write() -> None:
            with self._database.claiming() as session:
                for version in versions:
                    row = session.get(ObjectVersion, version.key)
                    if row is None:
                        row = ObjectVersion(key=version.key, sha256=version.sha256, **_changing(version))
                        session.add(row)
                    if row.version_id == version.version_id and row.given_up_at is None:
                        row.given_up_at = at

        repeated(write)

    def take_back(self, keys: Collection[str]) -> None:
        """Undo :meth:`give_up`."""
        which = ObjectVersion.key.in_(keys)

        def write() -> None:
            with self._database.claiming() as session:
                session.execute(update(ObjectVersion).where(which).values(given_up_at=None))

        repeated(write)

    def given_up(self, before: dt.datetime, after: str, limit: int) -> list[Version]:
        """Give what was given up before an instant, by key, beginning after a key."""
        query = select(ObjectVersion).where(ObjectVersion.given_up_at < before, ObjectVersion.key > after)
        with self._database.reading() as uow:
            rows = uow.session.scalars(query.order_by(ObjectVersion.key).limit(limit))
            return [_version(row) for row in rows]

    def forget(self, versions: Collection[Version]) -> None:
        """Remove the record of versions that were given up and are gone from the bucket."""

        def write() -> None:
            with self._database.claiming() as session:
                for version in versions:
                    session.execute(
                        delete(ObjectVersion).where(
                            ObjectVersion.key == version.key,
                            ObjectVersion.version_id == version.version_id,
                            ObjectVersion.given_up_at.is_not(None),
                        )
                    )

        repeated(write)


def _changing(version: Version) -> dict[str, str | int | dt.datetime | None]:
    return {
        "version_id": version.version_id,
        "given_up_at": None,
        "size": version.size,
        "mode": str(version.lock.mode),
        "retain_until": version.lock.until,
    }


def _version(row: ObjectVersion) -> Version:
    lock = Lock(LockMode(row.mode), row.retain_until)
    return Version(row.key, row.version_id, row.sha256, row.size, lock, row.given_up_at is not None)
