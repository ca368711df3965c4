# SPDX-License-Identifier: Apache-2.0
"""Every check stays green on a clean filing and turns red on its own broken one."""

import datetime as dt
import hashlib
from collections.abc import Callable
from dataclasses import replace

import pytest

from archive.checks import CLOSURE_CHECKS, MATERIAL_CHECKS, check_closure, check_materials
from archive.facts import ClosureFacts, FilingFacts, MaterialFacts, OpinionFacts
from archive.findings import check_texts, failures, finding, properties, property_report, read_finding
from cases.items import ItemCatalogue

ITEM = ItemCatalogue.load().get("339999010002", "2026-03")
ACCEPTED = dt.datetime(2026, 11, 2, 1, 0, tzinfo=dt.UTC)
CLOSED = dt.datetime(2026, 11, 16, 8, 0, tzinfo=dt.UTC)
MINUTE = dt.timedelta(minutes=1)


def material(position: int, code: str) -> MaterialFacts:
    sha256 = hashlib.sha256(code.encode()).hexdigest()
    return MaterialFacts(
        position=position,
        code=code,
        file_name=f"{code}.pdf",
        declared_type="application/pdf",
        declared_sha256=sha256,
        declared_size=100,
        sha256=sha256,
        size=100,
        real_type="application/pdf",
    )


CLEAN = FilingFacts(
    item=ITEM,
    accepted_at=ACCEPTED,
    closed_at=CLOSED,
    materials=tuple(material(place, rule.code) for place, rule in enumerate(ITEM.required(), 1)),
    opinions=(
        OpinionFacts("受理", "甲", ACCEPTED + MINUTE),
        OpinionFacts("审核", "乙", ACCEPTED + 2 * MINUTE),
        OpinionFacts("决定", "丙", CLOSED),
    ),
    called_up=(True, True),
)
CLEAN_CLOSURE = ClosureFacts(
    same_item=True,
    same_holder=True,
    same_organisation=True,
    holder_code_right=True,
    grants=True,
    has_license_data=True,
    accepted_at=ACCEPTED,
    decided_at=CLOSED,
    closed_at=CLOSED,
    received_at=CLOSED + MINUTE,
)


def first(**changes: object) -> FilingFacts:
    changed = replace(CLEAN.materials[0], **changes)  # type: ignore[arg-type]
    return replace(CLEAN, materials=(changed, *CLEAN.materials[1:]))


BROKEN: dict[str, Callable[[], FilingFacts]] = {
    "C10": lambda: replace(CLEAN, called_up=(True, False)),
    "M01": lambda: first(declared_size=99),
    "M02": lambda: first(declared_sha256="0" * 64),
    "M03": lambda: replace(CLEAN, materials=CLEAN.materials[1:]),
    "M04": lambda: first(declared_type="image/jpeg"),
    "M05": lambda: first(size=0, declared_size=0, real_type=None),
    "M06": lambda: replace(CLEAN, materials=(*CLEAN.materials, material(9, "diary"))),
    "M08": lambda: first(file_name=CLEAN.materials[1].file_name.upper()),
    "M09": lambda: replace(CLEAN, opinions=()),
    "M10": lambda: replace(CLEAN, opinions=CLEAN.opinions[::-1]),
    "M11": lambda: replace(CLEAN, materials=CLEAN.materials[:-1]),
    "Q01": lambda: first(problem="timeout"),
    "W01": lambda: replace(CLEAN, opinions=tuple(replace(one, author="甲") for one in CLEAN.opinions)),
    "W03": lambda: first(real_type=None, declared_type="application/ofd"),
    "W02": lambda: first(
        sha256=CLEAN.materials[1].sha256, declared_sha256=CLEAN.materials[1].declared_sha256
    ),
}
BROKEN_CLOSURE: dict[str, ClosureFacts] = {
    "C01": replace(CLEAN_CLOSURE, same_item=False),
    "C02": replace(CLEAN_CLOSURE, same_holder=False),
    "C03": replace(CLEAN_CLOSURE, same_holder=False, holder_code_right=False),
    "C04": replace(CLEAN_CLOSURE, accepted_at=CLOSED + MINUTE),
    "C05": replace(CLEAN_CLOSURE, has_license_data=False),
    "C07": replace(CLEAN_CLOSURE, grants=False),
    "C09": replace(CLEAN_CLOSURE, same_organisation=False),
}


def test_a_clean_filing_passes_every_check() -> None:
    assert check_materials(CLEAN) == []
    assert check_closure(CLEAN_CLOSURE) == []


@pytest.mark.parametrize("code", sorted(MATERIAL_CHECKS))
def test_each_material_check_can_fail(code: str) -> None:
    found = [one.code for one in MATERIAL_CHECKS[code](BROKEN[code]())]
    assert found
    assert set(found) == {code}
    assert code in {one.code for one in check_materials(BROKEN[code]())}


@pytest.mark.parametrize("code", sorted(CLOSURE_CHECKS))
def test_each_closure_check_can_fail_alone(code: str) -> None:
    assert [one.code for one in check_closure(BROKEN_CLOSURE[code])] == [code]


def test_a_closing_five_minutes_ahead_of_our_clock_is_no_fault() -> None:
    ahead = replace(CLEAN_CLOSURE, received_at=CLOSED - 5 * MINUTE)
    assert check_closure(ahead) == []
    assert [one.code for one in check_closure(replace(ahead, received_at=CLOSED - 6 * MINUTE))] == ["C04"]


def test_an_opinion_outside_the_case_is_found() -> None:
    late = replace(CLEAN, opinions=(*CLEAN.opinions[:2], OpinionFacts("决定", "丙", CLOSED + MINUTE)))
    assert [one.rule for one in check_materials(late)] == ["outside"]


def test_declared_types_are_compared_without_their_parameters() -> None:
    assert check_materials(first(declared_type="Application/PDF; version=1.7")) == []


def test_a_pdf_that_is_none_is_not_taken_for_an_unknown_format() -> None:
    assert [one.code for one in check_materials(first(real_type=None))] == ["M04"]


def test_a_missing_material_is_named_in_both_languages_with_what_to_do() -> None:
    (missing,) = check_materials(replace(CLEAN, materials=CLEAN.materials[1:]))
    assert missing.zh == "缺少必要材料：食品经营许可申请书"
    assert missing.en == "Required material missing: Application form"
    assert missing.remedy_zh
    assert read_finding(missing.as_json()) == missing


def test_every_check_has_its_text_and_every_text_its_check() -> None:
    assert set(check_texts()) == set(MATERIAL_CHECKS) | set(CLOSURE_CHECKS) | {"C06", "C08"}


def test_the_report_names_all_sixteen_properties_and_fakes_none() -> None:
    found = [finding("M09"), finding("W02", title=("甲", "A"))]
    report = property_report(("M01", "M09", "W02"), found)
    verdicts = {entry["code"]: entry["verdict"] for entry in report["properties"]}  # type: ignore[union-attr,index,call-overload]
    assert len(verdicts) == len(properties()) == 16
    assert verdicts["F-2-2"] == "fail"
    assert verdicts["F-1-3"] == "warn"
    assert verdicts["F-4-1"] == "person"
    assert verdicts["F-3-3"] == "not-checked"
    assert verdicts["F-1-1"] == "not-checked"
    assert [one.code for one in failures(found)] == ["M09"]


@pytest.mark.parametrize("decided", [ACCEPTED - MINUTE, CLOSED + MINUTE])
def test_a_decision_before_acceptance_or_after_closing_is_out_of_order(decided: dt.datetime) -> None:
    found = check_closure(replace(CLEAN_CLOSURE, decided_at=decided))
    assert [(one.code, one.rule) for one in found] == [("C04", "decided-outside")]
