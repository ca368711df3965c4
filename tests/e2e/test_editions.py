# SPDX-License-Identifier: Apache-2.0
"""Cases are filed, and licences issued, under editions that were approved while every process was running."""

from pathlib import Path

import pytest
from archive_line import shared_converter
from editions import NEW_TYPE, new_edition, new_numbering, new_types
from installation import FOOD, Submissions, installed
from pdf_text import text_of
from sqlalchemy import select

from archive.models import Dossier
from licenses.lifecycle import Status
from licenses.models import License
from licenses.preview import sample_face
from portal import bootstrap
from portal.bootstrap import make_worker, open_rooms
from portal.rooms import Rooms
from storage.identity import Identity, Role

SYSTEM = Identity("person", "system-1", "office", frozenset({Role.SYSTEM_ADMIN}))
SECURITY = Identity("person", "security-1", "office", frozenset({Role.SECURITY_ADMIN}))


def agree(rooms: Rooms, data: bytes) -> None:
    """Propose and approve, each by another person."""
    editions = rooms.editions
    made = rooms.database.write(lambda uow: editions.propose(uow, SYSTEM, data, "新版指南").id)
    rooms.database.write(lambda uow: editions.approve(uow, SECURITY, made, "已核对"))


def test_one_process_approves_and_the_others_file_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "Converter", lambda _sandbox: shared_converter())
    with installed(tmp_path / "data") as site:
        made = Submissions(tmp_path / "files")
        worker, database, _ = make_worker(site.settings, "test", tuple)
        site.file(made.make("A-1"))
        while worker.run_one():
            pass
        approver = open_rooms(site.settings)
        agree(approver, new_edition(filing_days=7))
        agree(approver, new_numbering("{fonds}-SC·{year}·{retention}-{serial}"))
        approver.close()
        site.file(made.make("A-2", edition="2027-01"))
        site.file(made.make("A-3"))
        while worker.run_one():
            pass
        database.close()
        with site.rooms.database.reading() as uow:
            dossiers = uow.session.scalars(select(Dossier).order_by(Dossier.assembled_at)).all()
            filed = {one.archival_number: (one.item_code, one.item_edition) for one in dossiers}
    # Old cases stay with their edition; numbers given before the approval stay as they are.
    assert filed == {
        "Z901-ZY·XK·2026·D10-00001": (FOOD, "2026-03"),
        "Z901-SC·2026·D10-00001": (FOOD, "2027-01"),
        "Z901-SC·2026·D10-00002": (FOOD, "2026-03"),
    }


def test_a_licence_of_a_type_that_no_release_knows_is_issued_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "Converter", lambda _sandbox: shared_converter())
    with installed(tmp_path / "data") as site:
        made = Submissions(tmp_path / "files")
        worker, database, _ = make_worker(site.settings, "test", tuple)
        site.file(made.make("A-1"))
        while worker.run_one():
            pass
        approver = open_rooms(site.settings)
        agree(approver, new_types())
        agree(approver, new_edition(license_type=NEW_TYPE))
        kind = approver.license_types.get(NEW_TYPE)
        face = {field.name: sample_face(kind)[field.name] for field in kind.fields if field.source is None}
        approver.close()
        granted = {"type": NEW_TYPE, "number": "演新许00000001", "serial": "00000001", "face": face}
        days = {"issued_on": "2026-11-24", "valid_from": "2026-11-24", "valid_until": "2031-11-23"}
        site.file(made.make("A-2", edition="2027-01", result="approved", license=granted | days))
        while worker.run_one():
            pass
        database.close()
        with site.rooms.database.reading() as uow:
            (license_,) = uow.session.scalars(select(License))
            status = site.rooms.holdings.status(uow, license_, site.rooms.clock.now())
            filed = uow.session.scalars(select(Dossier.item_edition).order_by(Dossier.assembled_at)).all()
        page = text_of(site.rooms.objects.read(str(license_.object_sha256)))
    assert (license_.type_code, license_.type_version, status) == (NEW_TYPE, "2027-01", Status.VALID)
    assert "演示新设经营许可证" in page
    assert filed == ["2026-03", "2027-01"]
