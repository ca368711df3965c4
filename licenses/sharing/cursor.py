# SPDX-License-Identifier: Apache-2.0
"""Cursors of the feed: opaque texts, signed, good for the client that got them and for this log only."""

import base64
import binascii
import hashlib
import hmac
import struct
from typing import Final

from licenses.sharing.feed import Place
from storage.cursors import CursorError
from storage.database import UnitOfWork

_PLACE: Final = struct.Struct(">qq")
_SEAL: Final = 16
_SCHEME: Final = "licence feed cursor"


def write_place(uow: UnitOfWork, client: str, log: str, place: Place) -> str:
    """Write a place for a client."""
    body = _PLACE.pack(place.seq, place.place)
    return base64.urlsafe_b64encode(body + _seal(uow, client, log, body)).decode().rstrip("=")


def read_place(uow: UnitOfWork, client: str, log: str, cursor: str) -> Place:
    """Read a place back.

    Raises:
        CursorError: It was not given to this client, or the log is another one since a restore.
    """
    try:
        data = base64.b64decode(cursor.encode("ascii") + b"=" * (-len(cursor) % 4), b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise CursorError from error
    body, seal = data[: _PLACE.size], data[_PLACE.size :]
    if len(body) != _PLACE.size or not hmac.compare_digest(seal, _seal(uow, client, log, body)):
        raise CursorError
    return Place(*_PLACE.unpack(body))


def _seal(uow: UnitOfWork, client: str, log: str, body: bytes) -> bytes:
    said = f"{client}\0{log}\0{body.hex()}"
    return hashlib.sha256(uow.secrets.lookup_hash(_SCHEME, said)).digest()[:_SEAL]
