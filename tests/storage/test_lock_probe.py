# SPDX-License-Identifier: Apache-2.0
"""The lock probe: a locked bucket survives every attack, one without lock is never called locked."""

import datetime as dt
import os
import socket
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from minio.commonconfig import ENABLED
from parts import S3, bucket

from storage.objects.bucket import BucketStore
from storage.objects.probe import Attack, LockFinding, LockProbe, LockVerdict
from storage.objects.server import BucketAddress
from storage.objects.versions import TableBook

on_server = [
    pytest.mark.services,
    pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)"),
]


def clock_of_today() -> HandClock:
    return HandClock(dt.datetime.now(dt.UTC))


class TestOnServer:
    pytestmark = on_server

    def test_a_locked_bucket_survives_every_attack_and_reads_go_on(self, tmp_path: Path) -> None:
        address, client = bucket()
        clock = clock_of_today()
        store = BucketStore(address, TableBook(make_database(tmp_path, clock)), clock)
        stored = store.put(b"held", "text/plain")
        finding = LockProbe(address, clock).run()
        assert (finding.verdict, finding.succeeded) == (LockVerdict.LOCKED, ())
        assert finding.skew is not None
        assert abs(finding.skew) < 60
        assert store.read(stored.sha256) == b"held"
        assert client.get_bucket_versioning(address.bucket).status == ENABLED

    def test_a_bucket_without_lock_is_not_locked_and_every_success_is_named(self) -> None:
        address, _ = bucket(lock=False)
        finding = LockProbe(address, clock_of_today()).run()
        assert finding.verdict is LockVerdict.NOT_LOCKED
        assert {Attack.NO_LOCK, Attack.DELETE_VERSION, Attack.BULK_DELETE_WITH_BYPASS} <= set(
            finding.succeeded
        )
        assert Attack.OVERWRITE in finding.succeeded

    def test_a_server_whose_clock_differs_is_told(self) -> None:
        address, _ = bucket()
        clock = clock_of_today()
        clock.advance(-120)
        skew = LockProbe(address, clock).run().skew
        assert skew is not None
        assert 100 < skew < 180


def test_a_server_that_does_not_answer_leaves_it_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = BucketAddress(
            f"http://127.0.0.1:{taken.getsockname()[1]}", "archive", "us-east-1", "key", "secret"
        )
        assert LockProbe(address, clock_of_today()).run() == LockFinding(LockVerdict.CANNOT_TELL)
