# SPDX-License-Identifier: Apache-2.0
"""Setting up again: nothing is doubled, and what a crash left unpublished is published."""

from pathlib import Path

from cryptography import x509
from once import copy_prepared

from portal.bootstrap import open_rooms
from portal.initialise import initialise
from portal.settings import Settings
from storage.identity import system_identity


def test_a_revocation_whose_list_was_never_written_is_published_by_the_next_set_up(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "data")
    copy_prepared(settings.data)
    rooms = open_rooms(settings)
    manager = system_identity("test")
    with rooms.database.writing() as uow:
        seal = rooms.seals.list(uow, manager)[0]
        rooms.seals.revoke(uow, manager, seal.id, "lost")
    rooms.close()
    listed = settings.pki / "root.crl"
    assert len(x509.load_pem_x509_crl(listed.read_bytes())) == 0
    done = initialise(settings)
    assert len(x509.load_pem_x509_crl(listed.read_bytes())) == 1
    assert len(done) == 1
