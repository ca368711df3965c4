# SPDX-License-Identifier: Apache-2.0
"""Licences of the demonstration, verified without its database: file and folder, seven right verdicts."""

import io
import json
from contextlib import redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from demonstration import copy_of, opened, settings_of
from fakes import HandClock
from license_house import House
from license_library import FOOD
from sqlalchemy import select

from cases.models import Holder
from documents.typesetting import Typesetter
from licenses.events import Grounds
from licenses.faces import LicenseData
from licenses.lifecycle import EventKind, Status
from licenses.models import License
from portal import cli
from portal.bootstrap import make_worker
from portal.offline import DIRECTORY, LIST
from portal.revocation import revoke_seal
from portal.rooms import Rooms
from seals import demo_pki
from seals.keys import FileKeyStore
from storage.identity import Identity, Role

pytestmark = pytest.mark.slow
GROUNDS = Grounds("监督检查发现问题", "行政许可法第六十九条")


@dataclass(frozen=True)
class Carried:
    """What an inspector carries: files by what they are, and the folder that was saved before."""

    files: dict[str, Path]
    folder: Path
    unlisted: Path


def manager_of(license_: License) -> Identity:
    return Identity("person", "manager", license_.organisation, frozenset({Role.LICENSE_MANAGER}))


def renewed(rooms: Rooms, old: License) -> None:
    """Reserve the next version of a licence, with the same face."""
    with rooms.database.writing() as uow:
        face = rooms.holdings.face(uow, old)
        kind = rooms.license_types.get(old.type_code)
        own = {
            field.name: face[field.name] for field in kind.fields if field.name in face and not field.source
        }
        data = {
            "type": old.type_code,
            "number": old.number,
            "issued_on": old.issued_on.isoformat(),
            "valid_from": old.valid_from.isoformat() if old.valid_from else None,
            "valid_until": old.valid_until.isoformat() if old.valid_until else None,
            "face": own,
            "replaces": old.identifier,
            "change": "reissue",
        }
        holder = uow.session.get_one(Holder, old.holder_id)
        licence = LicenseData.model_validate_json(json.dumps(data))
        rooms.licenses.reserve_by_office(uow, manager_of(old), holder, licence, GROUNDS)


def issued_elsewhere(folder: Path) -> bytes:
    """Let another installation, with an authority of its own, issue a licence of the same type and office."""
    authority = demo_pki.create(
        folder / "pki", FileKeyStore(folder / "keys"), HandClock(), [("scjg", "演示市市场监督管理局")]
    )
    house = House(folder, authority, Typesetter())
    house.register()
    data = house.objects.read(house.issue(FOOD).object_sha256 or "")
    house.library.database.close()
    return data


def work(data: Path) -> None:
    worker, database, _ = make_worker(settings_of(data), "test", tuple)
    while worker.run_one():
        pass
    database.close()


def save(data: Path, folder: Path) -> None:
    with redirect_stdout(io.StringIO()):
        assert cli.run(["--data", str(data), "directory", "save", str(folder)]) == 0


def verified(file: Path, folder: Path) -> tuple[int, dict[str, Any]]:
    with redirect_stdout(io.StringIO()) as said:
        code = cli.run(["verify", str(file), "--offline", str(folder), "--json"])
    report: dict[str, Any] = json.loads(said.getvalue())
    return code, report


@pytest.fixture(scope="module")
def carried(demo_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Carried:
    """Let things befall licences, write their files down, save the folder, and take the installation away."""
    base = tmp_path_factory.mktemp("offline")
    data = copy_of(demo_data, base / "data")
    with opened(data) as rooms:
        with rooms.database.reading() as uow:
            now = rooms.clock.now()
            issued = uow.session.scalars(select(License).where(License.issued_at.is_not(None))).all()
            by_status = [(rooms.holdings.status(uow, one, now), one) for one in issued]
        valid = [one for status, one in by_status if status is Status.VALID]
        revoked = next(one for one in valid if one.seal_id != valid[0].seal_id)
        others = [one for one in valid if one.seal_id != revoked.seal_id]
        chosen = {
            "valid": others[0],
            "suspended": others[1],
            "superseded": others[2],
            "seal-revoked": revoked,
            "expired": next(one for status, one in by_status if status is Status.EXPIRED),
        }
        suspended = chosen["suspended"]
        with rooms.database.writing() as uow:
            manager = manager_of(suspended)
            rooms.licenses.change(uow, manager, suspended.identifier, EventKind.SUSPENDED, GROUNDS)
        renewed(rooms, chosen["superseded"])
        keeper = Identity("person", "keeper", revoked.organisation, frozenset({Role.SEAL_MANAGER}))
        revoke_seal(rooms, keeper, revoked.seal_id or "", "lost")
        files = {}
        for name, one in chosen.items():
            files[name] = base / f"{name}.pdf"
            files[name].write_bytes(rooms.objects.read(one.object_sha256 or ""))
    work(data)
    files["tampered"] = base / "tampered.pdf"
    files["tampered"].write_bytes((demo_data / "tampered-copy.pdf").read_bytes())
    files["foreign"] = base / "foreign.pdf"
    files["foreign"].write_bytes(issued_elsewhere(base / "elsewhere"))
    folder, unlisted = base / "folder", base / "unlisted"
    save(data, folder)
    save(data, unlisted)
    (unlisted / LIST).unlink()
    data.rename(base / "taken-away")
    return Carried(files, folder, unlisted)


@pytest.mark.parametrize(
    ("kind", "code", "status", "file_code"),
    [
        ("valid", 0, "valid", 0),
        ("expired", 1, "expired", 0),
        ("suspended", 1, "suspended", 0),
        ("superseded", 1, "superseded", 0),
        ("tampered", 1, "not-checked", 2),
        ("foreign", 2, "not-checked", 1),
        ("seal-revoked", 2, "not-checked", 1),
    ],
)
def test_file_and_folder_alone_give_the_right_verdict(
    carried: Carried, kind: str, code: int, status: str, file_code: int
) -> None:
    exit_code, report = verified(carried.files[kind], carried.folder)
    said = (exit_code, report["licence"]["code"], report["file_check"]["code"])
    assert said == (code, status, file_code), report["sentence"]


def test_without_the_list_no_licence_is_valid(carried: Carried) -> None:
    code, report = verified(carried.files["valid"], carried.unlisted)
    assert (code, report["licence"]["code"]) == (2, "not-listed")


def test_a_folder_that_was_altered_is_refused(carried: Carried, tmp_path: Path) -> None:
    save_from = (carried.unlisted / DIRECTORY).read_text()
    head, body, seal = save_from.split(".")
    altered = tmp_path / "folder"
    altered.mkdir()
    for path in carried.unlisted.iterdir():
        (altered / path.name).write_bytes(path.read_bytes())
    (altered / DIRECTORY).write_text(f"{head}.{body[:-4]}AAAA.{seal}")
    with redirect_stdout(io.StringIO()):
        assert cli.run(["verify", str(carried.files["valid"]), "--offline", str(altered)]) == 2
