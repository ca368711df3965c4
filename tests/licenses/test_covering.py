# SPDX-License-Identifier: Apache-2.0
"""A licence that states what another type's would: it answers for it as its version says, no more."""

import pytest
from license_library import BUSINESS, CLIENT, COMPANY, FOOD, GROUNDS, MANAGER, OTHER, Library

from cases.models import Case
from licenses.catalogue import TypeCatalogue
from licenses.covering import covering, face_as
from licenses.definition import Cover, LicenseType
from licenses.preview import sample_face
from licenses.questions import ProofQuestion

ROAD, DANGEROUS = "11100000000019713D008", "11100000000019713D016"


def comprehensive(kind: LicenseType) -> LicenseType:
    """Give a version of the food licence that states the scope of the business licence, too."""
    covers = (Cover(type=BUSINESS, fields={"scope": "permitted_items"}),)
    return kind.model_copy(update={"version": "2026-02", "covers": covers})


def business_licence(library: Library, case: Case) -> tuple[str, str, object]:
    asked = ProofQuestion(case.source, case.number, case.item_code, "accept")
    with library.database.writing() as uow:
        body = library.proofs.ask(uow, CLIENT, asked).body
    (one,) = (one for one in body["requirements"] if one["zh"] == "营业执照")  # type: ignore[union-attr, call-overload, index]
    source = one["source"]  # type: ignore[index]
    return one["result"], one["reason"]["code"], source and source["type"]  # type: ignore[index, return-value, call-overload]


@pytest.fixture
def covered(library: Library) -> Library:
    library.issue(FOOD, OTHER, number="N1")
    library.types.adopt([comprehensive(library.types.get(FOOD))], 1)
    return library


def test_a_covering_licence_answers_and_is_named_as_what_it_is(covered: Library) -> None:
    covered.issue(FOOD, COMPANY)
    assert business_licence(covered, covered.announce(FOOD)) == ("MET", "R.ESTABLISHED", FOOD)


def test_what_it_does_not_say_is_not_established(covered: Library) -> None:
    covered.issue(FOOD, COMPANY, face={**covered_face(), "permitted_items": "糕点制售"})
    assert business_licence(covered, covered.announce(FOOD))[0] == "NOT_MET"


def covered_face() -> dict[str, str]:
    return {field.name: field.example for field in TypeCatalogue.load().get(FOOD).fields if not field.source}


def test_one_that_is_suspended_does_not_answer(covered: Library) -> None:
    license_ = covered.issue(FOOD, COMPANY)
    with covered.database.writing() as uow:
        covered.service.suspend(uow, MANAGER, license_.identifier, GROUNDS)
    assert business_licence(covered, covered.announce(FOOD))[0] != "MET"


def test_the_licence_itself_goes_before_one_that_covers_it(covered: Library) -> None:
    covered.issue(FOOD, COMPANY)
    covered.issue(BUSINESS, COMPANY)
    assert business_licence(covered, covered.announce(FOOD)) == ("MET", "R.ESTABLISHED", BUSINESS)


def test_one_that_was_issued_before_its_type_covered_the_other_does_not_answer(covered: Library) -> None:
    assert business_licence(covered, covered.announce(FOOD, OTHER))[:2] == ("UNKNOWN", "R.NOT_FOUND")


def test_the_fields_of_the_shipped_cover_are_found_under_the_names_of_the_other_type() -> None:
    types = TypeCatalogue.load()
    kind, other = types.get(DANGEROUS), types.get(ROAD)
    face = sample_face(kind)
    said = face_as(kind, kind.covers[0], other, face)
    assert said["hazardous_vehicles"] == face["vehicles"] == 12
    assert said["operator"] == face["operator"]
    assert said["valid_until"] == face["valid_until"]
    unstated = {"licence_word", "printed_on"}
    assert set(said) == {field.name for field in other.fields} - unstated
    assert not any(field.required for field in other.fields if field.name in unstated)
    assert covering(types.all(), [ROAD]) == {DANGEROUS}
    assert covering(types.all(), [FOOD]) == frozenset()
