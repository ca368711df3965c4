# SPDX-License-Identifier: Apache-2.0
"""A record of the stock, as read and as normalised, side by side."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final, NamedTuple

import orjson

from licenses.faces import FaceValue
from licenses.identifiers import FIRST_VERSION, Shape
from licenses.stock.profiles import Item, Operation, SourceStatus
from licenses.stock.reasons import Verdict
from storage.ledger.canonical import Json, canonical

Cells = Mapping[str, str]
"""A row as it was read: column → text; a column without content is left out."""

LIMITS: Final[Mapping[Item, int]] = {
    Item.NUMBER: 80,
    Item.IDENTIFIER: 128,
    Item.ISSUER_NAME: 120,
    Item.HOLDER_NAME: 200,
    Item.HOLDER_CODE: 256,
}
"""Most characters of an item; any other has at most 500."""


class StockParty(NamedTuple):
    """A holder of a stock licence: always the pair of scheme and code."""

    scheme: str
    code: str
    name: str
    share: Fraction | None = None


@dataclass(slots=True)
class Draft:
    """What could be read of a record; whatever could not is ``None`` and has its reason.

    What was done with it, and on which day, is no part of what it says: two feeds may tell the same.
    """

    type_code: str | None = None
    number: str | None = None
    number_key: str | None = None
    identifier: str | None = None
    shape: Shape | None = None
    issuer_name: str | None = None
    issuer_code: str | None = None
    parties: tuple[StockParty, ...] = ()
    issued_on: dt.date | None = None
    valid_from: dt.date | None = None
    valid_until: dt.date | None = None
    status: SourceStatus | None = None
    operation: Operation | None = None
    operated_on: dt.date | None = None
    face: dict[str, FaceValue] = field(default_factory=dict)

    def as_json(self) -> dict[str, Json]:
        """Give what was read but the face, as it is kept beside the original."""
        plain: dict[str, Json] = {
            name: value
            for name in ("type_code", "number", "identifier", "issuer_name", "issuer_code")
            if (value := getattr(self, name)) is not None
        }
        for name in ("issued_on", "valid_from", "valid_until"):
            if (day := getattr(self, name)) is not None:
                plain[name] = day.isoformat()
        for name in ("shape", "status"):
            if (word := getattr(self, name)) is not None:
                plain[name] = str(word)
        if self.parties:
            plain["parties"] = [
                {"scheme": one.scheme, "code": one.code, "name": one.name}
                | ({} if one.share is None else {"share": str(one.share)})
                for one in self.parties
            ]
        return plain


@dataclass(frozen=True, slots=True)
class Normalised:
    """A record with its verdict.

    Attributes:
        row: Number of the record in its file, from 1.
        verdict: What the gravest of its reasons says.
        reasons: Codes, in the order in which they were found.
        original: The row as it was read.
        draft: What could be read of it.
        line: Line of the file on which it begins; 0 where nobody asked.
        column: Where a malformed one is malformed, from 1.
    """

    row: int
    verdict: Verdict
    reasons: tuple[str, ...]
    original: Cells
    draft: Draft
    line: int = 0
    column: int = 0


class Prepared(NamedTuple):
    """A normalised record as it is written: what is encrypted or hashed is bytes already.

    It is made where records are normalised, beside the process that writes.
    """

    row: int
    line: int
    column: int
    verdict: Verdict
    reasons: tuple[str, ...]
    original: bytes
    read: bytes
    face: bytes
    version: int
    type_code: str | None
    number: str | None
    number_key: str | None
    identifier: str | None
    issuer_name: str | None
    issuer_code: str | None
    parties: tuple[StockParty, ...]
    issued_on: dt.date | None
    valid_from: dt.date | None
    valid_until: dt.date | None
    status: SourceStatus | None
    operation: Operation | None
    operated_on: dt.date | None


def prepared(one: Normalised) -> Prepared:
    """Prepare a record for being written."""
    draft = one.draft
    kept = one.verdict is not Verdict.REJECTED
    face = canonical(draft.face) if kept else b""
    return Prepared(
        one.row,
        one.line,
        one.column,
        one.verdict,
        one.reasons,
        packed(one.original) if kept else b"",
        _read_of(draft, face) if kept else b"",
        face,
        _version_of(draft),
        draft.type_code,
        draft.number,
        draft.number_key,
        draft.identifier,
        draft.issuer_name,
        draft.issuer_code,
        draft.parties,
        draft.issued_on,
        draft.valid_from,
        draft.valid_until,
        draft.status,
        draft.operation,
        draft.operated_on,
    )


def _read_of(draft: Draft, face: bytes) -> bytes:
    """Give what was read as canonical JSON: of texts with plain names, and of a face that is canonical."""
    plain: dict[str, Any] = draft.as_json()
    if draft.face:
        plain["face"] = orjson.Fragment(face)
    return orjson.dumps(plain, option=orjson.OPT_SORT_KEYS)


def packed(original: Cells) -> bytes:
    """Give a record as it was read, as it is kept."""
    return orjson.dumps(original)


def unpacked(data: bytes) -> dict[str, str]:
    """Read back what :func:`packed` gave."""
    read: dict[str, str] = orjson.loads(data)
    return read


def _version_of(draft: Draft) -> int:
    if draft.shape is Shape.CONFORMING and draft.identifier is not None:
        return int(draft.identifier.rsplit(".", 2)[1])
    return FIRST_VERSION
