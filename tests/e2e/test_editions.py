# SPDX-License-Identifier: Apache-2.0
"""A case is filed under an edition that was approved while every process of the installation was running."""

from pathlib import Path

import pytest
from archive_line import shared_converter
from editions import new_edition, new_numbering
from installation import FOOD, Submissions, installed
from sqlalchemy import select

from archive.models import Dossier
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
