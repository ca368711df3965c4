# SPDX-License-Identifier: Apache-2.0
"""Records of use of an answer: each requirement with what was asked and how it ended, and no value."""

from cases.models import Case
from licenses.evaluation import Evaluation
from licenses.models import LicenseUsage
from licenses.rule_definition import LicenseEvidence
from licenses.rules import Rule
from licenses.usage import Use, usage_row
from storage.database import UnitOfWork
from storage.identity import Identity


def uses_of(
    uow: UnitOfWork, asker: Identity, case: Case, rule: Rule, evaluation: Evaluation, decision_id: str
) -> list[LicenseUsage]:
    """Give a use for each requirement that was answered."""
    answers = evaluation.body["requirements"]
    uses = []
    for answer in answers if isinstance(answers, list) else ():
        uses.append(
            usage_row(
                uow,
                asker,
                Use(
                    action="ask",
                    holder_id=case.holder_id,
                    license_id=evaluation.relied_on.get(answer["id"]),
                    asked=_asked(rule, answer["id"]),
                    result=answer["result"],
                    reason=answer["reason"]["code"],
                    decision_id=decision_id,
                ),
            )
        )
    return uses


def _asked(rule: Rule, requirement_id: str) -> str:
    requirement = next(one for one in rule.body.requirements if one.id == requirement_id)
    tests = [
        f"{predicate.field} {predicate.op}"
        for evidence in requirement.evidence()
        if isinstance(evidence, LicenseEvidence)
        for predicate in evidence.predicates
    ]
    return " ".join([requirement_id, "; ".join(tests)]).strip()
