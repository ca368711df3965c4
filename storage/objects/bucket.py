# SPDX-License-Identifier: Apache-2.0
"""Objects in a bucket with versions and locks, behind the S3 dialect.

Bytes lie under ``o/sha256/ab/cd/<hex>``, so a put that raced or was repeated adds an identical version;
named objects lie under their names. Reads ask for the recorded version only and hash again: whoever puts
another version or a delete marker on top changes nothing. Bytes are put under GOVERNANCE for 30 days,
renewed until their dossier is filed; :meth:`BucketStore.keep` then gives them a version under COMPLIANCE.
Servers refuse to turn the one mode into the other without the right to bypass it, which we do not want to
have: the server copies instead, and the first version ends with its lock. Named objects are final at once.
A lock that runs out is renewed for a year at a time: one far date could not be corrected.
"""

import hashlib
import io
import itertools
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from minio.commonconfig import CopySource
from minio.datatypes import Object
from minio.retention import Retention

from storage.breaker import Breaker
from storage.clock import Clock
from storage.objects.ports import (
    CHUNK,
    ObjectConflictError,
    ObjectDamagedError,
    ObjectMissingError,
    StoredAt,
    StoredObject,
    copy_hashed,
    object_key,
    require_name,
)
from storage.objects.renewal import Renewal, lock_from
from storage.objects.server import (
    HASTE,
    PATIENCE,
    BucketAddress,
    ObjectsUnavailableError,
    Patience,
    connect,
    has_lock,
    lock_of,
    server_errors,
)
from storage.objects.versions import UNLOCKED, Lock, LockMode, Version, VersionBook

_PART = 16 << 20
_FRESH_SECONDS = 5.0
_PROBE_BYTES = 5 << 20
"""A full server still takes small ones."""
_PROBE_KEY = "probe/writing"

log = logging.getLogger("cunzheng.objects")


class BucketStore:
    """A bucket on a server of the S3 dialect.

    Args:
        address: The bucket.
        book: Remembers the version of each key.
        clock: Where locks are counted from.
        patience: How long the server may be silent.
    """

    def __init__(
        self, address: BucketAddress, book: VersionBook, clock: Clock, patience: Patience = PATIENCE
    ) -> None:
        self._bucket = address.bucket
        self._client = connect(address, patience)
        self._hasty = connect(address, HASTE)
        self._book = book
        self._clock = clock
        self._server = Breaker(ObjectsUnavailableError)
        self._writable_until = float("-inf")
        self._probing = threading.Lock()
        self._probes = self._failed = 0

    @cached_property
    def locks(self) -> bool:
        """Tell whether the bucket says that it takes locks; without, objects are stored unlocked."""
        return has_lock(self._hasty, self._bucket)

    def put(self, source: Path | bytes, media_type: str) -> StoredObject:
        """Store bytes under their SHA-256, and read them back; large files go in parts."""
        with io.BytesIO(source) if isinstance(source, bytes) else source.open("rb") as data:
            sha256, sm3, size = copy_hashed(data, None)
            stored = StoredObject(sha256, sm3, size, media_type)
            key = object_key(sha256)
            standing = self._standing(key, sha256)
            if standing is None or standing.given_up or not self._stands(standing):
                data.seek(0)
                self._upload(key, data, stored, standing)
        return stored

    def read(self, sha256: str) -> bytes:
        """Give the bytes of the recorded version, hashed again."""
        version = self._found(object_key(sha256), sha256)
        data = b"".join(self._chunks(version))
        if hashlib.sha256(data).hexdigest() != sha256:
            raise ObjectDamagedError
        return data

    def fetch(self, sha256: str, target: Path) -> None:
        """Write the bytes of the recorded version to a new file, hashed on the way."""
        version = self._found(object_key(sha256), sha256)
        with target.open("xb") as out:
            try:
                self._check(version, out)
            except BaseException:
                target.unlink()
                raise

    def has(self, sha256: str) -> bool:
        """Tell whether a version is known under this digest and the server has it."""
        try:
            self.locate(sha256)
        except ObjectMissingError:
            return False
        return True

    def keep(self, sha256: str) -> StoredAt:
        """Lock for good, read back, hash; say which version it is."""
        version = self._found(object_key(sha256), sha256)
        if self.locks and (version.given_up or version.lock.mode is not LockMode.COMPLIANCE):
            version = self._locked_copy(version)
        else:
            self._check(version)
        return _place(version)

    def locate(self, sha256: str) -> StoredAt:
        """Say which version it is, having asked the server for it."""
        version = self._found(object_key(sha256), sha256)
        self._headers(version.key, version.version_id)
        return _place(version)

    def put_named(self, key: str, data: bytes) -> None:
        """Store under a name, once; of racing puts the first that the bucket has stands."""
        require_name(key)
        standing = self._standing(key, None)
        if standing is None:
            self._write(key, io.BytesIO(data), len(data), "application/octet-stream", {}, self._final())
            standing = self._found(key, None)
        if standing.sha256 != hashlib.sha256(data).hexdigest():
            raise ObjectConflictError

    def read_named(self, key: str) -> bytes:
        """Give the recorded version of a named object, hashed again."""
        require_name(key)
        version = self._found(key, None)
        data = b"".join(self._chunks(version))
        if hashlib.sha256(data).hexdigest() != version.sha256:
            raise ObjectDamagedError
        return data

    def list_named(self, prefix: str) -> Iterator[str]:
        """Give the keys under a prefix, sorted; a delete marker hides none."""
        require_name(prefix.rstrip("/"))
        versions = (one for one in self._versions(prefix) if not one.is_delete_marker)
        for key, _ in itertools.groupby(versions, lambda version: str(version.object_name)):
            yield key

    def probe(self) -> None:
        """Begin an object as a large one is begun, write into it, and drop it: nothing is left behind.

        Who comes while another is at it shares what that one hears.
        """
        if self._is_fresh():
            return
        shared = self._probes + (not self._probing.locked())
        with self._server.asking(), self._probing:
            if self._is_fresh():
                return
            if self._failed >= shared:
                raise ObjectsUnavailableError
            self._probes += 1
            try:
                self._begin_and_drop()
            except ObjectsUnavailableError:
                self._failed = self._probes
                raise

    def _is_fresh(self) -> bool:
        return not self._server.away and time.monotonic() < self._writable_until

    def _begin_and_drop(self) -> None:
        client, bucket = self._hasty, self._bucket
        with server_errors():
            # The public calls would leave a version, which only a right to delete takes away.
            upload = client._create_multipart_upload(bucket, _PROBE_KEY, {})
            try:
                client._upload_part(bucket, _PROBE_KEY, bytes(_PROBE_BYTES), None, upload, 1)
            finally:
                client._abort_multipart_upload(bucket, _PROBE_KEY, upload)
        self._writable_until = time.monotonic() + _FRESH_SECONDS

    def renew(self) -> int:
        """Renew every lock that runs out soon; give their number (:class:`Renewal`). To be called daily.

        Raises:
            ObjectsUnavailableError: Some were not renewed: the server refused each of them, after which the
                others were tried, or it refused so many that it is away.
        """
        return Renewal(self._client, self._bucket, self._book, self._clock).run() if self.locks else 0

    def _lock(self, mode: LockMode) -> Lock:
        if not self.locks:
            return UNLOCKED
        return lock_from(self._clock.now(), mode)

    def _final(self) -> Lock:
        return self._lock(LockMode.COMPLIANCE)

    def _stands(self, version: Version) -> bool:
        try:
            self._check(version)
        except ObjectMissingError:
            # Somebody with the right to bypass removed it; who puts the same bytes again mends it.
            return False
        return True

    def _upload(self, key: str, data: BinaryIO, stored: StoredObject, lost: Version | None) -> None:
        lock = self._lock(LockMode.GOVERNANCE)
        about = {"sha256": stored.sha256, "sm3": stored.sm3, "size": str(stored.size)}
        version_id = self._write(key, data, stored.size, stored.media_type, about, lock)
        version = Version(key, version_id, stored.sha256, stored.size, lock)
        self._check(version)
        if lost is None:
            self._book.note(version)
        else:
            self._book.replace(lost, version)

    def _write(
        self, key: str, data: BinaryIO, size: int, media_type: str, about: dict[str, str], lock: Lock
    ) -> str:
        with self._server.noticing(), server_errors():
            result = self._client.put_object(
                self._bucket,
                key,
                data,
                size,
                media_type,
                metadata={**about},
                part_size=_PART,
                num_parallel_uploads=1,
                retention=_retention(lock),
            )
        return result.version_id or ""

    def _locked_copy(self, version: Version) -> Version:
        lock = self._final()
        with server_errors():
            result = self._client.copy_object(
                self._bucket,
                version.key,
                CopySource(self._bucket, version.key, version_id=version.version_id or None),
                retention=_retention(lock),
            )
        copy = replace(version, version_id=result.version_id or "", lock=lock)
        self._check(copy)
        return self._book.replace(version, copy)

    def _standing(self, key: str, sha256: str | None) -> Version | None:
        return self._book.find(key) or self._learn(key, sha256)

    def _found(self, key: str, sha256: str | None) -> Version:
        version = self._standing(key, sha256)
        if version is None:
            raise ObjectMissingError
        return version

    def _learn(self, key: str, sha256: str | None) -> Version | None:
        """Find out from the bucket which version is the object, after a crash or without the old records.

        Of bytes it is a version that has their digest, the one that is locked best; of a name the oldest.
        """
        for version_id in self._candidates(key, by_lock=sha256 is not None):
            headers = self._headers(key, version_id)
            seen = Version(key, version_id, "", int(headers.get("content-length", "0")), lock_of(headers))
            digest = self._digest(seen)
            if sha256 in {None, digest}:
                return self._book.note(replace(seen, sha256=digest))
        return None

    def _candidates(self, key: str, *, by_lock: bool) -> list[str]:
        versions = [one for one in self._versions(key) if one.object_name == key and not one.is_delete_marker]
        # The server names the newest first.
        found = [_version_id(one) for one in reversed(versions)]
        if by_lock and len(found) > 1:
            found.sort(key=lambda one: lock_of(self._headers(key, one)).until, reverse=True)
        return found

    def _versions(self, prefix: str) -> Iterator[Object]:
        with server_errors():
            yield from self._client.list_objects(
                self._bucket, prefix=prefix, recursive=True, include_version=True
            )

    def _headers(self, key: str, version_id: str) -> dict[str, str]:
        with server_errors():
            seen = self._client.stat_object(self._bucket, key, version_id=version_id or None)
        return {name.lower(): value for name, value in (seen.metadata or {}).items()}

    def _chunks(self, version: Version) -> Iterator[bytes]:
        with server_errors():
            answer = self._client.get_object(self._bucket, version.key, version_id=version.version_id or None)
            try:
                yield from answer.stream(CHUNK)
            finally:
                answer.close()
                answer.release_conn()

    def _digest(self, version: Version, out: BinaryIO | None = None) -> str:
        digest = hashlib.sha256()
        for chunk in self._chunks(version):
            digest.update(chunk)
            if out is not None:
                out.write(chunk)
        return digest.hexdigest()

    def _check(self, version: Version, out: BinaryIO | None = None) -> None:
        if self._digest(version, out) != version.sha256:
            raise ObjectDamagedError


def _version_id(version: Object) -> str:
    return version.version_id or ""


def _place(version: Version) -> StoredAt:
    return StoredAt(version.key, version.version_id or None, version.size)


def _retention(lock: Lock) -> Retention | None:
    return None if lock.mode is LockMode.NONE else Retention(str(lock.mode), lock.until)
