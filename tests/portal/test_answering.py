# SPDX-License-Identifier: Apache-2.0
"""Questions that are answered together: each as if it were asked alone, and the refusal of one is its own."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from granting import APPROVER, grant
from hypothesis import given, settings
from hypothesis import strategies as st
from license_library import BUSINESS, CLERK, CLIENT, COMPANY, FOOD, OTHER, PERSON, Library
from sqlalchemy import func, select

import portal.clients.models  # noqa: F401 - defines tables
from cases.models import Case
from licenses.admitting import Question
from licenses.answers import verify_answer
from licenses.deciding import AnsweredProof
from licenses.grants.errors import QuotaExhaustedError
from licenses.grants.models import LicenseGrant, LicenseGrantUse
from licenses.grants.services import end
from licenses.models import Decision, LicenseRequest, LicenseUsage, SignedAnswer
from licenses.questions import ProofQuestion
from licenses.requests import SignedRequest
from portal.answering import Answers, Asking, proof_answers
from portal.clients.errors import RequestReplayedError
from storage.errors import CunzhengError
from storage.ledger.canonical import canonical
from storage.ledger.models import LedgerAct
from storage.secrets import ErasedError


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Library, list[Case]]]:
    """Give a library with holders who have a licence, none, or no key any more."""
    made = Library(tmp_path_factory.mktemp("answering"))
    made.issue(BUSINESS)
    made.issue(BUSINESS, OTHER, number="N2")
    cases = [made.announce(FOOD, who) for who in (COMPANY, OTHER, PERSON, COMPANY)]
    cases.append(made.announce(FOOD, OTHER, closed=True))
    made.database.secrets.destroy(cases[1].holder_id)
    yield made, cases
    made.database.close()


def question(case: Case, **changes: Any) -> ProofQuestion:
    return replace(ProofQuestion(case.source, case.number, case.item_code, "accept"), **changes)


def said(library: Library, outcome: AnsweredProof | CunzhengError) -> Any:
    """Give what an answer or a refusal says, without what is another each time."""
    if isinstance(outcome, CunzhengError):
        act = getattr(outcome, "act", None)
        return type(outcome), outcome.facts, act and (act.reasons, act.case, act.subject)
    body = dict(outcome.body)
    assert verify_answer(outcome.jws, library.keys.jwks()).decision == json.loads(json.dumps(body))
    body.pop("id")
    return canonical(body), outcome.decision.result


def alone(library: Library, one: Question) -> AnsweredProof | CunzhengError:
    try:
        with library.database.writing() as uow:
            return library.proofs.ask(uow, *one)
    except CunzhengError as error:
        return error


def together(library: Library, questions: Sequence[Question]) -> Answers:
    with library.database.writing() as uow:
        return library.proofs.ask_each(uow, questions)


changes = st.fixed_dictionaries(
    {},
    optional={
        "purpose": st.sampled_from(["accept", "examine", "curiosity"]),
        "requirements": st.sampled_from([(), ("R1",), ("R2", "R1"), ("R9",)]),
        "holder": st.sampled_from([COMPANY[:2], OTHER[:2], ("001", "1")]),
        "number": st.just("no-such"),
        "item": st.just("339999010001"),
    },
)
askers = st.sampled_from([CLIENT, CLERK, replace(CLIENT, id="client-2"), replace(CLIENT, operator=None)])
asked = st.lists(st.tuples(askers, st.integers(0, 4), changes), min_size=1, max_size=8)


@settings(max_examples=40, deadline=None)
@given(asked=asked)
def test_what_is_asked_together_is_answered_as_it_is_alone(
    shared: tuple[Library, list[Case]], asked: list[tuple[Any, int, dict[str, Any]]]
) -> None:
    library, cases = shared
    questions = [(who, question(cases[place], **changed)) for who, place, changed in asked]
    each = [said(library, alone(library, one)) for one in questions]
    assert [said(library, one) for one in together(library, questions)] == each


def test_a_grant_covers_no_question_because_it_covered_another_one_of_the_unit(library: Library) -> None:
    colleague = replace(CLIENT, id="client-2")
    with library.database.writing() as uow:
        end(uow, APPROVER, uow.session.get_one(LicenseGrant, library.granted))
        grant(uow, client_id=CLIENT.id, requirements=["R1"], purposes=["accept"])
    case = library.announce(FOOD)
    covered = question(case, requirements=("R1",))
    questions = [
        (CLIENT, covered),
        (CLIENT, replace(covered, requirements=("R2",))),
        (CLIENT, replace(covered, purpose="examine")),
        (colleague, covered),
        (CLIENT, covered),
    ]
    each = [said(library, alone(library, one)) for one in questions]
    found = together(library, questions)
    assert [isinstance(one, AnsweredProof) for one in found] == [True, False, False, False, True]
    assert [said(library, one) for one in found] == each


def test_ids_of_decisions_and_uses_begin_with_their_instant(library: Library) -> None:
    case, made = library.announce(FOOD), []
    for _ in range(3):
        made += [alone(library, (CLIENT, question(case))) for _ in range(2)]
        library.clock.advance(0.002)
    with library.database.reading() as uow:
        for table in (Decision, LicenseUsage):
            rows = uow.session.scalars(select(table)).all()
            assert [one.at for one in sorted(rows, key=lambda one: one.id)] == sorted(one.at for one in rows)
            beginnings = {one.at: {other.id[:9] for other in rows if other.at == one.at} for one in rows}
            assert len(beginnings) == 3
            assert all(len(of) == 1 for of in beginnings.values())


def test_each_leaves_its_own_rows_acts_and_uses_and_a_refused_one_none(library: Library) -> None:
    licence = library.issue(BUSINESS)
    cases = [library.announce(FOOD) for _ in range(5)]
    closed = library.announce(FOOD, closed=True)
    questions = [(CLIENT, question(one)) for one in (*cases, closed)]
    *answers, refused = together(library, questions)
    assert isinstance(refused, CunzhengError)
    made = [one for one in answers if isinstance(one, AnsweredProof)]
    assert [one.decision.case_id for one in made] == [case.id for case in cases]
    with library.database.reading() as uow:
        acts = Counter(uow.session.scalars(select(LedgerAct.case_id).where(LedgerAct.kind.like("proof.%"))))
        uses = uow.session.scalars(select(LicenseUsage)).all()
        stored = {one.decision_id: one.act_id for one in uow.session.scalars(select(SignedAnswer))}
        outcomes = {
            one.act_id: json.loads(one.core)
            for one in uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "proof.answered"))
        }
        intents = {
            one.act_id: one.case_id
            for one in uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "proof.asked"))
        }
    assert acts == {case.id: 2 for case in cases}
    assert stored == {one.decision.id: one.promise.core_sha256 for one in made}
    for one in made:
        core = outcomes[one.promise.core_sha256]
        assert core["object"] == {
            "type": "decision",
            "id": one.decision.id,
            "sha256": one.decision.body_sha256,
        }
        assert intents[core["intent"]] == one.decision.case_id
        of_decision = [use for use in uses if use.decision_id == one.decision.id]
        assert sorted((use.result, use.license_id) for use in of_decision if use.license_id) == [
            ("MET", licence.id)
        ]
        assert len(of_decision) == 3
    assert len(uses) == 15


def test_the_holder_whose_key_was_destroyed_harms_no_other_question_and_counts_for_nothing(
    library: Library,
) -> None:
    gone = library.issue(BUSINESS, OTHER, number="N2")
    library.issue(BUSINESS)
    asked = [library.announce(FOOD, who) for who in (COMPANY, OTHER, COMPANY)]
    library.database.secrets.destroy(gone.holder_id)
    answers = together(library, [(CLIENT, question(one)) for one in asked])
    assert [isinstance(one, ErasedError) for one in answers] == [False, True, False]
    with library.database.reading() as uow:
        assert uow.session.scalar(select(func.sum(LicenseGrantUse.used))) == 2
        assert len(uow.session.scalars(select(Decision)).all()) == 2
        kinds = Counter(uow.session.scalars(select(LedgerAct.kind).where(LedgerAct.kind.like("proof.%"))))
    assert kinds == {"proof.asked": 2, "proof.answered": 2}


@pytest.mark.parametrize("quota", [1, 7, 20])
def test_of_fifty_for_the_last_units_of_a_quota_exactly_so_many_are_answered(
    library: Library, quota: int
) -> None:
    with library.database.writing() as uow:
        end(uow, APPROVER, uow.session.get_one(LicenseGrant, library.granted))
        grant(uow, quota=quota)
    cases = [library.announce(FOOD) for _ in range(5)]
    answering = proof_answers(library.database, library.proofs)

    def ask(number: int) -> type:
        (answer,) = answering.ask(Asking([(CLIENT, question(cases[number % 5]))]))
        return type(answer)

    with ThreadPoolExecutor(50) as pool:
        outcomes = Counter(pool.map(ask, range(50)))
    assert outcomes == {AnsweredProof: quota, QuotaExhaustedError: 50 - quota}
    with library.database.reading() as uow:
        assert uow.session.scalar(select(func.sum(LicenseGrantUse.used))) == quota
        assert len(uow.session.scalars(select(Decision)).all()) == quota


def test_of_equal_calls_of_many_the_second_is_a_replay_even_where_the_first_was_refused(
    library: Library,
) -> None:
    closed = library.announce(FOOD, closed=True)
    call = SignedRequest(CLIENT.id, "kid", "n1", b"base", b"signature", b"{}")
    asking = Asking([(CLIENT, question(closed, signed=call))], call, answered_or_not=True)
    with library.database.writing() as uow:
        (first,), (second,) = proof_answers(library.database, library.proofs)._work(uow, [asking, asking])
    assert not isinstance(first, AnsweredProof | RequestReplayedError)
    assert isinstance(second, RequestReplayedError)


def test_of_equal_signed_calls_one_is_answered_and_a_refused_one_uses_no_nonce(library: Library) -> None:
    case, closed = library.announce(FOOD), library.announce(FOOD, closed=True)

    def call(nonce: str) -> SignedRequest:
        return SignedRequest(CLIENT.id, "kid", nonce, b"base", b"signature", b"{}")

    def asking(of: Case, nonce: str) -> Asking:
        signed = call(nonce)
        return Asking([(CLIENT, question(of, signed=signed))], signed)

    group = [
        asking(case, "n1"),
        asking(case, "n1"),
        asking(closed, "n2"),
        asking(case, "n2"),
        asking(case, "n3"),
    ]
    answering = proof_answers(library.database, library.proofs)
    with library.database.writing() as uow:
        found = [one for (one,) in answering._work(uow, group)]
    kinds = [RequestReplayedError if isinstance(one, RequestReplayedError) else type(one) for one in found]
    assert kinds[0] is kinds[3] is kinds[4] is AnsweredProof
    assert kinds[1] is RequestReplayedError
    assert isinstance(found[2], CunzhengError)
    (again,) = answering.ask(asking(case, "n3"))
    assert isinstance(again, RequestReplayedError)
    with library.database.reading() as uow:
        kept = Counter(uow.session.scalars(select(LicenseRequest.decision_id)))
    assert kept == Counter(one.decision.id for one in found if isinstance(one, AnsweredProof))
