# SPDX-License-Identifier: Apache-2.0
"""Rebuild of the holdings from what was published: fetch the log, verify it, replay its details in order.

Replaying is generic: an act's detail holds every row that it inserted or changed, complete, so the last
state of each row is its newest one. What was erased stays erased: its acts are counted, not replayed.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import orjson
from sqlalchemy import Table, insert, text, update
from sqlalchemy.orm import Session

from storage.errors import CunzhengError, NotFoundError
from storage.ledger import tiles
from storage.ledger.entries import parse_entry
from storage.ledger.errors import LedgerFormatError, RebuildError
from storage.ledger.filelist import ExportFolder
from storage.ledger.files import anchor_path, detail_prefix, log_prefix, new_files
from storage.ledger.rows import row_values
from storage.objects.ports import ObjectMissingError, ObjectStore
from storage.secrets import ErasedError


@dataclass(frozen=True, slots=True)
class ReplayItem:
    """An act to be replayed: its place, kind and encrypted detail."""

    seq: int
    kind: str
    detail: bytes


@dataclass(slots=True)
class Rebuilt:
    """What a rebuild did: acts replayed, acts whose subject was erased, rows written per table."""

    acts: int = 0
    erased: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def published_sizes(store: ObjectStore, origin: str) -> list[int]:
    """Give the sizes whose checkpoints lie in the object store, ascending."""
    prefix = log_prefix(origin) + "anchor/"
    keys = [key.removeprefix(prefix).split("/") for key in store.list_named(prefix)]
    return sorted(int(parts[0]) for parts in keys if parts[1:] == ["checkpoint"])


def fetch_published(store: ObjectStore, origin: str, folder: Path) -> int:
    """Write the published log into a folder laid out as an export, ready to be verified; give its size.

    Raises:
        NotFoundError: Nothing was published.
        ObjectMissingError: A part of what was published is gone.
    """
    sizes = published_sizes(store, origin)
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


def read_items(folder: Path, size: int) -> Iterator[ReplayItem]:
    """Give the acts of a verified export in order.

    Raises:
        RebuildError: A bundle is missing, or a detail is not the one that its core names.
    """
    export = ExportFolder(folder)
    for index, width in tiles.widths(size):
        start = index * tiles.WIDTH
        entries = export.read(tiles.entries_path(index, width))
        details = export.read(tiles.details_path(index, width))
        if entries is None or details is None:
            raise RebuildError(seq=start, rule="bundle-missing")
        try:
            pairs = list(zip(tiles.unpack_entries(entries), tiles.unpack_details(details), strict=True))
        except (LedgerFormatError, ValueError) as error:
            raise RebuildError(seq=start, rule="bundle-framing") from error
        for offset, (data, detail) in enumerate(pairs):
            entry = parse_entry(data)
            if hashlib.sha256(detail).hexdigest() != entry.detail_sha256:
                raise RebuildError(seq=start + offset, rule="detail-digest")
            yield ReplayItem(start + offset, str(orjson.loads(entry.core)["kind"]), detail)


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
        tables: Every table that details may name, by name.

    Raises:
        RebuildError: A detail cannot be opened or names an unknown table.
    """
    if session.get_bind().dialect.name == "sqlite":
        # Rows of one act may refer to each other in any order.
        session.execute(text("PRAGMA defer_foreign_keys=ON"))
    rebuilt = Rebuilt()
    for item in items:
        try:
            detail = orjson.loads(decrypt(item.detail))
        except ErasedError:
            rebuilt.erased += 1
            continue
        except CunzhengError as error:
            raise RebuildError(seq=item.seq, rule=error.code) from error
        for row in detail["rows"]:
            table = tables.get(row["table"])
            if table is None:
                raise RebuildError(seq=item.seq, rule="table-unknown")
            _upsert(session, table, row_values(row["values"]))
            rebuilt.rows[table.name] = rebuilt.rows.get(table.name, 0) + 1
        rebuilt.acts += 1
    return rebuilt


def _upsert(session: Session, table: Table, values: dict[str, object]) -> None:
    where = [column == values[column.name] for column in table.primary_key]
    found = session.connection().execute(update(table).where(*where).values(values))
    if found.rowcount == 0:
        session.connection().execute(insert(table).values(values))
