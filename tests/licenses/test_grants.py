# SPDX-License-Identifier: Apache-2.0
"""Grants: what no grant covers is not answered, what exceeds the quota is not, and both are recorded."""

import datetime as dt
import json
import threading
from dataclasses import replace
from typing import Any

import pytest
from fakes import HandClock
from granting import APPROVER, grant
from license_library import BUSINESS, CLERK, CLIENT, FOOD, Library, every_client_runs, on_case
from sqlalchemy import func, select

from cases.models import Case
from licenses.copies.services import CopyService
from licenses.errors import LicenseHiddenError, QuestionRefusedError
from licenses.grants.errors import QuotaExhaustedError
from licenses.grants.models import LicenseGrant, LicenseGrantUse
from licenses.grants.quota import PLACES, shares
from licenses.grants.services import Grants, end
from licenses.grants.terms import Ceiling, GrantedItem
from licenses.models import Decision, LicenseUsage
from licenses.questions import ProofQuestion
from licenses.refusing import RecordedRefusalError
from storage.clock import legal_date
from storage.database import repeated
from storage.identity import Identity
from storage.ledger.models import LedgerAct

ITEM = "339999010002"
TODAY = legal_date(HandClock().now())


@pytest.fixture
def bare(library: Library) -> Library:
    """The library, with no grant in force."""
    with library.database.writing() as uow:
        end(uow, APPROVER, uow.session.get_one(LicenseGrant, library.granted))
    return library


def question(case: Case, *requirements: str, purpose: str = "accept") -> ProofQuestion:
    return ProofQuestion(case.source, case.number, case.item_code, purpose, requirements=requirements)


def ask(library: Library, asked: ProofQuestion, who: Identity = CLIENT) -> Decision:
    with library.database.writing() as uow:
        return library.proofs.ask(uow, who, asked).decision


def granted(library: Library, **changes: Any) -> str:
    with library.database.writing() as uow:
        return grant(uow, **changes).id


def used(library: Library) -> int:
    with library.database.reading() as uow:
        return uow.session.scalar(select(func.sum(LicenseGrantUse.used))) or 0


def recorded(library: Library, refusal: RecordedRefusalError) -> tuple[dict[str, object], list[LicenseUsage]]:
    """Record a refusal as the portal does; give the core of its act and the uses that holders see."""
    library.database.write(refusal.record)
    with library.database.reading() as uow:
        uses = uow.session.scalars(select(LicenseUsage).where(LicenseUsage.result == "REFUSED")).all()
        act = uow.session.scalars(select(LedgerAct).where(LedgerAct.outcome == "refused")).one()
        return json.loads(act.core), list(uses)


# -- no grant, no answer -------------------------------------------------------------------------------


def test_without_a_grant_nothing_is_answered_and_the_holder_sees_the_refusal(bare: Library) -> None:
    case = bare.announce(FOOD)
    with pytest.raises(QuestionRefusedError) as refused:
        ask(bare, question(case))
    assert type(refused.value) is QuestionRefusedError
    core, uses = recorded(bare, refused.value)
    assert (core["kind"], core["reasons"], core["case"]) == ("proof.refused", ["not-granted"], case.id)
    assert [(one.holder_id, one.case_id, one.reason) for one in uses] == [
        (case.holder_id, case.id, "not-granted")
    ]
    with bare.database.reading() as uow:
        assert uow.session.scalars(select(Decision)).all() == []


@pytest.mark.parametrize(
    "narrow",
    [
        {"organisation": "jtys"},
        {"client_id": "another"},
        {"items": ["339999010001"]},
        {"items": [GrantedItem(ITEM, "2025-01")]},
        {"requirements": ["R1"]},
        {"purposes": ["examine"]},
        {"valid_from": TODAY + dt.timedelta(days=1)},
    ],
    ids=["organisation", "system", "item", "edition", "requirements", "purpose", "window"],
)
def test_what_covers_all_but_one_thing_covers_nothing(bare: Library, narrow: dict[str, Any]) -> None:
    granted(bare, **narrow)
    case = bare.announce(FOOD)
    with pytest.raises(QuestionRefusedError) as refused:
        ask(bare, question(case))
    assert refused.value.act.reasons == ["not-granted"]


def test_a_grant_over_yesterday_covers_nothing_today_and_its_last_day_counts(bare: Library) -> None:
    granted(bare, valid_until=TODAY)
    case = bare.announce(FOOD)
    ask(bare, question(case))
    bare.clock.advance(86_400)
    with pytest.raises(QuestionRefusedError):
        ask(bare, question(case))


def test_a_grant_for_some_requirements_answers_those_and_not_the_rest(bare: Library) -> None:
    granted(bare, requirements=["R1", "R2"])
    case = bare.announce(FOOD)
    ask(bare, question(case, "R1"))
    ask(bare, question(case, "R1", "R2"))
    for asked in (question(case, "R3"), question(case, "R1", "R3"), question(case)):
        with pytest.raises(QuestionRefusedError):
            ask(bare, asked)


def test_an_ended_grant_covers_nothing(library: Library) -> None:
    case = library.announce(FOOD)
    ask(library, question(case))
    with library.database.writing() as uow:
        end(uow, APPROVER, uow.session.get_one(LicenseGrant, library.granted))
    with pytest.raises(QuestionRefusedError):
        ask(library, question(case))


def test_a_clerk_of_ours_asks_without_a_grant(bare: Library) -> None:
    assert ask(bare, question(bare.announce(FOOD)), CLERK).operator == "clerk-1"
    assert used(bare) == 0


def test_another_holders_case_looks_the_same_with_and_without_a_grant(bare: Library) -> None:
    case = bare.announce(FOOD)
    other = replace(question(case), holder=("111", "339999190001010012"))
    with pytest.raises(QuestionRefusedError) as without:
        ask(bare, other)
    granted(bare)
    with pytest.raises(QuestionRefusedError) as with_one:
        ask(bare, other)
    assert (without.value.code, without.value.facts) == (with_one.value.code, with_one.value.facts)
    assert (without.value.act.reasons, with_one.value.act.reasons) == (
        ["not-granted"],
        ["holder-of-another-case"],
    )


# -- the quota -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("quota", [1, 2, PLACES - 1, PLACES, PLACES + 1, 2000])
def test_the_shares_of_a_quota_are_the_quota(quota: int) -> None:
    assert sum(shares(quota)) == quota
    assert all(shares(quota))
    assert max(shares(quota)) - min(shares(quota)) <= 1


def test_the_quota_is_answered_to_the_last_unit_and_begins_anew_at_midnight_in_china(bare: Library) -> None:
    granted(bare, quota=3)
    case = bare.announce(FOOD)
    for _ in range(3):
        ask(bare, question(case))
    with pytest.raises(QuotaExhaustedError) as refused:
        ask(bare, question(case))
    assert refused.value.status == 429
    assert refused.value.facts == {"renews_at": "2026-11-24T16:00:00.000000Z"}
    assert refused.value.retry_after == 15 * 3600 + 1
    core, uses = recorded(bare, refused.value)
    assert (core["kind"], core["reasons"]) == ("proof.refused", ["quota-exhausted"])
    assert [(one.holder_id, one.reason) for one in uses] == [(case.holder_id, "quota-exhausted")]
    bare.clock.advance(refused.value.retry_after)
    ask(bare, question(case))


def test_what_is_refused_takes_nothing(bare: Library) -> None:
    granted(bare, quota=1)
    open_case, closed = bare.announce(FOOD), bare.announce(FOOD, closed=True)
    for wrong in (question(closed), replace(question(open_case), holder=("111", "339999190001010012"))):
        with pytest.raises(QuestionRefusedError):
            ask(bare, wrong)
    assert used(bare) == 0
    ask(bare, question(open_case))
    assert used(bare) == 1


def test_of_several_grants_the_one_that_ends_first_is_used_up_first(bare: Library) -> None:
    late = granted(bare, quota=1, valid_until=TODAY + dt.timedelta(days=20))
    soon = granted(bare, quota=2, valid_until=TODAY + dt.timedelta(days=10))
    case = bare.announce(FOOD)
    for _ in range(3):
        ask(bare, question(case))
    with pytest.raises(QuotaExhaustedError):
        ask(bare, question(case))
    with bare.database.reading() as uow:
        acts = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "proof.answered"))
        assert sorted(json.loads(one.core)["basis"]["grant"] for one in acts) == sorted([soon, soon, late])
        assert {one.row.id: one.used for one in Grants().own(uow, CLIENT)} == {soon: 2, late: 1}


def test_of_fifty_calls_for_the_last_unit_exactly_one_is_answered(bare: Library) -> None:
    granted(bare, quota=PLACES * 2)
    cases = [bare.announce(FOOD) for _ in range(50)]
    for case in cases[: PLACES * 2 - 1]:
        ask(bare, question(case))
    line, outcomes = threading.Barrier(50), list[str]()

    def call(case: Case) -> None:
        line.wait(60)
        try:
            repeated(lambda: ask(bare, question(case)))
            outcomes.append("answered")
        except QuotaExhaustedError:
            outcomes.append("exhausted")

    threads = [threading.Thread(target=call, args=(case,)) for case in cases]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert sorted(outcomes) == ["answered"] + ["exhausted"] * 49
    assert used(bare) == PLACES * 2


# -- looks and copies ----------------------------------------------------------------------------------


def looks(library: Library, case: Case, identifier: str, who: Identity = CLIENT) -> dict[str, str]:
    """Find, read and have a copy made; give what came of each."""
    copies = CopyService(library.reader, library.holdings, every_client_runs)
    asked = on_case(who, case)
    found = {}
    for name, look in (
        ("find", lambda uow: library.reader.find_for_holder(uow, asked)),
        ("find of a type", lambda uow: library.reader.find_for_holder(uow, asked, types=[BUSINESS])),
        ("read", lambda uow: library.reader.read(uow, asked, identifier)),
        ("copy", lambda uow: copies.order(uow, asked, identifier)),
    ):
        try:
            with library.database.writing() as uow:
                look(uow)
            found[name] = "done"
        except (LicenseHiddenError, QuotaExhaustedError) as refused:
            found[name] = str(refused.act.reasons[0])
    return found


@pytest.mark.parametrize(
    ("ceiling", "done"),
    [
        (None, set()),
        (Ceiling.PREDICATE, set()),
        (Ceiling.FIELDS, {"find", "find of a type", "read"}),
        (Ceiling.DOCUMENT, {"find", "find of a type", "read", "copy"}),
    ],
)
def test_nothing_above_the_ceiling_is_disclosed(
    bare: Library, ceiling: Ceiling | None, done: set[str]
) -> None:
    license_ = bare.issue(BUSINESS)
    if ceiling is not None:
        granted(bare, ceiling=ceiling)
    came = looks(bare, bare.announce(FOOD), license_.identifier)
    assert came == {name: "done" if name in done else "not-granted" for name in came}
    assert used(bare) == len(done)
    assert set(looks(bare, bare.announce(FOOD), license_.identifier, CLERK).values()) == {"done"}


def test_a_grant_for_a_requirement_gives_a_look_at_what_proves_it_only(bare: Library) -> None:
    business, food = bare.issue(BUSINESS), bare.issue(FOOD)
    granted(bare, requirements=["R1"])
    case = bare.announce(FOOD)
    assert looks(bare, case, business.identifier) == {
        "find": "not-granted",
        "find of a type": "done",
        "read": "done",
        "copy": "done",
    }
    assert looks(bare, case, food.identifier)["read"] == "not-granted"


def test_a_refused_look_is_recorded_for_the_holder_of_the_case(bare: Library) -> None:
    license_ = bare.issue(BUSINESS)
    case = bare.announce(FOOD)
    with pytest.raises(LicenseHiddenError) as refused, bare.database.writing() as uow:
        bare.reader.read(uow, on_case(CLIENT, case), license_.identifier)
    core, uses = recorded(bare, refused.value)
    assert (core["kind"], core["reasons"]) == ("access.refused", ["not-granted"])
    assert [(one.holder_id, one.license_id, one.reason) for one in uses] == [
        (case.holder_id, license_.id, "not-granted")
    ]


def test_a_look_counts_once_and_its_act_names_the_grant(bare: Library) -> None:
    license_ = bare.issue(BUSINESS)
    name = granted(bare, quota=1)
    case = bare.announce(FOOD)
    with bare.database.writing() as uow:
        bare.reader.read(uow, on_case(CLIENT, case), license_.identifier)
    with bare.database.reading() as uow:
        act = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "license.read")).one()
        assert json.loads(act.core)["basis"]["grant"] == name
    with pytest.raises(QuotaExhaustedError), bare.database.writing() as uow:
        bare.reader.read(uow, on_case(CLIENT, case), license_.identifier)
