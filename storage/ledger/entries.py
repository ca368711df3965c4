# SPDX-License-Identifier: Apache-2.0
"""Entries, the leaves of the tree: ``{"at","core","log","prev","seq","v"}`` as canonical JSON.

What is hashed are the stored bytes; reading refuses bytes that are not exactly what writing would give.
"""

import datetime as dt
import hashlib
import re
from functools import lru_cache
from typing import NamedTuple

import orjson

from storage.ledger.canonical import Json, parse_canonical
from storage.ledger.errors import LedgerFormatError
from storage.ledger.proofs import EMPTY_ROOT, HASH_SIZE

FORMAT_VERSION = 1
MAX_ENTRY = 65_535
FIRST_PREV = EMPTY_ROOT
"""``prev`` of entry 0: H("")."""

_HEAD = b'{"at":"%b","core":'
_TAIL = b'%b","seq":%d,"v":%d}'
_HEAD_LENGTH = len(_HEAD % (b"0" * 27))
_TAIL_LENGTH = len(_TAIL % (b"0" * 64, 0, FORMAT_VERSION)) - 1
_FIELDS = {"at", "core", "log", "prev", "seq", "v"}
_AT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


class Entry(NamedTuple):
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
        value = parse_canonical(data)
    except (ValueError, TypeError, RecursionError) as error:
        raise LedgerFormatError(rule="entry-not-canonical") from error
    if not isinstance(value, dict) or value.keys() != _FIELDS:
        raise LedgerFormatError(rule="entry-fields")
    if value["v"] != FORMAT_VERSION or isinstance(value["v"], bool):
        raise LedgerFormatError(rule="entry-version")
    at, log, seq = value["at"], value["log"], value["seq"]
    if not isinstance(at, str) or not _is_instant(at):
        raise LedgerFormatError(rule="entry-at")
    if not isinstance(log, str) or not log:
        raise LedgerFormatError(rule="entry-log")
    if not isinstance(seq, int) or isinstance(seq, bool) or seq < 0:
        raise LedgerFormatError(rule="entry-seq")
    prev = _hash(value["prev"], "entry-prev")
    core = value["core"]
    detail = _hash(core.get("detail_sha256") if isinstance(core, dict) else None, "entry-core").hex()
    tail = _prefix_length(log) + _TAIL_LENGTH + len(str(seq))
    return Entry(at, data[_HEAD_LENGTH:-tail], detail, log, prev, seq)


@lru_cache(maxsize=16)
def _prefix_length(log: str) -> int:
    return len(entry_prefix(log))


def _hash(text: Json, rule: str) -> bytes:
    """Read 64 lower-case hexadecimal digits."""
    if isinstance(text, str) and len(text) == 2 * HASH_SIZE:
        try:
            value = bytes.fromhex(text)
        except ValueError as error:
            raise LedgerFormatError(rule=rule) from error
        if value.hex() == text:
            return value
    raise LedgerFormatError(rule=rule)


@lru_cache(maxsize=1024)
def _is_instant(at: str) -> bool:
    """Tell whether the text is RFC 3339 UTC with six decimals; a batch of entries shares one instant."""
    if not _AT.fullmatch(at):
        return False
    try:
        dt.datetime.fromisoformat(at)
    except ValueError:
        return False
    return True
