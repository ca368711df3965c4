# SPDX-License-Identifier: Apache-2.0
"""First tables of cases."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    "case_record",
    "holder",
)


def upgrade() -> None:
    """Create the tables."""
    _create_case_record()
    _create_holder()


def downgrade() -> None:
    """Drop the tables."""
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_case_record() -> None:
    op.create_table(
        "case_record",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("item_code", sa.String(length=40), nullable=False),
        sa.Column("item_edition", sa.String(length=20), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("accepted_at", Instant(), nullable=False),
        sa.Column("closed_at", Instant(), nullable=True),
        sa.Column("announced_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_record")),
        sa.UniqueConstraint("source", "number", name="uq_case_record_number"),
    )
    with op.batch_alter_table("case_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_case_record_holder_id"), ["holder_id"], unique=False)
        batch_op.create_index("ix_case_record_number", ["number"], unique=False)
        batch_op.create_index("ix_case_record_order", ["announced_at", "id"], unique=False)
        batch_op.create_index("ix_case_record_organisation", ["organisation", "announced_at"], unique=False)


def _create_holder() -> None:
    op.create_table(
        "holder",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("scheme", sa.String(length=3), nullable=False),
        sa.Column("code_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("code_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("name_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holder")),
        sa.UniqueConstraint("scheme", "code_hash", name="uq_holder_code"),
    )
