# SPDX-License-Identifier: Apache-2.0
"""A seal whose certificate its authority revoked: no answer says valid, whatever the register says."""

import datetime as dt
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from fakes import HandClock
from license_library import COMPANY, FOOD, WORKER, Library
from sqlalchemy import event

from licenses.information import InformationService
from licenses.lifecycle import Status
from licenses.metadata import registered_items
from licenses.models import License
from licenses.published import status_entries
from licenses.standings import READ_EVERY, CertificateLists, RegisterStandings
from licenses.status_list import ListedStatus, StatusList
from seals.demo_pki import DemoPki
from seals.services import Scope, SealService
from seals.trust import TrustList
from storage.identity import PUBLIC


@dataclass
class Place:
    """A library whose seals are judged by the register and by the lists of an authority of its own."""

    library: Library
    pki: DemoPki
    lists: CertificateLists
    seal: str

    def issue(self) -> License:
        return self.library.issue_reserved(self.library.reserve(FOOD), self.seal)

    def revoke_certificate(self, at: dt.datetime) -> None:
        certificate = x509.load_der_x509_certificate(self.pki.certificate("scjg"))
        self.pki.write_revocations({certificate.serial_number: at})

    def listed(self, license_: License) -> ListedStatus | None:
        now = self.library.clock.now()
        with self.library.database.reading() as uow:
            entries = status_entries(uow, now, self.library.holdings.revoked_seals(uow))
            return StatusList("", now, now, entries).of(license_.status_index or 0)


@pytest.fixture
def place(tmp_path: Path, authority: DemoPki) -> Iterator[Place]:
    clock = HandClock()
    shutil.copytree(authority.folder, tmp_path / "pki")
    pki = DemoPki(tmp_path / "pki", authority.keys, clock)
    lists = CertificateLists(pki.trust, clock)
    library = Library(tmp_path, RegisterStandings(lists), clock)
    with library.database.writing() as uow:
        seal, _ = SealService().register(
            uow,
            WORKER,
            name="演示市市场监督管理局",
            department="scjg",
            key_reference=pki.seal_key("scjg"),
            certificate=pki.certificate("scjg"),
            scope=Scope(("scjg",)),
        )
        SealService().enable(uow, WORKER, seal.id)
    yield Place(library, pki, lists, seal.id)
    library.database.close()


def test_a_certificate_revoked_afterwards_leaves_its_licences_undetermined(place: Place) -> None:
    made = place.issue()
    assert place.library.status(made) is Status.VALID
    place.library.clock.advance(5)
    place.revoke_certificate(place.library.clock.now())
    place.lists.renew()
    place.library.clock.advance(5)
    assert place.library.status(made) is Status.SEAL_UNDETERMINED
    assert place.listed(made) is ListedStatus.SUSPENDED
    stated = registered_items(made) | {"holder_scheme": COMPANY[0], "holder_code": COMPANY[1]}
    with place.library.database.writing() as uow:
        service = InformationService(place.library.holdings, place.library.holders)
        found = service.check(uow, PUBLIC, stated)
    assert (found.code, found.reasons) == (4, ("seal-undetermined",))


def test_a_certificate_revoked_before_makes_its_seal_invalid(place: Place) -> None:
    made = place.issue()
    place.revoke_certificate(place.library.clock.now() - dt.timedelta(days=1))
    place.lists.renew()
    assert place.library.status(made) is Status.SEAL_INVALID
    assert place.listed(made) is ListedStatus.INVALID


def test_lists_are_read_again_beside_who_asks_and_each_seal_is_judged_once(place: Place) -> None:
    made = place.issue()
    assert place.library.status(made) is Status.VALID
    sent: list[str] = []
    event.listen(
        place.library.database.engine, "before_cursor_execute", lambda *given: sent.append(str(given[2]))
    )
    assert place.library.status(made) is Status.VALID
    assert not [one for one in sent if "certificate" in one]
    place.revoke_certificate(place.library.clock.now())
    place.library.clock.advance(int(READ_EVERY) + 1)
    place.library.status(made)
    # The reader lets go of its lock when it has read.
    with place.lists._renewing:
        assert place.library.status(made) is Status.SEAL_UNDETERMINED


def test_lists_that_cannot_be_read_leave_what_was_known(place: Place) -> None:
    made = place.issue()
    place.library.clock.advance(5)
    place.revoke_certificate(place.library.clock.now())
    place.lists.renew()
    (place.pki.folder / "root.crl").unlink()
    place.lists.renew()
    assert place.library.status(made) is Status.SEAL_UNDETERMINED


def test_where_no_list_was_ever_read_the_register_decides(place: Place) -> None:
    def unreadable() -> TrustList:
        raise FileNotFoundError

    lists = CertificateLists(unreadable, place.library.clock)
    made = place.issue()
    with place.library.database.reading() as uow:
        assert RegisterStandings(lists).revocations(uow, {made.seal_id or ""}) == {}
