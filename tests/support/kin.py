# SPDX-License-Identifier: Apache-2.0
"""Licences that state relations between synthetic persons: a marriage, a birth, a firm's representative."""

from collections.abc import Mapping

from license_library import BUSINESS, COMPANY, FACES, FOOD, Library
from sqlalchemy import func, select

from licenses.models import License, LicenseHolder
from storage.ledger.canonical import canonical

MARRIAGE, BIRTH = "11339999DEM002036E002", "11339999DEM001041Q003"
OFFICIAL = ("111", "339999199001010419", "甲演示")
SPOUSE = ("111", "339999199001010427", "乙演示")
CHILD = ("111", "339999199001010435", "丙演示")
COLLEAGUE = ("111", "339999199001010443", "丁演示")
STRANGER = ("111", "339999199001010451", "戊演示")
"""All synthetic, with right check digits."""
FIRM = COMPANY

Someone = tuple[str, str, str]


def states(
    library: Library, type_code: str, holder: Someone, face: Mapping[str, str], *others: Someone
) -> License:
    """Put a licence of a type there that no office of the demonstration gives, in another one's place."""
    with library.database.reading() as uow:
        number = f"N{uow.session.scalar(select(func.count()).select_from(License))}"
    made = library.issue(FOOD, number=number)
    with library.database.writing() as uow:
        owner = library.holders.find_or_add(uow, *holder)
        row = uow.session.get_one(License, made.id)
        row.type_code, row.type_version = type_code, library.types.get(type_code).version
        row.holder_id, row.face_cipher = owner.id, uow.secrets.encrypt(owner.id, canonical(dict(face)))
        together = (holder, *others) if others else ()
        for position, one in enumerate(together, 1):
            held_by = library.holders.find_or_add(uow, *one).id
            uow.session.add(LicenseHolder(license_id=row.id, position=position, holder_id=held_by))
        return row


def marry(library: Library, one: Someone, other: Someone) -> License:
    """Let two hold a marriage certificate together."""
    return states(library, MARRIAGE, one, {"number": "J1"}, other)


def bear(library: Library, child: Someone, mother: Someone) -> License:
    """Let a child's birth certificate name the mother."""
    return states(library, BIRTH, child, {"mother": mother[2], "mother_code": mother[1]})


def represent(library: Library, firm: Someone, representative: Someone) -> License:
    """Let a firm's business licence name its legal representative."""
    face = {**FACES[BUSINESS], "legal_representative_code": representative[1]}
    return states(library, BUSINESS, firm, face)
