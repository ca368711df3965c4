# SPDX-License-Identifier: Apache-2.0
"""Simulation of a draft rule on closed cases, before it is in force: what citizens need not have brought.

Each closed case of the item edition, or of those that a new one replaces, is evaluated with the facts of the
instant at which it was accepted, by the draft and by the rule in force then. What evidence leaves open counts
for the first rung that the draft offers. The same cases and the same draft give the same figures.
"""

import datetime as dt
import enum
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from cases.models import Case
from licenses.evaluation import evaluate
from licenses.inquiry import Inquiry
from licenses.predicates import Answer
from licenses.reason_table import ReasonTable
from licenses.replaced_cases import closed_cases, closed_count, editions_tried
from licenses.rule_definition import Requirement
from licenses.rules import Rule, RuleBook
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Identity, Role
from storage.ledger.acts import Act
from storage.ledger.canonical import Json
from storage.ledger.kinds import ActKind
from storage.secrets import SYSTEM_SUBJECT, ErasedError

MOST_DIFFERENCES: Final = 1000
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
        after: What the draft comes to; ``None`` where it does not ask for that proof any more.
    """

    case_id: str
    requirement: str
    before: Outcome | None
    after: Outcome | None


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
        replaced: Item editions whose cases were evaluated because no case of the draft's own was closed yet.
        dropped: Titles in Chinese and English of the requirements that the draft does not have any more.
    """

    cases: int = 0
    erased: int = 0
    draft: dict[str, Counter[Outcome]] = field(default_factory=dict)
    in_force: dict[str, Counter[Outcome]] = field(default_factory=dict)
    nothing_asked: int = 0
    nothing_asked_before: int = 0
    differences: list[CaseDifference] = field(default_factory=list)
    differing: int = 0
    replaced: tuple[str, ...] = ()
    dropped: dict[str, tuple[str, str]] = field(default_factory=dict)

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
            "replaced": list(self.replaced),
            "dropped": {name: {"zh": zh, "en": en} for name, (zh, en) in sorted(self.dropped.items())},
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
        beside: Collection[Rule] = (),
    ) -> Simulated:
        """Evaluate every closed case of the draft's item edition; who shows the figures records it first.

        While there is none, those of the item editions that it replaces.

        Args:
            uow: A unit that reads: nobody who writes waits for it.
            identity: Who asks.
            draft: The draft.
            told: Is told now and then how many cases are done.
            beside: What is proposed with the draft: it may say which item replaces which.

        Raises:
            NotPermittedError: Neither supervision nor an administrator of the system.
        """
        identity.demand(*_SIMULATING)
        editions = editions_tried(uow, draft, (*self._rules.all(), *beside))
        own = draft.body.item.code, draft.body.item.edition
        found = Simulated(replaced=tuple(" ".join(one) for one in editions if one != own))
        for place, case in enumerate(closed_cases(uow, editions), start=1):
            try:
                self._add(uow, found, draft, case)
            except ErasedError:
                found.erased += 1
            if place % _TELLING_EVERY == 0:
                told(place)
        return found

    def count(self, uow: UnitOfWork, draft: Rule, beside: Collection[Rule] = ()) -> int:
        """Tell how many cases :meth:`simulate` would evaluate."""
        return closed_count(uow, editions_tried(uow, draft, (*self._rules.all(), *beside)))

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
        before: dict[str, Outcome] = {}
        if rule is not None:
            names = _names(rule, draft)
            of = self._outcomes(uow, rule, case, case.accepted_at)
            before = {names[name]: outcome for name, outcome in of.items()}
            gone = (one for one in rule.body.requirements if names[one.id] not in after)
            found.dropped |= {names[one.id]: (one.zh, one.en) for one in gone}
        found.cases += 1
        _count(found.draft, after)
        _count(found.in_force, before)
        found.nothing_asked += Outcome.UPLOAD not in after.values()
        found.nothing_asked_before += bool(before) and Outcome.UPLOAD not in before.values()
        changed = [
            CaseDifference(case.id, name, before.get(name), after.get(name))
            for name in dict.fromkeys((*after, *before))
            if before.get(name) is not after.get(name)
        ]
        found.differing += bool(changed)
        found.differences += changed[: max(0, MOST_DIFFERENCES - len(found.differences))]

    def _outcomes(self, uow: UnitOfWork, rule: Rule, case: Case, at: dt.datetime) -> dict[str, Outcome]:
        body = evaluate(rule, self._inquiry.facts(uow, rule, case, at), at, self._table).body
        answers = body["requirements"]
        return {one["id"]: _outcome(one) for one in answers} if isinstance(answers, list) else {}


def _names(rule: Rule, draft: Rule) -> dict[str, str]:
    """Give the names under which the requirements of a rule stand beside those of a draft.

    Versions of one rule name a proof alike. Of another rule it is the one of the same material and subject;
    what has no counterpart keeps its name, with its item where the draft calls something else so.
    """
    if rule.body.rule_id == draft.body.rule_id:
        return {one.id: one.id for one in rule.body.requirements}
    free: dict[tuple[str, str], list[str]] = {}
    for one in draft.body.requirements:
        free.setdefault(_asked(one), []).append(one.id)
    taken = {one.id for one in draft.body.requirements}
    names = {}
    for one in rule.body.requirements:
        alike = free.get(_asked(one))
        if alike:
            names[one.id] = alike.pop(0)
        else:
            names[one.id] = f"{one.id}@{rule.body.item.code}" if one.id in taken else one.id
    return names


def _asked(requirement: Requirement) -> tuple[str, str]:
    return requirement.material, requirement.subject


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
