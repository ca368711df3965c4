# SPDX-License-Identifier: Apache-2.0
"""An explanation of an unusual query says how many queries it explains."""

import sqlalchemy as sa
from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("pattern_explanation", sa.Column("count", sa.Integer(), nullable=True))


def downgrade() -> None:
    """Take the schema back to the revision before."""
    with op.batch_alter_table("pattern_explanation") as batch:
        batch.drop_column("count")
