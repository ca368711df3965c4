# SPDX-License-Identifier: Apache-2.0
"""The ledger's tables. Rows of the append-only ones are never changed or removed; triggers say so."""

import datetime as dt

from sqlalchemy import DDL, BigInteger, ForeignKey, Index, Integer, LargeBinary, String, Table, event
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base, Instant


class LedgerAct(Base):
    """An act as its own transaction wrote it: core in clear, detail encrypted."""

    __tablename__ = "ledger_act"

    act_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    kind: Mapped[str] = mapped_column(String(40))
    outcome: Mapped[str] = mapped_column(String(12))
    core: Mapped[bytes] = mapped_column(LargeBinary)
    detail: Mapped[bytes] = mapped_column(LargeBinary)
    actor_id: Mapped[str] = mapped_column(String(64))
    organisation: Mapped[str] = mapped_column(String(40), index=True)
    object_type: Mapped[str] = mapped_column(String(24))
    object_id: Mapped[str] = mapped_column(String(128))
    case_id: Mapped[str | None] = mapped_column(String(26), index=True)
    subject: Mapped[str] = mapped_column(String(64), index=True)
    intent: Mapped[str | None] = mapped_column(String(64), index=True)
    recorded_at: Mapped[dt.datetime] = mapped_column(Instant)

    __table_args__ = (
        Index("ix_ledger_act_object", "object_type", "object_id"),
        Index("ix_ledger_act_actor", "actor_id", "recorded_at"),
        Index("ix_ledger_act_kind", "kind", "recorded_at"),
        Index("ix_ledger_act_outcome", "outcome", "recorded_at"),
        Index("ix_ledger_act_recorded_at", "recorded_at", "organisation"),
    )


class LedgerPending(Base):
    """Acts not yet sequenced. Consumed row by row: late commits exist, so never by a high-water mark."""

    __tablename__ = "ledger_pending"

    position: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    act_id: Mapped[str] = mapped_column(ForeignKey("ledger_act.act_id"), unique=True)

    __table_args__ = ({"sqlite_autoincrement": True},)


class LedgerEntry(Base):
    """A leaf of the tree: the entry's exact bytes and its leaf hash."""

    __tablename__ = "ledger_entry"

    seq: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    act_id: Mapped[str] = mapped_column(ForeignKey("ledger_act.act_id"), unique=True)
    entry: Mapped[bytes] = mapped_column(LargeBinary)
    leaf: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime] = mapped_column(Instant)


class LedgerState(Base):
    """The sequencer's one row: how far the log is, and who may write it (fencing number)."""

    __tablename__ = "ledger_state"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    origin: Mapped[str] = mapped_column(String(200))
    size: Mapped[int] = mapped_column(BigInteger)
    last_leaf: Mapped[bytes] = mapped_column(LargeBinary)
    frontier: Mapped[bytes] = mapped_column(LargeBinary)
    last_at: Mapped[dt.datetime] = mapped_column(Instant)
    fence: Mapped[int] = mapped_column(Integer)
    lease_until: Mapped[dt.datetime | None] = mapped_column(Instant)


class LedgerTile(Base):
    """A full tile of 256 hashes (C2SP tlog-tiles) and its root; partial ones are computed."""

    __tablename__ = "ledger_tile"

    level: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    root: Mapped[bytes] = mapped_column(LargeBinary)


class LedgerCheckpoint(Base):
    """A signed tree head: the note's exact bytes."""

    __tablename__ = "ledger_checkpoint"

    size: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False
    )
    note: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime] = mapped_column(Instant)


TOKEN = "tsr"  # noqa: S105 - a kind of anchor
BUCKET = "bucket"


class LedgerAnchor(Base):
    """What ties a checkpoint to the world outside: a time-stamp token, a cosignature, a locked object."""

    __tablename__ = "ledger_anchor"

    size: Mapped[int] = mapped_column(ForeignKey("ledger_checkpoint.size"), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[dt.datetime] = mapped_column(Instant)


class LedgerClosedRefusal(Base):
    """How many acts were refused while the ledger was closed, not yet recorded."""

    __tablename__ = "ledger_closed_refusal"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(Integer)


APPEND_ONLY = ("ledger_act", "ledger_entry", "ledger_tile", "ledger_checkpoint", "ledger_anchor")


def append_only_statements(table: str, dialect: str) -> tuple[str, ...]:
    """Give the triggers that refuse UPDATE, DELETE and TRUNCATE on a table, for SQLite or PostgreSQL."""
    if dialect == "sqlite":
        refuse = f"SELECT RAISE(ABORT, '{table} is append-only')"
        return (
            f"CREATE TRIGGER {table}_no_update BEFORE UPDATE ON {table} BEGIN {refuse}; END",
            f"CREATE TRIGGER {table}_no_delete BEFORE DELETE ON {table} BEGIN {refuse}; END",
        )
    return (
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE "
        "EXCEPTION '%% is append-only', TG_TABLE_NAME USING ERRCODE = 'integrity_constraint_violation'; "
        "END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    )


def _guard(table: Table) -> None:
    for dialect in ("sqlite", "postgresql"):
        for statement in append_only_statements(table.name, dialect):
            ddl = DDL(statement)  # type: ignore[no-untyped-call]  # SQLAlchemy leaves DDL untyped
            event.listen(table, "after_create", ddl.execute_if(dialect=dialect))


for _name in APPEND_ONLY:
    _guard(Base.metadata.tables[_name])
