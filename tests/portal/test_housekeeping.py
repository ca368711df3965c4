# SPDX-License-Identifier: Apache-2.0
"""Every day the bucket's locks are renewed and probed, once, and what the probe found is an act."""

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from parts import S3, bucket
from sqlalchemy import select

from portal.housekeeping import DAY, OVERDUE, Housekeeping, standing_verdict
from portal.settings import Settings
from portal.web.factory import create_app
from storage.database import Database
from storage.identity import Role, system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.objects.bucket import BucketStore
from storage.objects.probe import LockProbe, LockVerdict
from storage.objects.server import BucketAddress
from storage.objects.versions import TableBook

from .conftest import House

on_server = [
    pytest.mark.services,
    pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)"),
]


def keep_house(folder: Path, *, lock: bool) -> tuple[Housekeeping, Database, HandClock]:
    address, _ = bucket(lock=lock)
    clock = HandClock(dt.datetime.now(dt.UTC))
    database = make_database(folder, clock)
    store = BucketStore(address, TableBook(database), clock)
    return Housekeeping(database, store, LockProbe(address, clock), clock), database, clock


def outcomes(database: Database) -> list[tuple[str, str]]:
    with database.reading() as uow:
        return [(act.kind, act.outcome) for act in uow.session.scalars(select(LedgerAct))]


def verdict(database: Database, clock: HandClock) -> LockVerdict:
    with database.reading() as uow:
        return standing_verdict(uow.session, clock.now())[0]


class TestOnServer:
    pytestmark = on_server

    def test_a_lock_that_holds_is_recorded_once_a_day(self, tmp_path: Path) -> None:
        house, database, clock = keep_house(tmp_path, lock=True)
        assert verdict(database, clock) is LockVerdict.CANNOT_TELL
        assert house.look() is not None
        assert house.look() is None
        assert outcomes(database) == [("store.probed", "done")]
        assert verdict(database, clock) is LockVerdict.LOCKED
        clock.advance(DAY.total_seconds())
        assert house.look() is not None
        assert len(outcomes(database)) == 2

    def test_a_lock_that_does_not_hold_is_a_failure_on_record(self, tmp_path: Path) -> None:
        house, database, clock = keep_house(tmp_path, lock=False)
        house.look()
        assert outcomes(database) == [("store.probed", "failed")]
        assert verdict(database, clock) is LockVerdict.NOT_LOCKED

    def test_an_old_probe_says_nothing(self, tmp_path: Path) -> None:
        house, database, clock = keep_house(tmp_path, lock=True)
        house.look()
        clock.advance(OVERDUE.total_seconds() + 1)
        assert verdict(database, clock) is LockVerdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("outcome", "hours", "words"),
    [
        (Outcome.DONE, 1, "有效"),
        (Outcome.FAILED, 1, "无效：存储未锁定"),
        (Outcome.DONE, 49, "两天内未探测"),
        (None, 0, "两天内未探测"),
    ],
)
def test_the_supervisor_reads_in_one_line_whether_the_lock_holds(
    house: House, outcome: Outcome | None, hours: int, words: str
) -> None:
    address = BucketAddress("http://127.0.0.1:1", "archive", "us-east-1", "key", "secret")
    with_bucket = replace(house.rooms, lock_probe=LockProbe(address, house.clock))
    settings = Settings(data=house.staging.parent)
    bucket_house = replace(house, rooms=with_bucket, app=create_app(with_bucket, settings))
    if outcome is not None:
        with house.rooms.database.writing() as uow:
            uow.record(
                Act(
                    kind=ActKind.STORE_PROBED,
                    actor=system_identity("housekeeping"),
                    object_type="store",
                    object_id="archive",
                    outcome=outcome,
                )
            )
    house.clock.advance(3600 * hours)
    page = bucket_house.browser(Role.SUPERVISOR).get("/supervision").text
    line = page.split("存储锁定", 1)[1].split("</div>", 1)[0]
    assert words in line
    assert "存储锁定" not in house.browser(Role.SUPERVISOR).get("/supervision").text
