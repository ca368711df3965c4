# SPDX-License-Identifier: Apache-2.0
"""Another office contests what it was shown; an upheld dispute leads to something."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from license_library import BUSINESS, CLERK, CLIENT, COMPANY, FOOD, MANAGER, OTHER, SUPERVISOR, Library
from sqlalchemy import select

from cases.calendar import WorkingCalendar
from cases.models import Case
from licenses.contesting import (
    About,
    DisputeContactError,
    DisputeReasonError,
    DisputeRemedyError,
    Listing,
    ObjectionState,
)
from licenses.disputes import CORRECTION, SUSPEND, WITHDRAW, Dispute, DisputeService
from licenses.errors import (
    LicenseHiddenError,
    ObjectionAnsweredError,
    ObjectionStandsError,
    ObjectionSubjectError,
    ObjectionUnknownError,
    ObjectionWordsError,
    ReasonRequiredError,
)
from licenses.lifecycle import Status
from licenses.models import License, LicenseEvent, Objection
from licenses.objections import ObjectionService
from licenses.once import new_secret
from licenses.questions import ProofQuestion
from licenses.recall import RecallService
from storage.clock import legal_date
from storage.errors import NotPermittedError
from storage.identity import PUBLIC, Identity, Role
from storage.ledger.models import LedgerAct

ELSEWHERE = Identity(
    "system", "far-1", "hzsj", frozenset({Role.CLIENT}), operator="far-op", scopes=frozenset({"dispute"})
)
OTHER_OFFICE = replace(ELSEWHERE, id="far-2")
ARCHIVIST = Identity("person", "archivist-1", "scjg", frozenset({Role.ARCHIVIST}))
BASIS = "行政许可法第六十九条"


class World(Library):
    """A library that other offices may contest."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.objections = ObjectionService(WorkingCalendar.load())
        self.disputes = DisputeService(self.objections, self.service, self.holders)

    def contest(self, license_: License, who: Identity = ELSEWHERE, **changes: Any) -> str:
        said = {"identifier": license_.identifier, "code": license_.code, "reason": "face-wrong"}
        dispute = Dispute(**({"words": "经营场所与现场不一致"} | said | changes))
        with self.database.writing() as uow:
            return self.disputes.open(uow, who, dispute)[0].id

    def settle(
        self,
        dispute: str,
        remedy: str | None,
        who: Identity = MANAGER,
        basis: str = BASIS,
        words: str = "经核查，情况属实",
    ) -> None:
        with self.database.writing() as uow:
            self.disputes.answer(uow, who, dispute, words, remedy, basis)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.database.close()


@pytest.fixture
def licence(world: World) -> License:
    return world.issue(FOOD)


def test_a_dispute_waits_for_the_issuer_and_is_read_by_who_raised_it(world: World, licence: License) -> None:
    dispute = world.contest(licence)
    with world.database.reading() as uow:
        view = world.disputes.own(uow, ELSEWHERE, dispute)
        row = view.spoken.view.row
        due = WorkingCalendar.load().add_working_days(legal_date(row.opened_at), 10)
    assert (row.organisation, row.due_on, row.reason) == ("scjg", due, "face-wrong")
    assert (view.identifier, view.spoken.answer) == (licence.identifier, None)
    with world.database.reading() as uow, pytest.raises(ObjectionUnknownError):
        world.disputes.own(uow, OTHER_OFFICE, dispute)


@pytest.mark.parametrize("changes", [{"code": "0" * 26}, {"identifier": "1.2.3"}, {"code": ""}])
def test_nobody_contests_what_they_were_not_shown(
    world: World, licence: License, changes: dict[str, str]
) -> None:
    with pytest.raises(LicenseHiddenError) as refused:
        world.contest(licence, **changes)
    assert refused.value.act.reasons == ["dispute-not-shown"]
    assert refused.value.act.object_id == "unknown"


@pytest.mark.parametrize(
    "who",
    [
        CLIENT,
        CLERK,
        MANAGER,
        SUPERVISOR,
        replace(ELSEWHERE, operator=None),
        replace(ELSEWHERE, scopes=frozenset({"read", "verify"})),
    ],
    ids=lambda who: f"{who.id}-{who.operator}",
)
def test_who_has_not_the_right_learns_nothing(world: World, licence: License, who: Identity) -> None:
    with pytest.raises(LicenseHiddenError):
        world.contest(licence, who)


def test_an_inspector_of_another_office_may_dispute_as_well(world: World, licence: License) -> None:
    inspector = Identity("person", "inspector-1", "jtys", frozenset({Role.INSPECTOR}))
    dispute = world.contest(licence, inspector)
    with world.database.reading() as uow:
        assert world.disputes.own(uow, inspector, dispute).identifier == licence.identifier


def test_reasons_are_published_and_words_are_words(world: World, licence: License) -> None:
    with pytest.raises(DisputeReasonError):
        world.contest(licence, reason="dislike")
    for words in ("", " ", "x" * 501):
        with pytest.raises(ObjectionWordsError):
            world.contest(licence, words=words)


def test_one_dispute_of_an_office_waits_at_a_time_and_others_have_their_own(
    world: World, licence: License
) -> None:
    first = world.contest(licence)
    with pytest.raises(ObjectionStandsError):
        world.contest(licence)
    world.contest(licence, OTHER_OFFICE)
    world.settle(first, None)
    world.contest(licence)


@pytest.mark.parametrize(("remedy", "status"), [(SUSPEND, Status.SUSPENDED), (WITHDRAW, Status.WITHDRAWN)])
def test_an_upheld_dispute_changes_the_licence_in_the_same_breath(
    world: World, licence: License, remedy: str, status: Status
) -> None:
    dispute = world.contest(licence)
    world.settle(dispute, remedy)
    assert world.status(licence) is status
    with world.database.reading() as uow:
        view = world.disputes.own(uow, ELSEWHERE, dispute)
        event = uow.session.scalars(select(LicenseEvent).order_by(LicenseEvent.position.desc())).first()
        kinds = list(uow.session.scalars(select(LedgerAct.kind)))
    assert event is not None
    assert (dispute in event.reason, event.legal_basis) == (True, BASIS)
    assert (view.spoken.view.state, view.spoken.view.row.remedy) == (ObjectionState.UPHELD, remedy)
    assert view.spoken.answer == "经核查，情况属实"
    assert {"objection.opened", "objection.answered"} <= set(kinds)


def test_a_declined_one_changes_nothing_and_is_answered_once(world: World, licence: License) -> None:
    dispute = world.contest(licence)
    world.settle(dispute, None)
    assert world.status(licence) is Status.VALID
    with pytest.raises(ObjectionAnsweredError):
        world.settle(dispute, SUSPEND)
    assert world.status(licence) is Status.VALID


def test_the_next_version_that_corrects_it_is_told(world: World, licence: License) -> None:
    dispute = world.contest(licence)
    world.settle(dispute, CORRECTION)
    assert world.status(licence) is Status.VALID, "until its successor is in force"
    with world.database.reading() as uow:
        assert world.disputes.own(uow, ELSEWHERE, dispute).correction is None
    world.clock.advance(60)
    made = world.issue(FOOD, COMPANY, replaces=licence.identifier, change="correction")
    with world.database.reading() as uow:
        assert world.disputes.own(uow, ELSEWHERE, dispute).correction == made.identifier


def test_what_relied_on_a_face_that_a_dispute_showed_to_be_wrong_is_recalled(world: World) -> None:
    licence = world.issue(BUSINESS)
    world.clock.advance(1)
    case = world.announce(FOOD)
    with world.database.writing() as uow:
        question = ProofQuestion(case.source, case.number, case.item_code, "accept")
        decision = world.proofs.ask(uow, CLIENT, question).decision.id
    world.clock.advance(60)
    world.settle(world.contest(licence), CORRECTION)

    def recalled() -> list[str]:
        with world.database.reading() as uow:
            return [one.decision_id for one in RecallService().recalled(uow, CLIENT).rows]

    assert recalled() == [], "until it is corrected"
    world.clock.advance(60)
    world.issue(BUSINESS, replaces=licence.identifier, change="correction")
    assert recalled() == [decision]


def test_who_may_answer_and_who_may_change_licences_are_asked_apart(world: World, licence: License) -> None:
    dispute = world.contest(licence)
    with pytest.raises(NotPermittedError):
        world.settle(dispute, SUSPEND, ARCHIVIST)
    for who in (replace(MANAGER, organisation="jtys"), CLERK, SUPERVISOR, ELSEWHERE):
        with pytest.raises(ObjectionUnknownError):
            world.settle(dispute, None, who)
    with pytest.raises(ReasonRequiredError):
        world.settle(dispute, WITHDRAW, basis="")
    with pytest.raises(DisputeRemedyError):
        world.settle(dispute, "burn")
    assert world.status(licence) is Status.VALID
    with world.database.reading() as uow:
        assert uow.session.get_one(Objection, dispute).state == ObjectionState.OPEN
    world.settle(dispute, None, ARCHIVIST)


def test_no_dispute_is_upheld_without_a_remedy(world: World, licence: License) -> None:
    dispute = world.contest(licence)
    with world.database.writing() as uow, pytest.raises(DisputeRemedyError):
        world.objections.answer(uow, MANAGER, dispute, "属实", upheld=True)


def test_a_holder_neither_raises_nor_lists_disputes(world: World, licence: License) -> None:
    holder = Identity("holder", licence.holder_id, "", frozenset({Role.HOLDER}))
    world.contest(licence)
    with world.database.writing() as uow:
        assert list(world.objections.own(uow, holder)) == []
        with pytest.raises(ObjectionSubjectError):
            world.objections.open(uow, holder, About.DISPUTE, licence.id, "不是我说的")


def test_supervision_sees_what_is_overdue(world: World, licence: License) -> None:
    world.contest(licence)
    world.clock.advance(30 * 86400)
    with world.database.reading() as uow:
        assert world.objections.overdue(uow, SUPERVISOR) == 1
        page = world.objections.listed(uow, SUPERVISOR, Listing.OVERDUE)
        assert uow.session.scalars(select(Case)).first() is not None
    assert [one.row.about for one in page.rows] == [About.DISPUTE]


def test_a_stranger_disputes_by_code_alone_and_reads_the_answer_by_a_key(
    world: World, licence: License
) -> None:
    dispute = Dispute("", licence.code, "dates-wrong", "证面日期与登记不符")
    with world.database.writing() as uow:
        row, _, key = world.disputes.open_as_stranger(uow, PUBLIC, dispute, " 139  0000 0000 ")
        made = row.id
        assert key not in {row.raised_by, row.id}
        assert b"0000" not in (row.contact_cipher or b"0000")
    with world.database.reading() as uow:
        view = world.disputes.of_stranger(uow, made, key)
        assert (view.spoken.words, view.spoken.contact) == ("证面日期与登记不符", None)
        for number, other in ((made, new_secret()[0]), ("n" * 26, key), (made, ""), (made, "\u4e2d")):
            with pytest.raises(ObjectionUnknownError):
                world.disputes.of_stranger(uow, number, other)
        with pytest.raises(ObjectionUnknownError):
            world.disputes.own(uow, PUBLIC, made)
    with world.database.writing() as uow:
        assert world.objections.read(uow, MANAGER, made).spoken.contact == "139 0000 0000"
        # Who watches and does not answer is told nothing of how to reach them.
        assert world.objections.read(uow, SUPERVISOR, made).spoken.contact is None
    world.settle(made, None)
    with world.database.reading() as uow:
        assert world.disputes.of_stranger(uow, made, key).spoken.answer == "经核查，情况属实"


def test_of_all_strangers_one_dispute_about_a_licence_waits_at_a_time(world: World, licence: License) -> None:
    dispute = Dispute("", licence.code, "dates-wrong", "日期不符")
    world.contest(licence)
    with world.database.writing() as uow:
        first = world.disputes.open_as_stranger(uow, PUBLIC, dispute, "a@example.org")[0].id
    with world.database.writing() as uow, pytest.raises(ObjectionStandsError):
        world.disputes.open_as_stranger(uow, PUBLIC, dispute, "b@example.org")
    world.contest(licence, OTHER_OFFICE)
    world.settle(first, None)
    with world.database.writing() as uow:
        world.disputes.open_as_stranger(uow, PUBLIC, dispute, "b@example.org")


@pytest.mark.parametrize("contact", ["", "  ", "1" * 101, "a\u202eb"])
def test_a_stranger_says_how_they_are_reached(world: World, licence: License, contact: str) -> None:
    dispute = Dispute("", licence.code, "dates-wrong", "日期不符")
    with world.database.writing() as uow, pytest.raises(DisputeContactError):
        world.disputes.open_as_stranger(uow, PUBLIC, dispute, contact)


def test_a_code_of_nothing_and_who_is_no_stranger_are_refused_alike(world: World, licence: License) -> None:
    for who, code in ((PUBLIC, "0" * 26), (ARCHIVIST, licence.code)):
        with world.database.writing() as uow, pytest.raises(LicenseHiddenError):
            world.disputes.open_as_stranger(uow, who, Dispute("", code, "dates-wrong", "日期"), "x")
    with world.database.reading() as uow:
        assert uow.session.scalars(select(Objection)).all() == []


def test_an_inspector_sees_the_own_disputes(world: World, licence: License) -> None:
    inspector = Identity("person", "inspector-1", "zhzf", frozenset({Role.INSPECTOR}))
    made = world.contest(licence, inspector, identifier="")
    world.contest(licence)
    with world.database.reading() as uow:
        assert [one.spoken.view.row.id for one in world.disputes.raised(uow, inspector)] == [made]


def test_a_licence_without_a_code_is_contested_by_its_holder(world: World) -> None:
    """Licences of the stock bear no verification code."""
    license_ = world.issue(FOOD)
    assert world.contest(license_, code="", holder=COMPANY[:2])
    for who, holder in ((OTHER_OFFICE, OTHER[:2]), (OTHER_OFFICE, ("001", "no code")), (CLIENT, COMPANY[:2])):
        with pytest.raises(LicenseHiddenError):
            world.contest(license_, who, code="", holder=holder)


def test_a_stranger_states_a_code_and_no_holder(world: World) -> None:
    license_ = world.issue(FOOD)
    dispute = Dispute(license_.identifier, license_.code, "face-wrong", "不符", COMPANY[:2])
    with pytest.raises(LicenseHiddenError), world.database.writing() as uow:
        world.disputes.open_as_stranger(uow, PUBLIC, dispute, "0571-00000000")
