# SPDX-License-Identifier: Apache-2.0
"""The order of alternatives: least disclosure first, licences before earlier cases.

The evaluation tries every alternative, and of those that establish a proof the first one written is what the
answer names as its source, rests on and is recalled with. So the order is the rule's, not the evaluation's.
"""

from collections.abc import Sequence

from licenses.rule_definition import Alternative, CaseEvidence, Evidence, LicenseEvidence


def out_of_order(ways: Sequence[Alternative], place: int) -> bool:
    """Tell whether the alternative at a place should stand before one that is written before it."""
    return any(_goes_first(ways[place], earlier) for earlier in ways[:place])


def discloses_less(one: Alternative, other: Alternative) -> bool:
    """Tell whether one alternative looks at a part only of what another looks at.

    A part is fewer pieces of evidence or fewer fields of a face. Issuer, trust and age say which licence
    counts, not how much of it is seen, and neither does what is asked of a field.
    """
    within = all(any(_within(mine, theirs) for theirs in other.all_of) for mine in one.all_of)
    return within and _seen(one) < _seen(other)


def _goes_first(one: Alternative, other: Alternative) -> bool:
    return discloses_less(one, other) or (_takes_a_case(other) and not _takes_a_case(one))


def _within(mine: Evidence, theirs: Evidence) -> bool:
    if isinstance(mine, LicenseEvidence) and isinstance(theirs, LicenseEvidence):
        return set(theirs.licence.type) <= set(mine.licence.type) and _fields(mine) <= _fields(theirs)
    if isinstance(mine, CaseEvidence) and isinstance(theirs, CaseEvidence):
        return mine.archive_case.item == theirs.archive_case.item
    return False


def _seen(one: Alternative) -> int:
    return sum(1 + len(_fields(each)) for each in one.all_of)


def _fields(evidence: Evidence) -> frozenset[str]:
    if isinstance(evidence, CaseEvidence):
        return frozenset()
    return frozenset(predicate.field for predicate in evidence.predicates)


def _takes_a_case(one: Alternative) -> bool:
    return any(isinstance(each, CaseEvidence) for each in one.all_of)
