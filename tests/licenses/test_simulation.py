# SPDX-License-Identifier: Apache-2.0
"""A draft rule is tried on closed cases: shares, what differs from the rule of their day, reproducibly."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from license_library import BUSINESS, CLERK, FOOD, GROUNDS, ITEM_OF, MANAGER, PERSON, Library
from rule_world import COMMITMENT, COOPERATION, UPLOAD, licence, requirement, rule
from sqlalchemy import select

from cases.models import Case, Holder
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


def simulate(
    library: Library, draft: Rule = DRAFT, who: Identity = SUPERVISOR, beside: tuple[Rule, ...] = ()
) -> Simulated:
    book = RuleBook.load()
    service = SimulationService(book, Inquiry(library.holdings, book))
    with library.database.reading() as uow:
        found = service.simulate(uow, who, draft, beside=beside)
        assert service.count(uow, draft, beside) == found.cases + found.erased
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


def changed(body: Any, **changes: Any) -> Rule:
    return rule(*body["requirements"], **({name: body[name] for name in ("rule_id", "item")} | changes))


def shipped_body() -> Any:
    (shipped,) = [one for one in RuleBook.load().all() if one.body.item.code == ITEM_OF[FOOD]]
    return shipped.body.model_dump(mode="json")


def test_a_proof_that_the_draft_drops_is_a_difference(library: Library) -> None:
    case = library.announce(FOOD, closed=True)
    body = shipped_body()
    dropped = body["requirements"].pop()
    found = simulate(library, changed(body, version=2))
    (difference,) = found.differences
    assert (difference.case_id, difference.requirement) == (case.id, dropped["id"])
    assert (difference.before, difference.after) == (Outcome.PENDING, None)
    assert found.differing == 1
    assert found.as_json()["dropped"] == {dropped["id"]: {"zh": dropped["zh"], "en": dropped["en"]}}


def test_a_new_edition_is_tried_on_the_cases_of_those_that_it_replaces(library: Library) -> None:
    case = library.announce(FOOD, closed=True)
    library.announce(BUSINESS, closed=True)
    body = shipped_body()
    later = changed(body, version=2, item={"code": ITEM_OF[FOOD], "edition": "2027-01"})
    found = simulate(library, later)
    assert (found.cases, found.differing) == (1, 0)
    assert found.replaced == (f"{ITEM_OF[FOOD]} 2026-03",)
    earlier = changed(body, version=2, item={"code": ITEM_OF[FOOD], "edition": "2025-01"})
    assert (simulate(library, earlier).cases, simulate(library, earlier).replaced) == (0, ())
    assert simulate(library, changed(body, version=2)).replaced == (), "it has cases of its own"
    with library.database.writing() as uow:
        uow.session.get_one(Case, case.id).item_edition = "2027-01"
    assert simulate(library, later).replaced == ()


NEW = {"code": "339999019999", "edition": "2027-01"}


@pytest.mark.parametrize("said", ["merged_from", "replaced_by", "split_into"])
def test_an_item_that_replaces_others_is_tried_on_their_cases(library: Library, said: str) -> None:
    case = library.announce(FOOD, closed=True)
    body = shipped_body()
    old: dict[str, Any] = {"code": ITEM_OF[FOOD], "edition": "2026-03"}
    renamed = copy.deepcopy(body)
    for place, one in enumerate(renamed["requirements"]):
        one["id"] = f"N{place}"
    beside: tuple[Rule, ...] = ()
    item: dict[str, Any] = dict(NEW)
    if said == "merged_from":
        item["merged_from"] = [ITEM_OF[FOOD]]
    else:
        relation = {"replaced_by": NEW["code"]} if said == "replaced_by" else {"split_into": [NEW["code"]]}
        beside = (changed(body, version=2, item=old | relation),)
    draft = changed(renamed, rule_id="successor", item=item)
    assert simulate(library, changed(renamed, rule_id="successor", item=NEW)).cases == 0
    found = simulate(library, draft, beside=beside)
    assert (found.cases, found.replaced) == (1, (f"{ITEM_OF[FOOD]} 2026-03",))
    assert found.differing == 0, "a proof of the same material is the same proof, whatever its id"
    other = copy.deepcopy(renamed)
    other["requirements"] = [requirement([licence()], name="R1", material="something-else")]
    found = simulate(library, changed(other, rule_id="successor", item=item), beside=beside)
    gone = {f"R1@{ITEM_OF[FOOD]}", *(one["id"] for one in body["requirements"][1:])}
    assert {one.requirement for one in found.differences if one.after is None} == gone
    assert {one.case_id for one in found.differences} == {case.id}


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
