# SPDX-License-Identifier: Apache-2.0
"""The checks at filing: small pure functions, each of which can fail (DA/T 70, stage F).

Closure checks (C…) decide whether the case's end is accepted and its licence issued. Material checks (M…,
and C10 on what was called up) return the filing; warnings (W…) stand in the report; Q01 quarantines. Order
matters to nobody.
"""

from collections import Counter
from collections.abc import Callable, Iterator

from archive.facts import ClosureFacts, FilingFacts, MaterialFacts
from archive.findings import Finding, finding
from cases.items import Group
from documents.formats import MEDIA_TYPES

CLOCK_TOLERANCE_SECONDS = 300
_PLAUSIBLE_NODES = 3
_SAME = {
    "image/jpg": "image/jpeg",
    "application/x-pdf": "application/pdf",
}
RENDERED_TYPES = frozenset(media_type for kind, media_type in MEDIA_TYPES.items() if kind != "unknown")
"""Media types whose bytes are recognised."""


def _about(code: str, facts: FilingFacts, material: MaterialFacts, rule: str | None = None) -> Finding:
    return finding(
        code,
        material=material.code,
        title=facts.title(material),
        position=material.position,
        rule=rule,
    )


def item_is_announced(facts: ClosureFacts) -> Iterator[Finding]:
    """C01: item and edition are those of the announced case."""
    if not facts.same_item:
        yield finding("C01")


def holder_is_announced(facts: ClosureFacts) -> Iterator[Finding]:
    """C02: the holder is the announced one (looked at only when the code is right)."""
    if facts.holder_code_right and not facts.same_holder:
        yield finding("C02")


def holder_code_is_right(facts: ClosureFacts) -> Iterator[Finding]:
    """C03: the holder's code fits its scheme and its check digit."""
    if not facts.holder_code_right:
        yield finding("C03")


def dates_are_in_order(facts: ClosureFacts) -> Iterator[Finding]:
    """C04: acceptance ≤ decision ≤ closing ≤ receipt; five minutes allowed between two machines' clocks."""
    late = (facts.closed_at - facts.received_at).total_seconds() > CLOCK_TOLERANCE_SECONDS
    if late:
        yield finding("C04", rule="closed-after-receipt")
    elif facts.accepted_at > facts.closed_at:
        yield finding("C04", rule="closed-before-accepted")
    elif not facts.accepted_at <= facts.decided_at <= facts.closed_at:
        yield finding("C04", rule="decided-outside")


def license_data_are_there(facts: ClosureFacts) -> Iterator[Finding]:
    """C05: an approval of an item that gives a licence carries the licence data."""
    if facts.grants and not facts.has_license_data:
        yield finding("C05")


def license_data_are_due(facts: ClosureFacts) -> Iterator[Finding]:
    """C07: no licence data where no licence is given."""
    if facts.has_license_data and not facts.grants:
        yield finding("C07")


def department_is_announced(facts: ClosureFacts) -> Iterator[Finding]:
    """C09: the department is the announced one and handles the item."""
    if not facts.same_organisation:
        yield finding("C09")


def size_as_declared(facts: FilingFacts) -> Iterator[Finding]:
    """M01: received bytes have the declared size."""
    for one in facts.materials:
        if one.size != one.declared_size:
            yield _about("M01", facts, one)


def digest_as_declared(facts: FilingFacts) -> Iterator[Finding]:
    """M02: received bytes have the declared SHA-256."""
    for one in facts.materials:
        if one.sha256 != one.declared_sha256.lower():
            yield _about("M02", facts, one)


def required_materials(facts: FilingFacts) -> Iterator[Finding]:
    """M03: every required material of the item's edition is there."""
    sent = {one.code for one in facts.materials}
    for rule in facts.item.required():
        if rule.code not in sent:
            yield finding("M03", material=rule.code, title=(rule.zh, rule.en))


def format_as_declared(facts: FilingFacts) -> Iterator[Finding]:
    """M04: the format by the file's bytes is the declared one, as far as either is known."""
    for one in facts.materials:
        declared = one.declared_type.lower().split(";")[0].strip()
        declared = _SAME.get(declared, declared)
        known = one.real_type is not None or declared in RENDERED_TYPES
        if one.size and known and declared != one.real_type:
            yield _about("M04", facts, one)


def not_empty(facts: FilingFacts) -> Iterator[Finding]:
    """M05: no material has zero bytes."""
    for one in facts.materials:
        if one.size == 0:
            yield _about("M05", facts, one)


def within_scope(facts: FilingFacts) -> Iterator[Finding]:
    """M06: the item's edition knows every material's code."""
    for one in facts.materials:
        if facts.item.material(one.code) is None:
            yield _about("M06", facts, one)


def names_differ(facts: FilingFacts) -> Iterator[Finding]:
    """M08: file names are unique, letter case aside."""
    counts = Counter(one.file_name.casefold() for one in facts.materials)
    for one in facts.materials:
        if counts[one.file_name.casefold()] > 1:
            yield _about("M08", facts, one)


def process_is_recorded(facts: FilingFacts) -> Iterator[Finding]:
    """M09: the record of the process holds opinions."""
    if not facts.opinions:
        yield finding("M09")


def opinions_are_in_order(facts: FilingFacts) -> Iterator[Finding]:
    """M10: opinions lie between acceptance and closing, and follow one another."""
    times = [one.at for one in facts.opinions]
    outside = any(not facts.accepted_at <= at <= facts.closed_at for at in times)
    if outside or times != sorted(times):
        yield finding("M10", rule="outside" if outside else "order")


def result_is_there(facts: FilingFacts) -> Iterator[Finding]:
    """M11: a closed case holds at least one result material."""
    if not facts.of_group(Group.RESULT):
        yield finding("M11")


def called_up_by_the_case(facts: FilingFacts) -> Iterator[Finding]:
    """C10: what the case says it called up is there, and its own to call up."""
    for place, own in enumerate(facts.called_up):
        if not own:
            yield finding("C10", rule=f"called_up.{place}")


def readable_safely(facts: FilingFacts) -> Iterator[Finding]:
    """Q01: every file could be looked at within the limits of the sandbox."""
    for one in facts.materials:
        if one.problem is not None:
            yield _about("Q01", facts, one, rule=one.problem)


def process_is_plausible(facts: FilingFacts) -> Iterator[Finding]:
    """W01: three opinions or more neither share one instant nor one author."""
    if len(facts.opinions) < _PLAUSIBLE_NODES:
        return
    instants = {one.at for one in facts.opinions}
    authors = {one.author for one in facts.opinions}
    if len(instants) == 1 or len(authors) == 1:
        yield finding("W01", rule="instant" if len(instants) == 1 else "author")


def contents_differ(facts: FilingFacts) -> Iterator[Finding]:
    """W02: no two materials hold the same bytes."""
    counts = Counter(one.sha256 for one in facts.materials if one.size)
    for one in facts.materials:
        if counts[one.sha256] > 1:
            yield _about("W02", facts, one)


def format_is_known(facts: FilingFacts) -> Iterator[Finding]:
    """W03: the format is known; what is not known is filed as the original alone."""
    for one in facts.materials:
        declared = one.declared_type.lower().split(";")[0].strip()
        if one.size and one.real_type is None and declared not in RENDERED_TYPES:
            yield _about("W03", facts, one)


CLOSURE_CHECKS: dict[str, Callable[[ClosureFacts], Iterator[Finding]]] = {
    "C01": item_is_announced,
    "C02": holder_is_announced,
    "C03": holder_code_is_right,
    "C04": dates_are_in_order,
    "C05": license_data_are_there,
    "C07": license_data_are_due,
    "C09": department_is_announced,
}
"""C06 and C08 are answers of the licence room to reserving, see ``archive.closure``."""

MATERIAL_CHECKS: dict[str, Callable[[FilingFacts], Iterator[Finding]]] = {
    "C10": called_up_by_the_case,
    "M01": size_as_declared,
    "M02": digest_as_declared,
    "M03": required_materials,
    "M04": format_as_declared,
    "M05": not_empty,
    "M06": within_scope,
    "M08": names_differ,
    "M09": process_is_recorded,
    "M10": opinions_are_in_order,
    "M11": result_is_there,
    "Q01": readable_safely,
    "W01": process_is_plausible,
    "W02": contents_differ,
    "W03": format_is_known,
}

WHOLE_CASE = frozenset({"M03", "M09", "M10", "M11"})
"""What a case must hold as a whole: its first filing has passed these, and a supplement only adds to it."""

ACCEPTED_CHECKS = ("C01", "C02", "C03", "C04", "C05", "C06", "C07", "C08", "C09")
"""What an accepted closure has passed; the report of the material checks names them."""


def check_closure(facts: ClosureFacts) -> list[Finding]:
    """Run every closure check."""
    return [one for check in CLOSURE_CHECKS.values() for one in check(facts)]


def check_materials(facts: FilingFacts) -> list[Finding]:
    """Run every material check that applies."""
    return [one for code in material_checks(facts) for one in MATERIAL_CHECKS[code](facts)]


def material_checks(facts: FilingFacts) -> tuple[str, ...]:
    """Give the codes of the material checks that apply to a filing."""
    return tuple(code for code in MATERIAL_CHECKS if not facts.supplement or code not in WHOLE_CASE)
