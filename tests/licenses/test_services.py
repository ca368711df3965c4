# SPDX-License-Identifier: Apache-2.0
import json
from dataclasses import replace

import pytest
from inserted import rowid
from license_library import (
    BUSINESS,
    CLERK,
    CLIENT,
    FOOD,
    GROUNDS,
    MANAGER,
    OTHER,
    PERSON,
    ROAD,
    SUPERVISOR,
    WORKER,
    Library,
    license_data,
    on_case,
)
from sqlalchemy import func, select

from cases.models import Holder
from licenses.errors import (
    CodeUnknownError,
    LicenseDataError,
    LicenseExistsError,
    LicenseHiddenError,
    LicenseStateError,
    ReasonRequiredError,
)
from licenses.events import Grounds
from licenses.lifecycle import Status
from licenses.metadata import registered_items
from licenses.models import License, LicenseEvent, LicenseUsage
from storage.errors import NotPermittedError
from storage.identity import AccessBasis, Basis, Role
from storage.ledger.models import LedgerAct
from storage.steps import StepRow


def acts(library: Library) -> list[str]:
    with library.database.reading() as uow:
        return list(uow.session.scalars(select(LedgerAct.kind).order_by(LedgerAct.recorded_at, rowid)))


def status(library: Library, license_: License) -> Status:
    with library.database.reading() as uow:
        return library.holdings.status(uow, license_, library.clock.now())


def test_reserving_composes_identifier_code_and_queues_the_making(library: Library) -> None:
    license_ = library.reserve(FOOD)
    issuer = library.items.department("scjg").uscc
    assert license_.identifier.startswith(f"1.2.156.3005.2.{FOOD}.{issuer}.N8001000001.001.")
    assert len(license_.code) == 26
    assert status(library, license_) is Status.IN_PREPARATION
    with library.database.reading() as uow:
        step = uow.session.get_one(StepRow, license_.issue_step)
        assert (step.kind, step.subject) == ("license.issue", license_.id)
    assert acts(library)[-1] == "license.reserved"


def test_the_face_is_stored_encrypted(library: Library) -> None:
    license_ = library.reserve(FOOD)
    assert "演示食品".encode() not in license_.face_cipher
    with library.database.reading() as uow:
        assert library.holdings.face(uow, license_)["operator"] == "演示食品有限公司"


def test_the_same_data_again_give_the_same_licence_and_other_data_a_conflict(library: Library) -> None:
    case = library.announce(FOOD, closed=True)
    first, again = library.reserve(FOOD, case=case), library.reserve(FOOD, case=case)
    assert first.id == again.id
    with pytest.raises(LicenseExistsError):
        library.reserve(FOOD, case=case, valid_until="2029-04-30")


def test_a_number_is_used_once_per_type_and_issuer(library: Library) -> None:
    library.reserve(FOOD)
    with pytest.raises(LicenseExistsError):
        library.reserve(FOOD)


def test_a_number_with_other_characters_needs_a_serial(library: Library) -> None:
    with pytest.raises(LicenseDataError) as error:
        library.reserve(ROAD, number="演交运管许可字339999000001号")
    assert error.value.facts == {"field": "number", "rule": "serial-0-9A-Z"}
    license_ = library.reserve(ROAD, number="演交运管许可字339999000001号", serial="339999000001")
    assert ".339999000001.001." in license_.identifier


def test_the_type_must_be_the_one_the_item_gives(library: Library) -> None:
    case = library.announce(FOOD, closed=True)
    item = library.items.get(case.item_code, case.item_edition)
    with library.database.writing() as uow:
        holder = uow.session.get_one(Holder, case.holder_id)
        with pytest.raises(LicenseDataError):
            library.service.reserve(uow, WORKER, case, item, holder, license_data(BUSINESS))


def test_only_who_may_file_reserves(library: Library) -> None:
    case = library.announce(FOOD, closed=True)
    item = library.items.get(case.item_code, case.item_edition)
    for identity in (CLERK, MANAGER, SUPERVISOR, replace(CLIENT, sources=frozenset({"other"}))):
        with library.database.writing() as uow:
            holder = uow.session.get_one(Holder, case.holder_id)
            with pytest.raises(NotPermittedError):
                library.service.reserve(uow, identity, case, item, holder, license_data(FOOD))


def test_suspension_ends_by_resuming_and_revocation_never(library: Library) -> None:
    license_ = library.issue(FOOD)
    steps = [
        (library.service.suspend, Status.SUSPENDED),
        (library.service.resume, Status.VALID),
        (library.service.revoke, Status.REVOKED),
    ]
    for change, expected in steps:
        library.clock.advance(60)
        with library.database.writing() as uow:
            change(uow, MANAGER, license_.identifier, GROUNDS)
        assert status(library, license_) is expected
    with library.database.writing() as uow, pytest.raises(LicenseStateError):
        library.service.resume(uow, MANAGER, license_.identifier, GROUNDS)
    assert acts(library)[-3:] == ["license.suspended", "license.resumed", "license.revoked"]


def test_each_change_queues_the_index(library: Library) -> None:
    license_ = library.issue(FOOD)
    with library.database.writing() as uow:
        library.service.cancel(uow, MANAGER, license_.identifier, GROUNDS)
    with library.database.reading() as uow:
        kinds = uow.session.scalars(select(StepRow.kind).where(StepRow.subject == f"licence:{license_.id}"))
        assert list(kinds) == ["index.put"]


@pytest.mark.parametrize("grounds", [Grounds("", "法"), Grounds("因", "  "), Grounds("因" * 201, "法")])
def test_reason_and_legal_basis_are_mandatory(library: Library, grounds: Grounds) -> None:
    license_ = library.issue(FOOD)
    with library.database.writing() as uow, pytest.raises(ReasonRequiredError):
        library.service.revoke(uow, MANAGER, license_.identifier, grounds)


def test_unknown_and_forbidden_licences_look_the_same_to_who_would_change_them(library: Library) -> None:
    license_ = library.issue(FOOD)
    stranger = replace(MANAGER, organisation="jtys")
    for identity, identifier in (
        (stranger, license_.identifier),
        (MANAGER, "1.2"),
        (CLERK, license_.identifier),
    ):
        with library.database.writing() as uow, pytest.raises(NotPermittedError) as error:
            library.service.revoke(uow, identity, identifier, GROUNDS)
        assert str(error.value) == "not-permitted"


def test_a_licence_not_issued_yet_cannot_be_suspended(library: Library) -> None:
    license_ = library.reserve(FOOD)
    with library.database.writing() as uow, pytest.raises(LicenseStateError):
        library.service.suspend(uow, MANAGER, license_.identifier, GROUNDS)


def test_a_revoked_seal_leaves_the_licence_undetermined_from_then_on(library: Library) -> None:
    license_ = library.issue(FOOD)
    before = library.clock.now()
    library.clock.advance(3600)
    library.seals.revoked["seal-1"] = library.clock.now()
    assert status(library, license_) is Status.SEAL_UNDETERMINED
    with library.database.reading() as uow:
        assert library.holdings.status(uow, license_, before) is Status.VALID


def test_who_was_told_of_a_change_reads_on_by_the_opaque_id_on_the_same_basis_only(library: Library) -> None:
    license_, case = library.issue(BUSINESS), library.announce(FOOD)
    with library.database.writing() as uow:
        assert library.reader.read(uow, on_case(CLIENT, case), license_.id).id == license_.id
    with library.database.writing() as uow, pytest.raises(LicenseHiddenError):
        library.reader.read(uow, CLIENT, license_.id)


def test_reading_within_an_open_case_of_the_same_holder_masks_and_records(library: Library) -> None:
    license_ = library.issue(BUSINESS)
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        view = library.reader.read(uow, on_case(CLIENT, case), license_.identifier)
    assert view.status.code is Status.VALID
    assert view.face["legal_representative"] == "张*"
    assert view.holder.code == "9133**********011X"
    with library.database.reading() as uow:
        use = uow.session.scalars(select(LicenseUsage)).one()
        assert (use.action, use.result, use.purpose, use.case_id) == ("read", "READ", "accept", case.id)
        assert (use.operator, use.license_id) == ("operator-7", license_.id)
    assert acts(library)[-1] == "license.read"


def refused_readers(library: Library) -> list[object]:
    food = library.announce(FOOD)
    others = library.announce(FOOD, OTHER)
    closed = library.announce(FOOD, closed=True)
    return [
        CLIENT,
        on_case(CLIENT, others),
        on_case(CLIENT, closed),
        on_case(CLIENT, food, purpose="curiosity"),
        on_case(CLIENT, food, item="339999020001"),
        on_case(replace(CLIENT, operator=None), food),
        on_case(replace(CLIENT, scopes=frozenset({"ask"})), food),
        on_case(replace(CLIENT, sources=frozenset({"other"})), food),
        on_case(CLERK, food, purpose="curiosity"),
        on_case(replace(CLERK, organisation="jtys"), food),
        CLERK.on(AccessBasis(Basis.FILING)),
        SUPERVISOR.on(AccessBasis(Basis.HOLDER)),
        MANAGER.on(AccessBasis(Basis.SUPERVISION)),
    ]


def test_every_other_reader_sees_nothing_and_the_refusal_is_recorded(library: Library) -> None:
    license_ = library.issue(BUSINESS)
    readers = refused_readers(library)
    seen = set()
    for identity in readers:
        for identifier in (license_.identifier, "1.2.156.3005.2.unknown"):
            with pytest.raises(LicenseHiddenError) as error, library.database.writing() as uow:
                library.reader.read(uow, identity, identifier)  # type: ignore[arg-type]
            seen.add(str(error.value))
            with library.database.writing() as uow:
                error.value.record(uow)
    assert seen == {"license-not-found"}
    assert acts(library).count("access.refused") == 2 * len(readers)
    with library.database.reading() as uow:
        refused = select(func.count()).select_from(LicenseUsage).where(LicenseUsage.result == "REFUSED")
        assert uow.session.scalar(refused) == len(readers)


def test_a_refused_reading_is_among_the_acts_of_the_case_that_it_names(library: Library) -> None:
    case = library.announce(FOOD)
    basis = AccessBasis(Basis.CASE, case.id, FOOD, "accept")
    for named, expected in ((basis, case.id), (replace(basis, case="unknown"), None), (None, None)):
        with pytest.raises(LicenseHiddenError) as error, library.database.writing() as uow:
            library.reader.read(uow, replace(CLERK, basis=named), "1.2.156.3005.2.unknown")
        with library.database.writing() as uow:
            act_id = error.value.record(uow).core_sha256
            assert uow.session.get_one(LedgerAct, act_id).case_id == expected


def test_supervision_and_filing_read_on_their_own_basis(library: Library) -> None:
    license_ = library.issue(FOOD)
    archivist = replace(CLERK, roles=frozenset({Role.ARCHIVIST}))
    for identity in (
        SUPERVISOR.on(AccessBasis(Basis.SUPERVISION)),
        archivist.on(AccessBasis(Basis.FILING)),
        WORKER.on(AccessBasis(Basis.FILING)),
    ):
        with library.database.writing() as uow:
            assert library.reader.read(uow, identity, license_.identifier).id == license_.id


def test_a_clerk_finds_the_holders_valid_licences_and_the_history_only_when_asked(library: Library) -> None:
    library.issue(BUSINESS)
    library.issue(ROAD, valid_until="2026-06-30")
    library.issue(ROAD, PERSON, number="N2")
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        found = library.reader.find_for_holder(uow, on_case(CLERK, case))
        every = library.reader.find_for_holder(uow, on_case(CLERK, case), history=True)
    assert [view.kind.code for view in found] == [BUSINESS]
    assert {(view.kind.code, view.status.code) for view in every} == {
        (BUSINESS, Status.VALID),
        (ROAD, Status.EXPIRED),
    }
    assert all(view.face == {} for view in every)


def test_a_look_that_finds_nothing_is_a_use_too(library: Library) -> None:
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        assert library.reader.find_for_holder(uow, on_case(CLERK, case)) == []
    with library.database.reading() as uow:
        use = uow.session.scalars(select(LicenseUsage)).one()
        assert (use.action, use.license_id, use.holder_id) == ("find", None, case.holder_id)


def test_the_public_check_tells_no_more_than_the_card(library: Library) -> None:
    license_ = library.issue(ROAD, PERSON)
    with library.database.writing() as uow:
        by_code = library.reader.public_check(uow, CLERK, license_.code)
        by_file = library.reader.public_check_file(uow, CLERK, "ab" * 32)
    card = by_code.card
    assert card == by_file.card
    assert by_code.agrees
    assert by_file.agrees
    assert (card.holder.name, card.holder.code) == ("张*", "3399**********0012")
    assert card.status.code is Status.VALID
    assert acts(library)[-2:] == ["verification.done"] * 2
    with library.database.reading() as uow:
        recorded = set(uow.session.scalars(select(LedgerAct.act_id)))
        assert {by_code.promise.core_sha256, by_file.promise.core_sha256} <= recorded
        assert {use.basis for use in uow.session.scalars(select(LicenseUsage))} == {"public-check"}


def test_a_file_that_states_something_else_than_the_register_does_not_agree(library: Library) -> None:
    license_ = library.issue(ROAD)
    stated = registered_items(license_)
    answers = []
    for changes in ({}, {"valid_until": "2036-04-30"}, {"identifier": ""}):
        with library.database.writing() as uow:
            check = library.reader.public_check_file(uow, CLERK, "ab" * 32, stated | changes)
        answers.append(check.agrees)
    assert answers == [True, False, False]


def test_a_code_of_no_issued_licence_is_unknown(library: Library) -> None:
    reserved = library.reserve(FOOD)
    for code in (reserved.code, "0" * 26, ""):
        with library.database.writing() as uow, pytest.raises(CodeUnknownError):
            library.reader.public_check(uow, CLERK, code)


def test_acts_hold_their_rows_completely(library: Library) -> None:
    library.issue(FOOD)
    with library.database.reading() as uow:
        row = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "license.reserved")).one()
        detail = json.loads(uow.secrets.decrypt(row.detail))
        assert [one["table"] for one in detail["rows"]] == ["license"]
        assert detail["rows"][0]["values"]["issue_step"]
        assert uow.session.scalar(select(func.count()).select_from(LicenseEvent)) == 1
