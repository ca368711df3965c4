# SPDX-License-Identifier: Apache-2.0
"""The lock probe: attacks canaries in the bucket, because a server that accepts a lock need not keep it.

Each attack has a canary of its own and is judged by what it did, not by what the server answered. The
attacks use the writer's own key; with a key that may neither delete nor bypass, the probe shows that this
key cannot, and a probe with an administrator's key shows that nobody can. A legal hold is lifted by whoever
may place one, so that attack needs a hold which another key has placed: without that key it is not tried,
and the finding says so.

The server's clock decides when locks end; it is compared with ours and with the time stamp authority's.
"""

import datetime as dt
import email.utils
import enum
import io
import logging
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED, GOVERNANCE
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.retention import Retention
from minio.versioningconfig import SUSPENDED, VersioningConfig

from storage.clock import Clock
from storage.errors import CunzhengError
from storage.objects.ports import ObjectMissingError, ObjectStoreUnusableError
from storage.objects.server import BucketAddress, connect, has_lock, lock_of, server_errors
from storage.objects.versions import UNLOCKED, Lock, LockMode

PROBE_PREFIX = "probe/"
"""What lies under it no record names: canaries, which stay locked for a day."""
_PREFIX = f"{PROBE_PREFIX}lock/"
_TERM = dt.timedelta(days=1)
_DATA = b"canary"
RACERS = 4
"""How many write one key at once."""
TOLERATED_SKEW = 5.0
"""Seconds by which two clocks may differ."""

log = logging.getLogger("cunzheng.objects")


class LockVerdict(enum.StrEnum):
    """What a probe says of the bucket."""

    LOCKED = "locked"
    NOT_LOCKED = "not-locked"
    CANNOT_TELL = "cannot-tell"


class Attack(enum.StrEnum):
    """What was tried on a canary; a bucket that takes no locks at all counts as the first.

    ``lift-hold``: without the right to it. ``race``: of writers of one key at once, one whose write was
    accepted does not find its own bytes under the version that it was given.
    """

    NO_LOCK = "no-lock"
    OVERWRITE = "overwrite"
    DELETE_MARKER = "delete-marker"
    SHORTEN = "shorten"
    DOWNGRADE = "downgrade"
    SUSPEND_VERSIONS = "suspend-versions"
    DELETE_VERSION = "delete-version"
    BULK_DELETE_WITH_BYPASS = "bulk-delete-with-bypass"
    LIFT_HOLD = "lift-hold"
    RACE = "race"


class ClockVerdict(enum.StrEnum):
    """How the server's clock stands to the time stamp authority's."""

    AGREES = "agrees"
    DIFFERS = "differs"
    CANNOT_TELL = "cannot-tell"


def judge_clock(skew: float | None) -> ClockVerdict:
    """Judge a clock by the seconds by which it is ahead of the time stamp authority's."""
    if skew is None:
        return ClockVerdict.CANNOT_TELL
    return ClockVerdict.DIFFERS if abs(skew) > TOLERATED_SKEW else ClockVerdict.AGREES


@dataclass(frozen=True, slots=True)
class LockFinding:
    """What a probe found.

    Attributes:
        verdict: The bucket is locked when no attack succeeded.
        succeeded: The attacks that did.
        skew: Seconds by which the server's clock, which decides when locks end, is ahead of ours.
        untried: Attacks for which a key was lacking.
        authority_skew: Seconds by which the server's clock is ahead of the time stamp authority's.
        let_in: How many of the racers (:data:`RACERS`) that asked to create one key the server let do so.
            Nothing relies on it; more than one means that the server does not know such a request.
    """

    verdict: LockVerdict
    succeeded: tuple[Attack, ...] = ()
    skew: float | None = None
    untried: tuple[Attack, ...] = ()
    authority_skew: float | None = None
    let_in: int | None = None

    @property
    def clock(self) -> ClockVerdict:
        """Judge the server's clock by the authority's."""
        return judge_clock(self.authority_skew)


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
        holder: The bucket, with the key that places legal holds.
        authority: Gives the time stamp authority's time, from a token that was verified.
    """

    def __init__(
        self,
        address: BucketAddress,
        clock: Clock,
        holder: BucketAddress | None = None,
        authority: Callable[[], dt.datetime] | None = None,
    ) -> None:
        self.bucket = address.bucket
        self._client: Minio = connect(address)
        self._holder = None if holder is None else connect(holder)
        self._clock = clock
        self._authority = authority
        self._attacks: Mapping[Attack, Callable[[_Canary], None]] = {
            Attack.OVERWRITE: self._overwrite,
            Attack.DELETE_MARKER: lambda canary: self._client.remove_object(self.bucket, canary.key),
            Attack.SHORTEN: lambda canary: self._relock(canary, COMPLIANCE, dt.timedelta(hours=1)),
            Attack.DOWNGRADE: lambda canary: self._relock(canary, GOVERNANCE, _TERM * 2),
            Attack.DELETE_VERSION: lambda canary: self._client.remove_object(
                self.bucket, canary.key, canary.version_id
            ),
            Attack.BULK_DELETE_WITH_BYPASS: self._bulk_delete,
            Attack.SUSPEND_VERSIONS: self._suspend_versions,
        }

    def run(self) -> LockFinding:
        """Attack, and say what came of it; a server that does not answer leaves it open.

        Who suspends versions comes last: what that attack found off, it leaves on.
        """
        try:
            locks = has_lock(self._client, self.bucket)
            skew = self._skew(self._canary(lock=locks))
            lifted, lost = self._lifts_hold(lock=locks), self._race_loses(lock=locks)
            let_in = len(self._race(_new_key(), {"If-None-Match": "*"}))
            succeeded = [] if locks else [Attack.NO_LOCK]
            succeeded += [one for one in self._attacks if self._succeeds(one, lock=locks)]
            succeeded += [Attack.LIFT_HOLD] if lifted else []
            succeeded += [Attack.RACE] if lost else []
        except (ObjectMissingError, ObjectStoreUnusableError):
            return LockFinding(LockVerdict.CANNOT_TELL)
        return LockFinding(
            LockVerdict.NOT_LOCKED if succeeded else LockVerdict.LOCKED,
            tuple(succeeded),
            skew,
            untried=(Attack.LIFT_HOLD,) if lifted is None else (),
            authority_skew=self._authority_skew(skew),
            let_in=let_in,
        )

    def _succeeds(self, attack: Attack, *, lock: bool) -> bool:
        canary = self._canary(lock=lock)
        self._try(attack, self._attacks[attack], canary)
        return self._suffered(attack, canary)

    def _canary(self, *, lock: bool) -> _Canary:
        key, until = _new_key(), self._until()
        with server_errors():
            put = self._client.put_object(
                self.bucket,
                key,
                io.BytesIO(_DATA),
                len(_DATA),
                retention=Retention(COMPLIANCE, until) if lock else None,
            )
        return _Canary(key, put.version_id, Lock(LockMode.COMPLIANCE, until) if lock else UNLOCKED)

    def _until(self) -> dt.datetime:
        return (self._clock.now() + _TERM).replace(microsecond=0)

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
            data, headers = self._read(canary.key, canary.version_id)
        except ObjectMissingError:
            return True
        lock = lock_of(headers)
        return data != _DATA or lock.mode is not canary.lock.mode or lock.until < canary.lock.until

    def _read(self, key: str, version_id: str | None) -> tuple[bytes, dict[str, str]]:
        with server_errors():
            seen = self._client.get_object(self.bucket, key, version_id=version_id)
            try:
                return seen.read(), {name.lower(): value for name, value in seen.headers.items()}
            finally:
                seen.close()
                seen.release_conn()

    def _lifts_hold(self, *, lock: bool) -> bool | None:
        """Tell whether the attacking key lifts a hold that another has placed; ``None``: there is none."""
        if self._holder is None:
            return None
        if not lock:
            # Such a bucket takes no holds: nothing is there that would have to be lifted.
            return True
        canary = self._canary(lock=True)
        where = (self.bucket, canary.key, canary.version_id)
        with server_errors():
            try:
                self._holder.enable_object_legal_hold(*where)
            except S3Error as error:
                if error.code != "AccessDenied":
                    raise
                log.warning("the key for legal holds places none: %s", error.code)
                return None
        try:
            self._try(Attack.LIFT_HOLD, lambda _: self._client.disable_object_legal_hold(*where), canary)
            _, headers = self._read(canary.key, canary.version_id)
        finally:
            # The canary must be removable one day.
            with server_errors():
                self._holder.disable_object_legal_hold(*where)
        return headers.get("x-amz-object-lock-legal-hold", "").upper() != "ON"

    def _race_loses(self, *, lock: bool) -> bool:
        """Tell whether a racer lost what it wrote as :class:`storage.objects.bucket.BucketStore` writes."""
        key, wanted = _new_key(), Lock(LockMode.COMPLIANCE, self._until()) if lock else UNLOCKED
        asked = {}
        if lock:
            asked["x-amz-object-lock-mode"] = str(wanted.mode)
            asked["x-amz-object-lock-retain-until-date"] = wanted.until.strftime("%Y-%m-%dT%H:%M:%SZ")
        written = self._race(key, asked)
        for version_id, data in written:
            try:
                found, headers = self._read(key, version_id)
            except ObjectMissingError:
                return True
            if found != data or lock_of(headers) != wanted:
                return True
        return False

    def _race(self, key: str, asked: Mapping[str, str]) -> list[tuple[str | None, bytes]]:
        """Write one key from several threads at once; give version and bytes of those that were let in."""
        start = threading.Barrier(RACERS)

        def write(number: int) -> tuple[str | None, bytes] | None:
            data = f"racer {number}".encode()
            start.wait()
            with server_errors():
                try:
                    # The public call cannot ask for a key that must not be there.
                    put = self._client._put_object(self.bucket, key, data, dict(asked))
                except S3Error as error:
                    log.debug("a racer was refused: %s", error.code)
                    return None
            return put.version_id, data

        with ThreadPoolExecutor(RACERS) as pool:
            return [one for one in pool.map(write, range(RACERS)) if one is not None]

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

    def _authority_skew(self, skew: float | None) -> float | None:
        if self._authority is None or skew is None:
            return None
        try:
            asked = self._clock.now()
            stamped = self._authority()
        except CunzhengError as error:
            log.warning("the server's clock is not compared, no time stamp: %s", error.code)
            return None
        between = asked + (self._clock.now() - asked) / 2
        return skew - (stamped - between).total_seconds()

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


def _new_key() -> str:
    return _PREFIX + os.urandom(16).hex()
