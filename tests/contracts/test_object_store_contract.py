# SPDX-License-Identifier: Apache-2.0
"""What every object store must do; each implementation runs through the same suite."""

import datetime as dt
import hashlib
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from parts import S3, bucket

from storage.objects.bucket import BucketStore
from storage.objects.folder import FolderStore
from storage.objects.ports import (
    ObjectConflictError,
    ObjectDamagedError,
    ObjectMissingError,
    ObjectStore,
    ObjectStoreUnusableError,
    object_key,
)
from storage.objects.versions import TableBook


def _bucket_store(path: Path) -> ObjectStore:
    address, _ = bucket()
    return BucketStore(address, TableBook(make_database(path)), HandClock(dt.datetime.now(dt.UTC)))


IMPLEMENTATIONS: dict[str, Callable[[Path], ObjectStore]] = {
    "folder": lambda path: FolderStore(path / "objects"),
    "bucket": _bucket_store,
}
ON_SERVER = [
    pytest.mark.services,
    pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)"),
]


@pytest.fixture(params=["folder", pytest.param("bucket", marks=ON_SERVER)])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    return IMPLEMENTATIONS[request.param](tmp_path)


def test_bytes_read_back_under_both_digests_from_memory_and_from_a_file(
    store: ObjectStore, tmp_path: Path
) -> None:
    data = os.urandom(3 << 20)
    source = tmp_path / "source"
    source.write_bytes(data)
    stored = store.put(data, "application/pdf")
    assert stored.sha256 == hashlib.sha256(data).hexdigest()
    assert stored.sm3 == hashlib.new("sm3", data).hexdigest()
    assert stored.size == len(data)
    assert store.put(source, "application/pdf") == stored
    assert store.read(stored.sha256) == data
    store.fetch(stored.sha256, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == data


def test_racing_puts_of_the_same_bytes_all_succeed(store: ObjectStore) -> None:
    data, results = b"same" * 1000, []
    threads = [
        threading.Thread(target=lambda: results.append(store.put(data, "text/plain"))) for _ in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 16
    assert len(set(results)) == 1
    assert store.read(results[0].sha256) == data


@pytest.mark.parametrize("digest", ["0" * 64, "", "../../../../etc/passwd", "A" * 64])
def test_what_was_never_stored_is_missing(store: ObjectStore, digest: str, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissingError):
        store.read(digest)
    with pytest.raises(ObjectMissingError):
        store.fetch(digest, tmp_path / "copy")


def test_a_named_object_is_written_once(store: ObjectStore) -> None:
    store.put_named("m/X339/2026/a/1.json", b"one")
    store.put_named("m/X339/2026/a/1.json", b"one")
    with pytest.raises(ObjectConflictError):
        store.put_named("m/X339/2026/a/1.json", b"two")
    assert store.read_named("m/X339/2026/a/1.json") == b"one"
    store.put_named("m/X339/2026/a/2.json", b"two")
    assert list(store.list_named("m/X339/")) == ["m/X339/2026/a/1.json", "m/X339/2026/a/2.json"]


def test_what_is_kept_is_read_back_and_stays_the_same(store: ObjectStore) -> None:
    stored = store.put(b"final", "text/plain")
    kept = store.keep(stored.sha256)
    assert (kept.key, kept.size) == (object_key(stored.sha256), 5)
    assert store.keep(stored.sha256) == kept == store.locate(stored.sha256)
    assert store.read(stored.sha256) == b"final"
    assert store.put(b"final", "text/plain") == stored
    with pytest.raises(ObjectMissingError):
        store.keep("0" * 64)
    with pytest.raises(ObjectMissingError):
        store.locate("0" * 64)


@pytest.mark.parametrize("key", ["../out", "/abs", "o/sha256/aa", "a//b", "a/./b", ".incoming/x"])
def test_names_that_leave_their_place_are_refused(store: ObjectStore, key: str) -> None:
    with pytest.raises(ObjectMissingError):
        store.put_named(key, b"x")


def test_presence_is_told(store: ObjectStore) -> None:
    stored = store.put(b"", "text/plain")
    assert store.has(stored.sha256)
    assert not store.has("0" * 64)
    assert store.read(stored.sha256) == b""


def test_a_probe_leaves_nothing_behind(store: ObjectStore, tmp_path: Path) -> None:
    store.put(b"held", "text/plain")
    before = sorted(tmp_path.rglob("*"))
    store.probe()
    assert sorted(tmp_path.rglob("*")) == before


def test_a_probe_of_a_store_that_takes_nothing_says_so(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    (tmp_path / ".incoming").rmdir()
    (tmp_path / ".incoming").write_bytes(b"")
    with pytest.raises(ObjectStoreUnusableError):
        store.probe()


def test_a_damaged_file_is_never_served(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    stored = store.put(b"truth", "text/plain")
    (path,) = (tmp_path / "o").rglob(stored.sha256)
    path.chmod(0o644)
    path.write_bytes(b"lie!!")
    with pytest.raises(ObjectDamagedError):
        store.read(stored.sha256)
    with pytest.raises(ObjectDamagedError):
        store.fetch(stored.sha256, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()
