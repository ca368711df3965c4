# SPDX-License-Identifier: Apache-2.0
"""The lock probe: attacks canaries in the bucket, because a server that accepts a lock need not keep it.

Each attack has a canary of its own and is judged by what it did, not by what the server answered. The
attacks use the writer's own key; with a key that may neither delete nor bypass, the probe shows that this
key cannot, and a probe with an administrator's key shows that nobody can.
"""

import datetime as dt
import email.utils
import enum
import io
import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED, GOVERNANCE
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.retention import Retention
from minio.versioningconfig import SUSPENDED, VersioningConfig

from storage.clock import Clock
from storage.objects.ports import ObjectMissingError, ObjectStoreUnusableError
from storage.objects.server import BucketAddress, connect, has_lock, lock_of, server_errors
from storage.objects.versions import UNLOCKED, Lock, LockMode

PROBE_PREFIX = "probe/"
"""What lies under it no record names: canaries, which stay locked for a day."""
_PREFIX = f"{PROBE_PREFIX}lock/"
_TERM = dt.timedelta(days=1)
_DATA = b"canary"

log = logging.getLogger("cunzheng.objects")


class LockVerdict(enum.StrEnum):
    """What a probe says of the bucket."""

    LOCKED = "locked"
    NOT_LOCKED = "not-locked"
    CANNOT_TELL = "cannot-tell"


class Attack(enum.StrEnum):
    """What was tried on a canary; a bucket that takes no locks at all counts as the first."""

    NO_LOCK = "no-lock"
    OVERWRITE = "overwrite"
    DELETE_MARKER = "delete-marker"
    SHORTEN = "shorten"
    DOWNGRADE = "downgrade"
    SUSPEND_VERSIONS = "suspend-versions"
    DELETE_VERSION = "delete-version"
    BULK_DELETE_WITH_BYPASS = "bulk-delete-with-bypass"


@dataclass(frozen=True, slots=True)
class LockFinding:
    """What a probe found.

    Attributes:
        verdict: The bucket is locked when no attack succeeded.
        succeeded: The attacks that did.
        skew: Seconds by which the server's clock, which decides when locks end, is ahead of ours.
    """

    verdict: LockVerdict
    succeeded: tuple[Attack, ...] = ()
    skew: float | None = None


@dataclass(frozen=True, slots=True)
class _Canary:
    key: str
    version_id: str | None
    lock: Lock


class LockProbe:
    """Probes one bucket.

    Args:
        address: The bucket, with the key that the attacks use.
        clock: Our clock.
    """

    def __init__(self, address: BucketAddress, clock: Clock) -> None:
        self.bucket = address.bucket
        self._client: Minio = connect(address)
        self._clock = clock
        self._attacks: Mapping[Attack, Callable[[_Canary], None]] = {
            Attack.OVERWRITE: self._overwrite,
            Attack.DELETE_MARKER: lambda canary: self._client.remove_object(self.bucket, canary.key),
            Attack.SHORTEN: lambda canary: self._relock(canary, COMPLIANCE, dt.timedelta(hours=1)),
            Attack.DOWNGRADE: lambda canary: self._relock(canary, GOVERNANCE, _TERM * 2),
            Attack.SUSPEND_VERSIONS: self._suspend_versions,
            Attack.DELETE_VERSION: lambda canary: self._client.remove_object(
                self.bucket, canary.key, canary.version_id
            ),
            Attack.BULK_DELETE_WITH_BYPASS: self._bulk_delete,
        }

    def run(self) -> LockFinding:
        """Attack, and say what came of it; a server that does not answer leaves it open."""
        try:
            locks = has_lock(self._client, self.bucket)
            succeeded = [] if locks else [Attack.NO_LOCK]
            skew = self._skew(self._canary(lock=locks))
            for attack, attempt in self._attacks.items():
                canary = self._canary(lock=locks)
                self._try(attack, attempt, canary)
                if self._suffered(attack, canary):
                    succeeded.append(attack)
        except (ObjectMissingError, ObjectStoreUnusableError):
            return LockFinding(LockVerdict.CANNOT_TELL)
        verdict = LockVerdict.NOT_LOCKED if succeeded else LockVerdict.LOCKED
        return LockFinding(verdict, tuple(succeeded), skew)

    def _canary(self, *, lock: bool) -> _Canary:
        key = _PREFIX + os.urandom(16).hex()
        until = (self._clock.now() + _TERM).replace(microsecond=0)
        with server_errors():
            put = self._client.put_object(
                self.bucket,
                key,
                io.BytesIO(_DATA),
                len(_DATA),
                retention=Retention(COMPLIANCE, until) if lock else None,
            )
        return _Canary(key, put.version_id, Lock(LockMode.COMPLIANCE, until) if lock else UNLOCKED)

    def _try(self, attack: Attack, attempt: Callable[[_Canary], None], canary: _Canary) -> None:
        with server_errors():
            try:
                attempt(canary)
            except S3Error as error:
                log.debug("%s refused: %s", attack, error.code)

    def _suffered(self, attack: Attack, canary: _Canary) -> bool:
        if attack is Attack.SUSPEND_VERSIONS:
            return not self._keeps_versions()
        try:
            with server_errors():
                seen = self._client.get_object(self.bucket, canary.key, version_id=canary.version_id)
                try:
                    data, lock = seen.read(), lock_of({k.lower(): v for k, v in seen.headers.items()})
                finally:
                    seen.close()
                    seen.release_conn()
        except ObjectMissingError:
            return True
        return data != _DATA or lock.mode is not canary.lock.mode or lock.until < canary.lock.until

    def _keeps_versions(self) -> bool:
        with server_errors():
            keeps = self._client.get_bucket_versioning(self.bucket).status == ENABLED
            if not keeps:
                # The probe must not leave behind what it warns of.
                self._client.set_bucket_versioning(self.bucket, VersioningConfig(ENABLED))
        return keeps

    def _skew(self, canary: _Canary) -> float | None:
        with server_errors():
            seen = self._client.stat_object(self.bucket, canary.key, version_id=canary.version_id)
        date = {name.lower(): value for name, value in (seen.metadata or {}).items()}.get("date")
        if date is None:
            return None
        # The header has whole seconds: half of one is what it says on average.
        server = email.utils.parsedate_to_datetime(date) + dt.timedelta(seconds=0.5)
        return (server - self._clock.now()).total_seconds()

    def _overwrite(self, canary: _Canary) -> None:
        other = b"other!"
        self._client.put_object(self.bucket, canary.key, io.BytesIO(other), len(other))

    def _relock(self, canary: _Canary, mode: str, term: dt.timedelta) -> None:
        retention = Retention(mode, self._clock.now() + term)
        self._client.set_object_retention(self.bucket, canary.key, retention, canary.version_id)

    def _suspend_versions(self, canary: _Canary) -> None:  # noqa: ARG002 - it is the bucket that is attacked
        self._client.set_bucket_versioning(self.bucket, VersioningConfig(SUSPENDED))

    def _bulk_delete(self, canary: _Canary) -> None:
        target = DeleteObject(canary.key, canary.version_id)
        list(self._client.remove_objects(self.bucket, [target], bypass_governance_mode=True))
