# SPDX-License-Identifier: Apache-2.0
"""The text encodings that the ledger's formats share, read strictly: one value, one spelling."""

import base64
import binascii
import re

from storage.ledger.errors import LedgerFormatError

_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
MAX_SIZE = 2**63 - 1


def to_base64(data: bytes) -> str:
    """Write standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def from_base64(text: str) -> bytes:
    """Read base64 and refuse every spelling but the one :func:`to_base64` writes."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise LedgerFormatError(rule="base64") from error
    if to_base64(data) != text:
        raise LedgerFormatError(rule="base64")
    return data


def from_decimal(text: str) -> int:
    """Read a decimal without sign or leading zeros, at most 2^63 - 1."""
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise LedgerFormatError(rule="decimal")
    return int(text)
