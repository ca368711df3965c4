# SPDX-License-Identifier: Apache-2.0
"""Gathers what an evaluation may look at, as of an instant: of the applicant and of whom a rule names.

Neither the index nor the object store takes part. What is gathered again for the same instant is the same, as
long as nobody's key was destroyed: so decisions replay.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, NamedTuple

from cases.models import Case, Holder
from licenses.facts import Facts, SubjectFacts
from licenses.holdings import Holdings
from licenses.ports import Ladder, PriorCases
from licenses.questions import Meant, is_meant
from licenses.relations import Proof, Relations
from licenses.rule_definition import APPLICANT, CaseEvidence, Cooperation, Requirement
from licenses.rules import Rule, RuleBook
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.errors import CunzhengError
from storage.secrets import ErasedError

_NOBODY: Final[Meant] = MappingProxyType({})


class Sought(NamedTuple):
    """Of which case, under which rule, facts are gathered, and whom a question means."""

    rule: Rule
    case: Case
    meant: Meant = _NOBODY


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
        (found,) = self.facts_each(uow, [Sought(rule, case, meant)], at)
        if isinstance(found, CunzhengError):
            raise found
        return found

    def facts_each(
        self, uow: UnitOfWork, sought: Sequence[Sought], at: dt.datetime
    ) -> list[Facts | CunzhengError]:
        """Give what :meth:`facts` gives of each case, or why nothing can be given; asked for together."""
        if not sought:
            return []
        uow.session.flush()
        counted = self._rules.counted_as()
        applicants = self._known(
            uow, [(one.rule, APPLICANT, one.case.holder_id) for one in sought], at, counted
        )
        taken = self._ladder.taken(uow, [one.case for one in sought], at) if self._ladder is not None else {}
        types = frozenset(kind.code for kind in self._holdings.types.all())
        rules = {one.rule.digest: one.rule for one in sought}
        needed = {digest: _needed(rule, counted) for digest, rule in rules.items()}
        found: list[Facts | CunzhengError] = []
        for one, applicant in zip(sought, applicants, strict=True):
            if isinstance(applicant, CunzhengError):
                found.append(applicant)
                continue
            try:
                facts = self._facts(uow, one, applicant, types, needed[one.rule.digest], at)
            except CunzhengError as error:
                found.append(error)
                continue
            of_case = taken.get(one.case.id)
            if of_case is not None:
                facts = replace(facts, rungs=of_case.rungs, barred=of_case.barred)
            found.append(facts)
        return found

    def _facts(
        self,
        uow: UnitOfWork,
        one: Sought,
        applicant: SubjectFacts,
        types: Collection[str],
        counted: Mapping[str, frozenset[str]],
        at: dt.datetime,
    ) -> Facts:
        return Facts(
            legal_date(one.case.accepted_at),
            types,
            applicant.licenses,
            applicant.cases,
            applicant.assertions,
            related={
                subject: self._related(uow, one, subject, at, counted)
                for subject in sorted(one.rule.subjects())
            },
            counted_as=counted,
        )

    def _related(
        self,
        uow: UnitOfWork,
        one: Sought,
        subject: str,
        at: dt.datetime,
        counted: Mapping[str, frozenset[str]],
    ) -> SubjectFacts:
        """Give what is known of who stands in a proven relation to the applicant, or why nothing is."""
        holder_id, said = one.case.holder_id, one.meant.get(subject)
        found = self._relations.of(uow, holder_id, subject, at) if self._relations is not None else []
        proven = [each for each in found if each.proof is Proof.PROVEN]
        others = {each.other_id for each in proven if each.other_id is not None}
        shown_by = tuple(sorted({each.source.id for each in proven}))
        erased: set[str] = set()
        if said is not None and others:
            others, erased = _meant(uow, others, said)
            if not others:
                return SubjectFacts(unproven="R.RELATION_UNPROVEN")
        if len(others) > 1:
            return SubjectFacts(unproven="R.HOLDER_AMBIGUOUS", shown_by=shown_by, erased=bool(erased))
        if not proven:
            return SubjectFacts(unproven="R.RELATION_UNPROVEN")
        if not others:
            # The relation is shown; of the other one the library holds nothing at all.
            return SubjectFacts(shown_by=shown_by)
        (other,) = others
        (known,) = self._known(uow, [(one.rule, subject, other)], at, counted)
        if other in erased or isinstance(known, ErasedError):
            # What the library still holds of them nobody can read: as if it held nothing.
            return SubjectFacts(shown_by=shown_by, erased=True)
        if isinstance(known, CunzhengError):
            raise known
        return replace(known, shown_by=shown_by)

    def _known(
        self,
        uow: UnitOfWork,
        subjects: Sequence[tuple[Rule, str, str]],
        at: dt.datetime,
        counted: Mapping[str, frozenset[str]],
    ) -> list[SubjectFacts | CunzhengError]:
        """Give what is known of each holder in its part in a rule, or why nothing can be given."""
        parts = {(rule, subject) for rule, subject, _ in subjects}
        of_part = {part: _wanted(*part, counted) for part in parts}
        wants = [of_part[rule, subject] for rule, subject, _ in subjects]
        holders = {holder for _, _, holder in subjects}
        items, predicates = (frozenset().union(*each) for each in zip(*of_part.values(), strict=True))
        cases = self._prior.filed(uow, holders, items, at) if self._prior is not None and items else {}
        assertions = (
            self._ladder.assertions(uow, holders, predicates, at)
            if self._ladder is not None and predicates
            else {}
        )
        licenses = self._holdings.facts_each(
            uow, [(holder, rule.type_codes(subject)) for rule, subject, holder in subjects], at
        )
        return [
            held
            if isinstance(held, CunzhengError)
            else SubjectFacts(
                licenses=held,
                cases=[one for one in cases.get(holder, ()) if one.item_code in of_items],
                assertions=[one for one in assertions.get(holder, ()) if one.predicate in of_predicates],
            )
            for (_, _, holder), (of_items, of_predicates), held in zip(subjects, wants, licenses, strict=True)
        ]


def _meant(uow: UnitOfWork, others: Collection[str], said: Mapping[str, str]) -> tuple[set[str], set[str]]:
    """Give which of several a question may mean, and those of them who were erased: one may be it, too."""
    found, erased = set(), set()
    for other in others:
        try:
            meant = is_meant(uow, uow.session.get_one(Holder, other), said)
        except ErasedError:
            meant = True
            erased.add(other)
        if meant:
            found.add(other)
    return found, erased


def _wanted(
    rule: Rule, subject: str, counted: Mapping[str, frozenset[str]]
) -> tuple[frozenset[str], frozenset[str]]:
    """Give the items whose cases, and the predicates to which answers, a rule names for a subject."""
    asked = [one for one in rule.body.requirements if one.subject == subject]
    items = {
        code
        for one in asked
        for evidence in one.evidence()
        if isinstance(evidence, CaseEvidence)
        for code in counted.get(evidence.archive_case.item, {evidence.archive_case.item})
    }
    return frozenset(items), frozenset(predicate for one in asked for predicate in _predicates(one))


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
