# SPDX-License-Identifier: Apache-2.0
"""Editions of items and number templates that one person proposes and another decides."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "catalogue_edition",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("number", sa.Integer(), nullable=True),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("reason_cipher", sa.LargeBinary(), nullable=False),
        sa.Column("proposed_by", sa.String(length=26), nullable=False),
        sa.Column("proposed_at", Instant(), nullable=False),
        sa.Column("expires_at", Instant(), nullable=False),
        sa.Column("decided_by", sa.String(length=26), nullable=True),
        sa.Column("decided_at", Instant(), nullable=True),
        sa.Column("decision_cipher", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_edition")),
        sa.UniqueConstraint("number", name=op.f("uq_catalogue_edition_number")),
    )
    with op.batch_alter_table("catalogue_edition", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_catalogue_edition_state"), ["state"], unique=False)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("catalogue_edition", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_catalogue_edition_state"))
    op.drop_table("catalogue_edition")
