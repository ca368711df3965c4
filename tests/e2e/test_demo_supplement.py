# SPDX-License-Identifier: Apache-2.0
"""A department supplements a filed case of the demonstration: pages, search, package, receipts offline."""

import hashlib
import io
import json
import re
import shlex
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from demonstration import copy_of, opened, settings_of, signed_in
from flask import Flask
from sqlalchemy import select
from tooling import require_tool

from archive.models import Dossier
from cases.models import Case
from portal.accounts.rights import NewClient, add_client
from portal.bootstrap import make_worker, open_foundation, open_keeper
from portal.demo.script import Script
from portal.rooms import Rooms
from portal.settings import Settings
from portal.web.factory import create_app
from storage.identity import Role, system_identity

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class Place:
    """A copy of the demonstration, and the case that is supplemented there."""

    rooms: Rooms
    app: Flask
    settings: Settings
    key: str
    metadata: dict[str, Any]
    material: bytes
    main: Dossier

    def send(self) -> Any:
        path = f"/api/v1/cases/{self.metadata['source']}/{self.metadata['number']}/supplements"
        parts = {
            "metadata": (io.BytesIO(json.dumps(self.metadata).encode()), "metadata.json"),
            "further": (io.BytesIO(self.material), "further.pdf"),
        }
        headers = {"Authorization": f"Bearer {self.key}"}
        return self.app.test_client().post(path, data=parts, headers=headers)

    def work(self) -> None:
        worker, database, _ = make_worker(self.settings, "test", tuple)
        while worker.run_one():
            pass
        database.close()


@pytest.fixture(scope="module")
def place(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    data = copy_of(demo_data, tmp_path_factory.mktemp("supplement") / "data")
    settings = settings_of(data)
    with opened(data) as rooms:
        with rooms.database.reading() as uow:
            main, case = uow.session.execute(
                select(Dossier, Case).join(Case, Case.id == Dossier.case_id).order_by(Dossier.filed_at)
            ).first() or (None, None)
            assert main is not None
            assert case is not None
            uow.session.expunge_all()
        spec = next(one for one in Script.load().cases if one.data()["number"] == case.number)
        metadata = spec.data()
        material = next(one for one in metadata["materials"] if one["file_name"].endswith(".pdf"))
        content = (spec.folder / material["file_name"]).read_bytes()
        metadata.pop("license", None)
        sha256 = hashlib.sha256(content).hexdigest()
        metadata["materials"] = [material | {"part": "further", "size": len(content), "sha256": sha256}]
        new = NewClient(
            name="演示补充系统",
            organisation=main.organisation,
            sources=frozenset({case.source}),
            scopes=frozenset({"file"}),
            items=frozenset(),
            operators=frozenset(),
            expires_at=rooms.clock.now().replace(year=2100),
        )
        key = rooms.database.write(lambda uow: add_client(uow, system_identity("test"), new)[1])
        yield Place(rooms, create_app(rooms, settings), settings, key, metadata, content, main)


@pytest.fixture(scope="module")
def added(place: Place) -> Dossier:
    """The supplement, filed and published."""
    answer = place.send()
    assert answer.status_code == 202, answer.text
    assert answer.json["supplement"] == 1
    place.work()
    keeper = open_keeper(open_foundation(place.settings), place.settings)
    keeper.tick(hurry=True)
    keeper.close()
    with place.rooms.database.reading() as uow:
        found = uow.session.scalars(select(Dossier).where(Dossier.supplement == 1)).one()
        uow.session.expunge_all()
    assert found.filed_at is not None
    return found


def test_the_same_set_again_gives_the_same_receipt(place: Place, added: Dossier) -> None:
    first, second = place.send(), place.send()
    assert (first.status_code, first.data) == (200, second.data)
    assert first.json["filing"] == added.filing_id


def test_case_page_dossier_trace_and_search_show_it(place: Place, added: Dossier) -> None:
    archivist = signed_in(place.rooms, place.app, Role.ARCHIVIST, added.organisation)
    case = f"/archive/cases/{place.metadata['source']}/{place.metadata['number']}"
    assert added.archival_number in archivist.get(case).text
    assert "第 1 次补充归档" in archivist.get(case).text
    assert "Supplement 1" in archivist.get(f"{case}?lang=en").text
    assert added.archival_number in archivist.get(f"/dossiers/{place.main.id}?lang=zh").text
    page = archivist.get(f"/dossiers/{added.id}").text
    assert place.main.archival_number in page
    assert "所补充的案卷不变" in page
    supervisor = signed_in(place.rooms, place.app, Role.SUPERVISOR, "dsj")
    trace = supervisor.get("/supervision/trace", query_string={"q": added.archival_number}).text
    assert "案卷补充归档" in trace
    found = archivist.get("/search", query_string={"q": "补充归档"}).text
    assert added.id in found


def test_a_stranger_checks_the_package_offline(place: Place, added: Dossier, tmp_path: Path) -> None:
    for tool in ("sha256sum", "openssl", "pdfsig"):
        require_tool(tool)
    supervisor = signed_in(place.rooms, place.app, Role.SUPERVISOR, "dsj")
    answer = supervisor.get(f"/dossiers/{added.id}/package", buffered=True)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        archive.extractall(tmp_path)
    readme = (tmp_path / "README.txt").read_text()
    assert f"Supplement 1 of the dossier {place.main.archival_number}" in readme
    assert any("dossier.supplemented" in one.name for one in (tmp_path / "receipts").iterdir())
    manifest = json.loads((tmp_path / "manifest.json").read_bytes())
    assert manifest["supplement"]["manifest_sha256"] == place.main.manifest_sha256
    verify = str(Path(sys.executable).with_name("cunzheng-verify"))
    commands = [line.strip() for line in readme.splitlines() if re.match(r" {4}[a-z]", line)]
    assert {one.split()[0] for one in commands} == {"sha256sum", "openssl", "pdfsig", "cunzheng-verify"}
    for command in commands:
        program, *rest = shlex.split(command)
        called = [verify if program == "cunzheng-verify" else program, *rest]
        done = subprocess.run(called, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, (command, done.stdout[-300:], done.stderr[-300:])
