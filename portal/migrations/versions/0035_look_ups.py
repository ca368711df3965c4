# SPDX-License-Identifier: Apache-2.0
"""Unusual look-ups name cases in the place of an act; what was found is looked for again."""

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.execute("DELETE FROM unusual_query")
    with op.batch_alter_table("unusual_query", schema=None) as batch_op:
        batch_op.add_column(sa.Column("cases", sa.JSON(), nullable=False))
        batch_op.alter_column("act", existing_type=sa.String(length=64), nullable=True)


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.execute("DELETE FROM unusual_query")
    with op.batch_alter_table("unusual_query", schema=None) as batch_op:
        batch_op.alter_column("act", existing_type=sa.String(length=64), nullable=False)
        batch_op.drop_column("cases")
