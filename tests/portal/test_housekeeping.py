# SPDX-License-Identifier: Apache-2.0
"""Every day the bucket's locks are renewed and probed, once, and what the probe found is an act."""

import datetime as dt
import os
from dataclasses import replace
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from parts import S3, bucket
from pydantic import SecretStr
from sqlalchemy import select

from archive.models import Dossier, DossierMember
from portal.health import examine
from portal.housekeeping import DAY, OVERDUE, Housekeeping, probed, stamped_now, standing_verdict
from portal.metrics import make_registry
from portal.object_keeping import affected
from portal.readiness import Readiness
from portal.settings import Settings
from portal.tables import all_tables
from portal.web.factory import create_app
from seals import demo_pki
from seals.errors import TokenRefusedError
from seals.keys import FileKeyStore
from storage.clock import RandomIds
from storage.database import Database
from storage.identity import Role, system_identity
from storage.ledger.acts import Act, Outcome
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.objects.bucket import BucketStore
from storage.objects.ports import object_key
from storage.objects.probe import Attack, LockFinding, LockProbe, LockVerdict
from storage.objects.server import BucketAddress
from storage.objects.versions import Lock, LockMode, TableBook, Version

from .conftest import House

# Doctor looks into tables that nothing else here imports.
all_tables()
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


@pytest.mark.parametrize(
    ("ahead", "hours", "words"),
    [
        (0.4, 1, "与时间戳一致"),
        (-61.0, 1, "与时间戳不一致"),
        (None, 1, "两天内未比对"),
        (0.4, 49, "两天内未比对"),
    ],
)
def test_the_supervisor_reads_whether_the_servers_clock_is_right(
    house: House, ahead: float | None, hours: int, words: str
) -> None:
    address = BucketAddress("http://127.0.0.1:1", "archive", "us-east-1", "key", "secret")
    with_bucket = replace(house.rooms, lock_probe=LockProbe(address, house.clock))
    settings = Settings(data=house.staging.parent)
    bucket_house = replace(house, rooms=with_bucket, app=create_app(with_bucket, settings))
    finding = LockFinding(LockVerdict.LOCKED, skew=0.0, authority_skew=ahead)
    with house.rooms.database.writing() as uow:
        uow.record(probed(finding, "archive"))
    house.clock.advance(3600 * hours)
    page = bucket_house.browser(Role.SUPERVISOR).get("/supervision").text
    line = page.split("对象存储时钟", 1)[1].split("</div>", 1)[0]
    assert words in line


def test_the_authority_is_asked_for_a_token_that_holds(tmp_path: Path) -> None:
    clock = HandClock()
    pki = demo_pki.create(tmp_path / "pki", FileKeyStore(tmp_path / "keys"), clock)
    assert stamped_now(pki, RandomIds()) == clock.now()
    # The certificates of another authority do not vouch for this one's token.
    other = demo_pki.create(tmp_path / "other", FileKeyStore(tmp_path / "other-keys"), clock)
    (pki.folder / "root.pem").write_bytes((other.folder / "root.pem").read_bytes())
    with pytest.raises(TokenRefusedError):
        stamped_now(pki, RandomIds())


def settings_of(house: House) -> Settings:
    """Give settings that name the house's own records, on whichever server they are."""
    url = house.rooms.database.engine.url
    if url.get_backend_name() == "sqlite":
        return Settings(data=house.staging.parent)
    address = SecretStr(url.render_as_string(hide_password=False))
    return Settings(data=house.staging.parent, database=address)


class Found(LockProbe):
    """A probe that has found what a test says."""

    def __init__(self, finding: LockFinding) -> None:
        super().__init__(BucketAddress("http://127.0.0.1:1", "archive", "us-east-1", "k", "s"), HandClock())
        self._finding = finding

    def run(self) -> LockFinding:
        return self._finding


@pytest.mark.parametrize(
    ("finding", "well", "words"),
    [
        (
            LockFinding(LockVerdict.LOCKED, (), 0.1, (), 0.2, 1),
            True,
            "1 of 4 racing create-only writes let in",
        ),
        (
            LockFinding(LockVerdict.LOCKED, (), 0.1, (Attack.LIFT_HOLD,), 0.2, 1),
            True,
            "not tried for lack of the key it takes: lift-hold",
        ),
        (LockFinding(LockVerdict.NOT_LOCKED, (Attack.LIFT_HOLD, Attack.RACE), 0.1), False, "lift-hold, race"),
        (LockFinding(LockVerdict.LOCKED, (), 0.1, (), -61.0), False, "out of step with the time stamp"),
        (LockFinding(LockVerdict.LOCKED, (), 0.1), True, "not compared with the time stamp authority"),
    ],
)
def test_doctor_says_what_the_attacks_and_the_clocks_came_to(
    house: House, finding: LockFinding, well: bool, words: str
) -> None:
    rooms = replace(house.rooms, lock_probe=Found(finding))
    lock = next(one for one in examine(rooms, settings_of(house)) if one.part == "lock")
    assert lock.well is well
    assert words in lock.state[1]


def test_doctor_and_figures_tell_which_locks_were_not_renewed(house: House) -> None:
    rooms = replace(house.rooms, lock_probe=Found(LockFinding(LockVerdict.LOCKED)))
    settings = settings_of(house)
    registry = make_registry(rooms, settings, Readiness(rooms))

    def seen() -> tuple[bool, str, float | None, float | None]:
        found = next(one for one in examine(rooms, settings) if one.part == "renewal")
        late, ended = (registry.get_sample_value(f"cunzheng_locks_{name}") for name in ("unrenewed", "ended"))
        return found.well, found.state[1], late, ended

    assert seen() == (True, "every lock was renewed in time", 0, 0)
    now, book = house.clock.now(), TableBook(rooms.database)
    for key, mode, days in (
        ("m/F1/2026/unknown/1.json", LockMode.COMPLIANCE, 32),
        ("o/sha256/aa/bb/later", LockMode.COMPLIANCE, 34),
        ("o/sha256/aa/bb/staged", LockMode.GOVERNANCE, 9),
        ("o/sha256/aa/bb/ended", LockMode.GOVERNANCE, -1),
        ("o/sha256/aa/bb/none", LockMode.NONE, -9),
    ):
        lock = Lock(mode, now + dt.timedelta(days=days))
        book.note(Version(key, "1", "00" * 32, 1, lock))
    orphan = Version("o/sha256/aa/bb/orphan", "1", "00" * 32, 1, Lock(LockMode.GOVERNANCE, now))
    book.give_up([orphan], now)
    well, words, late, ended = seen()
    assert (well, late, ended) == (False, 2, 1)
    assert words.endswith(
        f"the first end {(now - dt.timedelta(days=1)).date()}: o/sha256/aa/bb/ended, m/F1/2026/unknown/1.json"
    )


def test_what_was_not_renewed_is_named_by_the_number_of_its_dossier(house: House) -> None:
    now = house.clock.now()
    dossier = Dossier(
        id="d1",
        case_id="c1",
        filing_id="f1",
        holder_id="h1",
        organisation="scjg",
        item_code="1",
        item_edition="1",
        title="",
        archival_number="Z901-ZY·XK·2026·D30-00001",
        fonds="Z901",
        year=2026,
        retention="D30",
        retention_zh="",
        retention_en="",
        assembled_at=now,
        version=1,
    )
    member = DossierMember(
        id="m1",
        dossier_id="d1",
        position=1,
        role="original",
        code="1",
        title="",
        file_name="1.pdf",
        sha256="ab" * 32,
        sm3="",
        size=1,
        media_type="application/pdf",
    )
    with house.rooms.database.writing() as uow:
        uow.session.add_all([dossier, member])
        uow.session.flush()
        keys = [object_key("ab" * 32), "m/Z901/2026/d1/1.json", "a/log/anchor/1"]
        assert affected(uow.session, keys) == [dossier.archival_number, "a/log/anchor/1"]
