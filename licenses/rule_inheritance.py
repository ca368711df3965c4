# SPDX-License-Identifier: Apache-2.0
"""Inheritance of rules: a lower level takes a higher level's rule and may only tighten its sources.

One item has the same materials at every level (八统一), so a rule that inherits adds no proof and asks of
nobody more than the one above; which licences count it may narrow.
"""

from collections.abc import Iterator

from licenses.rule_definition import (
    Alternative,
    CaseEvidence,
    Evidence,
    LicenseEvidence,
    Requirement,
    RuleBody,
)


def broken_inheritance(child: RuleBody, parent: RuleBody) -> Iterator[tuple[str, str]]:
    """Give what a rule may not do that inherits another, as requirement id and code of the finding.

    Codes: ``proof-added``, ``proof-otherwise`` (another material, subject or disclosure), ``source-widened``
    (an alternative that narrows none of the parent's), ``rung-removed`` (a way of the ladder is closed),
    ``proof-revived`` (the parent abolished it).
    """
    above = {one.id: one for one in parent.requirements}
    for requirement in child.requirements:
        inherited = above.get(requirement.id)
        if inherited is None:
            yield requirement.id, "proof-added"
        elif inherited.cancelled is not None and requirement.cancelled is None:
            yield requirement.id, "proof-revived"
        else:
            yield from _broken(requirement, inherited)


def _broken(requirement: Requirement, inherited: Requirement) -> Iterator[tuple[str, str]]:
    said = (requirement.material, requirement.subject, requirement.decision)
    if said != (inherited.material, inherited.subject, inherited.decision):
        yield requirement.id, "proof-otherwise"
    if requirement.cancelled is not None:
        return
    if not all(
        any(narrows(one, other) for other in inherited.alternatives) for one in requirement.alternatives
    ):
        yield requirement.id, "source-widened"
    if not {one.kind for one in inherited.fallback} <= {one.kind for one in requirement.fallback}:
        yield requirement.id, "rung-removed"


def narrows(one: Alternative, other: Alternative) -> bool:
    """Tell whether whatever meets one alternative meets the other, too."""
    return all(any(_narrows(mine, theirs) for mine in one.all_of) for theirs in other.all_of)


def _narrows(mine: Evidence, theirs: Evidence) -> bool:
    if isinstance(mine, CaseEvidence) or isinstance(theirs, CaseEvidence):
        return mine == theirs
    return _licence_narrows(mine, theirs)


def _licence_narrows(mine: LicenseEvidence, theirs: LicenseEvidence) -> bool:
    narrow, wide = mine.licence, theirs.licence
    issuers = wide.issuer_in is None or (
        narrow.issuer_in is not None and set(narrow.issuer_in) <= set(wide.issuer_in)
    )
    fresh = wide.freshness in (type(wide.freshness)(), narrow.freshness) or narrow.freshness.source == "live"
    return (
        set(narrow.type) <= set(wide.type)
        and issuers
        and narrow.trust <= wide.trust
        and fresh
        and set(theirs.predicates) <= set(mine.predicates)
        and mine.holder == theirs.holder
    )
