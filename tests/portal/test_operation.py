# SPDX-License-Identifier: Apache-2.0
"""What machines ask: does the process live, can it take work, which figures stand."""

import socket
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from indexer.embedded import EmbeddedIndex
from indexer.errors import IndexUnavailableError
from portal import readiness
from portal.housekeeping import probed
from portal.metrics import make_registry, serve_metrics
from portal.readiness import SILENT, Readiness
from portal.settings import Settings
from storage.database import Database, LedgerClosedError, UnitOfWork
from storage.engines import RecordsUnavailableError
from storage.errors import CunzhengError
from storage.identity import Role
from storage.ledger.gate import LedgerGate
from storage.ledger.kinds import ActKind
from storage.objects.folder import FolderStore
from storage.objects.ports import ObjectStoreUnusableError
from storage.objects.probe import Attack, ClockVerdict, LockFinding, LockProbe, LockVerdict
from storage.objects.server import BucketAddress

from .conftest import House

ALL_WELL = {"database": "ok", "ledger": "ok", "objects": "ok", "index": "ok"}


def _away(self: Database) -> Iterator[UnitOfWork]:
    raise RecordsUnavailableError


def _full(self: FolderStore) -> None:
    raise ObjectStoreUnusableError


def _unreadable(self: EmbeddedIndex) -> None:
    raise IndexUnavailableError


def _closed(self: LedgerGate, kind: ActKind) -> None:
    raise LedgerClosedError


def figures(house: House, settings: Settings | None = None) -> CollectorRegistry:
    return make_registry(house.rooms, settings or Settings(data=house.staging), Readiness(house.rooms))


def test_a_process_lives_and_says_so_though_the_database_is_away(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = house.app.test_client()
    browser.set_cookie("session", "of somebody")
    monkeypatch.setattr(Database, "reading", _away)
    assert browser.get("/healthz").json["status"] == "ok"


def test_who_can_take_work_is_ready(house: House) -> None:
    answer = house.app.test_client().get("/readyz")
    assert (answer.status_code, answer.json) == (
        200,
        {"status": "ready", "parts": ALL_WELL},
    )


@pytest.mark.parametrize(
    ("part", "owner", "method", "broken", "error"),
    [
        ("database", Database, "reading", _away, RecordsUnavailableError),
        ("ledger", LedgerGate, "admit", _closed, LedgerClosedError),
    ],
)
def test_who_cannot_take_work_says_which_part_is_in_the_way(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    owner: type,
    method: str,
    broken: object,
    error: type[CunzhengError],
) -> None:
    monkeypatch.setattr(owner, method, broken)
    answer = house.app.test_client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json == {"status": "not-ready", "parts": ALL_WELL | {part: error.code}}


@pytest.mark.parametrize(
    ("part", "owner", "method", "broken", "error"),
    [
        ("objects", FolderStore, "probe", _full, ObjectStoreUnusableError),
        ("index", EmbeddedIndex, "indexed_up_to", _unreadable, IndexUnavailableError),
    ],
)
def test_a_part_that_proofs_can_do_without_takes_nobody_out_of_service(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    part: str,
    owner: type,
    method: str,
    broken: object,
    error: type[CunzhengError],
) -> None:
    monkeypatch.setattr(owner, method, broken)
    answer = house.app.test_client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json == {"status": "degraded", "parts": ALL_WELL | {part: error.code}}


def test_who_asks_does_not_wait_for_a_part_that_hangs(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    ends = threading.Event()
    asked: list[FolderStore] = []

    def hang(self: FolderStore) -> None:
        asked.append(self)
        ends.wait()

    monkeypatch.setattr(FolderStore, "probe", hang)
    monkeypatch.setattr(readiness, "_PATIENCE_SECONDS", 0.05)
    browser = house.app.test_client()
    for _ in range(2):
        assert browser.get("/readyz").json["parts"] == ALL_WELL | {"objects": SILENT}
        house.clock.advance(3)
    assert len(asked) == 1
    ends.set()
    monkeypatch.setattr(readiness, "_PATIENCE_SECONDS", 60)
    assert browser.get("/readyz").json["parts"] == ALL_WELL


def test_strangers_that_ask_often_make_no_part_work_often(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks: list[FolderStore] = []

    def probe(self: FolderStore) -> None:
        looks.append(self)

    monkeypatch.setattr(FolderStore, "probe", probe)
    browser = house.app.test_client()
    for _ in range(5):
        assert browser.get("/readyz").status_code == 200
    assert len(looks) == 1
    house.clock.advance(3)
    assert browser.get("/readyz").status_code == 200
    assert len(looks) == 2


def test_figures_tell_steps_lags_and_space(house: House) -> None:
    registry = figures(house)
    with house.rooms.database.writing() as uow:
        uow.add_step("archive.render", "x")
        uow.add_step("index.put", "y")
    house.clock.advance(90)
    office = {"queue": "office", "standing": "ready"}
    assert registry.get_sample_value("cunzheng_steps", office) == 1
    assert registry.get_sample_value("cunzheng_steps", office | {"standing": "stuck"}) == 0
    assert registry.get_sample_value("cunzheng_step_oldest_age_seconds", office) == 90
    assert registry.get_sample_value("cunzheng_index_lag_seconds") == 90
    assert registry.get_sample_value("cunzheng_ledger_sequencing_lag_seconds") is not None
    assert registry.get_sample_value("cunzheng_ledger_anchor_lag_seconds") is not None
    assert (registry.get_sample_value("cunzheng_disk_free_bytes") or 0) > 0
    assert registry.get_sample_value("cunzheng_part_ready", {"part": "objects"}) == 1
    assert registry.get_sample_value("cunzheng_objects_locked") is None


def test_figures_that_cannot_be_known_are_left_out_and_never_zero(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry = figures(house)
    monkeypatch.setattr(Database, "reading", _away)
    assert registry.get_sample_value("cunzheng_part_ready", {"part": "database"}) == 0
    assert registry.get_sample_value("cunzheng_index_lag_seconds") is None
    assert registry.get_sample_value("cunzheng_disk_free_bytes") is not None


def test_figures_tell_what_the_last_attack_on_the_lock_showed(house: House) -> None:
    address = BucketAddress("http://127.0.0.1:1", "archive", "us-east-1", "key", "secret")
    bucket_house = replace(house, rooms=replace(house.rooms, lock_probe=LockProbe(address, house.clock)))
    registry = figures(bucket_house)

    def verdict(one: LockVerdict) -> float | None:
        return registry.get_sample_value("cunzheng_lock_verdict", {"verdict": str(one)})

    def clock(one: ClockVerdict) -> float | None:
        return registry.get_sample_value("cunzheng_objects_clock_verdict", {"verdict": str(one)})

    assert verdict(LockVerdict.CANNOT_TELL) == 1
    assert registry.get_sample_value("cunzheng_objects_clock_skew_seconds") is None
    assert registry.get_sample_value("cunzheng_lock_untried") is None
    assert clock(ClockVerdict.CANNOT_TELL) == 1
    found = LockFinding(LockVerdict.NOT_LOCKED, (Attack.SHORTEN,), -7.25, (Attack.LIFT_HOLD,), -6.5)
    with house.rooms.database.writing() as uow:
        uow.record(probed(found, "archive"))
    house.clock.advance(60)
    assert [verdict(one) for one in LockVerdict] == [0, 1, 0]
    assert registry.get_sample_value("cunzheng_lock_probe_age_seconds") == 60
    assert registry.get_sample_value("cunzheng_lock_untried") == 1
    assert registry.get_sample_value("cunzheng_objects_clock_skew_seconds") == -7.25
    assert registry.get_sample_value("cunzheng_objects_authority_skew_seconds") == -6.5
    assert [clock(one) for one in ClockVerdict] == [0, 1, 0]
    assert figures(house).get_sample_value("cunzheng_lock_verdict", {"verdict": "locked"}) is None


def test_the_page_names_the_attacks_that_were_not_tried(house: House) -> None:
    address = BucketAddress("http://127.0.0.1:1", "archive", "us-east-1", "key", "secret")
    rooms = replace(house.rooms, lock_probe=LockProbe(address, house.clock))
    house.app.extensions["cunzheng.rooms"] = rooms
    finding = LockFinding(LockVerdict.LOCKED, untried=(Attack.LIFT_HOLD,))
    with house.rooms.database.writing() as uow:
        uow.record(probed(finding, "archive"))
    assert "缺少密钥而未尝试：lift-hold" in house.browser(Role.SUPERVISOR).get("/supervision").text


def test_figures_have_a_port_of_their_own_and_strangers_reach_none(house: House, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        # Taken by an older process: this one serves pages all the same.
        serve_metrics(house.rooms, Settings(data=tmp_path, metrics_port=port), Readiness(house.rooms))
    assert house.app.test_client().get("/metrics").status_code == 404
    server = serve_metrics(house.rooms, Settings(data=tmp_path, metrics_port=port), Readiness(house.rooms))
    assert server is not None
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            assert b"cunzheng_build_info" in answer.read()
    finally:
        server()
