# SPDX-License-Identifier: Apache-2.0
"""Whatever is granted and whatever is called: a call is answered exactly if some grant covers all of it."""

import datetime as dt
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fakes import HandClock
from granting import APPROVER, grant
from hypothesis import given
from hypothesis import strategies as st
from license_library import BUSINESS, CLIENT, FOOD, Library, every_client_runs, on_case

from cases.models import Case
from licenses.copies.services import CopyService
from licenses.errors import LicenseHiddenError, QuestionRefusedError
from licenses.grants.errors import QuotaExhaustedError
from licenses.grants.models import LicenseGrant
from licenses.grants.services import end
from licenses.grants.terms import Ceiling, GrantedItem
from licenses.questions import ProofQuestion
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Identity

ITEM, EDITION = "339999010002", "2026-03"
TODAY = legal_date(HandClock().now())
REQUIREMENTS = ("R1", "R2", "R3")
NEEDED = {"ask": 1, "read": 2, "copy": 3}
CEILINGS = {Ceiling.PREDICATE: 1, Ceiling.FIELDS: 2, Ceiling.DOCUMENT: 3}


class UndoneError(Exception):
    """Ends an example: nothing of it stays."""


@dataclass(frozen=True)
class World:
    library: Library
    case: Case
    business: str


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        library = Library(Path(folder))
        with library.database.writing() as uow:
            end(uow, APPROVER, uow.session.get_one(LicenseGrant, library.granted))
        business = library.issue(BUSINESS).identifier
        yield World(library, library.announce(FOOD), business)
        library.database.close()


days = st.integers(-2, 2)
granted = st.fixed_dictionaries(
    {
        "organisation": st.sampled_from(["scjg", "scjg", "scjg", "jtys"]),
        "client_id": st.sampled_from([None, None, CLIENT.id, "another"]),
        "items": st.lists(
            st.sampled_from([(ITEM, None), (ITEM, EDITION), (ITEM, "2025-01"), ("339999010001", None)]),
            min_size=1,
            max_size=3,
            unique=True,
        ),
        "requirements": st.frozensets(st.sampled_from(REQUIREMENTS), max_size=3),
        "purposes": st.frozensets(st.sampled_from(["accept", "examine"]), min_size=1),
        "ceiling": st.sampled_from(list(Ceiling)),
        "quota": st.integers(1, 3),
        "first": days,
        "last": st.integers(0, 2),
    }
)
calls = st.fixed_dictionaries(
    {
        "kind": st.sampled_from(["ask", "ask", "read", "copy"]),
        "requirements": st.frozensets(st.sampled_from(REQUIREMENTS), max_size=3),
        "purpose": st.sampled_from(["accept", "examine"]),
        "client": st.sampled_from([CLIENT.id, CLIENT.id, "client-2"]),
    }
)


def covered(terms: dict[str, Any], call: dict[str, Any]) -> bool:
    """Say in other words than the product's what a grant is good for."""
    wanted = call["requirements"] or frozenset(REQUIREMENTS)
    if call["kind"] != "ask":
        # Of what the rule asks, a business licence proves the first requirement.
        wanted = frozenset({"R1"})
    missing = wanted - terms["requirements"] if terms["requirements"] else frozenset()
    return not any(
        (
            terms["organisation"] != "scjg",
            terms["client_id"] is not None and terms["client_id"] != call["client"],
            (ITEM, None) not in terms["items"] and (ITEM, EDITION) not in terms["items"],
            missing,
            call["purpose"] not in terms["purposes"],
            CEILINGS[terms["ceiling"]] < NEEDED[call["kind"]],
            terms["first"] > 0,
        )
    )


def expected(all_terms: list[dict[str, Any]], call: dict[str, Any], left: Counter[int]) -> str:
    good = [place for place, terms in enumerate(all_terms) if covered(terms, call)]
    if not good:
        return "not-granted"
    open_ = [place for place in good if left[place]]
    if not open_:
        return "quota-exhausted"
    left[min(open_, key=lambda place: (all_terms[place]["last"], all_terms[place]["id"]))] -= 1
    return "answered"


def carried_out(world: World, uow: UnitOfWork, call: dict[str, Any]) -> str:
    who: Identity = replace(CLIENT, id=call["client"])
    case, library = world.case, world.library
    try:
        if call["kind"] == "ask":
            asked = ProofQuestion(
                case.source,
                case.number,
                case.item_code,
                call["purpose"],
                requirements=tuple(sorted(call["requirements"])),
            )
            library.proofs.ask(uow, who, asked)
        elif call["kind"] == "read":
            view = library.reader.read(uow, on_case(who, case, call["purpose"]), world.business)
            assert view.face
        else:
            copies = CopyService(library.reader, library.holdings, every_client_runs)
            copies.order(uow, on_case(who, case, call["purpose"]), world.business)
    except (QuestionRefusedError, LicenseHiddenError, QuotaExhaustedError) as refused:
        return str(refused.act.reasons[0])
    return "answered"


@given(all_terms=st.lists(granted, max_size=4), called=st.lists(calls, min_size=1, max_size=6))
def test_a_call_is_answered_exactly_if_a_grant_covers_it_and_has_quota_left(
    world: World, all_terms: list[dict[str, Any]], called: list[dict[str, Any]]
) -> None:
    left = Counter({place: terms["quota"] for place, terms in enumerate(all_terms)})
    with suppress(UndoneError), world.library.database.writing() as uow:
        for terms in all_terms:
            first = min(terms["first"], terms["last"])
            terms["first"] = first
            terms["id"] = grant(
                uow,
                [GrantedItem(*one) for one in terms["items"]],
                organisation=terms["organisation"],
                client_id=terms["client_id"],
                requirements=sorted(terms["requirements"]),
                purposes=sorted(terms["purposes"]),
                ceiling=terms["ceiling"],
                quota=terms["quota"],
                valid_from=TODAY + dt.timedelta(days=first),
                valid_until=TODAY + dt.timedelta(days=terms["last"]),
            ).id
        got = [carried_out(world, uow, call) for call in called]
        wanted = [expected(all_terms, call, left) for call in called]
        assert got == wanted
        raise UndoneError
