# SPDX-License-Identifier: Apache-2.0
"""Entries, the leaves of the tree: ``{"at","core","log","prev","seq","v"}`` as canonical JSON.

What is hashed are the stored bytes; reading refuses bytes that are not exactly what writing would give.
"""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass

import orjson

from storage.ledger.canonical import Json, canonical
from storage.ledger.errors import LedgerFormatError
from storage.ledger.proofs import EMPTY_ROOT

FORMAT_VERSION = 1
MAX_ENTRY = 65_535
FIRST_PREV = EMPTY_ROOT
"""``prev`` of entry 0: H("")."""

_HEAD = b'{"at":"%b","core":'
_TAIL = b'%b","seq":%d,"v":%d}'
_FIELDS = {"at", "core", "log", "prev", "seq", "v"}
_HEX_HASH = re.compile(r"[0-9a-f]{64}")
_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry, read.

    Attributes:
        at: RFC 3339 UTC with six decimals, given by the sequencer; texts compare as instants do.
        core: The act's core, canonical bytes.
        detail_sha256: Hex digest of the encrypted detail.
        log: The origin.
        prev: Leaf hash of the entry before.
        seq: Position in the log, from 0.
    """

    at: str
    core: bytes
    detail_sha256: str
    log: str
    prev: bytes
    seq: int

    @property
    def act_id(self) -> str:
        """Give the act's id: hex SHA-256 of the core."""
        return hashlib.sha256(self.core).hexdigest()


def entry_prefix(log: str) -> bytes:
    """Give the constant part of a log's entries between core and previous hash."""
    return b',"log":' + orjson.dumps(log) + b',"prev":"'


def entry_bytes(at: str, core: bytes, prefix: bytes, prev: bytes, seq: int) -> bytes:
    """Give an entry's bytes around a core that is canonical already.

    Raises:
        LedgerFormatError: Longer than 65,535 bytes, which no entry bundle can hold.
    """
    entry = _HEAD % at.encode() + core + prefix + _TAIL % (prev.hex().encode(), seq, FORMAT_VERSION)
    if len(entry) > MAX_ENTRY:
        raise LedgerFormatError(rule="entry-too-long", length=len(entry))
    return entry


def parse_entry(data: bytes) -> Entry:
    """Read an entry strictly.

    Raises:
        LedgerFormatError: Not canonical, a field missing or foreign, a value out of form.
    """
    try:
        value: Json = orjson.loads(data)
        if canonical(value) != data:
            raise LedgerFormatError(rule="entry-not-canonical")
    except (ValueError, TypeError, RecursionError) as error:
        raise LedgerFormatError(rule="entry-not-canonical") from error
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise LedgerFormatError(rule="entry-fields")
    if value["v"] != FORMAT_VERSION or isinstance(value["v"], bool):
        raise LedgerFormatError(rule="entry-version")
    core, log, prev, seq = (value[name] for name in ("core", "log", "prev", "seq"))
    at = _checked_at(value["at"])
    if not isinstance(log, str) or not log:
        raise LedgerFormatError(rule="entry-log")
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise LedgerFormatError(rule="entry-seq")
    if not isinstance(prev, str) or not _HEX_HASH.fullmatch(prev):
        raise LedgerFormatError(rule="entry-prev")
    start = len(_HEAD % at.encode())
    end = len(entry_prefix(log)) + len(_TAIL % (prev.encode(), seq, FORMAT_VERSION))
    return Entry(at, data[start:-end], _detail_digest(core), log, bytes.fromhex(prev), seq)


def _detail_digest(core: Json) -> str:
    detail = core.get("detail_sha256") if isinstance(core, dict) else None
    if not isinstance(detail, str) or not _HEX_HASH.fullmatch(detail):
        raise LedgerFormatError(rule="entry-core")
    return detail


def _checked_at(at: Json) -> str:
    if not isinstance(at, str) or not _AT.fullmatch(at):
        raise LedgerFormatError(rule="entry-at")
    try:
        dt.datetime.fromisoformat(at)
    except ValueError as error:
        raise LedgerFormatError(rule="entry-at") from error
    return at
