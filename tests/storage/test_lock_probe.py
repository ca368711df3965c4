# SPDX-License-Identifier: Apache-2.0
"""The lock probe: a locked bucket survives every attack, one without lock is never called locked."""

import datetime as dt
import os
import socket
import uuid
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from minio.commonconfig import ENABLED
from parts import S3, bucket, role_keys

from storage.objects.bucket import BucketStore
from storage.objects.ports import ObjectStoreUnusableError
from storage.objects.probe import (
    PROBE_PREFIX,
    RACERS,
    Attack,
    ClockVerdict,
    LockFinding,
    LockProbe,
    LockVerdict,
)
from storage.objects.server import BucketAddress, connect
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

    def test_the_writer_lifts_no_hold_that_another_key_has_placed(self, tmp_path: Path) -> None:
        keys = role_keys(tmp_path, f"test-{uuid.uuid4().hex}")
        finding = LockProbe(keys["writer"], clock_of_today(), keys["holder"]).run()
        assert (finding.verdict, finding.succeeded, finding.untried) == (LockVerdict.LOCKED, (), ())

    def test_a_writer_whose_key_lifts_holds_is_found_out_and_the_canary_is_let_go(
        self, tmp_path: Path
    ) -> None:
        address, client = bucket()
        keys = role_keys(tmp_path, f"test-{uuid.uuid4().hex}")
        finding = LockProbe(address, clock_of_today(), address).run()
        assert (finding.verdict, finding.succeeded) == (LockVerdict.NOT_LOCKED, (Attack.LIFT_HOLD,))
        LockProbe(keys["writer"], clock_of_today(), keys["holder"]).run()
        for name, holder in ((address.bucket, client), (keys["holder"].bucket, connect(keys["holder"]))):
            canaries = list(client.list_objects(name, prefix=PROBE_PREFIX, recursive=True))
            assert canaries
            assert not any(
                holder.is_object_legal_hold_enabled(name, str(one.object_name)) for one in canaries
            )

    def test_without_the_key_for_holds_that_attack_counts_as_not_tried(self, tmp_path: Path) -> None:
        keys = role_keys(tmp_path, f"test-{uuid.uuid4().hex}")
        powerless = LockProbe(keys["writer"], clock_of_today(), keys["auditor"]).run()
        for finding in (LockProbe(keys["writer"], clock_of_today()).run(), powerless):
            assert (finding.verdict, finding.untried) == (LockVerdict.LOCKED, (Attack.LIFT_HOLD,))

    def test_of_racing_writers_each_finds_its_own_bytes_only_where_versions_are_kept(self) -> None:
        address, _ = bucket()
        finding = LockProbe(address, clock_of_today()).run()
        assert Attack.RACE not in finding.succeeded
        assert finding.let_in in range(1, RACERS + 1)
        address, _ = bucket(lock=False)
        assert Attack.RACE in LockProbe(address, clock_of_today()).run().succeeded

    @pytest.mark.parametrize(
        ("ahead", "verdict"),
        [(0, ClockVerdict.AGREES), (60, ClockVerdict.DIFFERS), (-60, ClockVerdict.DIFFERS)],
    )
    def test_the_servers_clock_is_judged_by_the_authoritys_whatever_ours_says(
        self, ahead: int, verdict: ClockVerdict
    ) -> None:
        address, _ = bucket()
        clock = clock_of_today()
        clock.advance(3600)
        truth = dt.timedelta(seconds=-ahead)
        finding = LockProbe(address, clock, authority=lambda: dt.datetime.now(dt.UTC) + truth).run()
        assert finding.clock is verdict
        assert finding.authority_skew is not None
        assert abs(finding.authority_skew - ahead) < 5

    def test_an_authority_that_does_not_answer_leaves_the_clock_open_and_the_lock_judged(self) -> None:
        def silent() -> dt.datetime:
            raise ObjectStoreUnusableError

        address, _ = bucket()
        finding = LockProbe(address, clock_of_today(), authority=silent).run()
        assert (finding.verdict, finding.clock) == (LockVerdict.LOCKED, ClockVerdict.CANNOT_TELL)

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
