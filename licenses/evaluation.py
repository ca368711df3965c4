# SPDX-License-Identifier: Apache-2.0
"""Evaluation of a no-proof rule: pure, so that it replays byte for byte.

The same rule, facts, instant and table of sentences always give the same JSON. The answer tells result,
reason and source; of a face value it tells at most whether a predicate held, never the value.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from licenses.faces import FaceValue
from licenses.lifecycle import Status
from licenses.predicates import Truth, all_of, any_of
from licenses.rules import LicenseEvidence, Requirement, Rule
from storage.clock import rfc3339
from storage.ledger.canonical import Json, canonical


@dataclass(frozen=True)
class LicenseFact:
    """What the library knows of one licence at the instant of the question.

    Attributes:
        id: Opaque id; being unguessable, it keeps the digest from betraying the face.
        issuer_zh: The issuer's name, shown as the source.
        status: Its effective status at that instant.
        trust: Its trust level, ``A`` to ``D``.
        stands_for: The type in whose place it states this face, when its own type covers that one.
    """

    id: str
    type_code: str
    issuer_code: str
    issuer_zh: str
    status: Status
    valid_from: dt.date | None
    valid_until: dt.date | None
    face: Mapping[str, FaceValue]
    trust: str = "A"
    stands_for: str | None = None

    @property
    def says(self) -> str:
        """Give the type as which it answers."""
        return self.stands_for or self.type_code

    @cached_property
    def digest(self) -> str:
        """Give the digest under which a decision names this input."""
        return hashlib.sha256(
            canonical(
                {
                    "id": self.id,
                    "type": self.type_code,
                    "issuer": self.issuer_code,
                    "status": str(self.status),
                    "valid_from": self.valid_from.isoformat() if self.valid_from else None,
                    "valid_until": self.valid_until.isoformat() if self.valid_until else None,
                    "face": dict(self.face),
                    # What was issued here says nothing of trust, so that older decisions keep their digests.
                    **({} if self.trust == "A" else {"trust": self.trust}),
                    **({} if self.stands_for is None else {"stands_for": self.stands_for}),
                }
            )
        ).hexdigest()


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything an evaluation may look at.

    Attributes:
        case_date: Legal date of the case's acceptance.
        library_types: Licence types that the library holds at all.
        licenses: The holder's licences of the types concerned, issued by that instant, oldest first.
    """

    case_date: dt.date
    library_types: Collection[str]
    licenses: Sequence[LicenseFact]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A reason or an action in two languages; ``resolve_*`` says what would help, if anything."""

    zh: str
    en: str
    resolve_zh: str = ""
    resolve_en: str = ""


@dataclass(frozen=True, slots=True)
class ReasonTable:
    """Sentences of reason codes and actions, with the digest that decisions name."""

    version: str
    digest: str
    reasons: Mapping[str, Sentence]
    actions: Mapping[str, Sentence]

    @staticmethod
    @cache
    def load() -> "ReasonTable":
        """Read the table that comes with the product."""
        return ReasonTable.read(resources.files("licenses").joinpath("data/reasons.json").read_bytes())

    @staticmethod
    def read(data: bytes) -> "ReasonTable":
        """Read a table."""
        raw = json.loads(data)
        reasons = {
            row["code"]: Sentence(row["zh"], row["en"], row["resolve_zh"], row["resolve_en"])
            for row in raw["reasons"]
        }
        actions = {row["kind"]: Sentence(row["zh"], row["en"]) for row in raw["actions"]}
        return ReasonTable(raw["version"], hashlib.sha256(canonical(raw)).hexdigest(), reasons, actions)


_REASON_OF_STATUS = {
    Status.VALID: (Truth.MET, "R.ESTABLISHED"),
    Status.EXPIRED: (Truth.NOT_MET, "R.EXPIRED"),
    Status.NOT_ACTIVATED: (Truth.NOT_MET, "R.NOT_ACTIVATED"),
    Status.SUSPENDED: (Truth.NOT_MET, "R.STATUS_SUSPENDED"),
    Status.CANCELLED: (Truth.NOT_MET, "R.STATUS_CANCELLED"),
    Status.REVOKED: (Truth.NOT_MET, "R.STATUS_REVOKED"),
    Status.SUPERSEDED: (Truth.NOT_MET, "R.SUPERSEDED"),
    Status.WITHDRAWN: (Truth.NOT_MET, "R.STATUS_WITHDRAWN"),
    Status.LAPSED: (Truth.NOT_MET, "R.STATUS_LAPSED"),
    Status.ABANDONED: (Truth.UNKNOWN, "R.NOT_FOUND"),
    Status.IN_PREPARATION: (Truth.UNKNOWN, "R.IN_PREPARATION"),
    Status.SEAL_UNDETERMINED: (Truth.UNKNOWN, "R.SEAL_UNDETERMINED"),
    # A broken seal denies that the file is sound, not that the holder has the permission.
    Status.SEAL_INVALID: (Truth.UNKNOWN, "R.SEAL_INVALID"),
}
_RANK = {Truth.NOT_MET: 0, Truth.UNKNOWN: 1, Truth.MET: 2}


@dataclass(frozen=True, slots=True)
class _Finding:
    """What one licence, one piece of evidence or one alternative came to."""

    result: Truth
    reason: str
    fact: LicenseFact | None = None
    trace: Json = None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome: its JSON, and which licence decided which requirement.

    Attributes:
        relied_on: Requirement id → id of the licence that decided it, where one did.
    """

    result: Truth
    body: Mapping[str, Json]
    relied_on: Mapping[str, str]


def evaluate(
    rule: Rule, facts: Facts, at: dt.datetime, table: ReasonTable, asked: Collection[str] | None = None
) -> Evaluation:
    """Evaluate a rule.

    Args:
        rule: The rule.
        facts: What the library knows.
        at: The instant of the question; it stands in the answer and in no comparison but status.
        table: The sentences.
        asked: Requirement ids to evaluate; all when ``None``.

    Returns:
        Result of the item (its weakest requirement) with every requirement separately.
    """
    findings = [
        (requirement, _requirement(requirement, facts))
        for requirement in rule.body.requirements
        if asked is None or requirement.id in asked
    ]
    result = all_of(finding.result for _, finding in findings)
    body: dict[str, Json] = {
        "at": rfc3339(at),
        "rule": {"id": rule.body.rule_id, "version": rule.body.version, "digest": rule.digest},
        "sentences": {"version": table.version, "digest": table.digest},
        "inputs": sorted(fact.digest for fact in facts.licenses),
        "result": str(result),
        "requirements": [_answer(requirement, finding, table) for requirement, finding in findings],
    }
    relied = {requirement.id: finding.fact.id for requirement, finding in findings if finding.fact}
    return Evaluation(result, body, relied)


def _requirement(requirement: Requirement, facts: Facts) -> _Finding:
    if not requirement.alternatives:
        return _Finding(Truth.UNKNOWN, "R.NO_ALTERNATIVE", None, [])
    tried = []
    for number, alternative in enumerate(requirement.alternatives):
        findings = [_evidence(evidence, facts) for evidence in alternative.all_of]
        weakest = min(findings, key=lambda finding: _RANK[finding.result])
        result = all_of(finding.result for finding in findings)
        trace: Json = {
            "alternative": number,
            "result": str(result),
            "evidence": [one.trace for one in findings],
        }
        tried.append(_Finding(result, weakest.reason, weakest.fact, trace))
    strongest = max(tried, key=lambda finding: _RANK[finding.result])
    result = any_of(finding.result for finding in tried)
    return _Finding(result, strongest.reason, strongest.fact, [one.trace for one in tried])


def _evidence(evidence: LicenseEvidence, facts: Facts) -> _Finding:
    types = evidence.licence.type
    found = [_license(evidence, fact, facts.case_date) for fact in facts.licenses if fact.says in types]
    if found:
        # Of equal ones the newest decides, one of the type itself before one that covers it: it is the one
        # the holder would show.
        return max(
            reversed(found), key=lambda one: (_RANK[one.result], not one.fact or not one.fact.stands_for)
        )
    known = any(code in facts.library_types for code in types)
    reason = "R.NOT_FOUND" if known else "R.TYPE_NOT_IN_LIBRARY"
    trace = {"kind": "licence", "type": list(types), "result": str(Truth.UNKNOWN), "reason": reason}
    return _Finding(Truth.UNKNOWN, reason, None, trace)


def _license(evidence: LicenseEvidence, fact: LicenseFact, case_date: dt.date) -> _Finding:
    steps = [_REASON_OF_STATUS[fact.status]]
    accepted = evidence.licence.issuer_in
    if accepted is not None and fact.issuer_code not in accepted:
        steps.append((Truth.NOT_MET, "R.ISSUER_NOT_ACCEPTED"))
    if fact.trust > evidence.licence.trust:
        steps.append((Truth.UNKNOWN, "R.TRUST_TOO_LOW"))
    tests: list[Json] = []
    for predicate in evidence.predicates:
        outcome = predicate.test(fact.face.get(predicate.field), case_date)
        tests.append({"field": predicate.field, "op": str(predicate.op), "result": str(outcome)})
        if outcome is not Truth.MET:
            denied = outcome is Truth.NOT_MET
            steps.append((outcome, "R.PREDICATE_NOT_SATISFIED" if denied else "R.FIELD_ABSENT"))
    result, reason = min(steps, key=lambda step: _RANK[step[0]])
    trace = {
        "kind": "licence",
        "type": [fact.type_code],
        "input": fact.digest,
        "status": str(fact.status),
        "predicates": tests,
        "result": str(result),
        "reason": reason,
    }
    return _Finding(result, reason, fact, trace)


def _answer(requirement: Requirement, finding: _Finding, table: ReasonTable) -> Json:
    sentence = table.reasons[finding.reason]
    fact = finding.fact
    return {
        "id": requirement.id,
        "zh": requirement.zh,
        "en": requirement.en,
        "material": requirement.material,
        "result": str(finding.result),
        "reason": {"code": finding.reason, "zh": sentence.zh, "en": sentence.en},
        "source": None
        if fact is None
        else {
            "type": fact.type_code,
            "issuer": fact.issuer_zh,
            "valid_until": fact.valid_until.isoformat() if fact.valid_until else None,
        },
        "tried": finding.trace,
        "next": _next(requirement, finding, sentence, table),
    }


def _next(requirement: Requirement, finding: _Finding, sentence: Sentence, table: ReasonTable) -> list[Json]:
    if finding.result is Truth.MET:
        return []
    actions: list[Json] = []
    if sentence.resolve_zh:
        actions.append({"kind": "resolve", "zh": sentence.resolve_zh, "en": sentence.resolve_en})
    if finding.result is Truth.UNKNOWN:
        for rung in requirement.fallback:
            action = table.actions[rung.kind]
            actions.append({"kind": rung.kind, "zh": action.zh, "en": action.en})
    return actions
