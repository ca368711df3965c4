# SPDX-License-Identifier: Apache-2.0
"""The public check of a copy: whether it is one of ours and still good, and how its licence stands now."""

import dataclasses
from collections.abc import Collection

from sqlalchemy import ColumnElement, select

from licenses.copies.models import LicenseCopy
from licenses.copies.services import MADE
from licenses.copies.terms import CopyCard, copy_terms
from licenses.errors import CodeUnknownError
from licenses.metadata import Metadata
from licenses.purposes import Purpose
from licenses.reading import LicenseReader
from licenses.views import PublicCheck
from storage.clock import legal_date
from storage.database import UnitOfWork
from storage.identity import Basis, Identity


class CopyChecker:
    """Tells anybody about a copy.

    Args:
        reader: Tells about its licence.
    """

    def __init__(self, reader: LicenseReader) -> None:
        self._reader = reader

    def check_code(self, uow: UnitOfWork, identity: Identity, code: str) -> PublicCheck:
        """Answer the QR link of a copy; raises ``CodeUnknownError`` for a code of no copy that was made."""
        return self._check(uow, identity, LicenseCopy.code == code)

    def check_file(
        self, uow: UnitOfWork, identity: Identity, sha256: str, stated: Metadata | None = None
    ) -> PublicCheck:
        """Answer for a file by its digest.

        Args:
            uow: A writing unit of work.
            identity: Who asks.
            sha256: Digest of the sealed copy.
            stated: What the file's embedded metadata say of the licence; ``None`` when nothing is believed.

        Raises:
            CodeUnknownError: It is no copy of ours.
        """
        return self._check(uow, identity, LicenseCopy.object_sha256 == sha256, stated)

    def _check(
        self,
        uow: UnitOfWork,
        identity: Identity,
        condition: ColumnElement[bool],
        stated: Metadata | None = None,
    ) -> PublicCheck:
        copy = uow.session.scalar(select(LicenseCopy).where(condition, LicenseCopy.state == MADE))
        if copy is None or copy.made_at is None:
            raise CodeUnknownError
        found = self._reader.public_check_copied(uow, identity, copy.license_id, stated)
        card = CopyCard(
            purpose=purpose_of(copy),
            made_on=legal_date(copy.made_at),
            valid_until=copy.valid_until,
            good=legal_date(uow.clock.now()) <= copy.valid_until,
        )
        return dataclasses.replace(found, copy=card)


def purpose_of(copy: LicenseCopy) -> Purpose:
    """Give what a copy is for; its bare code where the purpose is no longer published."""
    found = copy_terms().purpose(Basis(copy.basis), copy.purpose)
    return found or Purpose(copy.purpose, copy.purpose, copy.purpose)


def codes_of_copies(uow: UnitOfWork, codes: Collection[str]) -> frozenset[str]:
    """Give those of some verification codes that are of copies: a copy shows its original's code, too."""
    return frozenset(uow.session.scalars(select(LicenseCopy.code).where(LicenseCopy.code.in_(codes))))
