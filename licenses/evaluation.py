# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a no-proof rule: pure, so that it replays byte for byte.

The same rule, facts, instant and table of sentences always give the same JSON. The answer tells result,
reason and source; of a face value it tells at most its kind and whether a predicate held, never the value.
Evidence is three-valued (Kleene): ``NOT_MET`` only where a source positively denies. Where it stays unknown,
a rung of the ladder that was taken makes the requirement ``PROVISIONAL`` or ``PENDING``.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from licenses.facts import (
    AssertionFact,
    CaseFact,
    Fact,
    Facts,
    LicenseFact,
    RungFact,
    Standing,
    SubjectFacts,
)
from licenses.license_evidence import RANK, Finding, found_licenses
from licenses.periods import back_from
from licenses.predicates import Answer, Truth, all_of, any_of
from licenses.reason_table import ReasonTable
from licenses.rule_definition import (
    APPLICANT,
    CaseEvidence,
    Cooperation,
    Evidence,
    Requirement,
)
from licenses.rules import Rule
from licenses.rungs import next_actions
from storage.clock import legal_date, rfc3339
from storage.ledger.canonical import Json

_STRENGTH: Final = {answer: place for place, answer in enumerate(Answer)}
_STANDING: Final = {
    Standing.PROVISIONAL: Answer.PROVISIONAL,
    Standing.PENDING: Answer.PENDING,
    Standing.CONFIRMED: Answer.MET,
}
_RUNG_REASON: Final = {
    ("commitment", Standing.PROVISIONAL): "R.COMMITTED",
    ("commitment", Standing.CONFIRMED): "R.COMMITMENT_CONFIRMED",
    ("supply_later", Standing.CONFIRMED): "R.SUPPLIED",
    ("citizen_upload", Standing.CONFIRMED): "R.COLLECTED",
    ("supply_later", Standing.PROVISIONAL): "R.TO_BE_SUPPLIED",
    ("cooperation", Standing.PROVISIONAL): "R.ACCEPTED_BEFORE_CHECK",
    ("cooperation", Standing.PENDING): "R.ASKED_DEPARTMENT",
}


@dataclass(frozen=True, slots=True)
class Reliance:
    """What a requirement's answer rests on: ``licence``, ``case``, ``assertion`` or a rung, with its id."""

    requirement: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome.

    Attributes:
        result: The weakest requirement's.
        body: Its JSON.
        relied_on: Requirement id → id of the licence that decided it, where one did.
        reliances: Everything that the requirements rest on, the licences that show relations included.
    """

    result: Answer
    body: Mapping[str, Json]
    relied_on: Mapping[str, str]
    reliances: Sequence[Reliance]


def evaluate(
    rule: Rule, facts: Facts, at: dt.datetime, table: ReasonTable, asked: Collection[str] | None = None
) -> Evaluation:
    """Evaluate a rule.

    Args:
        rule: The rule.
        facts: What the library knows.
        at: The instant of the question; it stands in the answer and is compared with status, terms and the
            age of copies alone: the rest is of the day of acceptance.
        table: The sentences.
        asked: Requirement ids to evaluate; all when ``None``.

    Returns:
        Result of the item (its weakest requirement) with every requirement separately.
    """
    today = legal_date(at)
    found = [
        _settled(requirement, _requirement(requirement, facts, today), facts)
        for requirement in rule.body.requirements
        if asked is None or requirement.id in asked
    ]
    result = weakest(one.answer for one in found)
    body: dict[str, Json] = {
        "at": rfc3339(at),
        "rule": {"id": rule.body.rule_id, "version": rule.body.version, "digest": rule.digest},
        "sentences": {"version": table.version, "digest": table.digest},
        "given": _given(rule, facts),
        "inputs": list[Json](facts.digests()),
        "result": str(result),
        "requirements": [_answer(one, facts, at, table) for one in found],
    }
    relied = {
        one.requirement.id: one.finding.fact.id for one in found if isinstance(one.finding.fact, LicenseFact)
    }
    return Evaluation(result, body, relied, [each for one in found for each in _reliances(one, facts)])


def _given(rule: Rule, facts: Facts) -> Json:
    """Give what was given beside the facts, so that a replay is given the same."""
    given: dict[str, Json] = {
        "case_date": facts.case_date.isoformat(),
        "library": list[Json](sorted(rule.type_codes().intersection(facts.library_types))),
    }
    if facts.counted_as:
        given["counted_as"] = {item: list[Json](sorted(codes)) for item, codes in facts.counted_as.items()}
    if facts.barred:
        given["barred"] = list[Json](sorted(facts.barred))
    return given


def weakest(answers: Iterable[Answer]) -> Answer:
    """Give the weakest answer; of none there is nothing left to establish."""
    return min(answers, key=_STRENGTH.__getitem__, default=Answer.MET)


@dataclass(frozen=True, slots=True)
class _Settled:
    """A requirement with its finding, its answer, and the rung that made it so."""

    requirement: Requirement
    finding: Finding
    answer: Answer
    reason: str
    rung: RungFact | None = None


def _settled(requirement: Requirement, finding: Finding, facts: Facts) -> _Settled:
    """Give the answer: what evidence says stands; where it is unknown, a rung that was taken counts."""
    if finding.result is not Truth.UNKNOWN:
        return _Settled(requirement, finding, Answer(finding.result), finding.reason)
    taken = facts.rungs.get(requirement.id, ())
    untrue = next((one for one in taken if one.standing is Standing.FALSE), None)
    if untrue is not None:
        return _Settled(requirement, finding, Answer.NOT_MET, "R.COMMITMENT_FALSE", untrue)
    standing = [one for one in taken if one.standing in _STANDING]
    if not standing:
        begun = next((one for one in taken if one.standing is Standing.BEGUN), None)
        return _Settled(requirement, finding, Answer.UNKNOWN, finding.reason, begun)
    rung = max(standing, key=lambda one: _STRENGTH[_STANDING[one.standing]])
    reason = _RUNG_REASON[rung.kind, rung.standing]
    return _Settled(requirement, finding, _STANDING[rung.standing], reason, rung)


def _requirement(requirement: Requirement, facts: Facts, today: dt.date) -> Finding:
    if requirement.cancelled is not None:
        return Finding(Truth.MET, "R.CANCELLED", None, [])
    subject = facts.of(requirement.subject)
    if subject.unproven is not None:
        return Finding(Truth.UNKNOWN, subject.unproven, None, [])
    tried = [
        _alternative(number, alternative.all_of, subject, facts, today)
        for number, alternative in enumerate(requirement.alternatives)
    ]
    asserted = _asserted(requirement, subject, today)
    tried += asserted
    if not tried:
        return Finding(Truth.UNKNOWN, "R.NO_ALTERNATIVE", None, [])
    strongest = max(tried, key=lambda finding: RANK[finding.result])
    result = any_of(finding.result for finding in tried)
    if result is Truth.UNKNOWN and asserted and asserted[0].result is Truth.NOT_MET:
        # The department was asked about the requirement itself: its no decides where nothing establishes it.
        strongest, result = asserted[0], Truth.NOT_MET
    return Finding(result, strongest.reason, strongest.fact, [one.trace for one in tried], strongest.relied)


def _alternative(
    number: int, evidence: Sequence[Evidence], subject: SubjectFacts, facts: Facts, today: dt.date
) -> Finding:
    findings = [
        _prior_case(one, subject, facts)
        if isinstance(one, CaseEvidence)
        else found_licenses(one, subject.licenses, facts, today)
        for one in evidence
    ]
    weakest_one = min(findings, key=lambda finding: RANK[finding.result])
    result = all_of(finding.result for finding in findings)
    trace: Json = {
        "alternative": number,
        "result": str(result),
        "evidence": [one.trace for one in findings],
    }
    relied = tuple(fact for one in findings for fact in one.relied)
    return Finding(result, weakest_one.reason, weakest_one.fact, trace, relied)


def _prior_case(evidence: CaseEvidence, subject: SubjectFacts, facts: Facts) -> Finding:
    """Look for a case that was decided as wanted; what is not found there denies nothing."""
    wanted = evidence.archive_case
    items = facts.counted_as.get(wanted.item, {wanted.item})
    oldest = back_from(facts.case_date, wanted.within)
    found = [one for one in subject.cases if one.item_code in items and one.result == wanted.result]
    good = [one for one in found if oldest <= one.decided_on <= facts.case_date]
    fact = next(reversed(good or found), None)
    reason = "R.PRIOR_CASE" if good else "R.PRIOR_CASE_TOO_OLD" if found else "R.NO_PRIOR_CASE"
    result = Truth.MET if good else Truth.UNKNOWN
    trace: dict[str, Json] = {
        "kind": "archive_case",
        "item": wanted.item,
        "result": str(result),
        "reason": reason,
    }
    if fact is not None:
        trace["input"] = fact.digest
    relied = tuple(good[-1:])
    return Finding(result, reason, relied[0] if relied else None, trace, relied)


def _asserted(requirement: Requirement, subject: SubjectFacts, today: dt.date) -> list[Finding]:
    """Give what departments answered to the predicate that the requirement's cooperation asks."""
    rung = requirement.rung("cooperation")
    if not isinstance(rung, Cooperation):
        return []
    good = [
        one
        for one in subject.assertions
        if (one.department, one.predicate) == (rung.to, rung.predicate.code) and today <= one.valid_until
    ]
    # The newest answer of a department replaces what was said before.
    return [_assertion(good[-1])] if good else []


def _assertion(fact: AssertionFact) -> Finding:
    result = Truth.MET if fact.holds else Truth.NOT_MET
    reason = "R.CONFIRMED_BY_DEPARTMENT" if fact.holds else "R.DENIED_BY_DEPARTMENT"
    trace: Json = {"kind": "assertion", "input": fact.digest, "result": str(result), "reason": reason}
    return Finding(result, reason, fact, trace, (fact,))


def _answer(one: _Settled, facts: Facts, at: dt.datetime, table: ReasonTable) -> Json:
    requirement, sentence = one.requirement, table.reasons[one.reason]
    answer: dict[str, Json] = {
        "id": requirement.id,
        "zh": requirement.zh,
        "en": requirement.en,
        "material": requirement.material,
        "result": str(one.answer),
        "reason": {"code": one.reason, "zh": sentence.zh, "en": sentence.en},
        "source": _source(one.finding.fact),
        "tried": one.finding.trace,
        "next": next_actions(requirement, one.answer, sentence, facts, at, table),
    }
    if requirement.subject != APPLICANT:
        answer["subject"] = requirement.subject
    if one.rung is not None:
        due = rfc3339(one.rung.due) if one.rung.due else None
        answer["standing"] = {"kind": one.rung.kind, "id": one.rung.id, "due": due}
    return answer


def _source(fact: Fact | None) -> Json:
    if isinstance(fact, LicenseFact):
        until = fact.valid_until.isoformat() if fact.valid_until else None
        return {"type": fact.type_code, "issuer": fact.issuer_zh, "valid_until": until}
    if isinstance(fact, CaseFact):
        return {"item": fact.item_code, "issuer": fact.department_zh, "valid_until": None}
    if isinstance(fact, AssertionFact):
        return {"issuer": fact.department_zh, "valid_until": fact.valid_until.isoformat()}
    return None


_KINDS: Final = {LicenseFact: "licence", CaseFact: "case", AssertionFact: "assertion"}


def _reliances(one: _Settled, facts: Facts) -> list[Reliance]:
    if one.answer is Answer.UNKNOWN:
        return []
    name = one.requirement.id
    found = [Reliance(name, _KINDS[type(fact)], fact.id) for fact in one.finding.relied]
    found += [Reliance(name, "licence", id_) for id_ in facts.of(one.requirement.subject).shown_by]
    if one.rung is not None:
        found.append(Reliance(name, one.rung.kind, one.rung.id))
    return list(dict.fromkeys(found))
