# SPDX-License-Identifier: Apache-2.0
"""Objections of holders, and what was answered."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "license_objection",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("holder_id", sa.String(length=26), nullable=False),
        sa.Column("about", sa.String(length=8), nullable=False),
        sa.Column("object_id", sa.String(length=26), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(length=40), nullable=False),
        sa.Column("case_id", sa.String(length=26), nullable=True),
        sa.Column("words_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("opened_at", Instant(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=False),
        sa.Column("state", sa.String(length=8), nullable=False),
        sa.Column("answered_by", sa.String(length=64), nullable=True),
        sa.Column("answered_at", Instant(), nullable=True),
        sa.Column("answer_cipher", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_license_objection")),
        sa.UniqueConstraint("about", "object_id", "position", name=op.f("uq_license_objection_about")),
    )
    with op.batch_alter_table("license_objection", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_license_objection_holder_id"), ["holder_id"], unique=False)
        batch_op.create_index(
            "ix_license_objection_state_organisation", ["state", "organisation"], unique=False
        )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("license_objection", schema=None) as batch_op:
        batch_op.drop_index("ix_license_objection_state_organisation")
        batch_op.drop_index(batch_op.f("ix_license_objection_holder_id"))
    op.drop_table("license_objection")
