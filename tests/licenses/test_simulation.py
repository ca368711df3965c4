# SPDX-License-Identifier: Apache-2.0
"""A draft rule is tried on closed cases: shares, what differs from the rule of their day, reproducibly."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from license_library import BUSINESS, CLERK, FOOD, GROUNDS, MANAGER, PERSON, Library
from rule_world import COMMITMENT, COOPERATION, UPLOAD, licence, requirement, rule
from sqlalchemy import select

from cases.models import Holder
from licenses.inquiry import Inquiry
from licenses.rules import Rule, RuleBook
from licenses.simulation import Outcome, Simulated, SimulationService
from storage.errors import NotPermittedError
from storage.identity import Identity, Role
from storage.ledger.kinds import ActKind
from storage.ledger.models import LedgerAct

SUPERVISOR = Identity("person", "supervisor-1", "", frozenset({Role.SUPERVISOR}))
DRAFT = rule(
    requirement([licence()], name="R1"),
    requirement(name="R2", fallback=[COMMITMENT, UPLOAD]),
    requirement(name="R3", fallback=[COOPERATION, UPLOAD]),
    requirement(name="R4"),
)


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


def simulate(library: Library, draft: Rule = DRAFT, who: Identity = SUPERVISOR) -> Simulated:
    book = RuleBook.load()
    service = SimulationService(book, Inquiry(library.holdings, book))
    with library.database.reading() as uow:
        found = service.simulate(uow, who, draft)
    with library.database.writing() as uow:
        service.record(uow, who, draft, found.as_json())
    return found


def test_only_closed_cases_of_the_item_count_with_the_facts_of_their_day(library: Library) -> None:
    early = library.announce(FOOD, closed=True)
    library.clock.advance(60)
    held = library.issue(BUSINESS)
    library.clock.advance(60)
    late = library.announce(FOOD, closed=True)
    library.announce(FOOD)
    library.clock.advance(60)
    with library.database.writing() as uow:
        library.service.revoke(uow, MANAGER, held.identifier, GROUNDS)
    found = simulate(library)
    assert found.cases == 2
    assert found.draft["R1"] == {Outcome.UPLOAD: 1, Outcome.MET: 1}
    assert found.draft["R2"] == {Outcome.PROVISIONAL: 2}
    assert found.draft["R3"] == {Outcome.PENDING: 2}
    assert found.draft["R4"] == {Outcome.UPLOAD: 2}
    assert {early.id, late.id} == {one.case_id for one in found.differences}
    assert simulate(library).as_json() == found.as_json()


def test_what_differs_is_told_case_by_case(library: Library) -> None:
    case = library.announce(FOOD, closed=True)
    (shipped,) = [one for one in RuleBook.load().all() if one.body.item.code == case.item_code]
    assert simulate(library, shipped).differing == 0
    stated: Any = shipped.body.model_dump(mode="json")
    stated["requirements"][2] |= {"alternatives": [], "fallback": [], "cancelled": "无法律依据"}
    found = simulate(library, rule(*stated["requirements"]))
    (difference,) = found.differences
    assert (difference.case_id, difference.requirement) == (case.id, "R3")
    assert (difference.before, difference.after) == (Outcome.PENDING, Outcome.MET)
    assert (found.nothing_asked, found.nothing_asked_before) == (0, 0)


def test_a_holder_who_was_erased_is_counted_apart(library: Library) -> None:
    library.issue(BUSINESS)
    library.clock.advance(60)
    library.announce(FOOD, closed=True)
    library.announce(FOOD, holder=PERSON, closed=True)
    with library.database.writing() as uow:
        erased = uow.session.scalars(select(Holder).where(Holder.kind == "organisation")).one()
        uow.secrets.destroy(erased.id)
    found = simulate(library)
    assert (found.cases, found.erased) == (1, 1)


def test_it_is_for_supervision_and_administration_and_is_recorded(library: Library) -> None:
    with pytest.raises(NotPermittedError):
        simulate(library, who=CLERK)
    library.announce(FOOD, closed=True)
    simulate(library)
    with library.database.reading() as uow:
        (act,) = uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == ActKind.RULE_SIMULATED))
    assert act.object_id == "some-rule"
