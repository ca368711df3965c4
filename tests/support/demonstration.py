# SPDX-License-Identifier: Apache-2.0
"""The demonstration's data, played once per test run by the real command, for tests that judge real output.

Workers of one run share the folder; whoever comes first plays, the others wait. What is found there is
only read: a test that writes takes a copy.
"""

import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from flask import Flask
from flask.testing import FlaskClient
from once import once_per_run
from running import COMMAND, environment_of
from sqlalchemy import select
from tooling import ROOT

from archive.models import DossierMember, FilingMaterial
from portal.accounts.rights import NewAccount, add_account
from portal.bootstrap import open_rooms
from portal.demo.people import SANDBOX_KEY, Cast
from portal.rooms import Rooms
from portal.settings import Settings
from seals.models import Sealing
from storage.identity import Role, system_identity

RUNS: Final = ROOT / "build" / "demonstrations"
_PLAYED_WITHIN: Final = 1500
_RESULT: Final = "result.json"
ADDRESS: Final = "http://127.0.0.1:8321"


@contextmanager
def played_demo(run: str) -> Iterator[Path]:
    """Give the data folder of the demonstration that this test run has played.

    Args:
        run: The test run; every worker process of it gives the same.
    """
    with once_per_run(RUNS, run, _play) as folder:
        outcome = json.loads((folder / _RESULT).read_bytes())
        assert outcome["code"] == 0, outcome["output"]
        yield folder / "data"


def _play(folder: Path) -> None:
    with (folder / "output.txt").open("w+b") as output:
        done = subprocess.run(
            [COMMAND, "demo", "--once"],
            env=environment_of(folder / "data", ADDRESS),
            stdout=output,
            stderr=output,
            check=False,
            timeout=_PLAYED_WITHIN,
        )
        output.seek(0)
        said = output.read().decode(errors="replace")[-4000:]
    (folder / _RESULT).write_text(json.dumps({"code": done.returncode, "output": said}))


def settings_of(data: Path) -> Settings:
    """Give the settings under which the demonstration in a folder was played."""
    return Settings(data=data, public_url=ADDRESS)


def copy_of(data: Path, target: Path) -> Path:
    """Copy a data folder, for a test that writes; databases as they stand, whoever else reads them."""
    shutil.copytree(data, target, ignore=shutil.ignore_patterns("*.db", "*.db-wal", "*.db-shm", "*.lock"))
    for database in data.glob("*.db"):
        with (
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(target / database.name)) as copy,
        ):
            source.backup(copy)
    return target


@contextmanager
def opened(data: Path) -> Iterator[Rooms]:
    """Open the rooms of a data folder, and close them again."""
    rooms = open_rooms(settings_of(data))
    try:
        yield rooms
    finally:
        rooms.close()


def cast_of(rooms: Rooms, data: Path) -> Cast:
    """Give who acted."""
    cast = json.loads((data / "demo-cast.json").read_bytes())
    return Cast(rooms, cast["key"], cast["accounts"], cast["sandbox"], data / SANDBOX_KEY)


@dataclass(frozen=True, slots=True)
class SealedFile:
    """A PDF that the demonstration sealed.

    Attributes:
        kind: ``catalogue``, ``licence``, or the route of a rendition such as ``office``.
        level: PDF/A level that it declares.
        sha256: Digest under which it is stored.
    """

    kind: str
    level: str
    sha256: str


def sealed_files(rooms: Rooms) -> list[SealedFile]:
    """Give every PDF that was sealed, the smallest first, each once."""
    query = (
        select(Sealing.document_type, FilingMaterial.route, DossierMember.level, DossierMember.sha256)
        .join(DossierMember, DossierMember.sha256 == Sealing.after_sha256)
        .outerjoin(FilingMaterial, FilingMaterial.id == DossierMember.material_id)
        .where(Sealing.state == "sealed", Sealing.document_type != "manifest")
        .order_by(DossierMember.size, DossierMember.sha256)
    )
    with rooms.database.reading() as uow:
        rows = uow.session.execute(query).all()
    found = {row.sha256: SealedFile(row.route or row.document_type, row.level, row.sha256) for row in rows}
    return list(found.values())


def written(rooms: Rooms, files: Sequence[Any], folder: Path) -> list[Path]:
    """Write stored files into a folder, for programs that want paths; in the same order."""
    paths = []
    for file in files:
        paths.append(folder / f"{file.sha256}.pdf")
        paths[-1].write_bytes(rooms.objects.read(file.sha256))
    return paths


def signed_in(rooms: Rooms, app: Flask, role: Role, department: str) -> FlaskClient:
    """Give a browser in which a new person with a role is signed in."""
    test = system_identity("test")
    with rooms.database.writing() as uow:
        new = NewAccount(name="测试员", organisation=department, roles=frozenset({role}))
        token = rooms.accounts.login_link(uow, test, add_account(uow, test, new).id)
    browser = app.test_client()
    field = re.search(r'name="form_token" value="(\w+)"', browser.get(f"/sign-in/{token}").text)
    assert field is not None
    assert browser.post(f"/sign-in/{token}", data={"form_token": field[1]}).status_code == 303
    return browser
