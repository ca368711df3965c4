# SPDX-License-Identifier: Apache-2.0
"""What is refused before a case is looked at: its holder sees it, and who asked learns nothing by that."""

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest
from license_library import BUSINESS, CLERK, CLIENT, COMPANY, FOOD, OTHER, Library
from sqlalchemy import event, select

from cases.calendar import WorkingCalendar
from cases.models import Case
from licenses.admitting import Question
from licenses.errors import OperatorRequiredError, PurposeUnknownError, QuestionRefusedError
from licenses.models import LicenseUsage
from licenses.objections import ObjectionService
from licenses.own import OwnRecordsService, OwnUse
from licenses.questions import ProofQuestion
from licenses.unlooked import MOST
from licenses.visibility import Visibility
from storage.identity import AccessBasis, Basis, Identity, Role
from storage.ledger.models import LedgerAct

CALENDAR = WorkingCalendar.load()
DAY = 24 * 3600
ROAD_ITEM = "339999020001"


@dataclass(frozen=True)
class Early:
    """A refusal before the case is looked at."""

    asker: Identity
    reason: str
    purpose: str = "accept"
    kind: type[QuestionRefusedError] = QuestionRefusedError

    def about(self, case: Case, number: str | None = None) -> Question:
        return self.asker, ProofQuestion(case.source, number or case.number, case.item_code, self.purpose)


EARLY = {
    "scope": Early(replace(CLIENT, scopes=frozenset({"read"})), "not-granted"),
    "source": Early(replace(CLIENT, sources=frozenset({"elsewhere"})), "not-granted"),
    "item": Early(replace(CLIENT, items=frozenset({ROAD_ITEM})), "not-granted"),
    "operator": Early(replace(CLIENT, operator=None), "operator-missing", kind=OperatorRequiredError),
    "purpose": Early(CLIENT, "purpose-unknown", "curiosity", PurposeUnknownError),
    "department": Early(replace(CLERK, organisation="jtys"), "case-unknown"),
}
each = pytest.mark.parametrize("early", EARLY.values(), ids=EARLY)


@contextmanager
def statements(library: Library) -> Iterator[list[str]]:
    """Give what the database is asked meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(library.database.engine, "before_cursor_execute", note)
    yield asked
    event.remove(library.database.engine, "before_cursor_execute", note)


def refusals(library: Library, questions: Sequence[Question]) -> list[QuestionRefusedError]:
    with library.database.writing() as uow:
        found = library.proofs.ask_each(uow, questions)
    assert all(isinstance(one, QuestionRefusedError) for one in found)
    return [one for one in found if isinstance(one, QuestionRefusedError)]


def refused(library: Library, question: Question) -> QuestionRefusedError:
    """Ask alone, be refused, and record it as every way in does."""
    with pytest.raises(QuestionRefusedError) as error, library.database.writing() as uow:
        library.proofs.ask(uow, *question)
    library.database.write(error.value.record)
    return error.value


def seen(
    library: Library, of: tuple[str, str, str] = COMPANY, rules: Visibility | None = None
) -> list[OwnUse]:
    """Give the uses that a holder is shown."""
    objections = ObjectionService(CALENDAR, rules=rules)
    service = OwnRecordsService(
        library.reader, library.proofs, library.holdings, library.holders, objections, rules
    )
    with library.database.writing() as uow:
        holder = library.holders.find_or_add(uow, *of)
        basis = AccessBasis(Basis.HOLDER)
        who = Identity("holder", holder.id, "", frozenset({Role.HOLDER}), basis, session="session-1")
        return list(service.look(uow, who).uses)


def uses(library: Library) -> list[LicenseUsage]:
    with library.database.reading() as uow:
        return list(uow.session.scalars(select(LicenseUsage)))


def acts(library: Library) -> list[LedgerAct]:
    with library.database.reading() as uow:
        return list(uow.session.scalars(select(LedgerAct).where(LedgerAct.kind == "proof.refused")))


def clear(act: LedgerAct) -> dict[str, Any]:
    """Give what an act tells in clear, but for what is another each time."""
    core: dict[str, Any] = json.loads(act.core)
    return {name: value for name, value in core.items() if name not in {"nonce", "detail_sha256"}}


@each
def test_the_holder_of_the_case_sees_it_with_who_asked(library: Library, early: Early) -> None:
    library.issue(BUSINESS)
    case = library.announce(FOOD)
    refused(library, early.about(case))
    (use,) = seen(library)
    asker, row = early.asker, use.row
    assert (row.action, row.result, row.reason, row.license_id) == ("ask", "REFUSED", early.reason, None)
    assert (row.actor_id, row.organisation) == (asker.id, asker.organisation)
    assert row.operator == (asker.id if asker.kind == "person" else asker.operator)
    assert (row.case_id, row.item_code) == (case.id, case.item_code)
    assert row.purpose == ("accept" if early.purpose == "accept" else None)
    assert (use.own_case, use.myself) == (True, False)
    assert seen(library, OTHER) == []


@each
def test_of_a_case_that_is_not_there_nobody_is_told_and_the_refusal_is_the_same(
    library: Library, early: Early
) -> None:
    case = library.announce(FOOD)
    there, missing = (refused(library, early.about(case, number)) for number in (None, "no-such"))
    assert [use.case_id for use in uses(library)] == [case.id]
    assert (type(there), there.facts, str(there)) == (early.kind, missing.facts, str(missing))
    assert type(missing) is early.kind
    of_there, of_missing = acts(library)
    assert clear(of_there) == clear(of_missing)
    assert {act.object_id for act in (of_there, of_missing)} == {"unknown"}


def test_many_that_are_asked_together_are_told_each_to_its_holder(library: Library) -> None:
    mine, others = library.announce(FOOD), library.announce(FOOD, OTHER)
    asked = [
        one
        for early in EARLY.values()
        for one in (early.about(mine), early.about(mine, "no-such"), early.about(others))
    ]
    for refusal in refusals(library, asked):
        library.database.write(refusal.record)
    # Scope, source and item are one reason to who is told; the item is told where the client works on it.
    reasons = ["case-unknown", "not-granted", "operator-missing", "purpose-unknown"]
    assert sorted(str(use.row.reason) for use in seen(library)) == reasons
    assert sorted(str(use.row.reason) for use in seen(library, OTHER)) == reasons
    assert len(uses(library)) == 2 * len(reasons)
    assert len(acts(library)) == len(asked)


@each
def test_the_answer_knows_nothing_of_the_case_and_nothing_is_read_of_the_holder(
    library: Library, early: Early
) -> None:
    library.issue(BUSINESS)
    case, asked, told = library.announce(FOOD), [], []
    for number in ("no-such", None, None):
        with statements(library) as of_answer:
            (refusal,) = refusals(library, [early.about(case, number)])
        with statements(library) as of_record:
            library.database.write(refusal.record)
        asked.append(of_answer)
        told.append([one for one in of_record if one.startswith("SELECT")])
    assert asked[0] == asked[1] == asked[2]
    assert told[0] == told[1] == told[2], "the case that is there takes no look that the missing one does not"
    tables = {
        word for one in told[1] for word in one.split() if word.startswith(("case_", "license", "holder"))
    }
    assert {word for word in tables if "." not in word} <= {"case_record", "license_usage"}


def test_the_same_refusal_is_shown_once_a_day_and_not_too_many_are(library: Library) -> None:
    case = library.announce(FOOD)
    for _ in range(3):
        refused(library, EARLY["source"].about(case))
    assert len(seen(library)) == 1
    for number in range(2 * MOST):
        asker = replace(EARLY["source"].asker, operator=f"made-up-{number}")
        refused(library, (asker, EARLY["source"].about(case)[1]))
    assert len(seen(library)) == MOST
    assert len(acts(library)) == 3 + 2 * MOST
    refused(library, EARLY["department"].about(case))
    assert len(seen(library)) == MOST + 1, "who asks too much hides nobody else"
    library.clock.advance(DAY)
    refused(library, EARLY["source"].about(case))
    assert len(seen(library)) == MOST + 2


def test_a_delay_by_the_item_of_the_case_counts_although_the_asker_does_not_work_on_it(
    library: Library,
) -> None:
    case = library.announce(FOOD)
    secret = {
        "code": "inquiry",
        "zh": "依法延后告知",
        "en": "Told later by law",
        "item": [case.item_code],
        "delay_days": 30,
        "mask": ["organisation"],
        "legal_basis": "某法第一条",
        "effective": ["2026-01-01", None],
    }
    rules = Visibility.read(json.dumps({"version": "1", "rules": [secret]}).encode())
    asker, asked = EARLY["item"].about(case)
    refused(library, (asker, replace(asked, item="made-up")))
    assert seen(library, rules=rules) == []
    library.clock.at += dt.timedelta(days=30)
    (use,) = seen(library, rules=rules)
    assert (use.row.organisation, use.row.actor_id) == ("", "")


def test_a_word_made_up_by_who_asks_is_not_shown(library: Library) -> None:
    case = library.announce(FOOD)
    asker, asked = EARLY["purpose"].about(case)
    refused(library, (asker, replace(asked, item="339999019999")))
    refused(library, (asker, asked))
    shown = [(use.row.item_code, use.row.purpose) for use in seen(library)]
    assert shown == [(case.item_code, None)] * 2
