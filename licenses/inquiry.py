# SPDX-License-Identifier: Apache-2.0
"""Gathers what an evaluation may look at, as of an instant: of the applicant and of whom a rule names.

Neither the index nor the object store takes part. What is gathered again for the same instant is the same, as
long as nobody's key was destroyed: so decisions replay.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from cases.models import Case, Holder
from licenses.facts import Facts, RungFact, SubjectFacts
from licenses.holdings import Holdings
from licenses.ports import Ladder, PriorCases
from licenses.questions import Meant, is_meant
from licenses.relations import Proof, Relations
from licenses.rule_definition import APPLICANT, CaseEvidence, Cooperation, Requirement
from licenses.rules import Rule, RuleBook
from storage.clock import legal_date
from storage.database import UnitOfWork

_NOBODY: Final[Meant] = MappingProxyType({})


class Inquiry:
    """Gathers facts.

    Args:
        holdings: What the library holds.
        rules: Relations between editions of items.
        relations: Who stands in which relation to whom; ``None`` where no rule names a relation.
        prior: Cases of the archive.
        ladder: Rungs that were taken, and what departments answered.
    """

    def __init__(
        self,
        holdings: Holdings,
        rules: RuleBook,
        relations: Relations | None = None,
        prior: PriorCases | None = None,
        ladder: Ladder | None = None,
    ) -> None:
        self._holdings = holdings
        self._rules = rules
        self._relations = relations
        self._prior = prior
        self._ladder = ladder

    def facts(
        self, uow: UnitOfWork, rule: Rule, case: Case, at: dt.datetime, meant: Meant = _NOBODY
    ) -> Facts:
        """Give what was known at an instant of a case's applicant and of whom its rule names.

        Args:
            uow: Any unit of work.
            rule: The rule.
            case: The case.
            at: The instant.
            meant: Whom the question means where a relation leads to several.
        """
        counted = _needed(rule, self._rules.counted_as())
        applicant = self._known(uow, rule, APPLICANT, case.holder_id, at, counted)
        facts = Facts(
            legal_date(case.accepted_at),
            [kind.code for kind in self._holdings.types.all()],
            applicant.licenses,
            applicant.cases,
            applicant.assertions,
            related={
                subject: self._related(uow, rule, subject, case.holder_id, at, counted, meant.get(subject))
                for subject in sorted(rule.subjects())
            },
            counted_as=counted,
        )
        if self._ladder is None:
            return facts
        rungs: Mapping[str, Sequence[RungFact]] = self._ladder.rungs(uow, case.id, at)
        return replace(facts, rungs=rungs, barred=self._ladder.barred(uow, case, at))

    def _related(
        self,
        uow: UnitOfWork,
        rule: Rule,
        subject: str,
        holder_id: str,
        at: dt.datetime,
        counted: Mapping[str, frozenset[str]],
        said: Mapping[str, str] | None,
    ) -> SubjectFacts:
        """Give what is known of who stands in a proven relation to the applicant, or why nothing is."""
        found = self._relations.of(uow, holder_id, subject, at) if self._relations is not None else []
        proven = [one for one in found if one.proof is Proof.PROVEN]
        others = {one.other_id for one in proven if one.other_id is not None}
        shown_by = tuple(sorted({one.source.id for one in proven}))
        if said is not None and others:
            others = {one for one in others if is_meant(uow, uow.session.get_one(Holder, one), said)}
            if not others:
                return SubjectFacts(unproven="R.RELATION_UNPROVEN")
        if len(others) > 1:
            return SubjectFacts(unproven="R.HOLDER_AMBIGUOUS", shown_by=shown_by)
        if not proven:
            return SubjectFacts(unproven="R.RELATION_UNPROVEN")
        if not others:
            # The relation is shown; of the other one the library holds nothing at all.
            return SubjectFacts(shown_by=shown_by)
        known = self._known(uow, rule, subject, others.pop(), at, counted)
        return replace(known, shown_by=shown_by)

    def _known(
        self,
        uow: UnitOfWork,
        rule: Rule,
        subject: str,
        holder_id: str,
        at: dt.datetime,
        counted: Mapping[str, frozenset[str]],
    ) -> SubjectFacts:
        asked = [one for one in rule.body.requirements if one.subject == subject]
        items = {
            code
            for one in asked
            for evidence in one.evidence()
            if isinstance(evidence, CaseEvidence)
            for code in counted.get(evidence.archive_case.item, {evidence.archive_case.item})
        }
        predicates = {predicate for one in asked for predicate in _predicates(one)}
        return SubjectFacts(
            licenses=self._holdings.facts(uow, holder_id, rule.type_codes(subject), at),
            cases=self._prior.filed(uow, holder_id, items, at) if self._prior is not None and items else (),
            assertions=self._ladder.assertions(uow, holder_id, predicates, at)
            if self._ladder is not None and predicates
            else (),
        )


def _needed(rule: Rule, counted: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
    """Keep the items that the rule's prior cases name."""
    named = {
        evidence.archive_case.item
        for requirement in rule.body.requirements
        for evidence in requirement.evidence()
        if isinstance(evidence, CaseEvidence)
    }
    return {item: counted[item] for item in sorted(named & set(counted))}


def _predicates(requirement: Requirement) -> list[str]:
    rung = requirement.rung("cooperation")
    return [rung.predicate.code] if isinstance(rung, Cooperation) else []
