# SPDX-License-Identifier: Apache-2.0
"""Objects in a locked bucket: which version is served, how long it stays, what a broken server does."""

import datetime as dt
import hashlib
import io
import os
import socket
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from fakes import HandClock, make_database
from minio import MinioAdmin
from minio.commonconfig import COMPLIANCE, ENABLED, GOVERNANCE
from minio.credentials import StaticProvider
from minio.deleteobjects import DeleteObject
from minio.helpers import md5sum_hash
from minio.retention import Retention
from minio.xml import marshal
from parts import S3, bucket, role_keys

from storage.database import Database
from storage.objects.bucket import BucketStore
from storage.objects.policies import KeyRole, policy
from storage.objects.ports import (
    ObjectConflictError,
    ObjectDamagedError,
    ObjectMissingError,
    StoredAt,
    object_key,
)
from storage.objects.renewal import LATE, MARGINS, TERMS, Unrenewed, unrenewed
from storage.objects.server import (
    BucketAddress,
    ObjectsUnavailableError,
    has_lock,
    lock_of,
    make_bucket,
    parse_until,
)
from storage.objects.versions import Lock, LockMode, TableBook, Version

DATA = b"truth"
SHA256 = hashlib.sha256(DATA).hexdigest()
KEY = object_key(SHA256)
on_server = [
    pytest.mark.services,
    pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)"),
]


class Place:
    """A bucket with a store, and a client of somebody else who holds the same key."""

    def __init__(self, folder: Path, *, lock: bool = True) -> None:
        self.address, self.client = bucket(lock=lock)
        self.clock = HandClock(dt.datetime.now(dt.UTC))
        self.databases: list[Database] = []
        self.store = self.open(folder)

    def open(self, folder: Path) -> BucketStore:
        folder.mkdir(exist_ok=True)
        self.databases.append(make_database(folder, self.clock))
        return BucketStore(self.address, TableBook(self.databases[-1]), self.clock)

    def put(self, key: str, data: bytes) -> None:
        self.client.put_object(self.address.bucket, key, io.BytesIO(data), len(data))

    def relock(self, version: Version, retention: Retention) -> None:
        """Lock otherwise, with the right to bypass governance, which our writer does not have."""
        body = marshal(retention)
        self.client._execute(
            "PUT",
            self.address.bucket,
            version.key,
            body=body,
            headers={"Content-MD5": md5sum_hash(body), "x-amz-bypass-governance-retention": "true"},
            query_params={"retention": "", "versionId": version.version_id},
        )

    def versions(self, key: str) -> list[str]:
        found = self.client.list_objects(self.address.bucket, prefix=key, include_version=True)
        return [str(version.version_id) for version in found if not version.is_delete_marker]

    def recorded(self, key: str = KEY) -> Version:
        version = TableBook(self.databases[-1]).find(key)
        assert version is not None
        return version

    def headers(self, version: Version) -> dict[str, str]:
        seen = self.client.stat_object(self.address.bucket, version.key, version_id=version.version_id)
        return {name.lower(): value for name, value in (seen.metadata or {}).items()}


def race(stores: list[BucketStore], name: str, start: threading.Barrier) -> list[int]:
    """Let each put other bytes under a name at the same time; give those that were refused."""

    def write(number: int) -> bool:
        start.wait()
        try:
            stores[number].put_named(name, b"writer %d" % number)
        except ObjectConflictError:
            return False
        return True

    with ThreadPoolExecutor(len(stores)) as pool:
        return [number for number, won in enumerate(pool.map(write, range(len(stores)))) if not won]


def forbid_relocking(writer: BucketAddress, key: str) -> None:
    """Take from a writer the right to lock one object anew."""
    server = urlsplit(os.environ[S3])
    admin = MinioAdmin(
        endpoint=f"{server.hostname}:{server.port}",
        credentials=StaticProvider(str(server.username), str(server.password)),
        secure=server.scheme == "https",
    )
    rules: dict[str, Any] = policy(KeyRole.WRITER, writer.bucket)
    resource = f"arn:aws:s3:::{writer.bucket}/{key}"
    rules["Statement"].append({"Effect": "Deny", "Action": ["s3:PutObjectRetention"], "Resource": [resource]})
    admin.policy_add(f"{writer.bucket}-writer", policy=rules)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "first")


class TestOnServer:
    pytestmark = on_server

    def test_bytes_lie_under_their_digest_with_both_digests_size_and_type(self, place: Place) -> None:
        stored = place.store.put(DATA, "text/plain")
        headers = place.headers(place.recorded())
        assert place.recorded().version_id
        assert headers["content-type"] == "text/plain"
        assert headers["x-amz-meta-sm3"] == stored.sm3
        assert headers["x-amz-meta-size"] == "5"

    def test_large_bytes_go_in_parts(self, place: Place, tmp_path: Path) -> None:
        source = tmp_path / "large"
        source.write_bytes(os.urandom(1 << 20) * 33)
        stored = place.store.put(source, "application/pdf")
        assert "-3" in place.headers(place.recorded(object_key(stored.sha256)))["etag"]
        place.store.keep(stored.sha256)
        place.store.fetch(stored.sha256, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == source.read_bytes()

    def test_the_same_bytes_again_add_no_version(self, place: Place) -> None:
        for _ in range(3):
            place.store.put(DATA, "text/plain")
        assert len(place.versions(KEY)) == 1

    def test_other_versions_and_delete_markers_on_top_are_never_served(self, place: Place) -> None:
        place.store.put(DATA, "text/plain")
        place.store.put_named("m/one", DATA)
        for key in (KEY, "m/one"):
            place.put(key, b"lie!!")
            place.client.remove_object(place.address.bucket, key)
        assert place.store.read(SHA256) == DATA
        assert place.store.read_named("m/one") == DATA
        assert list(place.store.list_named("m/")) == ["m/one"]
        with pytest.raises(ObjectConflictError):
            place.store.put_named("m/one", b"lie!!")

    def test_of_two_that_write_a_name_at_once_the_recorded_one_stands_and_is_served(
        self, place: Place
    ) -> None:
        # The server orders what comes at once as it likes; the records of both say which one it is.
        shared = TableBook(place.databases[0])
        racers = [BucketStore(place.address, shared, place.clock) for _ in range(2)]
        for turn in range(8):
            name, start = f"m/{turn}", threading.Barrier(2)
            lost = race(racers, name, start)
            assert len(lost) == 1, "exactly one of them is refused"
            winner = b"writer 1" if lost == [0] else b"writer 0"
            # What a third one puts on top afterwards is not the object either.
            place.put(name, b"third")
            assert {store.read_named(name) for store in racers} == {winner}
            assert len(place.versions(name)) >= 2

    def test_without_versions_a_race_may_lose_what_was_recorded_and_that_is_found_out(
        self, tmp_path: Path
    ) -> None:
        place = Place(tmp_path / "open", lock=False)
        place.store.put_named("m/one", b"recorded")
        place.put("m/one", b"raced")
        with pytest.raises(ObjectDamagedError):
            place.store.read_named("m/one")

    def test_a_record_of_other_bytes_is_found_out(self, place: Place) -> None:
        place.store.put(DATA, "text/plain")
        place.put(KEY, b"lie!!")
        book = TableBook(place.databases[0])
        book.replace(place.recorded(), replace(place.recorded(), version_id=place.versions(KEY)[0]))
        with pytest.raises(ObjectDamagedError):
            place.store.read(SHA256)

    def test_without_the_old_records_the_bucket_says_which_version_it_is(
        self, place: Place, tmp_path: Path
    ) -> None:
        place.store.put(DATA, "text/plain")
        place.store.keep(SHA256)
        place.store.put_named("m/one", DATA)
        for key in (KEY, "m/one"):
            place.put(key, b"lie!!")
        before = place.recorded(), place.recorded("m/one")
        place.store = place.open(tmp_path / "second")
        assert place.store.read(SHA256) == DATA
        assert place.store.read_named("m/one") == DATA
        assert (place.recorded(), place.recorded("m/one")) == before

    def test_bytes_that_only_a_lie_stands_for_are_missing(self, place: Place) -> None:
        place.put(KEY, b"lie!!")
        with pytest.raises(ObjectMissingError):
            place.store.read(SHA256)

    def test_who_puts_again_what_somebody_removed_mends_it(self, place: Place) -> None:
        place.store.put(DATA, "text/plain")
        gone = DeleteObject(KEY, place.recorded().version_id)
        assert not list(
            place.client.remove_objects(place.address.bucket, [gone], bypass_governance_mode=True)
        )
        with pytest.raises(ObjectMissingError):
            place.store.read(SHA256)
        place.store.put(DATA, "text/plain")
        assert place.store.read(SHA256) == DATA

    def test_what_is_not_filed_is_locked_for_days_and_what_is_final_for_a_year(self, place: Place) -> None:
        place.store.put(DATA, "text/plain")
        first = place.recorded()
        place.store.put_named("m/one", DATA)
        place.store.keep(SHA256)
        kept = place.recorded()
        now = place.clock.now().replace(microsecond=0)
        assert lock_of(place.headers(first)) == first.lock
        assert (first.lock.mode, first.lock.until) == (
            LockMode.GOVERNANCE,
            now + TERMS[LockMode.GOVERNANCE],
        )
        for version in (kept, place.recorded("m/one")):
            assert lock_of(place.headers(version)) == version.lock
            assert (version.lock.mode, version.lock.until) == (
                LockMode.COMPLIANCE,
                now + TERMS[LockMode.COMPLIANCE],
            )
        assert place.store.keep(SHA256) == StoredAt(KEY, kept.version_id, 5) == place.store.locate(SHA256)
        assert place.recorded() == kept
        assert place.headers(kept)["x-amz-meta-sm3"]

    def test_locks_that_run_out_are_renewed_and_others_left(self, place: Place) -> None:
        place.store.put(DATA, "text/plain")
        place.store.put_named("m/one", DATA)
        assert place.store.renew() == 0
        wait = TERMS[LockMode.GOVERNANCE] - MARGINS[LockMode.GOVERNANCE]
        place.clock.advance(wait.total_seconds() + 1)
        assert place.store.renew() == 1
        assert place.store.renew() == 0
        wait = TERMS[LockMode.COMPLIANCE] - MARGINS[LockMode.COMPLIANCE]
        place.clock.advance(wait.total_seconds())
        assert place.store.renew() == 2
        for key in (KEY, "m/one"):
            version = place.recorded(key)
            assert lock_of(place.headers(version)) == version.lock
            assert version.lock.until > place.clock.now() + MARGINS[version.lock.mode]

    def test_one_that_somebody_removed_does_not_keep_others_from_being_renewed(self, place: Place) -> None:
        gone, stays = (place.store.put(data, "text/plain").sha256 for data in (b"gone", b"stays"))
        lost = DeleteObject(object_key(gone), place.recorded(object_key(gone)).version_id)
        assert not list(
            place.client.remove_objects(place.address.bucket, [lost], bypass_governance_mode=True)
        )
        before = place.recorded(object_key(stays)).lock.until
        place.clock.advance(TERMS[LockMode.GOVERNANCE].total_seconds())
        assert place.store.renew() == 1
        assert place.recorded(object_key(stays)).lock.until > before

    @pytest.mark.parametrize("mode", [GOVERNANCE, COMPLIANCE])
    def test_a_longer_or_stricter_lock_is_recorded_as_it_stands_and_left_until_it_ends_soon(
        self, place: Place, mode: str
    ) -> None:
        place.store.put(DATA, "text/plain")
        before, days = place.recorded(), 600
        until = (place.clock.now() + dt.timedelta(days=days)).replace(microsecond=0)
        place.relock(before, Retention(mode, until))
        place.clock.advance((TERMS[LockMode.GOVERNANCE] - MARGINS[LockMode.GOVERNANCE]).total_seconds() + 1)
        assert place.store.renew() == 1
        assert place.recorded() == replace(before, lock=Lock(LockMode(mode), until))
        assert place.store.renew() == 0
        place.clock.advance(dt.timedelta(days=days - 25).total_seconds())
        assert place.store.renew() == 1
        assert place.recorded().lock.until > until
        assert lock_of(place.headers(before)) == place.recorded().lock

    def test_a_stricter_lock_that_is_shorter_is_renewed_in_its_own_mode(self, place: Place) -> None:
        place.store.put(DATA, "text/plain")
        before = place.recorded()
        until = place.clock.now() + dt.timedelta(days=40)
        place.relock(before, Retention(COMPLIANCE, until))
        place.clock.advance((TERMS[LockMode.GOVERNANCE] - MARGINS[LockMode.GOVERNANCE]).total_seconds() + 1)
        assert place.store.renew() == 1
        expected = place.clock.now().replace(microsecond=0) + TERMS[LockMode.COMPLIANCE]
        assert place.recorded().lock == Lock(LockMode.COMPLIANCE, expected) == lock_of(place.headers(before))

    def test_one_that_the_server_refuses_keeps_no_other_from_being_renewed_and_is_told(
        self, tmp_path: Path
    ) -> None:
        name = f"test-{uuid.uuid4().hex}"
        writer = role_keys(tmp_path, name)["writer"]
        clock = HandClock(dt.datetime.now(dt.UTC))
        database = make_database(tmp_path, clock)
        book = TableBook(database)
        store = BucketStore(writer, book, clock)
        keys = sorted(object_key(store.put(data, "text/plain").sha256) for data in (b"a", b"b", b"c"))
        forbid_relocking(writer, keys[0])

        def locks() -> list[Version | None]:
            return [book.find(key) for key in keys]

        def late() -> Unrenewed:
            with database.reading() as uow:
                return unrenewed(uow.session, clock.now(), 5)

        before = locks()
        clock.advance((TERMS[LockMode.GOVERNANCE] - MARGINS[LockMode.GOVERNANCE]).total_seconds() + 1)
        with pytest.raises(ObjectsUnavailableError):
            store.renew()
        assert [one == old for one, old in zip(locks(), before, strict=True)] == [True, False, False]
        assert late() == Unrenewed()
        clock.advance(LATE.total_seconds())
        end = before[0].lock.until if before[0] else None
        assert late() == Unrenewed(1, 0, end, (keys[0],))
        clock.advance(MARGINS[LockMode.GOVERNANCE].total_seconds())
        assert (late().count, late().ended) == (1, 1)

    def test_a_bucket_without_lock_is_used_and_does_not_pretend(self, tmp_path: Path) -> None:
        place = Place(tmp_path / "open", lock=False)
        place.store.put(DATA, "text/plain")
        place.store.keep(SHA256)
        place.store.put_named("m/one", DATA)
        assert place.store.read(SHA256) == DATA
        assert not place.store.locks
        assert place.recorded().lock.mode is LockMode.NONE

    def test_the_bucket_is_made_with_lock_once(self, place: Place) -> None:
        address = replace(place.address, bucket=f"{place.address.bucket[:40]}-made")
        assert make_bucket(address)
        assert not make_bucket(address)
        assert has_lock(place.client, address.bucket)
        assert place.client.get_bucket_versioning(address.bucket).status == ENABLED

    def test_a_probe_leaves_no_version_and_no_upload(self, place: Place) -> None:
        place.store.probe()
        assert not list(place.client.list_objects(place.address.bucket, recursive=True, include_version=True))

    @pytest.mark.parametrize("change", [{"secret_key": "wrong-secret"}, {"bucket": "nobody-made-this"}])
    def test_a_server_that_refuses_us_takes_nothing(self, place: Place, change: dict[str, str]) -> None:
        address = replace(place.address, **change)
        store = BucketStore(address, TableBook(place.databases[0]), place.clock)
        for attempt in (store.probe, lambda: store.put(DATA, "text/plain"), lambda: store.read(SHA256)):
            with pytest.raises(ObjectsUnavailableError):
                attempt()


def test_without_a_server_bytes_are_unavailable_not_missing(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        address = BucketAddress(f"http://127.0.0.1:{port}", "archive", "us-east-1", "key", "secret")
        store = BucketStore(address, TableBook(make_database(tmp_path)), HandClock())
        for attempt in (store.probe, lambda: store.put(DATA, "text/plain"), lambda: store.has(SHA256)):
            with pytest.raises(ObjectsUnavailableError):
                attempt()


@pytest.mark.parametrize(
    ("text", "micro"),
    [
        ("2027-01-23T12:48:14Z", 0),
        ("2027-01-23T12:48:14.360Z", 360_000),
        ("2027-01-23T12:48:14.360123999Z", 360_123),
        ("2027-01-23T20:48:14.5+08:00", 500_000),
    ],
)
def test_ends_of_locks_are_read_as_servers_write_them(text: str, micro: int) -> None:
    assert parse_until(text) == dt.datetime(2027, 1, 23, 12, 48, 14, micro, tzinfo=dt.UTC)


@pytest.mark.parametrize("text", ["", "tomorrow", "2027-01-23", "2027-01-23T12:48:14"])
def test_what_is_no_instant_is_no_lock(text: str) -> None:
    with pytest.raises(ValueError, match="no instant"):
        parse_until(text)
