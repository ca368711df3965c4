# SPDX-License-Identifier: Apache-2.0
"""Records of use of an answer: each requirement with what was asked and how it ended, and no value."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from cases.models import Case
from licenses.evaluation import Evaluation
from licenses.rule_definition import LicenseEvidence, Requirement
from licenses.rules import Rule
from licenses.usage import Use, usage_values
from storage.database import UnitOfWork
from storage.identity import Identity


def uses_of(
    uow: UnitOfWork, asker: Identity, case: Case, rule: Rule, evaluation: Evaluation, decision_id: str
) -> list[dict[str, Any]]:
    """Give a use for each requirement that was answered, by column."""
    answers = evaluation.body["requirements"]
    words = _words(rule)
    uses = []
    for answer in answers if isinstance(answers, list) else ():
        use = Use(
            action="ask",
            holder_id=case.holder_id,
            license_id=evaluation.relied_on.get(answer["id"]),
            asked=words[answer["id"]],
            result=answer["result"],
            reason=answer["reason"]["code"],
            decision_id=decision_id,
        )
        uses.append(usage_values(uow, asker, use))
    return uses


@lru_cache(maxsize=1024)
def _words(rule: Rule) -> Mapping[str, str]:
    """Give what each requirement of a rule asks, by its id: fields and tests, and no value."""
    return {one.id: _asked(one) for one in rule.body.requirements}


def _asked(requirement: Requirement) -> str:
    tests = [
        f"{predicate.field} {predicate.op}"
        for evidence in requirement.evidence()
        if isinstance(evidence, LicenseEvidence)
        for predicate in evidence.predicates
    ]
    return " ".join([requirement.id, "; ".join(tests)]).strip()
