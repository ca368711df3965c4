# SPDX-License-Identifier: Apache-2.0
"""Rebuild of the holdings from what was published: fetch the log, verify it, replay its details in order.

Replaying is generic: an act's detail holds every row that it inserted or changed, complete, so the last
state of each row is its newest one. What was erased stays erased: its acts are counted, not replayed.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import Insert, Table, Update, bindparam, insert, update
from sqlalchemy.orm import Session

from storage.errors import CunzhengError, NotFoundError
from storage.ledger import tiles
from storage.ledger.entries import Entry, parse_entry
from storage.ledger.errors import LedgerFormatError, RebuildError
from storage.ledger.filelist import ExportFolder
from storage.ledger.files import anchor_path, detail_prefix, log_prefix, new_files
from storage.ledger.published import PublishedLog
from storage.ledger.rows import row_values
from storage.objects.ports import ObjectMissingError, ObjectStore
from storage.secrets import ErasedError


@dataclass(frozen=True, slots=True)
class ReplayItem:
    """An act to be replayed: its place, its entry's bytes, read, and its encrypted detail."""

    seq: int
    data: bytes
    entry: Entry
    detail: bytes

    @property
    def core(self) -> Mapping[str, Any]:
        """Give the act's core, read."""
        core: Mapping[str, Any] = orjson.loads(self.entry.core)
        return core


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did.

    Attributes:
        acts: Acts replayed.
        erased: Acts whose subject was erased: nothing of them can be replayed.
        rows: Rows written per table.
        rowless: Acts per kind that held no row to write: nothing of them is rebuilt but the ledger.
    """

    acts: int = 0
    erased: int = 0
    rows: Counter[str] = field(default_factory=Counter)
    rowless: Counter[str] = field(default_factory=Counter)


def fetch_published(store: ObjectStore, origin: str, folder: Path) -> int:
    """Write the published log into a folder laid out as an export, ready to be verified; give its size.

    Raises:
        NotFoundError: Nothing was published.
        ObjectMissingError: A part of what was published is gone.
    """
    sizes = PublishedLog(store, origin).sizes()
    if not sizes:
        raise NotFoundError
    prefix = log_prefix(origin)
    for name in new_files(0, sizes[-1]):
        key = prefix + name.path
        if name.kind == "details":
            key = detail_prefix(origin) + name.path.removeprefix("details/")
        _write(folder / name.path, store.read_named(key))
    for size in sizes:
        note = store.read_named(prefix + anchor_path(size, "checkpoint"))
        _write(folder / anchor_path(size, "checkpoint"), note)
        try:
            token = store.read_named(prefix + anchor_path(size, "tsr"))
        except ObjectMissingError:
            continue
        _write(folder / anchor_path(size, "tsr"), token)
    _write(folder / "checkpoint", note)
    return sizes[-1]


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def read_items(folder: Path, size: int, start: int = 0) -> Iterator[ReplayItem]:
    """Give the acts of a verified export in order, from entry ``start`` on.

    Raises:
        RebuildError: A bundle is missing, or a detail is not the one that its core names.
    """
    export = ExportFolder(folder)
    for index, width in tiles.widths(size):
        first = index * tiles.WIDTH
        if first + width <= start:
            continue
        entries = export.read(tiles.entries_path(index, width))
        details = export.read(tiles.details_path(index, width))
        if entries is None or details is None:
            raise RebuildError(seq=max(first, start), rule="bundle-missing")
        try:
            pairs = list(zip(tiles.unpack_entries(entries), tiles.unpack_details(details), strict=True))
        except (LedgerFormatError, ValueError) as error:
            raise RebuildError(seq=max(first, start), rule="bundle-framing") from error
        for seq, (data, detail) in enumerate(pairs, first):
            if seq >= start:
                yield _item(seq, data, detail)


def _item(seq: int, data: bytes, detail: bytes) -> ReplayItem:
    try:
        entry = parse_entry(data)
    except LedgerFormatError as error:
        raise RebuildError(seq=seq, rule="entry-format") from error
    if hashlib.sha256(detail).hexdigest() != entry.detail_sha256:
        raise RebuildError(seq=seq, rule="detail-digest")
    return ReplayItem(seq, data, entry, detail)


def open_detail(item: ReplayItem, decrypt: Callable[[bytes], bytes]) -> Mapping[str, Any] | None:
    """Give an act's detail in clear; ``None`` when its subject was erased.

    Raises:
        RebuildError: The keys do not open it.
    """
    try:
        detail: Mapping[str, Any] = orjson.loads(decrypt(item.detail))
    except ErasedError:
        return None
    except CunzhengError as error:
        raise RebuildError(seq=item.seq, rule=error.code) from error
    return detail


def replay(
    session: Session,
    items: Iterator[ReplayItem],
    decrypt: Callable[[bytes], bytes],
    tables: Mapping[str, Table],
) -> Rebuilt:
    """Write the rows of every act, in order, into the caller's transaction.

    Args:
        session: On a database whose holdings are empty, tables made.
        items: Acts in ``seq`` order.
        decrypt: Opens details; ``Secrets.decrypt``.
        tables: Every table that details may name, by name, in the order of their dependency.

    Raises:
        RebuildError: A detail cannot be opened or names an unknown table.
    """
    rebuilt = Rebuilt()
    for item in items:
        apply(session, item, open_detail(item, decrypt), tables, rebuilt)
    return rebuilt


def apply(
    session: Session,
    item: ReplayItem,
    detail: Mapping[str, Any] | None,
    tables: Mapping[str, Table],
    rebuilt: Rebuilt,
) -> None:
    """Write the rows of one act into the caller's transaction and count it.

    Args:
        session: As :func:`replay` takes it.
        item: The act.
        detail: Its detail in clear; ``None`` for one that was erased.
        tables: Every table that details may name, by name, in the order of their dependency.
        rebuilt: Where it is counted.

    Raises:
        RebuildError: The detail names an unknown table.
    """
    if detail is None:
        rebuilt.erased += 1
        return
    rows, places = detail["rows"], {name: place for place, name in enumerate(tables)}
    if any(row["table"] not in places for row in rows):
        raise RebuildError(seq=item.seq, rule="table-unknown")
    # A row must come after the rows that it refers to.
    for row in sorted(rows, key=lambda row: places[row["table"]]):
        table = tables[row["table"]]
        _upsert(session, table, row_values(row["values"]))
        rebuilt.rows[str(table.name)] += 1
    if not rows:
        rebuilt.rowless[str(item.core["kind"])] += 1
    rebuilt.acts += 1


def _upsert(session: Session, table: Table, values: dict[str, object]) -> None:
    # One statement per table: to make it for each row would cost five times the row.
    change, add = _statements(table, frozenset(values))
    keys = {f"key_{column.name}": values[column.name] for column in table.primary_key}
    if session.connection().execute(change, {**values, **keys}).rowcount == 0:
        session.connection().execute(add, values)


@lru_cache(maxsize=256)
def _statements(table: Table, names: frozenset[str]) -> tuple[Update, Insert]:
    where = [column == bindparam(f"key_{column.name}") for column in table.primary_key]
    values: dict[str, Any] = {name: bindparam(name) for name in names}
    return update(table).where(*where).values(values), insert(table)
