# SPDX-License-Identifier: Apache-2.0
"""First tables of seals."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = (
    "seal",
    "seal_event",
    "sealing",
)


def upgrade() -> None:
    """Create the tables."""
    _create_seal()
    _create_seal_event()
    _create_sealing()


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_seal() -> None:
    op.create_table(
        "seal",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("algorithm", sa.String(length=16), nullable=False),
        sa.Column("key_reference", sa.String(length=64), nullable=False),
        sa.Column("certificate", sa.LargeBinary(), nullable=False),
        sa.Column("certificate_sha256", sa.String(length=64), nullable=False),
        sa.Column("scope", sa.JSON(), nullable=False),
        sa.Column("registered_at", Instant(), nullable=False),
        sa.Column("registered_by", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seal")),
        sa.UniqueConstraint("certificate_sha256", name=op.f("uq_seal_certificate_sha256")),
    )
    with op.batch_alter_table("seal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_seal_department"), ["department"], unique=False)


def _create_seal_event() -> None:
    op.create_table(
        "seal_event",
        sa.Column("seal_id", sa.String(length=26), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=False),
        sa.Column("actor_id", sa.String(length=64), nullable=False),
        sa.Column("at", Instant(), nullable=False),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_seal_event_seal_id_seal")),
        sa.PrimaryKeyConstraint("seal_id", "number", name=op.f("pk_seal_event")),
    )


def _create_sealing() -> None:
    op.create_table(
        "sealing",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("seal_id", sa.String(length=26), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("item", sa.String(length=80), nullable=False),
        sa.Column("document_type", sa.String(length=16), nullable=False),
        sa.Column("object_id", sa.String(length=128), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=True),
        sa.Column("requested_by", sa.String(length=64), nullable=False),
        sa.Column("requested_at", Instant(), nullable=False),
        sa.Column("stamp", sa.JSON(), nullable=True),
        sa.Column("before_sha256", sa.String(length=64), nullable=True),
        sa.Column("after_sha256", sa.String(length=64), nullable=True),
        sa.Column("after_sm3", sa.String(length=64), nullable=True),
        sa.Column("signed_sha256", sa.String(length=64), nullable=True),
        sa.Column("cms_sha256", sa.String(length=64), nullable=True),
        sa.Column("token_serial", sa.String(length=48), nullable=True),
        sa.Column("sealed_at", Instant(), nullable=True),
        sa.Column("finished_at", Instant(), nullable=True),
        sa.ForeignKeyConstraint(["seal_id"], ["seal.id"], name=op.f("fk_sealing_seal_id_seal")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sealing")),
    )
    with op.batch_alter_table("sealing", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sealing_after_sha256"), ["after_sha256"], unique=False)
        batch_op.create_index(batch_op.f("ix_sealing_case_id"), ["case_id"], unique=False)
        batch_op.create_index("ix_sealing_object_id", ["object_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sealing_seal_id"), ["seal_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_sealing_signed_sha256"), ["signed_sha256"], unique=False)
