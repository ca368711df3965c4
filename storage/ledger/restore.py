# SPDX-License-Identifier: Apache-2.0
"""Brings the ledger of a restored backup up to what was published since, or opens a new log after it.

A signed checkpoint that was published is a promise: whoever holds it must find it again in the log. So a log
goes on only when every entry up to the newest published checkpoint is there, follows from the backup's and
has the root that was signed. Otherwise a log of another name begins, and its entry 0 commits to the old
head.
"""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Table, delete, func, insert, select
from sqlalchemy.orm import Session

from storage.clock import parse_rfc3339
from storage.errors import CunzhengError
from storage.ledger import tiles
from storage.ledger.appending import append
from storage.ledger.edge import STATE_ID, Edge, fresh_state, load_edge, state_values
from storage.ledger.errors import HistoryDiffersError, LedgerCorruptError, RebuildError
from storage.ledger.models import (
    BUCKET,
    TOKEN,
    LedgerAct,
    LedgerAnchor,
    LedgerCheckpoint,
    LedgerEntry,
    LedgerPending,
    LedgerState,
    LedgerTile,
)
from storage.ledger.notes import VerifierKey, parse_note
from storage.ledger.ports import TokenVerifier
from storage.ledger.proofs import leaf_hash
from storage.ledger.published import PublishedHead, PublishedLog
from storage.ledger.rebuild import Rebuilt, ReplayItem, apply, open_detail, read_items

HALF_PUBLISHED = "half-published"
_KEYS_ARE_FOREIGN = "undecipherable"


@dataclass(frozen=True, slots=True)
class Broken:
    """Where the published log cannot be followed any more: the first entry concerned, and why."""

    seq: int
    rule: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What the object store holds beyond a backup.

    Attributes:
        start: Size of the backup's log.
        newest: The newest published checkpoint, if any.
        heads: Checkpoints that the backup may lack, ascending.
        folder: Where the bundles were fetched to.
        until: Up to where the acts can be replayed.
        gone: First entry of each bundle that is gone.
        broken: Why the log cannot go on under its name; ``None`` when it can.
    """

    start: int
    newest: PublishedHead | None
    heads: tuple[PublishedHead, ...]
    folder: Path
    until: int
    gone: tuple[int, ...] = ()
    broken: Broken | None = None


@dataclass(slots=True)
class Caught:
    """What was caught up with.

    Attributes:
        rebuilt: Acts that the backup did not hold, replayed.
        known: Acts that the backup held, without their number.
        changed: Type and id of the objects that replayed acts changed.
    """

    rebuilt: Rebuilt = field(default_factory=Rebuilt)
    known: int = 0
    changed: set[tuple[str, str]] = field(default_factory=set)


def survey(
    log: PublishedLog, key: VerifierKey, edge: Edge, decrypt: Callable[[bytes], bytes], folder: Path
) -> Survey:
    """Fetch what was published beyond a backup, and verify that it follows; no database is touched.

    Args:
        log: What was published.
        key: The log's public key.
        edge: The growing side of the backup's log.
        decrypt: Opens details.
        folder: Where the bundles go.

    Raises:
        HistoryDiffersError: What was published does not follow from the backup.
        RebuildError: The key folder does not open what was recorded since.
        ObjectStoreUnusableError: The store does not answer.
    """
    start, sizes = edge.frontier.size, log.sizes()
    if not sizes:
        broken = Broken(start, HALF_PUBLISHED) if log.is_longer_than(start) else None
        return Survey(start, None, (), folder, start, broken=broken)
    newest = log.head(sizes[-1], key)
    heads = tuple(log.head(size, key) for size in sizes if size >= start)
    if newest.size <= start:
        if newest.size == start and newest.checkpoint.root != edge.frontier.root():
            raise HistoryDiffersError(seq=start, rule="root-differs")
        broken = Broken(start, HALF_PUBLISHED) if log.is_longer_than(start) else None
        return Survey(start, newest, heads, folder, start, broken=broken)
    gone = tuple(log.fetch(start, newest.size, folder))
    until, broken = _follow_all(edge, newest, folder, decrypt, heads)
    if broken is None and log.is_longer_than(newest.size):
        broken = Broken(newest.size, HALF_PUBLISHED)
    return Survey(start, newest, heads, folder, until, gone, broken)


def _follow_all(
    edge: Edge,
    newest: PublishedHead,
    folder: Path,
    decrypt: Callable[[bytes], bytes],
    heads: Sequence[PublishedHead],
) -> tuple[int, Broken | None]:
    start, edge = edge.frontier.size, edge.next()
    roots = {head.size: head.checkpoint.root for head in heads}
    try:
        for item in read_items(folder, newest.size, start):
            follow(edge, item, newest.checkpoint.origin)
            open_detail(item, decrypt)
            edge.entries.clear()
            edge.full.clear()
            size = edge.frontier.size
            if size in roots and edge.frontier.root() != roots[size]:
                raise HistoryDiffersError(seq=size, rule="root-differs")
    except RebuildError as error:
        seq, rule = int(error.facts["seq"]), str(error.facts["rule"])
        if rule == _KEYS_ARE_FOREIGN:
            raise
        if rule == "chain" and seq == start:
            raise HistoryDiffersError(seq=seq, rule=rule) from error
        return seq, Broken(seq, rule)
    return newest.size, None


def follow(edge: Edge, item: ReplayItem, origin: str) -> None:
    """Take a published entry as the next one of the log.

    Raises:
        RebuildError: It does not follow from the one before.
    """
    entry = item.entry
    at = parse_rfc3339(entry.at)
    follows = entry.prev == edge.last_leaf and entry.seq == edge.frontier.size == item.seq
    if not follows or entry.log != origin or at < edge.last_at:
        raise RebuildError(seq=item.seq, rule="chain")
    leaf = leaf_hash(item.data)
    edge.last_at = at
    edge.entries.append({"seq": item.seq, "act_id": entry.act_id, "entry": item.data, "leaf": leaf, "at": at})
    edge.add_leaf(leaf)


def catch_up(
    session: Session,
    found: Survey,
    decrypt: Callable[[bytes], bytes],
    tables: Mapping[str, Table],
    tokens: TokenVerifier,
) -> Caught:
    """Replay what was published since the backup and restore the ledger's own tables, in one transaction.

    An act that the backup holds is not replayed: its rows were written with it, and later ones may stand.

    Args:
        session: On the restored backup, in the role that owns the tables.
        found: What :func:`survey` found.
        decrypt: Opens details.
        tables: Every table that details may name, by name, in the order of their dependency.
        tokens: Tells the time of tokens.

    Raises:
        LedgerCorruptError: The backup's tables contradict each other or what was surveyed.
    """
    state = session.get_one(LedgerState, STATE_ID)
    edge = load_edge(session, state)
    if edge.frontier.size != found.start:
        raise LedgerCorruptError(seq=edge.frontier.size, rule="not-the-surveyed-backup")
    caught = Caught()
    for bundle in _bundles(read_items(found.folder, found.until, found.start), found):
        _take(session, edge, bundle, state.origin, decrypt, tables, caught)
    for name, value in state_values(edge).items():
        setattr(state, name, value)
    state.fence, state.lease_until = state.fence + 1, None
    session.flush()
    _keep_heads(session, [head for head in found.heads if head.size <= found.until], tokens)
    load_edge(session, state)
    return caught


def _bundles(items: Iterator[ReplayItem], found: Survey) -> Iterator[list[ReplayItem]]:
    wanted = itertools.islice(items, found.until - found.start)
    while bundle := list(itertools.islice(wanted, tiles.WIDTH)):
        yield bundle


def _take(
    session: Session,
    edge: Edge,
    bundle: Sequence[ReplayItem],
    origin: str,
    decrypt: Callable[[bytes], bytes],
    tables: Mapping[str, Table],
    caught: Caught,
) -> None:
    ids = [item.entry.act_id for item in bundle]
    known = set(session.scalars(select(LedgerAct.act_id).where(LedgerAct.act_id.in_(ids))))
    acts = []
    for item in bundle:
        follow(edge, item, origin)
        if item.entry.act_id in known:
            caught.known += 1
            continue
        detail = open_detail(item, decrypt)
        apply(session, item, detail, tables, caught.rebuilt)
        acts.append(_act_row(item, detail))
        if detail is not None and detail["rows"]:
            thing = item.core["object"]
            caught.changed.add((thing["type"], thing["id"]))
    if acts:
        append(session, LedgerAct, acts)
    append(session, LedgerEntry, edge.entries)
    if edge.full:
        session.execute(insert(LedgerTile), edge.full)
    session.execute(delete(LedgerPending).where(LedgerPending.act_id.in_(ids)))
    edge.entries.clear()
    edge.full.clear()


def _act_row(item: ReplayItem, detail: Mapping[str, Any] | None) -> dict[str, Any]:
    core = item.core
    return {
        "act_id": item.entry.act_id,
        "kind": core["kind"],
        "outcome": core["outcome"],
        "core": item.entry.core,
        "detail": item.detail,
        "actor_id": core["actor"]["id"],
        "organisation": core["actor"].get("org", ""),
        "object_type": core["object"]["type"],
        "object_id": core["object"]["id"],
        "case_id": core["case"],
        # Of an erased act neither is known any more; the sequencer's time came within a second.
        "subject": detail["subject"] if detail else "",
        "intent": core["intent"],
        "recorded_at": parse_rfc3339(detail["at"] if detail else item.entry.at),
    }


def _keep_heads(session: Session, heads: Sequence[PublishedHead], tokens: TokenVerifier) -> None:
    """Keep published checkpoints with their anchors, so that none is signed, stamped or put anew."""
    for head in heads:
        at = session.scalar(select(LedgerEntry.at).where(LedgerEntry.seq == head.size - 1))
        if at is None:
            raise LedgerCorruptError(seq=head.size, rule="checkpoint-without-entry")
        if session.get(LedgerCheckpoint, head.size) is None:
            session.add(LedgerCheckpoint(size=head.size, note=head.note, at=at))
            session.flush()
        anchors = {BUCKET: (b"", at)}
        if head.token is not None:
            anchors[TOKEN] = (head.token, _token_time(head, tokens, at))
        for kind, (data, when) in anchors.items():
            if session.get(LedgerAnchor, (head.size, kind)) is None:
                session.add(LedgerAnchor(size=head.size, kind=kind, data=data, at=when))
    session.flush()


def _token_time(head: PublishedHead, tokens: TokenVerifier, otherwise: dt.datetime) -> dt.datetime:
    try:
        return tokens.verify(head.token or b"", parse_note(head.note).imprint())
    except CunzhengError:
        # Kept as it is: who verifies the log judges it.
        return otherwise


def require_published_history(session: Session, newest: PublishedHead | None) -> None:
    """Refuse a backup whose log, longer than what was published, is not the published one's continuation.

    Raises:
        HistoryDiffersError: Its checkpoint of that size is another, or missing.
    """
    if newest is None:
        return
    own = session.get(LedgerCheckpoint, newest.size)
    if own is None or parse_note(own.note).text != parse_note(newest.note).text:
        raise HistoryDiffersError(seq=newest.size, rule="root-differs")


def restart_log(session: Session, origin: str) -> int:
    """Empty the ledger's tables for a log of another name and make every act pending, in the old order.

    The caller has recorded entry 0 last: it comes first.

    Args:
        session: In the role that owns the tables; what is append-only is made anew, not changed.
        origin: Name of the new log.

    Returns:
        How many acts are carried over.
    """
    first = session.scalars(select(LedgerPending.act_id).order_by(LedgerPending.position.desc())).first()
    order = select(LedgerEntry.act_id).order_by(LedgerEntry.seq)
    late = select(LedgerPending.act_id).where(LedgerPending.act_id != first).order_by(LedgerPending.position)
    pending = list(session.scalars(late))
    session.execute(delete(LedgerPending).where(LedgerPending.act_id != first))
    session.execute(insert(LedgerPending).from_select(["act_id"], order))
    for act_id in pending:
        session.execute(insert(LedgerPending), {"act_id": act_id})
    state = session.get_one(LedgerState, STATE_ID)
    fence = state.fence
    session.delete(state)
    session.flush()
    session.expunge_all()
    connection = session.connection()
    models = (LedgerAnchor, LedgerCheckpoint, LedgerTile, LedgerEntry)
    remade = [LedgerAct.metadata.tables[model.__tablename__] for model in models]
    LedgerAct.metadata.drop_all(connection, remade)
    LedgerAct.metadata.create_all(connection, remade)
    session.add(fresh_state(origin, fence + 1))
    session.flush()
    return (session.scalar(select(func.count()).select_from(LedgerPending)) or 1) - 1
