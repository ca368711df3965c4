# SPDX-License-Identifier: Apache-2.0
"""What strangers rely on: the directory of issuers, types and keys, and the status list of all licences.

Both are signed by the keys of answers. A verifier who holds them and trusts one key of the set needs neither
this server nor its database (:mod:`licenses.offline`).
"""

import datetime as dt
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sqlalchemy import ColumnElement, func, or_, select

from cases.items import ItemCatalogue
from licenses.answers import AnswerKeys, verify_signed
from licenses.catalogue import TypeCatalogue
from licenses.errors import AnswerInvalidError, LicenseStateError
from licenses.lifecycle import TERMINAL, EventKind, State, state_after
from licenses.models import License, LicenseEvent
from licenses.status_list import ListedStatus, pack
from storage.clock import read_instant, rfc3339
from storage.database import UnitOfWork
from storage.ledger.canonical import Json, canonical

DIRECTORY_TYPE: Final = "cunzheng-directory+json"
DIRECTORY_LIFETIME: Final = dt.timedelta(days=30)
_LARGEST: Final = 16 << 20
_UNCHANGING: Final = (
    EventKind.ISSUED,
    EventKind.ADOPTED,
    EventKind.CHECKED,
    EventKind.PROCESS_OPENED,
    EventKind.PROCESS_CLOSED,
)
_CHUNK: Final = 5_000


@dataclass(frozen=True, slots=True)
class SealEntry:
    """A registered seal, as strangers need it.

    Attributes:
        certificate_sha256: Fingerprint of its certificate, hex.
        issuers: Credit codes of the departments for which it may be used.
        documents: Types of documents that it may seal.
    """

    certificate_sha256: str
    issuers: tuple[str, ...]
    documents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DirectoryParts:
    """What the directory says beside issuers and types.

    Attributes:
        origin: The log's name, by which the installation is known.
        log_key: Its verifier key.
        ca_pem: Certificates that seals and time stamps chain to, with the revocation list.
        status_list: Address of the status list.
        seals: Every seal of the register, revoked ones too: the revocation list tells which those are.
    """

    origin: str
    log_key: str
    ca_pem: bytes
    status_list: str
    seals: Sequence[SealEntry] = ()


def directory(
    items: ItemCatalogue, types: TypeCatalogue, keys: AnswerKeys, parts: DirectoryParts, at: dt.datetime
) -> str:
    """Give the signed directory as of an instant; a digest of what it says is its version."""
    said: dict[str, Json] = {
        "origin": parts.origin,
        "issuers": [
            {"code": one.uscc, "zh": one.zh, "en": one.en, "department": one.code}
            for one in items.departments
        ],
        "types": [
            {
                "code": kind.code,
                "version": kind.version,
                "zh": kind.zh,
                "en": kind.en,
                "provisional": kind.provisional,
            }
            for kind in types.all()
        ],
        "log_key": parts.log_key,
        "ca_pem": parts.ca_pem.decode(),
        "jwks": dict(keys.jwks()),
        "status_list": parts.status_list,
        "seals": [
            {
                "certificate_sha256": one.certificate_sha256,
                "issuers": list(one.issuers),
                "documents": list(one.documents),
            }
            for one in parts.seals
        ],
    }
    version = hashlib.sha256(canonical(said)).hexdigest()
    until = at + DIRECTORY_LIFETIME
    claims: dict[str, Json] = {"v": 1, "version": version, "at": rfc3339(at), "until": rfc3339(until), **said}
    return keys.sign_payload(claims, DIRECTORY_TYPE)


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that was checked.

    Attributes:
        at: When it was signed.
        until: Until when it may be relied on.
        issuers: Credit code → name, Chinese and English.
        types: Type code → name, Chinese and English.
        ca_pem: What seals are judged with.
        jwks: Keys that sign answers and lists.
        status_list: Address of the status list.
        seals: Fingerprint of a seal's certificate → what is known of the seal.
    """

    origin: str
    version: str
    at: dt.datetime
    until: dt.datetime
    issuers: Mapping[str, tuple[str, str]]
    types: Mapping[str, tuple[str, str]]
    ca_pem: bytes
    jwks: Mapping[str, Any]
    status_list: str
    seals: Mapping[str, SealEntry]


def read_directory(token: str, trusted: Mapping[str, Sequence[Mapping[str, str]]]) -> Directory:
    """Check a directory with keys that are trusted already.

    Raises:
        AnswerInvalidError: Altered, of another type, signed by no trusted key, or malformed.
    """
    said = verify_signed(token, trusted, DIRECTORY_TYPE, _LARGEST)
    try:
        return Directory(
            str(said["origin"]),
            str(said["version"]),
            read_instant(said["at"]),
            read_instant(said["until"]),
            {one["code"]: (one["zh"], one["en"]) for one in said["issuers"]},
            {one["code"]: (one["zh"], one["en"]) for one in said["types"]},
            said["ca_pem"].encode(),
            said["jwks"],
            str(said["status_list"]),
            {
                one["certificate_sha256"]: SealEntry(
                    one["certificate_sha256"], tuple(one["issuers"]), tuple(one["documents"])
                )
                for one in said["seals"]
            },
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        raise AnswerInvalidError(rule="payload") from None


def status_entries(uow: UnitOfWork, at: dt.datetime, revoked: Mapping[str, dt.datetime]) -> bytes:
    """Pack the states of all licences at an instant.

    What is not made yet is invalid: no file of it can be genuine. What would be valid but for its seal is
    suspended: the list has no word for what cannot be judged, and nobody is told that it is valid. What was
    sealed after its seal was revoked is invalid.

    Args:
        uow: A unit of work that reads.
        at: The instant.
        revoked: Every seal that was revoked, with the instant.
    """
    size = uow.session.scalar(select(func.max(License.status_index)).where(License.reserved_at <= at))
    changed = dict(_changed(uow, at))
    seals = [seal for seal, since in revoked.items() if since <= at]
    sealed = (
        select(License.status_index, License.seal_id, License.reserved_at)
        .where(_placed(at), ~_unmade(at), License.seal_id.in_(seals))
        .execution_options(yield_per=_CHUNK)
    )
    for row in uow.session.execute(sealed) if seals else ():
        before = revoked[row.seal_id] < row.reserved_at
        changed.setdefault(row.status_index, ListedStatus.INVALID if before else ListedStatus.SUSPENDED)
    return pack(0 if size is None else size + 1, changed.items())


def _changed(uow: UnitOfWork, at: dt.datetime) -> Iterator[tuple[int, ListedStatus]]:
    placed = _placed(at)
    unmade = select(License.status_index).where(placed, _unmade(at))
    for index in uow.session.scalars(unmade):
        if index is not None:
            yield index, ListedStatus.INVALID
    moved = (
        select(LicenseEvent.license_id)
        .where(LicenseEvent.kind.not_in([str(kind) for kind in _UNCHANGING]), LicenseEvent.at <= at)
        .distinct()
    )
    events = (
        select(License.status_index, LicenseEvent)
        .join(LicenseEvent, LicenseEvent.license_id == License.id)
        .where(placed, ~_unmade(at), License.id.in_(moved))
        .order_by(License.status_index, LicenseEvent.position)
        .execution_options(yield_per=_CHUNK)
    )
    for index, rows in groupby(uow.session.execute(events), key=lambda row: row[0]):
        status = _listed([row[1] for row in rows], at)
        if index is not None and status is not ListedStatus.VALID:
            yield index, status


def _placed(at: dt.datetime) -> ColumnElement[bool]:
    return License.status_index.is_not(None) & (License.reserved_at <= at)


def _unmade(at: dt.datetime) -> ColumnElement[bool]:
    return or_(License.issued_at.is_(None), License.issued_at > at)


def _listed(history: Sequence[LicenseEvent], at: dt.datetime) -> ListedStatus:
    try:
        state = state_after(history, at)
    except LicenseStateError:
        # Of what cannot have happened so nobody is told that it is valid, and the others keep their list.
        return ListedStatus.INVALID
    if state is State.SUSPENDED:
        return ListedStatus.SUSPENDED
    if state is State.SUPERSEDED:
        return ListedStatus.SUPERSEDED
    return ListedStatus.INVALID if state in TERMINAL else ListedStatus.VALID
