# SPDX-License-Identifier: Apache-2.0
"""Reasons that administrators give: short texts that are what they look like, kept encrypted."""

from typing import Final

from cases.identifiers import is_plain
from storage.database import UnitOfWork
from storage.errors import InvalidInputError

_LONGEST: Final = 500


def encrypted_reason(uow: UnitOfWork, subject: str, reason: str) -> bytes:
    """Check a reason and encrypt it under a subject's key.

    Raises:
        InvalidInputError: It is empty, too long, or holds characters that are not seen.
    """
    text = reason.strip()
    if not 1 <= len(text) <= _LONGEST or not is_plain(text):
        raise InvalidInputError(field="reason", rule=f"1 to {_LONGEST} characters that are seen")
    return uow.secrets.encrypt(subject, text.encode())
