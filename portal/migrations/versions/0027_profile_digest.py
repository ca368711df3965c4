# SPDX-License-Identifier: Apache-2.0
"""Keeps with each import run the digest of the mapping profile that it was begun with."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Bring the schema to this revision."""
    op.add_column("stock_run", sa.Column("profile_sha256", sa.String(64)))


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_column("stock_run", "profile_sha256")
