# SPDX-License-Identifier: Apache-2.0
"""First tables of storage."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant
from storage.ledger.models import APPEND_ONLY, append_only_statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "ledger_act",
    "ledger_checkpoint",
    "ledger_closed_refusal",
    "ledger_state",
    "ledger_tile",
    "object_version",
    "step",
    "ledger_anchor",
    "ledger_entry",
    "ledger_pending",
)


def upgrade() -> None:
    """Create the tables."""
    _create_ledger_act()
    _create_ledger_checkpoint()
    _create_ledger_closed_refusal()
    _create_ledger_state()
    _create_ledger_tile()
    _create_object_version()
    _create_step()
    _create_ledger_anchor()
    _create_ledger_entry()
    _create_ledger_pending()
    for table in APPEND_ONLY:
        for statement in append_only_statements(table, op.get_bind().dialect.name):
            op.execute(statement.replace("%%", "%"))


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_ledger_act() -> None:
    op.create_table(
        "ledger_act",
        sa.Column("act_id", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("outcome", sa.String(length=12), nullable=False),
        sa.Column("core", sa.LargeBinary(), nullable=False),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("object_type", sa.String(length=24), nullable=False),
        sa.Column("object_id", sa.String(length=128), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=True),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("intent", sa.String(length=64), nullable=True),
        sa.Column("recorded_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_ledger_act")),
    )
    with op.batch_alter_table("ledger_act", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ledger_act_case_id"), ["case_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_act_intent"), ["intent"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_act_kind"), ["kind"], unique=False)
        batch_op.create_index("ix_ledger_act_object", ["object_type", "object_id"], unique=False)
        batch_op.create_index("ix_ledger_act_actor", ["actor_id", "recorded_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_act_organisation"), ["organisation"], unique=False)
        batch_op.create_index(batch_op.f("ix_ledger_act_subject"), ["subject"], unique=False)


def _create_ledger_checkpoint() -> None:
    op.create_table(
        "ledger_checkpoint",
        sa.Column(
            "size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("note", sa.LargeBinary(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("size", name=op.f("pk_ledger_checkpoint")),
    )


def _create_ledger_closed_refusal() -> None:
    op.create_table(
        "ledger_closed_refusal",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_closed_refusal")),
    )


def _create_ledger_state() -> None:
    op.create_table(
        "ledger_state",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("last_leaf", sa.LargeBinary(), nullable=False),
        sa.Column("frontier", sa.LargeBinary(), nullable=False),
        sa.Column("last_at", Instant(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_state")),
    )


def _create_ledger_tile() -> None:
    op.create_table(
        "ledger_tile",
        sa.Column("level", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("root", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("level", "position", name=op.f("pk_ledger_tile")),
    )


def _create_object_version() -> None:
    op.create_table(
        "object_version",
        sa.Column("key", sa.String(length=255), nullable=False),
        sa.Column("version_id", sa.String(length=128), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("retain_until", Instant(), nullable=False),
        sa.Column("given_up_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_object_version")),
    )
    with op.batch_alter_table("object_version", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_object_version_given_up_at"), ["given_up_at"], unique=False)
        batch_op.create_index("ix_object_version_mode_retain_until", ["mode", "retain_until"], unique=False)


def _create_step() -> None:
    op.create_table(
        "step",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=80), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("deaths", sa.Integer(), nullable=False),
        sa.Column("job", sa.String(length=26), nullable=False),
        sa.Column("plan", sa.LargeBinary(), nullable=True),
        sa.Column("after_step", sa.String(length=26), nullable=True),
        sa.Column("run_after", Instant(), nullable=False),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_until", Instant(), nullable=True),
        sa.Column("problem", sa.String(length=64), nullable=True),
        sa.Column("problem_since", Instant(), nullable=True),
        sa.Column("created_at", Instant(), nullable=False),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_step")),
    )
    with op.batch_alter_table("step", schema=None) as batch_op:
        batch_op.create_index("ix_step_state_run_after", ["state", "run_after"], unique=False)
        batch_op.create_index(batch_op.f("ix_step_subject"), ["subject"], unique=False)


def _create_ledger_anchor() -> None:
    op.create_table(
        "ledger_anchor",
        sa.Column("size", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["size"], ["ledger_checkpoint.size"], name=op.f("fk_ledger_anchor_size_ledger_checkpoint")
        ),
        sa.PrimaryKeyConstraint("size", "kind", name=op.f("pk_ledger_anchor")),
    )


def _create_ledger_entry() -> None:
    op.create_table(
        "ledger_entry",
        sa.Column(
            "seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("act_id", sa.String(length=64), nullable=False),
        sa.Column("entry", sa.LargeBinary(), nullable=False),
        sa.Column("leaf", sa.LargeBinary(), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(
            ["act_id"], ["ledger_act.act_id"], name=op.f("fk_ledger_entry_act_id_ledger_act")
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_ledger_entry")),
        sa.UniqueConstraint("act_id", name=op.f("uq_ledger_entry_act_id")),
    )


def _create_ledger_pending() -> None:
    op.create_table(
        "ledger_pending",
        sa.Column(
            "position",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("act_id", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["act_id"], ["ledger_act.act_id"], name=op.f("fk_ledger_pending_act_id_ledger_act")
        ),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_ledger_pending")),
        sa.UniqueConstraint("act_id", name=op.f("uq_ledger_pending_act_id")),
        sqlite_autoincrement=True,
    )
