# SPDX-License-Identifier: Apache-2.0
"""The status list of licences: two bits for each, compressed, signed, published for everybody.

The layout is that of the token status list of the IETF (``draft-ietf-oauth-status-list``, "Status List
Token"): entry ``i`` stands in the bits ``2 * (i % 4)`` and the next higher of byte ``i // 4``; the bytes
are compressed by zlib and written in base64url without padding; the token is a JWS of the type
``statuslist+jwt`` with ``sub``, ``iat``, ``exp`` and ``ttl``. The list tells what events did to a licence;
its dates stand in its file, so a verifier who holds both needs nothing else.
"""

import base64
import binascii
import datetime as dt
import enum
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from licenses.answers import AnswerKeys, verify_signed
from licenses.errors import AnswerInvalidError

TYPE: Final = "statuslist+jwt"
BITS: Final = 2
TTL: Final = dt.timedelta(minutes=5)
"""How long a copy may be used before a newer one is asked for."""
LIFETIME: Final = dt.timedelta(days=7)
"""How long a copy may be relied on by who cannot ask, such as an inspector without a network."""
LARGEST: Final = 64 << 20
"""Bytes that a list may have in clear: four entries a byte."""
_PER_BYTE: Final = 8 // BITS


class ListedStatus(enum.IntEnum):
    """What two bits can say; 3 is for applications to define, and here it means "superseded"."""

    VALID = 0
    INVALID = 1
    SUSPENDED = 2
    SUPERSEDED = 3


@dataclass(frozen=True, slots=True)
class StatusList:
    """A list that was checked.

    Attributes:
        uri: Where it is published.
        at: The instant whose states it gives.
        expires: Until when it may be relied on.
        entries: The packed entries.
    """

    uri: str
    at: dt.datetime
    expires: dt.datetime
    entries: bytes

    def of(self, index: int) -> ListedStatus | None:
        """Give an entry; ``None`` for a place that the list does not have."""
        if not 0 <= index < len(self.entries) * _PER_BYTE:
            return None
        return ListedStatus(self.entries[index // _PER_BYTE] >> BITS * (index % _PER_BYTE) & 3)


def status_list_url(public_url: str) -> str:
    """Give the address under which an installation publishes the list."""
    return f"{public_url.rstrip('/')}/api/v1/status-lists/licences"


def pack(size: int, changed: Iterable[tuple[int, ListedStatus]]) -> bytes:
    """Pack entries that are valid but for some.

    Args:
        size: How many there are.
        changed: Place and status of those that are not valid.
    """
    packed = bytearray(-(-size // _PER_BYTE))
    for index, status in changed:
        packed[index // _PER_BYTE] |= int(status) << BITS * (index % _PER_BYTE)
    return bytes(packed)


def sign_list(keys: AnswerKeys, uri: str, entries: bytes, at: dt.datetime) -> str:
    """Sign a list as it was at an instant; the same list at the same instant gives the same claims."""
    issued = int(at.timestamp())
    compressed = base64.urlsafe_b64encode(zlib.compress(entries, 9)).rstrip(b"=").decode()
    claims: Mapping[str, Any] = {
        "sub": uri,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "ttl": int(TTL.total_seconds()),
        "status_list": {"bits": BITS, "lst": compressed},
    }
    return keys.sign_payload(claims, TYPE)


def read_list(token: str, jwks: Mapping[str, Sequence[Mapping[str, str]]]) -> StatusList:
    """Check a status list token.

    Raises:
        AnswerInvalidError: Altered, of another type, signed by no key of the set, or malformed.
    """
    claims = verify_signed(token, jwks, TYPE, LARGEST)
    try:
        listed = claims["status_list"]
        if listed["bits"] != BITS:
            raise AnswerInvalidError(rule="bits")
        padded = str(listed["lst"]) + "=" * (-len(str(listed["lst"])) % 4)
        inflater = zlib.decompressobj()
        entries = inflater.decompress(base64.urlsafe_b64decode(padded), LARGEST)
        if inflater.unconsumed_tail or not inflater.eof:
            raise AnswerInvalidError(rule="size")
        at = dt.datetime.fromtimestamp(int(claims["iat"]), dt.UTC)
        expires = dt.datetime.fromtimestamp(int(claims["exp"]), dt.UTC)
        return StatusList(str(claims["sub"]), at, expires, entries)
    except (KeyError, TypeError, ValueError, OverflowError, binascii.Error, zlib.error):
        raise AnswerInvalidError(rule="payload") from None
