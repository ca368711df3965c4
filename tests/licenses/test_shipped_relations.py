# SPDX-License-Identifier: Apache-2.0
"""With the types and the table that come with the product, each kind of relation can be proven."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from license_library import BUSINESS, FACES, FOOD, PERSON, Library

from licenses.models import License, LicenseHolder
from licenses.relation_table import relation_table
from licenses.relations import Proof, Relations
from storage.ledger.canonical import canonical

MARRIAGE, BIRTH, ATTORNEY = "11339999DEM002036E002", "11339999DEM001041Q003", "11339999DEM002159F001"
OTHER = ("111", "339999199002020029", "李演示")
"""Synthetic, with a right check digit."""


@pytest.fixture
def library(tmp_path: Path) -> Iterator[Library]:
    made = Library(tmp_path)
    yield made
    made.database.close()


def states(library: Library, type_code: str, face: dict[str, str], *, together: bool = False) -> License:
    """Put a licence of a type there that no office of the demonstration gives, in another one's place."""
    made = library.issue(FOOD, number=f"N{type_code[-4:]}")
    with library.database.writing() as uow:
        owner, other = library.holders.find_or_add(uow, *PERSON), library.holders.find_or_add(uow, *OTHER)
        row = uow.session.get_one(License, made.id)
        row.type_code, row.type_version = type_code, library.types.get(type_code).version
        row.holder_id, row.face_cipher = owner.id, uow.secrets.encrypt(owner.id, canonical(dict(face)))
        if together:
            for position, one in enumerate((owner, other), 1):
                held = LicenseHolder(license_id=row.id, position=position, holder_id=one.id)
                uow.session.add(held)
        return row


def proven(library: Library, holder_id: str, kind: str) -> list[str | None]:
    with library.database.reading() as uow:
        found = Relations(library.holdings, library.holders).of(uow, holder_id, kind)
        return [one.other_id for one in found if one.proof is Proof.PROVEN]


@pytest.mark.parametrize(
    ("type_code", "face", "together", "kind"),
    [
        (MARRIAGE, {"number": "J1"}, True, "spouse"),
        (BIRTH, {"mother": OTHER[2], "mother_code": OTHER[1]}, False, "parent"),
        (ATTORNEY, {"agent": OTHER[2], "agent_code": OTHER[1]}, False, "agent"),
        (BUSINESS, {**FACES[BUSINESS], "legal_representative_code": OTHER[1]}, False, "legal-representative"),
    ],
)
def test_a_code_on_the_licence_proves_the_relation(
    library: Library, type_code: str, face: dict[str, str], together: bool, kind: str
) -> None:
    row = states(library, type_code, face, together=together)
    with library.database.reading() as uow:
        other = library.holders.find(uow, *OTHER[:2])
    assert other is not None
    assert proven(library, row.holder_id, kind) == [other.id]


def test_a_marriage_holds_both_ways_and_a_birth_one_way(library: Library) -> None:
    states(library, MARRIAGE, {"number": "J1"}, together=True)
    states(library, BIRTH, {"mother": OTHER[2], "mother_code": OTHER[1]})
    with library.database.reading() as uow:
        other = library.holders.find(uow, *OTHER[:2])
    assert other is not None
    assert len(proven(library, other.id, "spouse")) == 1
    assert proven(library, other.id, "parent") == []


def test_a_spouse_who_was_erased_is_still_one_and_named_no_longer(library: Library) -> None:
    row = states(library, MARRIAGE, {"number": "J1"}, together=True)
    with library.database.writing() as uow:
        other = library.holders.find(uow, *OTHER[:2])
        assert other is not None
        uow.secrets.destroy(other.id)
    assert proven(library, row.holder_id, "spouse") == [other.id]
    with library.database.reading() as uow:
        (found,) = Relations(library.holdings, library.holders).of(uow, row.holder_id, "spouse")
    assert (found.other.code, found.other.name.strip("*")) == ("", "")


def test_every_kind_of_relation_is_stated_by_a_type_with_a_code_or_its_holders() -> None:
    table = relation_table()
    provable = {one.relation for one in table.statements if one.holders or one.code is not None}
    assert provable == {one.code for one in table.relations}
