# SPDX-License-Identifier: Apache-2.0
"""What supervisors found out about unusual queries."""

import sqlalchemy as sa
from alembic import op

from storage.base import Instant

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "pattern_explanation",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("pattern", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("operator", sa.String(length=64), nullable=False),
        sa.Column("until", Instant(), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("explained_by", sa.String(length=64), nullable=False),
        sa.Column("explained_at", Instant(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pattern_explanation")),
    )
    op.create_index("ix_pattern_explanation_actor", "pattern_explanation", ["actor"])


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index("ix_pattern_explanation_actor", "pattern_explanation")
    op.drop_table("pattern_explanation")
