# SPDX-License-Identifier: Apache-2.0
"""Decisions whose ground is gone are told of: to who asked, and to supervision of the case's department."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from license_library import BUSINESS, CLERK, CLIENT, FOOD, GROUNDS, MANAGER, Library

from licenses.lifecycle import EventKind
from licenses.models import License
from licenses.questions import ProofQuestion
from licenses.recall import CORRECTED, RecallPage, RecallService
from storage.errors import NotPermittedError
from storage.identity import Identity, Role

OWN = Identity("person", "supervisor-1", "scjg", frozenset({Role.SUPERVISOR}))
ELSEWHERE = Identity("person", "supervisor-2", "jtj", frozenset({Role.SUPERVISOR}))
ASKER = replace(CLIENT, operator="op-1")


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


def decided(library: Library) -> str:
    case = library.announce(FOOD)
    library.clock.advance(1)
    with library.database.writing() as uow:
        question = ProofQuestion(case.source, case.number, case.item_code, "accept")
        return library.proofs.ask(uow, ASKER, question).decision.id


def happens(library: Library, licence: License, kind: EventKind) -> None:
    library.clock.advance(60)
    with library.database.writing() as uow:
        library.service.change(uow, MANAGER, licence.identifier, kind, GROUNDS)


def recalled(
    library: Library, who: Identity = ASKER, after: str | None = None, limit: int = 50
) -> RecallPage:
    with library.database.reading() as uow:
        return RecallService().recalled(uow, who, after, limit)


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (EventKind.SUSPENDED, True),
        (EventKind.WITHDRAWN, True),
        (EventKind.REVOKED, True),
        (EventKind.CANCELLED, False),
        (EventKind.LAPSED, False),
    ],
)
def test_a_decision_is_recalled_by_what_takes_its_ground_away(
    library: Library, kind: EventKind, told: bool
) -> None:
    licence = library.issue(BUSINESS)
    library.clock.advance(1)
    decision = decided(library)
    assert recalled(library).rows == []
    happens(library, licence, kind)
    found = [(one.decision_id, one.license_id, one.event) for one in recalled(library).rows]
    assert found == ([(decision, licence.id, str(kind))] if told else [])


@pytest.mark.parametrize(
    ("change", "told"), [("correction", True), ("change", False), ("renewal", False), ("reissue", False)]
)
def test_a_decision_is_recalled_by_a_correction_of_the_face_and_by_no_other_next_version(
    library: Library, change: str, told: bool
) -> None:
    licence = library.issue(BUSINESS)
    library.clock.advance(1)
    decision = decided(library)
    library.clock.advance(60)
    reserved = library.reserve(BUSINESS, replaces=licence.identifier, change=change)
    assert recalled(library).rows == [], "under way only"
    library.clock.advance(1)
    library.issue_reserved(reserved)
    for who in (ASKER, OWN):
        found = [(one.decision_id, one.license_id, one.event) for one in recalled(library, who).rows]
        assert found == ([(decision, licence.id, CORRECTED)] if told else [])
    with library.database.reading() as uow:
        assert RecallService().count(uow, OWN, reserved.reserved_at) == int(told)
    library.clock.advance(1)
    before = recalled(library).rows
    decided(library)
    assert recalled(library).rows == before, "what rests on the corrected version stands"


def test_a_correction_recalls_what_rests_on_the_version_that_it_corrects(library: Library) -> None:
    """The version before that one is replaced by it, too, and its face was not found false."""
    first = library.issue(BUSINESS)
    library.clock.advance(1)
    decided(library)
    renewed = library.issue(BUSINESS, replaces=first.identifier, change="renewal", valid_from="2027-12-31")
    library.clock.advance(60)
    library.issue(BUSINESS, replaces=renewed.identifier, change="correction", valid_from="2026-12-31")
    assert recalled(library).rows == []
    library.clock.advance(365 * 86_400)
    assert recalled(library).rows == []


def test_what_was_asked_afterwards_or_rested_on_another_licence_is_not(library: Library) -> None:
    licence, other = library.issue(BUSINESS), library.issue(FOOD)
    library.clock.advance(1)
    happens(library, other, EventKind.REVOKED)
    decided(library)
    happens(library, licence, EventKind.SUSPENDED)
    before = recalled(library).rows
    library.clock.advance(1)
    decided(library)
    assert recalled(library).rows == before
    assert {one.license_id for one in before} == {licence.id}


def test_everybody_sees_the_own_and_supervision_its_departments(library: Library) -> None:
    licence = library.issue(BUSINESS)
    library.clock.advance(1)
    decided(library)
    happens(library, licence, EventKind.REVOKED)
    assert len(recalled(library, OWN).rows) == 1
    assert recalled(library, ELSEWHERE).rows == []
    assert recalled(library, replace(ASKER, id="another-client")).rows == []
    for stranger in (CLERK, replace(ASKER, scopes=frozenset({"read"}))):
        with pytest.raises(NotPermittedError):
            recalled(library, stranger)
    with library.database.reading() as uow:
        now = library.clock.now()
        assert RecallService().count(uow, OWN, now.replace(year=2020)) == 1
        assert RecallService().count(uow, OWN, now) == 0


def test_a_clerk_sees_what_they_asked_of_cases_that_they_may_still_see(library: Library) -> None:
    licence = library.issue(BUSINESS)
    library.clock.advance(1)
    decided(library)
    case = library.announce(FOOD)
    with library.database.writing() as uow:
        question = ProofQuestion(case.source, case.number, case.item_code, "accept")
        mine = library.proofs.ask(uow, CLERK, question).decision
    happens(library, licence, EventKind.REVOKED)
    recalls = RecallService()
    with library.database.reading() as uow:
        (row,) = recalls.own(uow, CLERK).rows
        assert (row.decision_id, row.closed_at, row.rule_digest) == (mine.id, None, mine.rule_digest)
        assert recalls.requirements(uow, [row]) == {row: ["R1"]}
        for other in (replace(CLERK, id="clerk-2"), replace(CLERK, organisation="jtj")):
            assert recalls.own(uow, other).rows == []
        for stranger in (OWN, ASKER, MANAGER):
            with pytest.raises(NotPermittedError):
                recalls.own(uow, stranger)
    library.close(case)
    with library.database.reading() as uow:
        assert [one.closed_at for one in recalls.own(uow, CLERK).rows] == [library.clock.now()]


def test_pages_lose_nothing_where_one_event_recalls_many(library: Library) -> None:
    licence = library.issue(BUSINESS)
    library.clock.advance(1)
    made = [decided(library) for _ in range(5)]
    happens(library, licence, EventKind.SUSPENDED)
    seen: list[str] = []
    after = None
    while True:
        page = recalled(library, limit=2, after=after)
        seen += [one.decision_id for one in page.rows]
        after = page.next_cursor
        if after is None:
            break
    assert sorted(seen) == sorted(made)
