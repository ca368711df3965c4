# SPDX-License-Identifier: Apache-2.0
import datetime as dt
import json
from dataclasses import replace

import pytest
from license_library import (
    BUSINESS,
    CLERK,
    CLIENT,
    COMPANY,
    FOOD,
    GROUNDS,
    MANAGER,
    OTHER,
    PERSON,
    ROAD,
    SUPERVISOR,
    Library,
)
from sqlalchemy import select

from cases.models import Case
from licenses.answers import verify_answer
from licenses.errors import (
    OperatorRequiredError,
    PurposeUnknownError,
    QuestionRefusedError,
    RequirementUnknownError,
    RuleMissingError,
)
from licenses.models import Decision, LicenseUsage
from licenses.questions import ProofQuestion
from storage.database import UnitOfWork
from storage.engines import WriteConflictError
from storage.errors import NotFoundError
from storage.identity import Identity
from storage.ledger.models import LedgerAct

ITEM = "339999010002"


def question(case: Case, **changes: object) -> ProofQuestion:
    return replace(ProofQuestion(case.source, case.number, case.item_code, "accept"), **changes)  # type: ignore[arg-type]


def results(library: Library, identity: Identity, asked: ProofQuestion) -> dict[str, tuple[str, str]]:
    with library.database.writing() as uow:
        body = library.proofs.ask(uow, identity, asked).body
    return {one["zh"]: (one["result"], one["reason"]["code"]) for one in body["requirements"]}  # type: ignore[union-attr]


def test_the_answer_for_an_open_case_is_part_met_part_unknown(library: Library) -> None:
    library.issue(BUSINESS)
    case = library.announce(FOOD)
    assert results(library, CLIENT, question(case)) == {
        "营业执照": ("MET", "R.ESTABLISHED"),
        "场地使用证明": ("UNKNOWN", "R.TYPE_NOT_IN_LIBRARY"),
        "健康证明": ("UNKNOWN", "R.TYPE_NOT_IN_LIBRARY"),
    }


def test_the_signed_answer_verifies_and_promises_the_act(library: Library) -> None:
    library.issue(BUSINESS)
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        answered = library.proofs.ask(uow, CLIENT, question(case))
    verified = verify_answer(answered.jws, library.keys.jwks())
    assert verified.decision == json.loads(json.dumps(answered.body))
    with library.database.reading() as uow:
        act = uow.session.get_one(LedgerAct, verified.promise["core_sha256"])
        core = json.loads(act.core)
        asked = uow.session.get_one(LedgerAct, core["intent"])
    assert (act.kind, asked.kind, asked.outcome) == ("proof.answered", "proof.asked", "intended")
    basis = {"kind": "case", "case": case.id, "item": ITEM, "purpose": "accept", "grant": library.granted}
    assert core["basis"] == basis
    assert core["object"]["sha256"] == answered.decision.body_sha256


def test_status_decides_what_is_answered(library: Library) -> None:
    license_ = library.issue(BUSINESS, valid_until="2026-12-01")
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        library.service.suspend(uow, MANAGER, license_.identifier, GROUNDS)
    assert results(library, CLIENT, question(case))["营业执照"] == ("NOT_MET", "R.STATUS_SUSPENDED")
    with library.database.writing() as uow:
        library.service.resume(uow, MANAGER, license_.identifier, GROUNDS)
    library.clock.at = dt.datetime(2026, 12, 1, 15, 59, tzinfo=dt.UTC)
    assert results(library, CLIENT, question(case))["营业执照"] == ("MET", "R.ESTABLISHED")
    library.clock.advance(60)
    assert results(library, CLIENT, question(case))["营业执照"] == ("NOT_MET", "R.EXPIRED")


def test_anothers_licence_is_no_evidence(library: Library) -> None:
    library.issue(BUSINESS, OTHER)
    case = library.announce(FOOD)
    assert results(library, CLIENT, question(case))["营业执照"] == ("UNKNOWN", "R.NOT_FOUND")


def test_a_revoked_seal_makes_it_unknown(library: Library) -> None:
    library.issue(BUSINESS)
    library.seals.revoked["seal-1"] = library.clock.now()
    case = library.announce(FOOD)
    assert results(library, CLIENT, question(case))["营业执照"] == ("UNKNOWN", "R.SEAL_UNDETERMINED")


def test_a_clerk_asks_as_the_operator_itself(library: Library) -> None:
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        decision = library.proofs.ask(uow, CLERK, question(case)).decision
    assert decision.operator == "clerk-1"


def refusals(library: Library) -> list[tuple[Identity, ProofQuestion, type[QuestionRefusedError], str]]:
    case, road = library.announce(FOOD), library.announce(ROAD, PERSON)
    closed = library.announce(FOOD, closed=True)
    refused, good = QuestionRefusedError, question(case)
    everything = replace(CLIENT, items=frozenset({ITEM, road.item_code}))
    return [
        (replace(CLIENT, scopes=frozenset({"read"})), good, refused, "not-granted"),
        (replace(CLIENT, sources=frozenset()), good, refused, "not-granted"),
        (CLIENT, question(road), refused, "not-granted"),
        (MANAGER, good, refused, "not-granted"),
        (SUPERVISOR, good, refused, "not-granted"),
        (replace(CLERK, organisation="jtys"), good, refused, "case-unknown"),
        (CLIENT, question(case, number="no-such"), refused, "case-unknown"),
        (CLIENT, question(closed), refused, "case-closed"),
        (CLIENT, question(road, item=ITEM), refused, "item-of-another-case"),
        (CLIENT, question(case, holder=PERSON[:2]), refused, "holder-of-another-case"),
        (CLIENT, question(case, holder=("001", "1")), refused, "holder-malformed"),
        (replace(CLIENT, operator=None), good, OperatorRequiredError, "operator-missing"),
        (CLIENT, question(case, purpose="curiosity"), PurposeUnknownError, "purpose-unknown"),
        (CLIENT, question(case, requirements=("R9",)), RequirementUnknownError, "requirement-unknown"),
        (everything, question(road), RuleMissingError, "rule-missing"),
    ]


def test_everything_else_is_refused_alike_and_each_refusal_stands_in_the_ledger(library: Library) -> None:
    for identity, asked, kind, reason in refusals(library):
        with pytest.raises(QuestionRefusedError) as error, library.database.writing() as uow:
            library.proofs.ask(uow, identity, asked)
        assert type(error.value) is kind
        assert error.value.facts == {}
        with library.database.writing() as uow:
            promise = error.value.record(uow)
        with library.database.reading() as uow:
            act = uow.session.get_one(LedgerAct, promise.core_sha256)
        core = json.loads(act.core)
        assert (act.kind, act.outcome, core["reasons"]) == ("proof.refused", "refused", [reason])
        assert "curiosity" not in act.core.decode()
        assert "no-such" not in act.core.decode()
    with library.database.reading() as uow:
        assert uow.session.scalars(select(Decision)).all() == []


def test_a_refused_question_of_a_known_holder_is_shown_to_the_holder(library: Library) -> None:
    closed = library.announce(FOOD, closed=True)
    with pytest.raises(QuestionRefusedError) as error, library.database.writing() as uow:
        library.proofs.ask(uow, CLIENT, question(closed))
    with library.database.writing() as uow:
        error.value.record(uow)
    with library.database.reading() as uow:
        uses = uow.session.scalars(select(LicenseUsage)).all()
    assert [(use.holder_id, use.action, use.result, use.reason) for use in uses] == [
        (closed.holder_id, "ask", "REFUSED", "case-closed")
    ]


def test_a_refusal_that_met_another_unit_of_work_is_shown_all_the_same(library: Library) -> None:
    closed = library.announce(FOOD, closed=True)
    with pytest.raises(QuestionRefusedError) as error, library.database.writing() as uow:
        library.proofs.ask(uow, CLIENT, question(closed))
    met = iter([True, False])

    def record(uow: UnitOfWork) -> None:
        error.value.record(uow)
        if next(met):
            raise WriteConflictError

    library.database.write(record)
    with library.database.reading() as uow:
        uses = uow.session.scalars(select(LicenseUsage)).all()
        refused = uow.session.scalars(select(LedgerAct.kind).where(LedgerAct.outcome == "refused")).all()
    assert ([use.holder_id for use in uses], refused) == ([closed.holder_id], ["proof.refused"])


def test_naming_the_holder_of_the_case_is_fine(library: Library) -> None:
    case = library.announce(FOOD)
    assert len(results(library, CLIENT, question(case, holder=COMPANY[:2]))) == 3


def test_only_what_is_asked_is_answered(library: Library) -> None:
    library.issue(BUSINESS)
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        decision = library.proofs.ask(uow, CLIENT, question(case, requirements=("R1",))).decision
    assert decision.result == "MET"


def test_each_requirement_leaves_a_record_of_use_with_what_was_asked_and_no_value(library: Library) -> None:
    license_ = library.issue(BUSINESS)
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        decision = library.proofs.ask(uow, CLIENT, question(case)).decision
    with library.database.reading() as uow:
        uses = uow.session.scalars(select(LicenseUsage).order_by(LicenseUsage.asked)).all()
        assert [(use.asked, use.result) for use in uses] == [
            ("R1 scope contains", "MET"),
            ("R2", "UNKNOWN"),
            ("R3", "UNKNOWN"),
        ]
        assert {(use.holder_id, use.decision_id) for use in uses} == {(case.holder_id, decision.id)}
        assert [use.license_id for use in uses] == [license_.id, None, None]


def test_the_signed_answer_is_given_again_to_who_asked_and_to_supervision_only(library: Library) -> None:
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        answered = library.proofs.ask(uow, CLIENT, question(case))
    with library.database.reading() as uow:
        for identity in (CLIENT, SUPERVISOR):
            assert library.proofs.answer(uow, identity, answered.decision.id) == answered.jws
        for identity, decision in ((CLERK, answered.decision.id), (CLIENT, "0" * 26)):
            with pytest.raises(NotFoundError):
                library.proofs.answer(uow, identity, decision)
