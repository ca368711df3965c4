# SPDX-License-Identifier: Apache-2.0
"""Four keys to one bucket, each attacked: what a key is not for, the server refuses it."""

import datetime as dt
import io
import json
import os
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from fakes import HandClock, make_database
from minio import Minio
from minio.commonconfig import COMPLIANCE, ENABLED, GOVERNANCE, CopySource, Filter
from minio.deleteobjects import DeleteObject
from minio.error import S3Error
from minio.lifecycleconfig import Expiration, LifecycleConfig, Rule
from minio.objectlockconfig import DAYS, ObjectLockConfig
from minio.retention import Retention
from minio.versioningconfig import SUSPENDED, VersioningConfig
from parts import S3, role_keys

from storage.objects.bucket import BucketStore
from storage.objects.leftovers import Destroyer, Inventory
from storage.objects.ports import object_key
from storage.objects.probe import LockProbe, LockVerdict
from storage.objects.server import BucketAddress, connect, lock_of
from storage.objects.versions import LockMode, TableBook

pytestmark = [
    pytest.mark.services,
    pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)"),
]


@dataclass
class Place:
    """A bucket, its keys, and one version of each kind put by the writer."""

    keys: dict[str, BucketAddress]
    clock: HandClock
    store: BucketStore
    locked: tuple[str, str]
    staged: tuple[str, str]
    bucket: str

    def client(self, role: str) -> Minio:
        return connect(self.keys[role])

    def versions(self) -> set[tuple[str, str]]:
        seen = Inventory(self.keys["auditor"]).versions()
        return {(one.key, one.version_id) for one in seen}

    def lock(self, one: tuple[str, str]) -> tuple[LockMode, dt.datetime, str | None]:
        seen = self.client("auditor").stat_object(self.bucket, one[0], version_id=one[1])
        headers = {name.lower(): value for name, value in (seen.metadata or {}).items()}
        lock = lock_of(headers)
        return lock.mode, lock.until, headers.get("x-amz-object-lock-legal-hold")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("keys")
    keys = role_keys(folder, f"test-{uuid.uuid4().hex}")
    clock = HandClock(dt.datetime.now(dt.UTC))
    database = make_database(folder, clock)
    book = TableBook(database)
    store = BucketStore(keys["writer"], book, clock)
    named, staged = "m/one", object_key(store.put(b"staged", "text/plain").sha256)
    store.put_named(named, b"final")
    found = book.find_all([named, staged])
    yield Place(
        keys,
        clock,
        store,
        (named, found[named].version_id),
        (staged, found[staged].version_id),
        keys["writer"].bucket,
    )
    database.close()


Attack = Callable[[Minio, Place, tuple[str, str]], object]
SOON = dt.timedelta(hours=1)


def put(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.put_object(place.bucket, one[0], io.BytesIO(b"other"), 5)


def read(client: Minio, place: Place, one: tuple[str, str]) -> object:
    with client.get_object(place.bucket, one[0], version_id=one[1]) as answer:
        return answer.read()


def delete_version(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.remove_object(place.bucket, one[0], version_id=one[1])


def delete(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.remove_object(place.bucket, one[0])


def delete_with_bypass(client: Minio, place: Place, one: tuple[str, str]) -> object:
    for error in client.remove_objects(place.bucket, [DeleteObject(*one)], bypass_governance_mode=True):
        raise PermissionError(error.code)
    return None


def shorten(client: Minio, place: Place, one: tuple[str, str]) -> object:
    mode = GOVERNANCE if one == place.staged else COMPLIANCE
    return client.set_object_retention(
        place.bucket, one[0], Retention(mode, dt.datetime.now(dt.UTC) + SOON), one[1]
    )


def downgrade(client: Minio, place: Place, one: tuple[str, str]) -> object:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=4000)
    return client.set_object_retention(place.bucket, one[0], Retention(GOVERNANCE, until), one[1])


def extend(client: Minio, place: Place, one: tuple[str, str]) -> object:
    until = dt.datetime.now(dt.UTC) + dt.timedelta(days=4000)
    return client.set_object_retention(place.bucket, one[0], Retention(COMPLIANCE, until), one[1])


def hold(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.enable_object_legal_hold(place.bucket, *one)


def lift_hold(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.disable_object_legal_hold(place.bucket, *one)


def copy_away(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.copy_object(place.bucket, "o/other", CopySource(place.bucket, one[0], version_id=one[1]))


def suspend_versions(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.set_bucket_versioning(place.bucket, VersioningConfig(SUSPENDED))


def weaken_lock(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.set_object_lock_config(place.bucket, ObjectLockConfig(GOVERNANCE, 1, DAYS))


def expire_all(client: Minio, place: Place, one: tuple[str, str]) -> object:
    rule = Rule(ENABLED, Filter(prefix=""), "all", expiration=Expiration(days=1))
    return client.set_bucket_lifecycle(place.bucket, LifecycleConfig([rule]))


def open_to_all(client: Minio, place: Place, one: tuple[str, str]) -> object:
    allow = {
        "Effect": "Allow",
        "Principal": {"AWS": ["*"]},
        "Action": ["s3:*"],
        "Resource": [f"arn:aws:s3:::{place.bucket}/*"],
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    return client.set_bucket_policy(place.bucket, policy)


def delete_bucket(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.remove_bucket(place.bucket)


def make_another_bucket(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return client.make_bucket(f"{place.bucket[:40]}-other")


def list_keys(client: Minio, place: Place, one: tuple[str, str]) -> object:
    return list(client.list_objects(place.bucket, recursive=True))


OF_BUCKET = (
    suspend_versions,
    weaken_lock,
    expire_all,
    open_to_all,
    delete_bucket,
    make_another_bucket,
)
REMOVING = (delete, delete_version, delete_with_bypass)
CHANGING = (put, shorten, downgrade, hold, lift_hold, copy_away)
ATTACKS: dict[str, tuple[Attack, ...]] = {
    "writer": (*OF_BUCKET, *REMOVING, shorten, downgrade, hold, lift_hold),
    "auditor": (*OF_BUCKET, *REMOVING, *CHANGING, extend),
    # It may put delete markers, which hide nothing from us.
    "destroyer": (*OF_BUCKET, *CHANGING, extend, read, list_keys),
    "holder": (*OF_BUCKET, *REMOVING, put, shorten, extend, copy_away, read, list_keys),
}


CASES = [
    pytest.param(role, attack, target, id=f"{role}-{attack.__name__}-{target}")
    for role, attacks in ATTACKS.items()
    for attack in attacks
    for target in ("locked", "staged")
    # A longer lock of the same mode is what the writer is for.
    if (attack, target) != (downgrade, "staged")
]


@pytest.mark.parametrize(("role", "attack", "target"), CASES)
def test_what_a_key_is_not_for_is_refused(place: Place, role: str, attack: Attack, target: str) -> None:
    one: tuple[str, str] = getattr(place, target)
    before = place.versions(), place.lock(place.locked), place.lock(place.staged)
    with pytest.raises((S3Error, PermissionError)):
        attack(place.client(role), place, one)
    assert (place.versions(), place.lock(place.locked), place.lock(place.staged)) == before


def test_the_destroyer_removes_what_is_staged_and_nothing_that_is_locked(place: Place) -> None:
    sha256 = place.store.put(b"left over", "text/plain").sha256
    left = next(one for one in place.versions() if one[0] == object_key(sha256))
    assert Destroyer(place.keys["destroyer"]).remove([left, place.locked]) == [place.locked]
    assert left not in place.versions()
    assert place.locked in place.versions()


def test_under_a_legal_hold_the_destroyer_removes_nothing(place: Place) -> None:
    sha256 = place.store.put(b"held", "text/plain").sha256
    held = next(one for one in place.versions() if one[0] == object_key(sha256))
    holder, destroyer = place.client("holder"), Destroyer(place.keys["destroyer"])
    hold(holder, place, held)
    assert destroyer.remove([held]) == [held]
    assert place.lock(held)[2] == "ON"
    lift_hold(holder, place, held)
    assert destroyer.remove([held]) == []


def test_the_auditor_reads_everything(place: Place) -> None:
    client = place.client("auditor")
    assert read(client, place, place.locked) == b"final"
    assert client.get_bucket_versioning(place.bucket).status == ENABLED


def test_with_the_writers_key_the_bucket_is_found_locked(place: Place) -> None:
    finding = LockProbe(place.keys["writer"], place.clock).run()
    assert (finding.verdict, finding.succeeded) == (LockVerdict.LOCKED, ())
    assert place.store.locks
    place.store.probe()
    kept = place.store.put(b"kept", "text/plain")
    assert place.store.keep(kept.sha256).size == 4
    place.clock.advance(dt.timedelta(days=380).total_seconds())
    assert place.store.renew() >= 2
