# SPDX-License-Identifier: Apache-2.0
"""Simulation of a draft rule on closed cases, before it is in force: what citizens need not have brought.

Each closed case of the item is evaluated with the facts of the instant at which it was accepted, by the draft
and by the rule in force then. What evidence leaves open counts for the first rung that the draft offers. The
same cases and the same draft give the same figures.
"""

import datetime as dt
import enum
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import select

from cases.models import Case
from licenses.evaluation import evaluate
from licenses.inquiry import Inquiry
from licenses.predicates import Answer
from licenses.reason_table import ReasonTable
from licenses.rules import Rule, RuleBook
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT, ErasedError

MOST_DIFFERENCES: Final = 1000
_BATCH: Final = 500
_TELLING_EVERY: Final = 100
_SIMULATING: Final = (Role.SUPERVISOR, Role.SYSTEM_ADMIN)


class Outcome(enum.StrEnum):
    """What a requirement would have come to."""

    MET = "met"
    NOT_MET = "not-met"
    PROVISIONAL = "provisional"
    PENDING = "pending"
    UPLOAD = "upload"


_OF_RUNG: Final = {
    "commitment": Outcome.PROVISIONAL,
    "supply_later": Outcome.PROVISIONAL,
    "cooperation": Outcome.PENDING,
    "citizen_upload": Outcome.UPLOAD,
}


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """A case in which the draft comes to something else than the rule of its day.

    Attributes:
        case_id: The case.
        requirement: Id of the requirement.
        before: What the rule of its day came to; ``None`` where it has no such requirement.
        after: What the draft comes to.
    """

    case_id: str
    requirement: str
    before: Outcome | None
    after: Outcome


@dataclass(slots=True)
class Simulated:
    """The figures.

    Attributes:
        cases: How many closed cases were evaluated.
        erased: Cases whose holder's key was destroyed: nothing is known of them any more.
        draft: Requirement → outcome → cases.
        in_force: The same by the rule of each case's day.
        nothing_asked: Cases in which the draft leaves nothing to be uploaded.
        nothing_asked_before: The same by the rule of each case's day.
        differences: The first of them, by the order of the cases.
        differing: How many cases differ.
    """

    cases: int = 0
    erased: int = 0
    draft: dict[str, Counter[Outcome]] = field(default_factory=dict)
    in_force: dict[str, Counter[Outcome]] = field(default_factory=dict)
    nothing_asked: int = 0
    nothing_asked_before: int = 0
    differences: list[CaseDifference] = field(default_factory=list)
    differing: int = 0

    def as_json(self) -> dict[str, Json]:
        """Give the figures without the cases."""
        return {
            "cases": self.cases,
            "erased": self.erased,
            "draft": _counted(self.draft),
            "in_force": _counted(self.in_force),
            "nothing_asked": self.nothing_asked,
            "nothing_asked_before": self.nothing_asked_before,
            "differing": self.differing,
        }


class SimulationService:
    """Simulates drafts.

    Args:
        rules: The rules in force.
        inquiry: Gathers facts.
    """

    def __init__(self, rules: RuleBook, inquiry: Inquiry) -> None:
        self._rules = rules
        self._inquiry = inquiry
        self._table = ReasonTable.load()

    def simulate(
        self,
        uow: UnitOfWork,
        identity: Identity,
        draft: Rule,
        told: Callable[[int], None] = lambda _done: None,
    ) -> Simulated:
        """Evaluate every closed case of the draft's item edition; who shows the figures records it first.

        Args:
            uow: A unit that reads: nobody who writes waits for it.
            identity: Who asks.
            draft: The draft.
            told: Is told now and then how many cases are done.

        Raises:
            NotPermittedError: Neither supervision nor an administrator of the system.
        """
        identity.demand(*_SIMULATING)
        found = Simulated()
        for place, case in enumerate(_closed(uow, draft), start=1):
            try:
                self._add(uow, found, draft, case)
            except ErasedError:
                found.erased += 1
            if place % _TELLING_EVERY == 0:
                told(place)
        return found

    def record(self, uow: UnitOfWork, identity: Identity, draft: Rule, figures: Mapping[str, Json]) -> None:
        """Record what was simulated, and what came of it: the figures as JSON.

        Raises:
            NotPermittedError: Neither supervision nor an administrator of the system.
        """
        identity.demand(*_SIMULATING)
        uow.record(
            Act(
                kind=ActKind.RULE_SIMULATED,
                actor=identity,
                object_type="rule",
                object_id=draft.body.rule_id,
                object_sha256=draft.digest,
                subject=SYSTEM_SUBJECT,
                notes=figures,
            )
        )

    def _add(self, uow: UnitOfWork, found: Simulated, draft: Rule, case: Case) -> None:
        after = self._outcomes(uow, draft, case, case.accepted_at)
        rule = self._rules.find(case.item_code, case.item_edition, legal_date(case.accepted_at))
        before = self._outcomes(uow, rule, case, case.accepted_at) if rule is not None else {}
        found.cases += 1
        _count(found.draft, after)
        _count(found.in_force, before)
        found.nothing_asked += Outcome.UPLOAD not in after.values()
        found.nothing_asked_before += bool(before) and Outcome.UPLOAD not in before.values()
        changed = [
            CaseDifference(case.id, name, before.get(name), outcome)
            for name, outcome in after.items()
            if before.get(name) is not outcome
        ]
        found.differing += bool(changed)
        found.differences += changed[: max(0, MOST_DIFFERENCES - len(found.differences))]

    def _outcomes(self, uow: UnitOfWork, rule: Rule, case: Case, at: dt.datetime) -> dict[str, Outcome]:
        body = evaluate(rule, self._inquiry.facts(uow, rule, case, at), at, self._table).body
        answers = body["requirements"]
        return {one["id"]: _outcome(one) for one in answers} if isinstance(answers, list) else {}


def _closed(uow: UnitOfWork, draft: Rule) -> Iterator[Case]:
    query = (
        select(Case)
        .where(
            Case.item_code == draft.body.item.code,
            Case.item_edition == draft.body.item.edition,
            Case.closed_at.is_not(None),
        )
        .order_by(Case.announced_at, Case.id)
        .execution_options(yield_per=_BATCH)
    )
    yield from uow.session.scalars(query)


def _outcome(answer: Mapping[str, Json]) -> Outcome:
    """Give the outcome: evidence first, then the first rung that is open."""
    result = Answer(str(answer["result"]))
    if result is Answer.MET:
        return Outcome.MET
    if result is Answer.NOT_MET:
        return Outcome.NOT_MET
    steps = answer["next"]
    kinds = [str(one["kind"]) for one in steps] if isinstance(steps, list) else []
    return next((_OF_RUNG[kind] for kind in kinds if kind in _OF_RUNG), Outcome.UPLOAD)


def _count(counts: dict[str, Counter[Outcome]], outcomes: Mapping[str, Outcome]) -> None:
    for name, outcome in outcomes.items():
        counts.setdefault(name, Counter())[outcome] += 1


def _counted(counts: Mapping[str, Counter[Outcome]]) -> dict[str, Json]:
    return {
        name: {str(outcome): found[outcome] for outcome in Outcome if found[outcome]}
        for name, found in sorted(counts.items())
    }
