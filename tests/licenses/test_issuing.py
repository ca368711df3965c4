# SPDX-License-Identifier: Apache-2.0
"""The step with real parts: typst, a throw-away authority, a folder of objects."""

import datetime as dt
import io
import json
from pathlib import Path

import pikepdf
import pytest
from license_house import House
from license_library import (
    BUSINESS,
    CLIENT,
    COMPANY,
    FACES,
    FOOD,
    GROUNDS,
    MANAGER,
    PERSON,
    ROAD,
    WORKER,
)
from sqlalchemy import select
from verapdf import VeraPdf

from documents.xmp import read_properties
from licenses.issuing import index_document
from licenses.lifecycle import Status
from licenses.metadata import from_xml, metadata_table, xmp_schema
from licenses.models import License, LicenseEvent
from licenses.questions import ProofQuestion
from portal.index_keeping import _findable
from seals.models import Sealing
from seals.register import registered_seals
from seals.services import SealService
from seals.verdicts import State
from seals.verification import verify_pdf
from storage.errors import CunzhengError
from storage.steps import StepRow


def test_an_issued_licence_is_sealed_stored_and_valid(house: House) -> None:
    house.register()
    license_ = house.issue(FOOD)
    data = house.objects.read(str(license_.object_sha256))
    assert len(data) == license_.object_size
    with house.library.database.reading() as uow:
        trust = house.pki.trust().with_seals(registered_seals(uow.session))
        status = house.library.holdings.status(uow, license_, house.library.clock.now())
        sealing = uow.session.scalars(select(Sealing)).one()
    assert verify_pdf(data, trust, None, house.library.clock.now()).state is State.VALID
    assert status is Status.VALID
    assert (sealing.state, sealing.after_sha256, sealing.seal_id) == (
        "sealed",
        license_.object_sha256,
        license_.seal_id,
    )
    assert [kind for kind in house.acts() if kind.startswith(("license", "sealing"))] == [
        "license.reserved",
        "sealing.intended",
        "sealing.sealed",
        "license.issued",
    ]


def test_readers_that_open_no_attachments_find_the_metadata_in_xmp(house: House) -> None:
    house.register()
    license_ = house.issue(FOOD)
    data = house.objects.read(str(license_.object_sha256))
    stated = read_properties(data, xmp_schema())
    with pikepdf.open(io.BytesIO(data)) as pdf:
        embedded = from_xml(pdf.attachments["metadata.xml"].get_file().read_bytes())
    assert stated["ZZBS"] == license_.identifier
    assert stated["CZZT"] == COMPANY[2]
    pinyin = {row.pinyin: row.item for row in metadata_table().items if row.pinyin}
    assert {pinyin[name]: value for name, value in stated.items()} == {
        name: value for name, value in embedded.items() if not name.startswith("KZ_")
    }


def test_the_file_carries_its_metadata_and_says_demonstration(house: House) -> None:
    house.register()
    license_ = house.issue(FOOD)
    data = house.objects.read(str(license_.object_sha256))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        files = {name: pdf.attachments[name].get_file().read_bytes() for name in pdf.attachments}
        assert "食品经营许可证" in str(pdf.docinfo["/Title"])
    metadata = json.loads(files["metadata.json"])
    assert metadata["certificateID"] == license_.identifier
    assert metadata["certificateHolderCode"] == COMPANY[1]
    assert from_xml(files["metadata.xml"])["identifier"] == license_.identifier


def test_without_an_enabled_seal_the_refusal_is_recorded_and_the_licence_waits(house: House) -> None:
    license_ = house.issue(FOOD)
    assert license_.object_sha256 is None
    assert "sealing.refused" in house.acts()
    assert "license.issued" not in house.acts()
    with house.library.database.reading() as uow:
        step = uow.session.get_one(StepRow, license_.issue_step)
        assert (step.state, step.problem, step.attempts) == ("ready", "seals-refused", 0)
        assert (
            house.library.holdings.status(uow, license_, house.library.clock.now()) is Status.IN_PREPARATION
        )
    assert house.acts().count("sealing.refused") == 1
    house.register()
    house.work()
    with house.library.database.reading() as uow:
        assert uow.session.get_one(License, license_.id).object_sha256


def test_what_no_seal_will_help_is_refused_for_good_and_no_enabled_seal_wakes_it(house: House) -> None:
    house.register(name="局")
    license_ = house.issue(FOOD)
    assert house.acts()[-3:] == ["sealing.intended", "sealing.refused", "sealing.abandoned"]
    with house.library.database.writing() as uow:
        SealService().suspend(uow, WORKER, house.seal_id, "audit")
        SealService().resume(uow, WORKER, house.seal_id, "audit-over")
    assert not house.worker.run_one()
    with house.library.database.reading() as uow:
        step = uow.session.get_one(StepRow, license_.issue_step)
        assert (step.state, step.problem, step.attempts) == ("stuck", "seals-not-sealable", 1)


@pytest.mark.parametrize("point", ["license.issue.after-seal", "license.issue.after-put"])
def test_a_try_that_dies_while_performing_is_abandoned_and_done_again(
    house: House, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    house.register()
    died: list[str] = []

    def die_once(name: str) -> None:
        if name == point and not died:
            died.append(name)
            raise CunzhengError

    monkeypatch.setattr("licenses.issuing.failpoint", die_once)
    license_ = house.issue(FOOD)
    house.library.clock.advance(10)
    house.work()
    with house.library.database.reading() as uow:
        assert uow.session.get_one(License, license_.id).object_sha256
        assert len(uow.session.scalars(select(LicenseEvent)).all()) == 1
    kinds = house.acts()
    assert kinds.count("sealing.intended") == 2
    assert (kinds.count("sealing.abandoned"), kinds.count("sealing.sealed")) == (1, 1)
    assert kinds.count("license.issued") == 1


def test_a_failing_record_leaves_nothing_half_written(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.register()

    def die(name: str) -> None:
        if name == "license.issue.before-record":
            raise CunzhengError

    with monkeypatch.context() as patch:
        patch.setattr("licenses.issuing.failpoint", die)
        license_ = house.issue(FOOD)
    assert license_.object_sha256 is None
    assert "license.issued" not in house.acts()


def test_a_seal_revoked_afterwards_cannot_be_judged(house: House) -> None:
    house.register()
    license_ = house.issue(BUSINESS)
    with house.library.database.writing() as uow:
        SealService().revoke(uow, WORKER, house.seal_id, "compromised")
    case = house.library.announce(FOOD)
    with house.library.database.writing() as uow:
        assert house.library.holdings.status(uow, license_, uow.clock.now()) is Status.SEAL_UNDETERMINED
        question = ProofQuestion(case.source, case.number, case.item_code, "accept")
        body = house.library.proofs.ask(uow, CLIENT, question).body
    assert body["requirements"][0]["reason"]["code"] == "R.SEAL_UNDETERMINED"  # type: ignore[index,call-overload]


def test_an_issued_licence_is_not_issued_again(house: House) -> None:
    house.register()
    license_ = house.issue(FOOD)
    with house.library.database.writing() as uow:
        uow.add_step("license.issue", license_.id)
    house.work()
    assert house.acts().count("license.issued") == 1


def test_a_licence_that_is_replaced_later_is_found_as_issued_until_then(house: House) -> None:
    house.register()
    starts = house.library.clock.now() + dt.timedelta(days=30)
    first = house.issue(FOOD)
    renewed = house.library.reserve(
        FOOD, replaces=first.identifier, change="renewal", valid_from=starts.date().isoformat()
    )
    house.work()

    def found() -> tuple[str, int, dict[str, int]]:
        with house.library.database.reading() as uow:
            document = index_document(uow, house.library.holdings, first.id)
            licences = _findable("licence", uow.clock.now())
            versions = {row[0]: row[1] for row in uow.session.execute(licences)}
        assert document is not None
        return document.state, document.version, versions

    state, version, versions = found()
    assert renewed.id in versions
    assert (state, versions[first.id]) == ("issued", version)
    house.library.clock.advance(31 * 86_400)
    state, later, versions = found()
    assert (state, versions[first.id]) == ("superseded", later)
    assert later > version, "the next comparison puts it anew"


def test_the_index_gets_what_may_be_shown(house: House) -> None:
    house.register()
    company, person = house.issue(FOOD), house.issue(ROAD, PERSON)
    with house.library.database.writing() as uow:
        first = index_document(uow, house.library.holdings, company.id)
        second = index_document(uow, house.library.holdings, person.id)
        assert index_document(uow, house.library.holdings, house.library.types.all()[0].code) is None
        house.library.service.suspend(uow, MANAGER, company.identifier, GROUNDS)
        changed = index_document(uow, house.library.holdings, company.id)
    assert first is not None
    assert second is not None
    assert changed is not None
    assert (first.kind, first.title, first.number) == ("licence", "食品经营许可证", company.identifier)
    assert COMPANY[2] in first.text
    assert "张演示" not in first.text + second.text
    assert PERSON[1] not in second.text
    assert changed.version > first.version


def test_a_long_face_runs_over_pages_and_the_file_is_still_sealed(house: House) -> None:
    house.register()
    scope = "食品销售；" * 399
    reserved = house.library.reserve(BUSINESS, face=FACES[BUSINESS] | {"scope": scope})
    house.work()
    with house.library.database.reading() as uow:
        stored = house.objects.read(str(uow.session.get_one(License, reserved.id).object_sha256))
    with pikepdf.open(io.BytesIO(stored)) as pdf:
        assert len(pdf.pages) == 3


@pytest.mark.conformance
def test_verapdf_passes_every_type_of_licence(house: House, tmp_path: Path) -> None:
    judge = VeraPdf()
    house.register()
    files = []
    for type_code, holder in ((FOOD, COMPANY), (BUSINESS, COMPANY), (ROAD, PERSON)):
        path = tmp_path / f"{type_code}.pdf"
        path.write_bytes(house.objects.read(str(house.issue(type_code, holder).object_sha256)))
        files.append(path)
    judged = judge.judge(files)
    assert {path.name: judged[path].rules for path in files if not judged[path].passed} == {}
