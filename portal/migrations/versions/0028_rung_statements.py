# SPDX-License-Identifier: Apache-2.0
"""Signed statements of rungs, as they left."""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.create_table(
        "ladder_statement",
        sa.Column("event_id", sa.String(26), primary_key=True),
        sa.Column("rung_id", sa.String(26), nullable=False, index=True),
        sa.Column("act_id", sa.String(64), nullable=False, unique=True),
        sa.Column("jws_cipher", sa.LargeBinary(), nullable=False),
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table("ladder_statement")
