# SPDX-License-Identifier: Apache-2.0
"""What no record needs leaves the bucket, a day after it was found, and nothing else ever does."""

import datetime as dt
import io
import os
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fakes import HandClock, make_database
from parts import S3, role_keys
from sqlalchemy import select

from archive.models import DossierMember
from portal.errors import SweepImpossibleError
from portal.object_keeping import NAMES_OBJECTS, Leftover, ObjectKeeper, Swept
from portal.tables import all_tables
from storage.database import Database
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct
from storage.objects.bucket import BucketStore
from storage.objects.folder import FolderStore
from storage.objects.leftovers import Destroyer, FolderInventory, Inventory
from storage.objects.ports import object_key
from storage.objects.probe import LockProbe
from storage.objects.renewal import TERMS
from storage.objects.server import BucketAddress, connect
from storage.objects.versions import LockMode, TableBook, Version
from storage.steps import StepRow

ADMINISTRATOR = Identity("person", "keeper", "office", frozenset({Role.SYSTEM_ADMIN}))
DAY = 86_400.0
NOT_NAMES = {
    "license_decision.body_sha256": "of the answer's body, which is a member once the dossier is assembled",
    "filing.content_sha256": "of the metadata's content, formatting aside",
    "filing.set_sha256": "of the set, the key of idempotency",
    "filing_material.declared_sha256": "as the sender said",
    "ladder_request.base_sha256": "of what a system signed, which the row holds encrypted",
    "license.data_sha256": "of the stated data",
    "stock_run.profile_sha256": "of the edition of the profile, which is a row",
    "stock_run.file_sha256": "of the file as it was sent, which is kept encrypted",
    "seal.certificate_sha256": "of the certificate, which the row holds",
    "sealing.after_sha256": "members and licences name it once it is recorded",
    "sealing.before_sha256": "materials name it",
    "sealing.cms_sha256": "of a part of the sealed file",
    "sealing.signed_sha256": "of a part of the sealed file",
}


def member(sha256: str) -> DossierMember:
    return DossierMember(
        id=uuid.uuid4().hex[:26],
        dossier_id="d",
        position=uuid.uuid4().int % 10**6,
        role="original",
        code="c",
        title="t",
        file_name="f",
        sha256=sha256,
        sm3="",
        size=1,
        media_type="text/plain",
    )


on_server = [
    pytest.mark.services,
    pytest.mark.skipif(S3 not in os.environ, reason=f"{S3} names no server (scripts/services.sh)"),
]


@dataclass
class Place:
    """A bucket with its keys, its records and a clock that runs ahead of the server's."""

    keys: dict[str, BucketAddress]
    database: Database
    clock: HandClock
    store: BucketStore

    def keeper(self, *, destroys: bool = True) -> ObjectKeeper:
        destroyer = Destroyer(self.keys["destroyer"]) if destroys else None
        return ObjectKeeper(self.database, Inventory(self.keys["auditor"]), destroyer, self.clock)

    def sweep(self, *, destroys: bool = True) -> Swept:
        return self.keeper(destroys=destroys).sweep(ADMINISTRATOR)

    def put(self, data: bytes, *, recorded: bool) -> str:
        sha256 = self.store.put(data, "text/plain").sha256
        if recorded:
            self.record(sha256)
        return sha256

    def record(self, sha256: str) -> None:
        with self.database.writing() as uow:
            uow.session.add(member(sha256))

    def version(self, sha256: str) -> Version | None:
        return TableBook(self.database).find(object_key(sha256))

    def versions(self, key: str) -> list[str]:
        return [one.version_id for one in Inventory(self.keys["auditor"]).versions(key)]


@pytest.fixture
def place(tmp_path: Path) -> Place:
    keys = role_keys(tmp_path, f"test-{uuid.uuid4().hex}")
    clock = HandClock(dt.datetime.now(dt.UTC))
    database = make_database(tmp_path, clock)
    return Place(keys, database, clock, BucketStore(keys["writer"], TableBook(database), clock))


class TestOnServer:
    pytestmark = on_server

    def test_bytes_that_no_record_names_go_with_the_second_sweep_and_others_stay(self, place: Place) -> None:
        named, orphan = place.put(b"named", recorded=True), place.put(b"orphan", recorded=False)
        assert place.sweep().recent == 1
        place.clock.advance(DAY + 60)
        first = place.sweep()
        assert (first.needed, first.given_up, first.removed) == (1, 1, 0)
        assert place.versions(object_key(orphan))
        place.clock.advance(DAY + 60)
        second = place.sweep()
        assert (second.needed, second.given_up, second.removed) == (1, 0, 1)
        assert not place.versions(object_key(orphan))
        assert place.version(orphan) is None
        assert place.store.read(named) == b"named"
        assert place.sweep() == Swept(needed=1)

    def test_what_is_given_up_is_no_longer_renewed(self, place: Place) -> None:
        place.put(b"orphan", recorded=False)
        named = place.put(b"named", recorded=True)
        place.clock.advance(DAY + 60)
        place.sweep(destroys=False)
        place.clock.advance(TERMS[LockMode.GOVERNANCE].total_seconds())
        assert place.store.renew() == 1
        version = place.version(named)
        assert version is not None
        assert version.lock.until > place.clock.now()

    def test_who_puts_given_up_bytes_again_gets_a_version_that_stays(self, place: Place) -> None:
        sha256 = place.put(b"again", recorded=False)
        place.clock.advance(DAY + 60)
        place.sweep()
        place.clock.advance(60)
        assert place.put(b"again", recorded=True) == sha256
        assert len(place.versions(object_key(sha256))) == 2
        place.clock.advance(2 * DAY)
        assert place.sweep().found == {Leftover.SUPERSEDED: 1}
        assert len(place.versions(object_key(sha256))) == 1
        assert place.store.read(sha256) == b"again"

    def test_what_a_record_names_before_the_second_sweep_is_taken_back(self, place: Place) -> None:
        sha256 = place.put(b"late", recorded=False)
        place.clock.advance(DAY + 60)
        place.sweep()
        # A put that had looked before the sweep did, and whose record came after it.
        place.record(sha256)
        place.clock.advance(DAY + 60)
        assert place.sweep().removed == 0
        assert place.store.read(sha256) == b"late"
        version = place.version(sha256)
        assert version is not None
        assert not version.given_up

    def test_bytes_that_were_put_and_never_noted_are_found_all_the_same(self, place: Place) -> None:
        key = object_key("ab" * 32)
        connect(place.keys["writer"]).put_object(place.keys["writer"].bucket, key, io.BytesIO(b"crash"), 5)
        place.clock.advance(DAY + 60)
        assert place.sweep().given_up == 1
        place.clock.advance(DAY + 60)
        assert place.sweep().removed == 1
        assert not place.versions(key)

    def test_a_filed_member_is_stored_once_after_a_sweep(self, place: Place) -> None:
        sha256 = place.put(b"member", recorded=True)
        place.store.keep(sha256)
        assert len(place.versions(object_key(sha256))) == 2
        place.clock.advance(DAY + 60)
        assert place.sweep().removed == 1
        version = place.version(sha256)
        assert version is not None
        assert place.versions(object_key(sha256)) == [version.version_id]
        assert version.lock.mode is LockMode.COMPLIANCE

    def test_a_step_under_way_keeps_what_it_may_have_put(self, place: Place) -> None:
        with place.database.writing() as uow:
            row = uow.session.get_one(StepRow, uow.add_step("archive.seal", "f"))
            row.state, row.plan = "running", b"planned"
        place.put(b"staged", recorded=False)
        place.clock.advance(10 * DAY)
        assert place.sweep().recent == 1
        with place.database.writing() as uow:
            uow.session.scalars(select(StepRow)).one().state = "done"
        assert place.sweep().given_up == 1

    def test_locks_that_last_and_names_of_others_are_left_and_told(self, place: Place) -> None:
        writer = connect(place.keys["writer"])
        writer.put_object(place.keys["writer"].bucket, "somebody/else", io.BytesIO(b"what"), 4)
        LockProbe(place.keys["writer"], place.clock).run()
        place.clock.advance(DAY + 60)
        swept = place.sweep()
        assert swept.found[Leftover.STRANGER] == 1
        # The canaries' locks end by the server's clock, which has not moved; one attack put a version on top.
        assert swept.locked == swept.found[Leftover.CANARY] - swept.removed > 0
        assert place.versions("somebody/else")

    def test_every_removal_stands_in_the_ledger(self, place: Place) -> None:
        place.store.keep(place.put(b"member", recorded=True))
        place.clock.advance(DAY + 60)
        place.sweep()
        with place.database.reading() as uow:
            act = uow.session.scalars(select(LedgerAct)).one()
            detail = uow.secrets.decrypt(act.detail)
        assert act.kind == ActKind.STORE_SWEPT
        assert act.actor_id == ADMINISTRATOR.id
        assert b"o/sha256/" in detail

    def test_a_hidden_object_is_uncovered(self, place: Place) -> None:
        sha256 = place.put(b"hidden", recorded=True)
        connect(place.keys["destroyer"]).remove_object(place.keys["writer"].bucket, object_key(sha256))
        place.clock.advance(DAY + 60)
        assert place.sweep().found == {Leftover.SUPERSEDED: 1}
        version = place.version(sha256)
        assert version is not None
        assert place.versions(object_key(sha256)) == [version.version_id]

    def test_others_may_not(self, place: Place) -> None:
        supervisor = Identity("person", "s", "office", frozenset({Role.SUPERVISOR}))
        with pytest.raises(NotPermittedError):
            place.keeper().sweep(supervisor)
        with pytest.raises(NotPermittedError):
            list(place.keeper().survey(supervisor))


def test_in_a_folder_leftovers_are_listed_and_stay(tmp_path: Path) -> None:
    clock = HandClock(dt.datetime.now(dt.UTC))
    database = make_database(tmp_path, clock)
    store = FolderStore(tmp_path / "objects")
    orphan, named = (store.put(data, "text/plain").sha256 for data in (b"orphan", b"named"))
    with database.writing() as uow:
        uow.session.add(member(named))
    keeper = ObjectKeeper(database, FolderInventory(tmp_path / "objects"), None, clock)
    assert list(keeper.survey(ADMINISTRATOR)) == []
    clock.advance(DAY + 60)
    assert [(kind, one.key) for kind, one in keeper.survey(ADMINISTRATOR)] == [
        (Leftover.ORPHAN, object_key(orphan))
    ]
    with pytest.raises(SweepImpossibleError):
        keeper.sweep(ADMINISTRATOR)


def digest_columns() -> Iterator[str]:
    for table in all_tables().tables.values():
        if table.name.startswith("ledger_") or table.name == "object_version":
            continue
        yield from (f"{table.name}.{column.name}" for column in table.columns if "sha256" in column.name)


def test_every_column_with_a_digest_names_objects_or_says_why_not() -> None:
    """A column that names bytes and is forgotten here would let a sweep remove them."""
    names = {f"{column.class_.__tablename__}.{column.key}" for column in NAMES_OBJECTS}
    assert names | set(NOT_NAMES) == set(digest_columns())
    assert not names & set(NOT_NAMES)
