# SPDX-License-Identifier: Apache-2.0
"""A dossier downloaded as one ZIP: a stranger unpacks it and runs the commands that its README prints."""

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

import pytest
from demonstration import copy_of, opened, settings_of, signed_in
from flask.testing import FlaskClient
from sqlalchemy import select
from tooling import require_tool

from archive.models import Dossier
from portal.rooms import Rooms
from portal.web.factory import create_app
from storage.identity import Role
from storage.ledger.models import LedgerAct

pytestmark = pytest.mark.slow


@dataclass
class Packed:
    """A dossier's package, unpacked."""

    folder: Path
    dossier: str
    names: list[str]
    data: bytes
    reads: int

    @property
    def commands(self) -> list[str]:
        text = (self.folder / "README.txt").read_text()
        return [line.strip() for line in text.splitlines() if re.match(r" {4}[a-z]", line)]


@pytest.fixture(scope="module")
def rooms(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rooms]:
    data = copy_of(demo_data, tmp_path_factory.mktemp("package") / "data")
    with opened(data) as rooms:
        yield rooms


@pytest.fixture(scope="module")
def browser(rooms: Rooms, tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    settings = settings_of(tmp_path_factory.mktemp("staging"))
    return signed_in(rooms, create_app(rooms, settings), Role.SUPERVISOR, "dsj")


@pytest.fixture(scope="module")
def packed(rooms: Rooms, browser: FlaskClient, tmp_path_factory: pytest.TempPathFactory) -> Packed:
    with rooms.database.reading() as uow:
        dossier = uow.session.scalars(select(Dossier).order_by(Dossier.filed_at)).first()
        assert dossier is not None
    answer = browser.get(f"/dossiers/{dossier.id}/package", buffered=True)
    assert answer.status_code == 200
    assert answer.mimetype == "application/zip"
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        archive.extractall(folder)
        names = archive.namelist()
    with rooms.database.reading() as uow:
        reads = uow.session.scalars(
            select(LedgerAct).where(LedgerAct.kind == "dossier.read", LedgerAct.object_id == dossier.id)
        ).all()
    return Packed(folder, dossier.id, names, answer.data, len(reads))


def test_it_holds_every_member_the_sealed_manifest_receipts_and_keys(packed: Packed) -> None:
    manifest = json.loads((packed.folder / "manifest.json").read_bytes())
    held = [name for name in packed.names if name.startswith("members/")]
    assert len(held) == len(manifest["members"])
    assert len([name for name in packed.names if name.startswith("receipts/")]) == len(manifest["acts"]) + 1
    assert {"README.txt", "manifest.json.p7s", "keys/ca.pem", "keys/cunzheng-policy.txt", "SHA256SUMS"} <= {
        *packed.names
    }
    assert all(name.isascii() for name in packed.names)


def test_every_printed_command_succeeds_offline(packed: Packed) -> None:
    for tool in ("sha256sum", "openssl", "pdfsig"):
        require_tool(tool)
    own = {"cunzheng-verify": str(Path(sys.executable).with_name("cunzheng-verify"))}
    assert {command.split()[0] for command in packed.commands} == {
        *("sha256sum", "openssl", "pdfsig", "cunzheng-verify")
    }
    for command in packed.commands:
        program, *rest = shlex.split(command)
        done = subprocess.run(
            [own.get(program, program), *rest], cwd=packed.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (command, done.stdout[-500:], done.stderr[-500:])
        assert program != "pdfsig" or "Signature is Valid" in done.stdout


@pytest.mark.parametrize("name", ["manifest.json", "members/*", "receipts/*", "keys/*"])
def test_a_changed_file_is_found_by_the_first_command(packed: Packed, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(io.BytesIO(packed.data)) as archive:
        archive.extractall(tmp_path)
    changed = min(tmp_path.glob(name))
    data = bytearray(changed.read_bytes())
    data[len(data) // 2] ^= 1
    changed.write_bytes(data)
    done = subprocess.run(shlex.split(packed.commands[0]), cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 1


def test_the_download_is_one_recorded_look_and_gives_the_same_bytes_again(
    packed: Packed, browser: FlaskClient
) -> None:
    assert packed.reads == 1
    assert browser.get(f"/dossiers/{packed.dossier}/package", buffered=True).data == packed.data


def test_who_may_not_see_the_dossier_gets_nothing(rooms: Rooms, packed: Packed, tmp_path: Path) -> None:
    client = create_app(rooms, settings_of(tmp_path)).test_client()
    assert client.get(f"/dossiers/{packed.dossier}/package", buffered=True).status_code in {302, 303, 401}
    clerk = signed_in(rooms, create_app(rooms, settings_of(tmp_path / "s")), Role.CLERK, "scjg")
    assert clerk.get(f"/dossiers/{packed.dossier}/package", buffered=True).status_code == 403
