# SPDX-License-Identifier: Apache-2.0
"""Marks by which records know their keys."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "key_mark",
        sa.Column("name", sa.String(length=16), nullable=False),
        sa.Column("value", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_key_mark")),
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("key_mark")
