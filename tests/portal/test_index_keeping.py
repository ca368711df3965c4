# SPDX-License-Identifier: Apache-2.0
"""The search index follows the records: by its step, by reconciling, and made anew."""

import contextlib
import json
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from elastic_part import elastic_index
from pydantic import SecretStr, ValidationError
from sqlalchemy import select

from archive.models import Dossier
from cases.models import Case
from indexer.document import IndexDocument
from indexer.embedded import EmbeddedIndex
from indexer.errors import IndexUnavailableError
from indexer.ports import Index
from indexer.query import Page, Query
from portal.index_keeping import IndexKeeper
from portal.indexing import IndexStep
from portal.settings import Settings
from portal.worker import Worker
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.steps import StepRow

from .conftest import House, run

ADMINISTRATOR = Identity("person", "admin", "scjg", frozenset({Role.SYSTEM_ADMIN}))


@contextlib.contextmanager
def embedded(folder: Path) -> Iterator[Index]:
    yield EmbeddedIndex(folder / "kept.db")


@contextlib.contextmanager
def elastic(folder: Path) -> Iterator[Index]:
    with elastic_index() as made:
        yield made


@pytest.fixture(params=[embedded, pytest.param(elastic, marks=pytest.mark.services)])
def index(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Index]:
    with request.param(tmp_path) as made:
        yield made


class DeafIndex(EmbeddedIndex):
    """An index whose server does not answer until it is back."""

    down = True

    def put(self, document: IndexDocument) -> bool:
        if self.down:
            raise IndexUnavailableError
        return super().put(document)


def file_dossiers(house: House, count: int) -> None:
    """Write filed dossiers as the archive leaves them; only what the index reads matters here."""
    now = house.clock.now()
    with house.rooms.database.writing() as uow:
        for number in range(1, count + 1):
            words = {"item_code": "I", "item_edition": "1", "holder_id": "h", "organisation": "scjg"}
            uow.session.add_all(
                [
                    Case(
                        id=f"c{number}",
                        source="s",
                        number=f"2026-{number}",
                        accepted_at=now,
                        announced_at=now,
                        **words,
                    ),
                    Dossier(
                        id=f"d{number}",
                        case_id=f"c{number}",
                        filing_id=f"f{number}",
                        title="食品经营许可核发",
                        archival_number=f"Z-{number}",
                        fonds="Z",
                        year=2026,
                        retention="D30",
                        retention_zh="",
                        retention_en="",
                        assembled_at=now,
                        filed_at=now,
                        version=2,
                        **words,
                    ),
                ]
            )


def keeper(house: House, index: Index) -> IndexKeeper:
    return IndexKeeper(house.rooms.database, index, house.rooms.holdings)


def found(index: Index) -> list[str]:
    page: Page = index.search(Query("经营", None, limit=100))
    return sorted(hit.id for hit in page.hits)


def test_reconciling_repairs_both_ways(house: House, index: Index) -> None:
    file_dossiers(house, 4)
    keeper(house, index).rebuild(ADMINISTRATOR)
    held = IndexDocument("d1", "dossier", "经营旧题名", "", "scjg", "Z-1", house.clock.now(), version=1)
    for one in ("d1", "d2", "d3"):
        index.forget(one)
    index.put_all([held, replace(held, id="d3", version=9), replace(held, id="stray")])
    repair = keeper(house, index).reconcile(ADMINISTRATOR)
    assert repair.difference.missing == ("d2",)
    assert repair.difference.outdated == ("d1",)
    assert repair.difference.ahead == ("d3",)
    assert repair.difference.surplus == ("stray",)
    assert found(index) == ["d1", "d2", "d3", "d4"]
    assert dict(index.versions()) == {f"d{number}": 2 for number in range(1, 5)}
    assert keeper(house, index).reconcile(ADMINISTRATOR).difference.equal


def test_a_rebuild_fills_an_empty_index_and_says_how_far_it_came(house: House, index: Index) -> None:
    file_dossiers(house, 3)
    told: list[int] = []
    written = keeper(house, index).rebuild(ADMINISTRATOR, told.append)
    assert (written.changed, written.refused, sum(told)) == (3, (), 3)
    assert found(index) == ["d1", "d2", "d3"]
    assert index.indexed_up_to() == house.clock.now()


@pytest.mark.parametrize("role", [Role.ARCHIVIST, Role.SUPERVISOR])
def test_only_the_system_administrator_keeps_the_index(house: House, tmp_path: Path, role: Role) -> None:
    somebody = Identity("person", "p", "scjg", frozenset({role}))
    with embedded(tmp_path) as index:
        with pytest.raises(NotPermittedError):
            keeper(house, index).rebuild(somebody)
        with pytest.raises(NotPermittedError):
            keeper(house, index).reconcile(somebody)


def test_while_the_index_is_down_its_steps_wait_uncounted_and_catch_up(house: House, tmp_path: Path) -> None:
    file_dossiers(house, 1)
    index = DeafIndex(tmp_path / "kept.db")
    rooms = house.rooms
    steps = {"index.put": IndexStep(index, rooms.holdings)}
    worker = Worker(rooms.database, steps, tmp_path / "jobs", house.clock, rooms.ids)
    with rooms.database.writing() as uow:
        uow.add_step("index.put", "dossier:d1")
    for _ in range(12):
        assert worker.run_one()
        house.clock.advance(3600)
    with rooms.database.reading() as uow:
        row = uow.session.scalars(select(StepRow)).one()
        assert (row.state, row.attempts, row.problem) == ("ready", 0, "search-unavailable")
    index.down = False
    assert worker.run_one()
    assert found(index) == ["d1"]


def test_a_silent_search_server_is_unwell_but_not_needed(
    installation: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert installation.exists()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("CUNZHENG_SEARCH_URL", f"http://127.0.0.1:{port}")
    _, printed = run("doctor", "--json", capsys=capsys)
    (finding,) = (one for one in json.loads(printed) if one["part"] == "index")
    assert (finding["well"], finding["needed"]) == (False, False)
    code, printed = run("index", "reconcile", capsys=capsys)
    assert (code, "search-unavailable" in printed) == (70, True)


@pytest.mark.parametrize("address", ["es:9200", "http://es", "ftp://es:9200"])
def test_a_search_address_is_checked_before_anything_starts(address: str) -> None:
    with pytest.raises(ValidationError, match="search_url"):
        Settings(search_url=SecretStr(address))


def test_the_commands_tell_what_they_did(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert installation.exists()
    code, printed = run("index", "rebuild", capsys=capsys)
    assert code == 0
    assert "embedded，收录 holds 0" in printed
    code, printed = run("index", "reconcile", "--json", capsys=capsys)
    assert code == 0
    assert json.loads(printed) == {
        "engine": "embedded",
        "holds": 0,
        "counts": {"missing": 0, "outdated": 0, "ahead": 0, "surplus": 0},
        "missing": [],
        "outdated": [],
        "ahead": [],
        "surplus": [],
        "refused": [],
    }
    assert "已修复 repaired 0" in run("index", "reconcile", capsys=capsys)[1]
