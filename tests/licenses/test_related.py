# SPDX-License-Identifier: Apache-2.0
"""Who of many is related to whom: both ways, by what valid licences prove, and by nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from kin import CHILD, FIRM, OFFICIAL, SPOUSE, STRANGER, Someone, bear, marry, represent
from license_library import FOOD, WORKER, Library

from licenses.events import Grounds, new_event
from licenses.lifecycle import EventKind
from licenses.models import License
from licenses.related import BACK, Party, RelatedHolders
from licenses.relations import Relations
from storage.ledger.canonical import canonical


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


def known(library: Library, *many: Someone) -> list[str]:
    with library.database.writing() as uow:
        return [library.holders.find_or_add(uow, *one).id for one in many]


def related(library: Library, *looked: Someone, official: Someone = OFFICIAL) -> dict[str, set[str]]:
    """Give the kinds of relations of the official to each of some holders, by name."""
    names = dict(zip(known(library, *looked), (one[2] for one in looked), strict=True))
    with library.database.reading() as uow:
        row = library.holders.find(uow, *official[:2])
        code_hash = uow.secrets.lookup_hash(*official[:2])
        party = Party(official[0], code_hash, None if row is None else row.id)
        finder = RelatedHolders(Relations(library.holdings, library.holders), library.holdings)
        found = finder.among(uow, {"who": party}, {"who": list(names)})
    return {names[holder]: set(kinds) for (_, holder), kinds in found.items()}


def test_a_marriage_leads_both_ways(library: Library) -> None:
    marry(library, OFFICIAL, SPOUSE)
    assert related(library, SPOUSE, STRANGER) == {SPOUSE[2]: {"spouse"}}
    assert related(library, OFFICIAL, STRANGER, official=SPOUSE) == {OFFICIAL[2]: {"spouse"}}


def test_a_birth_certificate_leads_from_the_child_to_the_mother_and_back(library: Library) -> None:
    bear(library, CHILD, OFFICIAL)
    assert related(library, CHILD) == {CHILD[2]: {BACK + "parent"}}
    assert related(library, OFFICIAL, official=CHILD) == {OFFICIAL[2]: {"parent"}}


def test_which_way_a_relation_leads_is_told(library: Library) -> None:
    """The looked-up mother is the child's parent; of the looked-up child the mother is."""
    bear(library, CHILD, OFFICIAL)
    assert related(library, OFFICIAL, official=CHILD) == {OFFICIAL[2]: {"parent"}}
    assert related(library, CHILD, official=OFFICIAL) == {CHILD[2]: {BACK + "parent"}}


def test_an_official_of_whom_the_library_knows_nothing_is_found_by_the_hash(library: Library) -> None:
    represent(library, FIRM, OFFICIAL)
    with library.database.reading() as uow:
        assert library.holders.find(uow, *OFFICIAL[:2]) is None
    assert related(library, FIRM, STRANGER) == {FIRM[2]: {BACK + "legal-representative"}}


def test_a_stranger_is_related_to_nobody_whatever_the_name(library: Library) -> None:
    represent(library, FIRM, (*STRANGER[:2], OFFICIAL[2]))
    bear(library, CHILD, STRANGER)
    library.issue(FOOD, FIRM, number="NOTHER")
    assert related(library, FIRM, CHILD, STRANGER) == {}


def test_only_pairs_that_are_asked_for_are_told(library: Library) -> None:
    marry(library, OFFICIAL, SPOUSE)
    assert related(library, STRANGER) == {}


def test_a_licence_that_is_no_longer_valid_proves_nothing(library: Library) -> None:
    licence = represent(library, FIRM, OFFICIAL)
    with library.database.writing() as uow:
        row = uow.session.get_one(License, licence.id)
        history = library.holdings.events(uow, [row.id])[row.id]
        uow.session.add(new_event(uow, WORKER, row, history, EventKind.SUSPENDED, Grounds("核查", "许可法")))
    assert related(library, FIRM) == {}


def test_a_contradicted_licence_proves_nothing(library: Library) -> None:
    represent(library, FIRM, OFFICIAL)
    represent(library, FIRM, STRANGER)
    assert related(library, FIRM) == {}


@pytest.mark.parametrize("code", ["", "3399991990010104", "339999199001010418", "*" * 18, OFFICIAL[2]])
def test_what_is_no_code_leads_to_nobody(library: Library, code: str) -> None:
    represent(library, FIRM, (OFFICIAL[0], code, OFFICIAL[2]))
    assert related(library, FIRM) == {}


def test_who_was_erased_leads_to_nobody_and_stops_nobody_else(library: Library) -> None:
    represent(library, FIRM, OFFICIAL)
    marry(library, OFFICIAL, SPOUSE)
    (firm,) = known(library, FIRM)
    with library.database.writing() as uow:
        uow.secrets.destroy(firm)
    with library.database.reading() as uow:
        row = library.holders.find(uow, *OFFICIAL[:2])
        spouse = library.holders.find(uow, *SPOUSE[:2])
        assert row is not None
        assert spouse is not None
        finder = RelatedHolders(Relations(library.holdings, library.holders), library.holdings)
        party = Party(OFFICIAL[0], row.code_hash, row.id)
        found = finder.among(uow, {"who": party}, {"who": [firm, spouse.id]})
    assert found == {("who", spouse.id): frozenset({"spouse"})}


def test_a_face_with_something_else_in_the_place_of_a_code_leads_to_nobody(library: Library) -> None:
    licence = represent(library, FIRM, OFFICIAL)
    with library.database.writing() as uow:
        row = uow.session.get_one(License, licence.id)
        face = canonical({"legal_representative_code": [OFFICIAL[1]]})
        row.face_cipher = uow.secrets.encrypt(row.holder_id, face)
    assert related(library, FIRM) == {}
