# SPDX-License-Identifier: Apache-2.0
"""What the demonstration sealed and stored, judged by programs that we did not write."""

import hashlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from demonstration import SealedFile, opened, sealed_files, written
from sqlalchemy import func, select
from verapdf import VeraPdf

from archive.manifests import read
from archive.models import Dossier, Filing, FilingMaterial, MaterialOutcome
from archive.names import sent_names
from cases.models import Case
from portal.demo.script import Script
from portal.rooms import Rooms
from seals.models import Sealing

pytestmark = pytest.mark.conformance


@pytest.fixture(scope="module")
def rooms(demo_data: Path) -> Iterator[Rooms]:
    with opened(demo_data) as rooms:
        yield rooms


@pytest.fixture(scope="module")
def sealed(rooms: Rooms) -> list[SealedFile]:
    return sealed_files(rooms)


@pytest.fixture(scope="module")
def paths(rooms: Rooms, sealed: list[SealedFile], tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return written(rooms, sealed, tmp_path_factory.mktemp("sealed"))


def test_every_use_of_a_seal_left_a_stored_file(rooms: Rooms, sealed: list[SealedFile]) -> None:
    with rooms.database.reading() as uow:
        kinds = dict(
            uow.session.execute(
                select(Sealing.document_type, func.count()).group_by(Sealing.document_type)
            ).all()
        )
        states = set(uow.session.scalars(select(Sealing.state)))
        filed = uow.session.scalar(select(func.count()).where(Filing.state == "filed"))
    assert states == {"sealed"}
    assert kinds.keys() == {"catalogue", "commitment", "licence", "rendition", "manifest"}
    assert kinds["catalogue"] == kinds["manifest"] == filed
    assert len(sealed) == sum(kinds.values()) - kinds["manifest"]
    routes = {"pdf-normalised", "image-embedded", "image-reencoded", "office"}
    assert {file.kind for file in sealed} == {"catalogue", "commitment", "licence"} | routes


def test_verapdf_passes_every_sealed_file_at_the_level_it_was_filed_under(
    sealed: list[SealedFile], paths: list[Path]
) -> None:
    judged = VeraPdf().judge(paths)
    assert {str(path): judged[path].rules for path in paths if not judged[path].passed} == {}
    for file, path in zip(sealed, paths, strict=True):
        assert judged[path].profile.startswith(f"PDF/A-{file.level.upper()} ")


def test_pdfsig_says_valid_and_total(paths: list[Path], require_tool: Callable[[str], str]) -> None:
    pdfsig = require_tool("pdfsig")
    for path in paths:
        said = subprocess.run(
            [pdfsig, "-nocert", str(path)], capture_output=True, text=True, check=True
        ).stdout
        assert said.count("Signature #") == said.count("Signature is Valid.") == 1, path
        assert "Total document signed" in said, path


def test_qpdf_finds_no_fault(paths: list[Path], require_tool: Callable[[str], str]) -> None:
    qpdf = require_tool("qpdf")
    for path in paths:
        done = subprocess.run([qpdf, "--check", str(path)], check=False, capture_output=True, text=True)
        assert done.returncode == 0, (path, done.stdout, done.stderr)


def test_pdfa_that_was_kept_is_the_pdfa_that_was_found(rooms: Rooms, tmp_path: Path) -> None:
    with rooms.database.reading() as uow:
        kept = uow.session.scalars(
            select(FilingMaterial).where(FilingMaterial.outcome == MaterialOutcome.KEPT)
        ).all()
    assert kept
    judged = VeraPdf().judge(list(dict.fromkeys(written(rooms, kept, tmp_path))))
    for material in kept:
        one = judged[tmp_path / f"{material.sha256}.pdf"]
        assert (one.passed, one.rules) == (True, ())
        assert one.profile.startswith(f"PDF/A-{str(material.level).upper()} ")


def test_every_original_is_stored_byte_for_byte_sealed_ones_too(rooms: Rooms) -> None:
    script = Script.load()
    folders = {}
    for case in script.cases:
        if (case.folder / "case.json").exists():
            folders.setdefault(case.data()["number"], []).append(case.folder)
    query = (
        select(Case.number, Filing.attempt, FilingMaterial)
        .join(Filing, Filing.case_id == Case.id)
        .join(FilingMaterial, FilingMaterial.filing_id == Filing.id)
    )
    with rooms.database.reading() as uow:
        rows = uow.session.execute(query).all()
        names = {material.id: sent_names(uow, material).file_name for _, _, material in rows}
    for number, attempt, material in rows:
        sent = (folders[number][attempt - 1] / names[material.id]).read_bytes()
        assert rooms.objects.read(material.sha256) == sent
    untouched = [
        names[material.id] for _, _, material in rows if material.outcome == MaterialOutcome.SEALED_KEPT
    ]
    assert untouched == [name for case in script.cases for name in case.expect.get("sealed_kept", ())]


def _manifests(rooms: Rooms) -> Iterator[tuple[Dossier, bytes, bytes]]:
    with rooms.database.reading() as uow:
        dossiers = uow.session.scalars(select(Dossier)).all()
    for dossier in dossiers:
        key = str(dossier.manifest_key)
        yield dossier, rooms.objects.read_named(key), rooms.objects.read_named(f"{key}.p7s")


def test_openssl_verifies_the_seal_of_every_manifest(
    rooms: Rooms, tmp_path: Path, require_tool: Callable[[str], str]
) -> None:
    openssl = require_tool("openssl")
    (tmp_path / "ca.pem").write_bytes(rooms.trust_pem())
    command = [openssl, "cms", "-verify", "-cades", "-binary", "-inform", "DER", "-in", "manifest.p7s"]
    command += ["-content", "manifest.json", "-CAfile", "ca.pem", "-purpose", "any"]

    def code(manifest: bytes, seal: bytes) -> int:
        (tmp_path / "manifest.json").write_bytes(manifest)
        (tmp_path / "manifest.p7s").write_bytes(seal)
        return subprocess.run(command, cwd=tmp_path, check=False, capture_output=True).returncode

    for dossier, manifest, seal in _manifests(rooms):
        assert code(manifest, seal) == 0, dossier.id
        assert code(manifest.replace(b'"version":1', b'"version":2'), seal) != 0, dossier.id


def test_every_manifest_names_its_members_as_they_are_stored(rooms: Rooms) -> None:
    for dossier, manifest, _ in _manifests(rooms):
        content: Any = read(manifest)
        assert content["dossier"] == dossier.id
        for member in content["members"]:
            data = rooms.objects.read(member["sha256"])
            assert (len(data), hashlib.new("sm3", data).hexdigest()) == (member["size"], member["sm3"])
