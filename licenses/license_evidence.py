# SPDX-License-Identifier: Apache-2.0
"""What licences come to as evidence: pure, like the evaluation that asks it.

Whom and what a rule does not listen to, an issuer outside it or a copy that is too old, proves nothing and
denies nothing.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from licenses.facts import Fact, Facts, LicenseFact
from licenses.lifecycle import Status
from licenses.periods import back_from
from licenses.predicates import Predicate, Truth, value_class
from licenses.rule_definition import Freshness, LicenseEvidence
from storage.ledger.canonical import Json

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
_BY_ITS_DATES: Final = frozenset({Status.EXPIRED, Status.NOT_ACTIVATED})
RANK: Final = {Truth.NOT_MET: 0, Truth.UNKNOWN: 1, Truth.MET: 2}
"""Places of values, the weakest first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one piece of evidence, one alternative or one requirement came to.

    Attributes:
        fact: The fact that decided, shown as the source.
        relied: Every fact that it rests on.
    """

    result: Truth
    reason: str
    fact: Fact | None = None
    trace: Json = None
    relied: tuple[Fact, ...] = ()


def found_licenses(
    evidence: LicenseEvidence, licenses: Sequence[LicenseFact], facts: Facts, today: dt.date
) -> Finding:
    """Give what a subject's licences come to.

    Args:
        evidence: What is asked.
        licenses: All licences of the subject, oldest first.
        facts: What the case and the library are.
        today: Legal date of the question, from which the age of copies counts.
    """
    types = evidence.licence.type
    of_type = [fact for fact in licenses if fact.says in types]
    # A licence of an issuer outside the rule hides nothing that an accepted one says.
    counting = [fact for fact in of_type if _is_accepted(evidence, fact)] or of_type
    found = [_license(evidence, fact, facts.case_date, today) for fact in counting]
    if found:
        # Of equal ones the newest decides, one of the type itself before one that covers it: it is the one
        # the holder would show.
        return max(
            reversed(found),
            key=lambda one: (
                RANK[one.result],
                not (isinstance(one.fact, LicenseFact) and one.fact.stands_for),
            ),
        )
    known = any(code in facts.library_types for code in types)
    reason = "R.NOT_FOUND" if known else "R.TYPE_NOT_IN_LIBRARY"
    trace = {"kind": "licence", "type": list(types), "result": str(Truth.UNKNOWN), "reason": reason}
    return Finding(Truth.UNKNOWN, reason, None, trace)


def _is_accepted(evidence: LicenseEvidence, fact: LicenseFact) -> bool:
    accepted = evidence.licence.issuer_in
    return accepted is None or fact.issuer_code in accepted


def _license(evidence: LicenseEvidence, fact: LicenseFact, case_date: dt.date, today: dt.date) -> Finding:
    tests: list[Json] = []
    if _is_accepted(evidence, fact):
        stale = _is_stale(evidence.licence.freshness, fact, today)
        steps = []
        # Face and dates are as old as the copy; what became of the licence since is recorded when it happens.
        if not (stale and fact.status in _BY_ITS_DATES):
            steps.append(_REASON_OF_STATUS[fact.status])
        if fact.trust > evidence.licence.trust:
            steps.append((Truth.UNKNOWN, "R.TRUST_TOO_LOW"))
        if stale:
            steps.append((Truth.UNKNOWN, "R.STALE_COPY"))
        for predicate in evidence.predicates:
            outcome = predicate.test(fact.face.get(predicate.field), case_date)
            tests.append(_tested(predicate, fact, outcome))
            if outcome is Truth.UNKNOWN:
                steps.append((outcome, "R.FIELD_ABSENT"))
            elif outcome is Truth.NOT_MET and not stale:
                steps.append((outcome, "R.PREDICATE_NOT_SATISFIED"))
    else:
        # Nobody the rule listens to said anything: neither its status nor its face denies.
        steps = [(Truth.UNKNOWN, "R.ISSUER_NOT_ACCEPTED")]
    result, reason = min(steps, key=lambda step: RANK[step[0]])
    trace = {
        "kind": "licence",
        "type": [fact.type_code],
        "input": fact.digest,
        "status": str(fact.status),
        "predicates": tests,
        "result": str(result),
        "reason": reason,
    }
    return Finding(result, reason, fact, trace, (fact,))


def _is_stale(freshness: Freshness, fact: LicenseFact, today: dt.date) -> bool:
    if fact.copied_on is None:
        return False
    oldest = back_from(today, freshness.max_age) if freshness.max_age is not None else None
    return freshness.source == "live" or (oldest is not None and fact.copied_on < oldest)


def _tested(predicate: Predicate, fact: LicenseFact, outcome: Truth) -> Json:
    return {
        "field": predicate.field,
        "op": str(predicate.op),
        "class": value_class(fact.face.get(predicate.field)),
        "result": str(outcome),
    }
